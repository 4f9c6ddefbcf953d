// The data plane's end of a TUN: packets between its descriptor and linear memory. Sender and receiver each have one for
// the same descriptor: the sender reads it (and writes ICMP errors back), the receiver writes it.
import { VNET_HEADER_BYTES } from '../../assembly/layout.ts';
import { EAGAIN, EINTR } from '../native/constants.ts';
import type { Libc } from '../native/libc.ts';
import type { TunHandle } from './command.ts';
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

  /** Writes one packet (with its virtio header where the TUN has one). A packet it does not take is dropped and counted. */
  write(offset: number, length: number): void {
    const { numbers } = this.#shared;
    if (this.fd < 0) numbers[IO_NO_TUN] = numbers[IO_NO_TUN]! + 1;
    else if (this.#calls.write(this.fd, this.#memory.base + offset, length) < 0)
      numbers[IO_TUN_DROPPED] = numbers[IO_TUN_DROPPED]! + 1;
    else numbers[IO_TUN_WRITTEN] = numbers[IO_TUN_WRITTEN]! + 1;
  }

  /** Where a packet of `headerless` form has to begin in a slot, so that a virtio header of zeros fits in front. */
  get headerBytes(): number {
    return this.vnetHeader ? VNET_HEADER_BYTES : 0;
  }
}
