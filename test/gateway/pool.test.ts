import { describe, expect, test } from 'vitest';
import { createPool } from '../../main/gateway/pool.ts';
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from '../../main/wire/address.ts';

const pool = (text: string) => createPool(parsePrefix(text)!);
const text = (address: Uint8Array | undefined) => address && formatAddress(address);

describe('the address pool', () => {
  test('keeps the first address, gives the others, never the broadcast one', () => {
    const small = pool('10.99.0.0/29');
    expect(formatPrefix(small.own)).toBe('10.99.0.1/29');
    const given = ['a', 'b', 'c', 'd', 'e', 'f'].map((client) => text(small.lease(client)));
    expect(given).toEqual(['10.99.0.2', '10.99.0.3', '10.99.0.4', '10.99.0.5', '10.99.0.6', undefined]);
    expect(small.leased).toBe(5);
  });

  test('the same client gets the same address again, even when others are free', () => {
    const p = pool('10.99.0.0/24');
    const first = p.lease('alice')!;
    p.lease('bob');
    p.release(first);
    p.lease('carol');
    expect(text(p.lease('alice'))).toBe(text(first));
  });

  test('a client that is there twice gets two addresses', () => {
    const p = pool('10.99.0.0/24');
    expect(text(p.lease('alice'))).not.toBe(text(p.lease('alice')));
  });

  test('an address that was released comes round again when it is the last', () => {
    const p = pool('10.99.0.0/30');
    const only = p.lease('a')!;
    expect(p.lease('b')).toBeUndefined();
    p.release(only);
    expect(text(p.lease('b'))).toBe('10.99.0.2');
  });

  test('a prefix with host bits set counts from its start', () => {
    expect(text(pool('10.99.3.77/16').lease('a'))).toBe('10.99.0.2');
  });

  test('crosses byte boundaries', () => {
    const p = pool('10.99.0.0/23');
    const given = Array.from({ length: 509 }, (_, i) => text(p.lease(`c${i}`)));
    expect(given[253]).toBe('10.99.0.255');
    expect(given[254]).toBe('10.99.1.0');
    expect(given[508]).toBe('10.99.1.254');
    expect(new Set(given).size).toBe(509);
    expect(p.lease('one more')).toBeUndefined();
  });

  test('IPv6', () => {
    const p = pool('2001:db8:99::/64');
    expect(formatPrefix(p.own)).toBe('2001:db8:99::1/64');
    expect(text(p.lease('a'))).toBe('2001:db8:99::2');
  });

  test('too small, or a wrong release, is misuse', () => {
    expect(() => pool('10.99.0.0/31')).toThrow(RangeError);
    expect(() => pool('10.99.0.0/24').release(parseAddress('10.99.0.9')!)).toThrow('not leased');
  });
});
