// What the fake engine is made of: profiles, its state, the time, and who listens. Its calls (the other fake-* files) read and change
// it; nothing else does.
import type {
  CallName,
  EngineState,
  EventName,
  Events,
  MtuView,
  Params,
  ProfileDetails,
  Result,
  Role,
  RoutesView,
  Status,
  TrafficSample,
  TrafficStatistics,
} from './contract.ts';
import { EngineError, ipcError, knownError } from './error.ts';
import { FAKE_PROFILES, fakeTunnel } from './fake-data.ts';
import { failure, fakeMtu, fakeRoutes, lockOf } from './fake-views.ts';

export interface FakeOptions {
  readonly profiles?: readonly ProfileDetails[];
  readonly role?: Role;
  /** Unix milliseconds at the start. */
  readonly now?: number;
}

/** One end that listens. */
export interface Connection {
  readonly events: Set<EventName>;
  readonly send: (message: unknown) => void;
  readonly end: () => void;
}

export type Handlers = {
  readonly [K in CallName]: (params: Params<K>, from: Connection) => Result<K> | Promise<Result<K>>;
};

export const NO_TRAFFIC: TrafficStatistics = {
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  counters: {},
  lastInboundAgo: null,
};

export interface World {
  readonly role: Role;
  readonly connections: Set<Connection>;
  now: number;
  profiles: readonly ProfileDetails[];
  readonly state: EngineState;
  traffic: TrafficStatistics;
  samples: readonly TrafficSample[];
  publish<E extends EventName>(event: E, data: Events[E]): void;
  status(): Status;
  /** Shows this state, tells the subscribers, and ends what waits for it. */
  setState(next: EngineState): void;
  /** Resolves once connected; rejects with the reason it will not be. */
  connected(): Promise<Result<'connect'>>;
  /** Throws EngineError where there is none. */
  find(name: string): ProfileDetails;
  /** The engine is connected with it, or about to be. */
  inUse(name: string): boolean;
  /** Replaces the profiles, and tells. */
  setProfiles(next: readonly ProfileDetails[]): void;
  changeProfile(name: string, change: (profile: ProfileDetails) => ProfileDetails): ProfileDetails;
  /** Throws EngineError where the caller is no administrator and this part is locked. */
  demandUnlocked(profile: ProfileDetails, pointer: string): void;
  routesOf(profile: ProfileDetails): RoutesView;
  mtuOf(profile: ProfileDetails): MtuView;
}

export function createWorld(options: FakeOptions): World {
  const role = options.role ?? 'user';
  const connections = new Set<Connection>();
  const waiting: { resolve: (result: Result<'connect'>) => void; reject: (error: EngineError) => void }[] = [];
  let state: EngineState = { state: 'disconnected', lastError: null };

  const isLive = (profile: ProfileDetails): boolean => state.state === 'connected' && state.profile === profile.name;

  const settle = (next: EngineState): void => {
    switch (next.state) {
      case 'connected':
        for (const one of waiting.splice(0)) one.resolve({ tunnel: next.tunnel });
        break;
      case 'failed':
        for (const one of waiting.splice(0)) one.reject(new EngineError(next.error));
        break;
      case 'disconnected':
        for (const one of waiting.splice(0)) one.reject(knownError('daemon/cancelled', { profile: '' }));
        break;
      case 'connecting':
      case 'reconnecting':
      case 'disconnecting':
        break;
    }
  };

  const world: World = {
    role,
    connections,
    now: options.now ?? 1_700_000_000_000,
    profiles: [...(options.profiles ?? FAKE_PROFILES)],
    get state() {
      return state;
    },
    traffic: NO_TRAFFIC,
    samples: [],
    publish(event, data) {
      for (const connection of connections) if (connection.events.has(event)) connection.send({ event, data });
    },
    status: () => ({
      version: '0.0.0-fake',
      pid: 1,
      engine: state,
      traffic: state.state === 'connected' || state.state === 'reconnecting' ? world.traffic : null,
      blocked: state.state === 'reconnecting' ? world.find(state.profile).routes.include : [],
    }),
    setState(next) {
      state = next;
      world.publish('status', world.status());
      settle(next);
    },
    connected: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
    find(name) {
      const found = world.profiles.find((profile) => profile.name === name);
      if (found) return found;
      throw failure(
        'profile/not-found',
        `There is no profile "${name}".`,
        '`culvert list` shows the profiles there are.',
      );
    },
    inUse: (name) => 'profile' in state && state.state !== 'failed' && state.profile === name,
    setProfiles(next) {
      world.profiles = next;
      world.publish('profiles', { profiles: next, broken: [] });
    },
    changeProfile(name, change) {
      const next = change(world.find(name));
      world.setProfiles(world.profiles.map((profile) => (profile.name === name ? next : profile)));
      if (state.state === 'connected' && state.profile === name)
        world.setState({ ...state, tunnel: fakeTunnel(next, world.mtuOf(next).value, state.tunnel.since) });
      return next;
    },
    demandUnlocked(profile, pointer) {
      const lock = lockOf(profile, pointer);
      if (lock && role !== 'administrator')
        throw ipcError(
          'ipc/not-allowed',
          `${lock.by ?? 'Your administrator'} has locked this part of the profile "${profile.name}".`,
          'Ask them to change it, or do it as administrator.',
          { pointer: lock.pointer, by: lock.by },
        );
    },
    routesOf: (profile) => fakeRoutes(profile, isLive(profile)),
    mtuOf: (profile) => fakeMtu(profile, isLive(profile)),
  };
  return world;
}
