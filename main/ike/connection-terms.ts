// What a connection is held to after IKE_AUTH, out of the configuration of either role.

import type { RandomBytes } from '../crypto/random.ts';
import type { ChildSa } from './child-sa.ts';
import { type ChildTerms, settled } from './child-terms.ts';
import type { AddressLease, Configuration } from './configuration.ts';
import type { ExchangeManager } from './exchange.ts';
import type { InitiatorConfig } from './initiator-config.ts';
import type { MobikeTerms } from './mobike.ts';
import { hostSelector } from './narrow.ts';
import type { Outbox } from './outbox.ts';
import type { ResponderConfig } from './responder-config.ts';
import type { IkeSa, Role } from './sa.ts';
import { remotePolicy } from './task/child-responder.ts';
import type { Task } from './task/task.ts';
import type { ClientTickets, GatewayTickets } from './ticketing.ts';
import type { Instant, LifetimePolicy, RetransmissionPolicy } from './timing.ts';

export interface ConnectionTerms {
  /** Who began the connection; after a rekeying it may be the other one's IKE SA. */
  readonly role: Role;
  readonly sa: IkeSa;
  readonly manager: ExchangeManager<Task>;
  readonly outbox: Outbox;
  readonly random: RandomBytes;
  /** The CHILD SA of IKE_AUTH, where it has made one. */
  readonly made: readonly ChildSa[];
  readonly children: ChildTerms;
  /** IKE proposals that are offered and accepted when the IKE SA is rekeyed. */
  readonly proposals: readonly string[];
  readonly lifetime: LifetimePolicy | undefined;
  readonly retransmission: RetransmissionPolicy;
  /** 0: never. */
  readonly livenessInterval: number;
  /** 0: never; set only where we are behind a NAT, or feign it. */
  readonly keepaliveInterval: number;
  /** Both ends can move (RFC 4555). */
  readonly mobike?: MobikeTerms | undefined;
  /** The peer may send us to another gateway (RFC 5685), or we it. */
  readonly redirects?: boolean | undefined;
  readonly clientTickets?: ClientTickets | undefined;
  readonly gatewayTickets?: GatewayTickets | undefined;
  /** Milliseconds for which the gateway takes the authentication that IKE_AUTH was (RFC 4478). */
  readonly authLifetime?: number | undefined;
  /** A gateway's, for the tokens of SAs that replace the first (RFC 6290 §4.3). */
  readonly crashSecrets?: readonly Uint8Array[] | undefined;
  readonly now: Instant;
}

/** What IKE_AUTH hands on in either role. */
interface Authenticated
  extends Pick<ConnectionTerms, 'sa' | 'manager' | 'outbox' | 'random' | 'now' | 'clientTickets' | 'gatewayTickets'> {
  /** The CHILD SA of IKE_AUTH, where it has made one. */
  readonly child: ChildSa | undefined;
}

/** CHILD SAs that one client may open, unless the configuration says otherwise. */
const MOST_CHILDREN = 4;
/** A gateway that is itself behind a NAT keeps its mapping alive (RFC 3948 §4). */
const KEEPALIVE_INTERVAL = 20_000;

export function initiatorTerms(
  config: InitiatorConfig,
  done: Authenticated &
    Pick<ConnectionTerms, 'authLifetime'> & {
      readonly configuration: Configuration | undefined;
      readonly mobike: Pick<MobikeTerms, 'peerAddresses'> | undefined;
    },
): ConnectionTerms {
  const { lifetime, retransmission, livenessInterval, proposals } = config;
  const assigned = (done.configuration?.addresses ?? []).map(({ address }) => hostSelector(address));
  const feignNat = config.encapsulation === 'udp';
  return {
    ...done,
    mobike: done.mobike && { ...done.mobike, feignNat, keepaliveInterval: config.keepaliveInterval },
    made: done.child ? [done.child] : [],
    role: 'initiator',
    redirects: config.takesRedirects,
    children: {
      lifetime,
      requests: [config.child, ...(config.moreChildren ?? [])].map((request) => settled(request, assigned)),
      remake: config.remakeChildren ?? false,
      accepts: undefined,
      most: 0,
    },
    proposals,
    lifetime,
    retransmission,
    livenessInterval,
    // RFC 9329 §6.6: a connection needs none.
    keepaliveInterval:
      config.encapsulation !== 'tcp' && (done.sa.nat.local || config.encapsulation === 'udp')
        ? config.keepaliveInterval
        : 0,
  };
}

export function responderTerms(
  config: ResponderConfig,
  done: Authenticated & {
    readonly lease: AddressLease | undefined;
    /** The peer can be sent to another gateway. */
    readonly redirects: boolean;
    readonly mobike: Pick<MobikeTerms, 'peerAddresses'> | undefined;
  },
): ConnectionTerms {
  const { lifetime, retransmission, livenessInterval, proposals } = config;
  const { accepts } = config.mobike ?? {};
  const feignNat = config.encapsulation === 'udp';
  return {
    ...done,
    mobike: done.mobike && { ...done.mobike, feignNat, accepts, keepaliveInterval: KEEPALIVE_INTERVAL },
    made: done.child ? [done.child] : [],
    role: 'responder',
    crashSecrets: config.crashSecrets,
    children: {
      lifetime,
      requests: [],
      remake: false,
      accepts: {
        proposals: config.childProposals,
        unencrypted: config.unencrypted,
        modes: config.modes,
        pfs: config.pfs,
        local: config.local,
        remote: remotePolicy(done.sa, config, done.lease),
        refuses: config.refuses,
      },
      most: config.mostChildren ?? MOST_CHILDREN,
    },
    proposals,
    lifetime,
    retransmission,
    livenessInterval,
    keepaliveInterval: done.sa.nat.local ? KEEPALIVE_INTERVAL : 0,
  };
}
