// Receiving from a stream (TCP encapsulation, RFC 9329 §3, §4): finds the messages in it, each behind its length. The stream is
// read into IN like a burst of datagrams; what has come of a message whose end has not is carried over to the next read.
//
//   IN   [carried over][───────────── read ─────────────]
//        │2│ message 0 │2│ message 1 │2│ mess…               the last one is carried over
import { BURST_SLOT_BYTES, IN } from '../../assembly/layout.ts';
import type { NativeMemory } from './memory.ts';

const LENGTH_BYTES = 2;
/** "IKETCP" (RFC 9329 §4): sent once, by who opened the connection. */
const PREFIX = new TextEncoder().encode('IKETCP');

/** Why a stream cannot be read any further. */
export type StreamFault = 'prefix' | 'length';

export class StreamIn {
  readonly #memory: NativeMemory;
  readonly #carried = new Uint8Array(BURST_SLOT_BYTES);
  #length = 0;
  /** Bytes of the prefix that are still to come. */
  #prefix: number;
  /** Where the next message is looked for, and where what was read ends. */
  #at = IN;
  #end = IN;
  /** The message that `next` found: fields, so that a packet costs no object. */
  offset = IN;
  length = 0;

  constructor(memory: NativeMemory, expectsPrefix: boolean) {
    this.#memory = memory;
    this.#prefix = expectsPrefix ? PREFIX.length : 0;
  }

  /** Puts what was carried over back. Returns where in IN to read to next, up to IN + BURST_SLOT_BYTES. */
  begin(): number {
    this.#memory.bytes.set(this.#carried.subarray(0, this.#length), IN);
    this.#at = IN;
    this.#end = IN + this.#length;
    return this.#end;
  }

  /** `bytes` were read. */
  read(bytes: number): void {
    this.#end += bytes;
  }

  /** A whole message may be there without another read: there were more than one batch takes. */
  get hasMore(): boolean {
    if (this.#length < LENGTH_BYTES || this.#prefix > 0) return false;
    return this.#length >= this.#carried[0]! * 256 + this.#carried[1]!;
  }

  /** Finds the next whole message: `offset` and `length`. `none`: its end has not come yet. */
  next(): 'message' | 'none' | StreamFault {
    const { bytes } = this.#memory;
    while (this.#prefix > 0) {
      if (this.#at >= this.#end) return 'none';
      if (bytes[this.#at] !== PREFIX[PREFIX.length - this.#prefix]) return 'prefix';
      this.#at++;
      this.#prefix--;
    }
    for (;;) {
      const there = this.#end - this.#at;
      if (there < LENGTH_BYTES) return 'none';
      const whole = bytes[this.#at]! * 256 + bytes[this.#at + 1]!;
      // RFC 9329 §3.1: 0 and 1 are fatal; an empty message is ignored.
      if (whole < LENGTH_BYTES) return 'length';
      if (there < whole) return 'none';
      this.offset = this.#at + LENGTH_BYTES;
      this.length = whole - LENGTH_BYTES;
      this.#at += whole;
      if (this.length > 0) return 'message';
    }
  }

  /** Carries over what is left; to be called before IN is used for anything else. */
  end(): void {
    this.#length = this.#end - this.#at;
    this.#carried.set(this.#memory.bytes.subarray(this.#at, this.#end));
  }
}
