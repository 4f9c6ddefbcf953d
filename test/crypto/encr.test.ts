import { cbc, gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { describe, expect, test } from 'vitest';
import { AES_CBC_128, AES_GCM_16_128, AES_GCM_16_256, CHACHA20_POLY1305, ENCRS } from '../../main/crypto/encr.ts';
import { hex, toHex } from './hex.ts';
import { seeded } from './seeded.ts';

describe('published vectors', () => {
  test('AES-128-GCM: McGrew and Viega, test case 4', () => {
    const key = hex('feffe9928665731c6d6a8f9467308308 cafebabe');
    const iv = hex('facedbaddecaf888');
    const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
    const plaintext = hex(`d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                           1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39`);
    const sealed = `42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
                    21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091
                    5bc94fbc3221a5db94fae95ae7121a47`;
    expect(toHex(AES_GCM_16_128.seal(key, iv, plaintext, aad))).toBe(toHex(hex(sealed)));
    expect(AES_GCM_16_128.open(key, iv, hex(sealed), aad)).toEqual(plaintext);
  });

  test('AES-256-GCM: McGrew and Viega, test case 16', () => {
    const key = hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308 cafebabe');
    const iv = hex('facedbaddecaf888');
    const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
    const plaintext = hex(`d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                           1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39`);
    const sealed = `522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
                    8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662
                    76fc6ece0f4e1768cddf8853bb2d551b`;
    expect(toHex(AES_GCM_16_256.seal(key, iv, plaintext, aad))).toBe(toHex(hex(sealed)));
  });

  test('ChaCha20-Poly1305: RFC 8439 §2.8.2', () => {
    const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f 07000000');
    const iv = hex('4041424344454647');
    const aad = hex('50515253c0c1c2c3c4c5c6c7');
    const text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    const sealed = CHACHA20_POLY1305.seal(key, iv, new TextEncoder().encode(text), aad);
    expect(toHex(sealed.subarray(0, 16))).toBe('d31a8d34648e60db7b86afbc53ef7ec2');
    expect(toHex(sealed.subarray(-16))).toBe('1ae10b594f09e26a7e902ecbd0600691');
  });

  test('AES-128-CBC: RFC 3602 §4, cases 1 and 2', () => {
    const none = new Uint8Array(0);
    const one = AES_CBC_128.seal(
      hex('06a9214036b8a15b512e03d534120006'),
      hex('3dafba429d9eb430b422da802c9fac41'),
      new TextEncoder().encode('Single block msg'),
      none,
    );
    expect(toHex(one)).toBe('e353779c1079aeb82708942dbe77181a');
    const two = AES_CBC_128.seal(
      hex('c286696d887c9aa0611bbb3e2025a45a'),
      hex('562e17996d093d28ddb3ba695a2e6f58'),
      hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
      none,
    );
    expect(toHex(two)).toBe('d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1');
  });
});

describe.each(ENCRS)('$name', (encr) => {
  const random = seeded(7);
  const key = random(encr.keyBytes);
  const iv = random(encr.ivBytes);
  const aad = random(33);

  test('agrees with @noble/ciphers and opens what it sealed', () => {
    for (const blocks of [1, 2, 5, 40]) {
      const plaintext = random(blocks * 16);
      const sealed = encr.seal(key, iv, plaintext, aad);
      const raw = key.subarray(0, encr.keyBytes - (encr.aead ? 4 : 0));
      const nonce = encr.aead ? Uint8Array.from([...key.subarray(-4), ...iv]) : iv;
      const other =
        encr.id === 20
          ? gcm(raw, nonce, aad)
          : encr.id === 28
            ? chacha20poly1305(raw, nonce, aad)
            : cbc(raw, nonce, { disablePadding: true });
      expect(toHex(sealed)).toBe(toHex(other.encrypt(plaintext)));
      expect(sealed).toHaveLength(plaintext.length + encr.icvBytes);
      expect(encr.open(key, iv, sealed, aad)).toEqual(plaintext);
    }
  });

  test('refuses keys and IVs of the wrong length', () => {
    expect(() => encr.seal(key.subarray(1), iv, new Uint8Array(16), aad)).toThrow(RangeError);
    expect(() => encr.open(key, iv.subarray(1), new Uint8Array(32), aad)).toThrow(RangeError);
  });

  test('returns undefined for impossible lengths', () => {
    for (const length of encr.aead ? [0, 1, 15] : [0, 1, 15, 17])
      expect(encr.open(key, iv, new Uint8Array(length), aad)).toBeUndefined();
  });
});

describe.each(ENCRS.filter((encr) => encr.aead))('$name as AEAD', (encr) => {
  test('refuses every flipped bit of ciphertext, tag, nonce and associated data', () => {
    const random = seeded(9);
    const [key, iv, aad, plaintext] = [random(encr.keyBytes), random(encr.ivBytes), random(20), random(24)];
    const sealed = encr.seal(key, iv, plaintext, aad);
    for (const part of [sealed, iv, aad])
      for (let bit = 0; bit < part.length * 8; bit++) {
        part[bit >> 3] = part[bit >> 3]! ^ (1 << (bit & 7));
        expect(encr.open(key, iv, sealed, aad)).toBeUndefined();
        part[bit >> 3] = part[bit >> 3]! ^ (1 << (bit & 7));
      }
    expect(encr.open(key, iv, sealed, aad)).toEqual(plaintext);
  });
});

test('AES-CBC seals whole blocks only', () => {
  expect(() => AES_CBC_128.seal(new Uint8Array(16), new Uint8Array(16), new Uint8Array(17), new Uint8Array(0))).toThrow(
    RangeError,
  );
});
