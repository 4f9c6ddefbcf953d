// Authenticating anew without a gap (RFC 7296 §2.8.3): a second IKE SA beside the first, whose CHILD SA takes the tunnel over.
import { expect, it } from 'vitest';
import { GRACE } from '../../main/esp/children.ts';
import type { EngineState } from '../../main/ipc/contract.ts';
import { RELIEF_LIMIT } from '../../main/session/associations.ts';
import type { Session, SessionDeps } from '../../main/session/deps.ts';
import { formatPrefix } from '../../main/wire/address.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { stopClean as stop } from './fakes/stop.ts';
import { createWorld, type World } from './fakes/world.ts';

const script = { assigned: [prefix('10.10.0.5/32')] };

interface Up {
  readonly world: World;
  readonly session: Session;
  readonly states: EngineState['state'][];
}

async function connected(profile = testProfile()): Promise<Up> {
  const world = createWorld({ script });
  const session = world.session(profile);
  session.start();
  await world.clock.settle();
  expect(session.state.state).toBe('connected');
  const states: EngineState['state'][] = [];
  session.on(({ state }) => {
    states.push(state);
    expect(world.routes, state).toBeDefined();
    expect(
      world.tuns.some(({ closed }) => !closed),
      state,
    ).toBe(true);
  });
  return { world, session, states };
}

async function stopClean(up: Up): Promise<void> {
  up.world.options = { script };
  expect(up.world.routes).toBeDefined();
  await stop(up);
}

function ask({ world }: Up, within = 60_000): void {
  world.peers[0]!.inject({ kind: 'reauthenticate', within });
  world.say('anything');
}

const deletes = (world: World): number =>
  world.sockets.flatMap(({ sent }) => sent.filter(({ text }) => text === 'delete')).length;

it('replaces the IKE SA and its CHILD SA in the same tunnel, then deletes the old one', async () => {
  const up = await connected();
  const { world, session, states } = up;
  const before = world.plane().inbound.get(0)!.spi;
  const sockets = world.sockets.length;
  ask(up);
  await world.clock.advance(100);
  expect(world.peers).toHaveLength(2);
  expect(world.peers.map(({ config }) => config.initialContact)).toEqual([true, false]);
  expect(world.sockets).toHaveLength(sockets);
  expect(world.plane().active).toBe(1);
  expect(world.peers[0]!.events.at(-1)?.kind).not.toBe('start');
  expect(world.peers[0]!.events.map(({ kind }) => kind)).toContain('close');
  expect(deletes(world)).toBe(1);
  // What the old IKE SA's end takes with it, as the real initiator says it.
  world.peers[1]!.inject({ kind: 'removeChild', spiIn: before, spiOut: before + 0x100000, by: 'us' });
  world.say('anything');
  await world.clock.advance(GRACE + 100);
  expect([...world.plane().outbound.keys()]).toEqual([1]);
  expect([...world.plane().inbound.keys()]).toEqual([1]);
  expect(session.state.state).toBe('connected');
  expect(states.filter((state) => state !== 'connected')).toEqual([]);
  expect(world.tuns).toHaveLength(1);
  expect(world.planes).toHaveLength(1);
  await stopClean(up);
  // Both said goodbye, each once.
  expect(deletes(world)).toBe(2);
});

it('takes another address over without a leak', async () => {
  // Without addresses of its own the TUN has the assigned one.
  const up = await connected(testProfile('esp-tunnel'));
  const { world, session } = up;
  expect(world.tuns[0]!.addresses.map(formatPrefix)).toEqual(['10.10.0.5/32']);
  world.options = { script: { assigned: [prefix('10.10.0.77/32')] } };
  ask(up);
  await world.clock.advance(100);
  expect(world.tuns[0]!.addresses.map(formatPrefix)).toEqual(['10.10.0.77/32']);
  expect(session.state).toMatchObject({ state: 'connected', tunnel: { assigned: ['10.10.0.77/32'] } });
  expect(world.tuns).toHaveLength(1);
  await stopClean(up);
});

it('stays on the old one where the gateway refuses, until that ends', async () => {
  const up = await connected();
  const { world, session, states } = up;
  world.options = { script: { ...script, refuse: { at: 'auth', code: 'no-address' } } };
  ask(up);
  await world.clock.advance(2_000);
  expect(world.peers).toHaveLength(2);
  expect(session.state.state).toBe('connected');
  expect(world.plane().active).toBe(0);
  expect(states.filter((state) => state !== 'connected')).toEqual([]);
  expect(world.logs.some(({ text }) => text.includes('authenticating anew failed'))).toBe(true);
  // It may be asked for again.
  world.options = { script };
  ask(up);
  await world.clock.advance(100);
  expect(world.peers).toHaveLength(3);
  expect(world.plane().active).toBe(1);
  await stopClean(up);
});

it('waits for the new one where the gateway ends the old one first', async () => {
  const up = await connected();
  const { world, session, states } = up;
  world.options = { script, answers: () => false };
  ask(up);
  await world.clock.settle();
  world.peers[0]!.inject({ kind: 'closed', reason: { by: 'peer' } });
  world.say('anything');
  await world.clock.settle();
  expect(session.state.state).toBe('connected');
  world.options = { script };
  await world.clock.advance(2_000);
  expect(world.plane().active).toBe(1);
  expect(states.filter((state) => state !== 'connected')).toEqual([]);
  await stopClean(up);
});

