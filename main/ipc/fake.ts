// A double of the engine, in memory: implements every call and event of the contract, for tests of whatever speaks it and
// for the interface in development. What it answers goes through JSON and through the contract's own checks, like the real
// one's. Time does not pass by itself: `advance` (a test, or a timer of the page) moves it. Nothing of Node or the browser.
import {
  CALLS,
  type CallName,
  type ContractClient,
  type ContractError,
  checkStrict,
  DEFAULT_SETTINGS,
  type EngineState,
  type EventName,
  type Events,
  isCallName,
  type LogEntry,
  type MtuView,
  type Network,
  type Params,
  type PathTest,
  type PathTestResult,
  type ProfileDetails,
  type Result,
  type Role,
  type RouteKind,
  type RoutesView,
  type Settings,
  type Status,
  type TrafficSample,
  type TrafficStatistics,
} from './contract.ts';
import { EngineError } from './error.ts';
import { FAKE_PROFILES, fakeTunnel } from './fake-data.ts';
import {
  badPrefix,
  failure,
  fakeCheck,
  fakeMtu,
  fakeRoutes,
  fakeSample,
  fetched,
  isPrefix,
  lockOf,
  meantBy,
  sameStart,
  withSample,
} from './fake-views.ts';
import { createProxy } from './proxy.ts';

export { FAKE_ERROR, FAKE_PROFILES, fakeStates, fakeTunnel } from './fake-data.ts';

export interface FakeOptions {
  readonly profiles?: readonly ProfileDetails[];
  readonly role?: Role;
  /** Unix milliseconds at the start. */
  readonly now?: number;
}

export interface FakeEngine {
  /** A new connection. */
  connect(): ContractClient;
  /** What was called so far, oldest first. */
  readonly calls: readonly { readonly name: CallName; readonly params: unknown }[];
  /** Shows this state, and tells the subscribers. */
  setState(state: EngineState): void;
  readonly state: EngineState;
  /** From now on this call rejects so; null: works again. */
  fail(name: CallName, error: ContractError | null): void;
  /** `connect` fails so after its steps; null: succeeds. */
  failConnect(error: ContractError | null): void;
  /** Lets time pass: steps of connecting, one sample a second, progress of a path test. */
  advance(milliseconds: number): void;
  /** Milliseconds that each step of connecting takes; 0 (at the start): `connect` is done at once. */
  pace(milliseconds: number): void;
  log(entry: Omit<LogEntry, 'time'>): void;
  publish<E extends EventName>(event: E, data: Events[E]): void;
  /** The engine dies: every connection ends. */
  crash(): void;
}

type Handlers = { readonly [K in CallName]: (params: Params<K>, from: Connection) => Result<K> | Promise<Result<K>> };

interface Connection {
  readonly events: Set<EventName>;
  readonly send: (message: unknown) => void;
  readonly end: () => void;
}

