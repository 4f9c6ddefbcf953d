import { describe, expect, it } from 'vitest';
import { parseIdentity } from '../../main/ike/identity.ts';

describe('parseIdentity', () => {
  it.each([
    ['192.0.2.1', { type: 'ipv4', address: Uint8Array.of(192, 0, 2, 1) }],
    ['alice@example.com', { type: 'rfc822', text: 'alice@example.com' }],
    ['vpn.example.com', { type: 'fqdn', text: 'vpn.example.com' }],
    ['key-id:branch 7', { type: 'key-id', bytes: new TextEncoder().encode('branch 7') }],
    ['key-id:0xC0ffee', { type: 'key-id', bytes: Uint8Array.of(0xc0, 0xff, 0xee) }],
    // An odd number of digits is not hexadecimal: the text itself.
    ['key-id:0xabc', { type: 'key-id', bytes: new TextEncoder().encode('0xabc') }],
  ])('%s', (text, expected) => {
    expect(parseIdentity(text)).toEqual(expected);
  });

  it('reads IPv6', () => {
    expect(parseIdentity('2001:db8::1')).toMatchObject({ type: 'ipv6' });
  });
});
