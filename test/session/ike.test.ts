// The session with the real initiator, against the real responder, over a network that loses, doubles and reorders. The
// data plane is the fake one, which holds both to the order of commands; the keys at both ends must agree.
import { describe, expect, it } from 'vitest';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { CloseReason, IkeResponder, IkeResponderEffect } from '../../main/ike/peer.ts';
import { createResponder } from '../../main/ike/responder.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import type { Profile } from '../../main/profile/profile.ts';
import type { Session } from '../../main/session/deps.ts';
import { createSession } from '../../main/session/session.ts';
import type { Prefix } from '../../main/wire/address.ts';
import { selectorOf } from '../../main/wire/selector.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { createWorld, GATEWAY, type Heard, type World } from './fakes/world.ts';

const secret = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Gateway {
  readonly responder: IkeResponder;
  readonly children: ChildSa[];
  readonly closed: CloseReason[];
  /** Share of datagrams lost, and doubled, and the most milliseconds that one is late. */
  network: { loss: number; double: number; late: number };
  deleteAll(): void;
}

function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function startGateway(world: World, change: Partial<ResponderConfig> = {}, seed = 1): Gateway {
  const random = mulberry(seed);
  const lease: readonly Prefix[] = [prefix('10.10.0.5/32')];
  const responder = createResponder(
    {
      identity: { type: 'fqdn', text: 'gateway.example.com' },
      secretOf: (peer) => (peer.type === 'rfc822' ? secret('correct horse') : undefined),
      proposals: ['aes256gcm16-prfsha256-ecp256'],
      childProposals: ['aes128gcm16'],
      modes: ['tunnel', 'transport'],
      local: [
        selectorOf(prefix('10.77.0.1/32')),
        selectorOf(prefix('198.51.100.1/32')),
        selectorOf(prefix('10.99.0.0/16')),
      ],
      remote: 'any',
      lease: () => ({ addresses: lease, dns: [], subnets: [] }),
      encapsulation: 'auto',
      cookieThreshold: Number.POSITIVE_INFINITY,
      retransmission: { first: 500, factor: 2, most: 4_000, tries: 5 },
      livenessInterval: 0,
      ...change,
    },
    { random: (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256)) },
  );
  const children: ChildSa[] = [];
  const closed: CloseReason[] = [];
  let timer: { cancel(): void } | null = null;
  let route: Heard | null = null;

  function across(deliver: () => void): void {
    const { loss, double, late } = gateway.network;
    if (random() < loss) return;
    const copies = random() < double ? 2 : 1;
    for (let i = 0; i < copies; i++) world.clock.setTimer(world.clock.now() + Math.floor(random() * late), deliver);
  }

  function carryOut(effects: readonly IkeResponderEffect[]): void {
    for (const { sa, effect } of effects)
      switch (effect.kind) {
        case 'send': {
          const back = route;
          const bytes = effect.bytes.slice();
          if (back) across(() => back.answer(bytes));
          break;
        }
        case 'timer':
          timer?.cancel();
          timer =
            effect.at === null
              ? null
              : world.clock.setTimer(effect.at, () => carryOut(responder.handle({ kind: 'timer' }, world.clock.now())));
          break;
        case 'installChild': {
          const { child } = effect;
          children.push({ ...child, keyIn: child.keyIn.slice(), keyOut: child.keyOut.slice() });
          if (sa) carryOut(responder.handle({ kind: 'childInstalled', sa, spiIn: child.spiIn }, world.clock.now()));
          break;
        }
        case 'closed':
          closed.push(effect.reason);
          break;
        default:
          break;
      }
  }

  const gateway: Gateway = {
    responder,
    children,
    closed,
    network: { loss: 0, double: 0, late: 1 },
    deleteAll: () => carryOut(responder.handle({ kind: 'close' }, world.clock.now())),
  };
  world.options = {
    ...world.options,
    hears(datagram) {
      route = datagram;
      const { from, to: local, bytes, transport } = datagram;
      across(() => carryOut(responder.handle({ kind: 'datagram', bytes, from, local, transport }, world.clock.now())));
    },
  };
  return gateway;
}

