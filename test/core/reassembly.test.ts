// Delivery fragments: any order, bounded, timed, and never parsed as GRE on their own.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASSEMBLED_BYTES, REASSEMBLY_CONTEXTS, REASSEMBLY_MILLISECONDS } from '../../assembly/layout.ts';
import type { Core, InboundSaParams } from '../../main/core/api.ts';
import { concat, fragment6, gre, ip4, ip6 } from '../reference/ip.ts';
import { sealEsp } from '../reference/packet.ts';
import { address, counted, INBOUND, newCore, open, TUNNEL } from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const A = address('10.0.0.1');
const B = address('10.0.0.2');
const ENDS = {
  4: { local: address('10.99.0.1'), remote: address('10.77.0.1') },
  6: { local: address('fd00:99::1'), remote: address('fd00:77::1') },
} as const;
const GRE = { key: 5, checksum: true, sequence: false, nextSequence: 0 };

const inner = (n: number, fill = 0) =>
  ip4(
    { source: A, target: B, protocol: 17 },
    Uint8Array.from({ length: n }, (_, i) => i + fill),
  );
const delivered = (packet: Uint8Array) => gre({ key: 5, checksum: true, sequence: null, protocol: 0x0800 }, packet);

class Peer {
  readonly core: Core;
  readonly #family: 4 | 6;
  #sequence = 0n;

  constructor(family: 4 | 6) {
    this.#family = family;
    this.core = newCore();
    this.core.configureTunnel(0, { ...TUNNEL, mtu: 9000, shape: 'gre-tunnel', gre: GRE, delivery: ENDS[family] });
    this.core.installInbound(0, INBOUND satisfies InboundSaParams);
  }

