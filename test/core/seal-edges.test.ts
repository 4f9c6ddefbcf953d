// What seal does beside encapsulating: ICMP errors, fragments, MSS, DSCP and ECN, limits of room, the choice of tunnel.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OUT_BYTES, OUT_DESC_COUNT, PARAMS, PARAMS_BYTES, SIDE_DESC_COUNT } from '../../assembly/layout.ts';
import type { Core, TunnelParams } from '../../main/core/api.ts';
import { type Selector, selectorOf } from '../../main/wire/selector.ts';
import { checksum, concat, fragment6, get16, get32, ip4, ip6, parseIp, pseudo, tcp, udp } from '../reference/ip.ts';
import { openEsp } from '../reference/packet.ts';
import {
  ANY,
  address,
  counted,
  INBOUND,
  newCore,
  OUTBOUND,
  open,
  outputs,
  place,
  seal,
  sides,
  TUNNEL,
} from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const A = address('10.88.0.2');
const B = address('203.0.113.9');
const A6 = address('fd00:88::2');
const B6 = address('2001:db8:9::1');

function sender(params: Partial<TunnelParams> = {}): Core {
  const core = newCore();
  core.configureTunnel(0, { ...TUNNEL, ...params });
  core.installOutbound(0, OUTBOUND);
  core.activateOutbound(0, 0);
  core.installInbound(0, INBOUND);
  return core;
}

const inner = (core: Core, packets: readonly Uint8Array[], now = 0) =>
  seal(core, packets, now).map((o) => openEsp(OUTBOUND, o.bytes)!.payload);

describe('too big', () => {
  it('IPv4 with DF: type 3 code 4 with the next-hop MTU, from the destination', () => {
    const core = sender({ mtu: 1000 });
    const packet = ip4(
      { source: A, target: B, protocol: 17, df: true, options: new Uint8Array(4).fill(1) },
      new Uint8Array(1200).fill(9),
    );
    place(core, [packet], 0);
    expect(core.seal(1, 0)).toEqual({ consumed: 1, out: 0, side: 1 });
    const [error] = sides(core, 1);
    const ip = parseIp(error!.bytes);
    expect(ip).toMatchObject({ source: B, target: A, protocol: 1 });
    expect(error!.bytes.length).toBe(576);
    expect(checksum(ip.payload)).toBe(0);
    expect([...ip.payload.subarray(0, 2)]).toEqual([3, 4]);
    expect(get16(ip.payload, 6)).toBe(1000);
    expect(ip.payload.slice(8)).toEqual(packet.slice(0, 548));
    expect(counted(core)).toEqual({ outTooBig: 1 });
  });

  it('IPv6: type 2 with the MTU, and as much as fits into 1280', () => {
    const core = sender({ mtu: 1300 });
    const packet = ip6({ source: A6, target: B6, next: 17 }, new Uint8Array(1400).fill(9));
    place(core, [packet, packet], 0);
    expect(core.seal(2, 0).side).toBe(2);
    for (const error of sides(core, 2)) {
      const ip = parseIp(error.bytes);
      expect(ip).toMatchObject({ source: B6, target: A6, protocol: 58 });
      expect(error.bytes.length).toBe(1280);
      expect(checksum(pseudo(B6, A6, 58, ip.payload.length), ip.payload)).toBe(0);
      expect([...ip.payload.subarray(0, 2)]).toEqual([2, 0]);
      expect(get32(ip.payload, 4)).toBe(1300);
      expect(ip.payload.slice(8)).toEqual(packet.slice(0, 1232));
    }
  });

  it('exactly the MTU fits, one more does not', () => {
    const core = sender({ mtu: 1000 });
    const of = (n: number) => ip4({ source: A, target: B, protocol: 17, df: true }, new Uint8Array(n - 20));
    place(core, [of(1000), of(1001)], 0);
    expect(core.seal(2, 0)).toEqual({ consumed: 2, out: 1, side: 1 });
  });

  it('never answers ICMP errors, later fragments, groups, or senders without an address; counts all the same', () => {
    const core = sender({ mtu: 1000 });
    const body = (type: number) => Uint8Array.from({ length: 1200 }, (_, i) => (i === 0 ? type : 0));
    const four = (fields: object, type = 8) =>
      ip4({ source: A, target: B, protocol: 1, df: true, ...fields }, body(type));
    const six = (fields: object, type = 128) => ip6({ source: A6, target: B6, next: 58, ...fields }, body(type));
    const silent = [
      ...[3, 4, 5, 11, 12].map((type) => four({}, type)),
      four({ offset: 8 }),
      four({ target: address('224.0.0.1') }),
      four({ target: address('255.255.255.255') }),
      four({ source: address('0.0.0.0') }),
      four({ source: address('127.0.0.1') }),
      ...[1, 2, 3, 4, 100].map((type) => six({}, type)),
      six({ target: address('ff02::1') }),
      six({ source: address('::') }),
      ip6({ source: A6, target: B6, next: 44 }, concat(fragment6(17, 8, false, 1), new Uint8Array(1200))),
    ];
    place(core, silent, 0);
    expect(core.seal(silent.length, 0)).toEqual({ consumed: silent.length, out: 0, side: 0 });
    expect(counted(core)).toEqual({ outTooBig: silent.length });
    place(core, [four({}), four({}, 0), six({}), six({}, 129)], 0);
    expect(core.seal(4, 0).side).toBe(4);
  });

  it('limits their rate (RFC 4443 §2.4(f))', () => {
    const core = sender({ mtu: 600 });
    const packet = ip4({ source: A, target: B, protocol: 17, df: true }, new Uint8Array(700));
    const answers = (now: number) => {
      place(core, new Array<Uint8Array>(100).fill(packet), 0);
      return core.seal(100, now).side;
    };
    expect([answers(0), answers(0), answers(0), answers(10), answers(1000)]).toEqual([32, 32, 0, 10, 32]);
    expect(core.counters().outTooBig).toBe(500);
    expect(SIDE_DESC_COUNT).toBeGreaterThanOrEqual(32);
  });
});

