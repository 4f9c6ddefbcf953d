// A double of the engine, in memory: implements every call and event of the contract, for tests of whatever speaks it and
// for the interface in development. What it answers goes through JSON and through the contract's own checks, like the real
// one's. Time does not pass by itself: `advance` (a test, or a timer of the page) moves it. Nothing of Node or the browser.
// A file for each group of calls; what they share is in fake-world.ts.
import {
  CALLS,
  CAPABILITIES,
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
  type Network,
  type Params,
  type Result,
  type Settings,
} from './contract.ts';
import { EngineError, ipcError, knownError } from './error.ts';
import { createConnection } from './fake-connection.ts';
import { createDiagnostics } from './fake-diagnostics.ts';
import { createMtu } from './fake-mtu.ts';
import { profileHandlers } from './fake-profiles.ts';
import { routeHandlers } from './fake-routes.ts';
import { type Connection, createWorld, type FakeOptions, type Handlers } from './fake-world.ts';
import { createProxy } from './proxy.ts';

export { FAKE_ERROR, FAKE_PROFILES, fakeStates, fakeTunnel } from './fake-data.ts';
export { FAKE_MOST_PROFILES } from './fake-profiles.ts';
export type { FakeOptions } from './fake-world.ts';

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

const NETWORK: Network = { kind: 'wifi', name: 'Office', secured: true };
/** How much time passes at once, in milliseconds. */
const STEP = 100;

export function createFakeEngine(options: FakeOptions = {}): FakeEngine {
  const world = createWorld(options);
  const connection = createConnection(world);
  const mtu = createMtu(world);
  const diagnostics = createDiagnostics(world);
  const calls: { name: CallName; params: unknown }[] = [];
  const failing = new Map<CallName, ContractError>();
  let settings: Settings = DEFAULT_SETTINGS;

  const handlers: Handlers = {
    hello: ({ contract }) => ({ version: '0.0.0-fake', contract, role: world.role }),
    status: () => world.status(),
    ...connection.calls,
    ...profileHandlers(world),
    ...routeHandlers(world),
    ...mtu.calls,
    ...diagnostics.calls,
    settings: () => settings,
    setSettings: (change) => {
      settings = { ...settings, ...change };
      world.publish('settings', settings);
      return settings;
    },
    notice: () => ({}),
    subscribe: ({ events }, from) => {
      from.events.clear();
      for (const event of events) from.events.add(event);
      const now = current();
      queueMicrotask(() => {
        for (const event of events) if (now[event] !== undefined) from.send({ event, data: now[event] });
      });
      return {};
    },
  };

  const current = (): { readonly [E in EventName]?: Events[E] | undefined } => {
    const { state, profiles, samples } = world;
    const profile = 'profile' in state ? profiles.find(({ name }) => name === state.profile) : undefined;
    return {
      status: world.status(),
      traffic: world.status().traffic ?? undefined,
      samples,
      profiles: { profiles, broken: [] },
      routes: profile && world.routesOf(profile),
      mtu: profile && world.mtuOf(profile),
      pathTest: mtu.test,
      settings,
      network: NETWORK,
    };
  };

  const perform = async <K extends CallName>(name: K, params: unknown, from: Connection): Promise<Result<K>> => {
    const problem = checkStrict<unknown>(CALLS[name].params, params);
    if (problem)
      throw ipcError(
        'ipc/bad-params',
        `${name}: ${problem.pointer || 'params'}: ${problem.message}`,
        'Fix the caller.',
      );
    calls.push({ name, params });
    if (!CAPABILITIES[world.role].includes(CALLS[name].needs)) throw knownError('ipc/not-allowed', { call: name });
    const error = failing.get(name);
    if (error) throw new EngineError(error);
    return handlers[name](params as Params<K>, from);
  };

  return {
    calls,
    setState: world.setState,
    publish: world.publish,
    get state() {
      return world.state;
    },
    fail(name, error) {
      if (error) failing.set(name, error);
      else failing.delete(name);
    },
    failConnect(error) {
      connection.failWith = error;
    },
    pace(milliseconds) {
      connection.pace = milliseconds;
    },
    advance(milliseconds) {
      const end = world.now + milliseconds;
      while (world.now < end) {
        world.now = Math.min(end, world.now + STEP);
        mtu.tick();
        connection.tick();
      }
    },
    log: diagnostics.log,
    crash() {
      for (const one of [...world.connections]) one.end();
    },
    connect() {
      let open = true;
      const proxy = createProxy({
        send(message) {
          if (!open) return false;
          const { id, call, params } = JSON.parse(message) as { id: number; call: string; params: unknown };
          if (!isCallName(call)) throw new RangeError(`no call ${call}`);
          perform(call, params, here).then(
            (result) => here.send({ id, result }),
            (error: unknown) => {
              if (!(error instanceof EngineError)) throw error;
              here.send({ id, error: error.toContract() });
            },
          );
          return true;
        },
        close: () => here.end(),
      });
      const here: Connection = {
        events: new Set(),
        send: (message) => {
          const text = JSON.stringify(message);
          queueMicrotask(() => open && proxy.hear(text));
        },
        end: () => {
          open = false;
          world.connections.delete(here);
          queueMicrotask(() => proxy.ended());
        },
      };
      world.connections.add(here);
      return proxy;
    },
  };
}
