// Every cipher with every integrity algorithm and key length, with and without ESN, against the slow oracle, in both
// directions and byte for byte: even an IV of AES-CBC can be foreseen by who has the key.
import { describe, expect, it } from 'vitest';
import { DESC_BYTES, IN, IN_DESC, IN_DESC_COUNT, OUT, OUT_BYTES, PACKET_SLOT_BYTES } from '../../assembly/layout.ts';
import type { Core, EspCipher, EspIntegrity } from '../../main/core/api.ts';
import { cbcIv, icvLength, ivLength, padTo } from '../reference/esp.ts';
import { ip4, udp } from '../reference/ip.ts';
import { openEsp, sealEsp } from '../reference/packet.ts';
import {
  address,
  counted,
  INBOUND,
  newCore,
  OUTBOUND,
  open,
  outputs,
  seal,
  setRightEdge,
  setSequence,
  TUNNEL,
} from './harness.ts';

const KEY_BYTES: Readonly<Record<EspIntegrity, number>> = {
  'hmac-sha1-96': 20,
  'hmac-sha2-256-128': 32,
  'hmac-sha2-384-192': 48,
  'hmac-sha2-512-256': 64,
};
const INTEGRITIES = Object.keys(KEY_BYTES) as EspIntegrity[];

const bytes = (length: number, step: number) => Uint8Array.from({ length }, (_, i) => (i * step + 11) & 0xff);

function* transforms() {
  const aes = [16, 24, 32];
  const ciphers: readonly (readonly [EspCipher, readonly number[], number])[] = [
    ['aes-cbc', aes, 0],
    ['aes-ctr', aes, 4],
    ['null', [0], 0],
    ['null-aes-gmac', aes, 4],
  ];
  for (const [cipher, keys, salt] of ciphers)
    for (const key of keys)
      for (const integrity of cipher === 'null-aes-gmac' ? [undefined] : INTEGRITIES)
        for (const esn of [false, true])
          yield {
            name: `${cipher} ${key * 8} ${integrity ?? ''}${esn ? ' ESN' : ''}`,
            sa: {
              ...OUTBOUND,
              cipher,
              key: bytes(key, 37),
              salt: bytes(salt, 99),
              integrity,
              integrityKey: integrity && bytes(KEY_BYTES[integrity], 53),
              esn,
              unencrypted: cipher.startsWith('null'),
            },
          };
}

const LOCAL = address('10.88.0.2');
const REMOTE = address('203.0.113.9');
const packet = (length: number) =>
  ip4({ source: LOCAL, target: REMOTE, protocol: 17 }, udp(LOCAL, REMOTE, 4000, 53, bytes(length - 28, 7)));
const back = (length: number) =>
  ip4({ source: REMOTE, target: LOCAL, protocol: 17 }, udp(REMOTE, LOCAL, 53, 4000, bytes(length - 28, 5)));

function prepare(sa: typeof OUTBOUND): Core {
  const core = newCore();
  core.configureTunnel(0, TUNNEL);
  core.installOutbound(1, sa);
  core.activateOutbound(0, 1);
  core.installInbound(3, { ...INBOUND, ...sa, replayWindow: 1024 });
  return core;
}

/** Every length of two blocks of the longest hash, and the longest packet. */
const LENGTHS = [...Array.from({ length: 260 }, (_, i) => 28 + i), 576, 1279, 1399, 1400];
const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

