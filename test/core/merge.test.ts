// What open joins for the TUN: cutting it must give the very packets back, each flow in its order, and nothing else may suffer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AUX_INBOUND_SHIFT,
  AUX_UDP,
  DESC_BYTES,
  IN,
  IN_DESC,
  NATIVE,
  PACKET_SLOT_BYTES,
  PIECE_DESC,
  PIECE_DESC_COUNT,
} from '../../assembly/layout.ts';
import type { Core } from '../../main/core/api.ts';
import { cut as cutOne } from '../reference/gso.ts';
import { checksum, concat, get16, ip4, ip6, pseudo, tcp, udp } from '../reference/ip.ts';
import { sealEsp } from '../reference/packet.ts';
import { address, INBOUND, newCore, type Output, outputs, sides, TUNNEL } from './harness.ts';

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

function receiver(uso = true): Core {
  const core = newCore();
  core.configureTunnel(0, { ...TUNNEL, mtu: 1500 });
  core.installInbound(0, INBOUND);
  core.configureVnet(true, uso);
  return core;
}

const tcpOf = (packet: Uint8Array): Uint8Array => packet.subarray(40);

/** `count` destination options headers of eight bytes, all padding, and TCP behind them. */
function options(count: number, upper: Uint8Array): Uint8Array {
  const headers = Array.from({ length: count }, (_, i) => Uint8Array.of(i === count - 1 ? 6 : 60, 0, 1, 4, 0, 0, 0, 0));
  return concat(...headers, upper);
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

const cut = (packets: readonly Uint8Array[]) => packets.flatMap(cutOne);

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
    // Exactly as many, and one more.
    for (const [count, n, joined] of [
      [5, 13_099, [5 * 13_099]],
      [8, 8187, [7 * 8187, 8187]],
    ] as const) {
      const few = run(count, {}, n).map(packetOf);
      const parts = openAt(core, few.map(sealed), true);
      expect(parts.map((o) => o.bytes.length - 50)).toEqual(joined);
      expect(cut(parts.map((o) => o.bytes))).toEqual(few);
    }
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
    ['an identification that does not count on, without DF', run(2, { df: false, id: 900 })],
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

  // AccECN's flag among the reserved bits (RFC 9768), a pointer without URG, and a checksum that cutting would make right.
  for (const [name, at, bit, family = 4] of [
    ['another label', 3, 1, 6],
    ['another acknowledgement', 31, 1],
    ['another window', 35, 1],
    ['a reserved bit of TCP', 32, 1],
    ['an urgent pointer', 39, 1],
    ['a wrong checksum of IPv4', 10, 0x40],
  ] as const)
    it(`keeps apart what cutting would not give back: ${name}`, () => {
      for (const odd of [0, 1, 2]) {
        const packets = run(3, { family }).map(packetOf);
        const packet = packets[odd]!;
        packet[at]! ^= bit;
        if (at >= 20) {
          packet.fill(0, 36, 38);
          const segment = packet.subarray(20);
          const sum = checksum(pseudo(packet.subarray(12, 16), packet.subarray(16, 20), 6, segment.length), segment);
          packet.set([sum >> 8, sum & 255], 36);
        }
        const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
        expect(made).toHaveLength(odd === 1 ? 3 : 2);
        expect(cut(made)).toEqual(packets);
      }
    });

  it('keeps apart what two SAs bring, as at a rekeying', () => {
    const core = receiver();
    const next = { ...INBOUND, spi: INBOUND.spi + 1 };
    core.installInbound(1, next);
    const packets = run(6).map(packetOf);
    const datagrams = packets.map((packet, i) => (i < 3 ? sealed(packet) : sealEsp(next, BigInt(i), packet, 4)));
    const made = openAt(core, datagrams, true);
    expect(made.map((o) => o.aux >>> AUX_INBOUND_SHIFT)).toEqual([0, 1]);
    expect(cut(made.map((o) => o.bytes))).toEqual(packets);
  });

  it('keeps flows apart whose keys are the same', () => {
    const wanted = (from: Uint8Array, to: Uint8Array, ports: number, n: number): Uint8Array => {
      const [sourcePort, targetPort] = [ports >>> 16, ports & 0xffff];
      const fields = { source: from, target: to, sourcePort, targetPort, flags: 0x10, options: new Uint8Array() };
      const segment = tcp({ ...fields, sequence: 100 + n * 50 }, new Uint8Array(50).fill(n));
      const ends = { source: from, target: to };
      return from.length === 4
        ? ip4({ ...ends, protocol: 6, df: true, id: n }, segment)
        : ip6({ ...ends, next: 6 }, segment);
    };
    const flipped = (of: Uint8Array, ...at: readonly (readonly [number, number])[]): Uint8Array => {
      const copy = Uint8Array.from(of);
      for (const [byte, bit] of at) copy[byte]! ^= bit;
      return copy;
    };
    // As merge.ts makes them: the ports' product but for its last bit; addresses folded together.
    const [factor, inverse] = [0x9e3779b1, 0x0e8b2f51];
    expect(Math.imul(factor, inverse)).toBe(1);
    const ports = (5000 << 16) | 80;
    const others = Math.imul(Math.imul(ports, factor) ^ 1, inverse) >>> 0;
    const [[from4, to4], [from6, to6]] = [HOSTS[4], HOSTS[6]];
    const pairs: readonly (readonly [Uint8Array, Uint8Array, number])[][] = [
      [
        [from4, to4, ports],
        [from4, to4, others],
      ],
      [
        [from4, to4, ports],
        [flipped(from4, [2, 0x80]), flipped(to4, [3, 1]), ports],
      ],
      [
        [from6, to6, ports],
        [flipped(from6, [7, 1], [15, 1]), to6, ports],
      ],
    ];
    for (const [one, other] of pairs) {
      const packets = [0, 1, 2, 3].map((n) => wanted(...(n % 2 ? other! : one!), n));
      const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
      expect(made.map((m) => m.subarray(10))).toEqual(packets);
    }
  });

  it('leaves an IKE message between segments whole', () => {
    const core = receiver();
    const ike = concat(new Uint8Array(4), new Uint8Array(96).fill(0x77));
    const datagrams = run(20).map((s) => sealed(packetOf(s)));
    datagrams.splice(10, 0, ike);
    const made = openAt(core, datagrams, true);
    expect(made).toHaveLength(1);
    expect(sides(core, 1)[0]!.bytes).toEqual(ike.subarray(4));
    expect(cut(made.map((o) => o.bytes))).toEqual(run(20).map(packetOf));
  });

  it('joins what lies in any order, and nothing without configureVnet', () => {
    const packets = run(3).map(packetOf);
    const core = receiver();
    packets.forEach((packet, i) => {
      const at = IN + [0, 2, 1][i]! * PACKET_SLOT_BYTES;
      const datagram = sealed(packet);
      core.bytes.set(datagram, at);
      core.words.set([at, PACKET_SLOT_BYTES, datagram.length, AUX_UDP], (IN_DESC + i * DESC_BYTES) >> 2);
    });
    const made = outputs(core, core.open(3, 0).out).map((o) => o.bytes);
    expect(made).toHaveLength(1);
    expect(cut(made)).toEqual(packets);
    core.configureVnet(false);
    expect(openAt(core, packets.map(sealed), true).map((o) => o.bytes)).toEqual(packets);
    core.configureVnet(false, true);
    const datagrams = [0, 1].map((i) => datagramOf({ port: 9, n: 50, id: i }));
    expect(openAt(core, datagrams.map(sealed), true).map((o) => o.bytes)).toEqual(datagrams);
  });

  it('joins flows that take turns, as many as it has room for, and more in their order', () => {
    for (const flows of [2, 16, 17, 40]) {
      const core = receiver();
      const rounds = Math.floor(500 / flows / 2);
      const packets = Array.from({ length: rounds }, (_, round) =>
        Array.from({ length: flows }, (_, flow) =>
          flow % 3 === 2
            ? datagramOf({ family: flow % 2 ? 6 : 4, port: 100 + flow, n: 60, id: round })
            : packetOf({ family: flow % 2 ? 6 : 4, port: 100 + flow, sequence: round * 60, n: 60, id: round }),
        ),
      ).flat();
      const made = openAt(core, packets.map(sealed), true).map((o) => o.bytes);
      // A seventeenth takes the place of the first, which comes back to take the next one's, and so on.
      const datagramLimit = Math.ceil(rounds / 64);
      const few = Array.from({ length: flows }, (_, flow) => (flow % 3 === 2 ? datagramLimit : 1));
      expect(made).toHaveLength(flows <= 16 ? few.reduce((sum, n) => sum + n, 0) : packets.length);
      for (const [flow, of] of byFlow(packets)) expect(byFlow(cut(made)).get(flow)).toEqual(of);
      core.close();
    }
  });

  it('ends what a packet of the same hosts that does not show its ports could overtake, and only that', () => {
    const [source, target] = HOSTS[4];
    const first = run(1)[0]!;
    const tail = (from: Uint8Array) =>
      ip4({ source: from, target, protocol: 6, df: true, offset: 1480, id: 7 }, new Uint8Array(64).fill(3));
    const ends = [packetOf(first), tail(source), packetOf(run(2)[1]!)];
    expect(openAt(receiver(), ends.map(sealed), true).map((o) => o.bytes.subarray(10))).toEqual(ends);
    const others = [packetOf(first), tail(address('203.0.113.10')), packetOf(run(2)[1]!)];
    const made = openAt(receiver(), others.map(sealed), true).map((o) => o.bytes);
    expect(cut(made)).toEqual([others[0], others[2], others[1]]);
    // A ping belongs to no flow of TCP.
    const ping = ip4({ source, target, protocol: 1 }, Uint8Array.of(8, 0, 0xf7, 0xff, 0, 0, 0, 0));
    const around = openAt(receiver(), [ends[0]!, ping, ends[2]!].map(sealed), true).map((o) => o.bytes);
    expect(cut(around)).toEqual([ends[0], ends[2], ping]);
  });

  it('ends it also for what hides its ports behind more headers than are read, of IPv6', () => {
    const [source, target] = HOSTS[6];
    const hidden = ip6({ source, target, next: 60 }, options(40, tcpOf(packetOf(run(1, { family: 6 })[0]!))));
    const [first, second] = run(2, { family: 6 }).map(packetOf);
    const packets = [first!, hidden, second!];
    expect(openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes.subarray(10))).toEqual(packets);
  });

  it('has pieces enough for every batch anew', () => {
    const core = receiver();
    for (let batch = 0; batch < 4; batch++) {
      const packets = run(300, { sequence: batch }, 60).map((segment, i) =>
        packetOf({ ...segment, sequence: batch + i * 60 }),
      );
      expect(cut(openAt(core, packets.map(sealed), true).map((o) => o.bytes))).toEqual(packets);
    }
    const behind = PIECE_DESC + PIECE_DESC_COUNT * DESC_BYTES;
    expect(core.words.subarray(behind >> 2, NATIVE >> 2).every((word) => word === 0)).toBe(true);
  });

  it('any mixture of flows, drops and other traffic comes out unchanged, each flow in its order', () => {
    const kinds = fc.constantFrom(
      'next',
      'next',
      'next',
      'next',
      'push',
      'ack',
      'gap',
      'forged',
      'ike',
      'short',
      'tail',
    );
    let joined = 0;
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: kinds, flow: fc.integer({ min: 0, max: 60 }) }), { maxLength: 400, size: 'max' }),
        fc.constantFrom(1, 3, 9, 30),
        fc.boolean(),
        (steps, flows, burst) => {
          const core = receiver();
          const states = Array.from({ length: flows }, (_, i) => ({ sequence: 0xfffff000 + i * 77, id: 0xfff0 + i }));
          const datagrams: Uint8Array[] = [];
          const want: Uint8Array[] = [];
          for (const { kind, flow: number } of burst ? steps : steps.slice(0, 120)) {
            const flow = number % flows;
            const state = states[flow]!;
            const family = flow % 4 === 1 ? 6 : 4;
            if (kind === 'ike') {
              datagrams.push(concat(new Uint8Array(4), new Uint8Array(50).fill(flow)));
              continue;
            }
            if (kind === 'gap') state.sequence += 5;
            const [source, target] = HOSTS[4];
            const n = kind === 'short' ? 17 : kind === 'ack' ? 0 : 100;
            const fields = { family, port: 1000 + flow, n, id: state.id & 0xffff } as const;
            const packet =
              kind === 'tail'
                ? ip4(
                    { source, target, protocol: 17, offset: 800, id: state.id & 0xffff },
                    new Uint8Array(40).fill(flow),
                  )
                : flow % 3 === 2
                  ? datagramOf({ ...fields, plain: kind === 'push', fill: datagrams.length })
                  : packetOf({ ...fields, sequence: state.sequence, flags: kind === 'push' ? 0x18 : 0x10 });
            const datagram = sealed(packet);
            if (kind === 'forged') datagram[30]! ^= 1;
            else want.push(packet);
            if (kind !== 'tail' && kind !== 'forged') {
              state.sequence += n;
              state.id++;
            }
            datagrams.push(datagram);
          }
          const made = openAt(core, datagrams, burst).map((o) => o.bytes);
          joined += want.length - made.length;
          const got = byFlow(cut(made));
          expect([...got.keys()].sort()).toEqual([...byFlow(want).keys()].sort());
          for (const [flow, of] of byFlow(want)) expect(got.get(flow)).toEqual(of);
          const { inPackets, inMerged } = core.counters();
          expect(inPackets).toBe(want.length);
          expect(inMerged).toBe(want.length - made.length);
          core.close();
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
    // A test of merging in which nothing merges proves nothing.
    expect(joined).toBeGreaterThan(200);
  });
});

