// How many bytes may lie in a socket on their way to the link: as few as keep the link busy, so that what cannot be sent
// yet waits in our queue, where CoDel sees it, and not in the kernel's (the idea of Linux's byte queue limits). Learnt by
// trying: a link that ran empty while we held back gets more, one that never did gets less.

const SMALLEST = 4096;
const LARGEST = 4 * 1024 * 1024;
const START = 256 * 1024;
/** How long bytes that never left in between count as too many. */
const LOOK_MS = 30;

export class SendWindow {
  bytes = START;
  #lowest = Number.POSITIVE_INFINITY;
  #until = 0;

  /** `inFlight`: bytes not yet on the link. True: send more. */
  open(inFlight: number): boolean {
    return inFlight < this.bytes;
  }

  /** To be called each time a wait for room is looked at, with what is still in flight then. */
  waited(inFlight: number, now: number): void {
    if (inFlight === 0) {
      this.bytes = Math.min(this.bytes * 2, LARGEST);
      this.#forget(now);
      return;
    }
    this.#lowest = Math.min(this.#lowest, inFlight);
    if (now < this.#until) return;
    if (this.#until !== 0 && this.#lowest !== Number.POSITIVE_INFINITY)
      this.bytes = Math.max(SMALLEST, this.bytes - this.#lowest / 2);
    this.#forget(now);
  }

  #forget(now: number): void {
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#until = now + LOOK_MS;
  }
}
