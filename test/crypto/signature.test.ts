// Signatures of AUTH: published AlgorithmIdentifiers (RFC 7427 Appendix A, RFC 8420 Appendix A.1), the two forms of ECDSA, and what
// openssl makes of them.
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  algorithmIdentifier,
  chooseScheme,
  decodeAuthentication,
  encodeAuthentication,
  keyFits,
  parseScheme,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  schemeName,
  signatureAlgorithm,
  signOctets,
  verifyOctets,
} from '../../main/crypto/signature.ts';
import { isWireError } from '../../main/wire/error.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** Copied from the RFCs, spaces and all. */
const PUBLISHED = {
  'rsa-pkcs1 sha1': '300d 0609 2a86 4886 f70d 0101 0505 00',
  'rsa-pkcs1 sha256': '300d 0609 2a86 4886 f70d 0101 0b05 00',
  'rsa-pkcs1 sha384': '300d 0609 2a86 4886 f70d 0101 0c05 00',
  'rsa-pkcs1 sha512': '300d 0609 2a86 4886 f70d 0101 0d05 00',
  'ecdsa sha1': '3009 0607 2a86 48ce 3d04 01',
  'ecdsa sha256': '300a 0608 2a86 48ce 3d04 0302',
  'ecdsa sha384': '300a 0608 2a86 48ce 3d04 0303',
  'ecdsa sha512': '300a 0608 2a86 48ce 3d04 0304',
  'rsa-pss sha256': `3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0201 0500
    a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a203 0201 20a3 0302 0101`,
  'ed25519 identity': '3005 0603 2B65 70',
};

/** `openssl req -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -sha256`. */
const DER_PSS_SHA256 = `3041 0609 2a86 4886 f70d 0101 0a30 34a0 0f30 0d06 0960 8648 0165 0304 0201 0500
    a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a203 0201 20`;

/** Published, and never taken in AUTH. */
const WEAK = {
  'rsa-pss sha1, empty': '300d 0609 2a86 4886 f70d 0101 0a30 00',
  'rsa-pss sha1, spelled out': `303e 0609 2a86 4886 f70d 0101 0a30 31a0 0b30 0906 052b 0e03 021a 0500 a118 3016
    0609 2a86 4886 f70d 0101 0830 0906 052b 0e03 021a 0500 a203 0201 14a3 0302 0101`,
  'dsa-with-sha256': '300b 0609 6086 4801 6503 0403 02',
};

const KEYS = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  ed25519: generateKeyPairSync('ed25519').privateKey,
};
const keyFor = (scheme: SignatureScheme): KeyObject => Object.values(KEYS).find((key) => keyFits(key, scheme))!;
const OCTETS = new TextEncoder().encode('InitiatorSignedOctets');

describe('AlgorithmIdentifiers', () => {
  test.each(Object.entries(PUBLISHED))('%s is the published one', (name, der) => {
    const algorithm = signatureAlgorithm(hex(der));
    expect(`${algorithm?.key} ${algorithm?.hash}`).toBe(name);
    // What we send is DER: no trailerField, which is the default (RFC 4055 §3.1). Libreswan takes no other form.
    const sent = name.startsWith('rsa-pss') ? hex(DER_PSS_SHA256) : hex(der);
    expect(Buffer.from(algorithmIdentifier(algorithm!)).toString('hex')).toBe(Buffer.from(sent).toString('hex'));
  });

  test('SHA-1 and DSA are refused in AUTH', () => {
    for (const der of [...Object.values(WEAK), PUBLISHED['rsa-pkcs1 sha1'], PUBLISHED['ecdsa sha1']].map(hex)) {
      const decoded = decodeAuthentication(14, Uint8Array.of(der.length, ...der, 1, 2, 3));
      expect(isWireError(decoded) && decoded.code).toBe('value');
    }
  });

  test('RSA without its NULL, ECDSA with one, and PSS in every shape that openssl and strongSwan write are taken', () => {
    const shapes = {
      'rsa-pkcs1-sha256': '300b 0609 2a86 4886 f70d 0101 0b',
      'ecdsa-sha384': '300c 0608 2a86 48ce 3d04 0303 0500',
      // openssl req -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -sha384: no trailerField.
      'rsa-pss-sha384': `3041 0609 2a86 4886 f70d 0101 0a30 34a0 0f30 0d06 0960 8648 0165 0304 0202 0500
        a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0202 0500 a203 0201 30`,
    };
    for (const [name, text] of Object.entries(shapes)) {
      const der = hex(text);
      const decoded = decodeAuthentication(14, Uint8Array.of(der.length, ...der, 9));
      if (!decoded || isWireError(decoded)) throw new Error(`${name}: ${decoded}`);
      expect(schemeName(decoded.scheme)).toBe(name);
      expect([...decoded.signature]).toEqual([9]);
    }
  });
});

