import { describe, expect, test } from 'vitest';
import {
  decodeRedirect,
  type GatewayName,
  RedirectGuard,
  redirectedFrom,
  redirectIn,
  redirectNotify,
} from '../../main/ike/redirect.ts';
import { isWireError } from '../../main/wire/error.ts';
import { hex, toHex } from '../crypto/hex.ts';
import { address } from '../sim/parties.ts';

const dataOf = (payload: ReturnType<typeof redirectNotify>): Uint8Array => {
  if (payload.kind !== 'notify') throw new Error('no notify');
  return payload.data;
};

describe('REDIRECT (RFC 5685 §9.2)', () => {
  // Written by hand from the figure: type, length, identity, nonce.
  const samples: readonly [GatewayName, string][] = [
    [{ kind: 'address', address: address('198.51.100.7') }, '0104c6336407'],
    [{ kind: 'address', address: address('2001:db8::7') }, '021020010db8000000000000000000000007'],
    [{ kind: 'name', name: 'gw2.example.com' }, '030f6777322e6578616d706c652e636f6d'],
  ];

  test.each(samples)('%o', (to, expected) => {
    expect(toHex(dataOf(redirectNotify(to)))).toBe(expected);
    expect(decodeRedirect(hex(expected))).toEqual({ to, nonce: new Uint8Array(0) });
    const nonce = hex('000102030405060708090a0b0c0d0e0f');
    expect(toHex(dataOf(redirectNotify(to, nonce)))).toBe(expected + toHex(nonce));
    expect(decodeRedirect(hex(expected + toHex(nonce)))).toEqual({ to, nonce });
    expect(redirectIn([redirectNotify(to)])).toEqual(to);
    // Truncated anywhere inside the identity.
    for (let length = 0; length < expected.length / 2; length++)
      expect(isWireError(decodeRedirect(hex(expected.slice(0, 2 * length))))).toBe(true);
  });

  test.each([
    ['an unknown type', '0404c6336407'],
    ['an IPv4 address of 5 bytes', '0105c633640700'],
    ['an IPv6 address of 4 bytes', '0204c6336407'],
    ['an empty name', '0300'],
    ['a name with a space', '03056120622e63'],
    ['a name with a line break', '0303610a62'],
    ['a name with a zero byte', '0303610062'],
    ['a name that is an option', '03042d6f2e63'],
    ['a name that is not ASCII', '0304c3a42e63'],
    ['a label of 64 letters', `0340${'61'.repeat(64)}`],
  ])('%s is refused', (_, data) => {
    expect(isWireError(decodeRedirect(hex(data)))).toBe(true);
    expect(
      redirectIn([{ kind: 'notify', protocol: 0, type: 16407, spi: new Uint8Array(0), data: hex(data) }]),
    ).toBeUndefined();
  });
});

test('REDIRECTED_FROM names the gateway that sent us (§9.3)', () => {
  expect(redirectedFrom(address('192.0.2.1'))).toMatchObject({ type: 16408, protocol: 0, data: hex('0104c0000201') });
});

test('five redirects in five minutes, and no more (§7)', () => {
  const guard = new RedirectGuard();
  expect([0, 1, 2, 3, 4].map((at) => guard.follow(at * 1000))).toEqual(Array(5).fill(true));
  expect(guard.follow(5000)).toBe(false);
  expect(guard.follow(299_999)).toBe(false);
  // The first has been forgotten by now, the second not yet.
  expect(guard.follow(300_000)).toBe(true);
  expect(guard.follow(300_500)).toBe(false);
});
