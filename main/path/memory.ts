// The core's linear memory as system calls see it: offsets become addresses, tables are written as words.
import type { Core } from '../core/api.ts';
import { MSG_CONTROL, MSG_IOV, MSG_IOVLEN, MSG_NAME } from '../native/constants.ts';
import { addressOf } from '../native/libc.ts';

export class NativeMemory {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  /** Machine address of offset 0. Linear memory never moves: initial = maximum. */
  readonly base: number;

  constructor(core: Pick<Core, 'memory' | 'words' | 'bytes'>) {
    this.words = core.words;
    this.bytes = core.bytes;
    this.base = addressOf(core.memory.buffer);
  }

  /** Stores the address of `target` as a 64-bit pointer at `offset`. */
  pointer(offset: number, target: number): void {
    const address = this.base + target;
    this.words[offset >>> 2] = address >>> 0;
    this.words[(offset >>> 2) + 1] = Math.floor(address / 0x1_0000_0000);
  }

  iovec(offset: number, target: number, length: number): void {
    this.pointer(offset, target);
    this.words[(offset + 8) >>> 2] = length;
    this.words[(offset + 12) >>> 2] = 0;
  }

  /** A msghdr's pointers, with one iovec. */
  message(header: number, name: number, iovec: number, control: number): void {
    this.words.fill(0, header >>> 2, (header + 64) >>> 2);
    this.pointer(header + MSG_NAME, name);
    this.pointer(header + MSG_IOV, iovec);
    this.words[(header + MSG_IOVLEN) >>> 2] = 1;
    this.pointer(header + MSG_CONTROL, control);
  }
}
