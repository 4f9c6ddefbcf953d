// Between a connection that was lost and the next try: how long to wait.
//
// What was connected once never ends by itself: TUN and routes stay until the person disconnects, whatever the failure. A refusal in
// IKE_SA_INIT or IKE_AUTH proves nothing about who sent it (RFC 7296 §2.21.1, §2.21.2): whoever can forge one could
// otherwise end the protection, because the routes would go and the traffic would leave in the clear; so that is tried again, too.
// What is certain to fail again is not tried: a refused password or a changed PIN, said again and again, locks accounts and tokens.
// Then it is held until a person wants it.
//
// The wait doubles from one second to one minute. Half of it is chance, so that the thousand clients of a gateway that
// restarted do not all come back in the same instant.

import { goDown, goRound } from './down.ts';
import type { Failure } from './failure.ts';
import { type Context, type Retry, type SessionEvent, type State, stay, type Transition, type Tries } from './state.ts';

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

/** No try by itself: see `locks`. */
export function holdStill(failure: Failure, tries: Tries, context: Context): Transition {
  return goRound(
    { because: failure.error, tries: { retries: tries.retries + 1 }, at: null, wallAt: Math.round(context.wall) },
    context,
  );
}

/** Whoever is between us and the gateway can say so in its name, and only by trying is the gateway itself heard again. */
const FORGEABLE: readonly string[] = [
  'ike/no-ike-proposal',
  'ike/refused-by-peer',
  'ike/peer-not-authentic',
  'ike/peer-identity-mismatch',
  'ike/authentication-mismatch',
];
/** The network's doing: on another one it may be over. */
const OF_THE_NETWORK: readonly string[] = ['session/path-too-small', 'session/delivery-address'];
/** A person has only to be willing now. */
const UNANSWERED: readonly string[] = ['eap/prompt-cancelled', 'eap/prompt-timed-out', 'session/gateway-did-not-wait'];

/** Trying anew without a person is of no use, or does harm. `byEap`: each try is a login, which gateways count. */
export function holds({ error, permanent }: Failure, byEap: boolean): boolean {
  if (!permanent || OF_THE_NETWORK.includes(error.code)) return false;
  const login = byEap && error.code === 'ike/refused-by-peer' && error.data?.exchange === 'IKE_AUTH';
  return login || !FORGEABLE.includes(error.code);
}

/** May it be tried because a person may be there, though nobody has said that anything has changed? */
export const mayRetry = ({ because, at }: Retry): boolean => at !== null || UNANSWERED.includes(because.code);

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