it('connects anew where the gateway ends the old one and refuses the new one', async () => {
  const up = await connected();
  const { world, session } = up;
  world.options = { script, answers: () => false };
  ask(up);
  await world.clock.settle();
  world.peers[0]!.inject({ kind: 'closed', reason: { by: 'peer' } });
  world.say('anything');
  await world.clock.settle();
  world.options = { script: { ...script, refuse: { at: 'auth', code: 'no-address' } } };
  world.peers[1]!.inject({ kind: 'closed', reason: { by: 'peer' } });
  world.say('anything');
  await world.clock.settle();
  expect(session.state.state).toBe('reconnecting');
  world.options = { script };
  await world.clock.advance(3_000);
  expect(session.state.state).toBe('connected');
  await stopClean(up);
});

/** Another IKE SA is on its way, and its gateway wants a code of the person. */
async function asked(): Promise<Up> {
  const up = await connected();
  const { world, session } = up;
  Object.assign(world.deps, {
    createAnswerer: (_profile, secrets) => ({
      async answer() {
        await secrets.code('Token, please');
        return { kind: 'eap', packet: new Uint8Array(0), state: 'success' };
      },
      close() {},
    }),
  } satisfies Pick<SessionDeps, 'createAnswerer'>);
  world.options = { script, answers: () => false };
  ask(up);
  await world.clock.settle();
  const question = { kind: 'eap', packet: new Uint8Array(0), gatewayProven: true, round: 0 } as const;
  world.peers[1]!.inject({ kind: 'ask', id: 1, question });
  world.say('anything');
  await world.clock.settle();
  expect(session.state).toMatchObject({ state: 'connected', prompt: { kind: 'code' } });
  return up;
}

it.each([
  ['its IKE SA', ({ world }: Up) => world.peers[0]!.inject({ kind: 'closed', reason: { by: 'peer' } })],
  [
    'its CHILD SA',
    ({ world }: Up) => {
      const { spi } = world.plane().inbound.get(0)!;
      world.peers[0]!.inject({ kind: 'removeChild', spiIn: spi, spiOut: spi + 0x100000, by: 'peer' });
    },
  ],
])('is not "connected" where a person is asked and the gateway ends %s meanwhile', async (_, end) => {
  const up = await asked();
  const { world, session } = up;
  end(up);
  world.say('anything');
  await world.clock.advance(10);
  expect(session.state).toMatchObject({ state: 'reconnecting', because: { code: 'session/deleted-by-gateway' } });
  world.options = { script };
  await world.clock.advance(5_000);
  expect(session.state.state).toBe('connected');
  await stopClean(up);
});

it('withdraws the question where what asked has come to nothing, and the tunnel stays up', async () => {
  const up = await asked();
  const { world, session } = up;
  const question = 'prompt' in session.state ? session.state.prompt : undefined;
  world.peers[1]!.inject({ kind: 'closed', reason: { by: 'peer' } });
  world.say('anything');
  await world.clock.settle();
  expect(session.state.state).toBe('connected');
  expect(session.state).not.toHaveProperty('prompt');
  expect(session.answerPrompt(question!.id, '123456')).toBe(false);
  // Nobody has said no: the next one may ask.
  ask(up);
  await world.clock.settle();
  const again = { kind: 'eap', packet: new Uint8Array(0), gatewayProven: true, round: 0 } as const;
  world.peers[2]!.inject({ kind: 'ask', id: 1, question: again });
  world.say('anything');
  await world.clock.settle();
  expect(session.state).toMatchObject({ state: 'connected', prompt: { kind: 'code' } });
  await stopClean(up);
});

it.each(['IKE', 'CHILD'])(
  'does not wait long for the new one where the gateway has ended the old %s SA',
  async (what) => {
    const up = await connected();
    const { world, session } = up;
    world.options = { script, answers: () => false };
    ask(up);
    await world.clock.settle();
    const { spi } = world.plane().inbound.get(0)!;
    world.peers[0]!.inject(
      what === 'IKE'
        ? { kind: 'closed', reason: { by: 'peer' } }
        : { kind: 'removeChild', spiIn: spi, spiOut: spi + 0x100000, by: 'peer' },
    );
    world.say('anything');
    await world.clock.advance(RELIEF_LIMIT - 100);
    expect(session.state.state).toBe('connected');
    await world.clock.advance(200);
    expect(session.state).toMatchObject({ state: 'reconnecting', because: { code: 'session/deleted-by-gateway' } });
    world.options = { script };
    await world.clock.advance(5_000);
    expect(session.state.state).toBe('connected');
    await stopClean(up);
  },
);

it('asks once, however often it is told, and never for a link that is being closed', async () => {
  const up = await connected();
  const { world, session } = up;
  world.options = { script, answers: () => false };
  ask(up);
  ask(up);
  await world.clock.settle();
  expect(world.peers).toHaveLength(2);
  let stopped = false;
  void session.stop().then(() => {
    stopped = true;
  });
  await world.clock.advance(10_000);
  expect(stopped).toBe(true);
  expect(world.remains()).toEqual([]);
  expect(world.violations).toEqual([]);
});
