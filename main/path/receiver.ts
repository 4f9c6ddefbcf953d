// The receiving direction, on whatever thread runs it. Owns the inbound SAs and their replay windows.
//
//   1. recvmmsg fills slots of IN; one slot holds one datagram, or a burst of equal ones where the socket has UDP_GRO
//   2. each datagram (each segment of a burst) gets an entry of IN_DESC
//   3. core.open decrypts in place: OUT_DESC (inner packets), SIDE_DESC (IKE messages)
//   4. write OUT_DESC to the TUN; copy IKE messages out to the control thread
//   5. where a super-packet for the TUN might still grow, it was kept back, and 1 to 4 go on with what has come meanwhile
//
// What one batch is made of follows from when the reader came, not from what was sent. Without 5 the TUN got twice as many packets as the far end
// had super-packets, and TCP answered each of them. Nothing waits for what has not arrived.
//
// Datagrams wait in the socket, where the kernel stamps their arrival: CoDel (codel.ts) looks at how long, and one that has
// waited too long for too long is treated as though the last router had marked it. RFC 6040 §4.2 then does the rest: the
// mark goes on to an ECN-capable inner packet, any other is dropped.
//
// From which address an authenticated packet came follows from where it lies: packets are decrypted in place, so the
// offset of an output says which slot, and so which datagram, it was in.
import {
  AUX_GRE,
  AUX_INBOUND_SHIFT,
  AUX_RAW4,
  AUX_TOS_MASK,
  AUX_TUNNEL_SHIFT,
  AUX_UDP,
  AUX_USER_SHIFT,
  BURST_SLOT_BYTES,
  COUNTER_IN_DUMMIES,
  COUNTERS,
  DESC_AUX,
  DESC_BYTES,
  DESC_CAPACITY,
  DESC_LENGTH,
  DESC_NEXT,
  DESC_OFFSET,
  IN,
  IN_BYTES,
  IN_DESC,
  IN_DESC_COUNT,
  OUT_DESC,
  PACKET_SLOT_BYTES,
  SIDE_DESC,
} from '../../assembly/layout.ts';
import {
  CMSG_HEADER_BYTES,
  EAGAIN,
  EINTR,
  EINVAL,
  IOVEC_BYTES,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_TCLASS,
  MMSGHDR_BYTES,
  MSG_CONTROLLEN,
  MSG_DONTWAIT,
  MSG_LEN,
  MSG_NAMELEN,
  MSG_TRUNC,
  SO_TIMESTAMPNS,
  SOL_SOCKET,
  UDP_GRO,
} from '../native/constants.ts';
import { errnoName } from '../native/libc.ts';
import { decodeSockaddr, encodeSockaddr, SOCKADDR_SLOT_BYTES } from '../native/sockaddr.ts';
import { CoDel } from './codel.ts';
import type { ReceiverCommand, SocketHandle } from './command.ts';
import {
  RECEIVE_CONTROL_BYTES,
  RECEIVE_CONTROLS,
  RECEIVE_HEADERS,
  RECEIVE_IOVECS,
  RECEIVE_MESSAGES,
  RECEIVE_NAMES,
} from './layout.ts';
import type { PeerNotice } from './messages.ts';
import { Origins } from './origins.ts';
import type { PathParts } from './parts.ts';
import { IKE_IN_FLIGHT, IO_CUT_OFF, IO_IKE_DROPPED, IO_RECEIVE_MARKED, IO_RECEIVED, LAST_INBOUND } from './shared.ts';
import { SoftLimit } from './soft-limit.ts';
import { StreamIn } from './stream-in.ts';

/** Slots of a round; the next round has the others, since what was kept back lies in these. */
const SLOTS = RECEIVE_MESSAGES / 2;
/**
 * Bursts of a turn. Against 1 and 2, interleaved, on two busy cores: 3.6-3.8 Gbit/s and a loaded ping's median of 1.8-2.0 ms
 * (1: 2.9-3.5 and 2.3-2.8; 2: 2.2-2.4 and 3.4-3.7): fewer turns, and the kernel empties its queue in larger steps.
 */
