// Stops asynchronous set-up from outside: whatever the code is waiting for, it stops waiting at once.

export interface Breaker {
  /** The first call counts: every race, running and future, rejects with `error`. */
  trip(error: unknown): void;
  /** `promise`, unless the breaker trips first. */
  race<T>(promise: Promise<T>): Promise<T>;
}

export function createBreaker(): Breaker {
  let reject: (error: unknown) => void = () => {};
  const tripped = new Promise<never>((_, fail) => {
    reject = fail;
  });
  // Nobody may be racing when it trips.
  tripped.catch(() => {});
  return {
    trip: (error) => reject(error),
    race: (promise) => Promise.race([tripped, promise]),
  };
}