const NETWORK: Network = { kind: 'wifi', name: 'Office', secured: true };
const STEPS = ['resolve', 'socket', 'sa-init', 'auth', 'tun', 'routes'] as const;
const NO_TRAFFIC: TrafficStatistics = {
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  counters: {},
  lastInboundAgo: null,
};
export function createFakeEngine(options: FakeOptions = {}): FakeEngine {
  const role = options.role ?? 'user';
  const connections = new Set<Connection>();
  const calls: { name: CallName; params: unknown }[] = [];
  const failing = new Map<CallName, ContractError>();
  let now = options.now ?? 1_700_000_000_000;
  let profiles: ProfileDetails[] = [...(options.profiles ?? FAKE_PROFILES)];
  let state: EngineState = { state: 'disconnected', lastError: null };
  let connectError: ContractError | null = null;
  let stepTime = 0;
  let stepAt = 0;
  const settle: { resolve: (result: Result<'connect'>) => void; reject: (error: EngineError) => void }[] = [];
  let traffic = NO_TRAFFIC;
  let samples: TrafficSample[] = [];
  let sampledAt = now;
  let test: PathTest = { state: 'idle', last: null };
  let testDone: ((result: PathTestResult) => void) | null = null;
  let testCancelled: ((error: EngineError) => void) | null = null;
  let settings: Settings = DEFAULT_SETTINGS;
  const entries: LogEntry[] = [];

  const publish = <E extends EventName>(event: E, data: Events[E]): void => {
    for (const connection of connections) if (connection.events.has(event)) connection.send({ event, data });
  };
  const status = (): Status => ({
    version: '0.0.0-fake',
    pid: 1,
    engine: state,
    traffic: state.state === 'connected' || state.state === 'reconnecting' ? traffic : null,
    blocked: state.state === 'reconnecting' ? find(state.profile).routes.include : [],
  });
  const find = (name: string): ProfileDetails => {
    const found = profiles.find((profile) => profile.name === name);
    if (found) return found;
    throw failure(
      'profile/not-found',
      `There is no profile "${name}".`,
      '`culvert list` shows the profiles there are.',
    );
  };
  const changeProfile = (name: string, change: (profile: ProfileDetails) => ProfileDetails): ProfileDetails => {
    const next = change(find(name));
    profiles = profiles.map((profile) => (profile.name === name ? next : profile));
    publish('profiles', { profiles, broken: [] });
    if (state.state === 'connected' && state.profile === name) {
      const { value } = mtuOf(next);
      setState({ ...state, tunnel: { ...fakeTunnel(next, value, state.tunnel.since) } });
    }
    return next;
  };
  const setState = (next: EngineState): void => {
    state = next;
    publish('status', status());
    if (next.state === 'connected') for (const one of settle.splice(0)) one.resolve({ tunnel: next.tunnel });
    if (next.state === 'failed') for (const one of settle.splice(0)) one.reject(new EngineError(next.error));
    if (next.state === 'disconnected')
      for (const one of settle.splice(0))
        one.reject(failure('daemon/cancelled', 'The connection was ended before it was up.', 'Connect again.'));
  };
  const unlocked = (profile: ProfileDetails, pointer: string): void => {
    const lock = lockOf(profile, pointer);
    if (lock && role !== 'administrator')
      throw failure(
        'ipc/not-allowed',
        `${lock.by ?? 'Your administrator'} has locked this part of the profile "${profile.name}".`,
        'Ask them to change it, or do it as administrator.',
        { pointer: lock.pointer, by: lock.by },
      );
  };

  const goOn = (): void => {
    if (state.state !== 'connecting') return;
    const step = STEPS[STEPS.indexOf(state.step) + 1];
    if (step) {
      setState({ ...state, step });
      return;
    }
    if (connectError) {
      setState({ state: 'failed', profile: state.profile, error: connectError });
      return;
    }
    traffic = NO_TRAFFIC;
    samples = [];
    sampledAt = now;
    const profile = find(state.profile);
    setState({ state: 'connected', profile: profile.name, tunnel: fakeTunnel(profile, mtuOf(profile).value, now) });
  };

  const isLive = (profile: ProfileDetails): boolean => state.state === 'connected' && state.profile === profile.name;
  const routesOf = (profile: ProfileDetails): RoutesView => fakeRoutes(profile, isLive(profile));
  const editRoutes = (
    name: string,
    pointer: string,
    change: (routes: ProfileDetails['routes']) => ProfileDetails['routes'],
  ): RoutesView => {
    unlocked(find(name), pointer);
    const view = routesOf(
      changeProfile(name, (profile) => ({
        ...profile,
        routes: change(profile.routes),
        changed: [...new Set([...profile.changed, pointer])],
      })),
    );
    publish('routes', view);
    return view;
  };
  const withRoute = (name: string, kind: RouteKind, from: string | null, to: string | null): RoutesView => {
    if (to !== null && !isPrefix(to)) throw badPrefix(to);
    return editRoutes(name, `/routes/${kind}`, (routes) => {
      const kept = routes[kind].filter((prefix) => prefix !== from && prefix !== to);
      return { ...routes, [kind]: to === null ? kept : [...kept, to] };
    });
  };
  const mtuOf = (profile: ProfileDetails): MtuView => fakeMtu(profile, isLive(profile));
  const summary = ({ name, gateway, shape }: ProfileDetails) => ({ name, gateway, shape });
  const read = (content: string): ProfileDetails => {
    const template = FAKE_PROFILES[0] as ProfileDetails;
    const name = /"name"\s*:\s*"([^"]+)"/.exec(content)?.[1];
    if (!name)
      throw failure('profile/syntax', 'This is not a profile.', 'Choose the file that your administrator gave you.', {
        pointer: '/name',
      });
    return { ...template, name, locked: [], changed: [] };
  };
  const store = (content: string, replace: boolean): Result<'import'> => {
    const added = read(content);
    if (profiles.some(({ name }) => name === added.name) && !replace)
      throw failure('profile/exists', `There is a profile "${added.name}" already.`, 'Replace it, or rename one.');
    profiles = [...profiles.filter(({ name }) => name !== added.name), added];
    publish('profiles', { profiles, broken: [] });
    return { profile: summary(added), warnings: [] };
  };
  const describe = (content: string): Result<'preview'> => {
    const profile = read(content);
    return { profile, warnings: [], exists: profiles.some(({ name }) => name === profile.name) };
  };

  const handlers: Handlers = {
    hello: ({ contract }) => ({ version: '0.0.0-fake', contract, role }),
    status,
    connect: ({ profile }) => {
      find(profile);
      setState({ state: 'connecting', profile, step: 'resolve', attempt: 1 });
      stepAt = now + stepTime;
      const done = new Promise<Result<'connect'>>((resolve, reject) => settle.push({ resolve, reject }));
      if (stepTime === 0) while (state.state === 'connecting') goOn();
      return done;
    },
    disconnect: () => {
      if (state.state !== 'disconnected') setState({ state: 'disconnected', lastError: null });
      return {};
    },
    answerPrompt: ({ id }) => {
      if ((state.state !== 'connecting' && state.state !== 'connected') || state.prompt?.id !== id)
        throw failure('daemon/no-prompt', 'This question is not open any more.', 'Connect again.');
      const { prompt: _, ...rest } = state;
      setState(rest);
      return {};
    },
    list: () => ({ profiles: profiles.map(summary) }),
    profiles: () => ({ profiles, broken: [] }),
    import: ({ text, replace }) => store(text, replace),
    importUrl: ({ url, replace }) => store(fetched(url), replace),
    preview: ({ text }) => describe(text),
    previewUrl: ({ url }) => describe(fetched(url)),
    rename: ({ profile, name }) => {
      unlocked(find(profile), '/name');
      if (profiles.some((other) => other.name === name))
        throw failure('profile/exists', `There is a profile "${name}" already.`, 'Choose another name.');
      changeProfile(profile, (old) => ({ ...old, name }));
      return {};
    },
    remove: ({ profile }) => {
      unlocked(find(profile), '');
      profiles = profiles.filter(({ name }) => name !== profile);
      publish('profiles', { profiles, broken: [] });
      return {};
    },
    lock: ({ profile, locked, by }) =>
      changeProfile(profile, (old) => ({ ...old, locked: locked.map((pointer) => ({ pointer, by })) })),
    routes: ({ profile }) => routesOf(find(profile)),
    setRouteMode: ({ profile, mode }) =>
      editRoutes(profile, '/routes/include', (routes) => {
        const others = routes.include.filter((prefix) => !prefix.endsWith('/0'));
        return { ...routes, mode, include: mode === 'full' ? ['0.0.0.0/0', '::/0', ...others] : others };
      }),
    setRouteOptions: ({ profile, allowLan, fromGateway }) =>
      editRoutes(profile, allowLan === undefined ? '/routes/fromGateway' : '/routes/allowLan', (routes) => ({
        ...routes,
        allowLan: allowLan ?? routes.allowLan,
        fromGateway: fromGateway ?? routes.fromGateway,
      })),
    checkRoute: ({ profile, prefix, kind }) => {
      const problem = (code: string, severity: 'error' | 'warning', data?: ContractError['data']) => ({
        ...failure(`routes/${code}`, `${prefix}: ${code}.`, 'Write another one.', data).toContract(),
        field: 'prefix',
        severity,
      });
      if (!isPrefix(prefix)) return { prefix: null, problems: [problem('syntax', 'error')] };
      const meant = meantBy(prefix);
      if (meant !== prefix) return { prefix: null, problems: [problem('not-a-network', 'error', { meant })] };
      if (prefix.endsWith('/0')) return { prefix: null, problems: [problem('everything', 'error')] };
      if (find(profile).routes[kind].includes(prefix))
        return { prefix: null, problems: [problem('duplicate', 'error')] };
      const covers = find(profile).routes.include.find((wider) => wider === '10.0.0.0/8' && prefix.startsWith('10.'));
      return { prefix, problems: kind === 'include' && covers ? [problem('covered', 'warning', { covers })] : [] };
    },
    addRoute: ({ profile, prefix, kind }) => withRoute(profile, kind, null, prefix),
    editRoute: ({ profile, from, to }) => {
      if (from.kind !== to.kind) withRoute(profile, from.kind, from.prefix, null);
      return withRoute(profile, to.kind, from.prefix, to.prefix);
    },
    removeRoute: ({ profile, prefix, kind }) => withRoute(profile, kind, prefix, null),
    resetRoutes: ({ profile }) => {
      const original = FAKE_PROFILES.find(({ name }) => name === profile) ?? find(profile);
      const view = editRoutes(profile, '/routes/include', () => original.routes);
      changeProfile(profile, (old) => ({ ...old, changed: old.changed.filter((p) => !p.startsWith('/routes')) }));
      return { ...view, changed: false };
    },
    routeLookup: ({ target, profile: name }) => {
      const profile = find(name ?? ('profile' in state ? state.profile : (profiles[0]?.name ?? '')));
      // Enough for a page: by the first number. The real engine looks prefixes up.
      const rule = profile.routes.include.find((prefix) => prefix.endsWith('/0') || sameStart(prefix, target));
      return {
        target,
        profile: profile.name,
        live: routesOf(profile).live,
        answers: [
          {
            address: /^[\d.]+$/.test(target) ? target : '192.0.2.80',
            way: rule ? 'tunnel' : 'direct',
            rule: rule ? { prefix: rule, kind: 'include', origin: 'profile' } : null,
            because: rule ? `${rule} goes through the tunnel.` : 'No route of the tunnel covers it.',
          },
        ],
      };
    },
    mtu: ({ profile }) => mtuOf(find(profile)),
    setMtu: ({ profile, choice }) => {
      unlocked(find(profile), '/mtu/value');
      const view = mtuOf(
        changeProfile(profile, (old) => ({
          ...old,
          mtu:
            choice.mode === 'fixed'
              ? { ...old.mtu, value: choice.value }
              : { ...old.mtu, value: null, path: choice.path ?? old.mtu.path },
          changed: [...new Set([...old.changed, '/mtu/value'])],
        })),
      );
      publish('mtu', view);
      return view;
    },
    pathTest: () => {
      if (state.state !== 'connected')
        throw failure('daemon/not-connected', 'There is no tunnel whose path could be tested.', 'Connect first.');
      setTest({ state: 'running', progress: 0, probing: 1280, works: null, fails: null });
      return new Promise((resolve, reject) => {
        testDone = resolve;
        testCancelled = reject;
      });
    },
    cancelPathTest: () => {
      setTest({ state: 'idle', last: null });
      testCancelled?.(failure('daemon/cancelled', 'The test was ended.', 'Start it again.'));
      return {};
    },
    checks: () => ({
      checks: [
        fakeCheck('tun', 'pass', 'Tunnel device', 'A TUN device can be made.'),
        fakeCheck(
          'gateway-reachable',
          state.state === 'failed' ? 'fail' : 'pass',
          'Gateway',
          'vpn.example.com answers.',
        ),
        fakeCheck('mtu-black-hole', 'warn', 'Large packets', 'Large packets may be lost on the way.'),
      ],
      drops: [{ name: 'inAuthFailed', meaning: 'the integrity check value does not verify', packets: 2 }],
      lastError: state.state === 'failed' ? state.error : null,
    }),
    report: () => ({ text: 'Culvert report (fake)\n', json: '{"culvert":"0.0.0-fake"}' }),
    logs: ({ lines }) => ({ entries: lines === 0 ? [] : entries.slice(-lines) }),
    samples: () => ({ samples }),
    settings: () => settings,
    setSettings: (change) => {
      settings = { ...settings, ...change };
      publish('settings', settings);
      return settings;
    },
    notice: () => ({}),
    subscribe: ({ events }, from) => {
      from.events.clear();
      for (const event of events) from.events.add(event);
      const current: { readonly [E in EventName]?: Events[E] | undefined } = {
        status: status(),
        traffic: status().traffic ?? undefined,
        samples,
        profiles: { profiles, broken: [] },
        routes: 'profile' in state ? routesOf(find(state.profile)) : undefined,
        mtu: 'profile' in state ? mtuOf(find(state.profile)) : undefined,
        pathTest: test,
        settings,
        network: NETWORK,
      };
      queueMicrotask(() => {
        for (const event of events) if (current[event] !== undefined) from.send({ event, data: current[event] });
      });
      return {};
    },
  };

  const setTest = (next: PathTest): void => {
    test = next;
    publish('pathTest', test);
  };
  const tick = (): void => {
    if (state.state === 'connecting' && stepTime > 0 && now >= stepAt) {
      stepAt = now + stepTime;
      goOn();
    }
    if (test.state === 'running') advanceTest(test.progress + 0.1);
    if (state.state === 'connected' && now - sampledAt >= 1000) sample();
  };
  const advanceTest = (progress: number): void => {
    if (progress < 0.999) {
      setTest({ state: 'running', progress, probing: 1280 + Math.round(220 * progress), works: 1280, fails: 1501 });
      return;
    }
    const result: PathTestResult = {
      path: 1500,
      mtu: 1414,
      assumed: 1500,
      probes: [{ size: 1500, tries: 1, arrived: true, milliseconds: 12 }],
      roundTrip: 12,
      finished: now,
      verdict: 'Packets of 1500 bytes cross the path: nothing needs to change.',
    };
    setTest({ state: 'idle', last: result });
    testDone?.(result);
  };
  const sample = (): void => {
    sampledAt = now;
    const point = fakeSample(now);
    samples = [...samples, point].slice(-600);
    traffic = withSample(traffic, point);
    publish('traffic', traffic);
    publish('samples', [point]);
  };

  const perform = async <K extends CallName>(name: K, params: unknown, from: Connection): Promise<Result<K>> => {
    const problem = checkStrict<unknown>(CALLS[name].params, params);
    if (problem)
      throw failure('ipc/bad-params', `${name}: ${problem.pointer || 'params'}: ${problem.message}`, 'Fix the caller.');
    calls.push({ name, params });
    if (role === 'user' && CALLS[name].needs === 'administer')
      throw failure('ipc/not-allowed', 'Only an administrator may do this.', 'Ask yours.', { call: name });
    const error = failing.get(name);
    if (error) throw new EngineError(error);
    return handlers[name](params as Params<K>, from);
  };

  return {
    calls,
    setState,
    publish,
    get state() {
      return state;
    },
    fail(name, error) {
      if (error) failing.set(name, error);
      else failing.delete(name);
    },
    failConnect(error) {
      connectError = error;
    },
    pace(milliseconds) {
      stepTime = milliseconds;
    },
    advance(milliseconds) {
      const end = now + milliseconds;
      while (now < end) {
        now = Math.min(end, now + 100);
        tick();
      }
    },
    log(entry) {
      const full: LogEntry = { time: now, ...entry };
      entries.push(full);
      publish('log', full);
    },
    crash() {
      for (const connection of [...connections]) connection.end();
    },
    connect() {
      let open = true;
      const proxy = createProxy({
        send(message) {
          if (!open) return false;
          const { id, call, params } = JSON.parse(message) as { id: number; call: string; params: unknown };
          if (!isCallName(call)) throw new RangeError(`no call ${call}`);
          perform(call, params, connection).then(
            (result) => connection.send({ id, result }),
            (error: unknown) => {
              if (!(error instanceof EngineError)) throw error;
              connection.send({ id, error: error.toContract() });
            },
          );
          return true;
        },
        close: () => connection.end(),
      });
      const connection: Connection = {
        events: new Set(),
        send: (message) => {
          const text = JSON.stringify(message);
          queueMicrotask(() => open && proxy.hear(text));
        },
        end: () => {
          open = false;
          connections.delete(connection);
          queueMicrotask(() => proxy.ended());
        },
      };
      connections.add(connection);
      return proxy;
    },
  };
}
