// Between a connection that was lost and the next try: how long to wait.
//
// What was connected once is tried again until the person disconnects, whatever the reason of the failure. A refusal in
// IKE_SA_INIT or IKE_AUTH proves nothing about who sent it (RFC 7296 §2.21.1, §2.21.2): whoever can forge one could
// otherwise end the protection, because the routes would go and the traffic would leave in the clear.
//
// The wait doubles from one second to one minute. Half of it is chance, so that the thousand clients of a gateway that
// restarted do not all come back in the same instant.

import { goDown, goRound } from './down.ts';
import type { Failure } from './failure.ts';
import { type Context, type SessionEvent, type State, stay, type Transition, type Tries } from './state.ts';

type Of<K extends State['kind']> = Extract<State, { readonly kind: K }>;

export const FIRST_WAIT = 1_000;
export const LONGEST_WAIT = 60_000;

/** Milliseconds before try number `retry` (from 1). `chance` is in [0, 1). */
export function backOff(retry: number, chance: number): number {
  const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(retry - 1, 16));
  return most * (0.5 + 0.5 * chance);
}

/** After a loss or a failed retry: again, and TUN and routes stay. `tries` are those made until now. */
export function tryAgain(failure: Failure, tries: Tries, context: Context): Transition {
  const retries = tries.retries + 1;
  const wait = backOff(retries, context.chance());
  const at = context.now + wait;
  return goRound({ because: failure.error, tries: { retries }, at, wallAt: Math.round(context.wall + wait) }, context);
}

/** At once: after a refused password, because first of all a person is asked; after a move. It counts as the same try. */
export function askAgain(failure: Failure, tries: Tries, context: Context): Transition {
  return goRound({ because: failure.error, tries, at: context.now, wallAt: Math.round(context.wall) }, context);
}

export function onWaiting(state: Of<'waiting'>, event: SessionEvent, context: Context): Transition {
  switch (event.kind) {
    case 'retryDue':
      return {
        state: { kind: 'connecting', step: 'resolve', tries: state.retry.tries },
        effects: [{ kind: 'open' }],
      };
    case 'stop':
      return goDown(state.retry.because, context);
    case 'start':
    case 'step':
    case 'up':
    case 'changed':
    case 'lost':
    case 'closed':
      return stay(state);
  }
}
