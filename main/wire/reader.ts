// A bounds-checked cursor over received bytes, network byte order. Reading past the end returns a WireError and moves
// nothing. Byte fields are views of the input, not copies: whoever keeps them longer than the input copies them.
import { WireError, type WireErrorCode } from './error.ts';

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;
  /** The format being read; goes into errors. */
  readonly layer: string;

  constructor(bytes: Uint8Array, layer: string, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.layer = layer;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Bytes from the start of the outermost input. */
  get offset(): number {
    return this.#position;
  }

  fail(code: WireErrorCode, expected: string, offset = this.#position): WireError {
    return new WireError(code, this.layer, offset, expected);
  }

  /** An unsigned integer of 1 to 4 bytes. */
  uint(size: 1 | 2 | 3 | 4): number | WireError {
    const start = this.#take(size);
    if (typeof start !== 'number') return start;
    let value = 0;
    for (let i = start; i < start + size; i++) value = value * 256 + this.#bytes[i]!;
    return value;
  }

  /** An unsigned integer of 8 bytes. */
  uint64(): bigint | WireError {
    const start = this.#take(8);
    if (typeof start !== 'number') return start;
    let value = 0n;
    for (let i = start; i < start + 8; i++) value = (value << 8n) | BigInt(this.#bytes[i]!);
    return value;
  }

  /** A view of the next `count` bytes. */
  take(count: number): Uint8Array | WireError {
    const start = this.#take(count);
    return typeof start === 'number' ? this.#bytes.subarray(start, start + count) : start;
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    const start = this.#position;
    this.#position = this.#end;
    return this.#bytes.subarray(start, this.#end);
  }

  /** A view of everything that is left, without moving. */
  view(): Uint8Array {
    return this.#bytes.subarray(this.#position, this.#end);
  }

  /** A reader of the next `count` bytes alone; this one goes on behind them. */
  sub(count: number, layer = this.layer): Reader | WireError {
    const start = this.#take(count);
    return typeof start === 'number' ? new Reader(this.#bytes, layer, start, start + count) : start;
  }

  /** A reader of the same bytes under another layer's name; `join` brings the position back. */
  named(layer: string): Reader {
    return new Reader(this.#bytes, layer, this.#position, this.#end);
  }

  /** Goes on where `other`, a reader from `named`, has stopped. */
  join(other: Reader): void {
    this.#position = other.#position;
  }

  #take(count: number): number | WireError {
    if (count < 0) throw new RangeError(`${count} bytes cannot be read`);
    if (count > this.remaining) return this.fail('truncated', `${count} bytes, ${this.remaining} are left`);
    const start = this.#position;
    this.#position += count;
    return start;
  }
}
