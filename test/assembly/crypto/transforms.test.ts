// AES-CBC, AES-CTR, AES-GMAC and HMAC by published vectors, against OpenSSL at every length, and against slow oracles.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  INTEGRITY_HMAC_SHA1_96,
  INTEGRITY_HMAC_SHA2_256_128,
  INTEGRITY_HMAC_SHA2_384_192,
  INTEGRITY_HMAC_SHA2_512_256,
} from '../../../assembly/layout.ts';
import { aesDecrypt, aesEncrypt } from '../../reference/aes.ts';
import { aesCbcDecrypt, aesCbcEncrypt, aesCtr } from '../../reference/aes-modes.ts';
import { hmac, sha } from '../../reference/sha.ts';
import { randomness } from './randomness.ts';
import { SCRATCH, type Text, transformModule } from './transform-module.ts';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'));
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const core = transformModule();
const KEYS = [16, 24, 32];

/** A batch as ESP makes them: lengths that differ, and more packets than lanes. */
const mixed = (count: number, random: ReturnType<typeof randomness>, unit: number) =>
  Array.from(
    { length: count },
    (_, i) => unit * [1, 90, 3, 7, 88, 2, 1, 40][i % 8]! + (unit === 1 ? random.below(99) : 0),
  );

interface CbcCase {
  readonly case: string;
  readonly key: string;
  readonly iv: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}
const cbcCases: readonly CbcCase[] = read('aes-cbc').cbc;

describe('AES backwards', () => {
  // FIPS 197 App. C.
  it.each([
    ['000102030405060708090a0b0c0d0e0f', '69c4e0d86a7b0430d8cdb78070b4c55a'],
    ['000102030405060708090a0b0c0d0e0f1011121314151617', 'dda97ca4864cdfe06eaf70a0ec0d7191'],
    ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '8ea2b7ca516745bfeafc49904b496089'],
  ])('FIPS 197 App. C, %s', (key, block) => {
    expect(toHex(aesDecrypt(hex(key), hex(block)))).toBe('00112233445566778899aabbccddeeff');
    expect(toHex(core.decryptBlocks(hex(key), hex(block.repeat(8))))).toBe(
      '00112233445566778899aabbccddeeff'.repeat(8),
    );
  });

  it('agrees with FIPS 197 on every byte value in every position and block, in one to four groups', () => {
    const random = randomness('aes backwards');
    for (const length of KEYS) {
      const key = random.bytes(length);
      for (let value = 0; value < 256; value += 8) {
        const groups = 1 + ((value / 8) % 4);
        const blocks = random.bytes(128 * groups);
        for (let i = 0; i < 8 * groups; i++) blocks.fill(value + (i & 7), 16 * i, 16 * i + ((value / 8) % 17));
        const opened = core.decryptBlocks(key, blocks);
        for (let at = 0; at < blocks.length; at += 16) {
          expect(opened.subarray(at, at + 16)).toEqual(aesDecrypt(key, blocks.subarray(at, at + 16)));
          expect(aesEncrypt(key, opened.subarray(at, at + 16))).toEqual(blocks.slice(at, at + 16));
        }
      }
    }
  });
});

