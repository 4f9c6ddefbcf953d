// States in which nothing runs, or will soon not: idle, failed, and closing on the way there. What to do after closing is
// data (`afterwards`): a stop that comes meanwhile only changes that.
import type { ContractError } from '../ipc/contract.ts';
import { type Context, retrying, type SessionEvent, type State, stay, type Transition } from './state.ts';

type Of<K extends State['kind']> = Extract<State, { readonly kind: K }>;

/** Everything goes, and it ends in `disconnected`: somebody wants it so. */
export function goDown(lastError: ContractError | null, context: Context): Transition {
  return {
    state: {
      kind: 'closing',
      afterwards: { kind: 'idle', lastError },
      scope: 'everything',
      shown: { state: 'disconnecting', profile: context.profile },
    },
    effects: [
      { kind: 'alarm', at: null },
      { kind: 'close', scope: 'everything' },
    ],
  };
}

/** Everything goes, and it ends in `failed`: trying again would not help. */
export function giveUp(error: ContractError, context: Context): Transition {
  return {
    state: {
      kind: 'closing',
      afterwards: { kind: 'failed', error },
      scope: 'everything',
      shown: { state: 'disconnecting', profile: context.profile },
    },
    effects: [
      { kind: 'log', level: 'error', text: `${error.message} ${error.remedy}` },
      { kind: 'close', scope: 'everything' },
    ],
  };
}

export function onIdle(state: Of<'idle'> | Of<'failed'>, event: SessionEvent): Transition {
  switch (event.kind) {
    case 'start':
      return {
        state: { kind: 'connecting', step: 'resolve', tries: { retries: 0 } },
        effects: [{ kind: 'open' }],
      };
    case 'stop':
      return state.kind === 'idle' ? stay(state) : stay({ kind: 'idle', lastError: state.error });
    case 'step':
    case 'up':
    case 'changed':
    case 'lost':
    case 'closed':
    case 'retryDue':
      return stay(state);
  }
}

export function onClosing(state: Of<'closing'>, event: SessionEvent, context: Context): Transition {
  switch (event.kind) {
    case 'closed':
      return afterwards(state, context);
    case 'stop': {
      const lastError =
        state.afterwards.kind === 'idle'
          ? state.afterwards.lastError
          : state.afterwards.kind === 'failed'
            ? state.afterwards.error
            : state.afterwards.retry.because;
      // The scope stays what is being closed right now; the rest follows when that is done.
      return stay({
        ...state,
        afterwards: { kind: 'idle', lastError },
        shown: { state: 'disconnecting', profile: context.profile },
      });
    }
    case 'start':
    case 'step':
    case 'up':
    case 'changed':
    case 'lost':
    case 'retryDue':
      return stay(state);
  }
}

function afterwards(state: Of<'closing'>, context: Context): Transition {
  const next = state.afterwards;
  switch (next.kind) {
    case 'idle':
      return state.scope === 'everything'
        ? stay({ kind: 'idle', lastError: next.lastError })
        : goDown(next.lastError, context);
    case 'failed':
      return stay({ kind: 'failed', error: next.error });
    case 'retry':
      return {
        state: { kind: 'waiting', retry: next.retry },
        effects: [{ kind: 'alarm', at: next.retry.at }],
      };
  }
}

/** The link goes, TUN and routes stay, and after a while it is tried again. */
export function goRound(retry: Extract<State, { readonly kind: 'waiting' }>['retry'], context: Context): Transition {
  const { because, at } = retry;
  const then =
    at === null
      ? `${because.remedy} Traffic for the tunnel is held back until somebody connects again, or disconnects.`
      : `Connecting again in ${Math.max(0, Math.round((at - context.now) / 100) / 10)} s.`;
  return {
    state: {
      kind: 'closing',
      afterwards: { kind: 'retry', retry },
      scope: 'link',
      shown: retrying(retry, context.profile),
    },
    effects: [
      { kind: 'log', level: 'warn', text: `${because.message} ${then}` },
      { kind: 'close', scope: 'link' },
    ],
  };
}