async function until(world: World, session: Session, state: string, most = 30_000): Promise<void> {
  for (let i = 0; i < most && session.state.state !== state; i += 50) await world.clock.advance(50);
  expect(session.state.state).toBe(state);
}

async function stopClean(world: World, session: Session, label = 'stopped'): Promise<void> {
  let stopped = false;
  void session.stop().then(() => {
    stopped = true;
  });
  await world.clock.advance(10_000);
  expect(stopped, label).toBe(true);
  expect(world.violations, label).toEqual([]);
  expect(
    world.remains().filter((what) => !/timer/.test(what)),
    label,
  ).toEqual([]);
}

const shapes: readonly { readonly name: string; readonly profile: Profile }[] = [
  { name: 'gre-tunnel, UDP forced', profile: testProfile('gre-tunnel') },
  { name: 'gre-transport, raw', profile: testProfile('gre-transport', { tunnel: { encapsulation: 'auto' } }) },
  { name: 'gre-transport, UDP forced', profile: testProfile('gre-transport') },
  { name: 'esp-tunnel, raw', profile: testProfile('esp-tunnel', { tunnel: { encapsulation: 'auto' } }) },
];

describe.each(shapes)('$name, real IKE', ({ profile }) => {
  it('connects, with the same keys at both ends, and deletes politely', async () => {
    const world = createWorld();
    const gateway = startGateway(world);
    const session = createSession(profile, world.deps);
    session.start();
    await until(world, session, 'connected', 2_000);
    const [theirs] = gateway.children;
    const inbound = world.plane().inbound.get(0);
    const outbound = world.plane().outbound.get(0);
    expect(inbound?.spi).toBe(theirs?.spiOut);
    expect(outbound?.spi).toBe(theirs?.spiIn);
    expect(inbound?.key).toEqual(theirs?.keyOut);
    expect(outbound?.key).toEqual(theirs?.keyIn);
    const encapsulation = profile.tunnel.encapsulation === 'udp' ? 'udp' : 'raw';
    expect(world.plane().peer).toMatchObject({
      encapsulation,
      remote: { address: GATEWAY, port: encapsulation === 'udp' ? 4500 : 0 },
    });
    expect(session.state).toMatchObject({
      state: 'connected',
      tunnel: { encapsulation, gatewayIdentity: 'gateway.example.com', espProposal: 'aes128gcm16' },
    });
    await stopClean(world, session);
    expect(gateway.closed).toEqual([{ by: 'peer' }]);
  });

  it('connects over a network that loses, doubles and reorders', async () => {
    const base = process.env.SEED ? Number(process.env.SEED) : Date.now() % 100_000;
    for (let seed = base; seed < base + Number(process.env.RUNS ?? 12); seed++) {
      const world = createWorld();
      const gateway = startGateway(world, {}, seed);
      gateway.network = { loss: 0.15, double: 0.2, late: 300 };
      // So long that some ten tries of each exchange fit: that all are lost happens once in ten million runs.
      const session = createSession({ ...profile, timing: { ...profile.timing, connectSeconds: 90 } }, world.deps);
      session.start();
      for (let i = 0; i < 100_000 && !['connected', 'failed'].includes(session.state.state); i += 100)
        await world.clock.advance(100);
      expect(session.state, `seed ${seed}`).toMatchObject({ state: 'connected' });
      await stopClean(world, session, `seed ${seed}`);
    }
  });
});

describe('a gateway that wants us to authenticate anew (RFC 4478)', () => {
  it('gets it once in a while, not all the time', async () => {
    const world = createWorld();
    let leases = 0;
    const gateway = startGateway(world, {
      authentication: { credential: { kind: 'psk' }, rounds: [['psk']], authorities: [], lifetimeSeconds: 1000 },
      lease: () => {
        leases++;
        return { addresses: [prefix('10.10.0.5/32')], dns: [], subnets: [] };
      },
    });
    const session = createSession(testProfile('gre-tunnel', { timing: { livenessSeconds: 0 } }), world.deps);
    session.start();
    await until(world, session, 'connected', 2_000);
    await world.clock.advance(60_000);
    expect(leases).toBe(1);
    await world.clock.advance(850_000);
    expect(leases).toBe(2);
    await world.clock.advance(880_000);
    expect(leases).toBe(2);
    await world.clock.advance(30_000);
    expect(leases).toBe(3);
    expect(session.state.state).toBe('connected');
    expect(gateway.closed).toEqual([{ by: 'peer' }, { by: 'peer' }]);
    await stopClean(world, session);
  });
});

