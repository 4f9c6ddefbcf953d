// What an initiator is told before it starts.
import type { Address, Endpoint } from '../wire/address.ts';
import type { ChildRequest } from './child-sa.ts';
import type { Credential, Ppk, RemoteAuthentication, SecondAuthentication } from './credential.ts';
import type { Identity } from './identity.ts';
import type { ResumptionTicket } from './ticket.ts';
import type { LifetimePolicy, RetransmissionPolicy } from './timing.ts';

export interface InitiatorConfig {
  readonly local: Endpoint;
  /** The local endpoint once the exchange has moved to UDP 4500. */
  readonly localNatt: Endpoint;
  /** UDP 500 of the gateway, and its port for NAT traversal (4500 unless the profile says otherwise). */
  readonly remote: Endpoint;
  readonly remoteNattPort: number;
  readonly identity: Identity;
  /** Expected IDr; undefined: whatever the peer proves with the secret. */
  readonly remoteIdentity: Identity | undefined;
  /**
   * Do these name the same, though sameIdentity says no: distinguished names in another order (RFC 4514 and most people write the last
   * RDN first)? Asked once the peer has proved that its name is its own. undefined: no.
   */
  readonly sameNames?: ((a: Identity, b: Identity) => boolean) | undefined;
  readonly credential: Credential;
  /** undefined: by our own pre-shared key. */
  readonly remoteAuthentication?: RemoteAuthentication | undefined;
  readonly second?: SecondAuthentication | undefined;
  readonly ppk?: Ppk | undefined;
  /** Say INITIAL_CONTACT: the gateway forgets other SAs of ours (RFC 7296 §2.4). undefined: yes; no while one is being replaced. */
  readonly initialContact?: boolean | undefined;
  /** Make the IKE SA without a CHILD SA where the gateway can (RFC 6023), and the CHILD SA by CREATE_CHILD_SA. */
  readonly childless?: boolean | undefined;
  readonly proposals: readonly string[];
  readonly child: ChildRequest;
  /** Further CHILD SAs, made by CREATE_CHILD_SA once the first is there; each has a name of its own. */
  readonly moreChildren?: readonly ChildRequest[] | undefined;
  /** Make a CHILD SA anew, a few times, that the peer has deleted, before the connection is given up. */
  readonly remakeChildren?: boolean | undefined;
  /** undefined: nothing is ever replaced because of time. */
  readonly lifetime?: LifetimePolicy | undefined;
  /** Ask for addresses of these families in the configuration payload; empty: no configuration payload. */
  readonly requestAddresses: readonly (4 | 6)[];
  /**
   * `udp`: force encapsulation with a false NAT-detection hash. `auto`: only when a NAT is there. `tcp`: everything goes over one
   * TCP connection, whose ends are `local` and `remote` (RFC 9329).
   */
  readonly encapsulation: 'udp' | 'auto' | 'tcp';
  readonly retransmission: RetransmissionPolicy;
  /** Milliseconds without inbound traffic before a liveness check; 0: never. */
  readonly livenessInterval: number;
  /** Milliseconds between NAT keepalives; 0: never. */
  readonly keepaliveInterval: number;
  /**
   * Bytes of IP datagrams that fragments of IKE messages are made for, tried downwards (RFC 7383 §2.5.2). undefined: 1280, then
   * 576; empty: fragmentation is not offered.
   */
  readonly fragmentSizes?: readonly number[] | undefined;
  /**
   * Say MOBIKE_SUPPORTED (RFC 4555): IKE goes over UDP 4500, and where the gateway says it too, `addressesChanged` moves the SAs. For
   * tunnel mode only (§1.2). undefined: no.
   */
  readonly mobike?: boolean | undefined;
  /** Say that the gateway may send us to another one (RFC 5685): then CloseReason `redirect`. */
  readonly takesRedirects?: boolean | undefined;
  /** Ask for tickets (RFC 5723), which come as effects. */
  readonly wantsTickets?: boolean | undefined;
  /** Resume with this one; where that fails, authenticate from the start. Not wiped here. */
  readonly resume?: ResumptionTicket | undefined;
  /** The gateway that has sent us here. */
  readonly redirectedFrom?: Address | undefined;
}
