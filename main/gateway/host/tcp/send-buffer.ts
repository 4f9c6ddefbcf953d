// What a connection still has to get across: bytes written and not yet acknowledged, in a ring.

export class SendBuffer {
  readonly #ring: Uint8Array;
  #start = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#ring = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  get free(): number {
    return this.#ring.length - this.#length;
  }

  /** Takes as many bytes as fit; returns how many. */
  append(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.free);
    const at = (this.#start + this.#length) % this.#ring.length;
    const first = Math.min(count, this.#ring.length - at);
    this.#ring.set(bytes.subarray(0, first), at);
    this.#ring.set(bytes.subarray(first, count), 0);
    this.#length += count;
    return count;
  }

  /** A copy of `count` bytes, `offset` bytes from the oldest. */
  copy(offset: number, count: number): Uint8Array {
    if (offset + count > this.#length) throw new RangeError('past the end of the send buffer');
    const at = (this.#start + offset) % this.#ring.length;
    const first = Math.min(count, this.#ring.length - at);
    const copy = new Uint8Array(count);
    copy.set(this.#ring.subarray(at, at + first), 0);
    copy.set(this.#ring.subarray(0, count - first), first);
    return copy;
  }

  /** Forgets the oldest `count` bytes. */
  drop(count: number): void {
    if (count > this.#length) throw new RangeError('past the end of the send buffer');
    this.#start = (this.#start + count) % this.#ring.length;
    this.#length -= count;
  }
}
