// Super-packets that open keeps back and goes on with in the next batch: whatever the batches are, each flow comes out whole and in its order,
// from bytes that the caller left alone no longer than it promised.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AUX_UDP,
  DESC_BYTES,
  DESC_LENGTH,
  IN,
  IN_DESC,
  IN_DESC_COUNT,
  KEPT,
  NATIVE,
  OUT_DESC,
  PACKET_SLOT_BYTES,
  PIECE_DESC,
  PIECE_DESC_COUNT,
  SIDE_DESC,
} from '../../assembly/layout.ts';
import type { Core } from '../../main/core/api.ts';
import { cut as cutOne } from '../reference/gso.ts';
import { ip4, tcp, udp } from '../reference/ip.ts';
import { sealEsp } from '../reference/packet.ts';
import { address, INBOUND, newCore, outputs, TUNNEL } from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const [SOURCE, TARGET] = [address('203.0.113.9'), address('10.88.0.2')];
const ENDS = { source: SOURCE, target: TARGET } as const;
/** With DF an identification means nothing (RFC 6864 §4.1), and cutting counts on from the first: left out of what is compared. */
const plain = (packet: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(packet);
  copy.fill(0, 4, 6);
  copy.fill(0, 10, 12);
  return copy;
};
const cut = (packet: Uint8Array): Uint8Array[] => cutOne(packet).map(plain);
const HALF = 64;
const SLOT = 1600;

const segment = (port: number, sequence: number, n = 100, flags = 0x10) =>
  ip4(
    { ...ENDS, protocol: 6, df: true, id: 0 },
    tcp(
      { ...ENDS, sourcePort: port, targetPort: 80, sequence, flags, options: new Uint8Array() },
      new Uint8Array(n).fill(sequence),
    ),
  );
const datagram = (port: number, number: number) =>
  ip4({ ...ENDS, protocol: 17, df: true, id: 0 }, udp(SOURCE, TARGET, port, 443, new Uint8Array(90).fill(number)));
const run = (count: number, from = 0, n = 100) =>
  Array.from({ length: count }, (_, i) => segment(5000, from + i * n, n));

let sequence = 0n;

/** A core, and two halves of slots that take turns, as the receiver has them. */
function rig() {
  const core = newCore();
  core.configureTunnel(0, { ...TUNNEL, mtu: 1500 });
  core.installInbound(0, { ...INBOUND, replayWindow: 4096 });
  core.configureVnet(true, true);
  let half = 0;
  return {
    core,
    /** Opens one batch; returns what is for the TUN now. Then the other half, which held the batch before, is overwritten. */
    batch: (packets: readonly Uint8Array[], keep: boolean): Uint8Array[] => {
      const first = IN + half * HALF * SLOT;
      half = 1 - half;
      packets.forEach((packet, i) => {
        const at = first + i * SLOT;
        const sealed = sealEsp(INBOUND, ++sequence, packet, 4);
        core.bytes.set(sealed, at);
        core.words.set([at, SLOT, sealed.length, AUX_UDP], (IN_DESC + i * DESC_BYTES) >> 2);
      });
      const { out, kept } = core.open(packets.length, 0, keep);
      const made = outputs(core, out);
      const waiting = made.filter((_, i) => core.words[(OUT_DESC + i * DESC_BYTES + DESC_LENGTH) >> 2] === 0);
      expect(waiting).toHaveLength(kept);
      const now = made.filter((one) => !waiting.includes(one)).map(({ bytes }) => bytes);
      core.bytes.fill(0xee, IN + half * HALF * SLOT, IN + (half + 1) * HALF * SLOT);
      return now;
    },
  };
}

const flowsOf = (packets: readonly Uint8Array[]): Map<string, Uint8Array[]> => {
  const flows = new Map<string, Uint8Array[]>();
  for (const packet of packets) {
    const name = `${packet[9]} ${Buffer.from(packet.subarray(20, 22)).toString('hex')}`;
    flows.set(name, [...(flows.get(name) ?? []), packet]);
  }
  return flows;
};

