// The TCP connection under a tunnel breaks (RFC 9329 §6.1): it is made again once for each break, with patience, and not for ever.
import { expect, it } from 'vitest';
import type { Session } from '../../main/session/deps.ts';
import { createPlace, LEFT_AFTER } from '../../main/session/place.ts';
import { PAUSE, SETTLE } from '../../main/session/roaming.ts';
import type { IkeSockets } from '../../main/session/sockets.ts';
import { createStreamBreaks, FIRST_PAUSE, HELD, LONGEST_PAUSE } from '../../main/session/stream-breaks.ts';
import { fakeClock } from './fakes/clock.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { stopClean } from './fakes/stop.ts';
import { createWorld, type OpenSocket, type World, type WorldOptions } from './fakes/world.ts';

const script = { assigned: [prefix('10.10.0.5/32')] };
const ELSEWHERE = Uint8Array.of(203, 0, 113, 7);

interface Up {
  readonly world: World;
  readonly session: Session;
}

async function connected(options: WorldOptions = {}): Promise<Up> {
  const world = createWorld({ script, streams: true, ...options });
  const session = world.session(testProfile('gre-tunnel', { gateway: { tcp: 'only' } }));
  session.start();
  await world.clock.advance(100);
  expect(session.state).toMatchObject({ state: 'connected' });
  return { world, session };
}

const streams = (world: World): readonly OpenSocket[] => world.sockets.filter(({ kind }) => kind === 'tcp');
const newest = (world: World): OpenSocket => streams(world).at(-1)!;

/** As the data plane tells it: the receiver reads the end, the sender cannot write. */
function breakStream(world: World, { fd } = newest(world)): void {
  world.plane().emit({ kind: 'streamClosed', socket: fd, reason: 'the other end closed it' });
  world.plane().emit({ kind: 'streamClosed', socket: fd, reason: 'EPIPE' });
}

it('makes one connection for each break, however many tell of it, and closes every one', async () => {
  const up = await connected();
  const { world, session } = up;
  for (let i = 1; i <= 20; i++) {
    await world.clock.advance(HELD);
    const last = newest(world);
    breakStream(world);
    await world.clock.settle();
    // The slower of the two may come after all is done.
    world.plane().emit({ kind: 'streamClosed', socket: last.fd, reason: 'EPIPE' });
    await world.clock.settle();
    const message = {
      kind: 'ike',
      bytes: Uint8Array.of(1),
      from: last.stream!.remote,
      socket: newest(world).fd,
    } as const;
    world.plane().emit(message);
    expect(streams(world)).toHaveLength(1 + i);
    expect(world.plane().peer?.socket).toBe(newest(world).fd);
  }
  await world.clock.advance(LEFT_AFTER);
  expect(streams(world).filter(({ closed }) => !closed)).toEqual([newest(world)]);
  expect(session.state.state).toBe('connected');
  await stopClean(up);
});

it('waits longer and longer for one that breaks at once, and gives up where nothing comes through', async () => {
  const up = await connected();
  const { world, session } = up;
  const made: number[] = [];
  const start = world.clock.now();
  breakStream(world);
  await world.clock.settle();
  for (let count = streams(world).length; session.state.state === 'connected' && made.length < 200; ) {
    made.push(world.clock.now() - start);
    breakStream(world);
    await world.clock.settle();
    for (let i = 0; i < 100 && streams(world).length === count && session.state.state === 'connected'; i++)
      await world.clock.advance(50);
    count = streams(world).length;
  }
  expect(made).toEqual([0, FIRST_PAUSE, FIRST_PAUSE + 2 * FIRST_PAUSE]);
  expect(session.state).toMatchObject({ state: 'reconnecting', because: { code: 'session/stream-closed' } });
  await stopClean(up);
});

it('can be stopped while it waits', async () => {
  const up = await connected();
  const { world } = up;
  breakStream(world);
  await world.clock.settle();
  breakStream(world);
  await world.clock.settle();
  const made = streams(world).length;
  await stopClean(up);
  expect(streams(world)).toHaveLength(made);
});

it('makes one connection where the network changes and the old one breaks because of that', async () => {
  const up = await connected();
  const { world, session } = up;
  let delay = 0;
  world.options = { ...world.options, local: ELSEWHERE, delay: () => delay };
  delay = 100;
  breakStream(world);
  world.monitor.say('address');
  await world.clock.advance(5_000);
  expect(streams(world)).toHaveLength(2);
  expect(session.state.state).toBe('connected');
  delay = 0;
  await stopClean(up);
});

