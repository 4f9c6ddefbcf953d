import { expect, test } from 'vitest';
import { SignsOfLife } from '../../main/ike/signs-of-life.ts';

test('the peer is asked an interval after its last sign of life, and never where there is no interval', () => {
  const signs = new SignsOfLife(30_000, 0, 1000);
  expect(signs.livenessAt).toBe(31_000);
  signs.heard(5000);
  expect(signs.livenessAt).toBe(35_000);
  // Told late: the newest counts.
  signs.heard(2000);
  expect(signs.livenessAt).toBe(35_000);
  expect(new SignsOfLife(0, 0, 1000).livenessAt).toBeNull();
});

test('a NAT keepalive leaves each interval', () => {
  const signs = new SignsOfLife(0, 20_000, 0);
  expect(signs.keepaliveAt).toBe(20_000);
  expect(signs.takeKeepalive(19_999)).toBe(false);
  expect(signs.takeKeepalive(20_000)).toBe(true);
  expect(signs.takeKeepalive(20_000)).toBe(false);
  expect(signs.keepaliveAt).toBe(40_000);
});

test('keepalives begin and end with the NAT', () => {
  const signs = new SignsOfLife(0, 0, 0);
  expect(signs.keepaliveAt).toBeNull();
  signs.keepalives(20_000, 5000);
  expect(signs.keepaliveAt).toBe(25_000);
  // Nothing new: the next is not put off.
  signs.keepalives(20_000, 15_000);
  expect(signs.keepaliveAt).toBe(25_000);
  signs.keepalives(0, 16_000);
  expect(signs.keepaliveAt).toBeNull();
  expect(signs.takeKeepalive(1_000_000)).toBe(false);
});

test('an unauthenticated hint counts once in ten seconds', () => {
  const signs = new SignsOfLife(0, 0, 0);
  expect(signs.takeHint(0)).toBe(true);
  expect(signs.takeHint(9999)).toBe(false);
  expect(signs.takeHint(10_000)).toBe(true);
});