describe(`fragments (SEED=${SEED})`, () => {
  it('cuts IPv4 without DF into pieces that go together again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 68, max: 1500 }),
        fc.integer({ min: 0, max: 4000 }),
        fc.constantFrom(new Uint8Array(), Uint8Array.of(0x94, 4, 0, 0, 7, 4, 4, 0), Uint8Array.of(7, 3, 4, 1)),
        fc.boolean(),
        fc.constantFrom(0, 800),
        (mtu, n, options, mf, offset) => {
          const core = sender({ mtu });
          const data = Uint8Array.from({ length: mf ? n & ~7 : n }, (_, i) => i * 7);
          const packet = ip4({ source: A, target: B, protocol: 17, id: 4711, tos: 0x28, mf, offset, options }, data);
          const made = inner(core, [packet]);
          if (packet.length <= mtu) {
            expect(made).toEqual([packet]);
            expect(core.counters().outFragments).toBe(0);
            core.close();
            return;
          }
          expect(core.counters()).toMatchObject({ outFragments: made.length, outPackets: 1, outBytes: packet.length });
          let at = offset;
          made.forEach((fragment, i) => {
            const ip = parseIp(fragment); // verifies the header checksum
            expect(fragment.length).toBeLessThanOrEqual(mtu);
            expect(ip).toMatchObject({ source: A, target: B, protocol: 17, tos: 0x28 });
            expect(get16(fragment, 4)).toBe(4711);
            const flags = get16(fragment, 6);
            expect((flags & 0x1fff) * 8).toBe(at);
            expect((flags & 0x2000) !== 0).toBe(mf || i < made.length - 1);
            // Router alert (0x94) is copied, record route (7) only in the first.
            const header = fragment.subarray(20, fragment.length - ip.payload.length);
            if (i === 0) expect(header).toEqual(options);
            else expect(header).toEqual(options[0] === 0x94 ? options.subarray(0, 4) : new Uint8Array());
            at += ip.payload.length;
          });
          expect(concat(...made.map((f) => parseIp(f).payload))).toEqual(data);
          core.close();
        },
      ),
      { seed: SEED, numRuns: 60 },
    );
  });
});

