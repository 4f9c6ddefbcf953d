// Name servers with the tunnel: which, for which names, over which routes, and back again at the end.
import { describe, expect, test } from 'vitest';
import type { Configuration } from '../../main/ike/configuration.ts';
import type { DesiredDns } from '../../main/net/dns/api.ts';
import { NetError } from '../../main/net/error.ts';
import type { DesiredRoutes } from '../../main/net/route/api.ts';
import { type PlanFacts, planTunnel, type TunnelPlan } from '../../main/session/plan.ts';
import { formatAddress, formatPrefix } from '../../main/wire/address.ts';
import { selectorOf } from '../../main/wire/selector.ts';
import { textsOf } from '../words/texts.ts';
import { address, prefix, testProfile } from './fakes/profile.ts';
import { createWorld } from './fakes/world.ts';

const configuration = (change: Partial<Configuration> = {}): Configuration => ({
  addresses: [prefix('10.10.0.5/32')],
  dns: [address('10.77.0.53')],
  subnets: [],
  applicationVersion: undefined,
  ...change,
});

function plan(
  changes: Parameters<typeof testProfile>[1],
  facts: Partial<PlanFacts> = {},
  shape = 'gre-tunnel' as const,
) {
  return planTunnel(testProfile(shape, changes), {
    local: address('192.0.2.10'),
    gateway: address('198.51.100.1'),
    encapsulation: 'udp',
    child: {
      cipher: 'aes-gcm-16',
      local: [selectorOf(prefix('10.10.0.5/32'), 0)],
      remote: [selectorOf(prefix('10.77.0.0/24'), 0)],
    },
    configuration: configuration(),
    path: 1500,
    greNext: 0,
    ...facts,
  });
}

const said = ({ dns }: TunnelPlan) => dns && { servers: dns.servers.map(formatAddress), domains: dns.domains };
const included = ({ routes }: TunnelPlan) => routes.include.map(formatPrefix);

