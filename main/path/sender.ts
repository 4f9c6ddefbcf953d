// The sending direction, on whatever thread runs it. Owns the outbound SAs.
//
//   1. read packets off the TUN into the queue (queue.ts), until none waits (never wait for more, nor look for more behind a
//      small one after a silence)
//   2. take about a super-packet's worth from the queue into IN_DESC; CoDel (codel.ts) drops or marks what has waited too
//      long for too long
//   3. core.seal: IN_DESC → OUT_DESC (datagrams), SIDE_DESC (ICMP errors)
//   4. write SIDE_DESC back to the TUN
//   5. send OUT_DESC (datagrams.ts); while the link takes no more, steps 2 to 5 rest and only 1 goes on
//
// The queue is where packets wait, because nothing else on the way can tell how long they do: a TUN's own queue has no
// clock and no back-pressure, the socket's is behind encryption. It is two queues: a small packet of a flow that has nothing
// waiting goes into `sparse`, which leaves first (a ping, an acknowledgement, a name query); everything else into `bulk`.
// Both are first in, first out, a flow with anything waiting gets `bulk` only, and `bulk` stops at a packet whose flow has
// another in `sparse` (there may be more of those than their share of a batch), so no flow is ever reordered.
//
// Nothing here allocates per packet, and nothing throws for a packet's sake.
import {
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
  IN_DESC,
  IN_DESC_COUNT,
  PACKET_SLOT_BYTES,
  QUEUE,
  QUEUE_BYTES,
  SIDE_DESC,
  VNET_HEADER_BYTES,
} from '../../assembly/layout.ts';
import type { SealResult } from '../core/api.ts';
import { CoDel } from './codel.ts';
import type { OutboundSaParams, SenderCommand } from './command.ts';
import { markCongestion } from './congestion.ts';
import { Datagrams } from './datagrams.ts';
import { FLOWS, flowOf } from './flow.ts';
import { LEFT_DESC } from './layout.ts';
import type { PathParts } from './parts.ts';
import { PacketQueue } from './queue.ts';
import { IO_INJECTED, IO_QUEUE_DROPPED, IO_QUEUE_MARKED, IO_QUEUED, IO_SEND_DROPPED } from './shared.ts';
import { SoftLimit } from './soft-limit.ts';

/**
 * A turn takes at most about one super-packet's worth of bytes: more gives no more throughput, but lets whatever comes
 * behind it wait (a third of the loaded latency, measured).
 */
const TURN_BYTES = 65_536;
const TURN_PACKETS = Math.min(64, IN_DESC_COUNT);
/** Reading twice as fast as sealing moves a standing queue from the TUN, where nobody sees its age, to ours. */
const READ_BYTES = 2 * TURN_BYTES;
/** So little behind a packet is no queue. */
const MTU = 1500;
const SPARSE_BYTES = 0x20000;
const OLD_MS = 50;
/** So small a packet after so long a silence is taken to be alone: it leaves before the TUN is asked for more. */
const LONE_MS = 1;
const LONE_BYTES = 576;
/** A larger packet is a bulk transfer's. */
const SPARSE_PACKET = 1600;

interface InstalledSa {
  readonly params: Pick<OutboundSaParams, 'spi' | 'tunnel' | 'esn' | 'hardPackets' | 'hardBytes'>;
  readonly soft: SoftLimit;
  exhausted: boolean;
}

export class Sender {
  readonly #parts: PathParts;
  readonly #datagrams: Datagrams;
  readonly #outbound = new Map<number, InstalledSa>();
  readonly #sparse = new PacketQueue(QUEUE, SPARSE_BYTES);
  readonly #bulk = new PacketQueue(QUEUE + SPARSE_BYTES, QUEUE_BYTES - SPARSE_BYTES);
  readonly #sparseDelay = new CoDel();
  readonly #bulkDelay = new CoDel();
  /** Packets of each flow that wait, in either queue. */
  readonly #waiting = new Uint16Array(FLOWS);
  /** 1: the flow has a packet in `sparse`. It never has two, since only a flow with nothing waiting gets in. */
  readonly #inSparse = new Uint8Array(FLOWS);
  /** Inputs that seal found no room for: at the beginning of IN_DESC, and between turns of LEFT_DESC. */
  #left = 0;
  /** The TUN has more than the queue took. */
  #full = false;
  /** When the TUN last gave a packet. */
  #read = 0;
  /** SAs that had reached a soft limit, when last looked at. */
  #softLimits = 0;
  /** Sum of the two counters that say an SA stopped itself, when last looked at. */
  #stops = 0;

