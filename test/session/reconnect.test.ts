// A connection that is lost: blocked, not leaked, and made anew with patience.
import { describe, expect, it } from 'vitest';
import { cancelledPrompt } from '../../main/eap/error.ts';
import { GRACE } from '../../main/esp/children.ts';
import { IkeError } from '../../main/ike/error.ts';
import type { EngineState } from '../../main/ipc/contract.ts';
import type { Session } from '../../main/session/deps.ts';
import { failureOf } from '../../main/session/failure.ts';
import { backOff, FIRST_WAIT, holds, LONGEST_WAIT, mayRetry } from '../../main/session/reconnect.ts';
import { formatPrefix } from '../../main/wire/address.ts';
import { textsOf } from '../words/texts.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { stopClean } from './fakes/stop.ts';
import { createWorld, GATEWAY, type World, type WorldOptions } from './fakes/world.ts';

const script = { assigned: [prefix('10.10.0.5/32')] };

async function connected(
  options: WorldOptions = {},
  profile = testProfile(),
): Promise<{ world: World; session: Session; states: EngineState[] }> {
  const world = createWorld({ script, ...options });
  const session = world.session(profile);
  const states: EngineState[] = [];
  session.start();
  await world.clock.settle();
  expect(session.state.state).toBe('connected');
  session.on((state) => {
    states.push(state);
    // Whatever happens between: traffic for the tunnel has no other way to go.
    if (state.state === 'reconnecting' || state.state === 'connecting') {
      expect(world.routes, state.state).toBeDefined();
      expect(
        world.tuns.some(({ closed }) => !closed),
        state.state,
      ).toBe(true);
    }
  });
  return { world, session, states };
}

const losses: readonly { readonly name: string; readonly code: string; readonly cause: (world: World) => void }[] = [
  { name: 'the gateway deletes the IKE SA', code: 'session/deleted-by-gateway', cause: (world) => world.say('delete') },
  { name: 'the gateway is silent (liveness)', code: 'ike/no-response', cause: (world) => world.say('dead') },
  {
    name: 'the gateway deletes the CHILD SA',
    code: 'session/deleted-by-gateway',
    cause(world) {
      const { spi } = world.plane().inbound.get(0)!;
      world.peer().inject({ kind: 'removeChild', spiIn: spi, spiOut: spi + 0x100000, by: 'peer' });
      world.say('anything');
    },
  },
  {
    name: 'a worker dies',
    code: 'session/worker-died',
    cause: (world) => world.plane().emit({ kind: 'died', worker: 'sender', message: 'exit code 1' }),
  },
  {
    name: 'the key is used up',
    code: 'session/key-used-up',
    cause(world) {
      const { spi } = world.plane().outbound.get(0)!;
      world.plane().emit({ kind: 'exhausted', slot: 0, spi });
    },
  },
  {
    name: 'IKE fails by a fault of its own',
    code: 'ike/protocol',
    cause(world) {
      world.peer().handle = () => {
        throw new TypeError('scripted fault');
      };
      world.say('anything');
    },
  },
];

describe.each(losses)('$name', ({ code, cause }) => {
  it('keeps TUN and routes, closes the rest, and connects anew with new keys', async () => {
    const { world, session, states } = await connected();
    const first = world.plane();
    cause(world);
    // Where the gateway has to be told, it answers at once here; else the goodbye takes no time either.
    await world.clock.advance(10);
    expect(session.state).toMatchObject({ state: 'reconnecting', attempt: 2, because: { code } });
    expect(first.closed).toBe(true);
    expect(world.sockets.every(({ closed }) => closed)).toBe(true);
    expect(world.tuns).toHaveLength(1);
    await world.clock.advance(1_000);
    expect(session.state.state).toBe('connected');
    expect(world.planes).toHaveLength(2);
    expect(world.tuns).toHaveLength(1);
    expect(states.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1])).toEqual([
      'reconnecting',
      'connecting',
      'connected',
    ]);
    await stopClean({ world, session });
  });

  it('ends in disconnected when stopped instead', async () => {
    const { world, session } = await connected();
    cause(world);
    await stopClean({ world, session });
    expect(session.state.state).toBe('disconnected');
    await world.clock.advance(600_000);
    expect(world.planes).toHaveLength(1);
  });
});

