// What is done with the CHILD SAs of a connection, whichever of its IKE SAs carries it: made, rekeyed, deleted.
//
//   what is to be there     our requests            where they meet        the peer's requests
//   child-lines.ts ──next──▶ child-requests.ts ◀──▶ child-exchanges.ts ◀──▶ child-answers.ts
//                                    └──────────────▶ child-set.ts ◀──────────────┘
//
// What is to be done follows from the state of each CHILD SA (child-set.ts), not from a queue: `next` says the one request that is worth
// sending now, so nothing is sent that a collision has made superfluous meanwhile.
import { Backoff } from './backoff.ts';
import { ChildAnswers } from './child-answers.ts';
import { ChildExchanges } from './child-exchanges.ts';
import { ChildLines, theirLine } from './child-lines.ts';
import { ChildRequests } from './child-requests.ts';
import type { ChildSa } from './child-sa.ts';
import { type Child, ChildSet } from './child-set.ts';
import { type ChildHost, type ChildTerms, expired, notInstalled } from './child-terms.ts';
import type { CreateChildTask } from './task/create-child.ts';
import { DeleteChildTask } from './task/delete.ts';
import type { Instant } from './timing.ts';

export class ChildWork {
  readonly set: ChildSet;
  readonly requests: ChildRequests;
  readonly answers: ChildAnswers;
  readonly #host: ChildHost;
  readonly #exchanges: ChildExchanges;
  readonly #lines: ChildLines;
  readonly #backoff: Backoff;
  /** What our Delete on its way is about. */
  #deletion: readonly Child[] | undefined;

  constructor(terms: ChildTerms, host: ChildHost) {
    const { outbox, random } = host;
    this.#host = host;
    this.set = new ChildSet(outbox, terms.lifetime, random);
    this.#exchanges = new ChildExchanges(this.set);
    this.#lines = new ChildLines(terms, this.set, this.#exchanges, outbox);
    this.#backoff = new Backoff(random);
    this.requests = new ChildRequests(terms, host, this.set, this.#exchanges, this.#lines, this.#backoff);
    this.answers = new ChildAnswers(terms, host, this.set, this.#exchanges, this.#lines);
  }

  /** The CHILD SA that IKE_AUTH has made. */
  adopt(sa: ChildSa, now: Instant) {
    this.set.add(sa, this.#lines.ours[0] ?? theirLine(), 'kept', now).carried = true;
  }

  /** Something is under way that rekeying the IKE SA would cross (RFC 7296 §2.25.1). */
  get isBusy(): boolean {
    return (
      this.#exchanges.ours !== undefined ||
      this.#exchanges.theirs !== undefined ||
      this.#deletion !== undefined ||
      this.set.all.some(({ fate }) => fate === 'to-delete' || fate === 'replaced')
    );
  }

  /** When `tick` or `next` has something to do; null: never. */
  get deadline(): Instant | null {
    const times: (Instant | null)[] = [this.#exchanges.theirs?.until ?? null];
    for (const child of this.set.all) {
      if (child.theirsUntil !== null && child.fate === 'theirs') times.push(child.theirsUntil);
      if (child.fate !== 'kept') continue;
      times.push(child.expires);
      if (this.#isFree && !this.#exchanges.rivalOf(child))
        times.push(child.rekeyAt === null ? null : this.#notBefore(child.rekeyAt));
    }
    if (this.#isFree && this.#lines.missing) times.push(this.#backoff.until);
    const set = times.filter((at) => at !== null);
    return set.length > 0 ? Math.min(...set) : null;
  }

  get #isFree(): boolean {
    return this.#exchanges.ours === undefined && this.#deletion === undefined;
  }

  #notBefore(at: Instant): Instant {
    return Math.max(at, this.#backoff.until ?? at);
  }

  tick(now: Instant) {
    if (this.#exchanges.theirs && now >= this.#exchanges.theirs.until) this.#exchanges.dropTheirs();
    for (const child of this.set.all) {
      if (child.fate === 'theirs' && child.theirsUntil !== null && now >= child.theirsUntil) child.fate = 'to-delete';
      if (child.fate === 'kept' && child.expires !== null && now >= child.expires)
        return this.#host.failed(expired(), now);
    }
  }

  /** The request to send next, none in flight. `onlyDeletes`: the IKE SA is to be rekeyed first. */
  next(now: Instant, onlyDeletes: boolean): CreateChildTask | DeleteChildTask | undefined {
    const unused = this.requests.takeUnused();
    if (unused.length > 0) {
      this.#deletion = [];
      return new DeleteChildTask(unused);
    }
    const superfluous = this.set.all.filter(({ fate }) => fate === 'to-delete');
    if (superfluous.length > 0) {
      for (const child of superfluous) child.fate = 'deleting';
      this.#deletion = superfluous;
      return new DeleteChildTask(superfluous.map(({ spiIn }) => spiIn));
    }
    if (onlyDeletes || !this.#backoff.allows(now)) return undefined;
    const due = this.set.all.find(
      (child) =>
        child.fate === 'kept' &&
        child.line.wanted &&
        child.rekeyAt !== null &&
        now >= child.rekeyAt &&
        !this.#exchanges.rivalOf(child),
    );
    if (due) return this.requests.begin(due.line, due);
    const { missing } = this.#lines;
    return missing && this.requests.begin(missing, undefined);
  }

  /** Rekey it as soon as possible. Unknown ones are ignored: they have been replaced already. */
  rekey(spiIn: number, now: Instant) {
    const child = this.set.inbound(spiIn);
    if (child?.fate === 'kept') child.rekeyAt = Math.min(child.rekeyAt ?? now, now);
  }

  /** Delete it, or what has replaced it; nothing replaces it any more. */
  delete(spiIn: number) {
    const line = this.set.inbound(spiIn)?.line;
    if (!line) return;
    line.wanted = false;
    for (const child of this.set.all) if (child.line === line && child.fate !== 'deleting') child.fate = 'to-delete';
  }

  /** The data plane has it, or could not take it. */
  installed(spiIn: number, error: string | undefined, now: Instant) {
    const child = this.set.inbound(spiIn);
    if (!child) return;
    const older = this.set.all.filter((other) => other.replacement === child);
    if (error === undefined) {
      for (const other of older) if (other.fate === 'replaced') other.fate = 'to-delete';
      return;
    }
    const others = this.set.all.some((other) => other !== child && other.line === child.line);
    if (!others) return this.#host.failed(notInstalled(error), now);
    this.#host.outbox.push({ kind: 'log', level: 'warn', text: `a CHILD SA could not be installed: ${error}` });
    child.fate = 'to-delete';
    this.#backoff.refused(now);
    for (const other of older) {
      other.fate = 'kept';
      other.replacement = undefined;
      other.rekeyAt = now;
    }
  }

  /** Our Delete is answered: what the peer has not deleted itself meanwhile is gone now. */
  deleted() {
    const gone = this.#deletion ?? [];
    this.#deletion = undefined;
    this.set.remove(
      gone.filter((child) => this.set.has(child)),
      'us',
    );
  }

  /** When the first CHILD SA in use comes to its end; undefined: none does. */
  get expires(): Instant | undefined {
    const ends = this.set.all.flatMap(({ fate, expires }) => (fate === 'kept' && expires !== null ? [expires] : []));
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  /** The connection is over: what is under way is given up. */
  wipe() {
    this.requests.wipe();
    this.#exchanges.dropTheirs();
  }
}
