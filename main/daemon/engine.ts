// The engine behind the contract: profiles, and at most one session at a time. Everything it needs is handed in; the calls
// about profiles, routes, MTU and diagnosis are in files of their own and meet here.
import {
  CONTRACT_VERSION,
  type ContractError,
  type EngineState,
  type EventName,
  type Events,
  type Prompt,
  type Status,
  type TrafficStatistics,
  type TunnelInfo,
} from '../ipc/contract.ts';
import { EngineError, knownError } from '../ipc/error.ts';
import { MOST_LINE_BYTES } from '../ipc/framing.ts';
import { passes } from '../ipc/log-filter.ts';
import type { Caller, Implementation } from '../ipc/server.ts';
import { createTurns } from '../net/in-turn.ts';
import { secretsOf } from '../profile/authentication.ts';
import type { Profile } from '../profile/profile.ts';
import type { ProfileStore } from '../profile/store.ts';
import type { Clock } from '../session/clock.ts';
import type { Session } from '../session/deps.ts';
import type { Address } from '../wire/address.ts';
import { type AutoConnectDeps, createAutoConnect } from './auto-connect.ts';
import { createDesk, known } from './desk.ts';
import { diagnosticCalls } from './diagnostics.ts';
import type { GreSequences } from './gre-sequences.ts';
import { type EngineLog, fitting } from './log.ts';
import { mtuCalls } from './mtu.ts';
import { profileCalls } from './profiles.ts';
import type { PortAnswer } from './reach.ts';
import { routeCalls } from './routes.ts';
import { createSeries } from './samples.ts';
import type { SettingsStore } from './settings.ts';

/** Of an answer about the log: half of what a message may have. */
const MOST_LOG_BYTES = MOST_LINE_BYTES / 2;
/** Milliseconds between the liveness checks that measure the round trip. */
const LIVENESS_INTERVAL = 10_000;

export interface EngineOptions {
  readonly version: string;
  readonly store: ProfileStore;
  readonly log: EngineLog;
  readonly createSession: (profile: Profile) => Session;
  /** Connections begin after this: what a crashed run left must be gone first. */
  readonly ready: Promise<void>;
  /** Tells every subscriber; with `to`, those whom it answers true for. */
  readonly publish: <E extends EventName>(event: E, data: Events[E], to?: (caller: Caller) => boolean) => void;
  readonly settings: SettingsStore;
  readonly clock: Pick<Clock, 'now' | 'wall'>;
  readonly resolveHost: (name: string) => Promise<readonly Address[]>;
  readonly greSequences: Pick<GreSequences, 'rename' | 'remove'>;
  readonly fetchProfile: (url: string) => Promise<string>;
  readonly askPort: (address: Address, port: number, marker: boolean) => Promise<PortAnswer>;
  /** Where it sees which network this is; absent: it never connects by itself. */
  readonly surroundings?: Pick<AutoConnectDeps, 'reader' | 'monitor' | 'clock' | 'present'>;
}

export interface Engine {
  readonly implementation: Implementation;
  current<E extends EventName>(event: E, caller: Caller): Events[E] | undefined | Promise<Events[E] | undefined>;
  /** Once a second: takes a point of the time series while connected. `watched`: somebody looks at it. */
  sample(watched: boolean): void;
  readonly connected: boolean;
  readonly traffic: TrafficStatistics | undefined;
  /** Disconnects; no connection begins any more. */
  close(): Promise<void>;
}

interface Active {
  readonly profile: string;
  readonly session: Session;
}

