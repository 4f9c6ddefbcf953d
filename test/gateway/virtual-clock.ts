// A clock turned by hand: time passes only in `advance` and `runUntil`, and every timer fires at its own instant.
import type { Clock } from '../../main/gateway/clock.ts';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

export class VirtualClock implements Clock {
  #now = 1000;
  #order = 0;
  readonly #entries = new Set<Entry>();

  now(): number {
    return this.#now;
  }

  setTimer(at: number, fn: () => void): { cancel(): void } {
    const entry = { at: Math.max(at, this.#now), order: this.#order++, fn };
    this.#entries.add(entry);
    return { cancel: () => this.#entries.delete(entry) };
  }

  get pending(): number {
    return this.#entries.size;
  }

  /** Fires the next timer at its instant; false where there is none before `limit`. */
  step(limit = Number.POSITIVE_INFINITY): boolean {
    let next: Entry | undefined;
    for (const entry of this.#entries)
      if (!next || entry.at < next.at || (entry.at === next.at && entry.order < next.order)) next = entry;
    if (!next || next.at > limit) return false;
    this.#entries.delete(next);
    this.#now = next.at;
    next.fn();
    return true;
  }

  advance(milliseconds: number): void {
    const limit = this.#now + milliseconds;
    while (this.step(limit));
    this.#now = limit;
  }

  /** Until `done`, or `milliseconds` have passed; returns whether it is done. */
  runUntil(done: () => boolean, milliseconds: number): boolean {
    const limit = this.#now + milliseconds;
    while (!done()) if (!this.step(limit)) return done();
    return true;
  }
}
