import { readFileSync } from 'node:fs';
import { x25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { describe, expect, test } from 'vitest';
import { ECP_256, ECP_384, isKeError, KEY_EXCHANGES, KeError, MODP_2048, X25519 } from '../../main/crypto/ke.ts';
import { hex, toHex } from './hex.ts';
import { scripted, seeded } from './seeded.ts';

interface EcpCase {
  readonly source: string;
  readonly group: number;
  readonly i: string;
  readonly gix: string;
  readonly giy: string;
  readonly r: string;
  readonly grx: string;
  readonly gry: string;
  readonly girx: string;
}
const ecp: readonly EcpCase[] = JSON.parse(readFileSync(new URL('../vectors/ecp.json', import.meta.url), 'utf8'));

const reasonOf = (value: unknown): string => (isKeError(value) ? value.reason : `no error: ${String(value)}`);

describe('published vectors', () => {
  test.each(ecp)('$source, group $group', (vector) => {
    const ke = vector.group === 19 ? ECP_256 : ECP_384;
    const initiator = ke.initiate(scripted(hex(vector.i)));
    expect(toHex(initiator.data)).toBe(vector.gix + vector.giy);
    const response = ke.respond(initiator.data, scripted(hex(vector.r)));
    if (isKeError(response)) throw response;
    expect(toHex(response.data)).toBe(vector.grx + vector.gry);
    expect(toHex(response.secret)).toBe(vector.girx);
    expect(initiator.finish(response.data)).toEqual(response.secret);
  });

  test('X25519: RFC 8031 Appendix A', () => {
    const random_i = hex('751fb430 8655b476 b6789b73 25f9ea8c ddd16a58 533ff6d9 e6000946 4a5f9d94');
    const random_r = hex('0a546452 53290d60 ddadd0e0 30bacd9e 5501efdc 220755a1 e978f1b8 39a05688');
    const initiator = X25519.initiate(scripted(random_i));
    expect(toHex(initiator.data)).toBe('48d5ddd4061257ba166fa3f9bbdb74f1a4e81c089384fa77f790709f0dfbc766');
    const response = X25519.respond(initiator.data, scripted(random_r));
    if (isKeError(response)) throw response;
    expect(toHex(response.data)).toBe(
      '0be7c1f5aad87d7e4486626732 98a443478b859745179eaf564c79c0ef6eee25'.replace(' ', ''),
    );
    expect(toHex(response.secret)).toBe('c74950607a12327f3204d94b6825bfb068b7f8319a9e3708ed3d43ce8130c950');
    expect(initiator.finish(response.data)).toEqual(response.secret);
  });
});

// The prime out of the formula in RFC 3526 §3, with pi computed here: 2^2048 - 2^1984 - 1 + 2^64 * { [2^1918 pi] + 124476 }.
function prime2048(): bigint {
  const scale = 1n << 2100n;
  const arctan = (x: bigint): bigint => {
    let term = scale / x;
    let sum = term;
    for (let n = 3n, sign = -1n; term !== 0n; n += 2n, sign = -sign) {
      term /= x * x;
      sum += (sign * term) / n;
    }
    return sum;
  };
  const pi = 4n * (4n * arctan(5n) - arctan(239n)); // Machin
  return (1n << 2048n) - (1n << 1984n) - 1n + (1n << 64n) * ((pi >> (2100n - 1918n)) + 124476n);
}

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);
const toBytes = (value: bigint, length: number): Uint8Array => hex(value.toString(16).padStart(length * 2, '0'));

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n, b = (b * b) % modulus) if (e & 1n) result = (result * b) % modulus;
  return result;
}

describe('MODP-2048', () => {
  const p = prime2048();
  const x = seeded(5)(40);
  const exponent = toNumber(Uint8Array.of(x[0]! | 0x80, ...x.subarray(1)));

  test('is 2^x mod p, and g^ir, by square and multiply over the prime of RFC 3526', () => {
    expect(p.toString(16)).toMatch(/^f{16}c90fdaa22168c234.*15728e5a8aacaa68f{16}$/);
    const initiator = MODP_2048.initiate(scripted(x));
    expect(toNumber(initiator.data)).toBe(power(2n, exponent, p));
    const peer = power(2n, 12345678901234567890n, p);
    const secret = initiator.finish(toBytes(peer, 256));
    if (isKeError(secret)) throw secret;
    expect(toNumber(secret)).toBe(power(peer, exponent, p));
  });

  test('a private value of zeros still has its top bit', () => {
    const initiator = MODP_2048.initiate((length) => new Uint8Array(length));
    expect(toNumber(initiator.data)).toBe(power(2n, 1n << 319n, p));
  });

  test('keeps leading zeros of the shared secret (RFC 7296 §2.14)', () => {
    // g^ir of this peer value starts with a zero byte: found by trying, checked by the oracle.
    const initiator = MODP_2048.initiate(scripted(x));
    for (let y = 2n; ; y++) {
      const shared = power(y, exponent, p);
      if (shared >> 2040n) continue;
      const secret = initiator.finish(toBytes(y, 256));
      if (isKeError(secret)) throw secret;
      expect(secret).toHaveLength(256);
      expect(toNumber(secret)).toBe(shared);
      return;
    }
  });

  test('refuses 0, 1, p-1, p and above (RFC 6989 §2.1), takes 2 and p-2', () => {
    const initiator = MODP_2048.initiate(seeded(6));
    for (const bad of [0n, 1n, p - 1n, p, p + 1n, (1n << 2048n) - 1n])
      expect(reasonOf(initiator.finish(toBytes(bad, 256)))).toBe('range');
    for (const good of [2n, p - 2n]) expect(initiator.finish(toBytes(good, 256))).toBeInstanceOf(Uint8Array);
  });
});

