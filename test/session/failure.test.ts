// What goes wrong on the way up, and what is left of it: nothing. Every call that set-up makes is failed once, and once
// left hanging, and each time the machine must be as it was.
import { describe, expect, it } from 'vitest';
import type { IkeErrorCode } from '../../main/ike/error.ts';
import type { Profile } from '../../main/profile/profile.ts';
import { createSession } from '../../main/session/session.ts';
import { scriptedPeer } from './fakes/peer.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { createWorld, GATEWAY, type World, type WorldOptions } from './fakes/world.ts';

const VIRTUAL = prefix('10.10.0.5/32');
const script = { assigned: [VIRTUAL] };

/** Taking back may fail too: then exactly that one thing may stay. */
const UNDOING = /^(routes\.close|tun\.close|plane\.close|socket\.close|plane\.remove)/;

function expectClean(world: World, label: string): void {
  expect(world.violations, label).toEqual([]);
  const kept = world.hit && UNDOING.test(world.hit) ? 1 : 0;
  expect(world.remains().length, `${label}: ${world.remains().join(', ')} remain`).toBeLessThanOrEqual(kept);
}

const shapes: readonly { readonly name: string; readonly profile: Profile }[] = [
  { name: 'gre-tunnel in UDP', profile: testProfile('gre-tunnel') },
  { name: 'gre-transport, raw', profile: testProfile('gre-transport', { tunnel: { encapsulation: 'auto' } }) },
  { name: 'esp-tunnel', profile: testProfile('esp-tunnel') },
  { name: 'gre-plain', profile: testProfile('gre-plain') },
];

/** Calls that a whole life (up, and down again) of this profile makes. */
async function callsOf(profile: Profile): Promise<number> {
  const world = createWorld({ script });
  const session = world.session(profile);
  session.start();
  await world.clock.settle();
  expect(session.state.state).toBe('connected');
  await session.stop();
  return world.calls.length;
}

async function live(profile: Profile, options: WorldOptions): Promise<World> {
  const world = createWorld({ script, ...options });
  const session = world.session(profile);
  session.start();
  await world.clock.advance(40_000);
  const label = `call ${options.failAt ?? options.hangAt} (${world.hit})`;
  if (session.state.state === 'failed') {
    // Whoever reads it must know what happened and what to do.
    expect(session.state.error.message, label).toMatch(/\w{3}/);
    expect(session.state.error.remedy, label).toMatch(/\w{3}/);
    expectClean(world, `${label}, failed`);
  } else expect(['connected', 'reconnecting', 'connecting'], label).toContain(session.state.state);
  let stopped = false;
  void session.stop().then(() => {
    stopped = true;
  });
  await world.clock.advance(30_000);
  expect(stopped, `${label}: stop() did not come back`).toBe(true);
  expect(session.state.state, label).toBe('disconnected');
  expectClean(world, `${label}, stopped`);
  return world;
}

describe.each(shapes)('$name', ({ profile }) => {
  it('leaves nothing behind, whichever call fails', async () => {
    const calls = await callsOf(profile);
    expect(calls).toBeGreaterThan(10);
    const hits: string[] = [];
    for (let failAt = 1; failAt <= calls; failAt++) hits.push((await live(profile, { failAt })).hit ?? 'none');
    // The sweep did reach every call.
    expect(hits).not.toContain('none');
  });

  it.each([
    { name: 'hangs for ever', hangFor: undefined },
    { name: 'comes back long after it was given up', hangFor: 45_000 },
  ])('leaves nothing behind, whichever call $name', async ({ hangFor }) => {
    const calls = await callsOf(profile);
    for (let hangAt = 1; hangAt <= calls; hangAt++) {
      const world = createWorld({ script, hangAt, ...(hangFor === undefined ? {} : { hangFor }) });
      const session = world.session(profile);
      session.start();
      await world.clock.advance(16_000);
      const label = `call ${hangAt} (${world.hit})`;
      let stopped = false;
      void session.stop().then(() => {
        stopped = true;
      });
      await world.clock.advance(40_000);
      expect(stopped, `${label}: stop() did not come back`).toBe(true);
      await world.clock.advance(60_000);
      expect(world.violations, label).toEqual([]);
      // What hangs for ever may stay (its end is unknown); everything else goes, and so does what comes late.
      const kept = hangFor === undefined && world.hit && UNDOING.test(world.hit) ? 1 : 0;
      expect(world.remains().length, `${label}: ${world.remains().join(', ')} remain`).toBeLessThanOrEqual(kept);
    }
  });
});

