// The overhead arithmetic: the figures of the design, and an oracle that puts packets together byte by byte and looks for
// the largest that still fits.
import { describe, expect, it } from 'vitest';
import {
  CIPHER_OVERHEAD,
  type CipherName,
  type CipherOverhead,
  computeMtu,
  type MtuInput,
  overheadOf,
} from '../../main/mtu/mtu.ts';

const GRE = { key: null, checksum: false, sequence: false };

const base: MtuInput = {
  path: 1500,
  outerFamily: 4,
  encapsulation: 'udp',
  cipher: 'aes-gcm-16',
  shape: 'gre-tunnel',
  gre: GRE,
  deliveryFamily: 4,
};
const esp = { shape: 'esp-tunnel', gre: null, deliveryFamily: null } as const;
const transport = { shape: 'gre-transport', deliveryFamily: null } as const;
const plain = { shape: 'gre-plain', deliveryFamily: null } as const;

describe('known figures', () => {
  it.each<[name: string, changes: Partial<MtuInput>, mtu: number]>([
    // 1500 - 20 - 8 - 8 - 8 - 16 = 1440 → 1440 - 2 - 4 - 20
    ['AES-GCM, IPv4, UDP, GRE in tunnel mode', {}, 1414],
    // 1500 - 20 - 8 - 8 - 16 - 16 = 1432 → 1424 - 2 - 4 - 20
    ['AES-CBC with SHA-256, likewise: the customary 1400 overflows', { cipher: 'aes-cbc-hmac-sha2-256' }, 1398],
    ['AES-GCM, IPv4, UDP, GRE with a key', { gre: { ...GRE, key: 0 } }, 1410],
    ['ChaCha20-Poly1305, likewise', { cipher: 'chacha20-poly1305' }, 1414],
    ['AES-GCM, IPv4, UDP, no GRE', esp, 1438],
    ['AES-GCM, IPv4, raw, GRE in tunnel mode', { encapsulation: 'raw' }, 1422],
    ['AES-GCM, IPv4, raw, GRE in transport mode', { ...transport, encapsulation: 'raw' }, 1442],
    ['AES-GCM, IPv4, UDP, GRE in transport mode', transport, 1434],
    ['AES-GCM, IPv6, UDP, GRE over IPv6 in tunnel mode', { outerFamily: 6, deliveryFamily: 6 }, 1374],
    ['AES-GCM, IPv6, UDP, no GRE', { ...esp, outerFamily: 6 }, 1418],
    ['plain GRE over IPv4 (Linux: 1476)', plain, 1476],
    ['plain GRE over IPv4 with a key (Linux: 1472)', { ...plain, gre: { ...GRE, key: 1 } }, 1472],
    [
      'plain GRE over IPv6 with everything',
      { ...plain, outerFamily: 6, gre: { key: 1, checksum: true, sequence: true } },
      1444,
    ],
    ['AES-CBC with SHA-1', { cipher: 'aes-cbc-hmac-sha1' }, 1398],
    // 1500 - 20 - 8 - 8 - 16 - 32 = 1416 → 1408 - 2 - 4 - 20
    ['AES-CBC with SHA-512', { cipher: 'aes-cbc-hmac-sha2-512' }, 1382],
    ['AES-CTR with SHA-512', { cipher: 'aes-ctr-hmac-sha2-512' }, 1398],
    ['PPPoE', { path: 1492 }, 1406],
  ])('%s: %i', (_name, changes, mtu) => {
    expect(computeMtu({ ...base, ...changes }).mtu).toBe(mtu);
  });

  it('knows the overhead of every SA, under the names of the table and of the core', () => {
    for (const cipher of ['aes-cbc', 'aes-ctr'] as const)
      for (const [short, integrity] of [
        ['hmac-sha1', 'hmac-sha1-96'],
        ['hmac-sha2-256', 'hmac-sha2-256-128'],
        ['hmac-sha2-384', 'hmac-sha2-384-192'],
        ['hmac-sha2-512', 'hmac-sha2-512-256'],
      ] as const)
        expect(overheadOf({ cipher, integrity })).toEqual(CIPHER_OVERHEAD[`${cipher}-${short}`]);
    for (const cipher of ['aes-gcm-16', 'chacha20-poly1305'] as const)
      expect(overheadOf({ cipher })).toEqual(CIPHER_OVERHEAD[cipher]);
    // RFC 4543 §3.1, §3.4; NULL has no IV.
    expect(overheadOf({ cipher: 'null-aes-gmac' })).toEqual({ iv: 8, icv: 16, align: 4 });
    expect(overheadOf({ cipher: 'null', integrity: 'hmac-sha1-96' })).toEqual({ iv: 0, icv: 12, align: 4 });
  });

  it('has the MSS 40 and 60 below', () => {
    expect(computeMtu(base)).toMatchObject({ mss4: 1374, mss6: 1354 });
  });

  it('explains itself', () => {
    expect(computeMtu(base).explanation).toBe(
      '1500 (path MTU) - 20 (outer IPv4 header) - 8 (UDP encapsulation) - 8 (ESP header) - 8 (ESP initialisation vector)' +
        ' - 16 (ESP integrity check value) - 2 (ESP trailer) - 20 (IPv4 header of GRE) - 4 (GRE) = 1414',
    );
    expect(computeMtu({ ...base, path: 1300, gre: { key: 1, checksum: true, sequence: true } }).explanation).toMatch(
      / - 16 \(GRE with checksum, key, sequence number\) = 1202; under 1280, so no IPv6 inside the tunnel$/,
    );
    expect(computeMtu({ ...base, cipher: 'aes-cbc-hmac-sha2-256' }).explanation).toContain(
      ' - 8 (left over (ESP comes in steps of 16))',
    );
  });

  it('allows IPv6 from 1280 on', () => {
    expect(computeMtu({ ...plain, ...base, shape: 'gre-plain', path: 1304 })).toMatchObject({
      mtu: 1280,
      ipv6Allowed: true,
    });
    expect(computeMtu({ ...plain, ...base, shape: 'gre-plain', path: 1303 })).toMatchObject({
      mtu: 1279,
      ipv6Allowed: false,
    });
  });

  it('throws where GRE and the shape disagree', () => {
    expect(() => computeMtu({ ...base, gre: null })).toThrow(RangeError);
    expect(() => computeMtu({ ...base, shape: 'esp-tunnel' })).toThrow(RangeError);
    expect(() => computeMtu({ ...base, deliveryFamily: null })).toThrow(RangeError);
  });

  it('does not give a negative MSS', () => {
    expect(computeMtu({ ...base, path: 68 })).toMatchObject({ mss4: 0, mss6: 0, ipv6Allowed: false });
  });
});

