// The data plane's end of a TUN: packets between its descriptor and linear memory. Sender and receiver each have one for
// the same descriptor: the sender reads it (and writes ICMP errors back), the receiver writes it.
import { DESC_BYTES, DESC_LENGTH, DESC_NEXT, PIECE_DESC, VNET_HEADER_BYTES } from '../../assembly/layout.ts';
import { EAGAIN, EINTR, IOVEC_BYTES } from '../native/constants.ts';
import type { Libc } from '../native/libc.ts';
import type { TunHandle } from './command.ts';
import { TUN_IOVECS } from './layout.ts';
import type { NativeMemory } from './memory.ts';
import { IO_NO_TUN, IO_TUN_DROPPED, IO_TUN_READ, IO_TUN_WRITTEN, type Shared } from './shared.ts';

export class TunPort {
  fd = -1;
  vnetHeader = false;
  readonly #calls: Libc;
  readonly #memory: NativeMemory;
  readonly #shared: Shared;

  constructor(calls: Libc, memory: NativeMemory, shared: Shared) {
    this.#calls = calls;
    this.#memory = memory;
    this.#shared = shared;
  }

  attach(tun: TunHandle): void {
    this.fd = tun.fd;
    this.vnetHeader = tun.vnetHeader;
  }

  detach(): void {
    this.fd = -1;
  }

  /** Bytes read into `offset`; 0 when nothing waits; -1 when the other side is gone. */
  read(offset: number, capacity: number): number {
    const length = this.#calls.read(this.fd, this.#memory.base + offset, capacity);
    if (length > 0) {
      const { numbers } = this.#shared;
      numbers[IO_TUN_READ] = numbers[IO_TUN_READ]! + 1;
      return length;
    }
    if (length === 0) return -1;
    const errno = this.#calls.errno();
    return errno === EAGAIN || errno === EINTR ? 0 : -1;
  }

  /**
   * Writes one packet (with its virtio header where the TUN has one), which goes on in the entry of PIECE_DESC that `next` names
   * (0: it does not). A packet that the TUN does not take is dropped and counted: false.
   */
  write(offset: number, length: number, next = 0): boolean {
    const { numbers } = this.#shared;
    if (this.fd < 0) {
      numbers[IO_NO_TUN] = numbers[IO_NO_TUN]! + 1;
      return true;
    }
    const { base } = this.#memory;
    const written =
      next === 0
        ? this.#calls.write(this.fd, base + offset, length)
        : this.#calls.writev(this.fd, base + TUN_IOVECS, this.#gather(offset, length, next));
    if (written < 0) {
      numbers[IO_TUN_DROPPED] = numbers[IO_TUN_DROPPED]! + 1;
      return false;
    }
    numbers[IO_TUN_WRITTEN] = numbers[IO_TUN_WRITTEN]! + 1;
    return true;
  }

  /** Lists a packet and its pieces in TUN_IOVECS; how many entries. */
  #gather(offset: number, length: number, next: number): number {
    const memory = this.#memory;
    const { words } = memory;
    memory.iovec(TUN_IOVECS, offset, length);
    let entries = 1;
    for (let piece = next; piece !== 0; ) {
      const at = (PIECE_DESC + (piece - 1) * DESC_BYTES) >>> 2;
      memory.iovec(TUN_IOVECS + entries * IOVEC_BYTES, words[at]!, words[at + (DESC_LENGTH >>> 2)]!);
      piece = words[at + (DESC_NEXT >>> 2)]!;
      entries++;
    }
    return entries;
  }

  /** Where a packet of `headerless` form has to begin in a slot, so that a virtio header of zeros fits in front. */
  get headerBytes(): number {
    return this.vnetHeader ? VNET_HEADER_BYTES : 0;
  }
}