describe('the last moment', () => {
  it('notices a loss between the last step of set-up and being connected', async () => {
    for (let hops = 0; hops < 24; hops++) {
      const world = createWorld({ script });
      const { apply } = world.deps.routes;
      Object.assign(world.deps.routes, {
        apply: async (desired: Parameters<typeof apply>[0]) => {
          const problem = await apply(desired);
          let turn = Promise.resolve();
          for (let i = 0; i < hops; i++) turn = turn.then(() => {});
          void turn.then(() => world.plane().emit({ kind: 'died', worker: 'sender', message: 'at the last moment' }));
          return problem;
        },
      });
      const session = world.session(testProfile());
      session.start();
      await world.clock.settle();
      expect(['failed', 'reconnecting'], `${hops} turns later`).toContain(session.state.state);
      await session.stop();
      expectClean(world, `${hops} turns later`);
    }
  });
});

describe('between two addresses of the gateway', () => {
  const addresses = [1, 2].map((last) => Uint8Array.of(198, 51, 100, last));

  it('does not go on to the next one without a data plane', async () => {
    const world = createWorld({ addresses, answers: (_, text) => text === 'sa-init' });
    const session = world.session(testProfile());
    session.start();
    // The first has had its half of the time and gets two seconds for its goodbye; in them the receiver dies.
    await world.clock.advance(7_500 + 1_000);
    world.plane().emit({ kind: 'died', worker: 'receiver', message: 'between two addresses' });
    await world.clock.advance(1_500);
    expect(session.state).toMatchObject({ state: 'failed', error: { code: 'session/worker-died' } });
    expect(world.peers).toHaveLength(1);
    expectClean(world, 'no data plane');
  });

  it('stops there when asked to', async () => {
    const world = createWorld({ addresses, answers: (_, text) => text === 'sa-init' });
    const session = world.session(testProfile());
    session.start();
    await world.clock.advance(7_500 + 1_000);
    void session.stop();
    await world.clock.advance(1_500);
    expect(session.state).toEqual({ state: 'disconnected', lastError: null });
    expect(world.peers).toHaveLength(1);
    expectClean(world, 'stopped');
  });
});

describe('a refusal on the first connection', () => {
  const refusals: readonly (readonly [IkeErrorCode, 'sa-init' | 'auth'])[] = [
    ['no-ike-proposal', 'sa-init'],
    ['refused-by-peer', 'auth'],
    ['peer-not-authentic', 'auth'],
    ['peer-identity-mismatch', 'auth'],
    ['no-child-proposal', 'auth'],
    ['traffic-selectors', 'auth'],
    ['no-address', 'auth'],
    ['mode-refused', 'auth'],
    ['peer-error', 'auth'],
    ['protocol', 'sa-init'],
    ['configuration', 'sa-init'],
  ];
  it.each(refusals)('%s: failed at once, with code and remedy, and not tried again', async (code, at) => {
    const world = createWorld({ script: { refuse: { at, code } } });
    const session = world.session(testProfile());
    session.start();
    await world.clock.settle();
    expect(session.state).toMatchObject({
      state: 'failed',
      profile: 'office',
      error: { code: `ike/${code}`, message: `scripted: ${code}.`, remedy: 'Scripted remedy.' },
    });
    expectClean(world, code);
    await world.clock.advance(300_000);
    expect(world.peers).toHaveLength(1);
    await session.stop();
    expect(session.state).toMatchObject({ state: 'disconnected', lastError: { code: `ike/${code}` } });
  });

  it('does not try other addresses after a refusal', async () => {
    const world = createWorld({
      addresses: [GATEWAY, Uint8Array.of(198, 51, 100, 2)],
      script: { refuse: { at: 'auth', code: 'refused-by-peer' } },
    });
    const session = world.session(testProfile());
    session.start();
    await world.clock.settle();
    expect(session.state.state).toBe('failed');
    expect(world.peers).toHaveLength(1);
  });

  it('can be started again after it failed', async () => {
    const world = createWorld({ script: { refuse: { at: 'auth', code: 'refused-by-peer' } } });
    const session = world.session(testProfile());
    session.start();
    await world.clock.settle();
    world.options = { script };
    session.start();
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    await session.stop();
    expectClean(world, 'second start');
  });
});

