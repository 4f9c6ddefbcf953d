// The datagrams that seal made (OUT_DESC) → msghdr tables in linear memory → sendmmsg: one call for each run of the same
// tunnel and the same DF, one message for each run of equal lengths where the socket has UDP_SEGMENT.
//
//   SEND_DESC  [0] 1448  [1] 1448  [2] 1448  [3] 900  [4] 1448      entries, each with an iovec of the same number
//   messages   └─────────── 0 ─────────────────────┘  └── 1 ──┘     a shorter one may end a run
//
// What the link does not take yet stays where it is, in OUT, and nothing more is sealed until it has left: resume(). Its entries are
// copied (SEND_DESC), since OUT_DESC is open's as well where one thread is both sender and receiver. How
// much may be in the socket at once is window.ts's to say; a socket that is full says it itself (EAGAIN). Nothing here
// allocates per packet. A datagram that nobody takes is dropped and counted. A tunnel in TCP has a stream instead (stream-out.ts),
// where the kernel's own window and TCP_NOTSENT_LOWAT say what is too much.
import {
  AUX_OUTER_DF,
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
  SIOCOUTQ,
  UDP_SEGMENT,
} from '../native/constants.ts';
import { encodeSockaddr, SOCKADDR_SLOT_BYTES } from '../native/sockaddr.ts';
import type { Peer } from './command.ts';
import {
  CMSG_SLOT_BYTES,
  SEND_ANSWER,
  SEND_CONTROL_BYTES,
  SEND_CONTROLS,
  SEND_DESC,
  SEND_HEADERS,
  SEND_IOVECS,
  SEND_MESSAGES,
  SEND_NAMES,
} from './layout.ts';
import type { PathParts } from './parts.ts';
import { IO_NO_PEER, IO_SEND_DROPPED, IO_SENT, LAST_OUTBOUND } from './shared.ts';
import { SocketDf } from './socket-df.ts';
import { StreamOut } from './stream-out.ts';
import { SendWindow } from './window.ts';

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
  readonly window: SendWindow;
  /** Shared with other tunnels of the same socket; none where a stream is. */
  readonly df: SocketDf | undefined;
  /** Set for `tcp`: everything goes in there. */
  readonly stream: StreamOut | undefined;
  noted: boolean;
}

/** Of a batch: all sent or dropped, or what has to happen before the rest can be. */
type Progress = 'done' | 'full' | 'held';

const TUNNEL_MASK = 0xf << AUX_TUNNEL_SHIFT;

export class Datagrams {
  readonly #parts: PathParts;
  readonly #peers: (Destination | undefined)[] = new Array(TUNNELS).fill(undefined);
  readonly #streams = new Map<number, StreamOut>();
  /** By descriptor. */
  readonly #df = new Map<number, SocketDf>();
  /** Entry of SEND_DESC that each message of the table begins with, and the one after the last. */
  readonly #firstOf = new Int32Array(SEND_MESSAGES + 1);
  // The current batch: entries of SEND_DESC, the next one that is not in the message table; of the table, how many
  // messages, and the next one to send.
  #count = 0;
  #entry = 0;
  #peer: Destination | undefined;
  /** Tunnels may share a socket: what one knows of it holds until another one sends. */
  #sentLast: Destination | undefined;
  #messages = 0;
  #next = 0;
  /** Bytes in the message table. */
  #bytes = 0;
  #progress: Progress = 'done';

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

