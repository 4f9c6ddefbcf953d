// Which name servers the system asks while a tunnel is up (RFC 7296 §3.15.1 INTERNAL_IP*_DNS; split DNS: RFC 8598).
import type { Address } from '../../wire/address.ts';
import type { NetError } from '../error.ts';

export interface DesiredDns {
  /** The tunnel's interface, through which the servers are reached. */
  readonly interfaceName: string;
  /** In order of preference; at least one. */
  readonly servers: readonly Address[];
  /**
   * Names that only these servers may be asked for: each domain and everything under it (RFC 8598 §5), in presentation format
   * without the last dot, lower case. `all`: every name, so that no query goes around the tunnel.
   */
  readonly domains: readonly string[] | 'all';
  /**
   * Called when somebody changed the system's settings meanwhile and they could not be made ours again (the error), and when they
   * could after all (null).
   */
  readonly onChange?: (failed: NetError | null) => void;
}

/** Idempotent: apply makes it so, close undoes it, cleanUp removes what a crashed run left. */
export interface DnsSettings {
  /** How it is done here, for the log, comes back with success. */
  apply(desired: DesiredDns): Promise<{ readonly how: string } | NetError>;
  /** Servers of before, as hosts, while ours are in force in their place and they can be known; null: ask the system's resolver. */
  outside(): Promise<readonly string[] | null>;
  /** Rejects with a NetError, after everything else was undone. */
  close(): Promise<void>;
  /** Removes everything that any run ever left. Returns what it removed, in words. */
  cleanUp(): Promise<readonly string[]>;
}