  constructor(parts: PathParts) {
    this.#parts = parts;
    this.#datagrams = new Datagrams(parts);
  }

  /** Carries a command out. Throws where it cannot be: the caller turns that into a refusal. */
  command(command: SenderCommand, now: number): void {
    const { core } = this.#parts;
    switch (command.kind) {
      case 'attachTun':
        this.#parts.tun.attach(command.tun);
        core.configureVnet(command.tun.vnetHeader, command.tun.uso);
        return;
      case 'detachTun':
        this.#parts.tun.detach();
        return;
      case 'configure':
        core.configureTunnel(command.tunnel, command.params);
        return;
      case 'removeTunnel':
        this.#datagrams.removePeer(command.tunnel);
        core.removeTunnel(command.tunnel);
        return;
      case 'setPeer':
        this.#datagrams.setPeer(command.tunnel, command.peer);
        return;
      case 'installOutbound': {
        const { spi, tunnel, esn, hardPackets, hardBytes } = command.params;
        core.installOutbound(command.slot, command.params);
        command.params.key.fill(0);
        const params = { spi, tunnel, esn, hardPackets, hardBytes };
        this.#outbound.set(command.slot, { params, soft: new SoftLimit(command.params), exhausted: false });
        return;
      }
      case 'activate':
        core.activateOutbound(command.tunnel, command.slot);
        return;
      case 'removeOutbound':
        this.#outbound.delete(command.slot);
        core.removeOutbound(command.slot);
        return;
      case 'sendMessage':
        this.#datagrams.sendMessage(command.socket, command.bytes);
        return;
      case 'trustKernelPath':
        this.#datagrams.trustKernelPath(command.socket, command.trust);
        return;
      case 'forgetStream':
        this.#datagrams.forgetStream(command.socket);
        return;
      case 'injectPacket':
        this.#injectPacket(command.packet, now);
        return;
      case 'injectDummy':
        if (this.#occupied()) return;
        // An empty batch, so that the dummy is the first and only entry of OUT_DESC.
        core.seal(0, now);
        if (core.sealDummy(command.tunnel, command.length)) this.#datagrams.send(1, now);
        this.#reportLimits();
        return;
      default:
        throw new Error(`the sender does not know the command ${JSON.stringify((command as { kind: unknown }).kind)}`);
    }
  }

  /** The socket to wait for until it can be written; -1: none. */
  get blockedOn(): number {
    return this.#datagrams.blockedOn;
  }

  /** Look again in a millisecond: the link has enough to do, and nothing will say when it has less. */
  get holding(): boolean {
    return this.#datagrams.holding;
  }

  /** Sealed datagrams wait for the link. */
  get waiting(): boolean {
    return this.#datagrams.waiting;
  }

  /** A turn has something to do at once. */
  get busy(): boolean {
    return !this.#datagrams.waiting && (this.#left > 0 || this.#queued > 0);
  }

  get #queued(): number {
    return this.#sparse.length + this.#bulk.length;
  }

  /** The queue takes packets: wait for the TUN. */
  get reading(): boolean {
    return !this.#full || !this.#datagrams.waiting;
  }

