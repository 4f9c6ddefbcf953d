// The tunnel worked out on paper: MTU, MSS, selectors, routes, and the mistakes that are told before any packet is lost.
import { describe, expect, it } from 'vitest';
import { SELECTORS } from '../../assembly/layout.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { Configuration } from '../../main/ike/configuration.ts';
import type { Profile } from '../../main/profile/profile.ts';
import { openAuthentication } from '../../main/session/authentication.ts';
import { SessionError } from '../../main/session/failure.ts';
import { MOST_SELECTORS, type PlanFacts, planDirect, planTunnel, type TunnelPlan } from '../../main/session/plan.ts';
import { childRequest, directRequests, initiatorConfig, retransmission } from '../../main/session/request.ts';
import { formatPrefix, type Prefix } from '../../main/wire/address.ts';
import { formatSelector, type Selector, selectorOf } from '../../main/wire/selector.ts';
import { textsOf } from '../words/texts.ts';
import { address, prefix, testProfile } from './fakes/profile.ts';

const local = address('192.0.2.10');
const gateway = address('198.51.100.1');
const text = (list: readonly Prefix[]): string[] => list.map(formatPrefix);
const selectors = (list: readonly Selector[]): string[] => list.map(formatSelector);
const configuration = (addresses: readonly string[], subnets: readonly string[] = []): Configuration => ({
  addresses: addresses.map(prefix),
  dns: [],
  subnets: subnets.map(prefix),
  applicationVersion: undefined,
});
const sa = (
  mine: readonly string[],
  theirs: readonly string[],
  protocol = 47,
  cipher: ChildSa['cipher'] = 'aes-gcm-16',
): NonNullable<PlanFacts['child']> => ({
  cipher,
  local: mine.map((one) => selectorOf(prefix(one), protocol)),
  remote: theirs.map((one) => selectorOf(prefix(one), protocol)),
});

function plan(profile: Profile, facts: Partial<PlanFacts> = {}): TunnelPlan {
  return planTunnel(profile, {
    local,
    gateway,
    encapsulation: 'udp',
    child: sa(['10.10.0.5/32'], ['10.77.0.1/32']),
    configuration: configuration(['10.10.0.5/32']),
    path: profile.mtu.path,
    greNext: 0,
    ...facts,
  });
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SessionError) {
      expect(error.failure.permanent).toBe(true);
      expect(error.failure.error.remedy).toMatch(/\w/);
      return error.failure.error.code;
    }
    throw error;
  }
  return 'none';
}

describe('MTU', () => {
  it('is the one of the design: 1414 for AES-GCM over IPv4 with NAT-T in tunnel mode, GRE without options', () => {
    expect(plan(testProfile('gre-tunnel', { gre: { key: null } })).mtu).toMatchObject({
      value: 1414,
      mss4: 1374,
      mss6: 1354,
    });
  });

  it('takes the value of the profile, and warns where it is too large', () => {
    const small = plan(testProfile('gre-tunnel', { mtu: { value: 1300 } }));
    expect(small.mtu).toMatchObject({ value: 1300, mss4: 1260, mss6: 1240 });
    expect(small.warnings).toEqual([]);
    const large = plan(testProfile('gre-tunnel', { mtu: { value: 1450 } }));
    expect(large.mtu.value).toBe(1450);
    expect(textsOf(large.warnings)).toMatch(/only 1410 fits/);
    // Once the network has said so, it is believed more than the profile.
    expect(plan(testProfile('gre-tunnel', { mtu: { value: 1450 } }), { path: 1400 }).mtu.value).toBe(1310);
    expect(plan(testProfile('gre-tunnel', { mtu: { value: 1300 } }), { path: 1400 }).mtu.value).toBe(1300);
  });

  it('leaves the MSS alone, or lowers it, as the profile says, but never past the MTU', () => {
    expect(plan(testProfile('gre-tunnel', { mtu: { mss: 0 } })).params).toMatchObject({ mss4: 0, mss6: 0 });
    expect(plan(testProfile('gre-tunnel', { mtu: { mss: 1200 } })).params).toMatchObject({ mss4: 1200, mss6: 1200 });
    expect(plan(testProfile('gre-tunnel', { mtu: { mss: 1460 } })).params).toMatchObject({ mss4: 1370, mss6: 1350 });
  });

  it('counts an IPv6 delivery header inside an IPv4 tunnel', () => {
    const profile = testProfile('gre-tunnel', {
      gre: { remote: address('2001:db8::1'), local: address('2001:db8::2') },
    });
    const both = plan(profile, { child: sa(['2001:db8::2/128'], ['2001:db8::1/128']) });
    expect(both.mtu.value).toBe(1390);
  });

  it('refuses a path on which nothing fits', () => {
    expect(codeOf(() => plan(testProfile('gre-tunnel', { mtu: { path: 120 } })))).toBe('session/path-too-small');
  });
});