export function createEngine(options: EngineOptions): Engine {
  const { store, log, publish, clock } = options;
  const series = createSeries();
  let livenessAt = 0;
  let lastError: ContractError | null = null;
  let active: Active | null = null;
  let closing = false;
  /** Raised by every disconnect: what was asked for before it and has not begun yet does not begin any more. */
  let generation = 0;
  /** Beginning and ending connections happens one after the other; waiting for a gateway does not hold it up. */
  const inTurn = createTurns(options.ready);
  const listeners = new Set<(state: EngineState) => void>();

  const state = (): EngineState => active?.session.state ?? { state: 'disconnected', lastError: null };

  const status = (): Status => ({
    version: options.version,
    pid: process.pid,
    engine: state(),
    traffic: active?.session.traffic() ?? null,
    blocked: blockedNow(),
  });

  /** What is refused so that it does not go around the tunnel. */
  const blockedNow = (): readonly string[] => {
    const now = state();
    if (now.state === 'connected') return now.tunnel.routes.blocked ?? [];
    const wasUp = now.state === 'reconnecting' || (now.state === 'connecting' && now.attempt > 1);
    return wasUp && held ? [...held.include, ...(held.blocked ?? [])] : [];
  };
  /** The routes of the tunnel that was up last: they stay while it is made anew. */
  let held: TunnelInfo['routes'] | null = null;

  const inUse = (): string | null => {
    const now = state();
    return active && (now.state !== 'disconnected' || active.session.traffic() !== null) ? active.profile : null;
  };
  const running = (): boolean => {
    const now = state().state;
    return now !== 'disconnected' && now !== 'failed';
  };

  const cancelled = (profile: string): EngineError => knownError('daemon/cancelled', { profile });

  /** `asked`: the generation in which somebody asked for it. */
  const begin = async (name: string, asked: number): Promise<Active> => {
    const stillWanted = (): void => {
      if (generation !== asked) throw cancelled(name);
    };
    if (closing) throw knownError('daemon/stopping');
    stillWanted();
    const now = state();
    if (active && running()) {
      if (active.profile === name && now.state !== 'disconnecting') {
        // It holds still until a person asks for it: that is now, and nothing has to be let go of first.
        if (now.state === 'reconnecting' && now.held) active.session.start();
        return active;
      }
      if (now.state !== 'disconnecting') throw knownError('daemon/busy', { profile: active.profile });
    }
    // Also one that has failed or is on its way down: everything it had must be gone.
    await active?.session.stop();
    stillWanted();
    // No edit between reading the profile and being the session that edits reach.
    return desk.inTurn(async () => {
      stillWanted();
      const { profile, warnings } = await store.read(name);
      stillWanted();
      log.hide(name, ...secretsOf(profile));
      for (const warning of warnings)
        log.add({ level: 'warn', area: 'profile', text: `profile "${name}": ${warning.text}` });
      const session = options.createSession(profile);
      const begun: Active = { profile: name, session };
      active = begun;
      series.clear();
      held = null;
      session.on((next) => {
        if (active !== begun) return;
        announce(next);
      });
      session.start();
      return begun;
    });
  };

  const announce = (next: EngineState): void => {
    log.add({ level: next.state === 'failed' ? 'error' : 'info', area: 'engine', text: describe(next) });
    if (next.state === 'connected') held = next.tunnel.routes;
    else mtu.cancel();
    if ('error' in next) lastError = next.error;
    if ('because' in next) lastError = next.because;
    publish('status', status());
    void tellViews();
    for (const listener of [...listeners]) listener(next);
  };

  /** Resolves when the connection is up; rejects with the reason it will not be. */
  const outcome = ({ profile, session }: Active): Promise<{ tunnel: TunnelInfo }> =>
    new Promise((resolve, reject) => {
      const look = (now: EngineState): boolean => {
        switch (now.state) {
          case 'connected':
            resolve({ tunnel: now.tunnel });
            return true;
          case 'failed':
            reject(new EngineError(now.error));
            return true;
          case 'disconnected':
            reject(cancelled(profile));
            return true;
          case 'reconnecting':
            if (!now.held) return false;
            reject(new EngineError(now.because));
            return true;
          case 'connecting':
          case 'disconnecting':
            return false;
        }
      };
      if (look(session.state)) return;
      const listener = (now: EngineState): void => {
        if (look(now)) listeners.delete(listener);
      };
      listeners.add(listener);
    });

  /** Routes and MTU of the profile in use, whose tunnel has just come, changed or gone. */
  const tellViews = async (): Promise<void> => {
    const view = await viewed();
    if (!view) return;
    publish('routes', desk.routes(view));
    publish('mtu', desk.mtu(view));
  };
  const viewed = async (): Promise<Profile | null> => {
    const name = inUse();
    // Removed, or damaged, while it was in use: there is nothing to show.
    return name === null ? null : store.load(name).catch(() => null);
  };

  const desk = createDesk({ store, log, publish, active: () => active });
  const mtu = mtuCalls({ desk, store, publish, active: () => active, now: clock.wall });
  const automatic = options.surroundings
    ? createAutoConnect({
        ...options.surroundings,
        settings: options.settings,
        running,
        connect: (profile) => connect(profile),
        publish: (network) => publish('network', network),
        note: (level, text) => log.add({ level, area: 'engine', text }),
      })
    : undefined;
  const implementation: Implementation = {
    hello: async (_, { role }) => ({ version: options.version, contract: CONTRACT_VERSION, role }),
    status: async () => status(),
    connect: ({ profile }) => {
      automatic?.accepted();
      return connect(profile);
    },
    disconnect: async () => {
      automatic?.declined();
      generation++;
      const going = active;
      // Not in turn where a session runs: a connection on its way up must be possible to end.
      await going?.session.stop();
      return {};
    },
    answerPrompt: async ({ id, answer }) => {
      if (!active?.session.answerPrompt(id, answer)) throw knownError('daemon/no-prompt');
      return {};
    },
    ...profileCalls({
      desk,
      store,
      log,
      fetchProfile: options.fetchProfile,
      greSequences: options.greSequences,
      inUse: (name) => active?.profile === name && running(),
    }),
    ...routeCalls({ desk, store, resolveHost: options.resolveHost, inUse }),
    ...mtu.calls,
    ...diagnosticCalls({
      desk,
      store,
      log,
      status,
      lastError: () => lastError,
      pathTest: () => mtu.test,
      inUse,
      resolveHost: options.resolveHost,
      askPort: options.askPort,
      now: clock.wall,
    }),
    logs: async ({ lines, filter }) => {
      const entries = filter
        ? log.newest(Number.MAX_SAFE_INTEGER).filter((entry) => passes(entry, filter))
        : log.newest(lines);
      return { entries: lines > 0 ? fitting(entries.slice(-lines), MOST_LOG_BYTES) : [] };
    },
    samples: async () => ({ samples: series.samples }),
    settings: async (_, { uid }) => options.settings.read(uid),
    setSettings: async (change, { uid }) => {
      const next = await options.settings.change(uid, change);
      publish('settings', next, (caller) => caller.uid === uid);
      if (change.autoConnect) void automatic?.settingsChanged(uid);
      return next;
    },
    notice: async ({ event, known: same = false }, { uid }) => {
      log.add({ level: 'info', area: 'engine', text: `the desktop reports: ${event}` });
      if (event === 'suspend') return {};
      // What was waited for may be there now; what was there may be gone.
      active?.session.retryNow();
      active?.session.checkLiveness();
      if (event === 'network') void automatic?.noticed(uid, same);
      else void automatic?.look();
      return {};
    },
  };

  async function connect(name: string): Promise<{ tunnel: TunnelInfo }> {
    const asked = generation;
    try {
      return await outcome(await inTurn(() => begin(name, asked)));
    } catch (error) {
      throw known(error);
    }
  }

  return {
    implementation,
    // Each event's type follows its name; the compiler cannot see it through the table.
    current<E extends EventName>(event: E, { uid }: Caller): Events[E] | undefined | Promise<Events[E] | undefined> {
      const now: { readonly [K in EventName]: () => Events[K] | undefined | Promise<Events[K] | undefined> } = {
        status,
        traffic: () => status().traffic ?? undefined,
        samples: () => series.samples,
        log: () => undefined,
        profiles: () => desk.profiles(),
        routes: async () => {
          const profile = await viewed();
          return profile ? desk.routes(profile) : undefined;
        },
        mtu: async () => {
          const profile = await viewed();
          return profile ? desk.mtu(profile) : undefined;
        },
        pathTest: () => mtu.test,
        settings: () => options.settings.read(uid),
        network: () => {
          // Told to everybody once it is read.
          if (automatic && !automatic.network) void automatic.look();
          return automatic?.network;
        },
      };
      return now[event]();
    },
    sample(watched) {
      const session = active?.session;
      const traffic = session?.traffic();
      if (!session || !traffic || state().state !== 'connected') return;
      const now = clock.now();
      // A liveness check is one small exchange; only where somebody looks, and not often.
      if (watched && now - livenessAt >= LIVENESS_INTERVAL) {
        livenessAt = now;
        session.checkLiveness();
      }
      const sample = series.add({ now, wall: clock.wall(), traffic, latency: session.latency() });
      if (sample) publish('samples', [sample]);
    },
    get traffic() {
      return active?.session.traffic() ?? undefined;
    },
    get connected() {
      return state().state === 'connected';
    },
    async close() {
      closing = true;
      automatic?.close();
      generation++;
      await inTurn(async () => active?.session.stop());
    },
  };
}

const waits = (prompt: Prompt | undefined): string => (prompt ? `, waits for a ${prompt.kind}` : '');

function describe(state: EngineState): string {
  switch (state.state) {
    case 'disconnected':
      return 'disconnected';
    case 'connecting':
      return `connecting with "${state.profile}": ${state.step}${state.attempt > 1 ? ` (attempt ${state.attempt})` : ''}${waits(state.prompt)}`;
    case 'connected':
      return `connected with "${state.profile}"${waits(state.prompt)}`;
    case 'reconnecting':
      return `reconnecting with "${state.profile}", because: ${state.because.message}`;
    case 'disconnecting':
      return `disconnecting from "${state.profile}"`;
    case 'failed':
      return `failed with "${state.profile}": ${state.error.code}`;
  }
}
