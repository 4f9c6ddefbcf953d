// A bounds-checked cursor for writing, network byte order. Values that do not fit are our own mistake and throw. Every
// byte that it passes is written, so a dirty buffer leaks nothing.

export class Writer {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes;
    this.#position = start;
  }

  get offset(): number {
    return this.#position;
  }

  /** An unsigned integer of 1 to 4 bytes. */
  uint(size: 1 | 2 | 3 | 4, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size))
      throw new RangeError(`${value} is not an unsigned integer of ${size} bytes`);
    const start = this.#claim(size);
    for (let i = size - 1, left = value; i >= 0; i--, left = Math.floor(left / 256))
      this.#bytes[start + i] = left % 256;
  }

  uint64(value: bigint): void {
    if (value < 0n || value >> 64n) throw new RangeError(`${value} is not an unsigned integer of 8 bytes`);
    const start = this.#claim(8);
    for (let i = 7, left = value; i >= 0; i--, left >>= 8n) this.#bytes[start + i] = Number(left & 0xffn);
  }

  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#claim(bytes.length));
  }

  zeros(count: number): void {
    const start = this.#claim(count);
    this.#bytes.fill(0, start, start + count);
  }

  #claim(count: number): number {
    if (this.#position + count > this.#bytes.length)
      throw new RangeError(`${count} bytes do not fit at ${this.#position} of ${this.#bytes.length}`);
    const start = this.#position;
    this.#position += count;
    return start;
  }
}
