// Routes for tests and for the unprivileged demo: remembers what is desired, changes nothing.
import type { NetError } from '../error.ts';
import type { DesiredRoutes, RouteTable } from './api.ts';

export interface FakeRouteTable extends RouteTable {
  /** What holds now; undefined: nothing (never applied, closed or cleaned up). */
  readonly desired: DesiredRoutes | undefined;
  /** "apply", "close" and "cleanUp" in the order they came. */
  readonly calls: string[];
  /** What the next applies return, in order. An apply that fails changes nothing. */
  readonly errors: NetError[];
}

/** `leftover`: what a crashed run seems to have left, for cleanUp to find. */
export function fakeRouteTable(leftover: readonly string[] = [], mark = 0): FakeRouteTable {
  let desired: DesiredRoutes | undefined;
  let left = [...leftover];
  const calls: string[] = [];
  const errors: NetError[] = [];
  return {
    mark,
    calls,
    errors,
    get desired() {
      return desired;
    },
    apply: async (wanted) => {
      calls.push('apply');
      const error = errors.shift();
      if (error) return error;
      desired = wanted;
      return undefined;
    },
    close: async () => {
      calls.push('close');
      desired = undefined;
    },
    cleanUp: async () => {
      calls.push('cleanUp');
      desired = undefined;
      const removed = left;
      left = [];
      return removed;
    },
  };
}
