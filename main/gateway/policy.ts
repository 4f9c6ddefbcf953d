// What the gateway's configuration says to IKE: who may come in, what is agreed to, and what each client gets.
import { sameIdentity } from '../ike/identity.ts';
import type { ResponderAuthentication, ResponderConfig } from '../ike/responder-config.ts';
import type { GatewayConfig } from './config.ts';
import type { Leases } from './leases.ts';
import { localSelectors, notCarried } from './plan.ts';

/** See LifetimePolicy. */
const LIFETIME_JITTER = 0.1;
const RETRANSMISSION = { first: 500, factor: 1.8, most: 10_000, tries: 6 };

/** `rules`: undefined for pre-shared keys both ways. */
export function policyOf(
  config: GatewayConfig,
  leases: Leases,
  rules: ResponderAuthentication | undefined,
): ResponderConfig {
  return {
    identity: config.identity,
    secretOf: (peer) => config.users.find((user) => sameIdentity(user.identity, peer))?.secret,
    authentication: rules,
    proposals: config.proposals.ike,
    childProposals: config.proposals.esp,
    modes: [
      ...(config.shapes.some((shape) => shape !== 'gre-transport') ? (['tunnel'] as const) : []),
      ...(config.shapes.includes('gre-transport') ? (['transport'] as const) : []),
    ],
    local: localSelectors(config),
    refuses: (child) => notCarried(config, child),
    // Without a pool clients bring their own addresses; with one nobody has any but the leased.
    remote: config.pool.ipv4 || config.pool.ipv6 ? 'lease' : 'any',
    lease: (peer, families) => leases.lease(peer, families),
    release: (_, lease) => leases.release(lease),
    encapsulation: config.encapsulation,
    cookieThreshold: config.cookieThreshold,
    mobike: {},
    retransmission: RETRANSMISSION,
    livenessInterval: config.livenessSeconds * 1000,
    ticketLifetime: config.ticketSeconds > 0 ? config.ticketSeconds : undefined,
    crashSecrets: config.crashSecrets,
    // Each client has one tunnel here; a further CHILD SA would have to share its addresses.
    mostChildren: 1,
    lifetime: {
      child: config.rekeySeconds * 1000,
      ike: config.ikeRekeySeconds * 1000,
      reauth: 0,
      jitter: LIFETIME_JITTER,
    },
  };
}
