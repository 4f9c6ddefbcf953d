// The retransmission time-out (RFC 6298), milliseconds.

const INITIAL = 1000;
/** RFC 6298 §2.4 says one second; every kernel waits less, and so does a host on loopback. */
const LEAST = 200;
const MOST = 60_000;

export class RetransmissionTimeout {
  #smoothed: number | undefined;
  #variation = 0;
  #value = INITIAL;

  get value(): number {
    return this.#value;
  }

  /** A round-trip time of a segment that was sent once (Karn's algorithm is the caller's). */
  sample(rtt: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = rtt;
      this.#variation = rtt / 2;
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - rtt);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * rtt;
    }
    this.#value = Math.min(MOST, Math.max(LEAST, this.#smoothed + Math.max(1, 4 * this.#variation)));
  }

  /** Doubles it (§5.5); the next sample brings it back. */
  backOff(): void {
    this.#value = Math.min(MOST, this.#value * 2);
  }
}