it.each(['the break', 'the change of network'])(
  'makes one connection where %s comes first, and the other while that is made',
  async (first) => {
    const up = await connected();
    const { world, session } = up;
    const [old] = streams(world);
    const connecting = SETTLE + PAUSE + 1_000;
    world.options = {
      ...world.options,
      local: ELSEWHERE,
      delay: () => (world.calls.at(-1) === 'streams.connect' ? connecting : 0),
    };
    const change = (): void => world.monitor.say('address');
    if (first === 'the break') breakStream(world, old);
    else change();
    await world.clock.advance(SETTLE + PAUSE);
    expect(streams(world)).toHaveLength(1);
    if (first === 'the break') change();
    else breakStream(world, old);
    await world.clock.advance(20_000);
    expect(streams(world)).toHaveLength(2);
    expect(session.state.state).toBe('connected');
    world.options = { ...world.options, delay: () => 0 };
    await stopClean(up);
  },
);

it('hears of a break on a descriptor that a broken connection had before', async () => {
  const up = await connected();
  const { world, session } = up;
  const broken = newest(world).fd;
  await world.clock.advance(HELD);
  breakStream(world);
  await world.clock.advance(LEFT_AFTER);
  world.options = { ...world.options, local: ELSEWHERE };
  world.monitor.say('address');
  await world.clock.advance(SETTLE + PAUSE + HELD);
  expect(newest(world)).toMatchObject({ fd: broken, closed: false });
  expect(streams(world)).toHaveLength(3);
  breakStream(world);
  await world.clock.advance(FIRST_PAUSE);
  expect(streams(world)).toHaveLength(4);
  expect(session.state.state).toBe('connected');
  await stopClean(up);
});

it('counts no break of a connection that was left', async () => {
  const up = await connected();
  const { world } = up;
  const [old] = streams(world);
  breakStream(world, old);
  await world.clock.settle();
  breakStream(world, old);
  await world.clock.settle();
  breakStream(world);
  await world.clock.advance(FIRST_PAUSE);
  expect(streams(world)).toHaveLength(3);
  await stopClean(up);
});

it('shows the gateway at once that it is back', async () => {
  const up = await connected();
  const { world } = up;
  const asked = () => world.peer().events.filter(({ kind }) => kind === 'checkLiveness').length;
  expect(asked()).toBe(0);
  breakStream(world);
  await world.clock.settle();
  expect(asked()).toBe(1);
  await stopClean(up);
});

it('leaves no timer behind where it is stopped while it waits', async () => {
  const { world, session } = await connected();
  breakStream(world);
  await world.clock.settle();
  breakStream(world);
  await world.clock.settle();
  await session.stop();
  expect(world.remains()).toEqual([]);
});

it('tells from where it goes on, after a break and from another network', async () => {
  const up = await connected();
  const { world, session } = up;
  breakStream(world);
  await world.clock.settle();
  const local = () => session.state.state === 'connected' && session.state.tunnel.local;
  expect(local()).toBe(`192.0.2.10:${newest(world).local.port}`);
  world.options = { ...world.options, local: ELSEWHERE };
  world.monitor.say('address');
  await world.clock.advance(5_000);
  expect(streams(world)).toHaveLength(3);
  expect(local()).toBe(`203.0.113.7:${newest(world).local.port}`);
  await stopClean(up);
});

it('closes every socket where two places are entered at the same time', async () => {
  const world = createWorld();
  const place = createPlace(world.deps, () => {});
  const closed: number[] = [];
  let opened = 0;
  const enter = (): Promise<IkeSockets> =>
    place.enter(async (undo) => {
      const number = ++opened;
      undo.push('closing', () => void closed.push(number));
      await new Promise<void>((resolve) => void world.clock.setTimer(world.clock.now() + 100, resolve));
      return { over: 'tcp', local: ELSEWHERE, esp: null, ...sockets };
    });
  const socket = {
    fd: 1,
    kind: 'tcp',
    local: { address: ELSEWHERE, port: 1 },
    send: () => undefined,
    close() {},
  } as const;
  const sockets = { ike: socket, natt: socket };
  const first = enter();
  await world.clock.advance(100);
  await first;
  const both = Promise.all([enter(), enter()]);
  await world.clock.advance(200);
  await both;
  expect(closed).toEqual([1]);
  await place.close();
  expect(closed.toSorted()).toEqual([1, 2, 3]);
  expect(world.clock.pending).toBe(0);
});

it('begins anew with its pauses after one that held, and knows a longest', () => {
  const clock = fakeClock();
  let inbound = 0;
  let now = 0;
  const breaks = createStreamBreaks({ ...clock, now: () => now }, () => inbound);
  const pauses: (number | null)[] = [];
  for (let i = 0; i < 9; i++) {
    breaks.opened();
    inbound = now += 10;
    pauses.push(breaks.broke());
  }
  expect(pauses).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]);
  breaks.opened();
  inbound = now += HELD;
  expect(breaks.broke()).toBe(0);
});