describe('the plan', () => {
  test('split tunnel, nobody names domains: every name goes to the gateway’s servers, which a host route reaches', () => {
    const made = plan({});
    expect(said(made)).toEqual({ servers: ['10.77.0.53'], domains: 'all' });
    expect(included(made)).toEqual(['10.99.0.0/16', '10.77.0.53/32']);
    expect(made.warnings).toEqual([]);
  });

  test('a server that an included network covers needs no route of its own, unless something else leads out again', () => {
    const include = [prefix('10.77.0.0/16')];
    const shut = { include, allowLan: false };
    expect(included(plan({ routes: shut }))).toEqual(['10.77.0.0/16']);
    // A false access point that calls itself 10.0.0.0/8 would be asked in its place, in the clear.
    expect(included(plan({ routes: { include, allowLan: true } }))).toEqual(['10.77.0.0/16', '10.77.0.53/32']);
    expect(included(plan({ routes: { ...shut, exclude: [prefix('10.77.0.0/24')] } }))).toEqual([
      '10.77.0.0/16',
      '10.77.0.53/32',
    ]);
  });

  test('split tunnel with domains of the gateway: they alone (RFC 8598 §5)', () => {
    const made = plan({}, { configuration: configuration({ domains: ['corp.example'] }) });
    expect(said(made)).toEqual({ servers: ['10.77.0.53'], domains: ['corp.example'] });
  });

  test('the profile’s domains and servers come before the gateway’s', () => {
    const made = plan(
      { dns: { domains: ['eng.example'], servers: [address('10.99.0.1')] } },
      { configuration: configuration({ domains: ['evil.example'] }) },
    );
    expect(said(made)).toEqual({ servers: ['10.99.0.1'], domains: ['eng.example'] });
    expect(included(made)).toEqual(['10.99.0.0/16', '10.99.0.1/32']);
  });

  test('everything inside: every name, whatever the gateway says (RFC 8598 §8)', () => {
    const made = plan(
      { routes: { include: [prefix('0.0.0.0/0')] } },
      { configuration: configuration({ domains: ['corp.example'] }) },
    );
    expect(said(made)).toEqual({ servers: ['10.77.0.53'], domains: 'all' });
  });

  test('everything inside and no server known: a warning that says what leaks', () => {
    const made = plan({ routes: { include: [prefix('0.0.0.0/0')] } }, { configuration: configuration({ dns: [] }) });
    expect(said(made)).toBeNull();
    expect(textsOf(made.warnings)).toMatch(/names are still looked up outside/);
  });

  test('everything in two halves is everything: names and the other family as well', () => {
    const halves = [prefix('0.0.0.0/1'), prefix('128.0.0.0/1')];
    const made = plan({ routes: { include: halves } }, { configuration: configuration({ domains: ['corp.example'] }) });
    expect(said(made)).toEqual({ servers: ['10.77.0.53'], domains: 'all' });
    expect(made.dns?.required).toBe(true);
    expect(made.routes.unreachable.map(formatPrefix)).toEqual(['::/0']);
    expect(plan({ routes: { include: halves.slice(0, 1) } }).routes.unreachable).toEqual([]);
  });

  test.each(['127.0.0.1', '127.71.86.1', '0.0.0.0', '224.0.0.1'])('%s is no server of a tunnel', (text) => {
    const made = plan({}, { configuration: configuration({ dns: [address(text)] }) });
    expect(said(made)).toBeNull();
    expect(textsOf(made.warnings)).toContain(text);
  });

  test('a server of a family without a tunnel is not asked, and said so', () => {
    const made = plan({}, { configuration: configuration({ dns: [address('10.77.0.53'), address('fd77::53')] }) });
    expect(said(made)?.servers).toEqual(['10.77.0.53']);
    expect(textsOf(made.warnings)).toContain('fd77::53');
  });

  test('switched off in the profile: nothing, not even a route', () => {
    const made = plan({ dns: { use: false } });
    expect(said(made)).toBeNull();
    expect(included(made)).toEqual(['10.99.0.0/16']);
  });
});

describe('an ESP tunnel', () => {
  test('asks only servers that the negotiated selectors cover', () => {
    const profile = testProfile('esp-tunnel', {});
    const made = planTunnel(profile, {
      local: address('192.0.2.10'),
      gateway: address('198.51.100.1'),
      encapsulation: 'udp',
      child: {
        cipher: 'aes-gcm-16',
        local: [selectorOf(prefix('10.10.0.5/32'), 0)],
        remote: [selectorOf(prefix('10.99.0.0/16'), 0)],
      },
      configuration: configuration({ dns: [address('10.77.0.53'), address('10.99.0.53')] }),
      path: 1500,
      greNext: 0,
    });
    expect(said(made)?.servers).toEqual(['10.99.0.53']);
    expect(textsOf(made.warnings)).toContain('10.77.0.53');
  });
});

const refuse = async () =>
  new NetError({
    code: 'no-permission',
    message: 'It is read-only.',
    operation: 'write',
    remedy: 'Make it writable.',
  });

