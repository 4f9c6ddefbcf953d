// The datagrams that seal made (OUT_DESC) → msghdr tables in linear memory → sendmmsg: one call for each run of the same
// tunnel, one message for each run of equal lengths where the socket has UDP_SEGMENT.
//
//   OUT_DESC   [0] 1448  [1] 1448  [2] 1448  [3] 900  [4] 1448      entries, each with an iovec of the same number
//   messages   └─────────── 0 ─────────────────────┘  └── 1 ──┘     a shorter one may end a run
//
// Nothing here allocates per packet. A datagram that nobody takes is dropped and counted; there is no queue.
import {
  AUX_TOS_MASK,
  AUX_TUNNEL_SHIFT,
  DESC_AUX,
  DESC_BYTES,
  DESC_LENGTH,
  OUT_DESC,
  TUNNELS,
} from '../../assembly/layout.ts';
import {
  CMSG_HEADER_BYTES,
  EAGAIN,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENOBUFS,
  IOVEC_BYTES,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_TCLASS,
  MMSGHDR_BYTES,
  MSG_CONTROLLEN,
  MSG_DONTWAIT,
  MSG_IOV,
  MSG_IOVLEN,
  MSG_NAME,
  MSG_NAMELEN,
  MSG_NOSIGNAL,
  POLLOUT,
  UDP_SEGMENT,
} from '../native/constants.ts';
import { encodeSockaddr, SOCKADDR_SLOT_BYTES } from '../native/sockaddr.ts';
import type { Peer } from './command.ts';
import {
  CMSG_SLOT_BYTES,
  POLL_ONE,
  SEND_CONTROL_BYTES,
  SEND_CONTROLS,
  SEND_HEADERS,
  SEND_IOVECS,
  SEND_MESSAGES,
  SEND_NAMES,
} from './layout.ts';
import type { PathParts } from './parts.ts';
import { IO_NO_PEER, IO_SEND_DROPPED, LAST_OUTBOUND } from './shared.ts';

/** A socket whose buffer is full gets this long before the rest of the batch is dropped: a queue would only add delay. */
const SEND_WAIT_MS = 10;
/** Tries of one message: a pending ICMP error is returned by the next send instead of its own result. */
const PENDING_ERRORS = 4;
/** UDP_MAX_SEGMENTS of older kernels, and a total that fits UDP over either family. */
const SEGMENTS = 64;
const SEGMENTED_BYTES = 65_000;
const SEGMENTS_AGAIN_MS = 10_000;

interface Destination {
  readonly tunnel: number;
  readonly fd: number;
  readonly six: boolean;
  readonly nameLength: number;
  /** The kernel knows UDP_SEGMENT on this socket. */
  readonly segments: boolean;
  /** … but refused it lately: a time. */
  noSegmentsUntil: number;
}

/** One message goes out with one tunnel's address and one TOS. (DF is the socket's, see net/socket.) */
function sameTreatment(aux: number, other: number): boolean {
  return ((aux ^ other) & (AUX_TOS_MASK | (0xf << AUX_TUNNEL_SHIFT))) === 0;
}

export class Datagrams {
  readonly #parts: PathParts;
  readonly #peers: (Destination | undefined)[] = new Array(TUNNELS).fill(undefined);
  /** Entry of OUT_DESC that each message of the table begins with, and the one after the last. */
  readonly #firstOf = new Int32Array(SEND_MESSAGES + 1);
  /** Datagrams of the current batch that nobody took. */
  #dropped = 0;

  constructor(parts: PathParts) {
    this.#parts = parts;
    const { memory } = parts;
    for (let i = 0; i < SEND_MESSAGES; i++)
      memory.message(
        SEND_HEADERS + i * MMSGHDR_BYTES,
        SEND_NAMES,
        SEND_IOVECS + i * IOVEC_BYTES,
        SEND_CONTROLS + i * SEND_CONTROL_BYTES,
      );
  }

