// Time that a connection may take, without the time that a person takes to answer a question: while one is open, it stands still.
import type { Instant } from '../ike/timing.ts';
import type { Clock, Timer } from './clock.ts';

export interface Patience {
  /** Milliseconds that have counted so far. */
  now(): Instant;
  /** Calls `fn` once, when so many milliseconds more have counted. */
  after(milliseconds: number, fn: () => void): Timer;
  /** Stands still from now on; harmless to repeat. */
  pause(): void;
  resume(): void;
}

interface Waiting {
  readonly at: Instant;
  readonly fn: () => void;
  timer: Timer | null;
}

export function createPatience(clock: Clock): Patience {
  let paused: Instant | null = null;
  let stood = 0;
  const waiting = new Set<Waiting>();
  const now = (): Instant => (paused ?? clock.now()) - stood;

  const wind = (item: Waiting): void => {
    item.timer = clock.setTimer(item.at + stood, () => {
      waiting.delete(item);
      item.fn();
    });
  };

  return {
    now,
    after(milliseconds, fn) {
      const item: Waiting = { at: now() + milliseconds, fn, timer: null };
      waiting.add(item);
      if (paused === null) wind(item);
      return {
        cancel() {
          waiting.delete(item);
          item.timer?.cancel();
        },
      };
    },
    pause() {
      if (paused !== null) return;
      paused = clock.now();
      for (const item of waiting) {
        item.timer?.cancel();
        item.timer = null;
      }
    },
    resume() {
      if (paused === null) return;
      stood += clock.now() - paused;
      paused = null;
      for (const item of waiting) wind(item);
    },
  };
}
