import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { aesEncrypt } from '../../reference/aes.ts';
import { ghash } from '../../reference/aes-gcm.ts';
import { chacha20, chacha20Block, poly1305 } from '../../reference/chacha20-poly1305.ts';
import { aeadModule, SCRATCH } from './module.ts';
import { randomness } from './randomness.ts';

interface GcmVectors {
  aes: { section: string; key: string; plaintext: string; ciphertext: string }[];
  ghash: { case: number; h: string; aad: string; ciphertext: string; ghash: string }[];
}
interface ChaChaVectors {
  chacha20Blocks: { section: string; key: string; nonce: string; counter: number; keystream: string }[];
  chacha20: { section: string; key: string; nonce: string; counter: number; plaintext: string; ciphertext: string }[];
  poly1305: { section: string; key: string; text: string; tag: string }[];
}
const read = (name: string) => readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8');
const gcm = JSON.parse(read('aes-gcm')) as GcmVectors;
const chacha = JSON.parse(read('chacha20-poly1305')) as ChaChaVectors;
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));

const core = aeadModule();
/** Lays `parts` out in scratch memory, 16 bytes of dirt between them; their addresses. */
function place(...parts: Uint8Array[]): number[] {
  let at = SCRATCH;
  core.bytes.fill(0x5a, SCRATCH, SCRATCH + 0x10000);
  return parts.map((part) => {
    const start = at;
    core.bytes.set(part, start);
    at += part.length + 16;
    return start;
  });
}
const take = (address: number, length: number) => core.bytes.slice(address, address + length);

describe('AES, bitsliced', () => {
  const encrypt = (key: Uint8Array, blocks: Uint8Array) => {
    const [k, b] = place(key, blocks);
    core.exports.aes(k!, key.length, b!);
    return take(b!, 128);
  };

  it.each(gcm.aes)('$section', ({ key, plaintext, ciphertext }) => {
    expect(aesEncrypt(hex(key), hex(plaintext))).toEqual(hex(ciphertext));
    expect(encrypt(hex(key), hex(plaintext.repeat(8)))).toEqual(hex(ciphertext.repeat(8)));
  });

  it('agrees with FIPS 197 on every byte value in every position and block', () => {
    const random = randomness('aes');
    for (const keyLength of [16, 24, 32]) {
      const key = random.bytes(keyLength);
      for (let value = 0; value < 256; value += 8) {
        const blocks = random.bytes(128);
        for (let i = 0; i < 8; i++) blocks.fill(value + i, 16 * i, 16 * i + ((value / 8) % 17));
        const expected = Array.from({ length: 8 }, (_, i) => [
          ...aesEncrypt(key, blocks.subarray(16 * i, 16 * i + 16)),
        ]);
        expect(encrypt(key, blocks)).toEqual(Uint8Array.from(expected.flat()));
      }
    }
  });
});

describe('GHASH', () => {
  const hash = (h: Uint8Array, aad: Uint8Array, text: Uint8Array) => {
    const [H, A, T, out] = place(h, aad, text, new Uint8Array(16));
    core.exports.ghash(H!, A!, aad.length, T!, text.length, out!);
    return take(out!, 16);
  };

  it.each(gcm.ghash)('GCM test case $case', ({ h, aad, ciphertext, ghash: expected }) => {
    expect(ghash(hex(h), hex(aad), hex(ciphertext))).toEqual(hex(expected));
    expect(hash(hex(h), hex(aad), hex(ciphertext))).toEqual(hex(expected));
  });

  it('agrees with SP 800-38D at every length', () => {
    const random = randomness('ghash');
    for (let length = 0; length <= 300; length++) {
      const [h, aad, text] = [random.bytes(16), random.bytes(length % 41), random.bytes(length)];
      expect(hash(h, aad, text), `length ${length}`).toEqual(ghash(h, aad, text));
    }
  });

  it('multiplies every single bit of H by every single bit of a block', () => {
    for (let bit = 0; bit < 128; bit++) {
      const h = new Uint8Array(16);
      h[bit >> 3] = 0x80 >> (bit & 7);
      const text = new Uint8Array(16 * 20);
      for (let i = 0; i < 20; i++) text[16 * i + (((bit + 7 * i) >> 3) & 15)] = 0x80 >> ((bit + 7 * i) & 7);
      expect(hash(h, new Uint8Array(0), text), `bit ${bit}`).toEqual(ghash(h, new Uint8Array(0), text));
    }
  });

  it.each([0x00, 0xff])('keeps its arithmetic with H and text all 0x%i', (value) => {
    const text = new Uint8Array(400).fill(0xff);
    const h = new Uint8Array(16).fill(value);
    expect(hash(h, text.subarray(0, 9), text)).toEqual(ghash(h, text.subarray(0, 9), text));
  });
});

