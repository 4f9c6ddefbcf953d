// What we ask of the gateway, from the profile: the initiator's configuration and, in it, the traffic selectors of each
// shape of tunnel.
//
//   shape          TSi                                          TSr
//   gre-transport  local address [47]                           gateway [47]
//   gre-tunnel     gre.local [47], else the assigned one [47]   gre.remote [47], else the gateway [47]
//   esp-tunnel     the assigned address, else the local one     included routes, else everything
//
// `remoteSelectors` replaces TSr; `anyProtocol` asks for every protocol instead of GRE (47) alone.

import type { ChildRequest } from '../ike/child-sa.ts';
import type { InitiatorConfig } from '../ike/initiator-config.ts';
import type { RetransmissionPolicy } from '../ike/timing.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, type Endpoint, formatPrefix, type Prefix } from '../wire/address.ts';
import { type Selector, selectorOf } from '../wire/selector.ts';
import type { WhoIsWho } from './authentication.ts';

/** IANA protocol number of GRE. */
export const GRE = 47;

export const everything = (family: 4 | 6): Prefix => ({ address: new Uint8Array(family === 4 ? 4 : 16), bits: 0 });
export const hostPrefix = (address: Address): Prefix => ({ address, bits: address.length * 8 });
export const familyOf = (address: Address): 4 | 6 => (address.length === 4 ? 4 : 6);

/** See LifetimePolicy. */
const LIFETIME_JITTER = 0.1;

export interface RequestFacts {
  /** Our two endpoints towards this gateway address: UDP 500 and 4500 when they were free. */
  readonly local: Endpoint;
  readonly localNatt: Endpoint;
  readonly gateway: Address;
  /** Absent: UDP. */
  readonly over?: 'udp' | 'tcp';
  /** Encapsulate in UDP though no NAT is there: the profile says so, or raw sockets are not to be had. */
  readonly forceUdp: boolean;
  /** Milliseconds that the gateway has for its answers. */
  readonly patience: number;
}

export function childRequest(profile: Profile, local: Address, gateway: Address): ChildRequest {
  const { shape, anyProtocol, remoteSelectors, requestAddresses } = profile.tunnel;
  const protocol = anyProtocol || shape === 'esp-tunnel' ? 0 : GRE;
  const select = (prefixes: readonly Prefix[]): Selector[] => prefixes.map((prefix) => selectorOf(prefix, protocol));
  const base = { proposals: profile.proposals.esp };
  const remoteOr = (prefixes: readonly Prefix[]): Selector[] => select(remoteSelectors ?? prefixes);

  switch (shape) {
    case 'gre-plain':
      throw new RangeError('plain GRE has no IKE');
    case 'gre-transport':
      return {
        ...base,
        mode: 'transport',
        local: select([hostPrefix(local)]),
        remote: remoteOr([hostPrefix(gateway)]),
        localIsDynamic: false,
      };
    case 'gre-tunnel': {
      const remote = profile.gre?.remote ?? gateway;
      const family = familyOf(remote);
      const fixed = profile.gre?.local ?? null;
      const dynamic = fixed === null && requestAddresses.includes(family);
      return {
        ...base,
        mode: 'tunnel',
        local: select([dynamic ? everything(family) : hostPrefix(fixed ?? local)]),
        remote: remoteOr([hostPrefix(remote)]),
        localIsDynamic: dynamic,
      };
    }
    case 'esp-tunnel': {
      const dynamic = requestAddresses.length > 0;
      const families = dynamic ? requestAddresses : [familyOf(local)];
      const wanted = profile.routes.include.filter((prefix) => families.includes(familyOf(prefix.address)));
      return {
        ...base,
        mode: 'tunnel',
        local: select(dynamic ? families.map(everything) : [hostPrefix(local)]),
        remote: remoteOr(wanted.length > 0 && !profile.routes.fromGateway ? wanted : families.map(everything)),
        localIsDynamic: dynamic,
      };
    }
  }
}

/** One for each network that is reached beside GRE. Its name is the network's. */
export function directRequests(profile: Profile, local: Address): readonly ChildRequest[] {
  const { direct, requestAddresses } = profile.tunnel;
  return direct.map((prefix) => {
    const family = familyOf(prefix.address);
    const dynamic = requestAddresses.includes(family);
    return {
      name: formatPrefix(prefix),
      mode: 'tunnel',
      proposals: profile.proposals.esp,
      local: [selectorOf(dynamic ? everything(family) : hostPrefix(local))],
      remote: [selectorOf(prefix)],
      localIsDynamic: dynamic,
    };
  });
}

/** First sending after 0.5 s, then ever slower up to 8 s, for at least `patience` milliseconds (RFC 7296 §2.1, §2.4). */
export function retransmission(patience: number): RetransmissionPolicy {
  const policy = { first: 500, factor: 1.8, most: 8_000 };
  let tries = 0;
  for (let total = 0, wait = policy.first; total < patience; tries++) {
    total += wait;
    wait = Math.min(policy.most, wait * policy.factor);
  }
  // Later losses (liveness checks) use the same policy: never give a gateway up after less than five sendings.
  return { ...policy, tries: Math.max(5, tries) };
}

/** `whoIsWho`: see authentication.ts. */
export function initiatorConfig(profile: Profile, facts: RequestFacts, whoIsWho: WhoIsWho): InitiatorConfig {
  const { gateway, timing } = profile;
  return {
    local: facts.local,
    localNatt: facts.localNatt,
    remote: { address: facts.gateway, port: facts.over === 'tcp' ? gateway.tcpPort : gateway.port },
    remoteNattPort: gateway.nattPort,
    ...whoIsWho,
    proposals: profile.proposals.ike,
    child: childRequest(profile, facts.local.address, facts.gateway),
    moreChildren: directRequests(profile, facts.local.address),
    requestAddresses: profile.tunnel.requestAddresses,
    childless: profile.tunnel.childless,
    // RFC 4555 §1.2: tunnel mode only; RFC 9329 §6.1: whoever comes over TCP just opens another connection.
    mobike: profile.tunnel.mobike && profile.tunnel.shape !== 'gre-transport' && facts.over !== 'tcp',
    encapsulation: facts.over === 'tcp' ? 'tcp' : facts.forceUdp ? 'udp' : 'auto',
    retransmission: retransmission(facts.patience),
    lifetime: {
      child: timing.rekeySeconds * 1000,
      ike: timing.ikeRekeySeconds * 1000,
      reauth: timing.reauthSeconds * 1000,
      jitter: LIFETIME_JITTER,
    },
    livenessInterval: timing.livenessSeconds * 1000,
    keepaliveInterval: timing.keepaliveSeconds * 1000,
  };
}