  /** One batch. true: more may be had at once. Detaches a TUN whose other side is gone. */
  turn(now: number): boolean {
    const { numbers } = this.#parts.shared;
    const dry = this.#fill(now);
    this.#datagrams.flushMessages();
    if (!this.#datagrams.waiting || this.#datagrams.resume(now)) {
      if (this.#left === 0) this.#takeTurn(now);
      else this.#copyLeft(LEFT_DESC, IN_DESC);
      if (this.#left > 0) this.#seal(now);
      if (this.#left === 0) {
        this.#sparse.release();
        this.#bulk.release();
      }
    }
    numbers[IO_QUEUED] = this.#queued + this.#left;
    return !this.#datagrams.waiting && (!dry || this.#queued > 0 || this.#left > 0);
  }

  /** Reads what the TUN has, as far as the queue takes it. true: nothing more waits. */
  #fill(now: number): boolean {
    const { tun } = this.#parts;
    const slotBytes = tun.vnetHeader ? BURST_SLOT_BYTES : PACKET_SLOT_BYTES;
    // Without a backlog one batch is enough: what was read first must not wait for what could be read next.
    const most = this.#queued > 0 ? READ_BYTES : Math.min(TURN_BYTES, this.#datagrams.window);
    this.#full = false;
    for (let total = 0; total < most; ) {
      if (tun.fd < 0) return true;
      let offset = this.#bulk.reserve(slotBytes);
      while (offset < 0 && this.#dropOldest(now)) offset = this.#bulk.reserve(slotBytes);
      if (offset < 0) {
        this.#full = true;
        return false;
      }
      const length = tun.read(offset, slotBytes);
      if (length <= 0) {
        if (length < 0) tun.detach();
        return true;
      }
      const quiet = now - this.#read >= LONE_MS;
      this.#read = now;
      this.#put(offset, length, now);
      // Behind a lone packet there most likely is nothing but a call that finds nothing; else poll() will say so at once.
      if (quiet && length <= LONE_BYTES && this.#queued === 1) return true;
      total += length;
    }
    return false;
  }

  /**
   * A full queue is left to the TUN's own to pile up behind, but not where its packets are old: then the link is so slow
   * that whoever has little to say would wait there unseen.
   */
  #dropOldest(now: number): boolean {
    const { numbers } = this.#parts.shared;
    const queue = this.#bulk;
    // What is left in IN_DESC lies in the bytes that would be given back.
    if (this.#left > 0 || queue.length === 0 || now - queue.time < OLD_MS) return false;
    this.#waiting[queue.flow]!--;
    queue.take();
    queue.release();
    numbers[IO_QUEUE_DROPPED] = numbers[IO_QUEUE_DROPPED]! + 1;
    return true;
  }

  /** Queues the packet that was read into `bulk` at `offset`. */
  #put(offset: number, length: number, now: number): void {
    const { memory, tun } = this.#parts;
    const header = tun.headerBytes;
    const flow = flowOf(memory.bytes, offset + header, length - header);
    const sparse = length <= SPARSE_PACKET && this.#waiting[flow] === 0 ? this.#sparse.reserve(SPARSE_PACKET) : -1;
    this.#waiting[flow]!++;
    if (sparse < 0) {
      this.#bulk.put(offset, length, now, flow);
      return;
    }
    memory.bytes.copyWithin(sparse, offset, offset + length);
    this.#inSparse[flow] = 1;
    this.#sparse.put(sparse, length, now, flow);
  }

  /** Moves the next batch from the queues to IN_DESC: first what is sparse, but at most half of it, by bytes and packets, while bulk waits too. */
  #takeTurn(now: number): void {
    const most = Math.min(TURN_BYTES, this.#datagrams.window);
    const share = this.#bulk.length > 0 ? 0.5 : 1;
    let left = most - this.#takeSparse(share * most, share * TURN_PACKETS, now);
    left -= this.#takeBulk(left, now);
    // Where bulk had to stop early, for the sake of a flow's order, its share is for what it stopped for.
    if (this.#sparse.length > 0) this.#takeSparse(left, TURN_PACKETS, now);
  }

  /**
   * Up to about `most` bytes, and one packet at least where `most` is positive, while the batch has fewer than `packets`. Returns
   * how many bytes.
   */
  #takeSparse(most: number, packets: number, now: number): number {
    const queue = this.#sparse;
    let total = 0;
    while (total < most && this.#left < packets && queue.length > 0) {
      this.#inSparse[queue.flow] = 0;
      // Its own wait, even where bulk is full: who is sparse did not make the TUN's queue stand, and cannot shorten it.
      total += this.#takeOne(queue, this.#sparseDelay, now - queue.time, now);
    }
    return total;
  }

  /** The same of bulk, but no packet whose flow has an earlier one in `sparse`. */
  #takeBulk(most: number, now: number): number {
    const queue = this.#bulk;
    let total = 0;
    while (total < most && this.#left < TURN_PACKETS && queue.length > 0) {
      if (this.#inSparse[queue.flow] !== 0) break;
      // A queue that is full has become the TUN's: the wait there comes on top, unseen.
      const sojourn = this.#full ? Number.POSITIVE_INFINITY : now - queue.time;
      total += this.#takeOne(queue, this.#bulkDelay, sojourn, now);
    }
    return total;
  }

  /** Takes one packet, or drops it where CoDel says so. Returns its bytes; 0: dropped. */
  #takeOne(queue: PacketQueue, delay: CoDel, sojourn: number, now: number): number {
    const { memory, tun, shared } = this.#parts;
    const { numbers } = shared;
    const { offset, size, flow } = queue;
    queue.take();
    this.#waiting[flow]!--;
    if (delay.congested(sojourn, now, queue.bytes <= MTU)) {
      const marked = markCongestion(memory.bytes, offset + tun.headerBytes);
      const counter = marked ? IO_QUEUE_MARKED : IO_QUEUE_DROPPED;
      numbers[counter] = numbers[counter]! + 1;
      if (!marked) return 0;
    }
    this.#describe(memory.words, this.#left, offset, size, size, tun.vnetHeader ? AUX_VNET : 0);
    this.#left++;
    return size;
  }

  #describe(words: Uint32Array, index: number, offset: number, capacity: number, length: number, aux: number): void {
    const at = (IN_DESC + index * DESC_BYTES) >>> 2;
    words[at + (DESC_OFFSET >>> 2)] = offset;
    words[at + (DESC_CAPACITY >>> 2)] = capacity;
    words[at + (DESC_LENGTH >>> 2)] = length;
    words[at + (DESC_AUX >>> 2)] = aux;
  }