describe('addresses', () => {
  it('takes the assigned one only where the profile gives none', () => {
    expect(text(plan(testProfile()).addresses)).toEqual(['10.88.0.2/24']);
    expect(text(plan(testProfile('gre-tunnel', { gre: { address: [] } })).addresses)).toEqual(['10.10.0.5/32']);
  });

  it('tells a tunnel without any', () => {
    const profile = testProfile('gre-tunnel', { gre: { address: [], local: address('10.10.0.5') } });
    expect(codeOf(() => plan(profile, { configuration: configuration([]) }))).toBe('session/no-tunnel-address');
    expect(
      codeOf(() => plan(testProfile('gre-plain', { gre: { address: [] } }), { child: null, configuration: null })),
    ).toBe('session/no-tunnel-address');
  });

  it('lets an ESP tunnel go from our own address without one', () => {
    const unnumbered = plan(testProfile('esp-tunnel', { tunnel: { requestAddresses: [] } }), {
      child: sa(['192.0.2.10/32'], ['10.99.0.0/16'], 0),
      configuration: configuration([]),
    });
    expect(unnumbered.addresses).toEqual([]);
    expect(text(unnumbered.routes.include)).toEqual(['10.99.0.0/16']);
    expect(selectors(unnumbered.params.local)).toEqual(['192.0.2.10']);
  });
});

describe('GRE delivery', () => {
  const delivery = (profile: Profile, facts: Partial<PlanFacts> = {}): string[] | undefined => {
    const { params } = plan(profile, facts);
    return params.delivery
      ? text([params.delivery.local, params.delivery.remote].map((a) => ({ address: a, bits: a.length * 8 })))
      : undefined;
  };

  it('goes from gre.local, else the assigned address, else our own, to gre.remote, else the gateway', () => {
    expect(delivery(testProfile())).toEqual(['10.10.0.5/32', '10.77.0.1/32']);
    expect(
      delivery(testProfile('gre-tunnel', { gre: { local: address('10.10.0.9') } }), {
        child: sa(['10.10.0.9/32'], ['10.77.0.1/32']),
      }),
    ).toEqual(['10.10.0.9/32', '10.77.0.1/32']);
    expect(
      delivery(testProfile('gre-tunnel', { gre: { remote: null } }), {
        configuration: configuration([]),
        child: sa(['192.0.2.10/32'], ['198.51.100.1/32']),
      }),
    ).toEqual(['192.0.2.10/32', '198.51.100.1/32']);
  });

  it('is the outer header of plain GRE over IPv4, so that strangers are told apart, without counting twice', () => {
    const plain = plan(testProfile('gre-plain'), { child: null, configuration: null });
    expect(plain.params.delivery).toEqual({ local, remote: gateway });
    expect(plain.mtu.value).toBe(1500 - 20 - 8);
    const six = { local: address('2001:db8::a'), gateway: address('2001:db8::b'), child: null, configuration: null };
    expect(plan(testProfile('gre-plain'), six).params.delivery).toBeNull();
  });

  it('does not exist for the other shapes', () => {
    expect(
      delivery(testProfile('gre-transport'), { child: sa(['192.0.2.10/32'], ['198.51.100.1/32']) }),
    ).toBeUndefined();
  });

  it('must be of one family', () => {
    const profile = testProfile('gre-tunnel', { gre: { remote: address('2001:db8::1') } });
    expect(codeOf(() => plan(profile))).toBe('session/delivery-address');
  });

  it('must be carried by what the gateway agreed to', () => {
    expect(codeOf(() => plan(testProfile(), { child: sa(['10.10.0.5/32'], ['10.77.0.2/32']) }))).toBe(
      'session/selectors-too-narrow',
    );
    expect(codeOf(() => plan(testProfile(), { child: sa(['10.10.0.5/32'], ['10.77.0.1/32'], 6) }))).toBe(
      'session/selectors-too-narrow',
    );
    expect(codeOf(() => plan(testProfile(), { child: sa(['0.0.0.0/0'], ['0.0.0.0/0'], 0) }))).toBe('none');
    // Behind a NAT the addresses of transport mode are not ours (RFC 7296 §2.23.1), the protocol is.
    const transport = testProfile('gre-transport');
    expect(codeOf(() => plan(transport, { child: sa(['203.0.113.9/32'], ['198.51.100.1/32']) }))).toBe('none');
    expect(codeOf(() => plan(transport, { child: sa(['203.0.113.9/32'], ['198.51.100.1/32'], 6) }))).toBe(
      'session/selectors-too-narrow',
    );
  });
});

