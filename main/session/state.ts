// The states of a session, what happens to it, and what it does about it. `(state, event, context) → state + effects`,
// a file per state: down.ts (idle, failed, closing), connect.ts, established.ts, reconnect.ts.
import type { Instant } from '../ike/timing.ts';
import type { ConnectStep, ContractError, EngineState, TunnelInfo } from '../ipc/contract.ts';
import type { Failure } from './failure.ts';

/** How often this connection has been tried anew. */
export interface Tries {
  /** 0: the first connection, which a person is waiting for. */
  readonly retries: number;
}

export type State =
  | { readonly kind: 'idle'; readonly lastError: ContractError | null }
  | { readonly kind: 'connecting'; readonly step: ConnectStep; readonly tries: Tries }
  | { readonly kind: 'connected'; readonly tunnel: TunnelInfo; readonly since: Instant; readonly tries: Tries }
  /** The link is gone, TUN and routes stay: traffic is blocked, not leaked. */
  | { readonly kind: 'waiting'; readonly retry: Retry }
  | { readonly kind: 'closing'; readonly afterwards: Afterwards; readonly scope: Scope; readonly shown: EngineState }
  | { readonly kind: 'failed'; readonly error: ContractError };

export interface Retry {
  readonly because: ContractError;
  readonly tries: Tries;
  /** null: held. Not by itself: somebody has to change something first, and to say so. */
  readonly at: Instant | null;
  /** Unix time in milliseconds of the same instant; of the loss, where it is held. */
  readonly wallAt: number;
}

/** What to do once all that has to go is gone. */
export type Afterwards =
  | { readonly kind: 'idle'; readonly lastError: ContractError | null }
  | { readonly kind: 'failed'; readonly error: ContractError }
  | { readonly kind: 'retry'; readonly retry: Retry };

/** `link`: all but TUN and routes. */
export type Scope = 'link' | 'everything';

export type SessionEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'step'; readonly step: ConnectStep }
  | { readonly kind: 'up'; readonly tunnel: TunnelInfo }
  | { readonly kind: 'changed'; readonly tunnel: TunnelInfo }
  /** `again`: a person is asked for another password, so that trying at once can help. `hold`: trying anew may do harm (reconnect.ts). */
  | { readonly kind: 'lost'; readonly failure: Failure; readonly again?: boolean; readonly hold?: boolean }
  /** What a `close` effect named is gone. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'retryDue' };

export type Effect =
  | { readonly kind: 'open' }
  | { readonly kind: 'close'; readonly scope: Scope }
  /** Wake with `retryDue`. null: do not. */
  | { readonly kind: 'alarm'; readonly at: Instant | null }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly text: string };

export interface Context {
  readonly profile: string;
  readonly now: Instant;
  readonly wall: number;
  /** Uniform in [0, 1), from injected randomness. */
  readonly chance: () => number;
}

export interface Transition {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** The event means nothing here (any more). */
export const stay = (state: State): Transition => ({ state, effects: [] });

/** The state as the contract shows it. */
export function shown(state: State, profile: string): EngineState {
  switch (state.kind) {
    case 'idle':
      return { state: 'disconnected', lastError: state.lastError };
    case 'connecting':
      return { state: 'connecting', profile, step: state.step, attempt: state.tries.retries + 1 };
    case 'connected':
      return { state: 'connected', profile, tunnel: state.tunnel };
    case 'waiting':
      return retrying(state.retry, profile);
    case 'closing':
      return state.shown;
    case 'failed':
      return { state: 'failed', profile, error: state.error };
  }
}

export function retrying(retry: Retry, profile: string): EngineState {
  const { because, tries, at, wallAt } = retry;
  const held = at === null ? { held: true } : {};
  return { state: 'reconnecting', profile, because, attempt: tries.retries + 1, retryAt: wallAt, ...held };
}
