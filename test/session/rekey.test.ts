// CHILD SAs replaced while the tunnel is up (RFC 7296 §2.8), as the session does it: what leaves when, on which SA is sent,
// and what the IKE SA asks of the world outside.
import { describe, expect, it } from 'vitest';
import { GRACE } from '../../main/esp/children.ts';
import type { IkeEffect } from '../../main/ike/peer.ts';
import type { Answerer } from '../../main/session/answerer.ts';
import type { Session } from '../../main/session/deps.ts';
import { createSession } from '../../main/session/session.ts';
import { scriptedPeer, word } from './fakes/peer.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { stopClean } from './fakes/stop.ts';
import { createWorld, GATEWAY, type World, type WorldOptions } from './fakes/world.ts';

const script = { assigned: [prefix('10.10.0.5/32')] };
const natt = { address: GATEWAY, port: 4500 };

async function connected(options: WorldOptions = {}): Promise<{ world: World; session: Session }> {
  const world = createWorld({ script, ...options });
  const session = world.session(testProfile());
  session.start();
  await world.clock.advance(100);
  expect(session.state.state).toBe('connected');
  return { world, session };
}

/** The peer answers the gateway's rekeying: install first, then the response. */
function answerRekeying(world: World): { readonly spiIn: number; readonly old: number } {
  const old = world.plane().inbound.get(0)!.spi;
  const child = world.peer().makeChild();
  const response: IkeEffect = { kind: 'send', bytes: word('rekey response'), to: natt, transport: 'natt' };
  world.peer().inject({ kind: 'installChild', activate: 'first-inbound', replaces: old, child }, response);
  world.say('rekey request');
  return { spiIn: child.spiIn, old };
}

const responded = (world: World): boolean =>
  world.sockets.some((socket) => socket.sent.some(({ text }) => text === 'rekey response'));

describe('answering a rekeying', () => {
  it('responds when the inbound SA is there, and switches when the gateway has', async () => {
    let delay = 0;
    const { world, session } = await connected({ delay: () => delay });
    delay = 10;
    const { spiIn, old } = answerRekeying(world);
    for (let i = 0; i < 20 && !responded(world); i++) {
      expect(world.plane().active).toBe(0);
      await world.clock.advance(5);
    }
    expect(responded(world)).toBe(true);
    expect(world.plane().inbound.get(1)?.spi).toBe(spiIn);
    expect(world.plane().outbound.has(1)).toBe(true);
    expect(world.peer().events).toContainEqual({ kind: 'childInstalled', spiIn });
    expect(world.plane().active).toBe(0);

    world.plane().emit({ kind: 'firstInbound', slot: 1, spi: spiIn });
    await world.clock.advance(50);
    expect(world.plane().active).toBe(1);
    expect(world.peer().events).toContainEqual({ kind: 'childActive', spiIn });

    world.peer().inject({ kind: 'removeChild', spiIn: old, spiOut: old + 0x100000, by: 'peer' });
    world.say('delete the old one');
    await world.clock.advance(50);
    expect([...world.plane().outbound.keys()]).toEqual([1]);
    expect([...world.plane().inbound.keys()]).toEqual([0, 1]);
    await world.clock.advance(GRACE);
    expect([...world.plane().inbound.keys()]).toEqual([1]);
    expect(session.state.state).toBe('connected');
    delay = 0;
    await stopClean({ world, session });
  });

  it('switches when the gateway deletes the old SA before it has sent anything', async () => {
    const { world, session } = await connected();
    const { old } = answerRekeying(world);
    await world.clock.settle();
    world.peer().inject({ kind: 'removeChild', spiIn: old, spiOut: old + 0x100000, by: 'peer' });
    world.say('delete the old one');
    await world.clock.settle();
    expect(world.plane().active).toBe(1);
    expect(session.state.state).toBe('connected');
    await stopClean({ world, session });
  });

  it('says goodbye though an installation hangs', async () => {
    const { world, session } = await connected();
    const calls = world.calls.length;
    world.options = { ...world.options, hangAt: calls + 2 };
    answerRekeying(world);
    await world.clock.advance(10);
    const deletes = () => world.sockets.flatMap(({ sent }) => sent.filter(({ text }) => text === 'delete')).length;
    expect(responded(world)).toBe(false);
    void session.stop();
    await world.clock.advance(10);
    expect(deletes()).toBe(1);
    await world.clock.advance(60_000);
    expect(session.state.state).toBe('disconnected');
  });

  it('reports an SA that the data plane refuses, and stays on the old one', async () => {
    const { world, session } = await connected();
    world.options = { ...world.options, failAt: world.calls.length + 3 };
    const { spiIn } = answerRekeying(world);
    // The scripted peer ends on such an error; the real one refuses the rekeying.
    await world.clock.settle();
    expect(world.hit).toBeDefined();
    expect(world.peer().events).toContainEqual(
      expect.objectContaining({ kind: 'childInstalled', spiIn, error: expect.stringContaining('failed (scripted)') }),
    );
    await world.clock.advance(5_000);
    await stopClean({ world, session });
  });
});

