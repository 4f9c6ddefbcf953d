// When the next packet is due. Where little is sent, each packet finds the caches cold, and the way through a data plane then
// takes three times as long as it does warm (docs/benchmarks.md): after 10 ms of silence other programs, or other machines of
// the host, have had the processor. What minds the delay most comes at a steady beat, voice and games and pings; so where packets
// keep one, the worker is told a moment before the next and rehearses (rehearsal.ts). At most one rehearsal for each
// packet that came: silence, a busy tunnel and packets without a beat cost nothing.

/** Packets closer together are one burst, and find warm caches anyway. */
const BURST_MS = 3;
/** A slower beat is none: `ping` asks once a second. */
const SLOWEST_MS = 1500;
/** How far from its time a packet may be and still keep the beat, with a sixteenth of the period. */
const JITTER_MS = 1;
/** So many gaps alike make a beat … */
const SURE = 2;
/** … and so many, less those that were not, are remembered: one packet late or lost does not end it. */
const SUREST = 5;
/** Of each new gap, so much goes into the period. */
const SHARE = 1 / 8;
/** The rehearsal is over by then, on one processor too, and what it left in the caches still there. */
const LEAD_MS = 0.7;

export class Beat {
  /** When the last packet came, and the first one of its burst. */
  #latest = Number.NEGATIVE_INFINITY;
  #began = Number.NEGATIVE_INFINITY;
  #period = 0;
  #sure = 0;
  #expecting = false;

  /** Something came. `now`: milliseconds of any monotonic clock, the same at each call. */
  came(now: number): void {
    const silence = now - this.#latest;
    this.#latest = now;
    if (silence < BURST_MS) return;
    const gap = now - this.#began;
    this.#began = now;
    if (gap === Number.POSITIVE_INFINITY) return;
    if (Math.abs(gap - this.#period) <= JITTER_MS + this.#period / 16) {
      this.#period += (gap - this.#period) * SHARE;
      this.#sure = Math.min(this.#sure + 1, SUREST);
    } else if (this.#sure > 0) this.#sure--;
    else this.#period = gap;
    this.#expecting = this.#sure >= SURE && this.#period <= SLOWEST_MS;
  }

  /** Milliseconds, whole ones, until it is time to get ready for the next packet; -1: none is expected. */
  wait(now: number): number {
    if (!this.#expecting) return -1;
    return Math.max(0, Math.floor(this.#began + this.#period - LEAD_MS - now));
  }

  /** One is ready: not again until something came. */
  ready(): void {
    this.#expecting = false;
  }
}
