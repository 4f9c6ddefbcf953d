// TUN packets with a virtio_net_hdr: checksums completed, super-packets cut, headers left room for.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUX_GRE, AUX_VNET, IN, IN_DESC, OUT_DESC, SIDE_DESC } from '../../assembly/layout.ts';
import type { Core, TunnelParams } from '../../main/core/api.ts';
import { checksum, concat, get16, get32, gre, ip4, ip6, parseIp, pseudo, tcp, udp } from '../reference/ip.ts';
import { openEsp } from '../reference/packet.ts';
import { address, counted, INBOUND, newCore, OUTBOUND, open, outputs, seal, TUNNEL } from './harness.ts';

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
  return core;
}

/** flags, gso_type, hdr_len, gso_size, csum_start, csum_offset (little-endian). */
function header(flags: number, type: number, size: number, start: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  bytes[0] = flags;
  bytes[1] = type;
  view.setUint16(4, size, true);
  view.setUint16(6, start, true);
  view.setUint16(8, offset, true);
  return bytes;
}

/** One packet, however long, at IN; what was sealed, opened by the oracle. */
function sealOne(core: Core, packet: Uint8Array): Uint8Array[] {
  core.bytes.set(packet, IN);
  core.words.set([IN, 66560, packet.length, AUX_VNET], IN_DESC >> 2);
  const { consumed, out } = core.seal(1, 0);
  expect(consumed).toBe(1);
  return outputs(core, out).map((o) => openEsp(OUTBOUND, o.bytes)!.payload);
}

/** Replaces the checksum at `at` by the folded pseudo-header sum, as the kernel does (CHECKSUM_PARTIAL). */
function partial(packet: Uint8Array, at: number, protocol: number): Uint8Array {
  const copy = Uint8Array.from(packet);
  const { source, target, payload } = parseIp(packet);
  new DataView(copy.buffer).setUint16(at, ~checksum(pseudo(source, target, protocol, payload.length)) & 0xffff);
  return copy;
}

