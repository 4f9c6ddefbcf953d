// Every shape × inner family × delivery family × cipher × ESN × GRE flags, random packets, against the slow oracle, both ways.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUX_GRE, AUX_OUTER_DF, AUX_RAW4, AUX_UDP } from '../../assembly/layout.ts';
import type { Core, EspCipher, EspIntegrity, GreParams, OuterDf, Shape, TunnelParams } from '../../main/core/api.ts';
import { padTo } from '../reference/esp.ts';
import { concat, get16, get32, ip4, ip6, parseGre, parseIp, tcp, udp } from '../reference/ip.ts';
import { decapsulate, encapsulate, openEsp, sealEsp } from '../reference/packet.ts';
import { address, counted, INBOUND, newCore, OUTBOUND, open, outputs, place, seal, TUNNEL } from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);

const LOCAL = { 4: address('10.88.0.2'), 6: address('fd00:88::2') };
const REMOTE = { 4: address('203.0.113.9'), 6: address('2001:db8:9::1') };
const DELIVERY_LOCAL = { 4: address('10.99.7.1'), 6: address('fd00:99::1') };
const DELIVERY_REMOTE = { 4: address('10.77.0.1'), 6: address('fd00:77::1') };

/** Bytes of key; of salt, integrity algorithm and its key's bytes where they are not an AEAD's. */
const KEYS: readonly (readonly [EspCipher, number, (readonly [number, EspIntegrity, number])?])[] = [
  ['aes-gcm-16', 16],
  ['aes-gcm-16', 24],
  ['aes-gcm-16', 32],
  ['chacha20-poly1305', 32],
  // transforms.test.ts has all the others.
  ['aes-cbc', 32, [0, 'hmac-sha2-256-128', 32]],
  ['aes-ctr', 16, [4, 'hmac-sha2-512-256', 64]],
];

function* configurations() {
  for (const shape of ['gre-transport', 'gre-tunnel', 'esp-tunnel', 'gre-plain'] as const)
    for (const delivery of shape === 'gre-tunnel' ? ([4, 6] as const) : [null])
      for (const [cipher, keyBytes, integrity] of shape === 'gre-plain' ? KEYS.slice(0, 1) : KEYS)
        for (const esn of shape === 'gre-plain' ? [false] : [false, true])
          yield { shape, delivery, cipher, keyBytes, integrity, esn };
}

interface Case {
  readonly family: 4 | 6;
  readonly tos: number;
  readonly df: boolean;
  readonly options: number;
  readonly kind: 'tcp' | 'udp';
  readonly payload: Uint8Array;
}

const cases: fc.Arbitrary<Case> = fc.record({
  family: fc.constantFrom(4 as const, 6 as const),
  tos: fc.integer({ min: 0, max: 255 }),
  df: fc.boolean(),
  options: fc.constantFrom(0, 0, 4, 40),
  kind: fc.constantFrom('tcp' as const, 'udp' as const),
  payload: fc.uint8Array({ maxLength: 1300, size: 'max' }),
});

const gres: fc.Arbitrary<GreParams> = fc.record({
  key: fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: null }),
  checksum: fc.boolean(),
  sequence: fc.boolean(),
  nextSequence: fc.constantFrom(0, 1, 0x7fffffff, 0xffffffff),
});

function packetOf(c: Case, source: Uint8Array, target: Uint8Array): Uint8Array {
  const upper =
    c.kind === 'udp'
      ? udp(source, target, 4000, 53, c.payload)
      : tcp(
          { source, target, sourcePort: 4000, targetPort: 80, sequence: 7, flags: 0x18, options: new Uint8Array() },
          c.payload,
        );
  const protocol = c.kind === 'udp' ? 17 : 6;
  if (c.family === 6) return ip6({ source, target, next: protocol, tos: c.tos, label: 0xabcde }, upper);
  // Options that mean nothing: NOPs.
  return ip4(
    { source, target, protocol, tos: c.tos, df: c.df, id: 77, options: new Uint8Array(c.options).fill(1) },
    upper,
  );
}

function tunnelOf(
  shape: Shape,
  delivery: 4 | 6 | null,
  gre: GreParams,
  copyDscp: boolean,
  outerDf?: OuterDf,
): TunnelParams {
  return {
    ...TUNNEL,
    shape,
    gre: shape === 'esp-tunnel' ? null : gre,
    delivery: delivery ? { local: DELIVERY_LOCAL[delivery], remote: DELIVERY_REMOTE[delivery] } : null,
    copyDscp,
    outerDf,
    ttl: 99,
  };
}

const dfs = fc.constantFrom<OuterDf | undefined>(undefined, 'set', 'clear', 'copy');

