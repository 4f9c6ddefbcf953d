// The double behaves as the contract says, so that tests built on it mean something.
import { describe, expect, it } from 'vitest';
import { CALL_NAMES, type EngineState } from '../../main/ipc/contract.ts';
import { createFakeEngine, FAKE_ERROR, FAKE_MOST_PROFILES, FAKE_PROFILES } from '../../main/ipc/fake.ts';
import { PARAMS } from './params.ts';

const PROMPT = {
  id: 'p1',
  kind: 'password',
  text: '',
  username: 'alice',
  gateway: 'gw.example',
  refused: false,
} as const;

describe('the fake engine', () => {
  it('answers every call as its shape says', async () => {
    const engine = createFakeEngine({ role: 'administrator' });
    const client = engine.connect();
    for (const name of CALL_NAMES) {
      if (name === 'answerPrompt' && engine.state.state === 'connected')
        engine.setState({ ...engine.state, prompt: PROMPT });
      const answer = client.call(name, PARAMS[name]);
      if (name === 'pathTest') engine.advance(5_000);
      // The calling end checks every result; a wrong one rejects.
      await expect(answer, name).resolves.toBeDefined();
      if (name === 'disconnect') await client.call('connect', { profile: 'office' });
    }
  });

  it('connects step by step, and tells subscribers', async () => {
    const engine = createFakeEngine();
    const client = engine.connect();
    const seen: EngineState[] = [];
    client.on('status', ({ engine: state }) => seen.push(state));
    await client.call('subscribe', { events: ['status'] });
    engine.pace(100);
    const done = client.call('connect', { profile: 'office' });
    await client.call('status', {});
    engine.advance(700);
    await expect(done).resolves.toMatchObject({ tunnel: { interfaceName: 'culvert0' } });
    expect(seen.map((state) => ('step' in state ? state.step : state.state))).toEqual([
      'disconnected',
      'resolve',
      'socket',
      'sa-init',
      'auth',
      'tun',
      'routes',
      'connected',
    ]);
  });

  it('fails as told, with the error whole', async () => {
    const engine = createFakeEngine();
    const client = engine.connect();
    engine.failConnect(FAKE_ERROR);
    await expect(client.call('connect', { profile: 'office' })).rejects.toMatchObject(FAKE_ERROR);
    expect(engine.state.state).toBe('failed');
    engine.fail('list', FAKE_ERROR);
    await expect(client.call('list', {})).rejects.toMatchObject(FAKE_ERROR);
  });

  it('keeps a user from what is locked', async () => {
    const user = createFakeEngine().connect();
    const change = { profile: 'office', prefix: '10.9.0.0/16', kind: 'exclude' } as const;
    await expect(user.call('removeRoute', change)).rejects.toMatchObject({ code: 'ipc/not-allowed' });
    const administrator = createFakeEngine({ role: 'administrator' }).connect();
    await expect(administrator.call('removeRoute', change)).resolves.toMatchObject({ changed: true });
  });

  it('changes nothing of a profile that is in use', async () => {
    const client = createFakeEngine({ role: 'administrator' }).connect();
    await client.call('connect', { profile: 'office' });
    const inUse = { code: 'daemon/in-use', data: { profile: 'office' } };
    await expect(client.call('remove', { profile: 'office' })).rejects.toMatchObject(inUse);
    await expect(client.call('rename', { profile: 'office', name: 'other' })).rejects.toMatchObject(inUse);
    await expect(client.call('import', { text: '{"name":"office"}', replace: true })).rejects.toMatchObject(inUse);
    await client.call('disconnect', {});
    await expect(client.call('remove', { profile: 'office' })).resolves.toEqual({});
  });

  it('takes no more profiles than the engine', async () => {
    const [office] = FAKE_PROFILES;
    if (!office) throw new Error('no profile');
    const profiles = Array.from({ length: FAKE_MOST_PROFILES }, (_, i) => ({ ...office, name: `p${i}`, locked: [] }));
    const client = createFakeEngine({ profiles }).connect();
    const add = client.call('import', { text: '{"name":"one more"}', replace: false });
    await expect(add).rejects.toMatchObject({ code: 'profile/too-many', data: { most: FAKE_MOST_PROFILES } });
    await expect(client.call('import', { text: '{"name":"p7"}', replace: true })).resolves.toBeDefined();
    await client.call('remove', { profile: 'p8' });
    await expect(client.call('import', { text: '{"name":"one more"}', replace: false })).resolves.toBeDefined();
  });

  it('ends every connection when it crashes', async () => {
    const engine = createFakeEngine();
    const client = engine.connect();
    engine.pace(1000);
    const pending = client.call('connect', { profile: 'office' });
    engine.crash();
    await expect(pending).rejects.toMatchObject({ code: 'ipc/disconnected' });
    await expect(client.closed).resolves.toMatchObject({ code: 'ipc/disconnected' });
    await expect(client.call('status', {})).rejects.toMatchObject({ code: 'ipc/disconnected' });
  });
});
