// How many bytes may lie in a socket on their way to the link: as few as keep the link busy, so that what cannot be sent
// yet waits in our queue, where CoDel sees it, and not in the kernel's (the idea of Linux's byte queue limits). Learnt by
// trying: a link that ran empty while we held back gets more, one that never did gets less. A thread that the machine kept
// waiting looks like a starved link, so growth is gentle, and ends at what the link sends in DELAY_MS.

const SMALLEST = 8192;
const LARGEST = 4 * 1024 * 1024;
const START = 256 * 1024;
/** How long bytes that never left in between count as too many. */
const LOOK_MS = 10;
const GROWTH = 1.25;
const SHARE_GIVEN_BACK = 0.75;
const DELAY_MS = 10;
/** However slow the link: a super-packet of the TUN's, twice. */
const SMALL_ENOUGH = 128 * 1024;
/** The link's rate is measured over this long, in which it was never left idle: looks came at most GAP_MS apart. */
const SPELL_MS = 50;
const GAP_MS = 20;

export class SendWindow {
  bytes = START;
  /** In flight at most: what was when last looked at, and what was sent since. */
  #atMost = Number.POSITIVE_INFINITY;
  #lowest = Number.POSITIVE_INFINITY;
  #until = 0;
  #most = LARGEST;
  #spell = 0;
  #looked = 0;
  #sent = 0;

  /** Others have sent into the same socket. */
  unsure(): void {
    this.#atMost = Number.POSITIVE_INFINITY;
  }

  /** More may be sent even if nothing has left meanwhile: the kernel need not be asked. */
  get surelyOpen(): boolean {
    return this.#atMost < this.bytes;
  }

  /** `inFlight`: bytes not yet on the link. True: send more. */
  open(inFlight: number): boolean {
    this.#atMost = inFlight;
    return inFlight < this.bytes;
  }

  /** Bytes were handed to the socket. */
  sent(bytes: number): void {
    this.#sent += bytes;
    this.#atMost += bytes;
  }

  /** To be called each time a wait for room is looked at, with what is still in flight then. */
  waited(inFlight: number, now: number): void {
    this.#measure(now);
    if (inFlight === 0) {
      this.bytes = Math.min(this.bytes * GROWTH, this.#most);
      this.#forget(now);
      return;
    }
    this.#lowest = Math.min(this.#lowest, inFlight);
    if (now < this.#until) return;
    if (this.#until !== 0 && this.#lowest !== Number.POSITIVE_INFINITY)
      this.bytes = Math.max(SMALLEST, this.bytes - this.#lowest * SHARE_GIVEN_BACK);
    this.#forget(now);
  }

  #measure(now: number): void {
    const elapsed = now - this.#spell;
    const broken = now - this.#looked > GAP_MS;
    this.#looked = now;
    if (!broken && elapsed < SPELL_MS) return;
    if (!broken) this.#most = Math.max(SMALL_ENOUGH, Math.min(LARGEST, (this.#sent / elapsed) * DELAY_MS));
    this.#spell = now;
    this.#sent = 0;
  }

  #forget(now: number): void {
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#until = now + LOOK_MS;
  }
}
