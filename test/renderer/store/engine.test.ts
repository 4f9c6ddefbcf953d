// No act of a person is lost while the engine restarts, and none is done twice.
import { describe, expect, it } from 'vitest';
import type { FakeEngine } from '../../../main/ipc/fake.ts';
import { FAKE_ERROR, fakeStates } from '../../../main/ipc/fake.ts';
import { faceOf } from '../../../renderer/views/connection/face.ts';
import { settle } from '../clock.ts';
import { setUp } from '../engine.ts';

const acts = (fake: FakeEngine): readonly string[] =>
  fake.calls.filter(({ name }) => name === 'connect' || name === 'disconnect').map(({ name }) => name);

describe('wishes', () => {
  it('are told once and settled by the answer', async () => {
    const { engine, fake } = await setUp();
    engine.connect('office');
    expect(faceOf(engine.store.get())).toMatchObject({ kind: 'connecting', step: null, profile: 'office' });
    await settle();
    expect(faceOf(engine.store.get()).kind).toBe('connected');
    expect(engine.store.get().wish).toBeNull();
    expect(acts(fake)).toEqual(['connect']);
  });

  it('made while the engine is away are told to the next one', async () => {
    const { engine, clock, kill, start } = await setUp();
    await kill();
    engine.connect('lab');
    expect(faceOf(engine.store.get())).toMatchObject({
      kind: 'unreachable',
      wish: { kind: 'connect', profile: 'lab' },
    });
    const next = start();
    await clock.pass(5000);
    expect(acts(next)).toEqual(['connect']);
    expect(faceOf(engine.store.get())).toMatchObject({ kind: 'connected', profile: 'lab' });
  });

  it('under way when the engine dies are told to the next one', async () => {
    const { engine, fake, clock, kill, start } = await setUp();
    fake.pace(1000);
    engine.connect('office');
    await settle();
    expect(faceOf(engine.store.get())).toMatchObject({ kind: 'connecting', step: 'resolve' });
    await kill();
    expect(engine.store.get().wish).toEqual({ kind: 'connect', profile: 'office' });
    const next = start();
    await clock.pass(5000);
    expect(acts(next)).toEqual(['connect']);
    expect(faceOf(engine.store.get()).kind).toBe('connected');
  });

  it('are not told to an engine that is at it already', async () => {
    const { engine, clock, kill, start } = await setUp();
    await kill();
    engine.connect('office');
    const next = start();
    next.setState(fakeStates(clock.now()).connecting);
    await clock.pass(5000);
    expect(acts(next)).toEqual([]);
    next.setState(fakeStates(clock.now()).connected);
    await settle();
    expect(engine.store.get().wish).toBeNull();
  });

  it('that such an engine does not reach are over', async () => {
    const { engine, clock, kill, start } = await setUp();
    await kill();
    engine.connect('office');
    const next = start();
    next.setState(fakeStates(clock.now()).connecting);
    await clock.pass(5000);
    next.setState(fakeStates(clock.now()).failed);
    await settle();
    expect(acts(next)).toEqual([]);
    expect(faceOf(engine.store.get()).kind).toBe('failed');
  });

  it('of which the last one counts', async () => {
    const { engine, clock, kill, start } = await setUp();
    await kill();
    engine.connect('office');
    engine.disconnect();
    const next = start();
    next.setState(fakeStates(clock.now()).connected);
    await clock.pass(5000);
    expect(acts(next)).toEqual(['disconnect']);
    expect(faceOf(engine.store.get()).kind).toBe('disconnected');
  });

  it('that are refused say why, where the state does not', async () => {
    const { engine, fake } = await setUp();
    fake.fail('connect', { code: 'daemon/busy', message: 'busy', remedy: 'wait' });
    engine.connect('office');
    await settle();
    expect(engine.store.get().wish).toBeNull();
    expect(engine.store.get().refusal).toMatchObject({ error: { code: 'daemon/busy' } });
    fake.fail('connect', null);
    fake.failConnect(FAKE_ERROR);
    engine.connect('office');
    expect(engine.store.get().refusal).toBeNull();
    await settle();
    expect(engine.store.get().refusal).toBeNull();
    expect(faceOf(engine.store.get())).toMatchObject({ kind: 'failed', error: FAKE_ERROR });
  });
});

describe('an engine that died', () => {
  it('is never shown as connected', async () => {
    const { engine, clock, kill } = await setUp();
    engine.connect('office');
    await settle();
    await kill();
    for (let i = 0; i < 20; i++) {
      expect(faceOf(engine.store.get()).kind).toBe('unreachable');
      await clock.pass(777);
    }
  });

  it('starts a series of its own when it is another process', async () => {
    const { engine, fake } = await setUp();
    engine.connect('office');
    await settle();
    fake.advance(3000);
    await settle();
    expect(engine.store.get().samples).toHaveLength(3);
    const status = engine.store.get().status;
    if (!status) throw new Error('no status');
    fake.publish('status', { ...status, pid: 2, engine: { state: 'disconnected', lastError: null }, traffic: null });
    await settle();
    expect(engine.store.get().samples).toEqual([]);
    expect(faceOf(engine.store.get())).toMatchObject({ kind: 'disconnected', restarted: true });
  });
});
