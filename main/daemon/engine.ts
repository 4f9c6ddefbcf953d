// The engine behind the contract: profiles, and at most one session at a time. Everything it needs is handed in.
import {
  CONTRACT_VERSION,
  type ContractError,
  type EngineState,
  type EventName,
  type Events,
  type ProfileSummary,
  type Status,
  type TunnelInfo,
} from '../ipc/contract.ts';
import { EngineError } from '../ipc/error.ts';
import type { Implementation } from '../ipc/server.ts';
import { parseProfile } from '../profile/parse.ts';
import { ProfileError } from '../profile/problem.ts';
import type { Profile } from '../profile/profile.ts';
import type { ProfileStore } from '../profile/store.ts';
import type { Session } from '../session/deps.ts';
import type { EngineLog } from './log.ts';

export interface EngineOptions {
  readonly version: string;
  readonly store: ProfileStore;
  readonly log: EngineLog;
  readonly createSession: (profile: Profile) => Session;
  /** Connections begin after this: what a crashed run left must be gone first. */
  readonly ready: Promise<void>;
  /** Tells every subscriber. */
  readonly publish: <E extends EventName>(event: E, data: Events[E]) => void;
}

export interface Engine {
  readonly implementation: Partial<Implementation>;
  current<E extends EventName>(event: E): Events[E] | undefined;
  /** The session's traffic, while one is connected. */
  readonly connected: boolean;
  /** Disconnects; no connection begins any more. */
  close(): Promise<void>;
}

interface Active {
  readonly profile: string;
  readonly session: Session;
}

function daemonError(code: string, message: string, remedy: string, data?: ContractError['data']): EngineError {
  return new EngineError({ code: `daemon/${code}`, message, remedy, ...(data ? { data } : {}) });
}

export function createEngine(options: EngineOptions): Engine {
  const { store, log } = options;
  let active: Active | null = null;
  let closing = false;
  /** Beginning and ending connections happens one after the other; waiting for a gateway does not hold it up. */
  let turn: Promise<unknown> = options.ready.catch(() => {});
  const listeners = new Set<(state: EngineState) => void>();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };

  const state = (): EngineState => active?.session.state ?? { state: 'disconnected', lastError: null };

  const status = (): Status => ({
    version: options.version,
    pid: process.pid,
    engine: state(),
    traffic: active?.session.traffic() ?? null,
  });

  const begin = async (name: string): Promise<Active> => {
    if (closing) throw daemonError('stopping', 'The engine is stopping.', 'Start it again with `sudo culvert daemon`.');
    const now = state();
    const running = now.state !== 'disconnected' && now.state !== 'failed';
    if (active && running) {
      if (active.profile === name && now.state !== 'disconnecting') return active;
      if (now.state !== 'disconnecting')
        throw daemonError(
          'busy',
          `The engine is ${now.state === 'connected' ? 'connected' : 'connecting'} with the profile "${active.profile}" already.`,
          'Disconnect first: `culvert down`.',
          { profile: active.profile },
        );
    }
    // Also one that has failed or is on its way down: everything it had must be gone.
    await active?.session.stop();
    const profile = await store.load(name);
    log.hide(profile.authentication.secret);
    const session = options.createSession(profile);
    const begun: Active = { profile: name, session };
    active = begun;
    session.on((next) => {
      if (active !== begun) return;
      announce(next);
    });
    session.start();
    return begun;
  };

  const announce = (next: EngineState): void => {
    log.add({ level: next.state === 'failed' ? 'error' : 'info', area: 'engine', text: describe(next) });
    options.publish('status', status());
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
            reject(
              daemonError(
                'cancelled',
                `The connection with the profile "${profile}" was ended before it was up.`,
                'Connect again, if it was not you who ended it.',
              ),
            );
            return true;
          case 'connecting':
          case 'reconnecting':
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

  const implementation: Partial<Implementation> = {
    hello: async () => ({ version: options.version, contract: CONTRACT_VERSION }),
    status: async () => status(),
    connect: async ({ profile }) => outcome(await known(inTurn(() => begin(profile)))),
    disconnect: async () => {
      const going = active;
      // Not in turn where a session runs: a connection on its way up must be possible to end.
      await going?.session.stop();
      return {};
    },
    import: ({ text, replace }) =>
      known(
        (async () => {
          const parsed = parseProfile(text);
          log.hide(parsed.profile.authentication.secret);
          const replaced = await store.save(parsed, replace);
          const { name } = parsed.profile;
          log.add({ level: 'info', area: 'profile', text: `profile "${name}" ${replaced ? 'replaced' : 'imported'}` });
          for (const warning of parsed.warnings)
            log.add({ level: 'warn', area: 'profile', text: `profile "${name}": ${warning}` });
          return { profile: summaryOf(parsed.profile), warnings: parsed.warnings };
        })(),
      ),
    list: () =>
      known(
        store.list().then(({ profiles, broken }) => {
          for (const { name, error } of broken)
            log.add({ level: 'warn', area: 'profile', text: `profile "${name}" cannot be used: ${error.message}` });
          return { profiles: profiles.map(summaryOf) };
        }),
      ),
    remove: ({ profile }) =>
      known(
        inTurn(async () => {
          const now = state();
          if (active?.profile === profile && now.state !== 'disconnected' && now.state !== 'failed')
            throw daemonError('in-use', `The profile "${profile}" is in use.`, 'Disconnect first: `culvert down`.');
          await store.remove(profile);
          log.add({ level: 'info', area: 'profile', text: `profile "${profile}" removed` });
          return {};
        }),
      ),
    logs: async ({ lines }) => ({ entries: log.newest(lines) }),
  };

  return {
    implementation,
    // Each event's type follows its name; the compiler cannot see it through the switch.
    current<E extends EventName>(event: E): Events[E] | undefined {
      const now = status();
      const events: { readonly [K in EventName]?: Events[K] | undefined } = {
        status: now,
        traffic: now.traffic ?? undefined,
      };
      return events[event];
    },
    get connected() {
      return state().state === 'connected';
    },
    async close() {
      closing = true;
      await inTurn(async () => active?.session.stop());
    },
  };
}

/** Profile errors in the contract's form; anything else stays what it is. */
async function known<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const first = error.problems[0];
    throw new EngineError({
      code: `profile/${error.code}`,
      message: error.message,
      remedy: error.remedy,
      ...(first ? { data: { pointer: first.pointer, problems: error.problems.length } } : {}),
    });
  }
}

function summaryOf(profile: Profile): ProfileSummary {
  return { name: profile.name, gateway: profile.gateway.host, shape: profile.tunnel.shape };
}

function describe(state: EngineState): string {
  switch (state.state) {
    case 'disconnected':
      return 'disconnected';
    case 'connecting':
      return `connecting with "${state.profile}": ${state.step}${state.attempt > 1 ? ` (attempt ${state.attempt})` : ''}`;
    case 'connected':
      return `connected with "${state.profile}"`;
    case 'reconnecting':
      return `reconnecting with "${state.profile}", because: ${state.because.message}`;
    case 'disconnecting':
      return `disconnecting from "${state.profile}"`;
    case 'failed':
      return `failed with "${state.profile}": ${state.error.code}`;
  }
}