describe('reconnecting', () => {
  it('ignores an exhausted SA that is gone already', async () => {
    const { world, session } = await connected();
    world.plane().emit({ kind: 'exhausted', slot: 0, spi: 0xdead });
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    await stopClean({ world, session });
  });

  it('says goodbye to a gateway that is still there when our worker died', async () => {
    const { world, session } = await connected();
    const natt = world.sockets.find(({ kind }) => kind === 'natt');
    world.plane().emit({ kind: 'died', worker: 'receiver', message: 'gone' });
    await world.clock.advance(10);
    expect(natt?.sent.map(({ text }) => text)).toEqual(['auth', 'delete']);
    await stopClean({ world, session });
  });

  it('waits longer and longer, with chance in it, and never gives up on a silent gateway', async () => {
    const { world, session, states } = await connected();
    world.options = { script, answers: () => false };
    world.say('dead');
    await world.clock.advance(20 * 60_000);
    const retries = states.filter((state) => state.state === 'reconnecting');
    expect(retries.length).toBeGreaterThan(12);
    const waits = retries.map((state) => state.retryAt - world.clock.wall());
    expect(new Set(waits).size).toBe(waits.length);
    expect(states.every(({ state }) => state === 'reconnecting' || state === 'connecting')).toBe(true);
    world.options = { script };
    await world.clock.advance(LONGEST_WAIT + 16_000);
    expect(session.state.state).toBe('connected');
    await stopClean({ world, session });
  });

  it('doubles from one second to one minute, half of it chance', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 100].map((retry) => backOff(retry, 1))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
    ]);
    expect(backOff(1, 0)).toBe(FIRST_WAIT / 2);
    expect(backOff(9, 0)).toBe(LONGEST_WAIT / 2);
  });

  it.each(['no-ike-proposal', 'refused-by-peer'] as const)(
    'never believes a refusal (%s), which anybody can forge: blocked, with the reason, until the person disconnects',
    async (code) => {
      const { world, session, states } = await connected();
      const at = code === 'refused-by-peer' ? 'auth' : 'sa-init';
      world.options = { script: { ...script, refuse: { at, code } } };
      world.say('delete');
      await world.clock.advance(10 * 60_000);
      expect(world.peers.length).toBeGreaterThan(8);
      expect(states.every(({ state }) => state === 'reconnecting' || state === 'connecting')).toBe(true);
      expect(session.state).toMatchObject({ state: 'reconnecting', because: { code: `ike/${code}` } });
      expect(world.routes).toBeDefined();
      // The gateway itself is heard again as soon as the forger rests.
      world.options = { script };
      await world.clock.advance(LONGEST_WAIT + 1_000);
      expect(session.state.state).toBe('connected');
      await stopClean({ world, session });
    },
  );

  it('does not try by itself what is certain to fail again: blocked, with the reason, until a person wants it', async () => {
    const { world, session, states } = await connected();
    world.options = { script: { ...script, refuse: { at: 'sa-init', code: 'configuration' } } };
    world.say('delete');
    await world.clock.advance(5_000);
    const held = { state: 'reconnecting', held: true, because: { code: 'ike/configuration' } };
    expect(session.state).toMatchObject(held);
    const tries = world.peers.length;
    await world.clock.advance(10 * 60_000);
    // Another network does not make a profile right.
    world.options = { ...world.options, local: Uint8Array.of(203, 0, 113, 7) };
    world.monitor.say('address');
    await world.clock.advance(5_000);
    session.retryNow();
    await world.clock.advance(5_000);
    expect(world.peers).toHaveLength(tries);
    expect(tries).toBe(2);
    expect(session.state).toMatchObject(held);
    expect(states.every(({ state }) => state === 'reconnecting' || state === 'connecting')).toBe(true);
    expect(world.logs.some(({ text }) => text.includes('held back until somebody connects again'))).toBe(true);
    world.options = { script };
    session.start();
    await world.clock.advance(100);
    expect(session.state.state).toBe('connected');
    await stopClean({ world, session });
  });

  it('can be stopped while it holds', async () => {
    const { world, session } = await connected();
    world.options = { script: { ...script, refuse: { at: 'auth', code: 'traffic-selectors' } } };
    world.say('delete');
    await world.clock.advance(5_000);
    expect(session.state).toMatchObject({ held: true });
    await stopClean({ world, session });
  });

  it.each([
    ['a login that was refused without a word', 'ike/refused-by-peer', true, { exchange: 'IKE_AUTH' }, true],
    ['the same, where there is no login', 'ike/refused-by-peer', false, { exchange: 'IKE_AUTH' }, false],
    ['what anybody can say', 'ike/refused-by-peer', true, { exchange: 'IKE_SA_INIT' }, false],
    ['a refused password', 'eap/credentials-refused', true, undefined, true],
    ['a network with too small a path', 'session/path-too-small', false, undefined, false],
  ] as const)('holds still by what has failed: %s', (_, code, byEap, data, held) => {
    const failure = { error: { code, message: '', remedy: '', ...(data && { data }) }, permanent: true };
    expect(holds(failure, byEap)).toBe(held);
    expect(holds({ ...failure, permanent: false }, byEap)).toBe(false);
  });

  it('asks again who did not answer, as soon as they may be there', () => {
    const { error, permanent } = failureOf(cancelledPrompt('code'));
    expect(holds({ error, permanent }, true)).toBe(true);
    expect(mayRetry({ because: error, tries: { retries: 1 }, at: null, wallAt: 0 })).toBe(true);
  });

  it('does not come back at once, again and again, where the gateway ends every connection', async () => {
    const { world, session, states } = await connected();
    for (let i = 0; i < 8; i++) {
      world.say('delete');
      await world.clock.settle();
      expect(session.state.state).toBe('reconnecting');
      while (session.state.state !== 'connected') await world.clock.advance(100);
    }
    const attempts = states.filter((state) => state.state === 'reconnecting').map(({ attempt }) => attempt);
    expect(attempts).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    // After a connection that held, the counting starts anew.
    await world.clock.advance(61_000);
    world.say('delete');
    await world.clock.settle();
    expect(session.state).toMatchObject({ state: 'reconnecting', attempt: 2 });
    await stopClean({ world, session });
  });

  it('uses the addresses it knows where the name does not resolve any more', async () => {
    const { world, session } = await connected();
    Object.assign(world.deps, { resolveHost: () => new Promise(() => {}) });
    world.say('delete');
    await world.clock.advance(1_000 + 3_000);
    expect(session.state.state).toBe('connected');
    expect(world.logs.map(({ text }) => text).join('\n')).toMatch(/last known addresses/);
    await stopClean({ world, session });
  });

  it('goes on with GRE sequence numbers where the last connection stopped, with a margin', async () => {
    const { world, session } = await connected({}, testProfile('gre-tunnel', { gre: { sequence: true } }));
    expect(world.plane().params?.gre?.nextSequence).toBe(0);
    world.plane().greNext = 5_000;
    world.say('delete');
    await world.clock.advance(1_100);
    expect(world.plane().params?.gre?.nextSequence).toBe(6_024);
    await stopClean({ world, session });
  });

  it('gives the TUN what the gateway assigns this time', async () => {
    const { world, session } = await connected({}, testProfile('gre-tunnel', { gre: { address: [] } }));
    world.options = { script: { assigned: [prefix('10.10.0.9/32')] } };
    world.say('delete');
    await world.clock.advance(1_100);
    expect(world.tuns.map((tun) => tun.addresses.map(formatPrefix))).toEqual([['10.10.0.9/32']]);
    await stopClean({ world, session });
  });

  it('makes a new TUN where somebody broke the old one', async () => {
    const { world, session } = await connected();
    const [old] = world.tuns;
    const { NetError } = await import('../../main/net/error.ts');
    const gone = new NetError({ code: 'system-call', message: 'no such device', operation: 'ioctl', remedy: '-' });
    old!.apply = async () => gone;
    world.say('delete');
    await world.clock.advance(1_100);
    expect(session.state.state).toBe('connected');
    expect(world.tuns.map(({ closed }) => closed)).toEqual([true, false]);
    await stopClean({ world, session });
  });

  it('sums traffic over connections and starts anew at start()', async () => {
    const { world, session } = await connected();
    expect(session.traffic()).toMatchObject({ bytesIn: 0, lastInboundAgo: null });
    world.plane().counters = { inBytes: 1000, inPackets: 2, outBytes: 70, outPackets: 1, inAuthFailed: 3 };
    world.plane().lastInbound = world.clock.now() - 5;
    expect(session.traffic()).toEqual({
      bytesIn: 1000,
      bytesOut: 70,
      packetsIn: 2,
      packetsOut: 1,
      counters: { inBytes: 1000, inPackets: 2, outBytes: 70, outPackets: 1, inAuthFailed: 3 },
      lastInboundAgo: 5,
    });
    world.say('delete');
    await world.clock.advance(1_100);
    world.plane().counters = { inBytes: 10, inPackets: 1 };
    expect(session.traffic()).toMatchObject({ bytesIn: 1010, packetsIn: 3, counters: { inAuthFailed: 3 } });
    await stopClean({ world, session });
    expect(session.traffic()).toMatchObject({ bytesIn: 1010 });
    session.start();
    await world.clock.settle();
    expect(session.traffic()).toMatchObject({ bytesIn: 0 });
    await stopClean({ world, session });
  });

  it('whichever call of a reconnection fails, it goes on, and stops clean', async () => {
    const before = await connected();
    const start = before.world.calls.length;
    before.world.say('delete');
    await before.world.clock.advance(1_100);
    expect(before.session.state.state).toBe('connected');
    const end = before.world.calls.length;
    await stopClean(before);
    for (let failAt = start + 1; failAt <= end; failAt++) {
      const { world, session } = await connected({ failAt });
      world.say('delete');
      await world.clock.advance(90_000);
      expect(session.state.state, `call ${failAt} (${world.hit})`).toBe('connected');
      void session.stop();
      await world.clock.advance(10_000);
      const undoing = /close|remove/.test(world.hit ?? '');
      expect(world.violations, `call ${failAt} (${world.hit})`).toEqual([]);
      expect(world.remains().length, `call ${failAt} (${world.hit})`).toBeLessThanOrEqual(undoing ? 1 : 0);
    }
  });
});

