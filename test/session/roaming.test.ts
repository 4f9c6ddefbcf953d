// This computer changes its network under a tunnel: it follows by MOBIKE (RFC 4555), or connects anew at once; what others take
// away is put back; sleep is noticed.
import { describe, expect, it } from 'vitest';
import type { IkeEvent } from '../../main/ike/peer.ts';
import { NetError } from '../../main/net/error.ts';
import { fakeMonitor } from '../../main/net/monitor/fake.ts';
import type { Session } from '../../main/session/deps.ts';
import { HINT_INTERVAL } from '../../main/session/link.ts';
import { PAUSE, SETTLE, TICK, watchNetwork } from '../../main/session/roaming.ts';
import { createSession } from '../../main/session/session.ts';
import { fakeClock } from './fakes/clock.ts';
import { scriptedPeer } from './fakes/peer.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { stopClean as stop } from './fakes/stop.ts';
import { createWorld, GATEWAY, type World, type WorldOptions } from './fakes/world.ts';

const script = { assigned: [prefix('10.10.0.5/32')], mobike: true };
const HOME = Uint8Array.of(192, 0, 2, 10);
const ELSEWHERE = Uint8Array.of(203, 0, 113, 7);
const natt = { address: GATEWAY, port: 4500 };

interface Up {
  readonly world: World;
  readonly session: Session;
  readonly states: string[];
}

async function connected(profile = testProfile(), mobike = true, options: WorldOptions = {}): Promise<Up> {
  const world = createWorld({ script: { ...script, mobike }, ...options });
  const session = world.session(profile);
  session.start();
  await world.clock.settle();
  expect(session.state.state).toBe('connected');
  const states: string[] = [];
  session.on(({ state }) => {
    states.push(state);
    expect(world.routes, state).toBeDefined();
  });
  return { world, session, states };
}

async function stopClean(up: Up): Promise<void> {
  expect(up.world.routes).toBeDefined();
  await stop(up);
}

async function goElsewhere({ world }: Up, local: Uint8Array | null = ELSEWHERE): Promise<void> {
  world.options = { ...world.options, local };
  world.monitor.say('address');
  world.monitor.say('route');
  await world.clock.advance(Math.max(SETTLE, PAUSE) + 10);
}

const eventsOf = (world: World, kind: IkeEvent['kind']) => world.peer().events.filter((event) => event.kind === kind);
const openAt = (world: World, local: Uint8Array) =>
  world.sockets
    .filter((socket) => !socket.closed && socket.local.address.join() === local.join())
    .map(({ kind }) => kind);

