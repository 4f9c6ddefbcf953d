// A network monitor for tests: says what it is told to say.
import type { NetworkChange, NetworkMonitor } from './api.ts';

export interface FakeMonitor extends NetworkMonitor {
  /** Tells everybody who watches. */
  say(change: NetworkChange): void;
  /** How many watch. */
  readonly watching: number;
}

export function fakeMonitor(): FakeMonitor {
  const listeners = new Set<(change: NetworkChange) => void>();
  return {
    watch(listener) {
      // A function of its own: the same listener may watch twice.
      const own = (change: NetworkChange): void => listener(change);
      listeners.add(own);
      return { close: () => void listeners.delete(own) };
    },
    say(change) {
      for (const listener of [...listeners]) listener(change);
    },
    get watching() {
      return listeners.size;
    },
  };
}
