// Nothing that was tampered with, cut short or made up is delivered, crashes the core or writes outside its place; and every
// input is accounted for exactly once.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUX_GRE, AUX_RAW4, AUX_UDP, AUX_VNET, DESC_BYTES, IN, IN_DESC, OUT } from '../../assembly/layout.ts';
import type { Core, TunnelParams } from '../../main/core/api.ts';
import { selectorOf } from '../../main/wire/selector.ts';
import { ip4, ip6, tcp } from '../reference/ip.ts';
import { type EspOptions, encapsulate, sealEsp } from '../reference/packet.ts';
import { address, counted, INBOUND, newCore, OUTBOUND, open, place, sides, TUNNEL } from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const A = address('10.0.0.1');
const B = address('10.0.0.2');
const GRE = { key: 77, checksum: true, sequence: true, nextSequence: 0 };
const INNER = ip4({ source: A, target: B, protocol: 17 }, new Uint8Array(33).fill(7));
const DELIVERY: TunnelParams = { ...TUNNEL, shape: 'gre-tunnel', gre: GRE, delivery: { local: B, remote: A } };

/** What became of the inputs of open: every input is in one of these, reassembly aside (see counters.ts). */
function fates(core: Core): number {
  const { inBytes: _, inMssClamped: __, fragReceived, fragReassembled, ...rest } = core.counters();
  const drops = Object.entries(rest).filter(([name]) => name.startsWith('in'));
  return drops.reduce((n, [, value]) => n + value, 0) + fragReceived - fragReassembled;
}

function receiver(params: TunnelParams, cipher: 'aes-gcm-16' | 'chacha20-poly1305', esn = false) {
  const core = newCore();
  const key = Uint8Array.from({ length: cipher === 'aes-gcm-16' ? 16 : 32 }, (_, i) => i + 9);
  const sa = { ...INBOUND, cipher, key, esn };
  core.configureTunnel(0, params);
  core.installInbound(0, sa);
  const make = (sequence: number) => {
    const { payload, next } = encapsulate(INNER, {
      shape: params.shape,
      gre: params.gre,
      greSequence: sequence,
      source: A,
      target: B,
      tos: 0,
    });
    return sealEsp(sa, BigInt(sequence), payload, next);
  };
  return { core, make };
}

