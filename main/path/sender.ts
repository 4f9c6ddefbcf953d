// The sending direction, on whatever thread runs it. Owns the outbound SAs.
//
//   1. read packets off the TUN into the slots of IN, until none waits or the slots are full (never wait to fill them)
//   2. core.seal: IN_DESC → OUT_DESC (datagrams), SIDE_DESC (ICMP errors)
//   3. write SIDE_DESC back to the TUN
//   4. send OUT_DESC (datagrams.ts)
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
  IN_BYTES,
  IN_DESC,
  PACKET_SLOT_BYTES,
  SIDE_DESC,
  VNET_HEADER_BYTES,
} from '../../assembly/layout.ts';
import type { SealResult } from '../core/api.ts';
import type { OutboundSaParams, SenderCommand } from './command.ts';
import { Datagrams } from './datagrams.ts';
import type { PathParts } from './parts.ts';

/**
 * A turn takes at most about one super-packet's worth of bytes: more gives no more throughput, but lets whatever comes
 * behind it wait (a third of the loaded latency, measured).
 */
const TURN_BYTES = 65_536;
const PACKET_SLOTS = 64;
const BURST_SLOTS = Math.floor(IN_BYTES / BURST_SLOT_BYTES);

interface InstalledSa {
  readonly params: Pick<OutboundSaParams, 'spi' | 'tunnel' | 'esn' | 'hardPackets' | 'hardBytes'>;
  exhausted: boolean;
}

export class Sender {
  readonly #parts: PathParts;
  readonly #datagrams: Datagrams;
  readonly #outbound = new Map<number, InstalledSa>();
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
        core.configureVnet(command.tun.vnetHeader);
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
        if (core.sealDummy(command.tunnel, command.length)) this.#datagrams.send(1, now);
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
    let total = 0;
    let full = true;
    while (count < slots && total < TURN_BYTES) {
      const offset = IN + count * slotBytes;
      const length = tun.read(offset, slotBytes);
      if (length <= 0) {
        if (length < 0) tun.detach();
        full = false;
        break;
      }
      this.#describe(words, count, offset, slotBytes, length, aux);
      total += length;
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
      if (out > 0) this.#datagrams.send(out, now);
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
