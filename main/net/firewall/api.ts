// A second word on what the routes say, where packets leave and arrive: for those that no route decides about.
import type { NetError } from '../error.ts';
import type { DesiredRoutes } from '../route/api.ts';

/** Idempotent: apply makes it so, close undoes it, cleanUp removes what a crashed run left. */
export interface Firewall {
  apply(desired: DesiredRoutes): Promise<NetError | undefined>;
  /** Rejects with a NetError. */
  close(): Promise<void>;
  /** Removes everything that any run ever left. Returns what it removed, in words. Rejects with a NetError. */
  cleanUp(): Promise<readonly string[]>;
}
