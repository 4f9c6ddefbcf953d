// Feeds packets to a Core and reads what it made: the few lines that every test of the packet path needs.
import { readFileSync } from 'node:fs';
import {
  AUX_UDP,
  DESC_BYTES,
  HEAP,
  HEAP_END,
  IN,
  IN_DESC,
  OUT_DESC,
  PACKET_SLOT_BYTES,
  PIECE_DESC,
  PIECE_DESC_COUNT,
  SELECTORS,
  SIDE_DESC,
} from '../../assembly/layout.ts';
import type { Core, InboundSaParams, OutboundSaParams, TunnelParams } from '../../main/core/api.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { parseAddress } from '../../main/wire/address.ts';
import { type Selector, selectorOf } from '../../main/wire/selector.ts';

// CORE_WASM names another build, for seeing the tests fail on a broken one.
const other = process.env.CORE_WASM;
const module = other ? new WebAssembly.Module(readFileSync(other)) : loadCoreModuleSync();

export function newCore(): Core {
  return createCoreSync(module);
}

export function address(text: string): Uint8Array {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(`test: ${text} is no address`);
  return parsed;
}

export const ANY: readonly Selector[] = [
  selectorOf({ address: address('0.0.0.0'), bits: 0 }),
  selectorOf({ address: address('::'), bits: 0 }),
].slice(0, SELECTORS);

export const TUNNEL: TunnelParams = {
  shape: 'esp-tunnel',
  gre: null,
  delivery: null,
  mtu: 1400,
  mss4: 0,
  mss6: 0,
  local: ANY,
  remote: ANY,
  copyDscp: false,
  ttl: 64,
};

export const OUTBOUND: OutboundSaParams = {
  spi: 0xc0ffee01,
  tunnel: 0,
  cipher: 'aes-gcm-16',
  key: Uint8Array.from({ length: 16 }, (_, i) => i * 7 + 1),
  salt: Uint8Array.of(0xde, 0xad, 0xbe, 0xef),
  esn: false,
  hardPackets: Number.POSITIVE_INFINITY,
  hardBytes: Number.POSITIVE_INFINITY,
};

export const INBOUND: InboundSaParams = { ...OUTBOUND, replayWindow: 1024 };

/** Puts packets into IN at packet slots, with `aux` and the slot's capacity. */
export function place(core: Core, packets: readonly Uint8Array[], aux: number | readonly number[] = AUX_UDP): void {
  packets.forEach((packet, i) => {
    const offset = IN + i * PACKET_SLOT_BYTES;
    core.bytes.set(packet, offset);
    const entry = (IN_DESC + i * DESC_BYTES) >> 2;
    core.words.set([offset, PACKET_SLOT_BYTES, packet.length, typeof aux === 'number' ? aux : aux[i]!], entry);
  });
}

export interface Output {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly aux: number;
}

/** The bytes of an entry, and of those that it goes on in (DESC_NEXT). */
function gathered(core: Core, entry: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = entry; ; ) {
    const [offset = 0, next = 0, length = 0] = core.words.subarray(at, at + 3);
    parts.push(core.bytes.subarray(offset, offset + length));
    if (next === 0) return Uint8Array.from(Buffer.concat(parts));
    if (parts.length > PIECE_DESC_COUNT) throw new Error('test: a chain of pieces without end');
    at = (PIECE_DESC + (next - 1) * DESC_BYTES) >> 2;
  }
}

function read(core: Core, table: number, count: number): Output[] {
  return Array.from({ length: count }, (_, i) => {
    const entry = (table + i * DESC_BYTES) >> 2;
    return { bytes: gathered(core, entry), offset: core.words[entry]!, aux: core.words[entry + 3]! };
  });
}

export function outputs(core: Core, count: number): Output[] {
  return read(core, OUT_DESC, count);
}

export function sides(core: Core, count: number): Output[] {
  return read(core, SIDE_DESC, count);
}

/** Seals packets (at most 120) and returns datagrams. */
export function seal(core: Core, packets: readonly Uint8Array[], now = 0): Output[] {
  place(core, packets, 0);
  const result = core.seal(packets.length, now);
  if (result.consumed !== packets.length) throw new Error(`test: only ${result.consumed} inputs were sealed`);
  return outputs(core, result.out);
}

/** Opens datagrams (at most 120) and returns inner packets. */
export function open(
  core: Core,
  packets: readonly Uint8Array[],
  aux: number | readonly number[] = AUX_UDP,
  now = 0,
): Output[] {
  place(core, packets, aux);
  return outputs(core, core.open(packets.length, now).out);
}

/** The SA records of assembly/sa.ts start 32 bytes before their parameter block, which starts with the SPI. */
function record(core: Core, spi: number, inbound: boolean): number {
  const found: number[] = [];
  for (let at = HEAP; at < HEAP_END; at += 4)
    if (core.words[at >> 2] === spi && core.words[(at - 32) >> 2] === 1) found.push(at - 32);
  // Outbound records come first.
  const at = inbound ? found.at(-1) : found[0];
  if (at === undefined) throw new Error(`test: no SA with SPI ${spi} in the core's memory`);
  return at;
}

/** Moves an outbound SA forward, which would take 2^32 packets otherwise: `sequence` was the last one sent. */
export function setSequence(core: Core, spi: number, sequence: bigint): void {
  new DataView(core.memory.buffer).setBigUint64(record(core, spi, false) + 24, sequence, true);
}

/** Moves an inbound SA's window forward. */
export function setRightEdge(core: Core, spi: number, right: bigint): void {
  new DataView(core.memory.buffer).setBigUint64(record(core, spi, true) + 88, right, true);
}

/** Counters that are not zero. */
export function counted(core: Core): Record<string, number> {
  return Object.fromEntries(Object.entries(core.counters()).filter(([, n]) => n !== 0));
}
