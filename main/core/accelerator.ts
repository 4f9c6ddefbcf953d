// The optional AES accelerator: one persistent node:crypto cipher per SA turns a whole batch's counter blocks into keystream
// in one call, with the processor's AES instructions, which WebAssembly cannot reach; assembly/crypto/aes-stream.ts is the
// other side. The packet core is complete without it, and its output is the same with it.
//
// Whether it is worth its call, and from how many blocks on, is measured once per thread and build (some milliseconds). The
// environment variable CULVERT_AES_ACCELERATOR says otherwise: "off" never, "on" whenever it works; "auto" is the default.
//
// A key that is accelerated lies in OpenSSL's memory as well, until its cipher object is collected after removal.
//
// node:crypto has no call that writes where it is told: each returns a new buffer, of up to 98 KB. Left to the collector these
// cost 40 MB per thread before it looks, and half of the time; so each is wiped and given back at once (giveBack).
import { type Cipher, createCipheriv } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { MessageChannel } from 'node:worker_threads';

export type AcceleratorChoice = 'auto' | 'on' | 'off';

/** What the accelerator needs of core.wasm: see assembly/crypto/aes-stream.ts. */
export interface AcceleratedExports {
  configureAccelerator(leastBlocks: number): void;
  acceleratorRegion(): number;
  acceleratorTrial(blocks: number): void;
}

/** Never: above every batch that the core makes. */
export const NEVER = 0x7fffffff;
/** For "on": every batch, since each has a block at least. */
const ALWAYS = 1;
/** Handle of the key of zeros that is measured with. */
const TRIAL = 0;
const FEW = 16;
const MANY = 1024;
const SPAN = MANY - FEW;

export function acceleratorChoice(text = process.env.CULVERT_AES_ACCELERATOR): AcceleratorChoice {
  switch (text) {
    case undefined:
    case '':
    case 'auto':
      return 'auto';
    case 'on':
    case 'off':
      return text;
    default:
      throw new Error(
        `CULVERT_AES_ACCELERATOR is "${text}"; it may be "auto" (measure at start-up), "on" or "off". Correct or unset it.`,
      );
  }
}

function ecb(key: Uint8Array): Cipher | undefined {
  try {
    return createCipheriv(`aes-${8 * key.length}-ecb`, key, null).setAutoPadding(false);
  } catch {
    return undefined; // a node:crypto without ECB: the core does it alone
  }
}

const nowhere = new MessageChannel().port1;
nowhere.close();

/**
 * Wipes a buffer, and frees its memory now. What is transferred leaves its owner, and a message to a closed port is freed with
 * all that was transferred in it. (ArrayBuffer.prototype.transfer would say it more plainly, from Node 22 on.)
 */
function giveBack(buffer: Buffer): void {
  buffer.fill(0);
  const { buffer: whole } = buffer;
  // A part of something larger would take its neighbours along.
  if (whole instanceof ArrayBuffer && whole.byteLength === buffer.length) nowhere.postMessage(null, [whole]);
}

export class Accelerator {
  readonly #ciphers: (Cipher | undefined)[] = [];
  #bytes: Uint8Array = new Uint8Array(0);

  /** Gives it the core's memory. Before that, and for unknown handles, it declines. */
  attach(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /** Import of core.wasm: encrypts `length` bytes at `at` in place; 0 where it could not, and then never again. */
  readonly encryptBlocks = (handle: number, at: number, length: number): number => {
    const cipher = this.#ciphers[handle];
    if (cipher === undefined) return 0;
    try {
      const keystream = cipher.update(this.#bytes.subarray(at, at + length));
      if (keystream.length === length) {
        this.#bytes.set(keystream, at);
        giveBack(keystream);
        return 1;
      }
    } catch {
      // Whatever it was, nothing may throw on the packet path.
    }
    this.#ciphers[handle] = undefined;
    return 0;
  };

  /** false: node:crypto cannot. `handle` is positive. */
  install(handle: number, key: Uint8Array): boolean {
    this.#ciphers[handle] = ecb(key);
    return this.#ciphers[handle] !== undefined;
  }

  remove(handle: number): void {
    this.#ciphers[handle] = undefined;
  }

  close(): void {
    this.#ciphers.length = 0;
  }

  /**
   * From how many blocks a batch on a call is worth it: NEVER where node:crypto cannot, or gives other blocks than the core.
   * `exports` are those of an instance whose memory was attached. Leaves the core configured.
   */
  configure(exports: AcceleratedExports, choice: AcceleratorChoice, known?: number): number {
    if (choice === 'off') return NEVER;
    exports.configureAccelerator(NEVER);
    const least = known ?? this.#measure(exports, choice);
    exports.configureAccelerator(least);
    return least;
  }

  #measure(exports: AcceleratedExports, choice: AcceleratorChoice): number {
    if (!this.install(TRIAL, new Uint8Array(16))) return NEVER;
    const at = exports.acceleratorRegion();
    const region = this.#bytes.subarray(at, at + 16 * MANY);
    try {
      region.fill(0);
      exports.acceleratorTrial(MANY);
      const expected = region.slice();
      region.fill(0);
      if (this.encryptBlocks(TRIAL, at, 16 * MANY) === 0 || Buffer.compare(region, expected) !== 0) return NEVER;
      if (choice === 'on') return ALWAYS;
      return breakEven(
        best(() => exports.acceleratorTrial(MANY)) / MANY,
        best(() => this.encryptBlocks(TRIAL, at, 16 * FEW)),
        best(() => this.encryptBlocks(TRIAL, at, 16 * MANY)),
      );
    } finally {
      region.fill(0);
      this.remove(TRIAL);
    }
  }
}

/**
 * The least number of blocks for which the accelerator takes less time, with a quarter to spare for the garbage that calls
 * make. Times: of a block in WebAssembly, and of accelerated calls with FEW and MANY blocks.
 */
export function breakEven(block: number, few: number, many: number): number {
  const perBlock = Math.max(0, (many - few) / SPAN);
  const call = Math.max(0, few - FEW * perBlock);
  const gain = 0.8 * block - perBlock;
  if (gain <= 0) return NEVER;
  return Math.max(ALWAYS, Math.ceil(call / gain));
}

/** The shortest of many runs, in milliseconds: V8 makes better code while it goes, and others use the machine. */
function best(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  const start = performance.now();
  let now = start;
  for (let runs = 0; runs < 8 || (now - start < 2 && runs < 400); runs++) {
    const before = now;
    run();
    now = performance.now();
    if (now - before < least) least = now - before;
  }
  return least;
}