it('says so where a tunnel without GRE would carry GRE only', () => {
  const plain = testProfile('esp-tunnel');
  const facts = (mine: number, theirs: number) => {
    const carried = sa(['10.10.0.5/32'], ['0.0.0.0/0'], 0);
    const of = (selectors: readonly Selector[], protocol: number) => selectors.map((one) => ({ ...one, protocol }));
    return { child: { ...carried, local: of(carried.local, mine), remote: of(carried.remote, theirs) } };
  };
  expect(codeOf(() => plan(plain, facts(0, 47)))).toBe('session/carries-gre-only');
  expect(codeOf(() => plan(plain, facts(47, 0)))).toBe('session/carries-gre-only');
  expect(codeOf(() => plan(plain, facts(0, 6)))).toBe('none');
  expect(codeOf(() => plan(plain, facts(0, 0)))).toBe('none');
});

describe('routes', () => {
  const routes = (
    include: readonly string[],
    change: Partial<Profile['routes']> = {},
    facts: Partial<PlanFacts> = {},
  ) => plan(testProfile('gre-tunnel', { routes: { include: include.map(prefix), ...change } }), facts);

  it('refuses IPv6 where all IPv4 goes inside and the tunnel has none, and the reverse', () => {
    expect(text(routes(['0.0.0.0/0']).routes.unreachable)).toEqual(['::/0']);
    expect(text(routes(['10.0.0.0/8']).routes.unreachable)).toEqual([]);
    const six = testProfile('gre-tunnel', {
      gre: { address: [prefix('fd00::2/64')] },
      routes: { include: [prefix('::/0')] },
    });
    expect(text(plan(six).routes.unreachable)).toEqual(['0.0.0.0/0']);
    expect(plan(six).warnings).toMatchObject([{ code: 'tunnel.serversUnknown' }]);
  });

  it('blocks what should go inside but cannot, rather than letting it out', () => {
    const both = routes(['0.0.0.0/0', '::/0']);
    expect(text(both.routes.include)).toEqual(['0.0.0.0/0']);
    expect(text(both.routes.unreachable)).toEqual(['::/0']);
    expect(textsOf(both.warnings)).toMatch(/^Blocked, .*: ::\/0\.$/m);
    expect(text(routes(['2001:db8::/32']).routes.unreachable)).toEqual(['2001:db8::/32']);
  });

  it("adds the gateway's subnets only where the profile wants them, and none twice", () => {
    const facts = { configuration: configuration(['10.10.0.5/32'], ['172.20.0.0/16', '10.99.0.0/16']) };
    expect(text(routes(['10.99.0.0/16'], {}, facts).routes.include)).toEqual(['10.99.0.0/16']);
    expect(text(routes(['10.99.0.0/16'], { fromGateway: true }, facts).routes.include)).toEqual([
      '10.99.0.0/16',
      '172.20.0.0/16',
    ]);
  });

  it('hands exclusions and the local network on as they are', () => {
    const exclude = [prefix('10.99.1.0/24')];
    expect(routes(['10.99.0.0/16'], { exclude, allowLan: false }).routes).toMatchObject({ exclude, allowLan: false });
  });

  it('warns of routes that the negotiated selectors of an ESP tunnel do not carry', () => {
    const profile = testProfile('esp-tunnel', { routes: { include: [prefix('10.0.0.0/8')] } });
    const narrow = plan(profile, { child: sa(['10.10.0.5/32'], ['10.99.0.0/16'], 0) });
    expect(textsOf(narrow.warnings)).toMatch(/10\.99\.0\.0-10\.99\.255\.255 only.*10\.0\.0\.0\/8/);
    expect(selectors(narrow.params.remote)).toEqual(['10.99.0.0-10.99.255.255']);
  });
});

