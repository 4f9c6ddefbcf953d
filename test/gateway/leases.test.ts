import { expect, test } from 'vitest';
import { parseGatewayConfig } from '../../main/gateway/config.ts';
import { createLeases } from '../../main/gateway/leases.ts';
import { parseIdentity } from '../../main/ike/identity.ts';
import { formatPrefix } from '../../main/wire/address.ts';

const config = parseGatewayConfig({
  identity: 'gateway.example',
  users: [{ identity: 'alice@example.com', secret: 'x' }],
  listen: { address: '192.0.2.1' },
  pool: { ipv4: '10.99.0.0/30', ipv6: '2001:db8::/64' },
  dns: ['10.99.0.1'],
  subnets: ['10.0.0.0/8'],
  gre: { address: ['10.88.0.1/24'] },
});
const alice = parseIdentity('alice@example.com');
const bob = parseIdentity('bob@example.com');

test('a lease has an address of each family, DNS and subnets', () => {
  const leases = createLeases(config);
  const lease = leases.lease(alice, [4, 6])!;
  expect(lease.addresses.map(formatPrefix)).toEqual(['10.99.0.2/32', '2001:db8::2/128']);
  expect(lease.subnets.map(formatPrefix)).toEqual(['10.0.0.0/8']);
  expect(leases.leased).toBe(2);
  leases.release(lease);
  expect(leases.leased).toBe(0);
});

test('where one family is used up nothing is kept of the other', () => {
  const leases = createLeases(config);
  const first = leases.lease(alice, [4])!;
  expect(leases.lease(bob, [6, 4])).toBeUndefined();
  expect(leases.leased).toBe(1);
  leases.release(first);
  expect(leases.lease(bob, [6, 4])!.addresses).toHaveLength(2);
});

test('without a pool of that family there is no lease', () => {
  const leases = createLeases({ ...config, pool: { ipv4: null, ipv6: null } });
  expect(leases.lease(alice, [4])).toBeUndefined();
  expect(leases.own).toEqual([]);
});
