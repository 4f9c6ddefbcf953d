// Connected: packets flow. Until it is lost or somebody wants it to end.
import { goDown } from './down.ts';
import { askAgain, holdStill, tryAgain } from './reconnect.ts';
import { type Context, type SessionEvent, type State, stay, type Transition } from './state.ts';

type Connected = Extract<State, { readonly kind: 'connected' }>;

/** A connection that held so many milliseconds was a good one: the next loss starts counting anew. */
export const STABLE_AFTER = 60_000;

export function onConnected(state: Connected, event: SessionEvent, context: Context): Transition {
  switch (event.kind) {
    case 'changed':
      return stay({ ...state, tunnel: event.tunnel });
    case 'lost': {
      // Nothing is wrong with the gateway: no reason to wait.
      if (event.failure.error.code === 'session/moved') return askAgain(event.failure, state.tries, context);
      if (event.hold) return holdStill(event.failure, state.tries, context);
      const stable = context.now - state.since >= STABLE_AFTER;
      return tryAgain(event.failure, stable ? { retries: 0 } : state.tries, context);
    }
    case 'stop':
      return goDown(null, context);
    case 'start':
    case 'step':
    case 'up':
    case 'closed':
    case 'retryDue':
      return stay(state);
  }
}
