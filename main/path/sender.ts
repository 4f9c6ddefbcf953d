// The sending direction, on whatever thread runs it. Owns the outbound SAs.
//
//   1. read packets off the TUN into the slots of IN, until none waits or the slots are full (never wait to fill them)
//   2. core.seal: IN_DESC → OUT_DESC (datagrams), SIDE_DESC (ICMP errors)
//   3. write SIDE_DESC back to the TUN
//   4. OUT_DESC → msghdr tables → sendmmsg, one call for each run of the same tunnel
//
// Nothing here allocates per packet, and nothing throws for a packet's sake.
import {
  AUX_TOS_MASK,
  AUX_TUNNEL_SHIFT,
  AUX_VNET,
  BURST_SLOT_BYTES,
  COUNTER_OUT_HARD_LIMIT,
  COUNTER_OUT_SEQUENCE_EXHAUSTED,
  COUNTERS,
  DESC_AUX,
  DESC_BYTES,
  DESC_CAPACITY,
  DESC_LENGTH,
  DESC_OFFSET,
  IN,
  IN_BYTES,
  IN_DESC,
  OUT_DESC,
  PACKET_SLOT_BYTES,
  SIDE_DESC,
  TUNNELS,
  VNET_HEADER_BYTES,
} from '../../assembly/layout.ts';
import type { Core, SealResult } from '../core/api.ts';
import {
  CMSG_HEADER_BYTES,
  EAGAIN,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINTR,
  EMSGSIZE,
  ENOBUFS,
  IOVEC_BYTES,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TCLASS,
  MMSGHDR_BYTES,
  MSG_CONTROLLEN,
  MSG_DONTWAIT,
  MSG_NAME,
  MSG_NAMELEN,
  MSG_NOSIGNAL,
  POLLOUT,
} from '../native/constants.ts';
import type { Libc } from '../native/libc.ts';
import { encodeSockaddr, SOCKADDR_SLOT_BYTES } from '../native/sockaddr.ts';
import type { OutboundSaParams, PathEvent, Peer, SenderCommand } from './command.ts';
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
import type { NativeMemory } from './memory.ts';
import type { PathErrors } from './path-errors.ts';
import { IO_NO_PEER, IO_SEND_DROPPED, LAST_OUTBOUND, type Shared } from './shared.ts';
import type { TunPort } from './tun-port.ts';

/** A socket whose buffer is full gets this long before the rest of the batch is dropped: a queue would only add delay. */
const SEND_WAIT_MS = 10;
/** A pending ICMP error is returned by the next send instead of its own result. */
const PENDING_ERRORS = 4;
const PACKET_SLOTS = 64;
const BURST_SLOTS = Math.floor(IN_BYTES / BURST_SLOT_BYTES);

interface Destination {
  readonly fd: number;
  readonly six: boolean;
  readonly nameLength: number;
}

interface InstalledSa {
  readonly params: Pick<OutboundSaParams, 'spi' | 'tunnel' | 'esn' | 'hardPackets' | 'hardBytes'>;
  exhausted: boolean;
}

export interface PathParts {
  readonly core: Core;
  readonly calls: Libc;
  readonly memory: NativeMemory;
  readonly tun: TunPort;
  readonly errors: PathErrors;
  readonly shared: Shared;
  readonly emit: (event: PathEvent) => void;
}

export class Sender {
  readonly #parts: PathParts;
  readonly #peers: (Destination | undefined)[] = new Array(TUNNELS).fill(undefined);
  readonly #outbound = new Map<number, InstalledSa>();
  /** Sum of the two counters that say an SA stopped itself, when last looked at. */
  #stops = 0;

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

  /** Carries a command out. Throws where it cannot be: the caller turns that into a refusal. */
  command(command: SenderCommand, now: number): void {
    const { core } = this.#parts;
    switch (command.kind) {
      case 'attachTun':
        this.#parts.tun.attach(command.tun);
        core.configureVnet(command.tun.vnetHeader);
        return;
      case 'detachTun':
        this.#parts.tun.detach();
        return;
      case 'configure':
        core.configureTunnel(command.tunnel, command.params);
        return;
      case 'removeTunnel':
        this.#peers[command.tunnel] = undefined;
        core.removeTunnel(command.tunnel);
        return;
      case 'setPeer':
        this.#setPeer(command.tunnel, command.peer);
        return;
      case 'installOutbound': {
        const { spi, tunnel, esn, hardPackets, hardBytes } = command.params;
        core.installOutbound(command.slot, command.params);
        command.params.key.fill(0);
        this.#outbound.set(command.slot, { params: { spi, tunnel, esn, hardPackets, hardBytes }, exhausted: false });
        return;
      }
      case 'activate':
        core.activateOutbound(command.tunnel, command.slot);
        return;
      case 'removeOutbound':
        this.#outbound.delete(command.slot);
        core.removeOutbound(command.slot);
        return;
      case 'injectPacket':
        this.#injectPacket(command.packet, now);
        return;
      case 'injectDummy':
        // An empty batch, so that the dummy is the first and only entry of OUT_DESC.
        core.seal(0, now);
        if (core.sealDummy(command.tunnel, command.length)) this.#transmit(1, now);
        this.#reportExhausted();
        return;
      default:
        throw new Error(`the sender does not know the command ${JSON.stringify((command as { kind: unknown }).kind)}`);
    }
  }

