import { describe, expect, test } from 'vitest';
import { type GatewayConfigInput, parseGatewayConfig } from '../../main/gateway/config.ts';
import { type ClientPlan, largestMtu, localSelectors, planClient } from '../../main/gateway/plan.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import { formatAddress, parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { formatSelector, selectorOf } from '../../main/wire/selector.ts';

const BASE: GatewayConfigInput = {
  identity: 'gateway.example',
  users: [{ identity: 'alice@example.com', secret: 'x' }],
  listen: { address: '192.0.2.1' },
  pool: { ipv4: '10.99.0.0/24' },
  gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
  shapes: ['gre-tunnel', 'gre-transport', 'esp-tunnel'],
};
const LEASED = [parsePrefix('10.99.0.2/32')!];
const GRE = 47;

function child(local: string, remote: string, protocol: number, more: Partial<ChildSa> = {}) {
  return {
    mode: 'tunnel' as const,
    cipher: 'aes-gcm-16' as const,
    encapsulation: 'udp' as const,
    peer: { address: parseAddress('192.0.2.2')!, port: 4500 },
    local: [selectorOf(parsePrefix(local)!, protocol)],
    remote: [selectorOf(parsePrefix(remote)!, protocol)],
    ...more,
  };
}

function plan(input: GatewayConfigInput, sa: ReturnType<typeof child>, leased = LEASED): ClientPlan | string {
  const config = parseGatewayConfig(input);
  return planClient(config, config.users[0]!, sa, leased);
}

function planned(input: GatewayConfigInput, sa: ReturnType<typeof child>, leased = LEASED): ClientPlan {
  const result = plan(input, sa, leased);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('planning one client', () => {
  test('GRE in tunnel mode: delivery from our endpoint to the leased address', () => {
    const { params, shape } = planned(BASE, child('10.77.0.1', '10.99.0.2', GRE));
    expect(shape).toBe('gre-tunnel');
    expect(formatAddress(params.delivery!.local)).toBe('10.77.0.1');
    expect(formatAddress(params.delivery!.remote)).toBe('10.99.0.2');
    // AES-GCM over IPv4 with NAT-T in tunnel mode (DESIGN, "Facts worth knowing").
    expect(params).toMatchObject({ mtu: 1414, mss4: 1374, mss6: 1354 });
    expect(params.remote.map(formatSelector)).toEqual(['10.88.0.0-10.88.0.255', '10.99.0.2']);
  });

  test('GRE in tunnel mode towards the address that we listen on', () => {
    const { params } = planned(BASE, child('192.0.2.1', '10.99.0.2', GRE));
    expect(formatAddress(params.delivery!.local)).toBe('192.0.2.1');
  });

  test('GRE in transport mode has no delivery header', () => {
    const { params, shape } = planned(
      BASE,
      child('192.0.2.1', '192.0.2.2', GRE, { mode: 'transport', encapsulation: 'raw' }),
      [],
    );
    expect(shape).toBe('gre-transport');
    expect(params.delivery).toBeNull();
    expect(params.mtu).toBe(1442);
  });

  test('any protocol means plain ESP where both tunnels are allowed, GRE where only that is', () => {
    const wide = child('0.0.0.0/0', '10.99.0.2', 0);
    const plain = planned(BASE, wide);
    expect(plain.shape).toBe('esp-tunnel');
    expect(plain.params.gre).toBeNull();
    expect(plain.params.remote.map(formatSelector)).toEqual(['10.99.0.2']);
    const gre = planned({ ...BASE, shapes: ['gre-tunnel'] }, wide);
    expect(gre.shape).toBe('gre-tunnel');
    expect(formatAddress(gre.params.delivery!.local)).toBe('10.77.0.1');
  });

  test('of several users each has only what was said to be theirs', () => {
    const users = [
      { identity: 'alice@example.com', secret: 'x', inner: ['10.88.0.2'] },
      { identity: 'bob@example.com', secret: 'y' },
    ];
    const config = parseGatewayConfig({ ...BASE, users });
    const inner = (user: number, leased = LEASED) => {
      const result = planClient(config, config.users[user]!, child('10.77.0.1', '10.99.0.2', GRE), leased);
      return typeof result === 'string' ? result : result.params.remote.map(formatSelector);
    };
    expect(inner(0)).toEqual(['10.88.0.2', '10.99.0.2']);
    expect(inner(1)).toEqual(['10.99.0.2']);
    expect(inner(1, [])).toMatch(/no address inside GRE/);
  });

  test.each([
    ['selectors to an address that is not ours', child('10.77.0.9', '10.99.0.2', GRE), /none of our endpoints/],
    ['a shape that is not allowed', child('192.0.2.1', '192.0.2.2', GRE, { mode: 'transport' }), /none of the shapes/],
  ])('%s: refused with a reason', (_, sa, reason) => {
    expect(plan({ ...BASE, shapes: ['gre-tunnel'] }, sa)).toMatch(reason);
  });

  test('a TUN of a fixed MTU bounds every tunnel', () => {
    expect(planned({ ...BASE, tun: { mtu: 1300 } }, child('10.77.0.1', '10.99.0.2', GRE)).params.mtu).toBe(1300);
  });
});

test('the TUN gets the largest MTU that any of its tunnels may have', () => {
  expect(largestMtu(parseGatewayConfig({ ...BASE, shapes: ['gre-tunnel'], encapsulation: 'udp' }))).toBe(1414);
  expect(largestMtu(parseGatewayConfig({ ...BASE, shapes: ['gre-tunnel', 'gre-transport'] }))).toBe(1442);
});

test('our selectors are GRE to our endpoints, or everything for plain ESP', () => {
  const select = (shapes: GatewayConfigInput['shapes']) =>
    localSelectors(parseGatewayConfig({ ...BASE, shapes })).map(formatSelector);
  expect(select(['gre-tunnel'])).toEqual(['10.77.0.1[47]', '192.0.2.1[47]']);
  expect(select(['esp-tunnel'])[0]).toBe('0.0.0.0-255.255.255.255');
});
