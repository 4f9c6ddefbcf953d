// A refusal that nobody authenticated (RFC 7296 §2.21.1): it changes nothing at once. The first is remembered, we go on waiting for a
// better answer for two time-outs, and then it is reported as the cause.
import type { IkeError } from '../error.ts';
import type { Outbox } from '../outbox.ts';
import type { Instant } from '../timing.ts';

export class RememberedRefusal {
  readonly #outbox: Outbox;
  readonly #patience: number;
  #first: { readonly error: IkeError; readonly until: Instant } | undefined;

  /** `patience`: milliseconds to wait for a better answer. */
  constructor(outbox: Outbox, patience: number) {
    this.#outbox = outbox;
    this.#patience = patience;
  }

  remember(error: IkeError, now: Instant): void {
    this.#outbox.debug(`an unauthenticated refusal, waiting for a better answer: ${error.message}`);
    this.#first ??= { error, until: now + this.#patience };
  }

  /** What was said before, another answer has overtaken. */
  forget(): void {
    this.#first = undefined;
  }

  get error(): IkeError | undefined {
    return this.#first?.error;
  }

  get until(): Instant | undefined {
    return this.#first?.until;
  }

  /** The refusal, once no better answer has come in time. */
  due(now: Instant): IkeError | undefined {
    return this.#first && now >= this.#first.until ? this.#first.error : undefined;
  }
}
