// A clock that stands still until it is told to go on.
import type { Clock } from '../../../main/session/clock.ts';

export interface FakeClock extends Clock {
  /** Lets everything that is ready run, then moves on, timer by timer, by `milliseconds`. */
  advance(milliseconds: number): Promise<void>;
  /** Lets everything run that needs no time. */
  settle(): Promise<void>;
  /** Timers that are set. */
  readonly pending: number;
}

/** All microtasks, however many follow one another: setImmediate comes after the last of them. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function fakeClock(start = 5_000): FakeClock {
  const wallOffset = 1_700_000_000_000;
  const timers = new Map<number, { readonly at: number; readonly fn: () => void }>();
  let now = start;
  let serial = 0;

  function nextDue(until: number): number | undefined {
    let best: number | undefined;
    for (const [id, timer] of timers)
      if (timer.at <= until && (best === undefined || timer.at < timers.get(best)!.at)) best = id;
    return best;
  }

  return {
    now: () => now,
    wall: () => wallOffset + now,
    setTimer(at, fn) {
      const id = ++serial;
      timers.set(id, { at, fn });
      return { cancel: () => void timers.delete(id) };
    },
    async advance(milliseconds) {
      const until = now + milliseconds;
      await settle();
      for (let id = nextDue(until); id !== undefined; id = nextDue(until)) {
        const timer = timers.get(id)!;
        timers.delete(id);
        now = Math.max(now, timer.at);
        timer.fn();
        await settle();
      }
      now = until;
    },
    settle,
    get pending() {
      return timers.size;
    },
  };
}