const BURST_SLOTS = 8;
/** A burst has at most 64 segments (UDP_GRO_CNT_MAX): so many entries of IN_DESC must be free for each. */
const BURST_SHIFT = 6;
/**
 * A link that forms no bursts fills each burst slot with one datagram: then a turn reads on, up to this many. Batches of 8 cost the
 * ciphers their lanes, and the TUN eight times the writes.
 */
const ENOUGH = 64;
/** A round of fewer is no bulk transfer's, and keeps nothing back. */
const BULK = 8;
/** A turn that has read so many begins no further round. */
const TURN_DATAGRAMS = 256;
const CONGESTION_EXPERIENCED = 3;
/** Of a virtio_net_hdr: where its type stands, and that of a UDP super-datagram. */
const GSO_TYPE = 1;
const GSO_UDP_L4 = 5;
/** IKE messages that the control thread has not handled yet; more are dropped: anybody can send them. */
const IKE_IN_FLIGHT_LIMIT = 256;

export interface ReceiveSocket extends SocketHandle {
  /** A datagram slot may hold a burst. */
  readonly gro: boolean;
  /** AUX_* of everything read from it. */
  readonly aux: number;
  readonly input: StreamIn | undefined;
}

const AUX_OF_KIND = {
  ike: AUX_UDP,
  natt: AUX_UDP,
  esp4: AUX_RAW4,
  esp6: 0,
  gre4: AUX_RAW4 | AUX_GRE,
  gre6: AUX_GRE,
  // RFC 9329 §3 has the marker and the keepalive of RFC 3948.
  tcp: AUX_UDP,
} as const satisfies Record<SocketHandle['kind'], number>;

export class Receiver {
  readonly sockets = new Map<number, ReceiveSocket>();
  /** Messages handed over as IKE that the core has not seen: those of UDP port 500. */
  ikeDirect = 0;
  readonly #parts: PathParts;
  readonly #origins: Origins;
  /** Inbound SAs that nothing has arrived on yet: slot → SPI. */
  readonly #awaited = new Map<number, number>();
  readonly #inbound = new Map<number, { readonly spi: number; readonly soft: SoftLimit }>();
  /** SAs that had reached a soft limit, when last looked at. */
  #softLimits = 0;
  readonly #codel = new CoDel();
  readonly #wallClock: () => number;
  #wall = 0;
  #slotBytes = 0;
  #dummies = 0;
  /** What the last datagrams described came through. */
  #socket = -1;

  constructor(parts: PathParts) {
    this.#parts = parts;
    this.#origins = new Origins(parts);
    this.#wallClock = parts.wall ?? Date.now;
    for (let i = 0; i < RECEIVE_MESSAGES; i++)
      parts.memory.message(
        RECEIVE_HEADERS + i * MMSGHDR_BYTES,
        RECEIVE_NAMES + i * SOCKADDR_SLOT_BYTES,
        RECEIVE_IOVECS + i * IOVEC_BYTES,
        RECEIVE_CONTROLS + i * RECEIVE_CONTROL_BYTES,
      );
  }

