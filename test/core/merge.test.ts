// Segments joined for the TUN: cutting what open made must give the very packets back, in order, and nothing else may suffer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUX_UDP, AUX_VNET, DESC_BYTES, IN, IN_DESC, PACKET_SLOT_BYTES } from '../../assembly/layout.ts';
import type { Core } from '../../main/core/api.ts';
import { concat, get16, ip4, ip6, tcp, udp } from '../reference/ip.ts';
import { openEsp, sealEsp } from '../reference/packet.ts';
import { address, INBOUND, newCore, OUTBOUND, type Output, outputs, sides, TUNNEL } from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const HOSTS = {
  4: [address('203.0.113.9'), address('10.88.0.2')],
  6: [address('2001:db8::9'), address('fd00::2')],
} as const;

interface Segment {
  readonly family: 4 | 6;
  readonly port: number;
  readonly sequence: number;
  readonly n: number;
  readonly flags?: number;
  readonly options?: Uint8Array;
  readonly id?: number;
  readonly df?: boolean;
  readonly tos?: number;
}

function packetOf(s: Segment): Uint8Array {
  const [source, target] = HOSTS[s.family];
  const options = s.options ?? new Uint8Array();
  const data = Uint8Array.from({ length: s.n }, (_, i) => (s.sequence + i) * 13);
  const fields = {
    source,
    target,
    sourcePort: s.port,
    targetPort: 80,
    sequence: s.sequence >>> 0,
    flags: s.flags ?? 0x10,
    options,
  };
  const segment = tcp(fields, data);
  if (s.family === 6) return ip6({ source, target, next: 6, tos: s.tos ?? 0, label: 5 }, segment);
  return ip4({ source, target, protocol: 6, df: s.df ?? true, id: s.id ?? 0, tos: s.tos ?? 0 }, segment);
}

function receiver(): Core {
  const core = newCore();
  core.configureTunnel(0, { ...TUNNEL, mtu: 1500 });
  core.installInbound(0, INBOUND);
  core.configureVnet(true);
  return core;
}

let sequence = 0n;
const sealed = (packet: Uint8Array) => sealEsp(INBOUND, ++sequence, packet, packet[0]! >> 4 === 4 ? 4 : 41);

/** Opens datagrams that lie as one GRO burst leaves them, or one to a slot. */
function openAt(core: Core, datagrams: readonly Uint8Array[], burst: boolean): Output[] {
  let at = IN;
  datagrams.forEach((datagram, i) => {
    const capacity = burst ? datagram.length : PACKET_SLOT_BYTES;
    core.bytes.set(datagram, at);
    core.words.set([at, capacity, datagram.length, AUX_UDP], (IN_DESC + i * DESC_BYTES) >> 2);
    at += capacity;
  });
  return outputs(core, core.open(datagrams.length, 0).out);
}

/** Cuts super-packets with seal, which vnet.test.ts holds to the slow segmenter. */
function cut(packets: readonly Uint8Array[]): Uint8Array[] {
  const core = newCore();
  core.configureTunnel(0, { ...TUNNEL, mtu: 1500 });
  core.installOutbound(0, OUTBOUND);
  core.activateOutbound(0, 0);
  return packets.flatMap((packet) => {
    core.bytes.set(packet, IN);
    core.words.set([IN, 66560, packet.length, AUX_VNET], IN_DESC >> 2);
    return outputs(core, core.seal(1, 0).out).map((o) => openEsp(OUTBOUND, o.bytes)!.payload);
  });
}

const run = (count: number, more: Partial<Segment> = {}, n = 1000): Segment[] =>
  Array.from(
    { length: count },
    (_, i) => ({ family: 4, port: 5000, sequence: 100 + i * n, n, id: 900 + i, ...more }) as const,
  );