describe('authentication data', () => {
  test.each(SIGNATURE_SCHEMES.map((scheme) => [schemeName(scheme), scheme] as const))(
    '%s: round trip, from a name',
    (name, scheme) => {
      expect(parseScheme(name)).toBe(scheme);
      const encoded = encodeAuthentication(scheme, Uint8Array.of(1, 2, 3));
      const decoded = decodeAuthentication(encoded.method, encoded.data);
      expect(decoded).toEqual({ scheme, signature: Uint8Array.of(1, 2, 3) });
    },
  );

  test('method 14 begins as RFC 7427 Appendix B.1 shows', () => {
    const der = hex(PUBLISHED['rsa-pkcs1 sha256']);
    const { method, data } = encodeAuthentication(parseScheme('rsa-pkcs1-sha256')!, Uint8Array.of(0xaa));
    expect(method).toBe(14);
    expect([...data]).toEqual([0x0f, ...der, 0xaa]);
  });

  test('truncated anywhere before the signature, it is an error', () => {
    const { data } = encodeAuthentication(parseScheme('rsa-pss-sha512')!, new Uint8Array());
    for (let length = 0; length < data.length; length++)
      expect(isWireError(decodeAuthentication(14, data.subarray(0, length)))).toBe(true);
    expect(isWireError(decodeAuthentication(14, data))).toBe(false);
  });

  test('shared keys and null authentication are no signatures', () => {
    for (const method of [0, 2, 3, 12, 13]) expect(decodeAuthentication(method, OCTETS)).toBeUndefined();
  });

  test('any bytes are a scheme or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
        const decoded = decodeAuthentication(14, data);
        expect(isWireError(decoded) || typeof decoded === 'object').toBe(true);
      }),
    );
  });
});

