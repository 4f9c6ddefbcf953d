// The clock that the gateway and its in-memory host live by; tests hand in one that they turn by hand.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls `fn` once, when `now()` is `at` or later. */
  setTimer(at: number, fn: () => void): Timer;
}

/** setTimeout's longest wait; longer ones would fire at once. */
const LONGEST = 0x7fffffff;

/** The process's own: performance.now and setTimeout. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(at, fn) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      // setTimeout may fire a fraction of a millisecond early by this clock: round up.
      const left = Math.max(0, Math.ceil(at - performance.now()));
      timer = left > LONGEST ? setTimeout(arm, LONGEST) : setTimeout(fn, left);
      timer.unref();
    };
    arm();
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * One deadline that moves often, on few timers: moving it later costs nothing until the old instant comes. Calls `fn` at
 * most once for each `set`.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #fn: () => void;
  #at: number | undefined;
  #timer: Timer | undefined;
  #timerAt = 0;

  constructor(clock: Clock, fn: () => void) {
    this.#clock = clock;
    this.#fn = fn;
  }

  get isSet(): boolean {
    return this.#at !== undefined;
  }

  set(at: number): void {
    this.#at = at;
    if (this.#timer && this.#timerAt <= at) return;
    this.#timer?.cancel();
    this.#arm(at);
  }

  clear(): void {
    this.#at = undefined;
  }

  /** Cancels the timer underneath too. */
  close(): void {
    this.#at = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(at: number): void {
    this.#timerAt = at;
    this.#timer = this.#clock.setTimer(at, () => {
      this.#timer = undefined;
      if (this.#at === undefined) return;
      if (this.#at > this.#clock.now()) {
        this.#arm(this.#at);
        return;
      }
      this.#at = undefined;
      this.#fn();
    });
  }
}