/** The slow way: the datagram that leaves for an inner packet of `inner` bytes, put together as bytes (RFC 4303 §2). */
function datagram(input: MtuInput, inner: number): Uint8Array {
  const { iv, icv, align }: CipherOverhead =
    typeof input.cipher === 'string' ? CIPHER_OVERHEAD[input.cipher] : input.cipher;
  const ip = (family: 4 | 6 | null): number[] => new Array<number>(family === 6 ? 40 : 20).fill(family ?? 0);
  const gre: number[] = [];
  if (input.gre) {
    gre.push(0, 0, 8, 0);
    if (input.gre.checksum) gre.push(0, 0, 0, 0);
    if (input.gre.key !== null) gre.push(0, 0, 0, 1);
    if (input.gre.sequence) gre.push(0, 0, 0, 2);
  }
  const payload = [...gre, ...new Array<number>(inner).fill(0x61)];
  if (input.shape === 'gre-plain') return Uint8Array.from([...ip(input.outerFamily), ...payload]);
  const secret = input.shape === 'gre-tunnel' ? [...ip(input.deliveryFamily), ...payload] : payload;
  // Padding 1, 2, 3, … until pad length and next header end on the boundary.
  for (let pad = 1; (secret.length + 2) % align !== 0; pad++) secret.push(pad);
  secret.push(0, 4);
  return Uint8Array.from([
    ...ip(input.outerFamily),
    ...(input.encapsulation === 'udp' ? [0x11, 0x94, 0x11, 0x94, 0, 0, 0, 0] : []),
    ...[0, 0, 1, 0, 0, 0, 0, 1],
    ...new Array<number>(iv).fill(0x22),
    ...secret,
    ...new Array<number>(icv).fill(0x33),
  ]);
}

function largest(input: MtuInput): number {
  for (let inner = input.path; inner >= 0; inner--) if (datagram(input, inner).length <= input.path) return inner;
  return -1;
}

describe('against packets put together', () => {
  const ciphers = Object.keys(CIPHER_OVERHEAD) as CipherName[];
  const gres = [GRE, { ...GRE, key: 5 }, { key: 0, checksum: true, sequence: true }];
  const cases: MtuInput[] = [];
  // Neighbouring paths, so that every remainder of every alignment comes up.
  for (const path of [...Array.from({ length: 17 }, (_, i) => 1484 + i), 1280, 576])
    for (const cipher of ciphers)
      for (const outerFamily of [4, 6] as const)
        for (const encapsulation of ['udp', 'raw'] as const) {
          const common = { path, cipher, outerFamily, encapsulation };
          cases.push({ ...common, ...esp });
          for (const gre of gres) {
            cases.push({ ...common, shape: 'gre-transport', gre, deliveryFamily: null });
            for (const deliveryFamily of [4, 6] as const)
              cases.push({ ...common, shape: 'gre-tunnel', gre, deliveryFamily });
          }
          if (encapsulation === 'raw')
            cases.push({ ...common, shape: 'gre-plain', gre: gres[1]!, deliveryFamily: null });
        }

  it(`is the largest inner packet that fits, in ${cases.length} combinations`, () => {
    for (const input of cases) {
      const { mtu, parts } = computeMtu(input);
      const name = JSON.stringify(input);
      expect(datagram(input, mtu).length, name).toBeLessThanOrEqual(input.path);
      expect(datagram(input, mtu + 1).length, name).toBeGreaterThan(input.path);
      expect(
        parts.reduce((sum, part) => sum + part.bytes, mtu),
        name,
      ).toBe(input.path);
    }
  });

  it('is what a search through every size finds', () => {
    // The sizes above are only compared at the edge; here every larger packet is tried.
    for (const input of cases.filter(({ path }) => path === 576)) expect(computeMtu(input).mtu).toBe(largest(input));
  });
});