describe.each([
  { ke: ECP_256, curve: p256, bytes: 32 },
  { ke: ECP_384, curve: p384, bytes: 48 },
])('$ke.name', ({ ke, curve, bytes }) => {
  const { p, n } = curve.Point.CURVE();

  test('agrees with @noble/curves', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const key = seeded(seed)(bytes);
      const peer = curve.getPublicKey(seeded(seed + 100)(bytes), false).subarray(1);
      const initiator = ke.initiate(scripted(key));
      expect(toHex(initiator.data)).toBe(toHex(curve.getPublicKey(key, false).subarray(1)));
      const shared = curve.getSharedSecret(key, Uint8Array.of(4, ...peer), false).subarray(1, 1 + bytes);
      expect(initiator.finish(peer)).toEqual(Uint8Array.from(shared));
    }
  });

  test('refuses points off the curve, coordinates of p and above, and infinity (RFC 6989 §2.3)', () => {
    const initiator = ke.initiate(seeded(1));
    const good = curve.getPublicKey(seeded(2)(bytes), false).subarray(1);
    const x = toNumber(good.subarray(0, bytes));
    const y = toNumber(good.subarray(bytes));
    const point = (px: bigint, py: bigint) => Uint8Array.of(...toBytes(px, bytes), ...toBytes(py, bytes));
    expect(initiator.finish(point(x, y))).toBeInstanceOf(Uint8Array);
    expect(initiator.finish(point(x, p - y))).toBeInstanceOf(Uint8Array);
    for (const bad of [point(0n, 0n), point(x, y ^ 1n), point(x ^ 1n, y), point(p, y), point(x, p), point(1n, 1n)])
      expect(reasonOf(initiator.finish(bad))).toBe('point');
    // The smallest point of the curve whose x or y still fits when p is added: the same residue, written wrongly.
    for (let small = 0n; small < 200n; small++) {
      const root = squareRoot(small ** 3n + curve.Point.CURVE().a * small + curve.Point.CURVE().b, p);
      if (root === undefined || (small + p) >> BigInt(bytes * 8)) continue;
      expect(initiator.finish(point(small, root))).toBeInstanceOf(Uint8Array);
      expect(reasonOf(initiator.finish(point(small + p, root)))).toBe('point');
      return;
    }
    throw new Error('no small point found');
  });

  test('draws private values again until they are from 1 to n-1', () => {
    const good = seeded(3)(bytes);
    const source = scripted(new Uint8Array(bytes), toBytes(n, bytes), new Uint8Array(bytes).fill(255), good);
    expect(toHex(ke.initiate(source).data)).toBe(toHex(curve.getPublicKey(good, false).subarray(1)));
    expect(() => ke.initiate((length) => new Uint8Array(length))).toThrow('random source');
  });
});

/** For p = 3 mod 4. */
function squareRoot(square: bigint, p: bigint): bigint | undefined {
  const root = power(((square % p) + p) % p, (p + 1n) / 4n, p);
  return (root * root - square) % p === 0n ? root : undefined;
}

describe('X25519', () => {
  test('agrees with @noble/curves', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const key = seeded(seed)(32);
      const peer = x25519.getPublicKey(seeded(seed + 100)(32));
      const initiator = X25519.initiate(scripted(key));
      expect(toHex(initiator.data)).toBe(toHex(x25519.getPublicKey(key)));
      expect(initiator.finish(peer)).toEqual(Uint8Array.from(x25519.getSharedSecret(key, peer)));
    }
  });

  // RFC 7748 §6.1, RFC 8031 §2.2: values of small order, from the list at cr.yp.to/ecdh.html#validate.
  test.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('refuses the all-zero result of %s', (value) => {
    expect(reasonOf(X25519.initiate(seeded(1)).finish(hex(value)))).toBe('zero');
    expect(reasonOf(X25519.respond(hex(value), seeded(1)))).toBe('zero');
  });

  test('ignores the top bit of the public value (RFC 7748 §5)', () => {
    const initiator = X25519.initiate(seeded(1));
    const peer = x25519.getPublicKey(seeded(2)(32));
    const marked = Uint8Array.of(...peer.subarray(0, 31), peer[31]! | 0x80);
    expect(initiator.finish(marked)).toEqual(initiator.finish(peer));
  });
});

describe.each(KEY_EXCHANGES)('$name', (ke) => {
  test('gives both sides the same secret, and another one to another pair', () => {
    const initiator = ke.initiate(seeded(11));
    expect(initiator.data).toHaveLength(ke.initiatorBytes);
    const one = ke.respond(initiator.data, seeded(12));
    const two = ke.respond(initiator.data, seeded(13));
    if (isKeError(one) || isKeError(two)) throw new Error('refused');
    expect(one.data).toHaveLength(ke.responderBytes);
    expect(initiator.finish(one.data)).toEqual(one.secret);
    expect(one.secret).not.toEqual(two.secret);
  });

  test('refuses every other length', () => {
    const { data, finish } = ke.initiate(seeded(14));
    for (const length of [0, 1, data.length - 1]) expect(reasonOf(finish(data.subarray(0, length)))).toBe('length');
    expect(reasonOf(ke.respond(Uint8Array.of(...data, 0), seeded(1)))).toBe('length');
  });

  test('is of no use once wiped', () => {
    const initiator = ke.initiate(seeded(15));
    initiator.wipe();
    expect(() => initiator.finish(initiator.data)).toThrow('gone');
  });

  test('says what is wrong in words', () => {
    expect(String(new KeError('length', ke.name))).toContain(ke.name);
  });
});