describe('signing', () => {
  test.each(SIGNATURE_SCHEMES.map((scheme) => [schemeName(scheme), scheme] as const))('%s', (_, scheme) => {
    const key = keyFor(scheme);
    const signature = signOctets(key, scheme, OCTETS);
    const publicKey = createPublicKey(key);
    expect(verifyOctets(publicKey, scheme, OCTETS, signature)).toBe(true);
    expect(verifyOctets(publicKey, scheme, OCTETS.subarray(1), signature)).toBe(false);
    // RSA with SHA-1 and a classic ECDSA method are other bytes than the same key's method 14.
    for (const other of SIGNATURE_SCHEMES.filter((candidate) => candidate !== scheme))
      expect(verifyOctets(publicKey, other, OCTETS, signature), schemeName(other)).toBe(false);
    const flipped = Uint8Array.from(signature);
    flipped[flipped.length >> 1]! ^= 1;
    expect(verifyOctets(publicKey, scheme, OCTETS, flipped)).toBe(false);
    for (const length of [0, 1, signature.length - 1])
      expect(verifyOctets(publicKey, scheme, OCTETS, signature.subarray(0, length))).toBe(false);
  });

  test('methods 9 to 11 are r | s of fixed length, method 14 is DER (RFC 4754 §7, RFC 7427 §3)', () => {
    expect(signOctets(KEYS.p256, { method: 'ecdsa-p256' }, OCTETS)).toHaveLength(64);
    expect(signOctets(KEYS.p384, { method: 'ecdsa-p384' }, OCTETS)).toHaveLength(96);
    expect(signOctets(KEYS.p521, { method: 'ecdsa-p521' }, OCTETS)).toHaveLength(132);
    const der = signOctets(KEYS.p256, parseScheme('ecdsa-sha256')!, OCTETS);
    expect(der[0]).toBe(0x30);
    expect(der[1]).toBe(der.length - 2);
  });

  // RFC 4754 §8.1: ECDSA-256, the message "abc", its key and its signature r | s.
  test('RFC 4754 §8.1', () => {
    const x = hex('2442A5CC 0ECD015F A3CA31DC 8E2BBC70 BF42D60C BCA20085 E0822CB0 4235E970');
    const y = hex('6FC98BD7 E50211A4 A27102FA 3549DF79 EBCB4BF2 46B80945 CDDFE7D5 09BBFD7D');
    const signature = hex(`CB28E099 9B9C7715 FD0A80D8 E47A7707 9716CBBF 917DD72E 97566EA1 C066957C
      86FA3BB4 E26CAD5B F90B7F81 899256CE 7594BB1E A0C89212 748BFF3B 3D5B0315`);
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: base64(x), y: base64(y) }, format: 'jwk' });
    expect(verifyOctets(key, { method: 'ecdsa-p256' }, Buffer.from('abc'), signature)).toBe(true);
  });

  test('a key that does not fit is the caller’s mistake when signing, a plain no when verifying', () => {
    expect(() => signOctets(KEYS.p256, parseScheme('ed25519')!, OCTETS)).toThrow(RangeError);
    expect(() => signOctets(KEYS.p256, { method: 'ecdsa-p384' }, OCTETS)).toThrow(RangeError);
    expect(verifyOctets(createPublicKey(KEYS.rsa), parseScheme('ed25519')!, OCTETS, OCTETS)).toBe(false);
  });

  test('openssl verifies what we sign, and we what it signs, RSASSA-PSS included', () => {
    const folder = mkdtempSync(join(tmpdir(), 'culvert-signature-'));
    const file = (name: string, content: string | Uint8Array) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const openssl = (...args: string[]) => execFileSync('openssl', args, { timeout: 20_000 });
    try {
      const octets = file('octets', OCTETS);
      for (const [name, key, options] of [
        ['rsa-pkcs1-sha384', KEYS.rsa, ['-sha384']],
        ['rsa-pss-sha256', KEYS.rsa, ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32']],
        ['ecdsa-sha512', KEYS.p521, ['-sha512']],
      ] as const) {
        const scheme = parseScheme(name)!;
        const pkcs8 = file('key', key.export({ format: 'pem', type: 'pkcs8' }).toString());
        const spki = file('public', createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString());
        const ours = file('ours', signOctets(key, scheme, OCTETS));
        expect(openssl('dgst', ...options, '-verify', spki, '-signature', ours, octets).toString()).toContain(
          'Verified OK',
        );
        const theirs = openssl('dgst', ...options, '-sign', pkcs8, octets);
        expect(verifyOctets(createPublicKey(key), scheme, OCTETS, theirs)).toBe(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('PSS salts have the length of the hash, as the AlgorithmIdentifier says', () => {
    const long = signOctets(KEYS.rsa, parseScheme('rsa-pss-sha512')!, OCTETS);
    // Checked by node with another salt length, it must fail.
    const check = (saltLength: number) =>
      verify('sha512', OCTETS, { key: createPublicKey(KEYS.rsa), padding: 6, saltLength }, long);
    expect([check(64), check(32)]).toEqual([true, false]);
  });
});

describe('RSA keys that are for RSASSA-PSS only', () => {
  const bound = generateKeyPairSync('rsa-pss', {
    modulusLength: 2048,
    hashAlgorithm: 'sha384',
    mgf1HashAlgorithm: 'sha384',
  });
  const free = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });

  test('sign with the hash that they are bound to', () => {
    expect(SIGNATURE_SCHEMES.filter((scheme) => keyFits(bound.publicKey, scheme)).map(schemeName)).toEqual([
      'rsa-pss-sha384',
    ]);
    const scheme = chooseScheme(bound.privateKey, [2, 3, 4])!;
    expect(schemeName(scheme)).toBe('rsa-pss-sha384');
    expect(verifyOctets(bound.publicKey, scheme, OCTETS, signOctets(bound.privateKey, scheme, OCTETS))).toBe(true);
    expect(chooseScheme(bound.publicKey, [2, 4])).toBeUndefined();
  });

  test('or with any, never with PKCS #1', () => {
    const fitting = SIGNATURE_SCHEMES.filter((scheme) => keyFits(free.publicKey, scheme));
    expect(fitting.map(schemeName)).toEqual(['rsa-pss-sha256', 'rsa-pss-sha384', 'rsa-pss-sha512']);
    for (const scheme of fitting)
      expect(verifyOctets(free.publicKey, scheme, OCTETS, signOctets(free.privateKey, scheme, OCTETS))).toBe(true);
    expect(chooseScheme(free.publicKey, [2], { sha1: true, rsaPadding: 'pkcs1' })).toMatchObject({ key: 'rsa-pss' });
  });
});

describe('choice of a scheme', () => {
  const choose = (key: KeyObject, hashes: number[] | undefined, policy?: Parameters<typeof chooseScheme>[2]) => {
    const scheme = chooseScheme(key, hashes, policy);
    return scheme && schemeName(scheme);
  };
  test.each([
    ['the curve’s own hash first', KEYS.p384, [2, 3, 4], undefined, 'ecdsa-sha384'],
    ['another hash that the peer knows', KEYS.p384, [1, 2], undefined, 'ecdsa-sha256'],
    ['no RFC 7427: the classic method', KEYS.p256, undefined, undefined, 'ecdsa-p256'],
    ['no hash in common: the classic method', KEYS.p521, [1], undefined, 'ecdsa-p521'],
    ['RSA signs with PSS', KEYS.rsa, [1, 2, 3, 4], undefined, 'rsa-pss-sha256'],
    ['RSA with PKCS#1 where the profile asks', KEYS.rsa, [4], { sha1: false, rsaPadding: 'pkcs1' }, 'rsa-pkcs1-sha512'],
    ['RSA without RFC 7427 would be SHA-1', KEYS.rsa, undefined, undefined, undefined],
    ['…which the legacy policy allows', KEYS.rsa, undefined, { sha1: true, rsaPadding: 'pss' }, 'rsa-sha1'],
    ['Ed25519 needs Identity', KEYS.ed25519, [2, 3, 4], undefined, undefined],
    ['Ed25519', KEYS.ed25519, [2, 5], undefined, 'ed25519'],
  ] as const)('%s', (_, key, hashes, policy, expected) => {
    expect(choose(key, hashes && [...hashes], policy)).toBe(expected);
  });
});
