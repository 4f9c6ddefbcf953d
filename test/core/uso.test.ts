// UDP super-datagrams from the TUN (GSO_UDP_L4), cut while they are sealed.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUX_VNET, IN, IN_DESC, OUT, OUT_BYTES, SIDE_DESC } from '../../assembly/layout.ts';
import type { Core, TunnelParams } from '../../main/core/api.ts';
import { cut } from '../reference/gso.ts';
import { checksum, concat, get16, ip4, ip6, parseIp, pseudo, tcp, udp } from '../reference/ip.ts';
import { openEsp } from '../reference/packet.ts';
import { address, counted, newCore, OUTBOUND, outputs, TUNNEL } from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const HOSTS = {
  4: [address('10.88.0.2'), address('203.0.113.9')],
  6: [address('fd00:88::2'), address('2001:db8:9::1')],
} as const;

function sender(params: Partial<TunnelParams> = {}): Core {
  const core = newCore();
  core.configureTunnel(0, { ...TUNNEL, ...params });
  core.installOutbound(0, OUTBOUND);
  core.activateOutbound(0, 0);
  return core;
}

interface Super {
  readonly family: 4 | 6;
  readonly n: number;
  readonly size: number;
  readonly id?: number;
  readonly df?: boolean;
  readonly options?: number;
  readonly summed?: boolean;
}

function superOf({ family, n, size, id = 0, df = true, options = 0, summed = true }: Super): Uint8Array {
  const [source, target] = HOSTS[family];
  const upper = udp(
    source,
    target,
    40_000,
    443,
    Uint8Array.from({ length: n }, (_, i) => i * 31 + (i >> 8)),
  );
  const sum = summed ? ~checksum(pseudo(source, target, 17, upper.length)) & 0xffff : 0;
  new DataView(upper.buffer).setUint16(6, sum);
  const inner =
    family === 4
      ? ip4({ source, target, protocol: 17, df, id, tos: 1, options: new Uint8Array(options).fill(1) }, upper)
      : ip6({ source, target, next: 17, label: 0x54321, tos: 1 }, upper);
  const vnet = new DataView(new ArrayBuffer(10));
  const start = inner.length - upper.length;
  vnet.setUint8(0, summed ? 1 : 0);
  vnet.setUint8(1, 5);
  vnet.setUint16(2, start + 8, true);
  vnet.setUint16(4, size, true);
  vnet.setUint16(6, summed ? start : 0, true);
  vnet.setUint16(8, summed ? 6 : 0, true);
  return concat(new Uint8Array(vnet.buffer), inner);
}

/** What becomes of one packet off the TUN, opened by the oracle. OUT is dirty before. */
function sealOne(core: Core, packet: Uint8Array): Uint8Array[] {
  core.bytes.fill(0xee, OUT, OUT + OUT_BYTES);
  core.bytes.set(packet, IN);
  core.words.set([IN, 66_560, packet.length, AUX_VNET], IN_DESC >> 2);
  const { consumed, out } = core.seal(1, 0);
  expect(consumed).toBe(1);
  return outputs(core, out).map((o) => openEsp(OUTBOUND, o.bytes)!.payload);
}

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const { cases } = JSON.parse(readFileSync(new URL('../vectors/uso-scapy.json', import.meta.url), 'utf8')) as {
  cases: { name: string; tun: string; datagrams: string[] }[];
};

