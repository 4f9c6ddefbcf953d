import { readFileSync } from 'node:fs';
import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { CHash } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, PRFS, type Prf, prfPlus } from '../../main/crypto/prf.ts';
import { hex, toHex } from './hex.ts';
import { seeded } from './seeded.ts';

interface Case {
  readonly case: string;
  readonly key: string;
  readonly data: string;
  readonly '256': string;
  readonly '384': string;
  readonly '512': string;
}
const vectors: { readonly prf: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../vectors/rfc4868.json', import.meta.url), 'utf8'),
);
const rfc2202: {
  readonly hmacSha1: readonly {
    readonly case: string;
    readonly key: string;
    readonly data: string;
    readonly digest: string;
  }[];
} = JSON.parse(readFileSync(new URL('../vectors/rfc2202.json', import.meta.url), 'utf8'));
const bitsOf = (prf: Prf) => String(prf.outputBytes * 8) as '256' | '384' | '512';

describe.each(PRFS)('$name', (prf) => {
  test.each(prf === PRF_HMAC_SHA1 ? [] : vectors.prf)('RFC 4868 §2.7.1 $case', (vector) => {
    expect(toHex(prf.compute(hex(vector.key), hex(vector.data)))).toBe(vector[bitsOf(prf)]);
  });

  test.each(prf === PRF_HMAC_SHA1 ? rfc2202.hmacSha1 : [])('RFC 2202 §3 test case $case', (vector) => {
    expect(toHex(prf.compute(hex(vector.key), hex(vector.data)))).toBe(vector.digest);
  });

  test('takes data in pieces as if in one', () => {
    const data = seeded(1)(100);
    const key = seeded(2)(32);
    const whole = prf.compute(key, data);
    expect(prf.compute(key, data.subarray(0, 1), data.subarray(1, 1), data.subarray(1))).toEqual(whole);
  });
});

// prf+ written out as RFC 7296 §2.13 has it, over another implementation of HMAC.
function oracle(hash: CHash, key: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  let all = new Uint8Array(0);
  let T = new Uint8Array(0);
  for (let n = 1; all.length < length; n++) {
    T = Uint8Array.from(hmac(hash, key, Uint8Array.from([...T, ...seed, n])));
    all = Uint8Array.from([...all, ...T]);
  }
  return all.subarray(0, length);
}

describe('prf+', () => {
  const key = seeded(3)(32);
  const seed = seeded(4)(80);
  const hashes = [sha256, sha384, sha512, sha1];

  test.each(PRFS.map((prf, i) => ({ prf, hash: hashes[i]! })))('$prf.name at many lengths', ({ prf, hash }) => {
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 200, 500])
      expect(toHex(prfPlus(prf, key, seed, length))).toBe(toHex(oracle(hash, key, seed, length)));
  });

  test('stops at 255 rounds, where the counter would wrap', () => {
    expect(prfPlus(PRF_HMAC_SHA2_256, key, seed, 255 * 32)).toHaveLength(8160);
    expect(() => prfPlus(PRF_HMAC_SHA2_256, key, seed, 255 * 32 + 1)).toThrow(RangeError);
  });
});