describe(`super-packets that are kept back (SEED=${SEED})`, () => {
  it('go on in the next batch', () => {
    const { batch, core } = rig();
    const packets = run(60);
    expect(batch(packets.slice(0, 40), true)).toEqual([]);
    const made = batch(packets.slice(40), false);
    expect(made).toHaveLength(1);
    expect(cut(made[0]!)).toEqual(packets.map(plain));
    expect(core.counters()).toMatchObject({ inPackets: 60, inMerged: 59 });
  });

  it('are kept for one batch, and not for two', () => {
    const { batch } = rig();
    const packets = run(60);
    expect(batch(packets.slice(0, 20), true)).toEqual([]);
    const made = batch(packets.slice(20, 40), true);
    expect(made.flatMap(cut)).toEqual(packets.slice(0, 40).map(plain));
    expect(batch(packets.slice(40), true)).toEqual([]);
    expect(batch([], false).flatMap(cut)).toEqual(packets.slice(40).map(plain));
    expect(batch([], false)).toEqual([]);
  });

  it('are not what is complete, nor anything without being asked', () => {
    const { batch } = rig();
    const whole = [...run(9), segment(5000, 900, 100, 0x18)];
    expect(batch(whole, true).flatMap(cut)).toEqual(whole.map(plain));
    const short = [...run(9, 1000), segment(5000, 1900, 99)];
    expect(batch(short, true).flatMap(cut)).toEqual(short.map(plain));
    const ack = [segment(5000, 2000, 0)];
    expect(batch(ack, true).flatMap(cut)).toEqual(ack.map(plain));
    expect(batch(run(9, 3000), false).flatMap(cut)).toEqual(run(9, 3000).map(plain));
  });

  it('come before what follows them in their flow, and what might be of it', () => {
    const tail = ip4({ ...ENDS, protocol: 6, df: true, offset: 1480, id: 7 }, new Uint8Array(64).fill(3));
    for (const after of [segment(5000, 1000, 0), segment(5000, 7000), segment(5000, 1000, 50, 0x11), tail]) {
      const { batch } = rig();
      expect(batch(run(10), true)).toEqual([]);
      const made = batch([after], false);
      expect(made.flatMap(cut)).toEqual([...run(10), after].map(plain));
    }
  });

  it('leave no table too short', () => {
    const { batch, core } = rig();
    // As many as can be, each of one packet; then a batch of packets of which each is an output by itself.
    const many = Array.from({ length: KEPT }, (_, i) => segment(6000 + i, 1));
    expect(batch(many, true)).toEqual([]);
    const acks = Array.from({ length: IN_DESC_COUNT }, (_, i) => segment(100 + i, 1, 0));
    acks.forEach((packet, i) => {
      const at = IN + HALF * SLOT + i * 256;
      const sealed = sealEsp(INBOUND, ++sequence, packet, 4);
      core.bytes.set(sealed, at);
      core.words.set([at, 256, sealed.length, AUX_UDP], (IN_DESC + i * DESC_BYTES) >> 2);
    });
    const { out } = core.open(IN_DESC_COUNT, 0, false);
    expect(out).toBe(IN_DESC_COUNT + KEPT);
    expect(OUT_DESC + out * DESC_BYTES).toBeLessThanOrEqual(SIDE_DESC);
    expect(outputs(core, out).flatMap(({ bytes }) => cut(bytes))).toEqual([...many, ...acks].map(plain));
    // Pieces are counted on while something is kept; where they run out, nothing more is joined.
    let from = 0;
    const given: Uint8Array[] = [];
    const made: Uint8Array[] = [];
    for (let i = 0; i < 12; i++) {
      const packets = Array.from({ length: 60 }, (_, j) => segment(5000, from + j * 20, 20));
      from += 1200;
      given.push(...packets);
      made.push(...batch(packets, true));
    }
    made.push(...batch([], false));
    expect(made.flatMap(cut)).toEqual(given.map(plain));
    const behind = PIECE_DESC + PIECE_DESC_COUNT * DESC_BYTES;
    expect(core.words.subarray(behind >> 2, NATIVE >> 2).every((word) => word === 0)).toBe(true);
  });

  it('are not what lies where reassembly will put the next', () => {
    const core: Core = newCore();
    core.configureTunnel(0, { ...TUNNEL, mtu: 1500 });
    core.installInbound(0, INBOUND);
    core.configureVnet(true, true);
    // Parked packets lie outside IN, too.
    core.expect(0x7777);
    const parked = run(9);
    parked.forEach((packet, i) => {
      const at = IN + i * PACKET_SLOT_BYTES;
      const sealed = sealEsp({ ...INBOUND, spi: 0x7777 }, BigInt(i + 1), packet, 4);
      core.bytes.set(sealed, at);
      core.words.set([at, PACKET_SLOT_BYTES, sealed.length, AUX_UDP], (IN_DESC + i * DESC_BYTES) >> 2);
    });
    expect(core.open(9, 0).out).toBe(0);
    core.installInbound(1, { ...INBOUND, spi: 0x7777 });
    const { out, kept } = core.open(core.takeParked(), 0, true);
    expect(kept).toBe(0);
    expect(outputs(core, out).flatMap(({ bytes }) => cut(bytes))).toEqual(parked.map(plain));
  });

  it('come out whole and in order however batches fall', () => {
    const kind = fc.constantFrom('data', 'data', 'data', 'data', 'push', 'short', 'ack', 'gap', 'udp', 'udp');
    const one = fc.record({ flow: fc.integer({ min: 0, max: 20 }), kind });
    const batches = fc.array(fc.record({ packets: fc.array(one, { maxLength: HALF }), keep: fc.boolean() }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(batches, (list) => {
        const { batch, core } = rig();
        const next = new Map<number, number>();
        const given: Uint8Array[] = [];
        const made: Uint8Array[] = [];
        for (const { packets, keep } of list) {
          const some = packets.map(({ flow, kind: what }) => {
            const at = (next.get(flow) ?? 0) + (what === 'gap' ? 5000 : 0);
            const n = what === 'short' ? 40 : what === 'ack' ? 0 : 100;
            if (what === 'udp') return datagram(7000 + (flow % 3), at & 0xff);
            next.set(flow, at + n);
            return segment(5000 + flow, at, n, what === 'push' ? 0x18 : 0x10);
          });
          given.push(...some);
          made.push(...batch(some, keep));
        }
        made.push(...batch([], false));
        expect(flowsOf(made.flatMap(cut))).toEqual(flowsOf(given.map(plain)));
        core.close();
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});