  fragment(id: number, offset: number, more: boolean, data: Uint8Array, tos = 0): Uint8Array {
    const { remote: source, local: target } = ENDS[this.#family];
    if (this.#family === 4) return ip4({ source, target, protocol: 47, id, offset, mf: more, tos }, data);
    return ip6({ source, target, next: 44, tos }, concat(fragment6(47, offset, more, id), data));
  }

  cut(packet: Uint8Array, sizes: readonly number[], id = 1): Uint8Array[] {
    const fragments: Uint8Array[] = [];
    let at = 0;
    for (let i = 0; at < packet.length; i++) {
      const n = sizes[i % sizes.length]! * 8;
      fragments.push(this.fragment(id, at, at + n < packet.length, packet.subarray(at, at + n)));
      at += n;
    }
    return fragments;
  }

  give(packets: readonly Uint8Array[], now = 0, tos = 0): Uint8Array[] {
    const next = this.#family === 4 ? 4 : 41;
    const sealed = packets.map((packet) => sealEsp(INBOUND, ++this.#sequence, packet, next));
    return open(this.core, sealed, tos, now).map((o) => o.bytes);
  }
}

describe(`reassembly (SEED=${SEED})`, () => {
  for (const family of [4, 6] as const) {
    it(`IPv${family}: fragments of several packets in any order`, () => {
      fc.assert(
        fc.property(
          fc.array(
            fc.record({
              n: fc.integer({ min: 0, max: 4000 }),
              sizes: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
            }),
            {
              minLength: 1,
              maxLength: 4,
            },
          ),
          fc.infiniteStream(fc.nat()),
          (list, random) => {
            const peer = new Peer(family);
            const packets = list.map(({ n }, i) => inner(n + 30, i * 50));
            const fragments = list
              .flatMap(({ sizes }, i) =>
                peer.cut(
                  delivered(packets[i]!),
                  sizes.map((s) => s + 9),
                  i + 7,
                ),
              )
              .map((fragment) => ({ fragment, key: random.next().value }))
              .sort((a, b) => a.key - b.key)
              .map(({ fragment }) => fragment);
            const opened: Uint8Array[] = [];
            for (let at = 0; at < fragments.length; at += 20) opened.push(...peer.give(fragments.slice(at, at + 20)));
            const sorted = (all: readonly Uint8Array[]) => all.map((p) => Buffer.from(p).toString('hex')).sort();
            expect(sorted(opened)).toEqual(sorted(packets));
            const c = peer.core.counters();
            const single = list.filter(
              (_, i) =>
                peer.cut(
                  delivered(packets[i]!),
                  list[i]!.sizes.map((s) => s + 9),
                ).length === 1,
            ).length;
            expect(c.fragReassembled + single).toBe(list.length);
            expect(fragments.length).toBe(c.inPackets + c.fragReceived - c.fragReassembled);
            expect(peer.core.expireFragments(0)).toBe(-1);
            peer.core.close();
          },
        ),
        { seed: SEED, numRuns: 25 },
      );
    });

    it(`IPv${family}: a batch of nothing but fragments, many times more packets than contexts`, () => {
      const peer = new Peer(family);
      const packets = Array.from({ length: 64 }, (_, i) => inner(1400, i));
      const fragments = packets.flatMap((packet, i) => peer.cut(delivered(packet), [100], i + 1));
      expect(fragments).toHaveLength(128);
      // Twice: what the first batch handed out is free for the second.
      expect(peer.give(fragments)).toEqual(packets);
      expect(peer.give(fragments)).toEqual(packets);
      expect(peer.core.counters()).toMatchObject({ fragReassembled: 128, fragPoolFull: 0 });
      peer.core.close();
    });

    it(`IPv${family}: complete packets beyond the room for them stay where they are, and no byte of them changes`, () => {
      const peer = new Peer(family);
      const packets = Array.from({ length: 60 }, (_, i) => inner(8800, i));
      const fragments = packets.flatMap((packet, i) => peer.cut(delivered(packet), [600], i + 1));
      const room = Math.floor(REASSEMBLED_BYTES / 8880);
      const whole = room + REASSEMBLY_CONTEXTS;
      expect(whole).toBeLessThan(packets.length);
      expect(peer.give(fragments)).toEqual(packets.slice(0, whole));
      expect(peer.core.counters()).toMatchObject({
        fragReassembled: whole,
        fragPoolFull: 2 * (packets.length - whole),
      });
      // All are free again.
      expect(peer.give(fragments.slice(0, 2))).toEqual(packets.slice(0, 1));
      peer.core.close();
    });

    it(`IPv${family}: an overlap condemns the packet, before and after it`, () => {
      const peer = new Peer(family);
      const whole = delivered(inner(400));
      const part = (from: number, to: number, more = to < whole.length) =>
        peer.fragment(1, from, more, whole.subarray(from, to));
      expect(peer.give([part(0, 200), part(192, 320), part(320, whole.length), part(200, 320)])).toEqual([]);
      expect(counted(peer.core)).toEqual({ fragReceived: 4, fragMalformed: 4 });
      // The name is free again when the time is over.
      expect(peer.give(peer.cut(whole, [20]), REASSEMBLY_MILLISECONDS)).toHaveLength(1);
    });

    it(`IPv${family}: times out after 30 s and counts it`, () => {
      const peer = new Peer(family);
      const fragments = peer.cut(delivered(inner(400)), [20]);
      expect(fragments).toHaveLength(3);
      peer.give(fragments.slice(0, 2), 1000);
      expect(peer.core.expireFragments(2000)).toBe(REASSEMBLY_MILLISECONDS - 1000);
      expect(peer.core.expireFragments(1000 + REASSEMBLY_MILLISECONDS - 1)).toBe(1);
      expect(peer.core.expireFragments(1000 + REASSEMBLY_MILLISECONDS)).toBe(-1);
      expect(peer.give(fragments.slice(2), 1000 + REASSEMBLY_MILLISECONDS)).toEqual([]);
      expect(counted(peer.core)).toEqual({ fragReceived: 3, fragTimedOut: 1 });
    });

    it(`IPv${family}: a full pool drops the newcomer, not those under way`, () => {
      const peer = new Peer(family);
      const whole = delivered(inner(300));
      const sets = Array.from({ length: REASSEMBLY_CONTEXTS + 1 }, (_, i) => peer.cut(whole, [25], i + 1));
      expect(peer.give(sets.map((set) => set[0]!))).toEqual([]);
      expect(counted(peer.core)).toEqual({ fragReceived: REASSEMBLY_CONTEXTS + 1, fragPoolFull: 1 });
      expect(peer.give(sets.slice(0, REASSEMBLY_CONTEXTS).map((set) => set[1]!))).toHaveLength(REASSEMBLY_CONTEXTS);
    });

    it(`IPv${family}: never parses a later fragment as GRE`, () => {
      const peer = new Peer(family);
      // What it carries would be a perfect GRE packet.
      const later = peer.fragment(1, 80, false, delivered(inner(50)));
      expect(peer.give([later])).toEqual([]);
      expect(counted(peer.core)).toEqual({ fragReceived: 1 });
    });

    it(`IPv${family}: drops what is not a multiple of 8, is empty, or passes 65,535 bytes`, () => {
      const peer = new Peer(family);
      expect(peer.give([peer.fragment(1, 0, true, new Uint8Array(12))])).toEqual([]);
      expect(peer.give([peer.fragment(2, 8, false, new Uint8Array(0))])).toEqual([]);
      expect(peer.give([peer.fragment(3, 65528, false, new Uint8Array(60))])).toEqual([]);
      expect(
        peer.give([peer.fragment(4, 16, false, new Uint8Array(8)), peer.fragment(4, 24, true, new Uint8Array(8))]),
      ).toEqual([]);
      expect(
        peer.give([peer.fragment(5, 24, true, new Uint8Array(8)), peer.fragment(5, 8, false, new Uint8Array(8))]),
      ).toEqual([]);
      expect(counted(peer.core)).toEqual({ fragReceived: 7, fragMalformed: 7 });
    });
  }

  it('reassembles the largest packet there is', () => {
    const peer = new Peer(4);
    const packet = inner(65515 - 12 - 20);
    const fragments = peer.cut(delivered(packet), [1000]);
    expect(fragments).toHaveLength(9);
    for (const fragment of fragments.slice(1)) expect(peer.give([fragment])).toEqual([]);
    expect(peer.give(fragments.slice(0, 1))).toEqual([packet]);
  });

  it('takes an atomic IPv6 fragment as whole (RFC 6946)', () => {
    const peer = new Peer(6);
    expect(peer.give([peer.fragment(1, 0, false, delivered(inner(40)))])).toEqual([inner(40)]);
    expect(counted(peer.core).fragReceived).toBeUndefined();
  });

  it('CE on one fragment is CE on the whole; with Not-ECT among them it is a fault (RFC 3168 §5.3)', () => {
    const peer = new Peer(4);
    const packet = ip4({ source: A, target: B, protocol: 17, tos: 2 }, new Uint8Array(300));
    const whole = delivered(packet);
    const parts = (tos: readonly number[], id: number) =>
      tos.map((t, i) => peer.fragment(id, i * 160, i === 0, whole.subarray(i * 160, i === 0 ? 160 : undefined), t));
    const [marked] = peer.give(parts([2, 3], 1));
    expect(marked?.[1]).toBe(3);
    expect(peer.give(parts([2, 2], 2))[0]?.[1]).toBe(2);
    expect(peer.give(parts([0, 3], 3))).toEqual([]);
    expect(counted(peer.core)).toMatchObject({ fragMalformed: 2, fragReassembled: 2 });
  });
});