describe.each([
  [4, false],
  [8, true],
])('ChaCha20, %i blocks', (lanes, eight) => {
  const keystream = (key: Uint8Array, nonce: Uint8Array, counter: number) => {
    const [k, n, out] = place(key, nonce, new Uint8Array(64 * lanes));
    core.exports.chacha20(k!, n!, counter, eight, out!);
    expect(take(out! + 64 * lanes, 16)).toEqual(new Uint8Array(16).fill(0x5a));
    return take(out!, 64 * lanes);
  };

  it.each(chacha.chacha20Blocks)('RFC 8439 $section', ({ key, nonce, counter, keystream: expected }) => {
    expect(chacha20Block(hex(key), hex(nonce), counter)).toEqual(hex(expected));
    expect(keystream(hex(key), hex(nonce), counter).subarray(0, 64)).toEqual(hex(expected));
  });

  it.each(chacha.chacha20)('RFC 8439 $section', ({ key, nonce, counter, plaintext, ciphertext }) => {
    expect(chacha20(hex(key), hex(nonce), counter, hex(plaintext))).toEqual(hex(ciphertext));
    const mask = Uint8Array.of(
      ...keystream(hex(key), hex(nonce), counter),
      ...keystream(hex(key), hex(nonce), counter + lanes),
    );
    expect(hex(plaintext).map((byte, i) => byte ^ mask[i]!)).toEqual(hex(ciphertext));
  });

  it('agrees with RFC 8439 in all lanes, the counter wrapping too', () => {
    const random = randomness('chacha20');
    for (const counter of [0, 1, 1000, 0x7fffffff, 0xfffffffa, 0xfffffffe]) {
      const [key, nonce] = [random.bytes(32), random.bytes(12)];
      const expected = Array.from({ length: lanes }, (_, i) => [...chacha20Block(key, nonce, (counter + i) >>> 0)]);
      expect(keystream(key, nonce, counter)).toEqual(Uint8Array.from(expected.flat()));
    }
  });
});

describe('Poly1305', () => {
  const authenticate = (key: Uint8Array, text: Uint8Array, how: 'poly1305' | 'poly1305Beside' = 'poly1305') => {
    const [k, t, out] = place(key, text, new Uint8Array(16));
    core.exports[how](k!, t!, text.length / 16, out!);
    return take(out!, 16);
  };

  it.each(chacha.poly1305)('RFC 8439 $section', ({ key, text, tag }) => {
    expect(poly1305(hex(key), hex(text))).toEqual(hex(tag));
    // In the AEAD every text is padded to whole blocks; a text that is not goes to the oracle alone.
    if (hex(text).length % 16 === 0) expect(authenticate(hex(key), hex(text))).toEqual(hex(tag));
  });

  it('keeps the largest sums within 64 bits', () => {
    // r as large as its clamped bits allow, and every limb of every block full.
    for (let blocks = 1; blocks <= 40; blocks++) {
      for (const filling of [0xff, 0xfe, 0x7f, 0x80]) {
        const [key, text] = [new Uint8Array(32).fill(0xff), new Uint8Array(16 * blocks).fill(filling)];
        expect(authenticate(key, text), `${blocks} blocks`).toEqual(poly1305(key, text));
      }
    }
  });

  it('reduces what lies at 2^130 - 5 and around', () => {
    // r = 1, so that h is the sum of the blocks, each with 2^128 on top: 2^130 - 5 is that of four with the rest below.
    const key = new Uint8Array(32).fill(0);
    key[0] = 1;
    for (let last = 0xf0; last <= 0xff; last++) {
      for (const blocks of [1, 2, 3, 4]) {
        const text = new Uint8Array(16 * blocks);
        text.fill(0xff, 16 * (blocks - 1));
        text[16 * (blocks - 1)] = last;
        expect(authenticate(key, text), `${blocks} blocks, ${last}`).toEqual(poly1305(key, text));
      }
    }
  });

  it('agrees with RFC 8439 where limbs are full, empty and random', () => {
    const random = randomness('poly1305');
    const fillings = [0x00, 0x01, 0x7f, 0x80, 0xfb, 0xfe, 0xff];
    for (let round = 0; round < 600; round++) {
      const key = random.bytes(32);
      const text = random.bytes(16 * (round % 37));
      for (const part of [key, text]) {
        for (let i = 0; i < part.length; i += 4) {
          if (random.below(2)) part.fill(fillings[random.below(fillings.length)]!, i, i + 4);
        }
      }
      expect(authenticate(key, text), `round ${round}`).toEqual(poly1305(key, text));
      if (text.length % 32 === 0)
        expect(authenticate(key, text, 'poly1305Beside'), `beside ChaCha20, round ${round}`).toEqual(
          poly1305(key, text),
        );
    }
  });
});
