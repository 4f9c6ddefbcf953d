import { describe, expect, it } from 'vitest';
import { ipcError } from '../../../main/ipc/error.ts';
import { createFakeEngine } from '../../../main/ipc/fake.ts';
import { createLink, HOLD, type LinkState } from '../../../renderer/client/link.ts';
import { settle, testClock } from '../clock.ts';
import { setUp } from '../engine.ts';

describe('link', () => {
  it('opens, greets, subscribes', async () => {
    const { link, fake } = await setUp({ role: 'administrator' });
    expect(link.state).toEqual({ state: 'open', role: 'administrator' });
    expect(fake.calls.map(({ name }) => name)).toEqual(['hello', 'subscribe']);
  });

  it('waits longer after each failed attempt, and starts short again after success', async () => {
    const { link, clock, start, kill } = await setUp({ down: true });
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      const state = link.state;
      if (state.state !== 'lost') throw new Error(state.state);
      waits.push(state.retryAt - clock.now());
      await clock.pass(state.retryAt - clock.now());
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    start();
    await clock.pass(5000);
    expect(link.state.state).toBe('open');
    await kill();
    expect(link.state).toMatchObject({ state: 'lost', attempt: 1, retryAt: clock.now() + 250 });
  });

  it('attempts at once when told to', async () => {
    const { link, start } = await setUp({ down: true });
    start();
    link.retry();
    await settle();
    expect(link.state.state).toBe('open');
  });

  it('holds a call while the engine is away, and asks the next one', async () => {
    const { link, clock, kill, start } = await setUp();
    await kill();
    const answer = link.call('list', {});
    await clock.pass(1000);
    const next = start();
    await clock.pass(5000);
    expect((await answer).profiles.map(({ name }) => name)).toEqual(['office', 'lab']);
    expect(next.calls.map(({ name }) => name)).toEqual(['hello', 'subscribe', 'list']);
  });

  it('asks again what was unanswered when the engine died, but not what could do harm twice', async () => {
    const { link, fake, clock, kill, start } = await setUp();
    fake.setState({
      state: 'connected',
      profile: 'office',
      tunnel: (await link.call('connect', { profile: 'office' })).tunnel,
    });
    // A path test stays unanswered until time passes in the fake.
    const test = link.call('pathTest', {});
    const removed = link.call('remove', { profile: 'lab' });
    const lost = expect(removed).rejects.toMatchObject({ code: 'ipc/disconnected' });
    await kill();
    await lost;
    const next = start();
    const refused = expect(test).rejects.toMatchObject({ code: 'daemon/not-connected' });
    await clock.pass(5000);
    await refused;
    expect(next.calls.map(({ name }) => name)).toEqual(['hello', 'subscribe', 'pathTest']);
  });

  it('gives a held call up in the end', async () => {
    const { link, clock, kill } = await setUp();
    await kill();
    const given = expect(link.call('list', {})).rejects.toMatchObject({ code: 'ipc/disconnected' });
    await clock.pass(HOLD);
    await given;
  });

  it('stops at an engine of another version, and says so to every call', async () => {
    const clock = testClock();
    let attempts = 0;
    const link = createLink(async () => {
      attempts++;
      throw ipcError('ipc/contract-version', 'other version', 'update');
    }, clock);
    const call = expect(link.call('list', {})).rejects.toMatchObject({ code: 'ipc/contract-version' });
    await settle();
    await call;
    expect(link.state).toMatchObject({ state: 'refused', because: { code: 'ipc/contract-version' } });
    await clock.pass(60_000);
    expect(attempts).toBe(1);
    link.retry();
    await settle();
    expect(attempts).toBe(2);
  });

  it('leaves an engine that does not answer, and closes what comes too late', async () => {
    const clock = testClock();
    const fake = createFakeEngine();
    let late: (() => void) | undefined;
    let closed = false;
    const link = createLink(
      () =>
        new Promise((resolve) => {
          late ??= () => {
            const client = fake.connect();
            void client.closed.then(() => {
              closed = true;
            });
            resolve(client);
          };
        }),
      clock,
    );
    await clock.pass(10_000);
    expect(link.state.state).toBe('lost');
    late?.();
    await settle();
    expect(closed).toBe(true);
    expect(link.state.state).toBe('lost');
  });

  it('passes events of each engine to the same listeners', async () => {
    const { link, clock, fake, kill, start } = await setUp();
    const heard: string[] = [];
    const states: LinkState['state'][] = [];
    link.on('log', ({ text }) => heard.push(text));
    link.onState(({ state }) => states.push(state));
    fake.log({ level: 'info', area: 'test', text: 'first' });
    await settle();
    await kill();
    const next = start();
    await clock.pass(250);
    next.log({ level: 'info', area: 'test', text: 'second' });
    await settle();
    expect(heard).toEqual(['first', 'second']);
    expect(states).toEqual(['lost', 'connecting', 'open']);
  });
});