describe('MSS', () => {
  const syn = (options: Uint8Array, flags = 2, family: 4 | 6 = 4, extension = new Uint8Array()) => {
    const [source, target] = family === 4 ? [A, B] : [A6, B6];
    const segment = tcp(
      { source, target, sourcePort: 1, targetPort: 2, sequence: 0xffffffff, flags, options },
      Uint8Array.of(1, 2, 3),
    );
    if (family === 4) return ip4({ source, target, protocol: 6 }, segment);
    return ip6({ source, target, next: extension.length ? 60 : 6 }, concat(extension, segment));
  };
  /** A packet's TCP segment, its checksum verified. */
  const segmentOf = (packet: Uint8Array, skip = 0) => {
    const { source, target, payload } = parseIp(packet);
    const segment = payload.subarray(skip);
    expect(checksum(pseudo(source, target, 6, segment.length), segment)).toBe(0);
    return segment;
  };
  const OPTION = Uint8Array.of(2, 4, 0x05, 0xb4);

  it('is lowered in SYN and SYN-ACK, at every alignment, with the checksum kept right', () => {
    const core = sender({ mss4: 1300, mss6: 1280 });
    for (const nops of [0, 1, 2, 3, 5])
      for (const flags of [0x02, 0x12, 0xc2]) {
        const options = concat(new Uint8Array(nops).fill(1), OPTION, new Uint8Array((8 - nops) & 3));
        expect(get16(segmentOf(inner(core, [syn(options, flags)])[0]!), 22 + nops)).toBe(1300);
        expect(get16(segmentOf(inner(core, [syn(options, flags, 6)])[0]!), 22 + nops)).toBe(1280);
      }
    expect(core.counters().outMssClamped).toBe(30);
  });

  it('is found behind IPv6 extension headers', () => {
    const core = sender({ mss6: 1200 });
    const extension = Uint8Array.of(60, 0, 1, 4, 0, 0, 0, 0, 6, 1, 1, 12, ...new Array<number>(12).fill(0));
    expect(get16(segmentOf(inner(core, [syn(OPTION, 2, 6, extension)])[0]!, 24), 22)).toBe(1200);
  });

  it('leaves alone: lower ones, other segments, later fragments, broken options, a limit of 0', () => {
    const core = sender({ mss4: 1300 });
    const same = [
      syn(Uint8Array.of(2, 4, 5, 0x14)),
      syn(Uint8Array.of(2, 4, 1, 0)),
      syn(OPTION, 0x10),
      syn(Uint8Array.of(0, 2, 4, 5, 0xb4, 0, 0, 0)),
      syn(Uint8Array.of(8, 0, 2, 4, 5, 0xb4, 0, 0)),
      syn(Uint8Array.of(8, 200, 2, 4, 5, 0xb4, 0, 0)),
      syn(Uint8Array.of(2, 3, 5, 0xb4)),
      ip4({ source: A, target: B, protocol: 6, offset: 8 }, segmentOf(syn(OPTION))),
      ip4({ source: A, target: B, protocol: 6 }, Uint8Array.of(0, 1, 0, 2)),
      syn(OPTION, 2, 6),
    ];
    expect(inner(core, same)).toEqual(same);
    expect(core.counters().outMssClamped).toBe(0);
  });

  it('is lowered on arrival, too', () => {
    const core = sender({ mss4: 900 });
    const loop = seal(sender(), [syn(OPTION)]);
    const [packet] = open(
      core,
      loop.map((o) => o.bytes),
    );
    expect(get16(segmentOf(packet!.bytes), 22)).toBe(900);
    expect(core.counters().inMssClamped).toBe(1);
  });
});

describe('DSCP and ECN (RFC 6040)', () => {
  // Rows: inner; columns: outer; Not-ECT, ECT(1), ECT(0), CE as they are numbered. -1: dropped.
  const EGRESS = [
    [0, 0, 0, -1],
    [1, 1, 1, 3],
    [2, 1, 2, 3],
    [3, 3, 3, 3],
  ];

  for (const family of [4, 6] as const)
    it(`IPv${family}: the egress table, with the DSCP of the inner header untouched`, () => {
      const plain = sender();
      for (let innerEcn = 0; innerEcn < 4; innerEcn++)
        for (let outer = 0; outer < 4; outer++) {
          const fields = { tos: 0xb8 | innerEcn };
          const packet =
            family === 4
              ? ip4({ source: A, target: B, protocol: 17, ...fields }, new Uint8Array(5))
              : ip6({ source: A6, target: B6, next: 17, label: 0x12345, ...fields }, new Uint8Array(5));
          const before = plain.counters().inEcn;
          const opened = open(
            plain,
            seal(plain, [packet]).map((o) => o.bytes),
            0x14 | outer,
          );
          const want = EGRESS[innerEcn]![outer]!;
          expect(plain.counters().inEcn - before).toBe(want < 0 ? 1 : 0);
          if (want < 0) expect(opened).toEqual([]);
          else {
            // parseIp verifies the IPv4 checksum.
            expect(parseIp(opened[0]!.bytes).tos).toBe(0xb8 | want);
            const rest = (bytes: Uint8Array) => bytes.slice(family === 4 ? 12 : 2);
            expect(rest(opened[0]!.bytes)).toEqual(rest(packet));
          }
        }
    });

  it('gre-tunnel: a mark on either header reaches the inner packet', () => {
    const gre = { key: null, checksum: false, sequence: false, nextSequence: 0 };
    const shape = { shape: 'gre-tunnel', gre, delivery: { local: A, remote: A } } as const;
    const core = sender(shape);
    const packet = ip4({ source: A, target: B, protocol: 17, tos: 0x2a }, new Uint8Array(5));
    for (const [outer, want] of [
      [0, 2],
      [1, 1],
      [2, 2],
      [3, 3],
    ] as const) {
      const sealed = seal(core, [packet]);
      expect(sealed[0]!.aux & 0xff).toBe(2);
      expect(parseIp(openEsp(OUTBOUND, sealed[0]!.bytes)!.payload).tos).toBe(2);
      expect(parseIp(open(core, [sealed[0]!.bytes], outer)[0]!.bytes).tos).toBe(0x28 | want);
    }
    // Not-ECT inside and in the delivery header: CE outside drops it.
    const plain = ip4({ source: A, target: B, protocol: 17 }, new Uint8Array(5));
    expect(open(core, [seal(core, [plain])[0]!.bytes], 3)).toEqual([]);
    expect(core.counters().inEcn).toBe(1);
  });
});

