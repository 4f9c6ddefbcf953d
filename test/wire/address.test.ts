import { describe, expect, test } from 'vitest';
import {
  compareAddresses,
  formatAddress,
  formatEndpoint,
  formatPrefix,
  parseAddress,
  parsePrefix,
  prefixRange,
  sameAddress,
} from '../../main/wire/address.ts';
import { formatSelector, selectorOf } from '../../main/wire/selector.ts';
import { hex } from '../crypto/hex.ts';

const address = (text: string): Uint8Array => {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(`not an address: ${text}`);
  return parsed;
};
const prefix = (text: string) => {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`not a prefix: ${text}`);
  return parsed;
};

describe('addresses', () => {
  test('parse and format', () => {
    expect(address('192.0.2.1')).toEqual(hex('c0000201'));
    expect(address('2001:db8::1')).toEqual(hex('20010db8000000000000000000000001'));
    for (const text of ['192.0.2.1', '0.0.0.0', '2001:db8::1', '::']) expect(formatAddress(address(text))).toBe(text);
    expect(formatEndpoint({ address: address('192.0.2.1'), port: 500 })).toBe('192.0.2.1:500');
    expect(formatEndpoint({ address: address('::1'), port: 500 })).toBe('[::1]:500');
  });

  test.each(['', '10.1', '0x7f.0.0.1', '256.0.0.1', '1.2.3.4.5', '2001:db8', 'example.com', '1.2.3.4/8'])(
    'refuses %j',
    (text) => expect(parseAddress(text)).toBeUndefined(),
  );

  test('compare in numeric order', () => {
    expect(compareAddresses(address('10.0.0.1'), address('10.0.0.2'))).toBeLessThan(0);
    expect(compareAddresses(address('10.0.1.0'), address('10.0.0.255'))).toBeGreaterThan(0);
    expect(compareAddresses(address('10.0.0.1'), address('10.0.0.1'))).toBe(0);
    expect(compareAddresses(address('255.0.0.0'), address('::'))).toBeLessThan(0);
    expect(sameAddress(address('::'), hex('00000000'))).toBe(false);
  });
});

describe('prefixes', () => {
  test('parse, format, and span', () => {
    expect(formatPrefix(prefix('10.88.0.2/24'))).toBe('10.88.0.2/24');
    expect(formatPrefix(prefix('10.88.0.2'))).toBe('10.88.0.2/32');
    for (const [text, start, end] of [
      ['10.88.0.2/24', '10.88.0.0', '10.88.0.255'],
      ['10.88.0.2/0', '0.0.0.0', '255.255.255.255'],
      ['10.88.0.130/25', '10.88.0.128', '10.88.0.255'],
      ['2001:db8::1/33', '2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'],
      ['::1', '::1', '::1'],
    ] as const)
      expect(prefixRange(prefix(text))).toEqual({ start: address(start), end: address(end) });
  });

  test.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '/8', '10.0.0.0/1e1'])(
    'refuses %j',
    (text) => expect(parsePrefix(text)).toBeUndefined(),
  );
});

test('selectors say what they select', () => {
  expect(formatSelector(selectorOf(prefix('10.0.0.1')))).toBe('10.0.0.1');
  expect(formatSelector(selectorOf(prefix('10.0.0.0/8'), 47))).toBe('10.0.0.0-10.255.255.255[47]');
  expect(formatSelector({ ...selectorOf(prefix('::1'), 17), startPort: 53, endPort: 53 })).toBe('::1[17/53-53]');
});