describe('an unreachable gateway', () => {
  it('fails after connectSeconds, naming addresses, ports and likely causes', async () => {
    const world = createWorld({ answers: () => false });
    const session = world.session(testProfile());
    session.start();
    await world.clock.advance(14_900);
    expect(session.state).toMatchObject({ state: 'connecting', step: 'sa-init' });
    await world.clock.advance(200);
    expect(session.state).toMatchObject({
      state: 'failed',
      error: {
        code: 'ike/no-response',
        message: 'No answer from the gateway vpn.example.com (198.51.100.1) on UDP ports 500 and 4500 within 15 s.',
        data: { addresses: '198.51.100.1', port: 500, nattPort: 4500 },
      },
    });
    const { state } = session;
    expect(state.state === 'failed' && state.error.remedy).toMatch(/firewall.*UDP 500 and 4500/);
    expectClean(world, 'unreachable');
  });

  it('is not called silent where nothing could be sent to it, though TCP was tried in place of UDP', async () => {
    const world = createWorld({ local: null, streams: true, answers: () => false });
    const session = world.session(testProfile());
    session.start();
    await world.clock.settle();
    expect(session.state).toMatchObject({ state: 'failed', error: { code: 'net/unreachable' } });
    expectClean(world, 'offline');
  });

  it('tries every address within connectSeconds and names them all', async () => {
    const addresses = [1, 2, 3].map((last) => Uint8Array.of(198, 51, 100, last));
    const world = createWorld({ addresses, answers: () => false });
    const session = world.session(testProfile());
    session.start();
    await world.clock.advance(15_100);
    expect(session.state).toMatchObject({
      state: 'failed',
      error: { data: { addresses: '198.51.100.1, 198.51.100.2, 198.51.100.3' } },
    });
    expect(world.peers).toHaveLength(3);
    expectClean(world, 'three addresses');
  });

  it('says what the network reported meanwhile', async () => {
    const world = createWorld({ answers: () => false });
    const session = world.session(testProfile());
    session.start();
    await world.clock.advance(1_000);
    world.plane().emit({ kind: 'pathError', errno: 111, name: 'ECONNREFUSED', mtu: null });
    world.plane().emit({ kind: 'pathError', errno: 111, name: 'ECONNREFUSED', mtu: null });
    await world.clock.settle();
    expect(session.state.state).toBe('connecting');
    await world.clock.advance(15_000);
    expect(session.state).toMatchObject({ state: 'failed', error: { data: { complaints: 'ECONNREFUSED' } } });
    const { state } = session;
    expect(state.state === 'failed' && state.error.message).toMatch(/nothing listens on that port/);
    expect(world.logs.filter(({ level, text }) => level === 'warn' && /ECONNREFUSED/.test(text))).toHaveLength(1);
  });

  it('tells a silence after the first answer from a silence from the start', async () => {
    const world = createWorld({ answers: (_, text) => text === 'sa-init' });
    const session = world.session(testProfile());
    session.start();
    // The gateway may have an SA by now, so it gets a goodbye, and two seconds for its answer.
    await world.clock.advance(15_100 + 2_000);
    const { state } = session;
    expect(state.state === 'failed' && state.error.message).toMatch(/answered at first .* but not the authentication/);
    expect(state.state === 'failed' && state.error.remedy).toMatch(/UDP 4500/);
    expectClean(world, 'silence at IKE_AUTH');
  });

  it('names what the system’s resolver means', async () => {
    for (const [code, means] of [
      ['EAI_AGAIN', 'no name server answers'],
      ['ENOTFOUND', 'the name servers know no such name'],
    ] as const) {
      const world = createWorld();
      const resolveHost = async (): Promise<never> => {
        throw Object.assign(new Error(`getaddrinfo ${code} vpn.example.com`), { code });
      };
      const session = createSession(testProfile(), { ...world.deps, resolveHost });
      session.start();
      await world.clock.settle();
      expect(session.state).toMatchObject({
        error: { message: `The gateway's name vpn.example.com could not be resolved: ${means}.` },
      });
    }
  });

  it('blames the name where it does not resolve', async () => {
    const world = createWorld({ failAt: 1 });
    const session = world.session(testProfile());
    session.start();
    await world.clock.settle();
    expect(session.state).toMatchObject({ state: 'failed', error: { code: 'session/host-not-found' } });
    const nameless = createWorld({ addresses: [] });
    const other = nameless.session(testProfile());
    other.start();
    await nameless.clock.settle();
    expect(other.state).toMatchObject({ state: 'failed', error: { code: 'session/host-not-found' } });
  });

  it('resolves nothing where the host is an address', async () => {
    const world = createWorld({ script });
    const session = world.session(testProfile('gre-tunnel', { gateway: { host: '198.51.100.1' } }));
    session.start();
    await world.clock.settle();
    expect(world.calls).not.toContain('resolveHost');
    expect(session.state.state).toBe('connected');
    await session.stop();
  });
});

