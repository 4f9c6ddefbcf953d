// The double behaves as the contract says, so that tests built on it mean something.
import { describe, expect, it } from 'vitest';
import { CALL_NAMES, type CallName, type EngineState, type Params } from '../../main/ipc/contract.ts';
import { createFakeEngine, FAKE_ERROR } from '../../main/ipc/fake.ts';

const PARAMS: { readonly [K in CallName]: Params<K> } = {
  hello: { contract: 1 },
  status: {},
  connect: { profile: 'office' },
  disconnect: {},
  answerPrompt: { id: 'p1', answer: null },
  list: {},
  profiles: {},
  import: { text: '{"name": "new"}', replace: false },
  importUrl: { url: 'https://example.com/p.json', replace: true },
  preview: { text: '{"name": "office"}' },
  previewUrl: { url: 'https://example.com/p.json' },
  rename: { profile: 'new', name: 'newer' },
  remove: { profile: 'newer' },
  lock: { profile: 'lab', locked: ['/mtu'], by: 'IT' },
  routes: { profile: 'office' },
  setRouteMode: { profile: 'office', mode: 'full' },
  setRouteOptions: { profile: 'office', allowLan: false },
  checkRoute: { profile: 'office', prefix: '10.0.0.0/8', kind: 'include' },
  addRoute: { profile: 'office', prefix: '192.168.7.0/24', kind: 'include' },
  editRoute: {
    profile: 'office',
    from: { prefix: '192.168.7.0/24', kind: 'include' },
    to: { prefix: '192.168.8.0/24', kind: 'include' },
  },
  removeRoute: { profile: 'office', prefix: '192.168.8.0/24', kind: 'include' },
  resetRoutes: { profile: 'office' },
  routeLookup: { target: '10.1.2.3' },
  mtu: { profile: 'office' },
  setMtu: { profile: 'office', choice: { mode: 'fixed', value: 1300 } },
  pathTest: {},
  cancelPathTest: {},
  checks: {},
  report: {},
  logs: { lines: 10 },
  samples: {},
  settings: {},
  setSettings: { theme: 'dark' },
  notice: { event: 'resume' },
  subscribe: { events: ['status'] },
};

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
