// CoDel (RFC 8289): tells a queue that never empties from one that only takes up a burst, by how long packets wait in it
// and not by how many they are. Asked once for every packet that leaves the queue; the caller drops it, or marks it
// (RFC 8289 §3, RFC 3168), where the answer is yes. Milliseconds on any one clock.
//
//   calm ── waits of TARGET or more, for INTERVAL without a break ──▶ dropping: one packet, then the next after
//    ▲                                                                  INTERVAL / √1, INTERVAL / √2, INTERVAL / √3, …
//    └──────────── one wait under TARGET, or an empty queue ───────────────┘

/** RFC 8289 §4.3, §4.4: the wait that is borne for ever, and how long a longer one is borne. */
export const TARGET_MS = 5;
export const INTERVAL_MS = 100;
/** RFC 8289 §5.6: a new spell this soon after the last goes on at nearly its rate. */
const MEMORY_INTERVALS = 16;

export class CoDel {
  /** When waits will have been too long for an interval; 0: the last one was not. */
  #firstAbove = 0;
  #dropping = false;
  #next = 0;
  #count = 0;
  #lastCount = 0;

  /**
   * Shall the packet that leaves now be dropped or marked? `sojourn`: how long it has waited. `last`: nothing to speak of
   * waits behind it (then a drop would not help anybody, RFC 8289 §5.5).
   */
  congested(sojourn: number, now: number, last: boolean): boolean {
    const long = this.#longEnough(sojourn, now, last);
    if (this.#dropping) {
      if (!long) this.#dropping = false;
      else if (now >= this.#next) {
        this.#count++;
        this.#next += INTERVAL_MS / Math.sqrt(this.#count);
        return true;
      }
      return false;
    }
    if (!long) return false;
    this.#dropping = true;
    const made = this.#count - this.#lastCount;
    this.#count = made > 1 && now - this.#next < MEMORY_INTERVALS * INTERVAL_MS ? made : 1;
    this.#next = now + INTERVAL_MS / Math.sqrt(this.#count);
    this.#lastCount = this.#count;
    return true;
  }

  #longEnough(sojourn: number, now: number, last: boolean): boolean {
    if (sojourn < TARGET_MS || last) {
      this.#firstAbove = 0;
      return false;
    }
    if (this.#firstAbove === 0) {
      this.#firstAbove = now + INTERVAL_MS;
      return false;
    }
    return now >= this.#firstAbove;
  }
}