describe(`virtio_net_hdr (SEED=${SEED})`, () => {
  it('completes partial checksums of TCP and UDP, IPv4 and IPv6', () => {
    const core = sender();
    for (const [source, target] of [
      [A, B],
      [A6, B6],
    ] as const)
      for (const n of [0, 1, 2, 999]) {
        const data = Uint8Array.from({ length: n }, (_, i) => i * 3);
        const wrap = (protocol: number, upper: Uint8Array) =>
          source.length === 4
            ? ip4({ source, target, protocol }, upper)
            : ip6({ source, target, next: protocol }, upper);
        const start = source.length === 4 ? 20 : 40;
        const segment = wrap(
          6,
          tcp(
            { source, target, sourcePort: 1, targetPort: 2, sequence: 3, flags: 16, options: new Uint8Array() },
            data,
          ),
        );
        expect(sealOne(core, concat(header(1, 0, 0, start, 16), partial(segment, start + 16, 6)))).toEqual([segment]);
        const datagram = wrap(17, udp(source, target, 1, 2, data));
        expect(sealOne(core, concat(header(1, 0, 0, start, 6), partial(datagram, start + 6, 17)))).toEqual([datagram]);
        // Without the flag nothing is touched.
        expect(sealOne(core, concat(header(0, 0, 0, start, 16), segment))).toEqual([segment]);
      }
  });

  it('a UDP checksum that computes to zero is sent as all ones (RFC 768)', () => {
    const core = sender();
    const without = udp(A, B, 1, 2, Uint8Array.of(0, 0));
    const data = Uint8Array.of(get16(without, 6) >> 8, get16(without, 6) & 255);
    const datagram = ip4({ source: A, target: B, protocol: 17 }, udp(A, B, 1, 2, data));
    expect(get16(datagram, 26)).toBe(0xffff);
    expect(sealOne(core, concat(header(1, 0, 0, 20, 6), partial(datagram, 26, 17)))).toEqual([datagram]);
  });

  it('cuts TCP super-packets into the segments a network card would make', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(4 as const, 6 as const),
        fc.integer({ min: 1, max: 65000 }),
        fc.integer({ min: 100, max: 1340 }),
        fc.constantFrom(new Uint8Array(), new Uint8Array(12).fill(1), new Uint8Array(40).fill(1)),
        fc.constantFrom(0x10, 0x18, 0x19, 0x98, 0x99),
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.boolean(),
        (family, n, size, options, flags, sequence, id, gate) => {
          const key = gate ? 77 : null;
          const core = sender({
            mtu: 1440,
            ...(gate ? { shape: 'gre-transport', gre: { key, checksum: true, sequence: true, nextSequence: 0 } } : {}),
          });
          const [source, target] = family === 4 ? [A, B] : [A6, B6];
          const data = Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
          const wrap = (upper: Uint8Array, number: number) =>
            family === 4
              ? ip4({ source, target, protocol: 6, df: true, id: number & 0xffff, tos: 2 }, upper)
              : ip6({ source, target, next: 6, label: 0x54321, tos: 2 }, upper);
          const segment = (at: number, part: Uint8Array, f: number) =>
            tcp(
              { source, target, sourcePort: 1, targetPort: 2, sequence: (sequence + at) % 2 ** 32, flags: f, options },
              part,
            );
          const start = family === 4 ? 20 : 40;
          const whole = partial(wrap(segment(0, data, flags), id), start + 16, 6);
          const made = sealOne(core, concat(header(1, family === 4 ? 1 : 4, size, start, 16), whole));
          const want: Uint8Array[] = [];
          for (let at = 0; at < n; at += size) {
            const last = at + size >= n;
            // FIN and PSH on the last, CWR on the first.
            const f = flags & (last ? 0xff : ~0x09) & (at === 0 ? 0xff : ~0x80);
            want.push(wrap(segment(at, data.subarray(at, at + size), f), id + want.length));
          }
          if (made.length === 0 && want.length > 500) return;
          expect(made.map((m) => (gate ? m.subarray(16) : m))).toEqual(want);
          if (gate)
            made.forEach((m, i) => {
              expect(get32(m, 12)).toBe(i);
              expect(checksum(m)).toBe(0);
            });
          expect(core.counters()).toMatchObject({
            outPackets: want.length,
            outBytes: want.reduce((s, w) => s + w.length, 0),
          });
          core.close();
        },
      ),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('answers a super-packet whose segments do not fit, or makes shorter ones where DF is off', () => {
    const data = new Uint8Array(5000).fill(3);
    const segment = tcp(
      { source: A, target: B, sourcePort: 1, targetPort: 2, sequence: 0, flags: 16, options: new Uint8Array() },
      data,
    );
    const of = (df: boolean) =>
      concat(header(1, 1, 1400, 20, 16), partial(ip4({ source: A, target: B, protocol: 6, df }, segment), 36, 6));
    const core = sender({ mtu: 1000 });
    core.configureVnet(true);
    expect(sealOne(core, of(true))).toEqual([]);
    expect(counted(core)).toEqual({ outTooBig: 1 });
    const [offset, , length] = core.words.subarray(SIDE_DESC >> 2);
    const error = core.bytes.slice(offset, offset! + length!);
    expect(error.subarray(0, 10)).toEqual(new Uint8Array(10));
    expect(get16(parseIp(error.subarray(10)).payload, 6)).toBe(1000);
    const made = sealOne(core, of(false));
    expect(made.map((m) => m.length)).toEqual([1000, 1000, 1000, 1000, 1000, 240]);
    expect(concat(...made.map((m) => m.subarray(40)))).toEqual(data);
  });

  it('drops headers that lie: wrong family, UDP fragmentation offload, checksums outside, no size', () => {
    const core = sender();
    const segment = ip4(
      { source: A, target: B, protocol: 6 },
      tcp(
        { source: A, target: B, sourcePort: 1, targetPort: 2, sequence: 0, flags: 16, options: new Uint8Array() },
        new Uint8Array(100),
      ),
    );
    const datagram = ip4({ source: A, target: B, protocol: 17 }, udp(A, B, 1, 2, new Uint8Array(100)));
    const lies = [
      concat(header(1, 4, 50, 20, 16), segment),
      concat(header(1, 3, 50, 20, 6), datagram),
      concat(header(1, 1, 50, 20, 6), datagram),
      concat(header(1, 5, 50, 20, 6), segment),
      concat(header(1, 1, 0, 20, 16), segment),
      concat(header(1, 0, 0, 20, 119), segment),
      concat(header(1, 0, 0, 0xffff, 0xffff), segment),
      header(0, 0, 0, 0, 0),
      header(0, 0, 0, 0, 0).subarray(0, 9),
    ];
    for (const lie of lies) expect(sealOne(core, lie)).toEqual([]);
    expect(counted(core)).toEqual({ outBadInner: lies.length });
  });

  it('open puts an empty header in front, also where plain GRE leaves too little room', () => {
    const core = sender();
    core.installInbound(0, INBOUND);
    core.configureVnet(true);
    const packet = ip4({ source: B, target: A, protocol: 17 }, new Uint8Array(50).fill(8));
    const sealed = seal(core, [packet, packet]);
    const opened = open(
      core,
      sealed.map((o) => o.bytes),
    );
    expect(opened.map((o) => o.bytes)).toEqual([
      concat(new Uint8Array(10), packet),
      concat(new Uint8Array(10), packet),
    ]);
    core.configureTunnel(1, {
      ...TUNNEL,
      shape: 'gre-plain',
      gre: { key: null, checksum: false, sequence: false, nextSequence: 0 },
    });
    const plain = gre({ key: null, checksum: false, sequence: null, protocol: 0x0800 }, packet);
    expect(open(core, [plain], AUX_GRE)[0]?.bytes).toEqual(concat(new Uint8Array(10), packet));
    // A slot without a spare byte: the packet cannot be moved.
    core.bytes.set(plain, IN);
    core.words.set([IN, plain.length, plain.length, AUX_GRE], IN_DESC >> 2);
    expect(core.open(1, 0).out).toBe(0);
    expect(core.counters().inNoRoom).toBe(1);
    core.configureVnet(false);
    expect(open(core, [plain], AUX_GRE)[0]?.bytes).toEqual(packet);
    expect(core.words[OUT_DESC >> 2]).toBe(IN + 4);
  });

  it('a packet given again for want of room is not summed twice', () => {
    const core = sender();
    const segment = {
      source: A,
      target: B,
      sourcePort: 1,
      targetPort: 2,
      sequence: 3,
      flags: 16,
      options: new Uint8Array(),
    };
    const whole = ip4({ source: A, target: B, protocol: 6 }, tcp(segment, new Uint8Array(800).fill(5)));
    const input = concat(header(1, 0, 0, 20, 16), partial(whole, 36, 6));
    core.bytes.set(input, IN);
    core.words.set([IN, 9000, input.length, AUX_VNET], IN_DESC >> 2);
    for (let round = 0; round < 2; round++)
      expect(openEsp(OUTBOUND, outputs(core, core.seal(1, 0).out)[0]!.bytes)?.payload).toEqual(whole);
  });
});