describe('another address', () => {
  it('with MOBIKE: new sockets, the IKE SA is told, ESP leaves from there, and the old sockets go later', async () => {
    const up = await connected();
    const { world, session, states } = up;
    const before = world.sockets.filter(({ closed }) => !closed);
    const { spi } = world.plane().outbound.get(0)!;
    await goElsewhere(up);
    expect(openAt(world, ELSEWHERE)).toEqual(['ike', 'natt']);
    expect(eventsOf(world, 'addressesChanged')).toEqual([
      {
        kind: 'addressesChanged',
        local: { address: ELSEWHERE, port: 40_000 + world.sockets.at(-2)!.fd },
        localNatt: { address: ELSEWHERE, port: 40_000 + world.sockets.at(-1)!.fd },
      },
    ]);
    expect(world.plane().peer).toMatchObject({ socket: world.sockets.at(-1)!.fd, remote: natt });
    // What the gateway's NAT makes of it.
    const moved = { address: GATEWAY, port: 31_000 };
    world.peer().inject({ kind: 'moveChild', spiOut: spi, peer: moved });
    world.say('anything');
    await world.clock.settle();
    expect(world.plane().peer).toMatchObject({ socket: world.sockets.at(-1)!.fd, remote: moved });
    // Until the gateway has heard it sends to where we were.
    expect(before.every(({ closed }) => !closed)).toBe(true);
    await world.clock.advance(10_000);
    expect(before.every(({ closed }) => closed)).toBe(true);
    const local = `203.0.113.7:${world.sockets.at(-1)!.local.port}`;
    expect(session.state).toMatchObject({ state: 'connected', tunnel: { local } });
    expect(states.filter((state) => state !== 'connected')).toEqual([]);
    expect([world.planes.length, world.tuns.length, world.peers.length]).toEqual([1, 1, 1]);
    await stopClean(up);
  });

  it('behind a NAT ESP goes into UDP: the MTU follows, and what is shown is true', async () => {
    const profile = testProfile('gre-tunnel', { tunnel: { encapsulation: 'auto' } });
    const up = await connected(profile);
    const { world, session } = up;
    const shown = () => {
      if (session.state.state !== 'connected') throw new Error(session.state.state);
      const { encapsulation, behindNat, mtu, local } = session.state.tunnel;
      return { encapsulation, behindNat, mtu: mtu.value, local };
    };
    const raw = shown();
    expect(raw.encapsulation).toBe('raw');
    await goElsewhere(up);
    const { spi } = world.plane().outbound.get(0)!;
    const behindNat = { local: true, remote: false };
    world.peer().inject({ kind: 'moveChild', spiOut: spi, peer: natt, encapsulation: 'udp', behindNat });
    world.say('anything');
    await world.clock.settle();
    expect(world.plane().peer).toMatchObject({ encapsulation: 'udp', remote: natt });
    expect(shown()).toMatchObject({ encapsulation: 'udp', behindNat, mtu: raw.mtu - 8 });
    expect(shown().local).toMatch(/^203\.0\.113\.7:/);
    expect(world.tuns.at(-1)!.mtu).toBe(raw.mtu - 8);
    // The NAT is gone again.
    const none = { local: false, remote: false };
    world.peer().inject({ kind: 'moveChild', spiOut: spi, peer: natt, encapsulation: 'raw', behindNat: none });
    world.say('anything');
    await world.clock.settle();
    expect(shown()).toMatchObject({ encapsulation: 'raw', behindNat: none, mtu: raw.mtu });
    await stopClean(up);
  });

  it('goes there and back while the old sockets are still open', async () => {
    const up = await connected();
    const { world, session } = up;
    await goElsewhere(up);
    await goElsewhere(up, HOME);
    expect(openAt(world, HOME)).toHaveLength(2);
    expect(eventsOf(world, 'addressesChanged')).toHaveLength(2);
    expect(session.state.state).toBe('connected');
    await world.clock.advance(10_000);
    expect(openAt(world, ELSEWHERE)).toEqual([]);
    await stopClean(up);
  });

  it.each([
    ['without MOBIKE', testProfile(), false],
    ['in transport mode (RFC 4555 §1.2)', testProfile('gre-transport'), true],
  ])('%s: connects anew at once, without waiting for anybody, and nothing leaks', async (_, profile, mobike) => {
    const up = await connected(profile, mobike);
    const { world, session, states } = up;
    world.options = { ...world.options, local: ELSEWHERE };
    world.monitor.say('address');
    await world.clock.advance(SETTLE + 10);
    expect(states).toContain('reconnecting');
    await world.clock.advance(100);
    expect(session.state.state).toBe('connected');
    expect(openAt(world, ELSEWHERE).length).toBeGreaterThanOrEqual(2);
    expect(openAt(world, HOME)).toEqual([]);
    await stopClean(up);
  });

  it('fails as any link does where no socket can be opened there', async () => {
    const up = await connected();
    const { world, session } = up;
    // TUN and routes, sourceAddress twice, then the first socket.
    world.options = { ...world.options, local: ELSEWHERE, failAt: world.calls.length + 5 };
    world.monitor.say('address');
    await world.clock.advance(SETTLE + 10);
    expect(world.hit).toMatch(/sockets.open/);
    expect(session.state.state).toBe('reconnecting');
    await world.clock.advance(5_000);
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  });
});

describe('the same address on another network', () => {
  it.each([
    ['another router', 'wlan0 (3) by 192.0.2.254', 1],
    ['another interface', 'eth0 (2) by 192.0.2.1', 1],
    ['nothing else', 'wlan0 (3) by 192.0.2.1', 0],
    ['nobody knows what', undefined, 0],
  ])('asks for a sign of life, through the NAT that is there now (%s)', async (_, through, asked) => {
    const up = await connected(testProfile(), true, { through: 'wlan0 (3) by 192.0.2.1' });
    const { world, session } = up;
    const { through: _before, ...rest } = world.options;
    world.options = through === undefined ? rest : { ...rest, through };
    await goElsewhere(up, HOME);
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(asked);
    // Once: that is where we are now.
    await goElsewhere(up, HOME);
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(asked);
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  });

  it('counts from the network that was moved to', async () => {
    const up = await connected(testProfile(), true, { through: 'wlan0 (3) by 192.0.2.1' });
    const { world } = up;
    world.options = { ...world.options, through: 'eth0 (2) by 203.0.113.1' };
    await goElsewhere(up);
    await goElsewhere(up);
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(0);
    await stopClean(up);
  });
});

