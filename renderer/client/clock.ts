// Time, injected so that tests decide what it is.

export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Calls `run` after `ms` milliseconds. Returns how to prevent it. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