  /** Seals and sends what IN_DESC holds, until the link takes no more. */
  #seal(now: number): void {
    const { core, memory, tun } = this.#parts;
    const { words } = memory;
    while (this.#left > 0 && !this.#datagrams.waiting) {
      const result: Readonly<SealResult> = core.seal(this.#left, now);
      const { consumed, out, side } = result;
      for (let i = 0; i < side; i++) {
        const at = (SIDE_DESC + i * DESC_BYTES) >>> 2;
        tun.write(words[at + (DESC_OFFSET >>> 2)]!, words[at + (DESC_LENGTH >>> 2)]!);
      }
      if (out > 0) this.#datagrams.send(out, now);
      // Neither took an input nor made an output: going on would never end. The core has counted why.
      if (consumed === 0 && out === 0) {
        this.#left = 0;
        break;
      }
      this.#left -= consumed;
      if (this.#left > 0) {
        const first = IN_DESC >>> 2;
        const step = DESC_BYTES >>> 2;
        words.copyWithin(first, first + consumed * step, first + (consumed + this.#left) * step);
      }
    }
    this.#copyLeft(IN_DESC, LEFT_DESC);
    this.#reportLimits();
  }

  /** IN_DESC is the receiver's as well, where one thread is both. */
  #copyLeft(from: number, to: number): void {
    const { words } = this.#parts.memory;
    if (this.#left > 0) words.copyWithin(to >>> 2, from >>> 2, (from + this.#left * DESC_BYTES) >>> 2);
  }

  /** OUT still holds datagrams that the link did not take: then a packet of the control plane's is lost, as on a full link. */
  #occupied(): boolean {
    const { numbers } = this.#parts.shared;
    if (!this.#datagrams.waiting && this.#left === 0) return false;
    numbers[IO_SEND_DROPPED] = numbers[IO_SEND_DROPPED]! + 1;
    return true;
  }

  #injectPacket(packet: Uint8Array, now: number): void {
    const { memory, tun, shared } = this.#parts;
    const header = tun.vnetHeader ? VNET_HEADER_BYTES : 0;
    if (packet.length + header > BURST_SLOT_BYTES) throw new Error(`a packet of ${packet.length} bytes is too long`);
    if (this.#occupied()) return;
    memory.bytes.fill(0, IN, IN + header);
    memory.bytes.set(packet, IN + header);
    this.#describe(memory.words, 0, IN, BURST_SLOT_BYTES, packet.length + header, header > 0 ? AUX_VNET : 0);
    shared.numbers[IO_INJECTED] = shared.numbers[IO_INJECTED]! + 1;
    this.#left = 1;
    this.#seal(now);
  }

  /** Tells the control thread which SA should be replaced, and which has stopped itself, once for each. */
  #reportLimits(): void {
    const { core } = this.#parts;
    if (core.softLimits !== this.#softLimits) {
      this.#softLimits = core.softLimits;
      for (const [slot, { soft, params }] of this.#outbound)
        if (soft.reachedNow(core.outboundUse(slot)))
          this.#parts.emit({ kind: 'softLimit', direction: 'out', slot, spi: params.spi });
    }
    this.#reportExhausted();
  }

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
