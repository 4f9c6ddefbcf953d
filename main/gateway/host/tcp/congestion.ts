// Congestion control: slow start, congestion avoidance, fast retransmit (RFC 5681) and NewReno recovery (RFC 6582). Counts
// in bytes.
import { ahead } from './sequence.ts';

export class Congestion {
  readonly #mss: number;
  #window: number;
  #threshold = Number.POSITIVE_INFINITY;
  #duplicates = 0;
  /** In recovery: the highest sequence number sent when it began. */
  #recover: number | undefined;

  constructor(mss: number) {
    this.#mss = mss;
    // RFC 6928: ten segments.
    this.#window = 10 * mss;
  }

  get window(): number {
    return this.#window;
  }

  /** `count` new bytes were acknowledged up to `una`. True: resend the segment at `una` (a partial acknowledgement). */
  acknowledged(count: number, una: number): boolean {
    this.#duplicates = 0;
    if (this.#recover !== undefined) {
      if (ahead(una, this.#recover) >= 0) {
        this.#recover = undefined;
        this.#window = this.#threshold;
        return false;
      }
      this.#window = Math.max(this.#mss, this.#window - count + this.#mss);
      return true;
    }
    if (this.#window < this.#threshold) this.#window += Math.min(count, 2 * this.#mss);
    else this.#window += Math.max(1, Math.floor((this.#mss * this.#mss) / this.#window));
    return false;
  }

  /** The same acknowledgement again. True: the third one, resend the first segment now. */
  duplicate(inFlight: number, sent: number): boolean {
    this.#duplicates++;
    if (this.#recover !== undefined) {
      this.#window += this.#mss;
      return false;
    }
    if (this.#duplicates !== 3) return false;
    this.#threshold = Math.max(Math.floor(inFlight / 2), 2 * this.#mss);
    this.#window = this.#threshold + 3 * this.#mss;
    this.#recover = sent;
    return true;
  }

  timedOut(inFlight: number): void {
    this.#threshold = Math.max(Math.floor(inFlight / 2), 2 * this.#mss);
    this.#window = this.#mss;
    this.#duplicates = 0;
    this.#recover = undefined;
  }
}