describe('stop', () => {
  it('works at every moment of connecting', async () => {
    // Each asynchronous call takes 10 ms: stop before, between and after all of them.
    for (let at = 0; at < 250; at += 5) {
      const world = createWorld({ script, delay: () => 10 });
      const session = world.session(testProfile());
      session.start();
      await world.clock.advance(at);
      let stopped = false;
      void session.stop().then(() => {
        stopped = true;
      });
      await world.clock.advance(6_000);
      expect(stopped, `stopped at ${at} ms`).toBe(true);
      expect(session.state, `stopped at ${at} ms`).toEqual({ state: 'disconnected', lastError: null });
      expectClean(world, `stopped at ${at} ms`);
    }
  });

  it('gives a silent gateway two seconds to answer the goodbye', async () => {
    const world = createWorld({ script, answers: (_, text) => text !== 'delete' });
    const session = world.session(testProfile());
    session.start();
    await world.clock.settle();
    let stopped = false;
    void session.stop().then(() => {
      stopped = true;
    });
    await world.clock.advance(1_900);
    expect(stopped).toBe(false);
    // The routes do not wait for that.
    expect(world.routes).toBeUndefined();
    await world.clock.advance(200);
    expect(stopped).toBe(true);
    expectClean(world, 'silent goodbye');
  });

  it('goes on undoing when one step fails, and logs it', async () => {
    const world = createWorld({ script });
    const session = world.session(testProfile());
    session.start();
    await world.clock.settle();
    Object.assign(world.deps.routes, { close: () => Promise.reject(new Error('the routes stick')) });
    world.plane().close = () => Promise.reject(new Error('the worker sticks'));
    await session.stop();
    expect(session.state.state).toBe('disconnected');
    const errors = world.logs.filter(({ level }) => level === 'error').map(({ text }) => text);
    expect(errors).toEqual(['removing the routes: the routes stick', 'closing the data plane: the worker sticks']);
    expect(world.tuns.every(({ closed }) => closed)).toBe(true);
    expect(world.sockets.every(({ closed }) => closed)).toBe(true);
  });
});

describe('a fault of our own between set-up and "up"', () => {
  it('ends the attempt instead of leaving it in the air', async () => {
    const world = createWorld();
    const session = createSession(testProfile(), world.deps, (config) => {
      const peer = scriptedPeer(config);
      return {
        handle: (event, now) =>
          peer.handle(event, now).map((effect) =>
            effect.kind === 'established'
              ? {
                  ...effect,
                  get remote(): never {
                    throw new TypeError('scripted fault');
                  },
                }
              : effect,
          ),
      };
    });
    session.start();
    await world.clock.advance(30_000);
    expect(session.state).toMatchObject({ state: 'failed', error: { code: 'session/internal' } });
    expect(world.remains()).toEqual([]);
  });
});
