// Tells when the machine's network may have changed: links, addresses, routes and the rules between them. It says that
// something happened, never what to make of it: whoever is told looks again at what it needs (sourceAddress, routes).
//
// Linux has it (linux.ts, a netlink socket). macOS (a PF_ROUTE socket) and Windows (NotifyIpInterfaceChange) are not written yet;
// there a connection notices by its liveness checks.
import type { NetError } from '../error.ts';

export type NetworkChange = 'link' | 'address' | 'route' | 'rule';

export interface NetworkWatch {
  close(): void;
}

export interface NetworkMonitor {
  /** Calls `listener` for every change, our own included, often many times at once. Never within the call itself. */
  watch(listener: (change: NetworkChange) => void): NetworkWatch | NetError;
}
