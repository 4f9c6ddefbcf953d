import { expect, test } from 'vitest';
import { CookieJar } from '../../main/ike/cookie.ts';
import { endpoint } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';

const FROM = endpoint('192.0.2.2', 500);
const Ni = new Uint8Array(32).fill(7);

test('accepts its own cookie for the same initiator only', () => {
  const jar = new CookieJar(seededBytes('cookie'));
  const cookie = jar.bake(Ni, 1n, FROM, 0);
  expect(cookie.length).toBeLessThanOrEqual(64); // RFC 7296 §2.6
  expect(jar.accepts(cookie, Ni, 1n, FROM, 10)).toBe(true);
  expect(jar.accepts(cookie, Ni, 2n, FROM, 10)).toBe(false);
  expect(jar.accepts(cookie, new Uint8Array(32), 1n, FROM, 10)).toBe(false);
  expect(jar.accepts(cookie, Ni, 1n, endpoint('192.0.2.3', 500), 10)).toBe(false);
  expect(jar.accepts(cookie, Ni, 1n, endpoint('192.0.2.2', 501), 10)).toBe(false);
  for (let i = 0; i < cookie.length; i++) {
    const flipped = Uint8Array.from(cookie);
    flipped[i] = flipped[i]! ^ 0x80;
    expect(jar.accepts(flipped, Ni, 1n, FROM, 10)).toBe(false);
    expect(jar.accepts(cookie.subarray(0, i), Ni, 1n, FROM, 10)).toBe(false);
  }
  expect(new CookieJar(seededBytes('another')).accepts(cookie, Ni, 1n, FROM, 10)).toBe(false);
});

test('a cookie outlives one change of the secret, not two', () => {
  const jar = new CookieJar(seededBytes('cookie'));
  const cookie = jar.bake(Ni, 1n, FROM, 0);
  expect(jar.accepts(cookie, Ni, 1n, FROM, 59_999)).toBe(true);
  expect(jar.accepts(cookie, Ni, 1n, FROM, 60_000)).toBe(true);
  expect(jar.accepts(cookie, Ni, 1n, FROM, 119_999)).toBe(true);
  expect(jar.accepts(cookie, Ni, 1n, FROM, 120_000)).toBe(false);
});

test('a secret that nobody has asked for long since is not kept', () => {
  const jar = new CookieJar(seededBytes('cookie'));
  const cookie = jar.bake(Ni, 1n, FROM, 0);
  expect(jar.accepts(cookie, Ni, 1n, FROM, 120_000)).toBe(false);
});
