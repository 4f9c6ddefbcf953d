// The one state that the interface shows, from all that is known: the link to the engine, the engine's state, and what the
// person asked for that the engine has not taken up yet. It never says "connected" of an engine that does not answer.
import type { ConnectStep, ContractError, TunnelInfo } from '../../../main/ipc/contract.ts';
import type { Tone } from '../../components/tone.ts';
import type { Model } from '../../store/model.ts';

export type Face =
  /** Nothing was heard yet, and it is early. */
  | { readonly kind: 'starting' }
  | {
      readonly kind: 'unreachable';
      readonly because: ContractError | null;
      readonly retryAt: number | null;
      readonly wish: Model['wish'];
    }
  | { readonly kind: 'refused'; readonly because: ContractError }
  | { readonly kind: 'disconnected'; readonly lastError: ContractError | null; readonly restarted: boolean }
  /** `step` null: asked, the engine has not said yet that it began. */
  | {
      readonly kind: 'connecting';
      readonly profile: string;
      readonly step: ConnectStep | null;
      readonly attempt: number;
    }
  | { readonly kind: 'connected'; readonly profile: string; readonly tunnel: TunnelInfo }
  | {
      readonly kind: 'reconnecting';
      readonly profile: string;
      readonly because: ContractError;
      readonly attempt: number;
      readonly retryAt: number;
      /** It is not tried again by itself. */
      readonly held: boolean;
    }
  /** As reconnecting, and packets for `prefixes` are refused meanwhile; or lost and not tried again by itself. */
  | {
      readonly kind: 'blocked';
      readonly profile: string;
      readonly because: ContractError;
      readonly attempt: number;
      readonly retryAt: number;
      readonly held: boolean;
      readonly prefixes: readonly string[];
    }
  | { readonly kind: 'disconnecting'; readonly profile: string }
  | { readonly kind: 'failed'; readonly profile: string; readonly error: ContractError };

export const TONES: Readonly<Record<Face['kind'], Tone>> = {
  starting: 'idle',
  unreachable: 'bad',
  refused: 'bad',
  disconnected: 'idle',
  connecting: 'busy',
  connected: 'ok',
  reconnecting: 'warn',
  blocked: 'warn',
  disconnecting: 'busy',
  failed: 'bad',
};

/** Attempts at reaching the engine before its silence is worth a word. */
const EARLY = 2;

type Seen = Pick<Model, 'link' | 'status' | 'wish' | 'restarted'>;
let last: { readonly seen: Seen; readonly face: Face } | undefined;

/** The same face as long as what it is made of is the same, so that it can select from a store. */
export function faceOf(seen: Seen): Face {
  if (
    last?.seen.link === seen.link &&
    last.seen.status === seen.status &&
    last.seen.wish === seen.wish &&
    last.seen.restarted === seen.restarted
  )
    return last.face;
  last = { seen, face: look(seen) };
  return last.face;
}

function look({ link, status, wish, restarted }: Seen): Face {
  switch (link.state) {
    case 'refused':
      return { kind: 'refused', because: link.because };
    case 'lost':
      return link.attempt < EARLY && !status
        ? { kind: 'starting' }
        : { kind: 'unreachable', because: link.because, retryAt: link.retryAt, wish };
    case 'connecting':
      return link.attempt <= EARLY && !status
        ? { kind: 'starting' }
        : { kind: 'unreachable', because: null, retryAt: null, wish };
    case 'open':
      break;
  }
  if (!status) return { kind: 'starting' };
  const { engine } = status;
  switch (engine.state) {
    case 'disconnected':
      if (wish?.kind === 'connect') return { kind: 'connecting', profile: wish.profile, step: null, attempt: 1 };
      return { kind: 'disconnected', lastError: engine.lastError, restarted };
    case 'failed':
      if (wish?.kind === 'connect') return { kind: 'connecting', profile: wish.profile, step: null, attempt: 1 };
      return { kind: 'failed', profile: engine.profile, error: engine.error };
    case 'connecting':
      if (wish?.kind === 'disconnect') return { kind: 'disconnecting', profile: engine.profile };
      return { kind: 'connecting', profile: engine.profile, step: engine.step, attempt: engine.attempt };
    case 'connected':
      if (wish?.kind === 'disconnect') return { kind: 'disconnecting', profile: engine.profile };
      return { kind: 'connected', profile: engine.profile, tunnel: engine.tunnel };
    case 'reconnecting': {
      if (wish?.kind === 'disconnect') return { kind: 'disconnecting', profile: engine.profile };
      const { profile, because, attempt, retryAt, held = false } = engine;
      const prefixes = status.blocked ?? [];
      // What holds still does not reconnect: "lost" is all there is to say.
      return prefixes.length > 0 || held
        ? { kind: 'blocked', profile, because, attempt, retryAt, held, prefixes }
        : { kind: 'reconnecting', profile, because, attempt, retryAt, held };
    }
    case 'disconnecting':
      return { kind: 'disconnecting', profile: engine.profile };
  }
}
