// What the network says against our datagrams, turned into `pathError` events: at most one a second for each errno, so
// that a gateway that is down does not flood the control thread.
import {
  AF_INET,
  AF_INET6,
  CMSG_HEADER_BYTES,
  EMSGSIZE,
  IP_MTU,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU,
  IPV6_RECVERR,
  MSG_CONTROLLEN,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_NAMELEN,
  SO_ERROR,
  SO_MARK,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../native/constants.ts';
import { errnoName, type Libc } from '../native/libc.ts';
import { SOCKADDR_SLOT_BYTES } from '../native/sockaddr.ts';
import type { PathEvent } from './command.ts';
import {
  ERROR_CONTROL,
  ERROR_CONTROL_BYTES,
  ERROR_DATA,
  ERROR_DATA_BYTES,
  ERROR_HEADER,
  ERROR_IOVEC,
  ERROR_NAME,
} from './layout.ts';
import type { NativeMemory } from './memory.ts';

const REPORT_INTERVAL = 1000;
/** Of path MTUs: each is news, but whoever makes them up shall not keep the control thread busy. */
const MTU_INTERVAL = 20;
/** linux/errqueue.h, SO_EE_ORIGIN_LOCAL: the error is of this kernel's making, and quotes nothing. */
const ORIGIN_LOCAL = 1;
/** Entries of an error queue read at a time: the poll loop comes back for the rest. */
const QUEUE_AT_ONCE = 64;

export class PathErrors {
  readonly #calls: Libc;
  readonly #memory: NativeMemory;
  readonly #emit: (event: PathEvent) => void;
  readonly #reported = new Map<number, number>();

  constructor(calls: Libc, memory: NativeMemory, emit: (event: PathEvent) => void) {
    this.#calls = calls;
    this.#memory = memory;
    this.#emit = emit;
    memory.message(ERROR_HEADER, ERROR_NAME, ERROR_IOVEC, ERROR_CONTROL);
    memory.iovec(ERROR_IOVEC, ERROR_DATA, ERROR_DATA_BYTES);
  }

  report(errno: number, mtu: number | null, now: number, quoted?: number): void {
    const last = this.#reported.get(errno);
    if (last !== undefined && now - last < (mtu === null ? REPORT_INTERVAL : MTU_INTERVAL)) return;
    this.#reported.set(errno, now);
    this.#emit({ kind: 'pathError', errno, name: errnoName(errno), mtu, ...(quoted !== undefined && { quoted }) });
  }

  /**
   * Reports everything in a socket's error queue and clears its pending error. Both would otherwise keep poll() returning
   * POLLERR at once, for ever.
   */
  drain(fd: number, now: number): void {
    const { words, base } = this.#memory;
    for (let i = 0; i < QUEUE_AT_ONCE; i++) {
      words[(ERROR_HEADER + MSG_NAMELEN) >>> 2] = SOCKADDR_SLOT_BYTES;
      words[(ERROR_HEADER + MSG_CONTROLLEN) >>> 2] = ERROR_CONTROL_BYTES;
      const received = this.#calls.recvmsg(fd, base + ERROR_HEADER, MSG_ERRQUEUE | MSG_DONTWAIT);
      if (received < 0) break;
      const end = ERROR_CONTROL + words[(ERROR_HEADER + MSG_CONTROLLEN) >>> 2]!;
      for (let at = ERROR_CONTROL; at + CMSG_HEADER_BYTES <= end; ) {
        const length = words[at >>> 2]!;
        const level = words[(at + 8) >>> 2]!;
        const type = words[(at + 12) >>> 2]!;
        if (length < CMSG_HEADER_BYTES) break;
        if ((level === IPPROTO_IP && type === IP_RECVERR) || (level === IPPROTO_IPV6 && type === IPV6_RECVERR)) {
          // struct sock_extended_err: errno u32, origin, type, code, pad u8, info u32 (the MTU for EMSGSIZE), data u32
          const errno = words[(at + 16) >>> 2]!;
          const mtu = errno === EMSGSIZE ? words[(at + 24) >>> 2]! : null;
          const quotes = received >= 4 && this.#memory.bytes[at + 20] !== ORIGIN_LOCAL;
          this.report(errno, mtu, now, quotes ? this.#quoted() : undefined);
        }
        at += (length + 7) & ~7;
      }
    }
    const pending = this.#calls.getsockopt(fd, SOL_SOCKET, SO_ERROR);
    if (pending > 0) this.report(pending, null, now);
  }

  /** The first word, in network order, of the payload that an ICMP error quotes. */
  #quoted(): number {
    const word = this.#memory.words[ERROR_DATA >>> 2]!;
    return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
  }

  /** The path MTU that the kernel knows towards the sockaddr at `name`, with the mark of `fd`; null: unknown. */
  pathMtu(fd: number, name: number, nameLength: number): number | null {
    const six = (this.#memory.words[name >>> 2]! & 0xffff) === AF_INET6;
    // IP_MTU answers for connected sockets only.
    const probe = this.#calls.socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return null;
    try {
      const mark = this.#calls.getsockopt(fd, SOL_SOCKET, SO_MARK);
      if (mark > 0) this.#calls.setsockopt(probe, SOL_SOCKET, SO_MARK, mark);
      const sockaddr = this.#memory.bytes.slice(name, name + nameLength);
      // A raw socket's peer has no port, and port 0 cannot be connected to.
      if (sockaddr[2] === 0 && sockaddr[3] === 0) sockaddr[3] = 9;
      if (this.#calls.connect(probe, sockaddr) < 0) return null;
      const mtu = six
        ? this.#calls.getsockopt(probe, IPPROTO_IPV6, IPV6_MTU)
        : this.#calls.getsockopt(probe, IPPROTO_IP, IP_MTU);
      return mtu > 0 ? mtu : null;
    } finally {
      this.#calls.close(probe);
    }
  }
}