  /** Where a tunnel's datagrams go from now on. Throws for a tunnel that cannot exist. */
  setPeer(tunnel: number, peer: Peer): void {
    if (!(tunnel >= 0 && tunnel < TUNNELS)) throw new Error(`there is no tunnel slot ${tunnel}`);
    const name = SEND_NAMES + tunnel * SOCKADDR_SLOT_BYTES;
    const port = peer.encapsulation === 'udp' ? peer.remote.port : 0;
    const nameLength = encodeSockaddr(peer.remote.address, port, this.#parts.memory.bytes, name);
    const udp = peer.encapsulation === 'udp';
    this.#peers[tunnel] = {
      tunnel,
      fd: peer.socket,
      six: peer.remote.address.length === 16,
      nameLength,
      segments: udp && this.#parts.calls.getsockopt(peer.socket, IPPROTO_UDP, UDP_SEGMENT) >= 0,
      noSegmentsUntil: 0,
    };
  }

  removePeer(tunnel: number): void {
    this.#peers[tunnel] = undefined;
  }

  /** Sends the first `count` entries of OUT_DESC, each to its tunnel's peer. */
  send(count: number, now: number): void {
    const { memory, shared } = this.#parts;
    const { words } = memory;
    this.#dropped = 0;
    let unaddressed = 0;
    for (let i = 0; i < count; ) {
      const aux = words[(OUT_DESC + i * DESC_BYTES + DESC_AUX) >>> 2]!;
      const tunnel = (aux >>> AUX_TUNNEL_SHIFT) & 0xf;
      const peer = this.#peers[tunnel];
      if (peer) i = this.#sendAll(peer, this.#address(peer, i, count, now), now);
      else {
        unaddressed++;
        i++;
      }
    }
    const { numbers } = shared;
    if (unaddressed > 0) numbers[IO_NO_PEER] = numbers[IO_NO_PEER]! + unaddressed;
    if (this.#dropped > 0) numbers[IO_SEND_DROPPED] = numbers[IO_SEND_DROPPED]! + this.#dropped;
    if (unaddressed + this.#dropped < count) numbers[LAST_OUTBOUND] = now;
  }

  /**
   * Fills the message table with the datagrams of `peer`'s tunnel from entry `first` of OUT_DESC on, as far as they follow
   * each other; returns how many messages. With UDP_SEGMENT one message carries a run of equal lengths (the last may be
   * shorter) and one TOS, and the kernel, or the network card, cuts it apart.
   */
  #address(peer: Destination, first: number, count: number, now: number): number {
    const { memory } = this.#parts;
    const { words } = memory;
    const most = peer.segments && now >= peer.noSegmentsUntil ? SEGMENTS : 1;
    let messages = 0;
    let i = first;
    while (i < count) {
      const at = (OUT_DESC + i * DESC_BYTES) >>> 2;
      const aux = words[at + (DESC_AUX >>> 2)]!;
      if (((aux >>> AUX_TUNNEL_SHIFT) & 0xf) !== peer.tunnel) break;
      const length = words[at + (DESC_LENGTH >>> 2)]!;
      memory.iovec(SEND_IOVECS + i * IOVEC_BYTES, words[at]!, length);
      let run = 1;
      let total = length;
      let shortest = length;
      while (run < most && i + run < count && shortest === length) {
        const next = (OUT_DESC + (i + run) * DESC_BYTES) >>> 2;
        const more = words[next + (DESC_LENGTH >>> 2)]!;
        if (more > length || total + more > SEGMENTED_BYTES || !sameTreatment(words[next + (DESC_AUX >>> 2)]!, aux))
          break;
        memory.iovec(SEND_IOVECS + (i + run) * IOVEC_BYTES, words[next]!, more);
        shortest = more;
        total += more;
        run++;
      }
      const header = SEND_HEADERS + messages * MMSGHDR_BYTES;
      memory.pointer(header + MSG_NAME, SEND_NAMES + peer.tunnel * SOCKADDR_SLOT_BYTES);
      words[(header + MSG_NAMELEN) >>> 2] = peer.nameLength;
      memory.pointer(header + MSG_IOV, SEND_IOVECS + i * IOVEC_BYTES);
      words[(header + MSG_IOVLEN) >>> 2] = run;
      words[(header + MSG_CONTROLLEN) >>> 2] = this.#control(
        messages,
        peer.six,
        aux & AUX_TOS_MASK,
        run > 1 ? length : 0,
      );
      this.#firstOf[messages] = i;
      i += run;
      messages++;
    }
    this.#firstOf[messages] = i;
    return messages;
  }