describe('no way to the gateway', () => {
  it('is waited out, and asks for a sign of life when there is one again', async () => {
    const up = await connected();
    const { world, session } = up;
    await goElsewhere(up, null);
    await goElsewhere(up, null);
    expect(session.state.state).toBe('connected');
    expect(world.logs.filter(({ text }) => text.includes('no way to the gateway'))).toHaveLength(1);
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(0);
    await goElsewhere(up, HOME);
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(1);
    await stopClean(up);
  });

  it('while waiting for the next try: tries as soon as there is another place, and not for any change', async () => {
    const up = await connected();
    const { world, session } = up;
    world.options = { ...world.options, answers: () => false };
    world.say('dead');
    await world.clock.settle();
    // A few failed tries, so that the waits are long.
    await world.clock.advance(150_000);
    for (let i = 0; i < 100 && session.state.state !== 'reconnecting'; i++) await world.clock.advance(500);
    expect(session.state.state).toBe('reconnecting');
    const tries = world.planes.length;
    world.monitor.say('route');
    await world.clock.advance(PAUSE + SETTLE);
    expect(world.planes.length).toBe(tries);
    world.options = { script, local: ELSEWHERE };
    world.monitor.say('address');
    await world.clock.advance(PAUSE + SETTLE);
    expect(world.planes.length).toBe(tries + 1);
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  });
});

describe('what others take away', () => {
  it('is put back when the system tells of it', async () => {
    const up = await connected();
    const { world } = up;
    const applied = () => world.calls.filter((call) => call === 'routes.apply').length;
    const before = applied();
    world.monitor.say('route');
    await world.clock.advance(SETTLE + 10);
    expect(applied()).toBe(before + 1);
    // Not more often than that, however much happens.
    for (let i = 0; i < 50; i++) {
      world.monitor.say('route');
      await world.clock.advance(PAUSE / 50);
    }
    expect(applied() - before).toBeLessThanOrEqual(2);
    await world.clock.advance(PAUSE);
    await stopClean(up);
  });

  it('a TUN that somebody deleted is made anew, and read by the data plane', async () => {
    const up = await connected();
    const { world, session } = up;
    world.tuns[0]!.deleted = true;
    world.monitor.say('link');
    await world.clock.advance(SETTLE + 10);
    expect(world.tuns.map(({ closed }) => closed)).toEqual([true, false]);
    expect(world.plane().tun).toBe(world.tuns[1]!.fd);
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  });
});

describe('while the connection is made anew', () => {
  const routesApplied = (world: World): number => world.calls.filter((call) => call === 'routes.apply').length;

  it.each([
    ['waiting for the next try', 'reconnecting'],
    ['on the way up', 'connecting'],
  ])('(%s) routes are fitted to the network that this computer is on now', async (_, wanted) => {
    const up = await connected();
    const { world, session } = up;
    const desired = world.routes;
    world.options = { ...world.options, answers: () => false };
    world.say('dead');
    await world.clock.settle();
    for (let i = 0; i < 300 && session.state.state !== wanted; i++) await world.clock.advance(100);
    // A few failed tries, so that there is time in each state.
    await world.clock.advance(60_000);
    for (let i = 0; i < 300 && session.state.state !== wanted; i++) await world.clock.advance(100);
    expect(session.state.state).toBe(wanted);
    const before = routesApplied(world);
    world.monitor.say('address');
    await world.clock.advance(SETTLE + 10);
    expect(session.state.state).toBe(wanted);
    expect(routesApplied(world)).toBe(before + 1);
    expect(world.routes).toEqual(desired);
    world.options = { script };
    await world.clock.advance(70_000);
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  });

  it('they are so before it is tried from another place', async () => {
    const up = await connected();
    const { world, session } = up;
    world.options = { ...world.options, answers: () => false };
    world.say('dead');
    await world.clock.advance(60_000);
    for (let i = 0; i < 300 && session.state.state !== 'reconnecting'; i++) await world.clock.advance(100);
    const from = world.calls.length;
    world.options = { script, local: ELSEWHERE };
    world.monitor.say('address');
    await world.clock.advance(SETTLE + 10);
    const order = world.calls.slice(from).filter((call) => call === 'routes.apply' || call === 'startDataPlane');
    expect(order.slice(0, 2)).toEqual(['routes.apply', 'startDataPlane']);
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  });

  it('and nothing is put back once they are gone', async () => {
    const up = await connected();
    const { world } = up;
    world.monitor.say('address');
    await world.clock.advance(SETTLE - 10);
    const before = routesApplied(world);
    await stopClean(up);
    expect(routesApplied(world)).toBe(before);
    expect(world.routes).toBeUndefined();
  });
});