describe(`bad input (SEED=${SEED})`, () => {
  for (const cipher of ['aes-gcm-16', 'chacha20-poly1305'] as const)
    for (const esn of [false, true]) {
      it(`${cipher}${esn ? ' ESN' : ''}: cut short at every length, never delivered, always one counter`, () => {
        const { core, make } = receiver(DELIVERY, cipher, esn);
        const whole = make(1);
        for (let n = 0; n < whole.length; n++) {
          const before = counted(core);
          expect(open(core, [whole.subarray(0, n)])).toEqual([]);
          expect(sides(core, 0)).toEqual([]);
          const after = counted(core);
          const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
          expect(changed, `length ${n}`).toHaveLength(1);
          expect(after[changed[0]!]! - (before[changed[0]!] ?? 0)).toBe(1);
        }
        expect(open(core, [whole])).toHaveLength(1);
        expect(fates(core)).toBe(whole.length + 1);
      });

      it(`${cipher}${esn ? ' ESN' : ''}: with any single bit flipped, never delivered, always one counter`, () => {
        const { core, make } = receiver(DELIVERY, cipher, esn);
        const whole = make(3);
        for (let bit = 0; bit < whole.length * 8; bit++) {
          const bad = Uint8Array.from(whole);
          bad[bit >> 3]! ^= 1 << (bit & 7);
          expect(open(core, [bad]), `bit ${bit}`).toEqual([]);
          expect(fates(core)).toBe(bit + 1);
        }
        const { inAuthFailed, inUnknownSpi } = core.counters();
        expect(inUnknownSpi).toBe(32);
        // Every other bit is under the ICV; a number that a flip makes 0 or wildly old never gets that far.
        expect(inAuthFailed).toBeGreaterThan((whole.length - 8) * 8);
        // The forgeries marked nothing: the true packet still counts as new.
        expect(open(core, [whole])).toHaveLength(1);
        expect(core.inboundUse(0)).toMatchObject({ packets: 1, sequence: 3n });
      });
    }

  it('does not touch a packet that fails verification, nor its neighbours', () => {
    for (const cipher of ['aes-gcm-16', 'chacha20-poly1305'] as const) {
      const { core, make } = receiver(TUNNEL, cipher);
      const good = [make(1), make(2), make(3)];
      const bad = Uint8Array.from(make(4));
      bad[bad.length - 1]! ^= 1;
      // Packed tightly, as in a GRO burst: one byte too many would show.
      let at = IN + 3;
      core.bytes.fill(0xa5, IN, IN + 4096);
      const places = [good[0]!, bad, good[1]!, bad, good[2]!].map((packet, i) => {
        core.bytes.set(packet, at);
        core.words.set([at, packet.length, packet.length, AUX_UDP], (IN_DESC + i * DESC_BYTES) >> 2);
        at += packet.length;
        return at - packet.length;
      });
      expect(core.open(5, 0).out).toBe(3);
      expect(core.bytes.slice(places[1]!, places[1]! + bad.length)).toEqual(bad);
      expect(core.bytes.slice(places[3]!, places[3]! + bad.length)).toEqual(bad);
      expect(core.bytes.slice(IN, IN + 3)).toEqual(new Uint8Array(3).fill(0xa5));
      expect(core.bytes.slice(at, IN + 4096)).toEqual(new Uint8Array(IN + 4096 - at).fill(0xa5));
      expect(counted(core)).toMatchObject({ inAuthFailed: 2, inPackets: 3 });
    }
  });

  it('seal writes nothing behind its last datagram, and every ICV byte of OUT is meant', () => {
    const core = newCore();
    core.configureTunnel(0, { ...TUNNEL, mtu: 9000 });
    core.installOutbound(0, OUTBOUND);
    core.activateOutbound(0, 0);
    for (let n = 0; n < 300; n++) {
      core.bytes.fill(0x5a, OUT, OUT + 1024);
      place(core, [ip4({ source: A, target: B, protocol: 17 }, new Uint8Array(n))], 0);
      core.seal(1, 0);
      const end = 16 + Math.ceil((20 + n + 2) / 4) * 4 + 16;
      expect(core.bytes.slice(OUT + end, OUT + 1024)).toEqual(new Uint8Array(1024 - end).fill(0x5a));
      expect(core.bytes.slice(IN, IN + 20 + n)).toEqual(ip4({ source: A, target: B, protocol: 17 }, new Uint8Array(n)));
    }
  });

  it('10,000 random inputs to open: each in exactly one counter, none delivered', () => {
    const { core } = receiver(DELIVERY, 'aes-gcm-16');
    // Plain GRE authenticates nothing, so junk may be well-formed by chance; it has no address of this tunnel's.
    const only = selectorOf({ address: B, bits: 32 });
    core.configureTunnel(1, { ...TUNNEL, shape: 'gre-plain', gre: GRE, local: [only], remote: [only] });
    core.expect(0x45001234);
    let given = 0;
    const flags = [0, AUX_UDP, AUX_RAW4, AUX_GRE, AUX_GRE | AUX_RAW4];
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            bytes: fc.uint8Array({ maxLength: 120, size: 'max' }),
            // Often something that looks right at first: a known SPI, an IPv4 header, GRE flags.
            head: fc.constantFrom(
              [],
              [0xc0, 0xff, 0xee, 0x01],
              [0x45, 0, 0],
              [0x30, 0, 8, 0, 0, 0, 0, 77],
              [0xb0, 0],
              [0],
            ),
            aux: fc.constantFrom(...flags),
          }),
          { minLength: 100, maxLength: 100 },
        ),
        (list) => {
          const inputs = list.map(({ bytes, head }) => {
            const copy = Uint8Array.from(bytes);
            copy.set(head.slice(0, copy.length));
            return copy;
          });
          given += inputs.length;
          expect(
            open(
              core,
              inputs,
              list.map((item) => item.aux),
              given,
            ),
          ).toEqual([]);
          expect(fates(core)).toBe(given);
        },
      ),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('10,000 random inputs to seal: each sealed or in exactly one counter', () => {
    const core = newCore();
    core.configureTunnel(0, { ...DELIVERY, mtu: 300, mss4: 200, mss6: 200 });
    core.installOutbound(0, OUTBOUND);
    core.activateOutbound(0, 0);
    let given = 0;
    const version = fc.constantFrom(4, 6);
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            bytes: fc.uint8Array({ maxLength: 600, size: 'max' }),
            version,
            protocol: fc.constantFrom(0, 1, 6, 17, 43, 44, 51, 58, 60),
            vnet: fc.constantFrom(0, AUX_VNET),
            gso: fc.constantFrom([0, 0], [1, 0], [1, 1], [1, 4], [0, 0x81], [3, 3]),
          }),
          { minLength: 100, maxLength: 100 },
        ),
        (list) => {
          const inputs = list.map((item) => {
            const all = new Uint8Array(item.bytes.length + 10);
            const at = item.vnet ? 10 : 0;
            all.set(item.bytes, at);
            const packet = all.subarray(at, at + item.bytes.length);
            if (packet.length >= 40) {
              packet[0] = item.version === 4 ? 0x40 | (packet[0]! & 7) : 0x60;
              new DataView(packet.buffer, packet.byteOffset).setUint16(
                item.version === 4 ? 2 : 4,
                packet.length - (item.version === 4 ? 0 : 40),
              );
              packet[item.version === 4 ? 9 : 6] = item.protocol;
            }
            if (item.vnet) all.set([...item.gso, 0, 0, 100, 0, 20, 0, 16, 0]);
            return all.subarray(0, at + item.bytes.length);
          });
          let left = inputs;
          let aux = list.map((item) => item.vnet);
          while (left.length > 0) {
            place(core, left, aux);
            const { consumed } = core.seal(left.length, given);
            expect(consumed).toBeGreaterThan(0);
            left = left.slice(consumed);
            aux = aux.slice(consumed);
          }
          given += inputs.length;
        },
      ),
      { seed: SEED, numRuns: 100 },
    );
    const c = core.counters();
    // Super-packets count once for each segment: only the drops can be compared exactly.
    expect(c.outBadInner).toBeGreaterThan(0);
    expect(c.outTooBig).toBeGreaterThan(0);
    expect(c.outBadInner + c.outTooBig + c.outNoRoom + c.outNoTunnel).toBeLessThanOrEqual(given);
    expect(c.outPackets + c.outBadInner + c.outTooBig + c.outNoRoom + c.outNoTunnel).toBeGreaterThanOrEqual(given);
  });

  it('an inner packet cut at every length is outBadInner, IPv4 and IPv6', () => {
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    core.installOutbound(0, OUTBOUND);
    core.activateOutbound(0, 0);
    const segment = (source: Uint8Array, target: Uint8Array) =>
      tcp(
        { source, target, sourcePort: 1, targetPort: 2, sequence: 0, flags: 2, options: Uint8Array.of(2, 4, 5, 0xb4) },
        new Uint8Array(),
      );
    const six = [address('fd00::1'), address('fd00::2')] as const;
    const packets = [
      ip4({ source: A, target: B, protocol: 6 }, segment(A, B)),
      ip6({ source: six[0], target: six[1], next: 6 }, segment(...six)),
    ];
    let dropped = 0;
    for (const packet of packets) {
      for (let n = 0; n < packet.length; n++) {
        place(core, [packet.subarray(0, n)], 0);
        expect(core.seal(1, 0)).toEqual({ consumed: 1, out: 0, side: 0 });
        expect(core.counters().outBadInner).toBe(++dropped);
      }
      place(core, [packet], 0);
      expect(core.seal(1, 0).out).toBe(1);
    }
  });

  it('wants padding of 1, 2, 3, … that fits, and a next header that the shape carries (RFC 4303 §2.4)', () => {
    const { core } = receiver(TUNNEL, 'aes-gcm-16');
    core.removeInbound(0);
    core.installInbound(0, INBOUND);
    let sequence = 0n;
    const give = (payload: Uint8Array, next: number, options: EspOptions = {}) =>
      open(core, [sealEsp(INBOUND, ++sequence, payload, next, options)]).length;
    expect(INNER.length % 4).toBe(1);
    expect(give(INNER, 4, { padding: Uint8Array.of(1) })).toBe(1);
    expect(give(INNER, 4, { padding: Uint8Array.of(0) })).toBe(0);
    expect(give(INNER, 4, { padding: Uint8Array.of(1, 2, 3, 4, 6) })).toBe(0);
    expect(give(INNER, 4, { padding: Uint8Array.of(1), padLength: 255 })).toBe(0);
    expect(give(new Uint8Array(), 4, { padding: Uint8Array.of(1, 2), padLength: 3 })).toBe(0);
    expect(core.counters().inBadPadding).toBe(4);
    // 250 bytes of padding are allowed, and so is a packet of nothing else, which is no inner packet, though.
    expect(give(INNER, 4, { extraPadding: 248 })).toBe(1);
    expect(give(new Uint8Array(), 4)).toBe(0);
    expect(core.counters().inBadInner).toBe(1);
    for (const next of [0, 6, 17, 41, 47, 50, 255]) expect(give(INNER, next)).toBe(0);
    // 41 is carried, but this is IPv4.
    expect(core.counters()).toMatchObject({ inBadNextHeader: 6, inBadInner: 2 });
    // A dummy's plaintext means nothing, its padding neither (§2.6).
    expect(give(INNER, 59, { padding: Uint8Array.of(9) })).toBe(0);
    expect(core.counters().inDummies).toBe(1);
  });

  it('counts a datagram longer than its slot, IKE, keepalives and short ones', () => {
    const { core } = receiver(TUNNEL, 'aes-gcm-16');
    const ike = Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
    place(
      core,
      [ike, Uint8Array.of(0xff), Uint8Array.of(0xfe), new Uint8Array(4), new Uint8Array(100).fill(1)],
      [AUX_UDP | 0x30000 | 0x2e, AUX_UDP, AUX_UDP, AUX_UDP, AUX_UDP],
    );
    core.words[((IN_DESC + 4 * DESC_BYTES) >> 2) + 1] = 99; // its slot's capacity
    expect(core.open(5, 0)).toEqual({ out: 0, side: 1, kept: 0 });
    expect(sides(core, 1)).toMatchObject([{ bytes: ike.slice(4), aux: AUX_UDP | 0x30000 | 0x2e }]);
    expect(counted(core)).toEqual({ inIke: 1, inKeepalives: 1, inTooShort: 2, inTruncated: 1 });
  });
});