describe("the core's selectors", () => {
  it('have no entry inside another one', () => {
    const { params } = plan(
      testProfile('gre-tunnel', { routes: { include: ['10.88.0.0/24', '0.0.0.0/0', '10.1.0.0/16'].map(prefix) } }),
    );
    expect(selectors(params.remote)).toEqual(['0.0.0.0-255.255.255.255']);
    expect(selectors(params.local)).toEqual(['10.88.0.0-10.88.0.255']);
  });
});

describe('more networks than the core has room for', () => {
  const many = Array.from({ length: 65 }, (_, i) => prefix(`172.16.${2 * i}.0/24`));

  it('is as many as the core has', () => {
    expect(MOST_SELECTORS).toBe(SELECTORS);
  });

  it('are accepted as a whole, with a warning', () => {
    const wide = plan(testProfile('gre-tunnel', { routes: { include: many } }));
    expect(selectors(wide.params.remote)).toEqual(['0.0.0.0-255.255.255.255']);
    expect(wide.routes.include).toHaveLength(65);
    expect(textsOf(wide.warnings)).toMatch(/66 networks/);
  });

  it('are refused where the gateway negotiated each of them', () => {
    const child = { ...sa(['10.10.0.5/32'], [], 0), remote: many.map((one) => selectorOf(one)) };
    expect(codeOf(() => plan(testProfile('esp-tunnel'), { child }))).toBe('session/too-many-selectors');
  });
});

