// Taking things back: every step is bounded in time, and an error in one never keeps the others from being done.
import type { Clock } from './clock.ts';
import type { SessionDeps } from './deps.ts';
import { reasonText } from './failure.ts';

/** Milliseconds that one step of undoing may take before the next is begun. */
export const UNDO_LIMIT = 5_000;

export type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'late' };

/** Waits for `promise`, but not longer than `limit` milliseconds. Rejects as `promise` does. */
export async function within<T>(clock: Clock, limit: number, promise: Promise<T>): Promise<Outcome<T>> {
  let late: () => void = () => {};
  const alarm = new Promise<Outcome<T>>((resolve) => {
    late = () => resolve({ kind: 'late' });
  });
  const timer = clock.setTimer(clock.now() + limit, late);
  try {
    return await Promise.race([promise.then((value): Outcome<T> => ({ kind: 'done', value })), alarm]);
  } finally {
    timer.cancel();
  }
}

/** Does one undoing step. Never rejects: what goes wrong is logged. */
export async function tidy(
  deps: Pick<SessionDeps, 'clock' | 'log'>,
  what: string,
  step: () => Promise<void> | void,
): Promise<void> {
  try {
    const outcome = await within(deps.clock, UNDO_LIMIT, Promise.resolve(step()));
    if (outcome.kind === 'late')
      deps.log({ level: 'error', area: 'session', text: `${what}: not done after ${UNDO_LIMIT / 1000} s, going on` });
  } catch (error) {
    deps.log({ level: 'error', area: 'session', text: `${what}: ${reasonText(error)}` });
  }
}

export interface UndoStack {
  /** Call right after the thing exists, or right before where a failure may leave half of it. */
  push(what: string, step: () => Promise<void> | void): void;
  /** Everything, the latest first; what is pushed afterwards is undone at once. Never rejects. */
  unwind(): Promise<void>;
}

export function createUndoStack(deps: Pick<SessionDeps, 'clock' | 'log'>): UndoStack {
  const steps: { readonly what: string; readonly step: () => Promise<void> | void }[] = [];
  let unwound = false;
  return {
    push(what, step) {
      if (unwound) void tidy(deps, what, step);
      else steps.push({ what, step });
    },
    async unwind() {
      unwound = true;
      for (let entry = steps.pop(); entry; entry = steps.pop()) await tidy(deps, entry.what, entry.step);
    },
  };
}