describe('while connected', () => {
  it('follows a gateway that its NAT moved', async () => {
    const { world, session } = await connected();
    const { spi } = world.plane().outbound.get(0)!;
    const moved = { address: GATEWAY, port: 31_000 };
    world.plane().emit({ kind: 'peerMoved', tunnel: 0, from: moved, socket: 1 });
    expect(world.peer().events.at(-1)).toEqual({ kind: 'peerMoved', from: moved });
    world.peer().inject({ kind: 'moveChild', spiOut: spi, peer: moved });
    world.say('anything');
    await world.clock.settle();
    expect(world.plane().peer?.remote).toEqual(moved);
    await stopClean({ world, session });
  });

  it('takes a rekeyed CHILD SA over and lets the old one go', async () => {
    const { world, session } = await connected();
    const old = world.plane().inbound.get(0)!.spi;
    world.peer().inject({ kind: 'installChild', activate: 'now', child: world.peer().makeChild() });
    world.say('anything');
    await world.clock.settle();
    expect(world.plane().active).toBe(1);
    world.peer().inject({ kind: 'removeChild', spiIn: old, spiOut: old + 0x100000, by: 'peer' });
    world.say('anything');
    await world.clock.settle();
    expect([...world.plane().outbound.keys()]).toEqual([1]);
    expect([...world.plane().inbound.keys()]).toEqual([0, 1]);
    await world.clock.advance(GRACE);
    expect([...world.plane().inbound.keys()]).toEqual([1]);
    expect(session.state.state).toBe('connected');
    await stopClean({ world, session });
  });

  it('lowers the MTU of core and TUN where the path turns out to be narrower, and says so', async () => {
    const { world, session } = await connected();
    const shrink = (mtu: number): void => world.plane().emit({ kind: 'pathError', errno: 90, name: 'EMSGSIZE', mtu });
    shrink(1400);
    await world.clock.settle();
    expect(world.plane().params).toMatchObject({ mtu: 1310, mss4: 1270, mss6: 1250 });
    expect(world.tuns[0]?.mtu).toBe(1310);
    expect(session.state).toMatchObject({ state: 'connected', tunnel: { mtu: { value: 1310 } } });
    // A larger one changes nothing: the smallest link on the way counts.
    shrink(1480);
    await world.clock.settle();
    expect(world.tuns[0]?.mtu).toBe(1310);
    // Absurd ones are not believed below what every network carries: 576 - 90.
    shrink(68);
    await world.clock.settle();
    expect(world.tuns[0]?.mtu).toBe(486);
    await stopClean({ world, session });
  });

  it('turns IPv6 off, visibly, where the MTU falls under 1280', async () => {
    const profile = testProfile('gre-tunnel', {
      gre: { address: [prefix('10.88.0.2/24'), prefix('fd00::2/64')] },
      routes: { include: [prefix('0.0.0.0/0'), prefix('::/0')] },
    });
    const { world, session } = await connected({}, profile);
    expect(world.routes?.include.map(formatPrefix)).toEqual(['0.0.0.0/0', '::/0']);
    world.plane().emit({ kind: 'pathError', errno: 90, name: 'EMSGSIZE', mtu: 1300 });
    await world.clock.settle();
    expect(world.tuns[0]?.addresses.map(formatPrefix)).toEqual(['10.88.0.2/24']);
    expect(world.routes?.include.map(formatPrefix)).toEqual(['0.0.0.0/0']);
    expect(world.routes?.unreachable.map(formatPrefix)).toEqual(['::/0']);
    const { state } = session;
    expect(state.state === 'connected' && textsOf(state.tunnel.warnings)).toMatch(/IPv6 is off inside the tunnel/);
    await stopClean({ world, session });
  });

  it('refuses IPv6 before its addresses go; where that fails, all is as before, and the next report tries again', async () => {
    const profile = testProfile('gre-tunnel', {
      gre: { address: [prefix('10.88.0.2/24'), prefix('fd00::2/64')] },
      routes: { include: [prefix('0.0.0.0/0'), prefix('::/0')] },
    });
    const { world, session } = await connected({}, profile);
    const narrow = () => world.plane().emit({ kind: 'pathError', errno: 90, name: 'EMSGSIZE', mtu: 1300 });
    // In turn: each step of the change fails once.
    for (let step = 1; step <= 4; step++) {
      world.options = { ...world.options, failAt: world.calls.length + step };
      narrow();
      await world.clock.settle();
      expect(world.tuns[0]?.mtu, `step ${step}: ${world.hit}`).toBeGreaterThan(1280);
      expect(world.tuns[0]?.addresses.map(formatPrefix)).toEqual(['10.88.0.2/24', 'fd00::2/64']);
      expect(world.routes?.include.map(formatPrefix)).toEqual(['0.0.0.0/0', '::/0']);
    }
    const start = world.calls.length;
    narrow();
    await world.clock.settle();
    expect(world.calls.slice(start)).toEqual(['routes.apply', 'plane.configure', 'tun.apply', 'routes.apply']);
    expect(world.routes?.unreachable.map(formatPrefix)).toEqual(['::/0']);
    await stopClean({ world, session });
  });

  it('does not mind a network that complains for a moment', async () => {
    const { world, session } = await connected();
    world.plane().emit({ kind: 'pathError', errno: 101, name: 'ENETUNREACH', mtu: null });
    await world.clock.advance(1_000);
    expect(session.state.state).toBe('connected');
    await stopClean({ world, session });
  });

  it('survives a listener that throws', async () => {
    const { world, session } = await connected();
    session.on(() => {
      throw new Error('listener');
    });
    await stopClean({ world, session });
    expect(world.logs.map(({ text }) => text)).toContain('a listener failed: listener');
  });

  it('reports what IKE reports when it dies by an error', async () => {
    const { world, session } = await connected();
    const error = new IkeError({ code: 'peer-error', message: 'INVALID_SYNTAX.', remedy: 'Report it.' });
    world.peer().inject({ kind: 'closed', reason: { by: 'error', error } });
    world.say('anything');
    await world.clock.settle();
    expect(session.state).toMatchObject({ state: 'reconnecting', because: { code: 'ike/peer-error' } });
    await stopClean({ world, session });
  });
});
