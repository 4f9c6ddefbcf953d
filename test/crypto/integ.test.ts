import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { INTEGS } from '../../main/crypto/integ.ts';
import { hex, toHex } from './hex.ts';
import { seeded } from './seeded.ts';

interface Case {
  readonly case: string;
  readonly bits: number;
  readonly key: string;
  readonly data: string;
  readonly icv: string;
}
const vectors: { readonly auth: readonly Case[] } = JSON.parse(
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

describe.each(INTEGS)('$name', (integ) => {
  test.each(vectors.auth.filter(({ bits }) => bits === integ.keyBytes * 8))('RFC 4868 §2.7.2 $case', (vector) => {
    expect(hex(vector.key)).toHaveLength(integ.keyBytes);
    const icv = integ.sign(hex(vector.key), hex(vector.data));
    expect(toHex(icv)).toBe(vector.icv);
    expect(icv).toHaveLength(integ.icvBytes);
    expect(integ.verify(hex(vector.key), icv, hex(vector.data))).toBe(true);
  });

  test.each(integ.keyBytes === 20 ? ['1', '3', '5'] : [])('RFC 2202 §3 test case %s, truncated', (name) => {
    const vector = rfc2202.hmacSha1.find((of) => of.case === name)!;
    expect(toHex(integ.sign(hex(vector.key), hex(vector.data)))).toBe(vector.digest.slice(0, 24));
  });

  test('refuses every flipped bit and every other length of the tag', () => {
    const key = seeded(1)(integ.keyBytes);
    const data = seeded(2)(40);
    const icv = integ.sign(key, data);
    for (let bit = 0; bit < icv.length * 8; bit++) {
      const bad = Uint8Array.from(icv);
      bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
      expect(integ.verify(key, bad, data)).toBe(false);
    }
    for (let length = 0; length < icv.length; length++)
      expect(integ.verify(key, icv.subarray(0, length), data)).toBe(false);
    expect(integ.verify(key, Uint8Array.from([...icv, 0]), data)).toBe(false);
  });
});