describe(`UDP super-datagrams (SEED=${SEED})`, () => {
  it.each(cases)('become the datagrams that scapy makes: $name', ({ tun, datagrams }) => {
    const core = sender();
    expect(sealOne(core, bytes(tun))).toEqual(datagrams.map(bytes));
    const total = datagrams.reduce((sum, hex) => sum + hex.length / 2, 0);
    expect(counted(core)).toEqual({ outPackets: datagrams.length, outCut: datagrams.length - 1, outBytes: total });
  });

  it('of any size become what the oracle cuts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(4 as const, 6 as const),
        fc.integer({ min: 1, max: 65_000 }),
        fc.integer({ min: 200, max: 1340 }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.constantFrom(0, 4, 40),
        (family, n, size, id, options) => {
          const core = sender({ mtu: 1440 });
          const packet = superOf({ family, n, size, id, options });
          const made = sealOne(core, packet);
          // A datagram that is all there is to cut is no super-datagram; its checksum is completed all the same.
          const want = n > size ? cut(packet) : [];
          if (n > size) expect(made).toEqual(want);
          else expect(made.map((m) => checksum(pseudoOf(m), parseIp(m).payload))).toEqual([0]);
          core.close();
        },
      ),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('without a checksum become datagrams without one, over either IP', () => {
    for (const family of [4, 6] as const) {
      const made = sealOne(sender(), superOf({ family, n: 1000, size: 400, summed: false }));
      expect(made.map((m) => get16(parseIp(m).payload, 6))).toEqual([0, 0, 0]);
      expect(made.map((m) => get16(parseIp(m).payload, 4))).toEqual([408, 408, 208]);
    }
  });

  it('with a checksum that computes to zero have it sent as all ones (RFC 768)', () => {
    const [source, target] = HOSTS[4];
    // Two bytes that make the sum of a datagram of these two zero: its checksum with zeros there.
    const zero = get16(udp(source, target, 40_000, 443, new Uint8Array(2)), 6);
    const packet = superOf({ family: 4, n: 4, size: 2 });
    packet.set([zero >> 8, zero & 255, zero >> 8, zero & 255], packet.length - 4);
    const made = sealOne(sender(), packet);
    expect(made.map((m) => get16(m, 26))).toEqual([0xffff, 0xffff]);
    expect(made).toEqual(cut(packet));
  });

  it('over the MTU are answered, or go in fragments of each datagram where DF is off', () => {
    const core = sender({ mtu: 1000 });
    core.configureVnet(true, true);
    for (const family of [4, 6] as const) {
      expect(sealOne(core, superOf({ family, n: 5000, size: 1200 }))).toEqual([]);
      const [offset, , length] = core.words.subarray(SIDE_DESC >> 2);
      expect(length).toBeGreaterThan(10);
      const error = parseIp(core.bytes.slice(offset! + 10, offset! + length!));
      expect(family === 4 ? get16(error.payload, 6) : get16(error.payload, 6)).toBe(1000);
    }
    expect(counted(core)).toEqual({ outTooBig: 2 });
    const packet = superOf({ family: 4, n: 5000, size: 1200, df: false, id: 500 });
    const made = sealOne(core, packet);
    expect(made.map((m) => m.length)).toEqual([996, 252, 996, 252, 996, 252, 996, 252, 228]);
    const whole = cut(packet);
    whole.forEach((datagram, i) => {
      const pieces = made.filter((m) => get16(m, 4) === 500 + i);
      expect(concat(...pieces.map((m) => m.subarray(20)))).toEqual(datagram.subarray(20));
      expect(pieces.map((m) => (get16(m, 6) & 0x1fff) * 8)).toEqual(pieces.length > 1 ? [0, 976] : [0]);
      expect(pieces.map((m) => get16(m, 6) & 0x2000)).toEqual(pieces.length > 1 ? [0x2000, 0] : [0]);
      for (const piece of pieces) expect(checksum(piece.subarray(0, 20))).toBe(0);
    });
    expect(core.counters()).toMatchObject({ outPackets: 5, outCut: 4, outFragments: 8 });
  });

  it('that are given again for want of room are cut once', () => {
    const core = sender();
    const packet = superOf({ family: 4, n: 60_000, size: 1300 });
    for (let i = 0; i < 40; i++) {
      core.bytes.set(packet, IN + i * 66_560);
      core.words.set([IN + i * 66_560, 66_560, packet.length, AUX_VNET], (IN_DESC >> 2) + 4 * i);
    }
    const want = cut(packet);
    let left = 40;
    while (left > 0) {
      const { consumed, out } = core.seal(left, 0);
      expect(consumed).toBeGreaterThan(0);
      const made = outputs(core, out).map((o) => openEsp(OUTBOUND, o.bytes)!.payload);
      expect(made).toEqual(Array.from({ length: consumed }, () => want).flat());
      core.words.copyWithin(IN_DESC >> 2, (IN_DESC >> 2) + 4 * consumed, (IN_DESC >> 2) + 4 * left);
      left -= consumed;
    }
  });

  it('with a checksum that is complete already are given right ones again', () => {
    const packet = superOf({ family: 4, n: 1000, size: 400 });
    const want = cut(packet);
    packet[0] = 0;
    expect(sealOne(sender(), packet)).toEqual(want);
  });

  it('in fragments take no more entries than there are', () => {
    const core = sender({ mtu: 1000 });
    const packet = superOf({ family: 4, n: 54 * 1200, size: 1200, df: false });
    for (let i = 0; i < 5; i++) {
      core.bytes.set(packet, IN + i * 66_560);
      core.words.set([IN + i * 66_560, 66_560, packet.length, AUX_VNET], (IN_DESC >> 2) + 4 * i);
    }
    // 108 fragments each; the table has 512 entries.
    expect(core.seal(5, 0)).toMatchObject({ consumed: 4, out: 432 });
  });

  it.each([
    ['TCP', 6, 4],
    ['UDP', 17, 5],
  ] as const)('and TCP ones have headers of 256 bytes at most: %s', (_, protocol, type) => {
    const [source, target] = HOSTS[6];
    const data = new Uint8Array(90).fill(7);
    const fields = {
      source,
      target,
      sourcePort: 1,
      targetPort: 2,
      flags: 0x10,
      sequence: 1,
      options: new Uint8Array(),
    };
    const upper = protocol === 6 ? tcp(fields, data) : udp(source, target, 1, 2, data);
    const made = (extension: number): number => {
      const options = new Uint8Array(extension);
      options.set([protocol, extension / 8 - 1]);
      // PadN, over and over (RFC 8200 §4.2).
      for (let at = 2; at < extension; ) {
        const length = Math.min(extension - at - 2, 255);
        options.set([1, length], at);
        at += 2 + length;
      }
      const vnet = new DataView(new ArrayBuffer(10));
      vnet.setUint8(0, 1);
      vnet.setUint8(1, type);
      const start = 40 + extension;
      const offset = protocol === 6 ? 16 : 6;
      for (const [i, value] of [start + upper.length - 90, 40, start, offset].entries())
        vnet.setUint16(2 + 2 * i, value, true);
      return sealOne(
        sender(),
        concat(new Uint8Array(vnet.buffer), ip6({ source, target, next: 60 }, concat(options, upper))),
      ).length;
    };
    // 40 of IPv6, and 20 or 8.
    expect([made(192), made(208), made(216)]).toEqual([3, protocol === 6 ? 0 : 3, 0]);
  });

  it('that lie are dropped and counted: cut short at every byte, other protocols and lengths, no size, fragments', () => {
    const core = sender();
    const good = superOf({ family: 4, n: 90, size: 40 });
    const good6 = superOf({ family: 6, n: 90, size: 40 });
    const lies: Uint8Array[] = [];
    for (const packet of [good, good6])
      for (let length = 0; length < packet.length; length++) lies.push(packet.subarray(0, length));
    const changed = (packet: Uint8Array, at: number, ...values: number[]) => {
      const copy = Uint8Array.from(packet);
      copy.set(values, at);
      if (copy[10]! >> 4 === 4) {
        copy.fill(0, 20, 22);
        const sum = checksum(copy.subarray(10, 30));
        copy.set([sum >> 8, sum & 255], 20);
      }
      return copy;
    };
    lies.push(changed(good, 4, 0, 0), changed(good6, 4, 0, 0));
    // TCP, UDP-Lite, TCP over IPv6; UFO, TCP and unknown types.
    lies.push(changed(good, 19, 6), changed(good, 19, 136), changed(good6, 16, 6));
    for (const type of [1, 2, 3, 4, 6, 0x7f]) lies.push(changed(good, 1, type), changed(good6, 1, type));
    // UDP lengths that disagree; a first and a later fragment.
    for (const length of [0, 7, 97, 99, 0xffff]) lies.push(changed(good, 34, length >> 8, length & 255));
    lies.push(changed(good, 16, 0x20, 0), changed(good, 16, 0, 2));
    for (const lie of lies) expect(sealOne(core, lie)).toEqual([]);
    expect(counted(core)).toEqual({ outBadInner: lies.length });
    expect(sealOne(core, good)).toEqual(cut(good));
  });
});

function pseudoOf(packet: Uint8Array): Uint8Array {
  const { source, target, payload } = parseIp(packet);
  return pseudo(source, target, 17, payload.length);
}