describe('AES-CBC', () => {
  it.each(cbcCases)('RFC 3602 §4 case $case', ({ key, iv, plaintext, ciphertext }) => {
    expect(toHex(aesCbcEncrypt(hex(key), hex(iv), hex(plaintext)))).toBe(ciphertext);
    expect(toHex(aesCbcDecrypt(hex(key), hex(iv), hex(ciphertext)))).toBe(plaintext);
    const [opened] = core.cbcDecrypt(hex(key), [{ head: hex(iv), data: hex(ciphertext) }]);
    expect(toHex(opened!.data)).toBe(plaintext);
    // Our IVs are encrypted nonces: this nonce makes the RFC's.
    const nonce = aesDecrypt(hex(key), hex(iv));
    const [sealed] = core.cbcEncrypt(hex(key), [{ head: nonce, data: hex(plaintext) }]);
    expect(toHex(sealed!.head)).toBe(iv);
    expect(toHex(sealed!.data)).toBe(ciphertext);
  });

  it.each(KEYS)(
    'agrees with OpenSSL in batches of 0 to 70 packets of mixed lengths, both ways (%i-byte keys)',
    (length) => {
      const random = randomness(`cbc ${length}`);
      for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 34, 35, 64, 70]) {
        const key = random.bytes(length);
        const plain = mixed(count, random, 16).map((n) => ({ head: random.bytes(16), data: random.bytes(n) }));
        const expected = plain.map(({ head, data }) => {
          const ecb = createCipheriv(`aes-${8 * length}-ecb`, key, null).setAutoPadding(false);
          const iv = new Uint8Array(ecb.update(head));
          const cbc = createCipheriv(`aes-${8 * length}-cbc`, key, iv).setAutoPadding(false);
          return { head: iv, data: new Uint8Array(cbc.update(data)) };
        });
        expect(core.cbcEncrypt(key, plain), `${count} packets`).toEqual(expected);
        expect(core.cbcDecrypt(key, expected).map(({ data }) => data)).toEqual(plain.map(({ data }) => data));
      }
    },
  );

  it('agrees with OpenSSL and the slow oracle at every length from 1 to 100 blocks', () => {
    const random = randomness('cbc lengths');
    for (let blocks = 1; blocks <= 100; blocks++) {
      const key = random.bytes(KEYS[blocks % 3]!);
      const [head, data] = [random.bytes(16), random.bytes(16 * blocks)];
      const [opened] = core.cbcDecrypt(key, [{ head, data }]);
      const decipher = createDecipheriv(`aes-${8 * key.length}-cbc`, key, head).setAutoPadding(false);
      expect(opened!.data, `${blocks} blocks`).toEqual(new Uint8Array(decipher.update(data)));
      if (blocks <= 20) expect(opened!.data).toEqual(aesCbcDecrypt(key, head, data));
      const [sealed] = core.cbcEncrypt(key, [{ head, data: opened!.data }]);
      expect(sealed!.data).toEqual(aesCbcEncrypt(key, aesEncrypt(key, head), opened!.data));
    }
  });

  it('encrypts a chain alone as FIPS 197 says for every byte value in every position', () => {
    const random = randomness('cbc alone');
    for (const length of KEYS) {
      const key = random.bytes(length);
      for (let value = 0; value < 256; value++) {
        const nonce = random.bytes(16);
        // What is added to the IV makes the block that is encrypted.
        const block = random.bytes(16).fill(value, 0, 1 + (value % 16));
        block.fill(255 - value, 16 - (value % 5));
        const data = aesEncrypt(key, nonce).map((byte, i) => byte ^ block[i]!);
        const [sealed] = core.cbcEncrypt(key, [{ head: nonce, data }]);
        expect(toHex(sealed!.data), `${value}`).toBe(toHex(aesEncrypt(key, block)));
      }
    }
  });

  it('decrypts only what was verified', () => {
    const random = randomness('cbc ok');
    const key = random.bytes(16);
    const texts = Array.from({ length: 40 }, (_, i) => ({
      head: random.bytes(16),
      data: random.bytes(16 * (1 + (i % 5))),
      ok: i % 3 ? 1 : 0,
    }));
    const opened = core.cbcDecrypt(key, texts);
    texts.forEach(({ head, data, ok }, i) => {
      expect(opened[i]!.data).toEqual(ok ? aesCbcDecrypt(key, head, data) : data);
    });
  });
});

interface CtrCase extends CbcCase {
  readonly nonce: string;
}
const ctrCases: readonly CtrCase[] = read('aes-ctr').ctr;