describe('the choice of tunnel', () => {
  const only = (text: string, bits: number, more: Partial<Selector> = {}): Selector => ({
    ...selectorOf({ address: address(text), bits }),
    ...more,
  });
  const chosen = (core: Core, packet: Uint8Array) => {
    place(core, [packet], 0);
    const { out } = core.seal(1, 0);
    return out ? (outputs(core, 1)[0]!.aux >>> 8) & 15 : -1;
  };
  const make = (remotes: readonly (readonly Selector[])[], local: readonly Selector[] = ANY) => {
    const core = newCore();
    remotes.forEach((remote, tunnel) => {
      core.configureTunnel(tunnel, { ...TUNNEL, local, remote });
      core.installOutbound(tunnel, { ...OUTBOUND, tunnel });
      core.activateOutbound(tunnel, tunnel);
    });
    return core;
  };
  const to = (target: Uint8Array, protocol = 17, payload = new Uint8Array(8)) =>
    target.length === 4
      ? ip4({ source: A, target, protocol }, payload)
      : ip6({ source: A6, target, next: protocol }, payload);

  it('takes the first whose selectors match, by ranges inclusive at both ends', () => {
    const core = make([[only('10.1.0.0', 16)], [only('10.0.0.0', 8), only('2001:db8::', 32)], [only('fd00::', 8)]]);
    const cases: readonly (readonly [string, number])[] = [
      ['10.1.0.0', 0],
      ['10.1.255.255', 0],
      ['10.0.255.255', 1],
      ['10.2.0.0', 1],
      ['11.0.0.0', -1],
      ['9.255.255.255', -1],
      ['2001:db8::', 1],
      ['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 1],
      ['2001:db9::', -1],
      ['2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', -1],
      ['fdff::1', 2],
    ];
    for (const [target, tunnel] of cases) expect(chosen(core, to(address(target))), target).toBe(tunnel);
    expect(core.counters().outNoTunnel).toBe(cases.filter(([, tunnel]) => tunnel < 0).length);
  });

  it('compares protocol and ports; a fragment without ports matches only any or OPAQUE', () => {
    const any = '0.0.0.0';
    const core = make([
      [only(any, 0, { protocol: 6, startPort: 80, endPort: 89 })],
      [only(any, 0, { protocol: 17, startPort: 65535, endPort: 0 })],
      [only(any, 0, { protocol: 1, startPort: 0x0800, endPort: 0x08ff })],
    ]);
    const ports = (target: number) => Uint8Array.of(0, 85, target >> 8, target & 255, 0, 0, 0, 0);
    expect([79, 80, 89, 90].map((port) => chosen(core, to(B, 6, ports(port))))).toEqual([-1, 0, 0, -1]);
    // The local side has no port limits here, so only the destination port counts.
    expect(chosen(core, to(B, 17, ports(80)))).toBe(-1);
    expect(chosen(core, ip4({ source: A, target: B, protocol: 17, offset: 8 }, ports(80)))).toBe(1);
    expect(chosen(core, ip4({ source: A, target: B, protocol: 6, offset: 8 }, ports(80)))).toBe(-1);
    expect(chosen(core, to(B, 1, Uint8Array.of(8, 0, 0, 0)))).toBe(2);
    expect(chosen(core, to(B, 1, Uint8Array.of(0, 0, 0, 0)))).toBe(-1);
  });

  it('without an SA, or with a removed one, drops and counts', () => {
    const core = make([[only('10.0.0.0', 8)]]);
    core.removeOutbound(0);
    expect(chosen(core, to(address('10.0.0.1')))).toBe(-1);
    expect(counted(core)).toEqual({ outNoSa: 1 });
  });
});

describe('room', () => {
  it('stops when OUT is full and goes on with the rest, losing and repeating nothing', () => {
    const core = sender({ mtu: 9000 });
    const big = ip4({ source: A, target: B, protocol: 17, df: true }, new Uint8Array(8200));
    let given = 0;
    const sequences: bigint[] = [];
    while (given < 400) {
      place(core, new Array<Uint8Array>(Math.min(120, 400 - given)).fill(big), 0);
      // The table says 400, all of the same place.
      const entry = core.words.slice(0x4000 >> 2, (0x4000 >> 2) + 4);
      for (let i = 0; i < 400 - given; i++) core.words.set(entry, (0x4000 >> 2) + 4 * i);
      const { consumed, out } = core.seal(400 - given, 0);
      expect(out).toBe(consumed);
      for (const o of outputs(core, out)) sequences.push(openEsp(OUTBOUND, o.bytes)!.sequence);
      given += consumed;
      expect(out * 8252).toBeLessThanOrEqual(OUT_BYTES);
    }
    expect(sequences).toEqual(Array.from({ length: 400 }, (_, i) => BigInt(i + 1)));
    expect(core.counters()).toMatchObject({ outPackets: 400, outNoRoom: 0 });
  });

  it('drops what never fits, and says so', () => {
    const core = sender({ mtu: 68 });
    // 48 bytes of payload a piece: exactly as many pieces as the table has entries, then one more.
    const most = ip4({ source: A, target: B, protocol: 17 }, new Uint8Array(48 * OUT_DESC_COUNT));
    place(core, [most], 0);
    expect(core.seal(1, 0)).toEqual({ consumed: 1, out: OUT_DESC_COUNT, side: 0 });
    const huge = ip4({ source: A, target: B, protocol: 17 }, new Uint8Array(48 * OUT_DESC_COUNT + 1));
    place(core, [huge], 0);
    expect(core.seal(1, 0)).toEqual({ consumed: 1, out: 0, side: 0 });
    expect(core.counters().outNoRoom).toBe(1);
  });
});

describe('dummies (RFC 4303 §2.6)', () => {
  it('are appended, opened and silently counted', () => {
    const core = sender();
    const packet = ip4({ source: A, target: B, protocol: 17 }, udp(A, B, 1, 2, new Uint8Array(3)));
    place(core, [packet], 0);
    const result = core.seal(1, 0);
    expect(core.sealDummy(0, 0)).toBe(true);
    expect(core.sealDummy(0, 333)).toBe(true);
    expect(result.out).toBe(3);
    const sealed = outputs(core, 3);
    expect(sealed.map((o) => openEsp(OUTBOUND, o.bytes)?.next)).toEqual([4, 59, 59]);
    expect(openEsp(OUTBOUND, sealed[2]!.bytes)?.payload).toHaveLength(333);
    expect(
      open(
        core,
        sealed.map((o) => o.bytes),
      ),
    ).toHaveLength(1);
    expect(core.counters()).toMatchObject({ outDummies: 2, outPackets: 1, inDummies: 2, inPackets: 1 });
  });

  it('need an SA', () => {
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    expect(core.sealDummy(0, 9)).toBe(false);
    expect(counted(core)).toEqual({ outNoSa: 1 });
  });
});

describe('keys', () => {
  it('leave no trace in the parameter block, and none anywhere after close', () => {
    const core = sender();
    const find = (bytes: Uint8Array) => Buffer.from(bytes).includes(Buffer.from(OUTBOUND.key));
    expect(find(core.bytes.subarray(PARAMS, PARAMS + PARAMS_BYTES))).toBe(false);
    core.close();
    expect(core.bytes.every((byte) => byte === 0)).toBe(true);
    expect(() => core.seal(0, 0)).toThrow(/after close/);
    expect(() => core.counters()).not.toThrow();
  });

  it('are gone from memory when their SA is removed', () => {
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    // ChaCha20's key stays as it is in the context, so that it can be looked for.
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0xe0 - i);
    const find = () => Buffer.from(core.bytes).includes(Buffer.from(key));
    core.installOutbound(0, { ...OUTBOUND, cipher: 'chacha20-poly1305', key });
    expect(find()).toBe(true);
    core.removeOutbound(0);
    expect(find()).toBe(false);
    core.installInbound(0, { ...INBOUND, cipher: 'chacha20-poly1305', key });
    core.removeTunnel(0);
    expect(find()).toBe(false);
  });
});