describe('a session', () => {
  const script = { assigned: [prefix('10.10.0.5/32')], dns: [address('10.77.0.53')] };

  test('sets the name servers once the routes lead to them, keeps them while it reconnects, and takes them back', async () => {
    const world = createWorld({ script });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.settle();
    expect(world.dns).toMatchObject({ interfaceName: 'culvert0', domains: 'all' });
    expect(session.state).toMatchObject({
      state: 'connected',
      tunnel: { names: { servers: ['10.77.0.53'], domains: [], how: 'by a fake' } },
    });
    world.say('dead');
    await world.clock.settle();
    expect(session.state.state).toBe('reconnecting');
    expect(world.dns).toBeDefined();
    await session.stop();
    expect(world.violations).toEqual([]);
    expect(world.remains()).toEqual([]);
    const order = world.calls.filter((call) => call === 'dns.close' || call === 'routes.close');
    expect(order).toEqual(['dns.close', 'routes.close']);
  });

  test('with everything inside does not come up where names would be looked up outside', async () => {
    const world = createWorld({ script });
    Object.assign(world.deps.dns, { apply: refuse });
    const session = world.session(testProfile('gre-tunnel', { routes: { include: [prefix('0.0.0.0/0')] } }));
    session.start();
    await world.clock.settle();
    expect(session.state).toMatchObject({ state: 'failed', error: { code: 'net/no-permission' } });
    await session.stop();
    expect(world.remains()).toEqual([]);
  });

  test('keeps the way to its server when its routes change', async () => {
    const world = createWorld({ script });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.settle();
    const seen: string[][] = [];
    const { apply } = world.deps.routes;
    Object.assign(world.deps.routes, {
      apply: (desired: DesiredRoutes) => {
        seen.push(desired.include.map(formatPrefix));
        return apply(desired);
      },
    });
    await session.reconfigure(testProfile('gre-tunnel', { routes: { include: [prefix('10.50.0.0/16')] } }));
    expect(seen).toEqual([['10.50.0.0/16', '10.77.0.53/32']]);
    await session.stop();
  });

  /** What routes and names were set to, in order, while the gateway names another server in a connection that replaces the first. */
  async function moved(refused: boolean): Promise<readonly string[]> {
    const world = createWorld({ script });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.settle();
    const seen: string[] = [];
    const { routes, dns } = world.deps;
    const [route, name] = [routes.apply.bind(routes), dns.apply.bind(dns)];
    Object.assign(routes, {
      apply: (desired: DesiredRoutes) => {
        seen.push(`routes ${desired.include.map(formatPrefix).join(' ')}`);
        return route(desired);
      },
    });
    Object.assign(dns, {
      apply: (desired: DesiredDns) => {
        seen.push(`names ${desired.servers.map(formatAddress).join(' ')}`);
        return refused ? refuse() : name(desired);
      },
    });
    const reauthenticate = async (server: string): Promise<void> => {
      world.options = { script: { ...script, dns: [address(server)] } };
      world.peers.at(-1)!.inject({ kind: 'reauthenticate', within: 60_000 });
      world.say('anything');
      await world.clock.advance(100);
    };
    await reauthenticate('10.77.0.99');
    // Once more the same: nothing is left over of the change.
    await reauthenticate('10.77.0.99');
    expect(session.state.state).toBe('connected');
    const stopping = session.stop();
    await world.clock.advance(10_000);
    await stopping;
    expect(world.violations).toEqual([]);
    return seen;
  }

  test('keeps the way to its former server until that is asked no more', async () => {
    const both = 'routes 10.99.0.0/16 10.77.0.99/32 10.77.0.53/32';
    const after = 'routes 10.99.0.0/16 10.77.0.99/32';
    expect(await moved(false)).toEqual([both, 'names 10.77.0.99', after, after, 'names 10.77.0.99']);
  });

  test('keeps the way to its former server where another cannot be set: it is asked as before', async () => {
    const both = 'routes 10.99.0.0/16 10.77.0.99/32 10.77.0.53/32';
    expect(await moved(true)).toEqual([both, 'names 10.77.0.99', both, 'names 10.77.0.99']);
  });

  test('is up without name servers where they cannot be set, and says so', async () => {
    const world = createWorld({ script });
    Object.assign(world.deps.dns, { apply: refuse });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.settle();
    const { state } = session;
    if (state.state !== 'connected') throw new Error(state.state);
    expect(state.tunnel.names).toBeUndefined();
    expect(textsOf(state.tunnel.warnings)).toMatch(
      /NOT looked up through the tunnel\. It is read-only\. Make it writable\./,
    );
    expect(world.logs.some((entry) => entry.level === 'error' && entry.area === 'dns')).toBe(true);
    await session.stop();
    expect(world.remains()).toEqual([]);
  });
});