describe('AES-CTR', () => {
  it.each(ctrCases)('RFC 3686 §6 vector $case', ({ key, iv, nonce, plaintext, ciphertext }) => {
    expect(toHex(aesCtr(hex(key), hex(nonce), hex(iv), hex(plaintext)))).toBe(ciphertext);
    const text = { head: hex(iv), data: hex(plaintext), nonce: hex(nonce + iv) };
    expect(toHex(core.ctr(hex(key), [text])[0]!.data)).toBe(ciphertext);
  });

  it('agrees with OpenSSL at every length from 0 to 300, and long ones, and with the slow oracle', () => {
    const random = randomness('ctr lengths');
    for (const n of [...Array(301).keys(), 1400, 1552, 1553, 4096, 9000]) {
      const key = random.bytes(KEYS[n % 3]!);
      const text = { head: random.bytes(16), data: random.bytes(n), nonce: random.bytes(12) };
      const cipher = createCipheriv(`aes-${8 * key.length}-ctr`, key, Uint8Array.of(...text.nonce, 0, 0, 0, 1));
      const [sealed] = core.ctr(key, [text]);
      expect(sealed!.data, `length ${n}`).toEqual(new Uint8Array(cipher.update(text.data)));
      if (n % 23 === 0 && n < 400)
        expect(sealed!.data).toEqual(aesCtr(key, text.nonce.subarray(0, 4), text.nonce.subarray(4), text.data));
    }
  });

  it('does batches as it does single packets, and only what was verified', () => {
    const random = randomness('ctr batches');
    for (const count of [2, 15, 16, 17, 33, 70]) {
      const key = random.bytes(16);
      const texts = mixed(count, random, 1).map((n, i) => ({
        ...{ head: random.bytes(16), data: random.bytes(n), nonce: random.bytes(12) },
        ok: i % 4 ? 1 : 0,
      }));
      const single = texts.map((text) => core.ctr(key, [text])[0]!.data);
      expect(core.ctr(key, texts).map(({ data }) => data)).toEqual(single);
      const verified = core.ctr(key, texts, true).map(({ data }) => data);
      expect(verified).toEqual(texts.map(({ ok, data }, i) => (ok ? single[i] : data)));
    }
  });
});

describe('AES-GMAC', () => {
  // draft-mcgrew-gcm-test-01: ENCR_NULL_AUTH_AES_GMAC of an ICMP echo in tunnel mode.
  const key = hex('4c80cdefbb5d10da906ac73c3613a634');
  const salt = '22433c64';
  const head = hex('00004321000000070000000000000000');
  const data = hex(
    '45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c6d6e6f707172737401020201',
  );
  const nonce = hex(`${salt}0000000000000000`);

  const openssl = (aad: Uint8Array) => {
    const cipher = createCipheriv('aes-128-gcm', key, nonce);
    cipher.setAAD(aad);
    cipher.final();
    return new Uint8Array(cipher.getAuthTag());
  };

  it('draft-mcgrew-gcm-test-01, RFC 4543', () => {
    expect(toHex(core.gmac(key, [{ head, data, nonce }])[0]!)).toBe('f2a9a836e155106aa8dcd618e4099aaa');
  });

  it('agrees with OpenSSL at every length, with and without ESN, leaving the packet as it was', () => {
    const random = randomness('gmac');
    for (let n = 0; n <= 200; n++) {
      const text: Text = { head: random.bytes(16), data: random.bytes(n), nonce };
      expect(core.gmac(key, [text])[0]).toEqual(openssl(Uint8Array.of(...text.head, ...text.data)));
      const esn = random.bytes(4);
      const aad = Uint8Array.of(...text.head.subarray(0, 4), ...esn, ...text.head.subarray(4), ...text.data);
      expect(core.gmac(key, [{ ...text, esn }])[0]).toEqual(openssl(aad));
    }
  });
});

const HASHES = [
  { name: 'sha1', id: INTEGRITY_HMAC_SHA1_96, key: 20, icv: 12, lanes: 4 },
  { name: 'sha256', id: INTEGRITY_HMAC_SHA2_256_128, key: 32, icv: 16, lanes: 4 },
  { name: 'sha384', id: INTEGRITY_HMAC_SHA2_384_192, key: 48, icv: 24, lanes: 2 },
  { name: 'sha512', id: INTEGRITY_HMAC_SHA2_512_256, key: 64, icv: 32, lanes: 2 },
] as const;