/** What RFC 2003, RFC 6864, RFC 6040 and RFC 6438 want of the delivery header. */
function checkDelivery(header: Uint8Array, delivery: 4 | 6, whole: boolean, tos: number, id: number): void {
  const ip = parseIp(header);
  expect(ip.source).toEqual(DELIVERY_LOCAL[delivery]);
  expect(ip.target).toEqual(DELIVERY_REMOTE[delivery]);
  expect(ip.tos).toBe(tos);
  if (delivery === 4) {
    expect(header[8]).toBe(99);
    expect(get16(header, 6)).toBe(whole ? 0x4000 : 0);
    expect(get16(header, 4)).toBe(whole ? 0 : id);
  } else {
    expect(header[7]).toBe(99);
    expect(get32(header, 0) & 0xfffff).not.toBe(0);
  }
}

describe(`shapes (SEED=${SEED})`, () => {
  for (const { shape, delivery, cipher, keyBytes, integrity, esn } of configurations()) {
    const name = `${shape}${delivery ? ` over IPv${delivery}` : ''} ${cipher} ${keyBytes * 8}${esn ? ' ESN' : ''}`;
    const key = Uint8Array.from({ length: keyBytes }, (_, i) => (i * 31 + 5) & 0xff);
    const sa = {
      ...{ ...OUTBOUND, cipher, key, esn },
      ...(integrity && {
        salt: OUTBOUND.salt.subarray(0, integrity[0]),
        integrity: integrity[1],
        integrityKey: Uint8Array.from({ length: integrity[2] }, (_, i) => (i * 17 + 3) & 0xff),
      }),
    };

    const prepare = (gre: GreParams, copyDscp: boolean, outerDf?: OuterDf): Core => {
      const core = newCore();
      core.configureTunnel(0, tunnelOf(shape, delivery, gre, copyDscp, outerDf));
      if (shape !== 'gre-plain') {
        core.installOutbound(2, sa);
        core.activateOutbound(0, 2);
        core.installInbound(9, { ...INBOUND, ...sa });
      }
      return core;
    };

    it(`${name}: the oracle reads what is sealed`, () => {
      fc.assert(
        fc.property(
          gres,
          fc.boolean(),
          dfs,
          fc.array(cases, { minLength: 1, maxLength: 12 }),
          (gre, copyDscp, df, list) => {
            const core = prepare(gre, copyDscp, df);
            const packets = list.map((c) => packetOf(c, LOCAL[c.family], REMOTE[c.family]));
            const sealed = seal(core, packets);
            expect(sealed.length).toBe(packets.length);
            let id = 0;
            list.forEach((c, i) => {
              const { bytes, aux } = sealed[i]!;
              const tos = copyDscp ? c.tos : c.tos & 3;
              const whole = c.family === 6 || c.df;
              expect(aux & 0xff).toBe(tos);
              // RFC 4301 §8.1; "set" where nothing is said. What is inside has its own DF all the same (checkDelivery).
              expect((aux & AUX_OUTER_DF) !== 0).toBe(df === 'copy' ? whole : df !== 'clear');
              let payload = bytes;
              let next = 47;
              if (shape !== 'gre-plain') {
                const opened = openEsp(sa, bytes);
                if (!opened) throw new Error('the oracle cannot open it');
                expect(opened.sequence).toBe(BigInt(i + 1));
                expect((aux >>> 12) & 15).toBe(2);
                ({ payload, next } = opened);
              }
              expect(decapsulate(payload, next, shape)).toEqual(packets[i]);
              if (delivery) checkDelivery(payload, delivery, whole, tos, id);
              if (!whole) id++;
              if (shape === 'esp-tunnel') expect(next).toBe(c.family === 4 ? 4 : 41);
              else {
                const header = parseGre(delivery ? parseIp(payload).payload : payload);
                expect(header.key).toBe(gre.key);
                expect(header.checksum).toBe(gre.checksum);
                expect(header.sequence).toBe(gre.sequence ? (gre.nextSequence + i) % 2 ** 32 : null);
                expect(header.protocol).toBe(c.family === 4 ? 0x0800 : 0x86dd);
              }
            });
            if (gre.sequence && shape !== 'esp-tunnel')
              expect(core.greSequence(0)).toBe((gre.nextSequence + list.length) % 2 ** 32);
            expect(counted(core).outPackets).toBe(list.length);
            core.close();
          },
        ),
        { seed: SEED, numRuns: 8 },
      );
    });

    it(`${name}: opens what the oracle seals`, () => {
      fc.assert(
        fc.property(
          gres,
          fc.array(cases, { minLength: 1, maxLength: 12 }),
          fc.integer({ min: 0, max: 60 }),
          (gre, list, extra) => {
            const core = prepare(gre, false);
            // Inner packets that are ECN-capable or not, outer headers that say nothing: the inner field stands.
            const packets = list.map((c) => packetOf(c, REMOTE[c.family], LOCAL[c.family]));
            const datagrams = packets.map((inner, i) => {
              const { payload, next } = encapsulate(inner, {
                shape,
                gre,
                greSequence: (gre.nextSequence + i) >>> 0,
                source: delivery && DELIVERY_REMOTE[delivery],
                target: delivery && DELIVERY_LOCAL[delivery],
                tos: 0,
              });
              if (shape === 'gre-plain') return payload;
              // Any IV, and more padding than need be.
              return sealEsp(sa, BigInt(i + 1), payload, next, {
                iv: BigInt(i * 977 + 5),
                extraPadding: (extra % (240 / padTo(sa))) * padTo(sa),
              });
            });
            const raw = list.map((c) => c.df);
            const source = address('192.0.2.1');
            const target = address('192.0.2.2');
            const inputs = datagrams.map((d, i) =>
              raw[i]
                ? ip4(
                    { source, target, protocol: shape === 'gre-plain' ? 47 : 50, options: new Uint8Array(4).fill(1) },
                    d,
                  )
                : d,
            );
            const plain = shape === 'gre-plain' ? AUX_GRE : 0;
            const aux = raw.map((r) => plain | (r ? AUX_RAW4 : plain ? 0 : AUX_UDP));
            const opened = open(core, inputs, aux);
            expect(counted(core)).toEqual({
              inPackets: list.length,
              inBytes: packets.reduce((n, p) => n + p.length, 0),
            });
            expect(opened.map((o) => o.bytes)).toEqual(packets);
            for (const o of opened) expect((o.aux >>> 16) & 0xff).toBe(shape === 'gre-plain' ? 0 : 9);
            core.close();
          },
        ),
        { seed: SEED, numRuns: 8 },
      );
    });
  }

  it('packs datagrams of one SA without gaps, so that they are segments of one message', () => {
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    core.installOutbound(0, OUTBOUND);
    core.activateOutbound(0, 0);
    const inner = ip4({ source: LOCAL[4], target: REMOTE[4], protocol: 17 }, new Uint8Array(101));
    place(core, new Array<Uint8Array>(100).fill(inner), 0);
    const sealed = outputs(core, core.seal(100, 0).out);
    sealed.forEach((o, i) => {
      if (i > 0) expect(o.offset).toBe(sealed[i - 1]!.offset + sealed[i - 1]!.bytes.length);
      expect(openEsp(OUTBOUND, o.bytes)?.payload).toEqual(inner);
    });
  });

  it('changes the SA in the middle of a batch, and keeps order', () => {
    const core = newCore();
    const half = (text: string) => ({
      protocol: 0,
      startPort: 0,
      endPort: 65535,
      start: address(text),
      end: address(text),
    });
    core.configureTunnel(0, { ...TUNNEL, remote: [half('203.0.113.9')] });
    core.configureTunnel(1, { ...TUNNEL, remote: [half('203.0.113.10')] });
    const other = {
      ...OUTBOUND,
      spi: 0x1000,
      tunnel: 1,
      cipher: 'chacha20-poly1305',
      key: new Uint8Array(32).fill(9),
    } as const;
    core.installOutbound(0, OUTBOUND);
    core.installOutbound(1, other);
    core.activateOutbound(0, 0);
    core.activateOutbound(1, 1);
    const inner = Array.from({ length: 90 }, (_, i) =>
      ip4(
        { source: LOCAL[4], target: address(i % 7 < 4 ? '203.0.113.9' : '203.0.113.10'), protocol: 17, id: i },
        new Uint8Array(i),
      ),
    );
    const sealed = seal(core, inner);
    expect(sealed.map((o, i) => openEsp(i % 7 < 4 ? OUTBOUND : other, o.bytes)?.payload)).toEqual(inner);
    core.installInbound(0, INBOUND);
    core.installInbound(1, { ...INBOUND, ...other });
    core.configureTunnel(0, { ...TUNNEL, local: [half('203.0.113.9')] });
    core.configureTunnel(1, { ...TUNNEL, local: [half('203.0.113.10')] });
    expect(
      open(
        core,
        sealed.map((o) => o.bytes),
      ).map((o) => o.bytes),
    ).toEqual(inner);
    expect(concat(...inner).length).toBe(core.counters().inBytes);
  });
});
