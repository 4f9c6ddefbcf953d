import { createCipheriv } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desEncrypt } from '../../../main/eap/mschapv2/des.ts';
import { md4 } from '../../../main/eap/mschapv2/md4.ts';
import {
  authenticatorResponse,
  bareName,
  challengeHash,
  eapMsk,
  mppeKeys,
  ntResponse,
  passwordHash,
  passwordHashHash,
} from '../../../main/eap/mschapv2/response.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

describe('MD4', () => {
  // RFC 1320 §A.5
  it.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      'e33b4ddc9c38f2199c3e7b164fcc0536',
    ],
  ])('of %j is that of RFC 1320', (text, digest) => {
    expect(hex(md4(new TextEncoder().encode(text)))).toBe(digest);
  });
});

describe('DES', () => {
  // FIPS 46-3's descendants: the classical worked example, and the known answers of NBS 500-20 (all-zero key; variable plaintext).
  it.each([
    ['133457799bbcdff1', '0123456789abcdef', '85e813540f0ab405'],
    ['0101010101010101', '8000000000000000', '95f8a5e5dd31d900'],
    ['0101010101010101', '0000000000000001', '166b40b44aba4bd6'],
    ['8001010101010101', '0000000000000000', '95a8d72813daa94d'],
    ['7ca110454a1a6e57', '01a1d6d039776742', '690f5b0d9a26939b'],
  ])('with key %s and %s gives %s', (key, clear, cipher) => {
    expect(hex(desEncrypt(bytes(clear), sevenBytes(bytes(key))))).toBe(cipher);
  });

  it('is triple DES with one key three times', () => {
    const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(exactly(8), exactly(7), (clear, key) => {
        const eight = eightBytes(key);
        const oracle = createCipheriv('des-ede3', Buffer.concat([eight, eight, eight]), null).setAutoPadding(false);
        expect(hex(desEncrypt(clear, key))).toBe(hex(oracle.update(clear)));
      }),
      { numRuns: 50 },
    );
  });

  it('expands a key as RFC 2759 §9.3 does', () => {
    expect(hex(sevenBytes(bytes('FD 0B 5B 5E 7F 6E 34 D9')))).toBe('fc156af7edcd6c');
    expect(hex(eightBytes(bytes('0E DD E3 33 7D 42 7F'), true))).toBe('0e6e796737ea08fe');
    expect(hex(passwordHash('MyPw'))).toBe('fc156af7edcd6c0edde3337d427f4eac');
  });
});

describe('MSCHAPv2', () => {
  // RFC 2759 §9.2
  const challenges = {
    authenticator: bytes('5B 5D 7C 7D 7B 3F 2F 3E 3C 2C 60 21 32 26 26 28'),
    peer: bytes('21 40 23 24 25 5E 26 2A 28 29 5F 2B 3A 33 7C 7E'),
    username: 'User',
  };
  const hash = passwordHash('clientPass');
  const response = bytes('82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF');

  it('proves the password as in RFC 2759 §9.2', () => {
    expect(hex(challengeHash(challenges))).toBe('d02e4386bce91226');
    expect(hex(hash)).toBe('44ebba8d5312b8d611474411f56989ae');
    expect(hex(ntResponse(challenges, hash))).toBe(hex(response));
    expect(hex(passwordHashHash(hash))).toBe('41c00c584bd2d91c4017a2a12fa59f3f');
    expect(hex(authenticatorResponse(challenges, hash, response))).toBe('407a5589115fd0d6209f510fe9c04566932cda56');
  });

  it('derives keys as in RFC 3079 §3.5.3', () => {
    const keys = mppeKeys(hash, response);
    expect(hex(keys.master)).toBe('fdece3717a8c838cb388e527ae3cdd31');
    // The sample is the server's sending key.
    expect(hex(keys.clientReceive)).toBe('8b7cdc149b993a1ba118cb153f56dccb');
    // The server's receiving key first, then its sending key.
    const msk = eapMsk(hash, response);
    expect(msk).toHaveLength(64);
    expect(hex(msk.subarray(0, 32))).toBe(hex(keys.clientSend) + hex(keys.clientReceive));
    expect(msk.subarray(32).every((byte) => byte === 0)).toBe(true);
    expect(hex(keys.clientReceive)).not.toBe(hex(keys.clientSend));
  });

  it('hashes the name without its domain', () => {
    expect(bareName('CORP\\alice')).toBe('alice');
    expect(bareName('alice@corp.example')).toBe('alice@corp.example');
    expect(hex(challengeHash({ ...challenges, username: 'BIGCO\\User' }))).toBe('d02e4386bce91226');
  });
});

/** Without the parity bits. */
function sevenBytes(key: Uint8Array): Uint8Array {
  let bits = 0n;
  for (const byte of key) bits = (bits << 7n) | BigInt(byte >> 1);
  return bytes(bits.toString(16).padStart(14, '0'));
}

/** With a bit behind every seven, odd parity where asked. */
function eightBytes(key: Uint8Array, parity = false): Uint8Array {
  const bits = BigInt(`0x${hex(key)}`);
  return Uint8Array.from({ length: 8 }, (_, i) => {
    const seven = Number((bits >> BigInt(7 * (7 - i))) & 0x7fn);
    const ones = [...seven.toString(2)].filter((bit) => bit === '1').length;
    return (seven << 1) | (parity && ones % 2 === 0 ? 1 : 0);
  });
}