describe.each([...transforms()])('$name', ({ sa }) => {
  it('seals what the oracle seals, at every length, and sets no byte beside it', () => {
    const core = prepare(sa);
    let sequence = 0n;
    // Batches of 1, of fewer than the lanes, and of more than one batch of jobs.
    for (const lengths of [
      ...LENGTHS.slice(0, 5).map((n) => [n]),
      LENGTHS.slice(5, 12),
      ...chunks(LENGTHS.slice(12), 100),
    ])
      for (const [i, { bytes: datagram }] of seal(core, lengths.map(packet)).entries())
        expect(datagram, `length ${lengths[i]}`).toEqual(sealEsp(sa, ++sequence, packet(lengths[i]!), 4));
    expect(core.outboundUse(1).sequence).toBe(sequence);
  });

  it('opens what the oracle seals, at every length and with more padding than needed', () => {
    const core = prepare(sa);
    let sequence = 0n;
    for (const lengths of [...LENGTHS.slice(0, 3).map((n) => [n]), ...chunks(LENGTHS.slice(3), 100)]) {
      const datagrams = lengths.map((n, i) =>
        sealEsp(sa, ++sequence, back(n), 4, { extraPadding: (i % 4) * padTo(sa) }),
      );
      expect(open(core, datagrams).map((out) => out.bytes)).toEqual(lengths.map(back));
    }
  });

  it('refuses every flipped bit and every truncation, and takes the packet afterwards', () => {
    const core = prepare(sa);
    const good = sealEsp(sa, 5n, back(61), 4);
    const damaged: Uint8Array[] = [];
    // Not those of the SPI, which find no SA.
    for (let bit = 32; bit < good.length * 8; bit++) {
      const copy = good.slice();
      copy[bit >> 3]! ^= 1 << (bit & 7);
      damaged.push(copy);
    }
    for (const some of chunks(damaged, 100)) {
      expect(open(core, some)).toEqual([]);
      // Nothing was decrypted: it lies there as it came.
      some.forEach((datagram, i) => {
        const at = IN + i * PACKET_SLOT_BYTES;
        expect(Buffer.compare(core.bytes.subarray(at, at + datagram.length), datagram)).toBe(0);
      });
    }
    const { inAuthFailed = 0, inReplayOld = 0 } = counted(core);
    // A sequence number can be zero by one bit, or, as an extended one, so far away that there is none.
    expect(inAuthFailed + inReplayOld).toBe(damaged.length);
    expect(inAuthFailed).toBeGreaterThan(damaged.length - 40);

    const cut = Array.from({ length: good.length - 5 }, (_, i) => good.subarray(0, i + 5));
    for (const some of chunks(cut, 100)) expect(open(core, some)).toEqual([]);
    expect(core.inboundUse(3).packets).toBe(0);
    expect(open(core, [good]).map((out) => out.bytes)).toEqual([back(61)]);
    expect(open(core, [good])).toEqual([]);
    expect(core.counters().inReplayDuplicate).toBe(1);
  });

  it('counts what is too short for its IV and ICV, and what is no multiple of its block', () => {
    const core = prepare(sa);
    const around = 8 + ivLength(sa) + icvLength(sa);
    const make = (n: number) => {
      const datagram = new Uint8Array(n);
      new DataView(datagram.buffer).setUint32(0, sa.spi);
      datagram[7] = 1;
      return datagram;
    };
    open(core, [make(around + padTo(sa) - 1)]);
    expect(counted(core)).toEqual({ inTooShort: 1 });
    open(core, [make(around + padTo(sa) + 1), make(around + 3 * padTo(sa) - 2)]);
    expect(counted(core)).toEqual({ inTooShort: 1, inBadAlignment: 2 });
    open(core, [make(around + padTo(sa))]);
    expect(counted(core)).toEqual({ inTooShort: 1, inBadAlignment: 2, inAuthFailed: 1 });
  });

  it('one damaged packet in a batch takes no other along', () => {
    const core = prepare(sa);
    const datagrams = Array.from({ length: 70 }, (_, i) => sealEsp(sa, BigInt(i + 1), back(28 + i * 19), 4));
    for (let i = 0; i < 70; i += 3) datagrams[i]![datagrams[i]!.length - 1]! ^= 0x10;
    const expected = Array.from({ length: 70 }, (_, i) => back(28 + i * 19)).filter((_, i) => i % 3 !== 0);
    expect(open(core, datagrams).map((out) => out.bytes)).toEqual(expected);
    expect(core.counters().inAuthFailed).toBe(24);
  });

  if (sa.esn)
    it('takes the upper half of the sequence number into the ICV', () => {
      const core = prepare(sa);
      setSequence(core, sa.spi, 0x5_ffff_fffen);
      setRightEdge(core, sa.spi, 0x5_ffff_fff0n);
      const [last, first] = seal(core, [packet(100), packet(101)]);
      expect(last!.bytes).toEqual(sealEsp(sa, 0x5_ffff_ffffn, packet(100), 4));
      expect(first!.bytes).toEqual(sealEsp(sa, 0x6_0000_0000n, packet(101), 4));
      expect(openEsp(sa, first!.bytes, 5n)).toBeUndefined();
      const arriving = [sealEsp(sa, 0x5_ffff_fffen, back(60), 4), sealEsp(sa, 0x6_0000_0001n, back(61), 4)];
      expect(open(core, arriving).map((out) => out.bytes)).toEqual([back(60), back(61)]);
      expect(core.inboundUse(3).sequence).toBe(0x6_0000_0001n);
    });
});