interface Datagram {
  readonly family?: 4 | 6;
  readonly port: number;
  readonly n: number;
  readonly id?: number;
  readonly df?: boolean;
  readonly tos?: number;
  readonly ttl?: number;
  readonly fill?: number;
  /** Without a checksum (RFC 768), in IPv4. */
  readonly plain?: boolean;
}

function datagramOf(d: Datagram): Uint8Array {
  const [source, target] = HOSTS[d.family ?? 4];
  const data = Uint8Array.from({ length: d.n }, (_, i) => ((d.id ?? 0) * 31 + (d.fill ?? 0) + i) * 7);
  const upper = udp(source, target, d.port, 443, data);
  if (d.plain && d.family !== 6) upper.fill(0, 6, 8);
  if (d.family === 6) return ip6({ source, target, next: 17, tos: d.tos ?? 0, label: 9, hops: d.ttl ?? 64 }, upper);
  const fields = { source, target, protocol: 17, df: d.df ?? true, id: d.id ?? 0, tos: d.tos ?? 0, ttl: d.ttl ?? 64 };
  return ip4(fields, upper);
}

/** Packets by who talks to whom, in their order. Fragments are a flow of their own here. */
function byFlow(packets: readonly Uint8Array[]): Map<string, Uint8Array[]> {
  const flows = new Map<string, Uint8Array[]>();
  for (const packet of packets) {
    const six = packet[0]! >> 4 === 6;
    const later = !six && (get16(packet, 6) & 0x1fff) !== 0;
    const at = six ? 40 : 20;
    const key = Buffer.from(
      concat(packet.subarray(six ? 6 : 9, six ? 7 : 10), later ? new Uint8Array() : packet.subarray(at, at + 4)),
    ).toString('hex');
    flows.set(key, [...(flows.get(key) ?? []), packet]);
  }
  return flows;
}

