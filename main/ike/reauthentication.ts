// When the two ends have to authenticate anew, which takes another IKE SA beside this one: after the lifetime of our own configuration (RFC
// 7296 §2.8.3), or within the time that the gateway gives us (AUTH_LIFETIME, RFC 4478), whichever ends first.
import type { RandomBytes } from '../crypto/random.ts';
import type { Role } from './sa.ts';
import { drawn, type Instant, type LifetimePolicy, limitOf } from './timing.ts';

/**
 * Milliseconds that an authentication is left alone, and a request for another one. RFC 4478 §3 calls less than 300 s unreasonable and
 * forbids nothing: a gateway that says 1 s would have a person asked for a code each second. It may end the IKE SA all the same; then the
 * connection is made anew at the pace of whoever makes connections.
 */
export const LEAST_BETWEEN = 60_000;
/** Of the gateway's time, what is left for the exchange itself. */
const SHARE = 0.9;

export class Reauthentication {
  readonly #role: Role;
  #due: { readonly at: Instant; readonly ends: Instant } | undefined;
  #notBefore: Instant;

  constructor(role: Role, lifetime: LifetimePolicy | undefined, random: RandomBytes, now: Instant) {
    this.#role = role;
    this.#notBefore = now + LEAST_BETWEEN;
    const within = lifetime ? drawn(lifetime.reauth, lifetime, random) : null;
    const limit = lifetime ? limitOf(lifetime.reauth, lifetime) : null;
    if (within !== null && limit !== null) this.#due = { at: now + within, ends: now + limit };
  }

  /** When it is to be asked for; null: never. */
  get at(): Instant | null {
    return this.#due?.at ?? null;
  }

  isDue(now: Instant): boolean {
    return this.#due !== undefined && now >= this.#due.at;
  }

  /** RFC 4478 §3: the peer ends the SA by itself after so many milliseconds. Only who began the connection can begin another (§2). */
  limit(time: number, now: Instant) {
    const ends = now + time;
    if (this.#role === 'responder' || (this.#due && this.#due.ends <= ends)) return;
    this.#due = { at: Math.max(now + SHARE * time, this.#notBefore), ends };
  }

  /** It is asked for now. Milliseconds until the present authentication ends, `otherwise` telling when where nothing has been said. */
  ask(otherwise: Instant | undefined, now: Instant): number {
    const ends = this.#due?.ends ?? otherwise ?? now;
    this.#due = undefined;
    this.#notBefore = now + LEAST_BETWEEN;
    return Math.max(0, ends - now);
  }
}
