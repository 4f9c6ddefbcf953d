// Routes into the tunnel, and the policy that keeps the tunnel's own datagrams out of it.
import type { Address, Prefix } from '../../wire/address.ts';
import type { NetError } from '../error.ts';

export interface DesiredRoutes {
  /** Interface that carries `include`. */
  readonly interfaceName: string;
  /** Prefixes that go through the tunnel. 0.0.0.0/0 and ::/0 allowed. */
  readonly include: readonly Prefix[];
  /** From which of this machine's addresses packets to an included prefix leave, where that is not for the kernel to choose. */
  readonly sources?: readonly { readonly prefix: Prefix; readonly source: Address }[];
  /** Prefixes that do not, though an included one covers them. */
  readonly exclude: readonly Prefix[];
  /** Private networks the host is attached to stay reachable directly though an included prefix covers them. */
  readonly allowLan: boolean;
  /** Refuse (with ICMP) instead of leaking what an address family without a tunnel would send: `::/0` or `0.0.0.0/0`. */
  readonly unreachable: readonly Prefix[];
}

/** Idempotent: apply makes it so, close undoes it, cleanUp removes what a crashed run left. Sockets carry `mark`. */
export interface RouteTable {
  /** SO_MARK of every IKE and ESP socket: marked packets never enter the tunnel, even under 0.0.0.0/0. */
  readonly mark: number;
  apply(desired: DesiredRoutes): Promise<NetError | undefined>;
  /**
   * Through which interface and router marked packets to `remote` leave, in words to compare with what it was before; undefined: there
   * is no way, or it cannot be told. Absent where the platform does not tell.
   */
  wayTo?(remote: Address): Promise<string | undefined>;
  /** Rejects with the first NetError, after a second try and after all else was undone. */
  close(): Promise<void>;
  /** Removes everything that any run ever left. Returns what it removed, in words. */
  cleanUp(): Promise<readonly string[]>;
}
