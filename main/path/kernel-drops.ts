// Packets that the kernel dropped before this process could read them: asked for when statistics are, never on the packet path.
//   sockets  SO_MEMINFO counts what found the receive buffer full or failed its checks
//   TUN      the interface's "transmit" drops: what found its queue to us full. Read from /proc/net/dev, of this process's
//            network namespace.
import { readFileSync } from 'node:fs';
import { IFREQ_BYTES, MEMINFO_BYTES, MEMINFO_DROPS, SO_MEMINFO, SOL_SOCKET, TUNGETIFF } from '../native/constants.ts';
import { libc } from '../native/libc.ts';

/** Of the numbers behind the name: eight for receiving, then bytes, packets, errors, drops for transmitting. */
const TRANSMIT_DROPS = 11;

export class KernelDrops {
  /** Descriptor → drops when it was first looked at. */
  readonly #sockets = new Map<number, number>();
  /** Of sockets and TUNs that are gone. */
  #socketsBefore = 0;
  #tunBefore = 0;
  #tun: { readonly name: string; readonly first: number } | undefined;

  addSocket(fd: number): void {
    if (!this.#sockets.has(fd)) this.#sockets.set(fd, socketDrops(fd));
  }

  removeSocket(fd: number): void {
    const first = this.#sockets.get(fd);
    if (first !== undefined) this.#socketsBefore += socketDrops(fd) - first;
    this.#sockets.delete(fd);
  }

  attachTun(fd: number): void {
    this.#tunBefore = this.tun();
    const name = nameOf(fd);
    this.#tun = name === undefined ? undefined : { name, first: tunDrops(name) ?? 0 };
  }

  sockets(): number {
    let sum = this.#socketsBefore;
    for (const [fd, first] of this.#sockets) sum += Math.max(0, socketDrops(fd) - first);
    return sum;
  }

  tun(): number {
    if (!this.#tun) return this.#tunBefore;
    return this.#tunBefore + Math.max(0, (tunDrops(this.#tun.name) ?? 0) - this.#tun.first);
  }

  /** The descriptors are no longer this data plane's: their numbers may be anybody's. What was counted stays. */
  close(): void {
    for (const fd of [...this.#sockets.keys()]) this.removeSocket(fd);
    this.#tunBefore = this.tun();
    this.#tun = undefined;
  }
}

function socketDrops(fd: number): number {
  const info = new Uint8Array(MEMINFO_BYTES);
  if (libc().getsockoptBytes(fd, SOL_SOCKET, SO_MEMINFO, info) < 0) return 0;
  return new Uint32Array(info.buffer)[MEMINFO_DROPS]!;
}

/** undefined: not a TUN (an in-memory one). */
function nameOf(fd: number): string | undefined {
  const request = new Uint8Array(IFREQ_BYTES);
  if (libc().ioctl(fd, TUNGETIFF, request) < 0) return undefined;
  return new TextDecoder().decode(request.subarray(0, request.indexOf(0)));
}

function tunDrops(name: string): number | undefined {
  let table: string;
  try {
    table = readFileSync('/proc/net/dev', 'utf8');
  } catch {
    return undefined;
  }
  const line = table.split('\n').find((text) => text.trimStart().startsWith(`${name}:`));
  const drops = line
    ?.slice(line.indexOf(':') + 1)
    .trim()
    .split(/\s+/)[TRANSMIT_DROPS];
  return drops === undefined ? undefined : Number(drops);
}
