// Time that a test moves.
import type { Clock } from '../../renderer/client/clock.ts';

export interface TestClock extends Clock {
  /** Lets `ms` milliseconds pass; what falls due runs in order, with the microtasks behind it. */
  pass(ms: number): Promise<void>;
}

export function testClock(start = 1_700_000_000_000): TestClock {
  let now = start;
  let due: { readonly at: number; readonly run: () => void }[] = [];
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      due.push(timer);
      return () => {
        due = due.filter((other) => other !== timer);
      };
    },
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        const next = due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        due = due.filter((other) => other !== next);
        now = next.at;
        next.run();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}

/** Lets every microtask that is waiting, and those they make, run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