  /**
   * Where a tunnel's datagrams go from now on, those that wait included. The same peer again (at every rekeying) changes
   * nothing. Throws for a tunnel that cannot exist.
   */
  setPeer(tunnel: number, peer: Peer): void {
    if (!(tunnel >= 0 && tunnel < TUNNELS)) throw new Error(`there is no tunnel slot ${tunnel}`);
    const { bytes } = this.#parts.memory;
    const name = SEND_NAMES + tunnel * SOCKADDR_SLOT_BYTES;
    const before = Buffer.from(bytes.subarray(name, name + SOCKADDR_SLOT_BYTES));
    const port = peer.encapsulation === 'raw' ? 0 : peer.remote.port;
    const nameLength = encodeSockaddr(peer.remote.address, port, bytes, name);
    const udp = peer.encapsulation === 'udp';
    const stream = peer.encapsulation === 'tcp' ? this.#streamOf(peer.socket) : undefined;
    const known = this.#peers[tunnel];
    if (
      known?.fd === peer.socket &&
      known.nameLength === nameLength &&
      before.equals(bytes.subarray(name, name + SOCKADDR_SLOT_BYTES))
    )
      return;
    this.#readdress(tunnel);
    const six = peer.remote.address.length === 16;
    this.#peers[tunnel] = {
      tunnel,
      fd: peer.socket,
      six,
      nameLength,
      segments: udp && this.#parts.calls.getsockopt(peer.socket, IPPROTO_UDP, UDP_SEGMENT) >= 0,
      noSegmentsUntil: 0,
      window: new SendWindow(),
      df: stream ? undefined : this.#dfOf(peer.socket, six),
      stream,
      noted: false,
    };
  }

  removePeer(tunnel: number): void {
    this.#abandon(tunnel);
    this.#peers[tunnel] = undefined;
  }

  #dfOf(fd: number, six: boolean): SocketDf {
    let df = this.#df.get(fd);
    // A descriptor's number is taken anew when its socket has been closed.
    if (!df || df.six !== six) df = new SocketDf(this.#parts.calls, fd, six);
    this.#df.set(fd, df);
    return df;
  }

  /** See SocketDf. Says nothing to a socket that no tunnel has. */
  trustKernelPath(fd: number, trust: boolean): void {
    const df = this.#df.get(fd);
    if (df) df.trustKernel = trust;
  }

  #streamOf(fd: number): StreamOut {
    const known = this.#streams.get(fd);
    if (known) return known;
    const stream = new StreamOut(this.#parts, fd);
    this.#streams.set(fd, stream);
    return stream;
  }

  /** An IKE message into a stream: at once, or at the next border between packets. */
  sendMessage(fd: number, bytes: Uint8Array): void {
    const stream = this.#streamOf(fd);
    if (!stream.message(bytes)) return;
    // A batch that waits for this stream goes on in its own turn.
    if (this.#progress === 'done' || this.#peer?.stream !== stream) stream.flush();
  }

  /** Sends messages that found their stream full. */
  flushMessages(): void {
    for (const stream of this.#streams.values()) {
      // A batch that waits for its stream is counted as it leaves, in resume(), which sends messages too.
      const waited = this.#progress !== 'done' && this.#peer?.stream === stream;
      if (stream.hasMessages && !waited) stream.flush();
    }
  }

  forgetStream(fd: number): void {
    this.#streams.delete(fd);
  }

  /** The last batch is not all sent yet. */
  get waiting(): boolean {
    return this.#progress !== 'done';
  }

  /** The socket that was full; -1: none. */
  get blockedOn(): number {
    if (this.#progress === 'full') return this.#peer?.fd ?? -1;
    for (const stream of this.#streams.values()) if (stream.hasMessages) return stream.fd;
    return -1;
  }

  /** Enough is on its way to the link; nothing will say when it is less. */
  get holding(): boolean {
    return this.#progress === 'held';
  }

  /** Bytes that a batch had better not exceed: a slow link should get little at a time. */
  get window(): number {
    return this.#peer && !this.#peer.stream ? this.#peer.window.bytes : Number.POSITIVE_INFINITY;
  }

  /** Sends the first `count` entries of OUT_DESC, each to its tunnel's peer, or as many as the link takes: `waiting`. */
  send(count: number, now: number): void {
    this.#count = count;
    this.#entry = 0;
    this.#messages = 0;
    this.#next = 0;
    const first = OUT_DESC >>> 2;
    this.#parts.memory.words.copyWithin(SEND_DESC >>> 2, first, first + count * (DESC_BYTES >>> 2));
    this.#goOn(now);
  }

  /** Goes on with a batch that was `waiting`. True: it is all sent. */
  resume(now: number): boolean {
    const peer = this.#peer;
    if (this.#progress === 'held' && peer && !peer.stream) peer.window.waited(this.#inFlight(peer), now);
    this.#goOn(now);
    return this.#progress === 'done';
  }

  #goOn(now: number): void {
    const { words } = this.#parts.memory;
    const { numbers } = this.#parts.shared;
    this.#progress = 'done';
    for (;;) {
      if (this.#next < this.#messages && this.#peer) {
        this.#progress = this.#sendAll(this.#peer, now);
        if (this.#progress !== 'done') return;
      }
      this.#messages = 0;
      this.#next = 0;
      if (this.#entry >= this.#count) return;
      const aux = words[(SEND_DESC + this.#entry * DESC_BYTES + DESC_AUX) >>> 2]!;
      const peer = this.#peers[(aux >>> AUX_TUNNEL_SHIFT) & 0xf];
      if (peer) {
        this.#peer = peer;
        if (peer.stream) {
          this.#messages = 1;
          this.#firstOf[0] = this.#entry;
          this.#entry = this.#endOfRun(peer.tunnel);
          this.#firstOf[1] = this.#entry;
          peer.stream.begin(this.#firstOf[0], this.#entry);
          continue;
        }
        this.#messages = this.#address(peer, this.#entry, this.#count, now);
        this.#entry = this.#firstOf[this.#messages]!;
      } else {
        numbers[IO_NO_PEER] = numbers[IO_NO_PEER]! + 1;
        this.#entry++;
      }
    }
  }

  /** What waits has its address and socket taken anew when the loop comes back. */
  #readdress(tunnel: number): void {
    if (this.#progress === 'done' || this.#peer?.tunnel !== tunnel) return;
    // Of a stream, what has left has left; a packet cut in two breaks it, and the new one begins with the next packet.
    const { stream } = this.#peer;
    this.#entry = stream ? this.#firstOf[1]! - stream.remaining : this.#firstOf[this.#next]!;
    stream?.abandon();
    this.#messages = 0;
    this.#next = 0;
    this.#progress = 'held';
  }

  /** What waits for a tunnel that is gone is lost with it. */
  #abandon(tunnel: number): void {
    if (this.#progress === 'done' || this.#peer?.tunnel !== tunnel) return;
    const { stream } = this.#peer;
    this.#drop(stream ? stream.remaining : this.#firstOf[this.#messages]! - this.#firstOf[this.#next]!);
    stream?.abandon();
    this.#messages = 0;
    this.#next = 0;
    // The rest, of other tunnels, goes out when the loop comes back.
    this.#progress = this.#entry < this.#count ? 'held' : 'done';
  }

  #drop(datagrams: number): void {
    const { numbers } = this.#parts.shared;
    numbers[IO_SEND_DROPPED] = numbers[IO_SEND_DROPPED]! + datagrams;
  }

  /** Bytes that the socket holds and the link has not taken; 0 where the kernel does not tell. */
  #inFlight(peer: Destination): number {
    const { calls, memory } = this.#parts;
    return calls.ioctlValue(peer.fd, SIOCOUTQ, memory.base + SEND_ANSWER) < 0 ? 0 : memory.words[SEND_ANSWER >>> 2]!;
  }

  /**
   * Fills the message table with the datagrams of `peer`'s tunnel from entry `first` of SEND_DESC on, as far as they follow
   * each other with the same DF; returns how many messages. With UDP_SEGMENT one message carries a run of equal lengths (the last may be
   * shorter) and one TOS, and the kernel, or the network card, cuts it apart.
   */
  #address(peer: Destination, first: number, count: number, now: number): number {
    const { memory } = this.#parts;
    const { words } = memory;
    const most = peer.segments && now >= peer.noSegmentsUntil ? SEGMENTS : 1;
    // What one call has in common; a message also has one TOS.
    const together = peer.df && !peer.six ? TUNNEL_MASK | AUX_OUTER_DF : TUNNEL_MASK;
    const kind = words[(SEND_DESC + first * DESC_BYTES + DESC_AUX) >>> 2]! & together;
    let messages = 0;
    let bytes = 0;
    let i = first;
    while (i < count) {
      const at = (SEND_DESC + i * DESC_BYTES) >>> 2;
      const aux = words[at + (DESC_AUX >>> 2)]!;
      if ((aux & together) !== kind) break;
      const length = words[at + (DESC_LENGTH >>> 2)]!;
      memory.iovec(SEND_IOVECS + i * IOVEC_BYTES, words[at]!, length);
      let run = 1;
      let total = length;
      let shortest = length;
      while (run < most && i + run < count && shortest === length) {
        const next = (SEND_DESC + (i + run) * DESC_BYTES) >>> 2;
        const more = words[next + (DESC_LENGTH >>> 2)]!;
        const unlike = (words[next + (DESC_AUX >>> 2)]! ^ aux) & (together | AUX_TOS_MASK);
        if (more > length || total + more > SEGMENTED_BYTES || unlike !== 0) break;
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
      bytes += total;
      i += run;
      messages++;
    }
    this.#firstOf[messages] = i;
    this.#bytes = bytes;
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

  /** Sends the messages of the table from #next on, if the link takes any. */
  #sendAll(peer: Destination, now: number): Progress {
    if (peer.stream) return this.#flush(peer.stream, now);
    if (peer !== this.#sentLast) peer.window.unsure();
    this.#sentLast = peer;
    if (!peer.window.surelyOpen && !peer.window.open(this.#inFlight(peer))) return 'held';
    if (!peer.df) return this.#sendTable(peer, now);
    const first = this.#firstOf[this.#next]!;
    const aux = this.#parts.memory.words[(SEND_DESC + first * DESC_BYTES + DESC_AUX) >>> 2]!;
    const segmented = this.#firstOf[this.#messages]! - first > this.#messages - this.#next;
    peer.df.begin((aux & AUX_OUTER_DF) !== 0, segmented);
    const progress = this.#sendTable(peer, now);
    peer.df.end();
    return progress;
  }

  /**
   * Every datagram is sent, dropped and counted, or kept for resume(); but where the kernel refuses to segment, segmenting is given
   * up for a while, and #entry goes back to try again without.
   */
  #sendTable(peer: Destination, now: number): Progress {
    const { calls, memory, errors, shared } = this.#parts;
    const { numbers } = shared;
    const firstOf = this.#firstOf;
    let patience = PENDING_ERRORS;
    while (this.#next < this.#messages) {
      const header = memory.base + SEND_HEADERS + this.#next * MMSGHDR_BYTES;
      const sent = calls.sendmmsg(peer.fd, header, this.#messages - this.#next, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) {
        const first = this.#next;
        this.#next += sent;
        numbers[IO_SENT] = numbers[IO_SENT]! + firstOf[this.#next]! - firstOf[first]!;
        numbers[LAST_OUTBOUND] = now;
        patience = PENDING_ERRORS;
        continue;
      }
      const errno = calls.errno();
      if (errno === EINTR) continue;
      if (errno === EAGAIN) return 'full';
      // The first refusals may tell of earlier datagrams, by ICMP (EMSGSIZE comes from the error queue, with the MTU); then
      // this one has not been tried yet.
      if (errno !== EMSGSIZE && errno !== ENOBUFS) errors.report(errno, null, now);
      if (--patience > 0) continue;
      const segments = firstOf[this.#next + 1]! - firstOf[this.#next]!;
      // A segment longer than the path MTU (EMSGSIZE, once EINVAL), or a device that cannot (EIO).
      if (segments > 1 && (errno === EMSGSIZE || errno === EINVAL || errno === EIO)) {
        peer.noSegmentsUntil = now + SEGMENTS_AGAIN_MS;
        this.#entry = firstOf[this.#next]!;
        this.#messages = 0;
        if (errno === EIO) this.#noteNoSegments(peer);
        return 'done';
      }
      patience = PENDING_ERRORS;
      if (errno === EMSGSIZE) {
        if (peer.df?.allowFragments()) continue;
        const name = SEND_NAMES + peer.tunnel * SOCKADDR_SLOT_BYTES;
        errors.report(errno, errors.pathMtu(peer.fd, name, peer.nameLength), now);
      }
      this.#drop(segments);
      this.#next++;
    }
    peer.window.sent(this.#bytes);
    return 'done';
  }

  /** Entries from #entry on that are of this tunnel. */
  #endOfRun(tunnel: number): number {
    const { words } = this.#parts.memory;
    let end = this.#entry;
    while (
      end < this.#count &&
      ((words[(SEND_DESC + end * DESC_BYTES + DESC_AUX) >>> 2]! >>> AUX_TUNNEL_SHIFT) & 0xf) === tunnel
    )
      end++;
    return end;
  }

  #flush(stream: StreamOut, now: number): Progress {
    const { numbers } = this.#parts.shared;
    const before = stream.remaining;
    const progress = stream.flush();
    if (before > stream.remaining) {
      numbers[IO_SENT] = numbers[IO_SENT]! + before - stream.remaining;
      numbers[LAST_OUTBOUND] = now;
    }
    if (progress === 'full' && stream.remaining > 0) return 'full';
    if (progress === 'broken') this.#drop(stream.remaining);
    stream.abandon();
    this.#next = this.#messages;
    return 'done';
  }

  /** Once for each peer. */
  #noteNoSegments(peer: Destination): void {
    if (peer.noted) return;
    peer.noted = true;
    const text = 'The network device cannot segment UDP (EIO): datagrams are handed over one by one for a while';
    this.#parts.emit({ kind: 'note', text });
  }
}
