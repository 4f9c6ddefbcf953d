// Changes of stored profiles, wherever they come from: one after another, only where the caller may, at once in a tunnel that
// is up, and stored only when that worked. Everybody who watches is told.
import type { Events, Lock, Profiles, TunnelInfo } from '../ipc/contract.ts';
import { EngineError, ipcError } from '../ipc/error.ts';
import type { Caller } from '../ipc/server.ts';
import { createTurns } from '../net/in-turn.ts';
import type { ParsedProfile } from '../profile/parse.ts';
import { lockOn } from '../profile/policy.ts';
import { formatProblem, MOST_TOLD, ProfileError, type ProfileProblem } from '../profile/problem.ts';
import type { Profile } from '../profile/profile.ts';
import type { ProfileStore } from '../profile/store.ts';
import type { Session } from '../session/deps.ts';
import { SessionError } from '../session/failure.ts';
import { cut, type Told, tell } from '../words/told.ts';
import { attachedNetworks, detailsOf, mtuOf, routesOf } from './describe.ts';
import type { EngineLog } from './log.ts';

export interface DeskOptions {
  readonly store: ProfileStore;
  readonly log: EngineLog;
  readonly publish: <E extends keyof Events>(event: E, data: Events[E]) => void;
  /** The session that runs, or is about to, with its profile's name; null: none. */
  readonly active: () => { readonly profile: string; readonly session: Session } | null;
}

export interface Desk {
  /** `pointers`: what the change touches. Rejects with EngineError. */
  edit(
    name: string,
    caller: Caller,
    pointers: readonly string[],
    change: (stored: ParsedProfile) => ParsedProfile | Promise<ParsedProfile>,
  ): Promise<Profile>;
  /** Waits for edits under way. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  profiles(): Promise<Profiles>;
  /** Whether a session runs with this profile; one on its way down does not. */
  runs(name: string): boolean;
  /** The tunnel that is up with this profile. */
  tunnelOf(name: string): TunnelInfo | null;
  routes(profile: Profile): Events['routes'];
  mtu(profile: Profile): Events['mtu'];
  /** Tells everybody how profiles (and this one's routes and MTU) are now. */
  announce(profile: Profile | null): Promise<void>;
}

export function notAllowed(profile: string, lock: Lock): EngineError {
  const what = lock.pointer === '' ? `the profile "${profile}"` : `${lock.pointer} in the profile "${profile}"`;
  return ipcError(
    'ipc/not-allowed',
    `${lock.by ?? 'Your administrator'} has locked ${what}.`,
    'Ask them to change it, or do it as administrator (sudo).',
    { profile, pointer: lock.pointer, by: lock.by },
  );
}

/** Throws EngineError where the caller is no administrator and one of these is locked. */
export function mustBeFree(profile: Profile, caller: Caller, pointers: readonly string[]): void {
  if (caller.role === 'administrator') return;
  const { locked = [], lockedBy = null } = profile.policy ?? {};
  for (const pointer of pointers) {
    const lock = lockOn(locked, pointer);
    if (lock !== undefined) throw notAllowed(profile.name, { pointer: lock, by: lockedBy });
  }
}

export function createDesk({ store, log, publish, active }: DeskOptions): Desk {
  const inTurn = createTurns();

  /** The session that runs with this profile. */
  const sessionOf = (name: string): Session | null => {
    const now = active();
    if (now?.profile !== name) return null;
    const { state } = now.session.state;
    return state === 'disconnected' || state === 'failed' || state === 'disconnecting' ? null : now.session;
  };

  const tunnelOf = (name: string): TunnelInfo | null => {
    const state = sessionOf(name)?.state;
    return state?.state === 'connected' ? state.tunnel : null;
  };

  const routes = (profile: Profile): Events['routes'] => {
    const tunnel = tunnelOf(profile.name);
    return routesOf(profile, tunnel, attachedNetworks(tunnel?.interfaceName ?? null));
  };
  const mtu = (profile: Profile): Events['mtu'] => mtuOf(profile, tunnelOf(profile.name));

  const profiles = async (): Promise<Profiles> => {
    const { profiles: stored, broken } = await store.list();
    return {
      profiles: stored.map(detailsOf),
      broken: broken.map(({ name, error }) => ({ name, error: known(error).toContract() })),
    };
  };

  const announce = async (profile: Profile | null): Promise<void> => {
    publish('profiles', await profiles());
    if (!profile) return;
    publish('routes', routes(profile));
    publish('mtu', mtu(profile));
  };

  const edit: Desk['edit'] = (name, caller, pointers, change) =>
    inTurn(async () => {
      try {
        const stored = await store.read(name);
        mustBeFree(stored.profile, caller, pointers);
        const next = await change(stored);
        const session = sessionOf(name);
        await session?.reconfigure(next.profile);
        try {
          await store.save(next, true);
        } catch (error) {
          await session?.reconfigure(stored.profile);
          throw error;
        }
        log.add({ level: 'info', area: 'profile', text: `profile "${name}": ${pointers.join(', ')} changed` });
        await announce(next.profile);
        return next.profile;
      } catch (error) {
        throw known(error);
      }
    });

  const runs = (name: string): boolean => sessionOf(name) !== null;

  return { edit, inTurn, profiles, runs, tunnelOf, routes, mtu, announce };
}

/** Errors of profiles and sessions in the contract's form. Rethrows what is a defect. */
export function known(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  if (error instanceof SessionError) return new EngineError(error.failure.error);
  if (!(error instanceof ProfileError)) throw error;
  const first = error.problems[0];
  return new EngineError({
    code: `profile/${error.code}`,
    message: error.message,
    remedy: error.remedy,
    ...(first
      ? {
          data: { pointer: first.pointer, problems: error.problems.length },
          mistakes: error.problems.slice(0, MOST_TOLD).map(mistakeOf),
        }
      : {}),
  });
}

/** By its kind and place in the person's language; its own sentence, which says more, in English. */
function mistakeOf(problem: ProfileProblem): Told {
  const { code, pointer, suggestion, example } = problem;
  const hint = suggestion
    ? tell('mistake.meant', { meant: suggestion })
    : example
      ? tell('mistake.example', { example })
      : '';
  return { ...tell(`mistake.${code}`, { place: pointer || '/', hint }), text: cut(formatProblem(problem)) };
}
