// Time, as a session is handed it.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds, monotonic: performance.now of this process, which the data plane's statistics use too. */
  now(): number;
  /** Unix time in milliseconds, for people. */
  wall(): number;
  /** Calls `fn` once, when `now()` is `at` or later. */
  setTimer(at: number, fn: () => void): Timer;
}
