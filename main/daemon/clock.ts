// The real clock, for sessions.
import type { Clock } from '../session/clock.ts';

/** setTimeout's longest wait; longer ones would fire at once. */
const LONGEST = 0x7fffffff;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(at, fn) {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      // Timers may fire up to a millisecond early: the promise is "at or later".
      const left = Math.ceil(at - performance.now());
      if (left <= 0) handle = setTimeout(fn, 0);
      else handle = setTimeout(() => (performance.now() >= at ? fn() : arm()), Math.min(left, LONGEST));
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
};