describe('the request', () => {
  const ts = (profile: Profile): readonly [string[], string[], boolean, string] => {
    const request = childRequest(profile, local, gateway);
    return [selectors(request.local), selectors(request.remote), request.localIsDynamic, request.mode];
  };

  it('has the selectors of each shape', () => {
    expect(ts(testProfile('gre-transport'))).toEqual([['192.0.2.10[47]'], ['198.51.100.1[47]'], false, 'transport']);
    expect(ts(testProfile('gre-tunnel'))).toEqual([['0.0.0.0-255.255.255.255[47]'], ['10.77.0.1[47]'], true, 'tunnel']);
    expect(ts(testProfile('gre-tunnel', { gre: { local: address('10.1.1.1'), remote: null } }))).toEqual([
      ['10.1.1.1[47]'],
      ['198.51.100.1[47]'],
      false,
      'tunnel',
    ]);
    expect(ts(testProfile('gre-tunnel', { tunnel: { requestAddresses: [] } }))[0]).toEqual(['192.0.2.10[47]']);
    expect(ts(testProfile('esp-tunnel'))).toEqual([
      ['0.0.0.0-255.255.255.255'],
      ['10.99.0.0-10.99.255.255'],
      true,
      'tunnel',
    ]);
    expect(ts(testProfile('esp-tunnel', { routes: { include: [] }, tunnel: { requestAddresses: [4, 6] } }))[1]).toEqual(
      ['0.0.0.0-255.255.255.255', '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    );
  });

  it('widens them where the profile says so', () => {
    const wide = testProfile('gre-tunnel', { tunnel: { remoteSelectors: [prefix('0.0.0.0/0')], anyProtocol: true } });
    expect(ts(wide)).toEqual([['0.0.0.0-255.255.255.255'], ['0.0.0.0-255.255.255.255'], true, 'tunnel']);
  });

  it('asks with the identity, ports and patience of the profile', async () => {
    const facts = {
      local: { address: local, port: 500 },
      localNatt: { address: local, port: 4500 },
      gateway,
      over: 'udp' as const,
      forceUdp: true,
      patience: 15_000,
    };
    const deps = { random: () => new Uint8Array(0), wall: () => 0, log: () => undefined };
    const configOf = async (profile: Profile) =>
      initiatorConfig(profile, facts, (await openAuthentication(profile, deps)).config(local));
    expect(await configOf(testProfile('gre-tunnel', { authentication: { identity: null } }))).toMatchObject({
      remote: { address: gateway, port: 500 },
      remoteNattPort: 4500,
      identity: { type: 'ipv4', address: local },
      remoteIdentity: undefined,
      encapsulation: 'udp',
      livenessInterval: 30_000,
      keepaliveInterval: 20_000,
    });
    const named = testProfile('gre-tunnel', { gateway: { identity: 'gw@example.com' } });
    expect((await configOf(named)).remoteIdentity).toEqual({ type: 'rfc822', text: 'gw@example.com' });
  });

  it.each([1_000, 5_000, 15_000, 60_000])('goes on asking for at least %d ms', (patience) => {
    const { first, factor, most, tries } = retransmission(patience);
    let total = 0;
    for (let i = 0, wait = first; i < tries; i++, wait = Math.min(most, wait * factor)) total += wait;
    expect(total).toBeGreaterThanOrEqual(patience);
    expect(tries).toBeGreaterThanOrEqual(5);
  });
});

describe('networks beside GRE', () => {
  const profile = testProfile('gre-tunnel', {
    tunnel: { direct: [prefix('10.66.0.0/24'), prefix('2001:db8:66::/64')] },
  });

  it('are asked for one by one, from the assigned address or our own', () => {
    const requests = directRequests(profile, local);
    expect(requests.map(({ name, mode }) => [name, mode])).toEqual([
      ['10.66.0.0/24', 'tunnel'],
      ['2001:db8:66::/64', 'tunnel'],
    ]);
    expect(requests.map(({ remote }) => selectors(remote))).toEqual([
      ['10.66.0.0-10.66.0.255'],
      ['2001:db8:66::-2001:db8:66:0:ffff:ffff:ffff:ffff'],
    ]);
    expect(requests[0]).toMatchObject({ localIsDynamic: true });
    const own = testProfile('gre-tunnel', { tunnel: { direct: [prefix('10.66.0.0/24')], requestAddresses: [] } });
    expect(directRequests(own, local).map((one) => [one.localIsDynamic, ...selectors(one.local)])).toEqual([
      [false, '192.0.2.10'],
    ]);
  });

  it('are routed into the TUN, which has the address that they are reached from', () => {
    const { addresses, routes, params } = plan(profile);
    expect(text(addresses)).toEqual(['10.88.0.2/24', '10.10.0.5/32']);
    expect(text(routes.include)).toContain('10.66.0.0/24');
    // No address of ours is of that family: nothing would come back.
    expect(routes.sources?.map(({ prefix: to, source }) => [formatPrefix(to), source.join('.')])).toEqual([
      ['10.66.0.0/24', '10.10.0.5'],
    ]);
    // GRE carries neither.
    expect(selectors(params.local)).not.toContain('10.10.0.5');
    expect(selectors(params.remote)).not.toContain('10.66.0.0-10.66.0.255');
  });

  it('change nothing where there are none', () => {
    const bare = plan(testProfile());
    expect(text(bare.addresses)).toEqual(['10.88.0.2/24']);
    expect(bare.routes.sources).toBeUndefined();
  });

  it('have a tunnel without GRE, no wider than the TUN', () => {
    const main = plan(profile);
    const child = sa(['10.10.0.5/32'], ['10.66.0.0/24'], 0);
    const params = planDirect(profile, main, { gateway, path: 1500, encapsulation: 'udp' }, child);
    expect(params).toMatchObject({ shape: 'esp-tunnel', gre: null, delivery: null, mtu: main.mtu.value });
    expect([selectors(params.local), selectors(params.remote)]).toEqual([['10.10.0.5'], ['10.66.0.0-10.66.0.255']]);
    // A cipher that leaves less room, on a narrower path.
    const narrow = { ...child, cipher: 'aes-cbc' as const, integrity: 'hmac-sha2-512-256' as const };
    expect(planDirect(profile, main, { gateway, path: 1300, encapsulation: 'udp' }, narrow).mtu).toBeLessThan(
      1300 - 60,
    );
    const many = { ...child, remote: Array.from({ length: 65 }, (_, i) => selectorOf(prefix(`10.${i}.0.0/16`))) };
    expect(() => planDirect(profile, main, { gateway, path: 1500, encapsulation: 'udp' }, many)).toThrow(SessionError);
  });
});