  /** Carries a command out. Throws where it cannot be: the caller turns that into a refusal. */
  command(command: ReceiverCommand | PeerNotice, now: number): void {
    const { core, calls, tun } = this.#parts;
    switch (command.kind) {
      case 'attachTun':
        tun.attach(command.tun);
        core.configureVnet(command.tun.vnetHeader, command.tun.uso);
        return;
      case 'detachTun':
        tun.detach();
        return;
      case 'addSocket': {
        const { fd, kind, stream } = command.socket;
        const gro = kind === 'natt' && calls.getsockopt(fd, IPPROTO_UDP, UDP_GRO) === 1;
        const input = stream && new StreamIn(this.#parts.memory, stream.expectsPrefix);
        this.sockets.set(fd, { fd, kind, stream, gro, aux: AUX_OF_KIND[kind], input });
        return;
      }
      case 'removeSocket':
        this.sockets.delete(command.fd);
        return;
      case 'configure':
        core.configureTunnel(command.tunnel, command.params);
        return;
      case 'removeTunnel':
        this.#origins.remove(command.tunnel);
        core.removeTunnel(command.tunnel);
        return;
      case 'installInbound':
        core.installInbound(command.slot, command.params);
        command.params.key.fill(0);
        this.#inbound.set(command.slot, { spi: command.params.spi, soft: new SoftLimit(command.params) });
        this.#awaited.set(command.slot, command.params.spi);
        this.#openParked(now);
        return;
      case 'removeInbound':
        this.#inbound.delete(command.slot);
        this.#awaited.delete(command.slot);
        core.removeInbound(command.slot);
        return;
      case 'expect':
        core.expect(command.spi);
        return;
      case 'cancelExpected':
        core.cancelExpected(command.spi);
        return;
      case 'peer':
        this.#origins.set(command.tunnel, command.peer);
        return;
      default:
        throw new Error(
          `the receiver does not know the command ${JSON.stringify((command as { kind: unknown }).kind)}`,
        );
    }
  }

  /** Reads and opens one batch from a socket that poll() named. */
  turn(socket: ReceiveSocket, now: number): void {
    if (socket.input) {
      this.#streamTurn(socket, socket.input, now);
      return;
    }
    this.#prepare(socket.gro ? BURST_SLOT_BYTES : PACKET_SLOT_BYTES);
    this.#socket = socket.fd;
    const { numbers } = this.#parts.shared;
    if (socket.kind === 'ike') {
      const received = this.#read(socket, 0, SLOTS, now);
      this.#deliverDirect(received);
      numbers[IO_RECEIVED] = numbers[IO_RECEIVED]! + received;
      return;
    }
    let total = 0;
    let kept = false;
    for (let first = 0; ; first = SLOTS - first) {
      const count = this.#round(socket, first, now);
      numbers[IO_RECEIVED] = numbers[IO_RECEIVED]! + count;
      total += count;
      if (count === 0 && !kept) return;
      kept = this.#open(count, now, count >= BULK && total < TURN_DATAGRAMS);
      if (!kept) return;
    }
  }

  /** Reads and describes what waits, until nothing does or it is enough. Returns how many datagrams. */
  #round(socket: ReceiveSocket, first: number, now: number): number {
    // The clock of the kernel's stamps.
    this.#wall = this.#wallClock();
    const end = first + SLOTS;
    let slot = first;
    let count = 0;
    for (let dry = false; !dry; ) {
      const room = socket.gro ? Math.min(BURST_SLOTS, (IN_DESC_COUNT - count) >>> BURST_SHIFT) : SLOTS;
      const slots = Math.min(room, end - slot);
      const received = this.#read(socket, slot, slots, now);
      dry = received < slots;
      for (let i = 0; i < received; i++) count = this.#describe(socket, slot + i, count, dry && i === received - 1);
      slot += received;
      if (slot === end || count >= ENOUGH) break;
    }
    return count;
  }

