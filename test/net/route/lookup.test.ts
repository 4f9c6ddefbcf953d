import { expect, it } from 'vitest';
import { lookUp } from '../../../main/net/route/lookup.ts';
import { isLan, planRoutes } from '../../../main/net/route/plan.ts';
import { parseAddress, parsePrefix } from '../../../main/wire/address.ts';

const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text)!);
const plan = planRoutes(
  {
    interfaceName: 'culvert0',
    include: prefixes('0.0.0.0/0', '10.0.0.0/8', '10.9.7.0/24'),
    exclude: prefixes('10.9.0.0/16'),
    allowLan: true,
    unreachable: prefixes('::/0'),
  },
  prefixes('192.168.1.5/24', '203.0.113.7/24', '172.0.0.0/8'),
);
const type = (address: string) => lookUp(plan, parseAddress(address)!)?.type;

it('the most specific route decides', () => {
  expect(type('8.8.8.8')).toBe('unicast');
  expect(type('10.1.1.1')).toBe('unicast');
  expect(type('10.9.1.1')).toBe('throw');
  expect(type('10.9.7.1')).toBe('unicast');
  expect(type('192.168.1.77')).toBe('throw');
  expect(type('192.168.2.77')).toBe('unicast');
  // A network may claim public addresses as its own, or more than the private ones.
  expect(type('203.0.113.1')).toBe('unicast');
  expect(type('172.16.0.1')).toBe('unicast');
  expect(type('2001:db8::1')).toBe('unreachable');
  expect(type('fe80::1')).toBe('throw');
});

it('families are apart, and what nothing covers is undecided', () => {
  const four = planRoutes(
    { interfaceName: 't', include: prefixes('0.0.0.0/0'), exclude: [], allowLan: false, unreachable: [] },
    [],
  );
  expect(lookUp(four, parseAddress('::1')!)).toBeUndefined();
  expect(lookUp(new Map(), parseAddress('10.0.0.1')!)).toBeUndefined();
});

it('only private networks count as the LAN', () => {
  const lan = (text: string) => isLan(parsePrefix(text)!);
  for (const text of ['10.0.0.0/8', '172.31.1.0/24', '192.168.7.2/24', '169.254.0.0/16', '100.64.0.0/10', 'fd00::/64'])
    expect(lan(text), text).toBe(true);
  for (const text of ['0.0.0.0/1', '8.8.8.0/24', '172.32.0.0/16', '192.0.0.0/8', '100.128.0.0/16', '2001:db8:7::/64'])
    expect(lan(text), text).toBe(false);
});
