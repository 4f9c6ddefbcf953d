// The `Core` of api.ts over one instance of core.wasm. It owns the instance's memory and checks every argument, because the
// core itself checks none; on the packet path (seal, open) it only passes two numbers on.
import {
  COUNTERS,
  EXPECTED_SPIS,
  IN_DESC_COUNT,
  INBOUND_SAS,
  MEMORY_PAGES,
  OUTBOUND_SAS,
  PARAMS,
  RESULT,
  RESULT_CONSUMED,
  RESULT_KEPT,
  RESULT_OUT,
  RESULT_SIDE,
  RESULT_SOFT,
  TUNNELS,
  USE_BYTES,
  USE_PACKETS,
  USE_SEQUENCE,
} from '../../assembly/layout.ts';
import {
  type AcceleratedExports,
  Accelerator,
  type AcceleratorChoice,
  acceleratorChoice,
  NEVER,
} from './accelerator.ts';
import type {
  Core,
  EspCipher,
  InboundSaParams,
  OpenResult,
  OutboundSaParams,
  SaUse,
  SealResult,
  TunnelParams,
} from './api.ts';
import { COUNTER_NAMES, type CounterName, type Counters } from './counters.ts';
import { loadCoreModule } from './load.ts';
import { whole, writeSa, writeTunnel } from './params.ts';

/** What assembly/index.ts exports. Booleans are 0 and 1. */
interface Exports extends AcceleratedExports {
  initialise(): void;
  configureTunnel(tunnel: number): void;
  removeTunnel(tunnel: number): void;
  greSequence(tunnel: number): number;
  installOutbound(slot: number): void;
  activateOutbound(tunnel: number, slot: number): void;
  accelerateOutbound(slot: number, handle: number): void;
  removeOutbound(slot: number): void;
  outboundUse(slot: number): void;
  installInbound(slot: number): void;
  accelerateInbound(slot: number, handle: number): void;
  removeInbound(slot: number): void;
  inboundUse(slot: number): void;
  expect(spi: number): number;
  cancelExpected(spi: number): void;
  takeParked(): number;
  configureVnet(on: number, uso: number): void;
  seal(count: number, now: number): void;
  sealDummy(tunnel: number, length: number): number;
  open(count: number, now: number, keep: number): void;
  expireFragments(now: number): number;
  close(): void;
}

/** The longest dummy payload: with padding and headers it stays one datagram. */
const LONGEST_DUMMY = 65000;

function isExports(exports: unknown): exports is Exports {
  return (
    typeof exports === 'object' && exports !== null && 'initialise' in exports && 'configureAccelerator' in exports
  );
}

export interface CoreOptions {
  /** Whether node:crypto may make AES keystream for batches; by default what CULVERT_AES_ACCELERATOR says (accelerator.ts). */
  readonly accelerator?: AcceleratorChoice;
}

/** Compiles core.wasm and starts an instance. */
export async function createCore(options: CoreOptions = {}): Promise<Core> {
  return createCoreSync(await loadCoreModule(), options);
}

/** What was measured for a build on this thread: blocks from which a batch is accelerated. */
const measured = new WeakMap<WebAssembly.Module, number>();

/** Starts an instance of an already compiled module (loadCoreModule), for workers. */
export function createCoreSync(module: WebAssembly.Module, options: CoreOptions = {}): Core {
  const choice = options.accelerator ?? acceleratorChoice();
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const accelerator = new Accelerator();
  const { encryptBlocks } = accelerator;
  const { exports } = new WebAssembly.Instance(module, { env: { memory, encryptBlocks } });
  if (!isExports(exports))
    throw new Error('core.wasm is not the packet core of this version; run "npm run build" to make it anew.');
  exports.initialise();
  accelerator.attach(new Uint8Array(memory.buffer));
  const least = accelerator.configure(exports, choice, choice === 'auto' ? measured.get(module) : undefined);
  if (choice === 'auto') measured.set(module, least);
  return new WasmCore(memory, exports, accelerator, least);
}

/** Whose keystream is AES of counter blocks. */
const COUNTING: ReadonlySet<EspCipher> = new Set(['aes-gcm-16', 'aes-ctr']);
/** Handles of the accelerator: 0 is none. */
const outboundHandle = (slot: number) => 1 + slot;
const inboundHandle = (slot: number) => 1 + OUTBOUND_SAS + slot;