  /** Reads up to `slots` datagrams or bursts into the slots from `first` on. Returns how many: 0 where nothing waits. */
  #read(socket: ReceiveSocket, first: number, slots: number, now: number): number {
    const { calls, memory, errors } = this.#parts;
    const { words } = memory;
    for (let i = first; i < first + slots; i++) {
      const header = RECEIVE_HEADERS + i * MMSGHDR_BYTES;
      words[(header + MSG_NAMELEN) >>> 2] = SOCKADDR_SLOT_BYTES;
      words[(header + MSG_CONTROLLEN) >>> 2] = RECEIVE_CONTROL_BYTES;
    }
    const headers = memory.base + RECEIVE_HEADERS + first * MMSGHDR_BYTES;
    // MSG_TRUNC: the true length of a datagram that its slot cut short, so that the core can tell.
    const received = calls.recvmmsg(socket.fd, headers, slots, MSG_DONTWAIT | MSG_TRUNC);
    if (received >= 0) return received;
    const errno = calls.errno();
    // Anything else is a pending ICMP error: this call has cleared it, and datagrams wait for the next.
    if (errno !== EAGAIN && errno !== EINTR) errors.report(errno, null, now);
    return 0;
  }

  /** The datagrams of a batch from UDP port 500: IKE, every one. */
  #deliverDirect(received: number): void {
    const { words } = this.#parts.memory;
    for (let i = 0; i < received; i++) {
      const length = words[(RECEIVE_HEADERS + i * MMSGHDR_BYTES + MSG_LEN) >>> 2]!;
      this.ikeDirect++;
      this.#deliverIke(IN + i * this.#slotBytes, Math.min(length, this.#slotBytes), i);
    }
  }

  /** The same from a stream: one read, or none where the last one brought more messages than a batch takes. */
  #streamTurn(socket: ReceiveSocket, input: StreamIn, now: number): void {
    const { calls, memory, shared } = this.#parts;
    const { remote } = socket.stream!;
    this.#slotBytes = BURST_SLOT_BYTES;
    this.#socket = socket.fd;
    for (let first = true; first || input.hasMore; first = false) {
      const to = input.begin();
      if (first) {
        memory.iovec(RECEIVE_IOVECS, to, IN + BURST_SLOT_BYTES - to);
        const header = RECEIVE_HEADERS;
        memory.words[(header + MSG_NAMELEN) >>> 2] = 0;
        memory.words[(header + MSG_CONTROLLEN) >>> 2] = 0;
        const read = calls.recvmsg(socket.fd, memory.base + header, MSG_DONTWAIT);
        const errno = read < 0 ? calls.errno() : 0;
        if (errno === EAGAIN || errno === EINTR) break;
        if (read <= 0) {
          this.#closeStream(socket.fd, read < 0 ? errnoName(errno) : 'the other end closed it');
          break;
        }
        input.read(read);
      }
      let count = 0;
      let found = input.next();
      for (; found === 'message'; found = input.next()) {
        count = this.#input(count, input.offset, input.length, input.length, socket.aux);
        if (count === IN_DESC_COUNT) break;
      }
      encodeSockaddr(remote.address, remote.port, memory.bytes, RECEIVE_NAMES);
      shared.numbers[IO_RECEIVED] = shared.numbers[IO_RECEIVED]! + count;
      // Before packets are decrypted in place: they lie in front of what is carried over.
      input.end();
      if (count > 0) this.#open(count, now);
      if (found === 'prefix' || found === 'length') {
        this.#closeStream(socket.fd, found === 'prefix' ? 'it is not IKE in TCP' : 'a length in it is impossible');
        break;
      }
    }
    // The next socket has its own idea of slots.
    this.#slotBytes = 0;
  }

  #closeStream(fd: number, reason: string): void {
    this.sockets.delete(fd);
    this.#parts.emit({ kind: 'streamClosed', socket: fd, reason });
  }

  /** Lays the slots out anew where their size changes. */
  #prepare(slotBytes: number): void {
    if (slotBytes === this.#slotBytes) return;
    this.#slotBytes = slotBytes;
    const { memory } = this.#parts;
    for (let i = 0; i < RECEIVE_MESSAGES; i++)
      memory.iovec(RECEIVE_IOVECS + i * IOVEC_BYTES, IN + i * slotBytes, slotBytes);
  }

  /** Entries of IN_DESC for message `i`, from entry `count` on. Returns the new count. */
  #describe(socket: ReceiveSocket, i: number, count: number, last: boolean): number {
    const { words } = this.#parts.memory;
    const header = RECEIVE_HEADERS + i * MMSGHDR_BYTES;
    const length = words[(header + MSG_LEN) >>> 2]!;
    const offset = IN + i * this.#slotBytes;
    let tos = 0;
    let segment = 0;
    let arrived = 0;
    const controls = RECEIVE_CONTROLS + i * RECEIVE_CONTROL_BYTES;
    const end = controls + words[(header + MSG_CONTROLLEN) >>> 2]!;
    for (let at = controls; at + CMSG_HEADER_BYTES <= end; ) {
      const size = words[at >>> 2]!;
      if (size < CMSG_HEADER_BYTES) break;
      const level = words[(at + 8) >>> 2]!;
      const type = words[(at + 12) >>> 2]!;
      const value = words[(at + CMSG_HEADER_BYTES) >>> 2]!;
      if (level === IPPROTO_IP && type === IP_TOS) tos = value & AUX_TOS_MASK;
      else if (level === IPPROTO_IPV6 && type === IPV6_TCLASS) tos = value & AUX_TOS_MASK;
      else if (level === IPPROTO_UDP && type === UDP_GRO) segment = value;
      else if (level === SOL_SOCKET && type === SO_TIMESTAMPNS) {
        // struct timespec, two i64: the lower halves do for the seconds until 2106, and for the nanoseconds.
        const stamp = (at + CMSG_HEADER_BYTES) >>> 2;
        arrived = words[stamp]! * 1000 + words[stamp + 2]! / 1e6;
      }
      at += (size + 7) & ~7;
    }
    let aux = (socket.aux | tos | (i << AUX_USER_SHIFT)) >>> 0;
    const plain = aux;
    if (arrived > 0 && this.#codel.congested(this.#wall - arrived, this.#wall, last)) {
      const { numbers } = this.#parts.shared;
      numbers[IO_RECEIVE_MARKED] = numbers[IO_RECEIVE_MARKED]! + 1;
      aux |= CONGESTION_EXPERIENCED;
    }
    if (segment === 0 || segment >= length) return this.#input(count, offset, this.#slotBytes, length, aux);
    // Segments of a burst all have one length but the last, which may be shorter.
    let next = count;
    for (let at = 0; at < length && at < this.#slotBytes; at += segment) {
      next = this.#input(next, offset + at, segment, Math.min(segment, length - at), aux);
      // One mark is enough to tell the sender.
      aux = plain;
    }
    return next;
  }

  #input(index: number, offset: number, capacity: number, length: number, aux: number): number {
    // turn() reads no more bursts than the table holds if each has 64 segments.
    if (index >= IN_DESC_COUNT) {
      const { numbers } = this.#parts.shared;
      numbers[IO_CUT_OFF] = numbers[IO_CUT_OFF]! + 1;
      return index;
    }
    const { words } = this.#parts.memory;
    const at = (IN_DESC + index * DESC_BYTES) >>> 2;
    words[at + (DESC_OFFSET >>> 2)] = offset;
    words[at + (DESC_CAPACITY >>> 2)] = capacity;
    words[at + (DESC_LENGTH >>> 2)] = length;
    words[at + (DESC_AUX >>> 2)] = aux;
    return index + 1;
  }

  #openParked(now: number): void {
    const parked = this.#parts.core.takeParked();
    if (parked > 0) this.#open(parked, now);
  }

  /** `keep`: super-packets that may grow are kept back. True: some were, and the next call has to come at once. */
  #open(count: number, now: number, keep = false): boolean {
    const { core, memory, tun, shared } = this.#parts;
    const { words } = memory;
    const { out, side, kept } = core.open(count, now, keep);
    for (let i = 0; i < side; i++) {
      const at = (SIDE_DESC + i * DESC_BYTES) >>> 2;
      const message = words[at + (DESC_AUX >>> 2)]! >>> AUX_USER_SHIFT;
      this.#deliverIke(words[at + (DESC_OFFSET >>> 2)]!, words[at + (DESC_LENGTH >>> 2)]!, message);
    }
    const stream = this.sockets.get(this.#socket)?.input !== undefined;
    let checked = -1;
    for (let i = 0; i < out; i++) {
      const at = (OUT_DESC + i * DESC_BYTES) >>> 2;
      const offset = words[at + (DESC_OFFSET >>> 2)]!;
      const aux = words[at + (DESC_AUX >>> 2)]!;
      const next = words[at + (DESC_NEXT >>> 2)]!;
      const length = words[at + (DESC_LENGTH >>> 2)]!;
      // Kept back.
      if (length === 0) continue;
      if (!tun.write(offset, length, next) && next !== 0) this.#refused(offset);
      // Parked and reassembled packets lie outside IN: their datagram is long gone.
      const message = offset >= IN && offset < IN + IN_BYTES ? Math.floor((offset - IN) / this.#slotBytes) : -1;
      const tunnel = (aux >>> AUX_TUNNEL_SHIFT) & 0xf;
      if (message >= 0 && message * 16 + tunnel !== checked) {
        checked = message * 16 + tunnel;
        this.#origins.check(message, tunnel, this.#socket, stream);
      }
      if (this.#awaited.size > 0) this.#arrived((aux >>> AUX_INBOUND_SHIFT) & 0xff);
    }
    const dummies = words[(COUNTERS + 8 * COUNTER_IN_DUMMIES) >>> 2]!;
    if (out > 0 || dummies !== this.#dummies) shared.numbers[LAST_INBOUND] = now;
    // A dummy has no output, but is a valid packet all the same.
    if (dummies !== this.#dummies && this.#awaited.size > 0)
      for (const slot of this.#awaited.keys()) if (core.inboundUse(slot).packets > 0) this.#arrived(slot);
    this.#dummies = dummies;
    if (core.softLimits !== this.#softLimits) this.#reportSoftLimits();
    return kept > 0;
  }

  /** A super-packet was not taken, and is counted. Kernels have been seen that offer UDP's and then refuse it: no more of them. */
  #refused(offset: number): void {
    const { calls, core, emit, memory } = this.#parts;
    if (calls.errno() !== EINVAL || memory.bytes[offset + GSO_TYPE] !== GSO_UDP_L4) return;
    core.configureVnet(true, false);
    emit({ kind: 'note', text: 'The TUN refuses UDP super-datagrams (EINVAL): UDP goes to it datagram by datagram' });
  }

  #reportSoftLimits(): void {
    const { core, emit } = this.#parts;
    this.#softLimits = core.softLimits;
    for (const [slot, { spi, soft }] of this.#inbound)
      if (soft.reachedNow(core.inboundUse(slot))) emit({ kind: 'softLimit', direction: 'in', slot, spi });
  }

  #arrived(slot: number): void {
    const spi = this.#awaited.get(slot);
    if (spi === undefined) return;
    this.#awaited.delete(slot);
    this.#parts.emit({ kind: 'firstInbound', slot, spi });
  }

  #deliverIke(offset: number, length: number, message: number): void {
    const { memory, emit, shared } = this.#parts;
    if (Atomics.load(shared.flags, IKE_IN_FLIGHT) >= IKE_IN_FLIGHT_LIMIT) {
      shared.numbers[IO_IKE_DROPPED] = shared.numbers[IO_IKE_DROPPED]! + 1;
      return;
    }
    const from = decodeSockaddr(memory.bytes, RECEIVE_NAMES + message * SOCKADDR_SLOT_BYTES);
    if (!from) return;
    Atomics.add(shared.flags, IKE_IN_FLIGHT, 1);
    emit({ kind: 'ike', bytes: memory.bytes.slice(offset, offset + length), from, socket: this.#socket });
  }
}