describe(`merging (SEED=${SEED})`, () => {
  for (const burst of [true, false])
    for (const family of [4, 6] as const)
      it(`joins a run of IPv${family} segments into one packet, ${burst ? 'in a burst' : 'over slots'}`, () => {
        const core = receiver();
        const segments = [
          ...run(40, { family }),
          { family, port: 5000, sequence: 100 + 40_000, n: 10, id: 940, flags: 0x18 },
        ];
        const packets = segments.map(packetOf);
        const made = openAt(core, packets.map(sealed), burst);
        expect(made).toHaveLength(1);
        const [header] = made.map((o) => o.bytes);
        const length = family === 4 ? 20 : 40;
        expect([...header!.subarray(0, 2)]).toEqual([1, family === 4 ? 1 : 4]);
        expect(Buffer.from(header!).readUInt16LE(2)).toBe(length + 20);
        expect(Buffer.from(header!).readUInt16LE(4)).toBe(1000);
        expect(get16(header!, 10 + (family === 4 ? 2 : 4)) + (family === 4 ? 0 : 40)).toBe(header!.length - 10);
        // The first of them says where the packet came from.
        expect(made[0]!.offset).toBe(IN + 16 - 10);
        expect(cut(made.map((o) => o.bytes))).toEqual(packets);
        expect(core.counters().inPackets).toBe(41);
      });

  it('never passes 65,535 bytes', () => {
    const core = receiver();
    const packets = run(120, {}, 1400).map(packetOf);
    const made = openAt(core, packets.map(sealed), false);
    expect(made.map((o) => o.bytes.length - 50)).toEqual([46 * 1400, 46 * 1400, 28 * 1400]);
    expect(cut(made.map((o) => o.bytes))).toEqual(packets);
  });

  const apart: readonly (readonly [string, readonly Segment[]])[] = [
    ['a gap', [...run(1), ...run(1, { sequence: 1200 })]],
    ['a repetition', [...run(1), ...run(1)]],
    ['another port', [...run(1), ...run(1, { sequence: 1100, port: 5001 })]],
    ['another TOS', [...run(1), ...run(1, { sequence: 1100, tos: 8 })]],
    ['a longer one', [...run(1), { family: 4, port: 5000, sequence: 1100, n: 1001 }]],
    [
      'what follows a shorter one',
      [
        ...run(1),
        { family: 4, port: 5000, sequence: 1100, n: 999, id: 901 },
        { family: 4, port: 5000, sequence: 2099, n: 999 },
      ],
    ],
    ['what follows PSH', [...run(1, { flags: 0x18 }), ...run(1, { sequence: 1100 })]],
    ['FIN', [...run(1), ...run(1, { sequence: 1100, flags: 0x11 })]],
    ['ECE', [...run(1), ...run(1, { sequence: 1100, flags: 0x50 })]],
    ['CWR', [...run(1), ...run(1, { sequence: 1100, flags: 0x90 })]],
    ['URG', [...run(1), ...run(1, { sequence: 1100, flags: 0x30 })]],
    ['SYN', [...run(1, { flags: 2 }), ...run(1, { sequence: 1101, flags: 2 })]],
    ['a pure ACK', [...run(1), { family: 4, port: 5000, sequence: 1100, n: 0 }, ...run(1, { sequence: 1100 })]],
    ['no DF', run(2, { df: false })],
    [
      'another timestamp',
      [
        ...run(1, { options: Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0) }),
        ...run(1, { sequence: 1100, options: Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 2, 0, 0, 0, 0) }),
      ],
    ],
  ];
  for (const [name, segments] of apart)
    it(`keeps apart: ${name}`, () => {
      const packets = segments.map(packetOf);
      const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
      const joined = name.startsWith('what follows a shorter') ? 2 : segments.length;
      expect(made).toHaveLength(joined);
      expect(cut(made)).toEqual(packets);
    });

  it('does not vouch for a segment whose checksum is wrong', () => {
    const packets = run(5).map(packetOf);
    packets[2]![900]! ^= 1;
    const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
    expect(made.map((m) => m.length - 10)).toEqual([2040, 1040, 2040]);
    expect(made[1]).toEqual(concat(new Uint8Array(10), packets[2]!));
  });

  it('leaves an IKE message between segments whole', () => {
    const core = receiver();
    const ike = concat(new Uint8Array(4), new Uint8Array(96).fill(0x77));
    const datagrams = run(20).map((s) => sealed(packetOf(s)));
    datagrams.splice(10, 0, ike);
    const made = openAt(core, datagrams, true);
    expect(made).toHaveLength(2);
    expect(sides(core, 1)[0]!.bytes).toEqual(ike.subarray(4));
    expect(cut(made.map((o) => o.bytes))).toEqual(run(20).map(packetOf));
  });

  it('moves nothing where inputs do not lie in rising order, nor without configureVnet', () => {
    const packets = run(3).map(packetOf);
    const core = receiver();
    packets.forEach((packet, i) => {
      const at = IN + [0, 2, 1][i]! * PACKET_SLOT_BYTES;
      const datagram = sealed(packet);
      core.bytes.set(datagram, at);
      core.words.set([at, PACKET_SLOT_BYTES, datagram.length, AUX_UDP], (IN_DESC + i * DESC_BYTES) >> 2);
    });
    expect(outputs(core, core.open(3, 0).out).map((o) => o.bytes.subarray(10))).toEqual(packets);
    core.configureVnet(false);
    expect(openAt(core, packets.map(sealed), true).map((o) => o.bytes)).toEqual(packets);
  });

  it('any mixture of flows, drops and other traffic comes out unchanged', () => {
    const kinds = fc.constantFrom('next', 'next', 'next', 'next', 'push', 'udp', 'gap', 'forged', 'ike', 'short');
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: kinds, flow: fc.integer({ min: 0, max: 7 }).map((f) => (f > 2 ? 0 : f)) }), {
          maxLength: 110,
          size: 'max',
        }),
        fc.boolean(),
        (steps, burst) => {
          const core = receiver();
          const next = [0, 1, 2].map((flow) => ({ sequence: 0xfffff000 + flow * 77, id: 0xfff0 + flow }));
          const datagrams: Uint8Array[] = [];
          const want: Uint8Array[] = [];
          for (const { kind, flow } of steps) {
            const state = next[flow]!;
            const family = flow === 1 ? 6 : 4;
            if (kind === 'ike') {
              datagrams.push(concat(new Uint8Array(4), new Uint8Array(50).fill(flow)));
              continue;
            }
            if (kind === 'gap') state.sequence += 5;
            const [source, target] = HOSTS[4];
            const n = kind === 'short' ? 17 : 500;
            const packet =
              kind === 'udp'
                ? ip4({ source, target, protocol: 17 }, udp(source, target, 1, 2, new Uint8Array(30)))
                : packetOf({
                    family,
                    port: 1000 + flow,
                    sequence: state.sequence,
                    n,
                    id: state.id & 0xffff,
                    flags: kind === 'push' ? 0x18 : 0x10,
                  });
            const datagram = sealed(packet);
            if (kind === 'forged') datagram[30]! ^= 1;
            else want.push(packet);
            if (kind !== 'udp' && kind !== 'forged') {
              state.sequence += n;
              state.id++;
            }
            datagrams.push(datagram);
          }
          const made = openAt(core, datagrams, burst).map((o) => o.bytes);
          expect(made.length).toBeLessThanOrEqual(want.length);
          expect(cut(made)).toEqual(want);
          core.close();
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });
});
