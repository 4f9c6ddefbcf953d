import { expect, test } from 'vitest';
import { PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512 } from '../../main/crypto/prf.ts';
import { deriveChildKeys, deriveIkeKeys, spiBytes, wipeIkeKeys } from '../../main/ike/keymat.ts';
import { payloadOf } from '../../main/ike/payload/payload.ts';
import { type Hash, hmac, ikeKeys, prfPlus } from '../reference/ike-keymat.ts';
import { seededBytes } from '../sim/random.ts';
import { RECORDED, read } from './recorded.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const PRFS: readonly (readonly [Hash, typeof PRF_HMAC_SHA2_256])[] = [
  ['sha256', PRF_HMAC_SHA2_256],
  ['sha384', PRF_HMAC_SHA2_384],
  ['sha512', PRF_HMAC_SHA2_512],
];

test.each(RECORDED)('derives the keys that strongSwan printed: $selected', (recorded) => {
  const { suite, keys } = recorded;
  const [request, response] = [read(recorded, 0), read(recorded, 1)];
  const Ni = payloadOf(request.payloads, 'nonce')!.data;
  const Nr = payloadOf(response.payloads, 'nonce')!.data;
  const { SPIi, SPIr } = response.header;
  const lengths = { integ: suite.integ?.keyBytes ?? 0, encr: suite.encr.keyBytes };
  const derived = deriveIkeKeys(suite.prf, lengths, { sharedSecret: keys['g^ir']!, Ni, Nr, SPIi, SPIr });
  for (const name of ['SK_d', 'SK_ei', 'SK_er', 'SK_pi', 'SK_pr'] as const)
    expect(hex(derived[name]), name).toBe(hex(keys[name]!));
  for (const name of ['SK_ai', 'SK_ar'] as const)
    expect(hex(derived[name]), name).toBe(keys[name] ? hex(keys[name]) : '');
});

test.each(RECORDED)('derives the child keys that strongSwan printed: $selected', ({ suite, keys, child, ...rest }) => {
  const recorded = { suite, keys, child, ...rest };
  const Ni = payloadOf(read(recorded, 0).payloads, 'nonce')!.data;
  const Nr = payloadOf(read(recorded, 1).payloads, 'nonce')!.data;
  const length = child.initiator.length - 4;
  const derived = deriveChildKeys(suite.prf, keys.SK_d!, { Ni, Nr }, { key: length, salt: 4 });
  expect(hex(derived.initiatorKey) + hex(derived.initiatorSalt)).toBe(hex(child.initiator));
  expect(hex(derived.responderKey) + hex(derived.responderSalt)).toBe(hex(child.responder));
});

test.each(PRFS)('agrees with the slow oracle for every length: %s', (name, prf) => {
  const random = seededBytes(`keymat ${name}`);
  for (const integ of [0, 32, 48, 64])
    for (const encr of [16, 20, 28, 32, 36]) {
      const from = {
        sharedSecret: random(32 + integ),
        Ni: random(16 + encr),
        Nr: random(256 - encr),
        SPIi: 0x0102030405060708n,
        SPIr: 0xf0e0d0c0b0a09080n,
      };
      const keys = deriveIkeKeys(prf, { integ, encr }, from);
      const oracle = ikeKeys(
        name,
        { prf: prf.keyBytes, integ, encr },
        {
          sharedSecret: hex(from.sharedSecret),
          Ni: hex(from.Ni),
          Nr: hex(from.Nr),
          SPIi: '0102030405060708',
          SPIr: 'f0e0d0c0b0a09080',
        },
      );
      expect(Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, hex(value)]))).toEqual(oracle);
      const child = deriveChildKeys(prf, keys.SK_d, from, { key: encr - 4, salt: 4 });
      expect(
        hex(child.initiatorKey) + hex(child.initiatorSalt) + hex(child.responderKey) + hex(child.responderSalt),
      ).toBe(prfPlus(name, hex(keys.SK_d), hex(from.Ni) + hex(from.Nr), 2 * encr));
    }
});

test('wiping leaves nothing', () => {
  const random = seededBytes('wipe');
  const from = { sharedSecret: random(32), Ni: random(32), Nr: random(32), SPIi: 1n, SPIr: 2n };
  const keys = deriveIkeKeys(PRF_HMAC_SHA2_256, { integ: 32, encr: 16 }, from);
  wipeIkeKeys(keys);
  for (const key of Object.values(keys)) expect(key.every((byte: number) => byte === 0)).toBe(true);
});

test('an SPI is eight bytes in network order', () => {
  expect(hex(spiBytes(0x0123456789abcdefn))).toBe('0123456789abcdef');
  expect(hex(spiBytes(1n))).toBe('0000000000000001');
});

test.each(PRFS)(
  'a rekeyed IKE SA: its SKEYSEED is of the old SK_d, with the PRF of the old SA: %s (RFC 7296 §2.18)',
  (name, prf) => {
    const random = seededBytes(`rekeyed ${name}`);
    const [SK_d, sharedSecret, Ni, Nr] = [random(prf.keyBytes), random(32), random(32), random(40)];
    const additional = [random(32), random(48)];
    const of = { sharedSecret, Ni, Nr, SPIi: 0x1122334455667788n, SPIr: 0x99aabbccddeeff00n };
    const keys = deriveIkeKeys(
      PRF_HMAC_SHA2_384,
      { integ: 0, encr: 20 },
      { ...of, rekeyed: { prf, SK_d, additional } },
    );
    // The new SA has another PRF than the old one.
    const SKEYSEED = hmac(name, hex(SK_d), hex(sharedSecret) + hex(Ni) + hex(Nr) + additional.map(hex).join(''));
    const string = prfPlus('sha384', SKEYSEED, `${hex(Ni)}${hex(Nr)}112233445566778899aabbccddeeff00`, 3 * 48 + 40);
    expect(hex(keys.SK_d) + hex(keys.SK_ei) + hex(keys.SK_er) + hex(keys.SK_pi) + hex(keys.SK_pr)).toBe(string);
  },
);

test.each(PRFS)('a CHILD SA with key exchanges of its own: %s (RFC 7296 §2.17, RFC 9370 §2.2.4)', (name, prf) => {
  const random = seededBytes(`pfs ${name}`);
  const [SK_d, Ni, Nr] = [random(prf.keyBytes), random(32), random(40)];
  const secrets = [random(32), random(48), random(32)];
  const keys = deriveChildKeys(prf, SK_d, { Ni, Nr, secrets }, { key: 16, salt: 4 });
  const [first, ...more] = secrets.map(hex);
  const KEYMAT = prfPlus(name, hex(SK_d), first + hex(Ni) + hex(Nr) + more.join(''), 40);
  expect([keys.initiatorKey, keys.initiatorSalt, keys.responderKey, keys.responderSalt].map(hex).join('')).toBe(KEYMAT);
});
