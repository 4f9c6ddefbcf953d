// Routes with a firewall behind them: it comes after the routes that it repeats, and goes before them. A machine without one has
// the routes alone, which hold everything but sockets that choose their interface themselves; that is said, once.
import type { NetError } from '../error.ts';
import type { RouteTable } from '../route/api.ts';
import type { Firewall } from './api.ts';

export function guardedRoutes(routes: RouteTable, firewall: Firewall, missing: (error: NetError) => void): RouteTable {
  let told = false;
  return {
    ...routes,
    async apply(desired) {
      const failed = await routes.apply(desired);
      if (failed) return failed;
      const unguarded = await firewall.apply(desired);
      if (unguarded && !told) missing(unguarded);
      told = unguarded !== undefined;
      return undefined;
    },
    async close() {
      try {
        await firewall.close();
      } finally {
        await routes.close();
      }
    },
    async cleanUp() {
      const removed: string[] = [];
      try {
        removed.push(...(await firewall.cleanUp()));
      } finally {
        removed.push(...(await routes.cleanUp()));
      }
      return removed;
    },
  };
}