  /** Control messages for an outer TOS or traffic class (0 is what the socket has) and a segment length. Their length. */
  #control(message: number, six: boolean, tos: number, segment: number): number {
    const start = SEND_CONTROLS + message * SEND_CONTROL_BYTES;
    let at = start;
    if (tos !== 0) {
      this.#cmsg(at, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TCLASS : IP_TOS, 4, tos);
      at += CMSG_SLOT_BYTES;
    }
    if (segment !== 0) {
      this.#cmsg(at, IPPROTO_UDP, UDP_SEGMENT, 2, segment);
      at += CMSG_SLOT_BYTES;
    }
    return at - start;
  }

  #cmsg(offset: number, level: number, type: number, size: number, value: number): void {
    const { words } = this.#parts.memory;
    const at = offset >>> 2;
    words[at] = CMSG_HEADER_BYTES + size;
    words[at + 1] = 0;
    words[at + 2] = level;
    words[at + 3] = type;
    words[at + 4] = value;
    words[at + 5] = 0;
  }

  /**
   * Sends the first `count` messages of the table. Every datagram is sent, or dropped and counted; but where the kernel
   * refuses to segment, segmenting is given up for a while. Returns the entry of OUT_DESC to go on with.
   */
  #sendAll(peer: Destination, count: number, now: number): number {
    const { calls, memory, errors } = this.#parts;
    const firstOf = this.#firstOf;
    let next = 0;
    let patience = PENDING_ERRORS;
    let waited = false;
    while (next < count) {
      const header = memory.base + SEND_HEADERS + next * MMSGHDR_BYTES;
      const sent = calls.sendmmsg(peer.fd, header, count - next, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) {
        next += sent;
        patience = PENDING_ERRORS;
        waited = false;
        continue;
      }
      const errno = calls.errno();
      if (errno === EINTR) continue;
      if (errno === EAGAIN) {
        if (!waited && this.#waitForRoom(peer.fd)) {
          waited = true;
          continue;
        }
        this.#dropped += firstOf[count]! - firstOf[next]!;
        break;
      }
      // The first refusals may tell of earlier datagrams, by ICMP (EMSGSIZE comes from the error queue, with the MTU); then
      // this one has not been tried yet.
      if (errno !== EMSGSIZE && errno !== ENOBUFS) errors.report(errno, null, now);
      if (--patience > 0) continue;
      const segments = firstOf[next + 1]! - firstOf[next]!;
      // A segment longer than the path MTU (EMSGSIZE, once EINVAL), or a device that cannot (EIO).
      if (segments > 1 && (errno === EMSGSIZE || errno === EINVAL || errno === EIO)) {
        peer.noSegmentsUntil = now + SEGMENTS_AGAIN_MS;
        return firstOf[next]!;
      }
      if (errno === EMSGSIZE) {
        const name = SEND_NAMES + peer.tunnel * SOCKADDR_SLOT_BYTES;
        errors.report(errno, errors.pathMtu(peer.fd, name, peer.nameLength), now);
      }
      patience = PENDING_ERRORS;
      this.#dropped += segments;
      next++;
    }
    return firstOf[count]!;
  }

  #waitForRoom(fd: number): boolean {
    const { calls, memory } = this.#parts;
    memory.words[POLL_ONE >>> 2] = fd;
    memory.words[(POLL_ONE >>> 2) + 1] = POLLOUT;
    return calls.poll(memory.base + POLL_ONE, 1, SEND_WAIT_MS) > 0;
  }
}
