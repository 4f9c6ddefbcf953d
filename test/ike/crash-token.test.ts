import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  CrashTokens,
  crashToken,
  crashTokenNotifies,
  crashTokenNotify,
  crashTokensIn,
} from '../../main/ike/crash-token.ts';
import { hex, toHex } from '../crypto/hex.ts';

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);

test('HASH(QCD_SECRET | SPI-I | SPI-R) (RFC 6290 §5.1)', () => {
  const expected = createHash('sha256')
    .update(Buffer.concat([secret, Buffer.from('0102030405060708', 'hex'), Buffer.from('1112131415161718', 'hex')]))
    .digest('hex');
  expect(toHex(crashToken(secret, 0x0102030405060708n, 0x1112131415161718n))).toBe(expected);
  expect(toHex(crashToken(secret, 0x1112131415161718n, 0x0102030405060708n))).not.toBe(expected);
});

test('the notify has protocol 1 and no SPI (§4.1)', () => {
  expect(crashTokenNotify(hex('00'.repeat(16)))).toMatchObject({ type: 16419, protocol: 1, spi: new Uint8Array(0) });
});

test('a taker holds the last four, and believes any of them', () => {
  const tokens = new CrashTokens();
  expect(tokens.isEmpty).toBe(true);
  const made = [1, 2, 3, 4, 5].map((n) => crashToken(secret, BigInt(n), 9n));
  expect(tokens.match(made)).toBe(false);
  tokens.take(made.map((token) => crashTokenNotify(token)).slice(0, 1));
  for (const token of made.slice(1)) tokens.take([crashTokenNotify(token)]);
  expect(tokens.isEmpty).toBe(false);
  expect(made.map((token) => tokens.match([token]))).toEqual([false, true, true, true, true]);
  expect(tokens.match([hex('00'.repeat(32)), made[4]!])).toBe(true);
  const almost = Uint8Array.from(made[4]!);
  almost[31]! ^= 1;
  expect(tokens.match([almost])).toBe(false);
  expect(tokens.match([made[4]!.subarray(0, 31)])).toBe(false);
  expect(tokens.match([])).toBe(false);
});

test('tokens under 16 or over 128 bytes are none, and more than four are not looked at (§4.5, §5)', () => {
  const of = (length: number) => crashTokenNotify(new Uint8Array(length).fill(length));
  expect(crashTokensIn([of(15), of(16), of(128), of(129)]).map(({ length }) => length)).toEqual([16, 128]);
  expect(crashTokensIn([20, 21, 22, 23, 24].map(of)).length).toBe(4);
});

test('a maker shows one token for each of its last four secrets', () => {
  const secrets = [0, 1, 2, 3, 4].map((n) => new Uint8Array(32).fill(n));
  const shown = crashTokensIn(crashTokenNotifies(secrets, 1n, 2n));
  expect(shown.map(toHex)).toEqual(secrets.slice(0, 4).map((one) => toHex(crashToken(one, 1n, 2n))));
});
