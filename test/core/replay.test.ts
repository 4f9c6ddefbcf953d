// The anti-replay window against a slow oracle over BigInt (RFC 4303 §3.4.3, App. A), through real packets.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ip4 } from '../reference/ip.ts';
import { sealEsp } from '../reference/packet.ts';
import {
  address,
  counted,
  INBOUND,
  newCore,
  OUTBOUND,
  open,
  seal,
  setRightEdge,
  setSequence,
  TUNNEL,
} from './harness.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const INNER = ip4({ source: address('10.0.0.1'), target: address('10.0.0.2'), protocol: 17 }, new Uint8Array(8));

type Fate = 'new' | 'old' | 'duplicate' | 'forged';

/** The window as a set: nothing clever. */
class Oracle {
  #right: bigint;
  readonly #size: bigint;
  readonly #esn: boolean;
  readonly #seen = new Set<bigint>();

  constructor(size: number, esn: boolean, right = 0n) {
    this.#size = BigInt(size);
    this.#esn = esn;
    this.#right = right;
  }

  receive(sequence: bigint): Fate {
    // The receiver knows the low half only, and takes the high half that puts it above the window's left edge and nearest.
    const low = sequence & 0xffffffffn;
    let inferred = low;
    if (this.#esn) {
      const left = this.#right - this.#size + 1n;
      inferred = (left & ~0xffffffffn) | low;
      if (inferred < left) inferred += 1n << 32n;
    }
    if (inferred <= 0n || inferred >= 1n << 64n || inferred <= this.#right - this.#size) return 'old';
    if (this.#seen.has(inferred)) return 'duplicate';
    if (inferred !== sequence) return 'forged';
    this.#seen.add(sequence);
    if (sequence > this.#right) this.#right = sequence;
    return 'new';
  }
}

function setUp(size: number, esn: boolean, right: bigint) {
  const core = newCore();
  core.configureTunnel(0, TUNNEL);
  core.installInbound(0, { ...INBOUND, esn, replayWindow: size });
  if (right > 0n) setRightEdge(core, INBOUND.spi, right);
  const sa = { ...INBOUND, esn };
  return { core, oracle: new Oracle(size, esn, right), packet: (n: bigint) => sealEsp(sa, n, INNER, 4) };
}

const STARTS: readonly (readonly [string, boolean, bigint])[] = [
  ['32-bit from the start', false, 0n],
  ['32-bit near its end', false, 0xffffff00n],
  ['ESN from the start', true, 0n],
  ['ESN across 2^32', true, 0xffffff80n],
  ['ESN across 7 * 2^32', true, 7n * 2n ** 32n - 100n],
  ['ESN at its very end', true, 2n ** 64n - 3000n],
];

describe(`replay window (SEED=${SEED})`, () => {
  for (const size of [64, 128, 1024, 4096])
    for (const [name, esn, start] of STARTS)
      it(`${size} packets, ${name}: agrees with the oracle`, () => {
        const span = BigInt(size) * 3n;
        fc.assert(
          fc.property(
            fc.array(fc.bigInt({ min: -span, max: span }), { minLength: 30, maxLength: 110, size: 'max' }),
            fc.integer({ min: 1, max: 8 }),
            (steps, stride) => {
              const { core, oracle, packet } = setUp(size, esn, start);
              const top = esn ? 2n ** 64n - 1n : 2n ** 32n - 1n;
              // Clustered around an edge that wanders upwards.
              const numbers = steps.map((step, i) => {
                const n = start + BigInt(i * stride) + step / (i % 3 === 0 ? 1n : 40n);
                return n < 0n ? 0n : n > top ? top : n;
              });
              const want = { new: 0, old: 0, duplicate: 0, forged: 0 };
              for (const n of numbers) want[oracle.receive(n)]++;
              for (const n of numbers) open(core, [packet(n)]);
              const c = core.counters();
              const got = {
                new: c.inPackets,
                old: c.inReplayOld,
                duplicate: c.inReplayDuplicate,
                forged: c.inAuthFailed,
              };
              expect(got).toEqual(want);
              // In one batch all are verified before any is marked: the reason for a drop may differ, the fate may not.
              const batch = setUp(size, esn, start).core;
              expect(open(batch, numbers.map(packet))).toHaveLength(want.new);
              batch.close();
              core.close();
            },
          ),
          { seed: SEED, numRuns: 6 },
        );
      });

  it('drops the second of two equal packets in one batch, and in the next', () => {
    const { core, packet } = setUp(1024, false, 0n);
    const one = packet(1n);
    expect(open(core, [one, one, packet(2n), one])).toHaveLength(2);
    expect(open(core, [one])).toHaveLength(0);
    expect(counted(core)).toMatchObject({ inPackets: 2, inReplayDuplicate: 3 });
  });

  it('takes the left edge and not the number beside it', () => {
    const { core, packet } = setUp(64, false, 0n);
    expect(open(core, [packet(1000n)])).toHaveLength(1);
    expect(open(core, [packet(936n)])).toHaveLength(0);
    expect(open(core, [packet(937n)])).toHaveLength(1);
    expect(counted(core)).toMatchObject({ inReplayOld: 1, inPackets: 2 });
  });

  it('forgets old marks when the window moves over them', () => {
    // 5 and 4101 share a bit of the 4096-bit ring.
    for (const jump of [4200n, 4102n, 8000n]) {
      const { core, packet } = setUp(4096, false, 0n);
      expect(open(core, [packet(5n), packet(4000n), packet(jump), packet(4101n)])).toHaveLength(4);
    }
  });

  it('a forged number moves nothing', () => {
    const { core, packet } = setUp(64, false, 0n);
    const forged = packet(1_000_000n);
    forged[40]! ^= 1;
    expect(open(core, [forged])).toHaveLength(0);
    expect(core.inboundUse(0).sequence).toBe(0n);
    expect(open(core, [packet(1n)])).toHaveLength(1);
  });

  it('stops an SA without ESN at its last number, and one with ESN goes on', () => {
    for (const esn of [false, true]) {
      const core = newCore();
      core.configureTunnel(0, TUNNEL);
      core.installOutbound(0, { ...OUTBOUND, esn });
      core.activateOutbound(0, 0);
      core.installInbound(0, { ...INBOUND, esn });
      setSequence(core, OUTBOUND.spi, 0xfffffffdn);
      setRightEdge(core, INBOUND.spi, 0xfffffffdn);
      const sealed = seal(core, [INNER, INNER, INNER, INNER]);
      expect(sealed).toHaveLength(esn ? 4 : 2);
      expect(core.counters().outSequenceExhausted).toBe(esn ? 0 : 2);
      expect(core.sealDummy(0, 10)).toBe(esn);
      expect(
        open(
          core,
          sealed.map((o) => o.bytes),
        ),
      ).toHaveLength(sealed.length);
      expect(core.inboundUse(0).sequence).toBe(esn ? 0x1_0000_0001n : 0xffffffffn);
      // No IV was used twice.
      expect(new Set(sealed.map((o) => Buffer.from(o.bytes.subarray(8, 16)).toString('hex'))).size).toBe(sealed.length);
    }
  });

  it('stops at hard limits of packets and bytes, both ways', () => {
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    // Ciphertext of INNER: 28 + 2, padded to 32.
    for (const limits of [{ hardPackets: 3 }, { hardBytes: 100 }]) {
      core.installOutbound(0, { ...OUTBOUND, ...limits });
      core.activateOutbound(0, 0);
      core.installInbound(0, { ...INBOUND, ...limits });
      const sealed = seal(core, [INNER, INNER, INNER, INNER, INNER]);
      expect(sealed).toHaveLength(3);
      expect(core.outboundUse(0)).toEqual({ packets: 3, bytes: 96, sequence: 3n });
      const more = [4n, 5n].map((n) => sealEsp(INBOUND, n, INNER, 4));
      expect(open(core, [...sealed.map((o) => o.bytes), ...more])).toHaveLength(3);
      expect(open(core, more)).toHaveLength(0);
      expect(core.inboundUse(0)).toMatchObject({ packets: 3, bytes: 96 });
      core.removeOutbound(0);
      core.removeInbound(0);
    }
    // Of the first try the marks stand, so that in the second try the two are duplicates only where they were verified.
    expect(counted(core)).toMatchObject({ outHardLimit: 4, outPackets: 6, inPackets: 6 });
    const { inHardLimit, inReplayDuplicate } = core.counters();
    expect(inHardLimit + inReplayDuplicate).toBe(8);
  });

  it('counts an SA that reaches a soft limit once, both ways, and goes on', () => {
    for (const limits of [{ softPackets: 3 }, { softBytes: 96 }]) {
      const core = newCore();
      core.configureTunnel(0, TUNNEL);
      core.installOutbound(0, { ...OUTBOUND, ...limits });
      core.activateOutbound(0, 0);
      core.installInbound(0, { ...INBOUND, ...limits });
      const first = seal(core, [INNER, INNER]);
      expect(core.softLimits).toBe(0);
      const second = seal(core, [INNER, INNER]);
      expect(core.softLimits).toBe(1);
      const third = seal(core, [INNER]);
      expect([...first, ...second, ...third]).toHaveLength(5);
      expect(core.softLimits).toBe(1);
      const bytes = [...first, ...second, ...third].map((o) => o.bytes);
      expect(open(core, bytes.slice(0, 2))).toHaveLength(2);
      expect(core.softLimits).toBe(1);
      // A forged packet counts for nothing.
      const forged = bytes[2]!.slice();
      forged[20]! ^= 1;
      expect(open(core, [forged])).toHaveLength(0);
      expect(core.softLimits).toBe(1);
      expect(open(core, bytes.slice(2))).toHaveLength(3);
      expect(core.softLimits).toBe(2);
      // Another SA in the same slot has limits of its own.
      core.removeOutbound(0);
      core.installOutbound(0, { ...OUTBOUND, spi: 0xc0ffee09, ...limits });
      core.activateOutbound(0, 0);
      seal(core, [INNER, INNER]);
      expect(core.softLimits).toBe(2);
      seal(core, [INNER]);
      expect(core.softLimits).toBe(3);
    }
  });
});