describe('a question of the IKE SA', () => {
  const question = { kind: 'eap', packet: Uint8Array.of(1, 1, 0, 5, 1), gatewayProven: true, round: 0 } as const;

  async function asked(answerer: Answerer): Promise<{ world: World; session: Session; closed: () => boolean }> {
    const world = createWorld({ script });
    let closed = false;
    const deps = {
      ...world.deps,
      createAnswerer: () => ({
        answer: answerer.answer,
        close() {
          closed = true;
          answerer.close();
        },
      }),
    };
    const session = createSession(testProfile(), deps, (config) => {
      const peer = scriptedPeer(config, script);
      world.peers.push(peer);
      return peer;
    });
    session.start();
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    world.peer().inject({ kind: 'ask', id: 7, question });
    world.say('anything');
    await world.clock.settle();
    return { world, session, closed: () => closed };
  }

  it('goes to the answerer of this SA, whose answer comes back under its number', async () => {
    const answer = { kind: 'verified' } as const;
    const questions: unknown[] = [];
    const { world, session, closed } = await asked({
      async answer(given) {
        questions.push(given);
        return answer;
      },
      close() {},
    });
    expect(questions).toEqual([question]);
    expect(world.peer().events).toContainEqual({ kind: 'answer', id: 7, answer });
    expect(closed()).toBe(false);
    await stopClean({ world, session });
    expect(closed()).toBe(true);
  });

  it('is answered with a failure where answering fails', async () => {
    const { world, session } = await asked({ answer: () => Promise.reject(new Error('no such key')), close() {} });
    expect(world.peer().events).toContainEqual({
      kind: 'answer',
      id: 7,
      answer: { kind: 'failed', error: expect.objectContaining({ message: expect.stringContaining('no such key') }) },
    });
    await stopClean({ world, session });
  });

  it('is not answered any more when the session is over', async () => {
    let late = (): void => {};
    const { world, session } = await asked({
      answer: () =>
        new Promise((resolve) => {
          late = () => resolve({ kind: 'verified' });
        }),
      close() {},
    });
    await stopClean({ world, session });
    const count = world.peer().events.length;
    late();
    await world.clock.settle();
    expect(world.peer().events).toHaveLength(count);
  });
});

it('shows the algorithms of a rekeyed IKE SA', async () => {
  const { world, session } = await connected();
  world.peer().inject({ kind: 'rekeyed', proposal: 'aes256gcm16-prfsha512-ecp384' });
  world.say('anything');
  await world.clock.settle();
  expect(session.state).toMatchObject({ tunnel: { ikeProposal: 'aes256gcm16-prfsha512-ecp384' } });
  await stopClean({ world, session });
});

describe('a CHILD SA beside the tunnel', () => {
  const NAME = '10.66.0.0/24';

  async function withBoth(): Promise<{ world: World; session: Session; spiIn: number }> {
    const world = createWorld({ script });
    const session = world.session(testProfile('gre-tunnel', { tunnel: { direct: [prefix(NAME)] } }));
    session.start();
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    const child = world.peer().makeChild();
    world.peer().inject({ kind: 'installChild', activate: 'now', name: NAME, child });
    world.say('anything');
    await world.clock.settle();
    return { world, session, spiIn: child.spiIn };
  }

  it('has a tunnel of its own in the core, and leaves the other as it is', async () => {
    const { world, session } = await withBoth();
    expect(world.peer().config.moreChildren?.map(({ name }) => name)).toEqual([NAME]);
    expect(world.plane().active).toBe(0);
    expect(world.plane().params?.shape).toBe('gre-tunnel');
    expect(world.plane().beside.get(1)).toMatchObject({ params: { shape: 'esp-tunnel', gre: null }, active: 1 });
    expect(world.routes?.sources).toHaveLength(1);
    await stopClean({ world, session });
  });

  it('is told of, whether it is there or not', async () => {
    const { world, session, spiIn } = await withBoth();
    const direct = () => (session.state.state === 'connected' ? session.state.tunnel.direct : undefined);
    expect(direct()).toEqual([{ prefix: NAME, espProposal: expect.stringMatching(/^aes/) }]);
    const seen: unknown[] = [];
    session.on(() => seen.push(direct()));
    world.peer().inject({ kind: 'removeChild', spiIn, spiOut: spiIn + 0x100000, by: 'peer' });
    world.say('anything');
    await world.clock.settle();
    expect(seen).toEqual([[{ prefix: NAME }]]);
    await stopClean({ world, session });
  });

  it('is replaced in its own tunnel, and moves with the gateway', async () => {
    const { world, session, spiIn } = await withBoth();
    const child = world.peer().makeChild();
    const moved = { address: GATEWAY, port: 31_000 };
    world
      .peer()
      .inject(
        { kind: 'installChild', activate: 'now', name: NAME, replaces: spiIn, child },
        { kind: 'removeChild', spiIn, spiOut: spiIn + 0x100000, by: 'us' },
        { kind: 'moveChild', spiOut: child.spiOut, peer: moved },
      );
    world.say('anything');
    await world.clock.settle();
    expect(world.plane().beside.get(1)).toMatchObject({ active: 2, peer: { remote: moved } });
    expect(world.plane()).toMatchObject({ active: 0, peer: { remote: natt } });
    await stopClean({ world, session });
  });

  it('may go without the tunnel, but not the tunnel without', async () => {
    const { world, session, spiIn } = await withBoth();
    world.peer().inject({ kind: 'removeChild', spiIn, spiOut: spiIn + 0x100000, by: 'peer' });
    world.say('anything');
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    const other = await withBoth();
    const { spi } = other.world.plane().inbound.get(0)!;
    other.world.peer().inject({ kind: 'removeChild', spiIn: spi, spiOut: spi + 0x100000, by: 'peer' });
    other.world.say('anything');
    await other.world.clock.settle();
    expect(other.session.state.state).toBe('reconnecting');
    await stopClean({ world, session });
  });

  it('is refused where nobody asked for it', async () => {
    const { world, session } = await withBoth();
    const child = world.peer().makeChild();
    world.peer().inject({ kind: 'installChild', activate: 'now', name: '10.67.0.0/24', child });
    world.say('anything');
    await world.clock.settle();
    expect(world.peer().events).toContainEqual(
      expect.objectContaining({ kind: 'childInstalled', error: expect.stringContaining('10.67.0.0/24') }),
    );
    await world.clock.advance(5_000);
    await stopClean({ world, session });
  });
});