describe(`merging datagrams (SEED=${SEED})`, () => {
  const many = (count: number, more: Partial<Datagram> = {}): Datagram[] =>
    Array.from({ length: count }, (_, i) => ({ port: 6000, n: 601, id: 10 + i, ...more }));

  for (const family of [4, 6] as const)
    it(`joins a run of IPv${family} datagrams, the last one shorter`, () => {
      const packets = [...many(40, { family }), { family, port: 6000, n: 7, id: 50 } as const].map(datagramOf);
      const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
      expect(made).toHaveLength(1);
      expect([...made[0]!.subarray(0, 2)]).toEqual([1, 5]);
      expect(cut(made)).toEqual(packets);
    });

  it('joins what has no DF where its identifications count on, past the last one too', () => {
    const packets = Array.from({ length: 9 }, (_, i) =>
      datagramOf({ port: 6000, n: 99, id: (0xfffb + i) & 0xffff, df: false }),
    );
    const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
    expect(made).toHaveLength(1);
    expect(cut(made)).toEqual(packets);
    const jump = packets.toSpliced(4, 1);
    const parts = openAt(receiver(), jump.map(sealed), true).map((o) => o.bytes);
    expect(parts).toHaveLength(2);
    expect(cut(parts)).toEqual(jump);
  });

  it('never passes 65,535 bytes, nor 64 datagrams', () => {
    const long = many(100, { n: 1400 }).map(datagramOf);
    const made = openAt(receiver(), long.map(sealed), false).map((o) => o.bytes);
    expect(made.map((m) => m.length - 38)).toEqual([46 * 1400, 46 * 1400, 8 * 1400]);
    expect(cut(made)).toEqual(long);
    const short = many(150, { n: 11 }).map(datagramOf);
    const few = openAt(receiver(), short.map(sealed), true).map((o) => o.bytes);
    expect(few.map((m) => m.length - 38)).toEqual([64 * 11, 64 * 11, 22 * 11]);
    expect(cut(few)).toEqual(short);
  });

  const apart: readonly (readonly [string, readonly Datagram[]])[] = [
    ['no checksum', many(2, { plain: true })],
    ['an identification that does not count on, without DF', many(2, { df: false, id: 9 })],
    ['nothing in it', many(2, { n: 0 })],
    ['another port', [...many(1), ...many(1, { port: 6001 })]],
    ['another TOS', [...many(1), ...many(1, { tos: 4 })]],
    ['another TTL', [...many(1), ...many(1, { ttl: 63 })]],
    ['another hop limit', [...many(1, { family: 6 }), ...many(1, { family: 6, ttl: 63 })]],
    ['a longer one', [...many(1), ...many(1, { n: 602 })]],
  ];
  for (const [name, list] of apart)
    it(`keeps apart: ${name}`, () => {
      const packets = list.map(datagramOf);
      const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
      expect(made.map((m) => m.subarray(10))).toEqual(packets);
      expect(cut(made)).toEqual(packets);
    });

  it('begins anew behind a shorter one', () => {
    const packets = [601, 601, 5, 601, 601].map((n, i) => datagramOf({ port: 6000, n, id: i % 3 }));
    const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
    expect(made).toHaveLength(2);
    expect(cut(made)).toEqual(packets);
  });

  it('does not vouch for a checksum or a length that is wrong', () => {
    for (const at of [100, 25]) {
      const packets = many(5).map(datagramOf);
      packets[2]![at]! ^= 1;
      const made = openAt(receiver(), packets.map(sealed), true).map((o) => o.bytes);
      expect(made.map((m) => m.length)).toEqual([10 + 28 + 1202, 10 + 28 + 601, 10 + 28 + 1202]);
      expect(made[1]!.subarray(10)).toEqual(packets[2]);
    }
  });

  it('leaves datagrams alone where the TUN takes no super-datagrams', () => {
    const packets = many(5).map(datagramOf);
    const made = openAt(receiver(false), packets.map(sealed), true).map((o) => o.bytes);
    expect(made).toEqual(packets.map((packet) => concat(new Uint8Array(10), packet)));
  });
});
