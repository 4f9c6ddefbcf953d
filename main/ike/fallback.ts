// Which attempt at IKE_SA_INIT comes after which, with gateways that do not bear additional key exchanges (RFC 9370). They should skip what
// they do not know (RFC 7296 §3.3.6); some refuse the whole message, and some say nothing. At most four attempts, each with a fresh SPI:
//
//   hybrid ──refused──────────────────────────────────▶ plain
//     └─silence─▶ probe ──answered──▶ hybrid again ──refused, silence──▶ plain
//
// Silence may also be a network that was not there yet. So the plain attempt after it only finds out whether the gateway answers at all,
// and what we would rather have is then tried once more. Whoever can drop or forge messages can talk us into a plain key exchange all
// the same: a profile that must not have that names no proposal without ke1_….

export type Attempt =
  /** All the proposals, whatever they are: there is nothing to fall back to. */
  'only' | 'hybrid' | 'probe' | 'hybrid-again' | 'plain';

export type AttemptOutcome = 'refused' | 'silence' | 'answered';

export const firstAttempt = (canDoWithout: boolean): Attempt => (canDoWithout ? 'hybrid' : 'only');

/** Does this attempt leave additional key exchanges out? */
export const isPlain = (attempt: Attempt): boolean => attempt === 'probe' || attempt === 'plain';

/** Is this the last word, if nobody answers it? */
export const isLast = (attempt: Attempt): boolean => nextAttempt(attempt, 'silence') === undefined;

/** An attempt that another follows does not wait as long as the last one: so many sendings. */
export const SENDINGS_BEFORE_FALLBACK = 4;

/** The attempt that follows; undefined: this outcome is final. */
export function nextAttempt(attempt: Attempt, outcome: AttemptOutcome): Attempt | undefined {
  switch (attempt) {
    case 'only':
    case 'plain':
      return undefined;
    case 'hybrid':
      if (outcome === 'answered') return undefined;
      return outcome === 'silence' ? 'probe' : 'plain';
    case 'probe':
      return outcome === 'answered' ? 'hybrid-again' : undefined;
    case 'hybrid-again':
      return outcome === 'answered' ? undefined : 'plain';
  }
}