  /** One batch. true: more packets may be waiting already. Detaches a TUN whose other side is gone. */
  turn(now: number): boolean {
    const { tun, memory } = this.#parts;
    if (tun.fd < 0) return false;
    const { words } = memory;
    const slotBytes = tun.vnetHeader ? BURST_SLOT_BYTES : PACKET_SLOT_BYTES;
    const slots = tun.vnetHeader ? BURST_SLOTS : PACKET_SLOTS;
    const aux = tun.vnetHeader ? AUX_VNET : 0;
    let count = 0;
    let full = true;
    while (count < slots) {
      const offset = IN + count * slotBytes;
      const length = tun.read(offset, slotBytes);
      if (length <= 0) {
        if (length < 0) tun.detach();
        full = false;
        break;
      }
      this.#describe(words, count, offset, slotBytes, length, aux);
      count++;
    }
    if (count > 0) this.#seal(count, now);
    return full;
  }

  #describe(words: Uint32Array, index: number, offset: number, capacity: number, length: number, aux: number): void {
    const at = (IN_DESC + index * DESC_BYTES) >>> 2;
    words[at + (DESC_OFFSET >>> 2)] = offset;
    words[at + (DESC_CAPACITY >>> 2)] = capacity;
    words[at + (DESC_LENGTH >>> 2)] = length;
    words[at + (DESC_AUX >>> 2)] = aux;
  }

  #seal(count: number, now: number): void {
    const { core, memory, tun } = this.#parts;
    const { words } = memory;
    let left = count;
    while (left > 0) {
      const result: Readonly<SealResult> = core.seal(left, now);
      const { consumed, out, side } = result;
      for (let i = 0; i < side; i++) {
        const at = (SIDE_DESC + i * DESC_BYTES) >>> 2;
        tun.write(words[at + (DESC_OFFSET >>> 2)]!, words[at + (DESC_LENGTH >>> 2)]!);
      }
      if (out > 0) this.#transmit(out, now);
      // Neither took an input nor made an output: going on would never end. The core has counted why.
      if (consumed === 0 && out === 0) break;
      left -= consumed;
      if (left > 0) {
        const first = IN_DESC >>> 2;
        const step = DESC_BYTES >>> 2;
        words.copyWithin(first, first + consumed * step, first + (consumed + left) * step);
      }
    }
    this.#reportExhausted();
  }

  #injectPacket(packet: Uint8Array, now: number): void {
    const { memory, tun } = this.#parts;
    const header = tun.vnetHeader ? VNET_HEADER_BYTES : 0;
    if (packet.length + header > BURST_SLOT_BYTES) throw new Error(`a packet of ${packet.length} bytes is too long`);
    memory.bytes.fill(0, IN, IN + header);
    memory.bytes.set(packet, IN + header);
    this.#describe(memory.words, 0, IN, BURST_SLOT_BYTES, packet.length + header, header > 0 ? AUX_VNET : 0);
    this.#seal(1, now);
  }

  #setPeer(tunnel: number, peer: Peer): void {
    if (!(tunnel >= 0 && tunnel < TUNNELS)) throw new Error(`there is no tunnel slot ${tunnel}`);
    const name = SEND_NAMES + tunnel * SOCKADDR_SLOT_BYTES;
    const port = peer.encapsulation === 'udp' ? peer.remote.port : 0;
    const nameLength = encodeSockaddr(peer.remote.address, port, this.#parts.memory.bytes, name);
    this.#peers[tunnel] = { fd: peer.socket, six: peer.remote.address.length === 16, nameLength };
  }

  /** Sends the first `count` entries of OUT_DESC, each to its tunnel's peer. */
  #transmit(count: number, now: number): void {
    const { memory, shared } = this.#parts;
    const { words } = memory;
    let messages = 0;
    let current: Destination | undefined;
    let sent = 0;
    for (let i = 0; i < count; i++) {
      const at = (OUT_DESC + i * DESC_BYTES) >>> 2;
      const aux = words[at + (DESC_AUX >>> 2)]!;
      const tunnel = (aux >>> AUX_TUNNEL_SHIFT) & 0xf;
      const peer = this.#peers[tunnel];
      if (!peer) {
        shared.numbers[IO_NO_PEER] = shared.numbers[IO_NO_PEER]! + 1;
        continue;
      }
      if (peer !== current) {
        if (current) sent += this.#sendAll(current, messages, now);
        current = peer;
        messages = 0;
      }
      const header = SEND_HEADERS + messages * MMSGHDR_BYTES;
      memory.pointer(header + MSG_NAME, SEND_NAMES + tunnel * SOCKADDR_SLOT_BYTES);
      words[(header + MSG_NAMELEN) >>> 2] = peer.nameLength;
      memory.iovec(SEND_IOVECS + messages * IOVEC_BYTES, words[at]!, words[at + (DESC_LENGTH >>> 2)]!);
      words[(header + MSG_CONTROLLEN) >>> 2] = this.#tos(messages, peer.six, aux & AUX_TOS_MASK);
      messages++;
    }
    if (current) sent += this.#sendAll(current, messages, now);
    if (sent > 0) shared.numbers[LAST_OUTBOUND] = now;
  }

  /** The control message for an outer TOS or traffic class; none for 0, which is what the socket has. Its length. */
  #tos(message: number, six: boolean, tos: number): number {
    if (tos === 0) return 0;
    const { words } = this.#parts.memory;
    const at = (SEND_CONTROLS + message * SEND_CONTROL_BYTES) >>> 2;
    words[at] = CMSG_HEADER_BYTES + 4;
    words[at + 1] = 0;
    words[at + 2] = six ? IPPROTO_IPV6 : IPPROTO_IP;
    words[at + 3] = six ? IPV6_TCLASS : IP_TOS;
    words[at + 4] = tos;
    words[at + 5] = 0;
    return CMSG_SLOT_BYTES;
  }

  /** Sends the first `count` messages of the table. Every message is sent, or dropped and counted. Returns how many went. */
  #sendAll(peer: Destination, count: number, now: number): number {
    const { calls, memory, errors, shared } = this.#parts;
    let next = 0;
    let dropped = 0;
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
        dropped += count - next;
        break;
      }
      if (errno === EMSGSIZE) {
        const name = SEND_NAMES + this.#peers.indexOf(peer) * SOCKADDR_SLOT_BYTES;
        errors.report(errno, errors.pathMtu(peer.fd, name, peer.nameLength), now);
      } else if (errno !== ENOBUFS) errors.report(errno, null, now);
      // ICMP told of an earlier datagram; this one has not been tried yet.
      if ((errno === ECONNREFUSED || errno === EHOSTUNREACH) && --patience > 0) continue;
      patience = PENDING_ERRORS;
      dropped++;
      next++;
    }
    if (dropped > 0) shared.numbers[IO_SEND_DROPPED] = shared.numbers[IO_SEND_DROPPED]! + dropped;
    return count - dropped;
  }

  #waitForRoom(fd: number): boolean {
    const { calls, memory } = this.#parts;
    memory.words[POLL_ONE >>> 2] = fd;
    memory.words[(POLL_ONE >>> 2) + 1] = POLLOUT;
    return calls.poll(memory.base + POLL_ONE, 1, SEND_WAIT_MS) > 0;
  }

  /** Tells the control thread which SA stopped itself, once for each. */
  #reportExhausted(): void {
    const { core, emit } = this.#parts;
    const { words } = this.#parts.memory;
    const stops =
      words[(COUNTERS + 8 * COUNTER_OUT_HARD_LIMIT) >>> 2]! +
      words[(COUNTERS + 8 * COUNTER_OUT_SEQUENCE_EXHAUSTED) >>> 2]!;
    if (stops === this.#stops) return;
    this.#stops = stops;
    for (const [slot, sa] of this.#outbound) {
      if (sa.exhausted) continue;
      const use = core.outboundUse(slot);
      const last = sa.params.esn ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
      // The byte limit refuses the packet that would pass it, so the count stops up to one packet short of it.
      sa.exhausted =
        use.sequence >= last || use.packets >= sa.params.hardPackets || use.bytes + 65_535 >= sa.params.hardBytes;
      if (sa.exhausted) emit({ kind: 'exhausted', slot, spi: sa.params.spi });
    }
  }
}
