// When to try again what the peer refuses for the moment (TEMPORARY_FAILURE, RFC 7296 §2.25): later each time, with jitter so that
// both ends do not meet again, and not for ever.
import type { RandomBytes } from '../crypto/random.ts';
import type { Instant } from './timing.ts';

const FIRST = 1_000;
const MOST = 30_000;
/** "Several minutes" (RFC 7296 §2.25), then the two ends no longer agree on what there is. */
const PATIENCE = 240_000;

export class Backoff {
  readonly #random: RandomBytes;
  #since: Instant | null = null;
  #wait = FIRST;
  #until: Instant | null = null;

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** Not before then; null: at any time. */
  get until(): Instant | null {
    return this.#until;
  }

  allows(now: Instant): boolean {
    return this.#until === null || now >= this.#until;
  }

  /** `exhausted`: it has been refused for minutes. */
  refused(now: Instant): 'wait' | 'exhausted' {
    this.#since ??= now;
    const [byte = 0] = this.#random(1);
    this.#until = now + this.#wait * (1 + byte / 256);
    this.#wait = Math.min(this.#wait * 2, MOST);
    return now - this.#since > PATIENCE ? 'exhausted' : 'wait';
  }

  succeeded(): void {
    this.#since = null;
    this.#wait = FIRST;
    this.#until = null;
  }
}
