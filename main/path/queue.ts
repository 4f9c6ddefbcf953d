// Packets that were read off the TUN and wait to be sealed: a ring in a part of the QUEUE region of linear memory, read into
// and sealed from in place. First in, first out, bounded by bytes and by packets.
//
//         ├───────┤▒▒▒ taken ▒▒▒│▒▒▒ waiting ▒▒▒▒▒▒│── free: reserve() ──┤
//                 └ released    └ front            └ end
//
// A packet that was taken keeps its bytes until release(): seal still reads them.

/** A power of two. Single packets of 1,400 bytes fill the region with about as many. */
const ENTRIES = 1024;
/** Packets start where a virtio header and an IP header behind it are well aligned for nobody, so any step will do. */
const STEP = 16;

export class PacketQueue {
  readonly #offsets = new Uint32Array(ENTRIES);
  readonly #lengths = new Uint32Array(ENTRIES);
  readonly #times = new Float64Array(ENTRIES);
  readonly #flows = new Uint16Array(ENTRIES);
  readonly #first: number;
  readonly #end: number;
  /** Entries ever taken, and ever put: the difference waits. */
  #taken = 0;
  #put = 0;
  /** Where bytes are in use from, and the next go to; equal: none are. */
  #start: number;
  #next: number;
  /** Bytes of the packets that wait. */
  bytes = 0;

  /** `offset` and `bytes` of the part of linear memory that is the ring's. */
  constructor(offset: number, bytes: number) {
    this.#first = offset;
    this.#end = offset + bytes;
    this.#start = offset;
    this.#next = offset;
  }

  get length(): number {
    return (this.#put - this.#taken) | 0;
  }

  /** Where a packet of up to `bytes` bytes may be read into; -1: full. */
  reserve(bytes: number): number {
    if (this.length >= ENTRIES - 1) return -1;
    if (this.#next >= this.#start) {
      if (this.#next + bytes <= this.#end) return this.#next;
      // Equal positions mean empty, so the ring never fills to its last byte.
      return this.#first + bytes < this.#start ? this.#first : -1;
    }
    return this.#next + bytes < this.#start ? this.#next : -1;
  }

  /** Puts a packet that was read into what reserve() gave. */
  put(offset: number, length: number, now: number, flow: number): void {
    const at = this.#put & (ENTRIES - 1);
    this.#offsets[at] = offset;
    this.#lengths[at] = length;
    this.#times[at] = now;
    this.#flows[at] = flow;
    this.#put = (this.#put + 1) | 0;
    this.#next = offset + ((length + STEP - 1) & -STEP);
    this.bytes += length;
  }

  /** Of the packet that take() takes next. Meaningful while `length` > 0. */
  get offset(): number {
    return this.#offsets[this.#taken & (ENTRIES - 1)]!;
  }

  get size(): number {
    return this.#lengths[this.#taken & (ENTRIES - 1)]!;
  }

  get time(): number {
    return this.#times[this.#taken & (ENTRIES - 1)]!;
  }

  get flow(): number {
    return this.#flows[this.#taken & (ENTRIES - 1)]!;
  }

  take(): void {
    this.bytes -= this.size;
    this.#taken = (this.#taken + 1) | 0;
  }

  /** Gives the bytes of everything taken back. */
  release(): void {
    if (this.length > 0) this.#start = this.offset;
    else {
      this.#start = this.#first;
      this.#next = this.#first;
    }
  }
}