describe('real IKE', () => {
  const first = async (profile: Profile, change: Partial<ResponderConfig>) => {
    const world = createWorld();
    startGateway(world, change);
    const session = createSession(profile, world.deps);
    session.start();
    await until(world, session, 'failed');
    expect(world.remains().filter((what) => !/timer/.test(what))).toEqual([]);
    return session.state.state === 'failed' ? session.state.error : null;
  };

  it('tells a wrong secret', async () => {
    const error = await first(testProfile(), { secretOf: () => secret('wrong horse') });
    expect(error?.code).toBe('ike/refused-by-peer');
    expect(error?.remedy).toMatch(/\w/);
  });

  it('tells that there is no common proposal, for IKE and for ESP', async () => {
    const ike = await first(testProfile(), { proposals: ['aes128gcm16-prfsha512-x25519'] });
    expect(ike?.code).toBe('ike/no-ike-proposal');
    const esp = await first(testProfile(), { childProposals: ['chacha20poly1305'] });
    expect(esp?.code).toBe('ike/no-child-proposal');
  });

  it('tells that the gateway does not do transport mode', async () => {
    const error = await first(testProfile('gre-transport'), { modes: ['tunnel'] });
    expect(error?.code).toMatch(/^ike\/(mode-refused|traffic-selectors|no-child-proposal)$/);
  });

  it('tells a proposal that nobody knows before anything is sent', async () => {
    const error = await first(testProfile('gre-tunnel', { proposals: { ike: ['rot13-md5-modp1'] } }), {});
    expect(error?.code).toBe('ike/configuration');
  });

  it('comes back after the gateway deleted the IKE SA', async () => {
    const world = createWorld();
    const gateway = startGateway(world);
    const session = createSession(testProfile(), world.deps);
    session.start();
    await until(world, session, 'connected');
    gateway.deleteAll();
    await until(world, session, 'reconnecting', 2_000);
    expect(session.state).toMatchObject({ because: { code: 'session/deleted-by-gateway' } });
    await until(world, session, 'connected', 3_000);
    expect(gateway.children).toHaveLength(2);
    await stopClean(world, session);
  });

  it('notices a gateway that died, but not one that is merely idle or busy', async () => {
    const world = createWorld();
    const gateway = startGateway(world);
    const session = createSession(testProfile('gre-tunnel', { timing: { livenessSeconds: 10 } }), world.deps);
    session.start();
    await until(world, session, 'connected');
    // Idle: liveness checks are answered.
    await world.clock.advance(120_000);
    expect(session.state.state).toBe('connected');
    // Busy: inbound traffic makes them unnecessary.
    const natt = world.sockets.find(({ kind }) => kind === 'natt')!;
    const before = natt.sent.filter(({ bytes }) => bytes.length > 1).length;
    for (let i = 0; i < 30; i++) {
      world.plane().lastInbound = world.clock.now();
      await world.clock.advance(2_000);
    }
    expect(natt.sent.filter(({ bytes }) => bytes.length > 1).length).toBe(before);
    gateway.network = { loss: 1, double: 0, late: 1 };
    await until(world, session, 'reconnecting', 120_000);
    expect(session.state).toMatchObject({ because: { code: 'ike/no-response' } });
    gateway.network = { loss: 0, double: 0, late: 1 };
    await until(world, session, 'connected', 60_000);
    await stopClean(world, session);
  });

  it('answers a cookie and moves on', async () => {
    const world = createWorld();
    startGateway(world, { cookieThreshold: 0 });
    const session = createSession(testProfile(), world.deps);
    session.start();
    await until(world, session, 'connected', 2_000);
    await stopClean(world, session);
  });
});