describe('room', () => {
  it.each(['aes-cbc 256 hmac-sha2-512-256', 'null 0 hmac-sha1-96'])(
    '%s: fills OUT to the last datagram that fits',
    (wanted) => {
      const { sa } = [...transforms()].find(({ name }) => name === wanted)!;
      const core = prepare(sa);
      core.configureTunnel(0, { ...TUNNEL, mtu: 9000 });
      // A length at which the ICV of the last datagram alone does not fit.
      const each = (n: number) => 8 + ivLength(sa) + Math.ceil((n + 2) / padTo(sa)) * padTo(sa) + icvLength(sa);
      const length = Array.from({ length: 6000 }, (_, i) => 8000 - i).find(
        (n) => OUT_BYTES % each(n) >= each(n) - icvLength(sa),
      )!;
      const inner = packet(length);
      core.bytes.set(inner, IN);
      for (let i = 0; i < IN_DESC_COUNT; i++)
        core.words.set([IN, PACKET_SLOT_BYTES, inner.length, 0], (IN_DESC + i * DESC_BYTES) >> 2);
      const { consumed, out } = core.seal(IN_DESC_COUNT, 0);
      const first = sealEsp(sa, 1n, inner, 4);
      expect(consumed).toBe(Math.floor(OUT_BYTES / first.length));
      const sealed = outputs(core, out);
      expect(sealed.length).toBe(consumed);
      expect(sealed.at(-1)!.offset + first.length).toBeLessThanOrEqual(OUT + OUT_BYTES);
      for (const [i, { bytes: datagram }] of sealed.entries())
        expect(Buffer.compare(datagram, sealEsp(sa, BigInt(i + 1), inner, 4)), `datagram ${i}`).toBe(0);
    },
  );
});

describe('AES-CBC', () => {
  it('has IVs that do not repeat and that the key alone foretells', () => {
    const { sa } = [...transforms()][0]!;
    const core = prepare(sa);
    const ivs = seal(
      core,
      Array.from({ length: 100 }, () => packet(64)),
    ).map(({ bytes: b }) => b.slice(8, 24));
    expect(new Set(ivs.map((iv) => Buffer.from(iv).toString('hex'))).size).toBe(100);
    ivs.forEach((iv, i) => {
      expect(iv).toEqual(cbcIv(sa, BigInt(i + 1)));
    });
  });
});

describe('keys', () => {
  const { sa } = [...transforms()][0]!;
  const install = (change: Partial<typeof OUTBOUND>) => () => prepare({ ...sa, ...change });

  it('must fit the transform', () => {
    expect(install({ key: bytes(17, 3) })).toThrow('aes-cbc takes no key of 17 bytes');
    expect(install({ salt: bytes(4, 3) })).toThrow('the salt has 4 bytes, aes-cbc needs 0');
    expect(install({ integrity: undefined, integrityKey: undefined })).toThrow('aes-cbc needs an integrity algorithm');
    expect(install({ integrityKey: bytes(32, 3) })).toThrow('the integrity key has 32 bytes, not 20');
    expect(install({ cipher: 'aes-gcm-16', salt: bytes(4, 3) })).toThrow('aes-gcm-16 has no integrity algorithm');
    expect(install({ cipher: 'aes-ctr' })).toThrow('the salt has 0 bytes, aes-ctr needs 4');
  });

  it.each(['null', 'null-aes-gmac'] as const)('%s is refused without the option for tests', (cipher) => {
    const gmac = cipher === 'null-aes-gmac';
    const change = {
      cipher,
      key: bytes(gmac ? 16 : 0, 3),
      salt: bytes(gmac ? 4 : 0, 3),
      ...(gmac ? { integrity: undefined, integrityKey: undefined } : {}),
    };
    expect(install({ ...change, unencrypted: false })).toThrow(`${cipher} encrypts nothing and is for tests only`);
    expect(install({ ...change, unencrypted: true })).not.toThrow();
  });

  it('are gone from the memory once the SA is removed', () => {
    for (const { sa: one } of transforms()) {
      const core = prepare(one);
      seal(core, [packet(300)]);
      core.removeOutbound(1);
      core.removeInbound(3);
      const memory = Buffer.from(core.bytes.buffer);
      for (const key of [one.key, one.integrityKey ?? new Uint8Array(0)])
        for (let at = 0; at + 8 <= key.length; at += 8)
          expect(memory.indexOf(key.subarray(at, at + 8)), one.cipher).toBe(-1);
    }
  });
});