class WasmCore implements Core {
  readonly memory: WebAssembly.Memory;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #exports: Exports;
  readonly #accelerator: Accelerator;
  readonly acceleratedFrom: number;
  readonly #tunnels = new Set<number>();
  readonly #outbound = new Map<number, number>();
  /** What is installed where; outbound: slot → tunnel. */
  readonly #inbound = new Map<number, { readonly spi: number; readonly tunnel: number }>();
  readonly #sealed: SealResult = { consumed: 0, out: 0, side: 0 };
  readonly #opened: OpenResult = { out: 0, side: 0, kept: 0 };
  #closed = false;

  constructor(memory: WebAssembly.Memory, exports: Exports, accelerator: Accelerator, leastBlocks: number) {
    this.#accelerator = accelerator;
    this.acceleratedFrom = leastBlocks === NEVER ? Number.POSITIVE_INFINITY : leastBlocks;
    this.memory = memory;
    this.words = new Uint32Array(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#exports = exports;
  }

  #check(): void {
    if (this.#closed) throw new Error('core: used after close()');
  }

  #tunnel(tunnel: number): number {
    this.#check();
    whole('tunnel', tunnel, 0, TUNNELS - 1);
    if (!this.#tunnels.has(tunnel)) throw new RangeError(`core: tunnel ${tunnel} is not configured`);
    return tunnel;
  }

  configureTunnel(tunnel: number, params: TunnelParams): void {
    this.#check();
    whole('tunnel', tunnel, 0, TUNNELS - 1);
    writeTunnel(this.bytes, params);
    this.#exports.configureTunnel(tunnel);
    this.#tunnels.add(tunnel);
  }

  removeTunnel(tunnel: number): void {
    this.#check();
    this.#exports.removeTunnel(whole('tunnel', tunnel, 0, TUNNELS - 1));
    this.#tunnels.delete(tunnel);
    for (const [slot, of] of this.#outbound) if (of === tunnel) this.#forgetOutbound(slot);
    for (const [slot, sa] of this.#inbound) if (sa.tunnel === tunnel) this.#forgetInbound(slot);
  }

  greSequence(tunnel: number): number {
    return this.#exports.greSequence(this.#tunnel(tunnel)) >>> 0;
  }

  installOutbound(slot: number, params: OutboundSaParams): void {
    this.#tunnel(params.tunnel);
    whole('outbound slot', slot, 0, OUTBOUND_SAS - 1);
    if (this.#outbound.has(slot)) throw new RangeError(`core: outbound slot ${slot} is taken; remove its SA first`);
    writeSa(this.bytes, params);
    this.#exports.installOutbound(slot);
    this.#outbound.set(slot, params.tunnel);
    if (this.#accelerate(outboundHandle(slot), params)) this.#exports.accelerateOutbound(slot, outboundHandle(slot));
  }

  #accelerate(handle: number, { cipher, key }: OutboundSaParams): boolean {
    return Number.isFinite(this.acceleratedFrom) && COUNTING.has(cipher) && this.#accelerator.install(handle, key);
  }

  #forgetOutbound(slot: number): void {
    this.#outbound.delete(slot);
    this.#accelerator.remove(outboundHandle(slot));
  }

  #forgetInbound(slot: number): void {
    this.#inbound.delete(slot);
    this.#accelerator.remove(inboundHandle(slot));
  }

  activateOutbound(tunnel: number, slot: number): void {
    this.#tunnel(tunnel);
    whole('outbound slot', slot, 0, OUTBOUND_SAS - 1);
    if (this.#outbound.get(slot) !== tunnel)
      throw new RangeError(`core: outbound slot ${slot} holds no SA of tunnel ${tunnel}`);
    this.#exports.activateOutbound(tunnel, slot);
  }

  removeOutbound(slot: number): void {
    this.#check();
    this.#exports.removeOutbound(whole('outbound slot', slot, 0, OUTBOUND_SAS - 1));
    this.#forgetOutbound(slot);
  }

  outboundUse(slot: number): SaUse {
    this.#check();
    this.#exports.outboundUse(whole('outbound slot', slot, 0, OUTBOUND_SAS - 1));
    return this.#use();
  }

  installInbound(slot: number, params: InboundSaParams): void {
    this.#tunnel(params.tunnel);
    whole('inbound slot', slot, 0, INBOUND_SAS - 1);
    if (this.#inbound.has(slot)) throw new RangeError(`core: inbound slot ${slot} is taken; remove its SA first`);
    for (const { spi } of this.#inbound.values())
      if (spi === params.spi) throw new RangeError(`core: SPI 0x${spi.toString(16)} is installed already`);
    writeSa(this.bytes, params);
    this.#exports.installInbound(slot);
    this.#inbound.set(slot, { spi: params.spi, tunnel: params.tunnel });
    if (this.#accelerate(inboundHandle(slot), params)) this.#exports.accelerateInbound(slot, inboundHandle(slot));
  }

  removeInbound(slot: number): void {
    this.#check();
    this.#exports.removeInbound(whole('inbound slot', slot, 0, INBOUND_SAS - 1));
    this.#forgetInbound(slot);
  }

  inboundUse(slot: number): SaUse {
    this.#check();
    this.#exports.inboundUse(whole('inbound slot', slot, 0, INBOUND_SAS - 1));
    return this.#use();
  }

  #use(): SaUse {
    return {
      packets: Number(this.#view.getBigUint64(PARAMS + USE_PACKETS, true)),
      bytes: Number(this.#view.getBigUint64(PARAMS + USE_BYTES, true)),
      sequence: this.#view.getBigUint64(PARAMS + USE_SEQUENCE, true),
    };
  }

  expect(spi: number): void {
    this.#check();
    if (!this.#exports.expect(whole('spi', spi, 256, 0xffffffff)))
      throw new RangeError(`core: more than ${EXPECTED_SPIS} SPIs are expected; cancel the ones that will not come`);
  }

  cancelExpected(spi: number): void {
    this.#check();
    this.#exports.cancelExpected(whole('spi', spi, 256, 0xffffffff));
  }

  takeParked(): number {
    this.#check();
    return this.#exports.takeParked();
  }

  configureVnet(on: boolean, uso = false): void {
    this.#check();
    this.#exports.configureVnet(on ? 1 : 0, uso ? 1 : 0);
  }

  seal(count: number, now: number): Readonly<SealResult> {
    if (this.#closed || count >>> 0 > IN_DESC_COUNT) this.#misused(count);
    this.#exports.seal(count, now);
    this.#sealed.consumed = this.words[(RESULT + RESULT_CONSUMED) >> 2]!;
    return this.#readSealed();
  }

  #readSealed(): Readonly<SealResult> {
    this.#sealed.out = this.words[(RESULT + RESULT_OUT) >> 2]!;
    this.#sealed.side = this.words[(RESULT + RESULT_SIDE) >> 2]!;
    return this.#sealed;
  }

  sealDummy(tunnel: number, length: number): boolean {
    this.#tunnel(tunnel);
    const sealed = this.#exports.sealDummy(tunnel, whole('dummy length', length, 0, LONGEST_DUMMY)) !== 0;
    if (sealed) this.#readSealed();
    return sealed;
  }

  open(count: number, now: number, keep = false): Readonly<OpenResult> {
    if (this.#closed || count >>> 0 > IN_DESC_COUNT) this.#misused(count);
    this.#exports.open(count, now, keep ? 1 : 0);
    this.#opened.out = this.words[(RESULT + RESULT_OUT) >> 2]!;
    this.#opened.side = this.words[(RESULT + RESULT_SIDE) >> 2]!;
    this.#opened.kept = this.words[(RESULT + RESULT_KEPT) >> 2]!;
    return this.#opened;
  }

  #misused(count: number): never {
    this.#check();
    throw new RangeError(`core: ${count} inputs, but IN_DESC has ${IN_DESC_COUNT} entries`);
  }

  expireFragments(now: number): number {
    this.#check();
    return this.#exports.expireFragments(now);
  }

  get softLimits(): number {
    return this.words[(RESULT + RESULT_SOFT) >> 2]!;
  }

  counters(): Counters {
    const counters: Partial<Record<CounterName, number>> = {};
    COUNTER_NAMES.forEach((name, i) => {
      counters[name] = Number(this.#view.getBigUint64(COUNTERS + i * 8, true));
    });
    return counters as Counters;
  }

  close(): void {
    if (this.#closed) return;
    this.#exports.close();
    this.#accelerator.close();
    this.#closed = true;
    // Plaintext and expanded keys may lie anywhere in it.
    this.bytes.fill(0);
  }
}