describe('another address, whatever comes of it', () => {
  it.each([
    ['it is followed', true, ELSEWHERE],
    ['it is not', false, ELSEWHERE],
    ['there is no way from it', true, null],
  ])('the routes fit it first (%s)', async (_, mobike, local) => {
    const up = await connected(testProfile(), mobike);
    const { world } = up;
    const from = world.calls.length;
    world.options = { ...world.options, local };
    world.monitor.say('address');
    await world.clock.advance(SETTLE + 10);
    const order = world.calls.slice(from).filter((call) => call === 'routes.apply' || call.startsWith('sockets.open'));
    expect(order[0]).toBe('routes.apply');
    world.options = { script };
    await world.clock.advance(20_000);
    await stopClean(up);
  });
});

describe('sleep', () => {
  function machine() {
    const clock = fakeClock();
    let slept = 0;
    const heard: string[] = [];
    const watcher = watchNetwork(
      { clock: { ...clock, wall: () => clock.wall() + slept }, monitor: fakeMonitor(), log: () => {} },
      { changed: () => void heard.push('changed'), resumed: () => heard.push('resumed') },
    );
    return {
      clock,
      heard,
      watcher,
      sleep(milliseconds: number) {
        slept += milliseconds;
      },
    };
  }

  it('is noticed by the clock that goes on meanwhile', async () => {
    const { clock, heard, watcher, sleep } = machine();
    await clock.advance(10 * TICK);
    expect(heard).toEqual([]);
    sleep(3_600_000);
    await clock.advance(TICK);
    expect(heard).toEqual(['resumed', 'changed']);
    await clock.advance(10 * TICK);
    expect(heard).toHaveLength(2);
    watcher.close();
    expect(clock.pending).toBe(0);
  });

  it('is not seen in a clock that is corrected a little, or back', async () => {
    const { clock, heard, watcher, sleep } = machine();
    sleep(2_000);
    await clock.advance(TICK);
    sleep(-3_600_000);
    await clock.advance(3 * TICK);
    expect(heard).toEqual([]);
    watcher.close();
  });

  it('asks the gateway for a sign of life at once', async () => {
    const world = createWorld({ script });
    let slept = 0;
    const { clock } = world.deps;
    const deps = { ...world.deps, clock: { ...clock, wall: () => clock.wall() + slept } };
    const session = createSession(testProfile(), deps, (config) => {
      const peer = scriptedPeer(config, script);
      world.peers.push(peer);
      return peer;
    });
    session.start();
    await world.clock.settle();
    slept = 600_000;
    await world.clock.advance(TICK);
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(1);
    await stopClean({ world, session, states: [] });
  });
});

describe('a system that does not tell', () => {
  it('is lived with', () => {
    const texts: string[] = [];
    const clock = fakeClock();
    const error = new NetError({ code: 'unsupported', message: 'It is mute.', operation: 'socket', remedy: 'Wait.' });
    const watcher = watchNetwork(
      { clock, monitor: { watch: () => error }, log: ({ text }) => texts.push(text) },
      { changed: () => {}, resumed: () => {} },
    );
    expect(texts).toEqual(['It is mute. Wait.']);
    watcher.close();
    expect(clock.pending).toBe(0);
  });
});

describe('a network that says that the gateway is gone', () => {
  it('is a reason to ask the gateway at once, but not again and again', async () => {
    const up = await connected();
    const { world, session } = up;
    const refused = (): void => world.plane().emit({ kind: 'pathError', errno: 111, name: 'ECONNREFUSED', mtu: null });
    refused();
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(1);
    await world.clock.advance(HINT_INTERVAL - 1);
    refused();
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(1);
    await world.clock.advance(1);
    refused();
    expect(eventsOf(world, 'checkLiveness')).toHaveLength(2);
    // Whoever forged it has achieved nothing.
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  });
});
