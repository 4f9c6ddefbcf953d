import { expect, test } from 'vitest';
import { formatIdentity, type Identity, sameIdentity } from '../../main/ike/identity.ts';

const identities: readonly Identity[] = [
  { type: 'ipv4', address: Uint8Array.of(192, 0, 2, 1) },
  { type: 'ipv6', address: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)) },
  { type: 'fqdn', text: 'gw.example.com' },
  { type: 'rfc822', text: 'gw.example.com' },
  { type: 'key-id', bytes: Uint8Array.of(1, 2) },
  { type: 'der-dn', bytes: Uint8Array.of(1, 2) },
  { type: 'der-gn', bytes: Uint8Array.of(1, 2) },
];

test('an identity is the same as itself only', () => {
  for (const [i, a] of identities.entries())
    for (const [j, b] of identities.entries()) expect(sameIdentity(a, b), `${i} ${j}`).toBe(i === j);
  expect(sameIdentity({ type: 'fqdn', text: 'GW.Example.com' }, { type: 'fqdn', text: 'gw.example.com' })).toBe(true);
  expect(
    sameIdentity({ type: 'key-id', bytes: Uint8Array.of(1) }, { type: 'key-id', bytes: Uint8Array.of(1, 0) }),
  ).toBe(false);
});

test('case is that of ASCII alone', () => {
  for (const other of ['gw.ban\u212a', 'gw.\u0130', 'GW.\u00c4'])
    for (const type of ['fqdn', 'rfc822'] as const) {
      const a = { type, text: other.replace('\u212a', 'k').replace('\u0130', 'i\u0307').replace('\u00c4', '\u00e4') };
      expect(sameIdentity(a, { type, text: other }), other).toBe(false);
      expect(sameIdentity({ type, text: other }, { type, text: other })).toBe(true);
    }
});

test('is written for people, and control characters of a peer never reach them', () => {
  expect(identities.map(formatIdentity)).toEqual([
    '192.0.2.1',
    '::1',
    'gw.example.com',
    'gw.example.com',
    'key-id:0x0102',
    'der-dn:0x0102',
    'der-gn:0x0102',
  ]);
  expect(formatIdentity({ type: 'fqdn', text: 'a\u001b]0;x\u0007b\nc\u009bd' })).toBe('a?]0;x?b?c?d');
});