describe.each(HASHES)('HMAC with $name', ({ name, id, key: keyBytes, icv }) => {
  const none = new Uint8Array(0);
  const ours = (key: Uint8Array, texts: readonly Text[]) => core.hmac(id, key, texts, icv);
  const openssl = (key: Uint8Array, { head, data, esn }: Text) =>
    new Uint8Array(
      createHmac(name, key)
        .update(head)
        .update(data)
        .update(esn ?? none)
        .digest()
        .subarray(0, icv),
    );

  const published: readonly {
    readonly case: string;
    readonly key: string;
    readonly data: string;
    readonly icv: string;
  }[] =
    name === 'sha1'
      ? read('rfc2202').hmacSha1.map((of: { case: string; key: string; data: string; digest: string }) => ({
          ...of,
          icv: of.digest.slice(0, 24),
        }))
      : read('rfc4868').auth.filter((of: { bits: number }) => of.bits === keyBytes * 8);

  it.each(published)(`${name === 'sha1' ? 'RFC 2202 §3' : 'RFC 4868 §2.7.2'} case $case`, (vector) => {
    // The core takes keys of at most a block; ESP's are shorter. A longer one is its hash (RFC 2104 §2).
    const key = hex(vector.key).length > 64 ? sha(name, hex(vector.key)) : hex(vector.key);
    expect(toHex(ours(key, [{ head: none, data: hex(vector.data) }])[0]!)).toBe(vector.icv);
    expect(toHex(hmac(name, hex(vector.key), hex(vector.data)).subarray(0, icv))).toBe(vector.icv);
  });

  it('agrees with OpenSSL at every length from 0 to 400, and long ones, with and without ESN', () => {
    const random = randomness(`hmac ${name}`);
    for (const n of [...Array(401).keys(), 1400, 1500, 9000, 65000]) {
      const key = random.bytes(keyBytes);
      const text = { head: random.bytes([0, 8, 16, 24][n % 4]!), data: random.bytes(n) };
      const withEsn = { ...text, esn: random.bytes(4) };
      expect(ours(key, [text])[0], `length ${n}`).toEqual(openssl(key, text));
      expect(ours(key, [withEsn])[0], `length ${n} with ESN`).toEqual(openssl(key, withEsn));
    }
  });

  it('agrees with the slow oracle around every block boundary', () => {
    const random = randomness(`oracle ${name}`);
    for (const n of [0, 1, 3, 47, 51, 55, 56, 63, 64, 65, 107, 111, 112, 119, 120, 127, 128, 129, 239, 240, 256, 300]) {
      const [key, data] = [random.bytes(keyBytes), random.bytes(n)];
      expect(ours(key, [{ head: none, data }])[0], `length ${n}`).toEqual(hmac(name, key, data).slice(0, icv));
    }
  });

  it('hashes batches of mixed lengths as it does single texts', () => {
    const random = randomness(`batches ${name}`);
    for (const count of [0, 1, 2, 3, 4, 5, 9, 33, 64]) {
      const key = random.bytes(keyBytes);
      const texts = mixed(count, random, 1).map((n, i) => ({
        ...{ head: random.bytes(24), data: random.bytes(n * (i % 7 === 3 ? 15 : 1)) },
        ...(i % 2 && { esn: random.bytes(4) }),
      }));
      expect(ours(key, texts), `${count} texts`).toEqual(texts.map((text) => openssl(key, text)));
    }
  });

  it('leaves no key in its scratch memory', () => {
    const key = randomness(`wipe ${name}`).bytes(keyBytes);
    ours(key, [{ head: none, data: new Uint8Array(100) }]);
    const memory = Buffer.from(core.bytes.buffer);
    for (const value of [0x36, 0x5c, 0])
      expect(memory.indexOf(key.subarray(0, 8).map((byte) => byte ^ value))).toBe(-1);
  });
});

describe('comparison of ICVs', () => {
  it('sees every flipped bit', () => {
    const random = randomness('icv');
    for (const n of [12, 16, 24, 32]) {
      const icv = random.bytes(n);
      for (let bit = -1; bit < 8 * n; bit++) {
        const other = icv.slice();
        if (bit >= 0) other[bit >> 3]! ^= 1 << (bit & 7);
        core.bytes.set(icv, SCRATCH);
        core.bytes.set(other, SCRATCH + 64);
        expect(core.exports.equalIcvs(SCRATCH, SCRATCH + 64, n)).toBe(bit < 0 ? 1 : 0);
      }
    }
  });
});
