// What people are told of a tunnel that is up.
import { weaknessWarnings } from '../crypto/policy.ts';
import type { ChildSa } from '../ike/child-sa.ts';
import { formatIdentity } from '../ike/identity.ts';
import type { TunnelInfo } from '../ipc/contract.ts';
import type { Tun } from '../net/tun/api.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, formatAddress, formatEndpoint, formatPrefix } from '../wire/address.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import { tell, tellError } from '../words/told.ts';
import type { Established } from './drive.ts';
import { failureOf } from './failure.ts';
import type { Names } from './names.ts';
import type { TunnelPlan } from './plan.ts';

export interface InfoFacts {
  readonly profile: Profile;
  readonly local: Address;
  readonly gateway: Address;
  readonly child: Pick<ChildSa, 'proposal'> | null;
  readonly established: Established | null;
  readonly encapsulation: Encapsulation;
  readonly tun: Pick<Tun, 'name'>;
  /** Unix time in milliseconds. */
  readonly since: number;
  readonly plan: TunnelPlan;
  readonly names: Names | null;
  /** The CHILD SA of each of `profile.tunnel.direct`; null: there is none. */
  readonly direct: readonly (Pick<ChildSa, 'proposal'> | null)[];
}

export function tunnelInfo(facts: InfoFacts): TunnelInfo {
  const { profile, established, plan, names } = facts;
  const configuration = established?.configuration;
  return {
    shape: profile.tunnel.shape,
    interfaceName: facts.tun.name,
    gateway: established ? formatEndpoint(established.remote) : formatAddress(facts.gateway),
    gatewayIdentity: established ? formatIdentity(established.remoteIdentity) : '',
    local: established ? formatEndpoint(established.local) : formatAddress(facts.local),
    encapsulation: facts.encapsulation,
    behindNat: established?.behindNat ?? { local: false, remote: false },
    addresses: plan.addresses.map(formatPrefix),
    assigned: (configuration?.addresses ?? []).map(formatPrefix),
    dns: (configuration?.dns ?? []).map(formatAddress),
    ...(names && names.how !== null && !names.failed
      ? {
          names: {
            servers: names.servers.map(formatAddress),
            domains: names.domains === 'all' ? [] : names.domains,
            how: names.how,
          },
        }
      : {}),
    ikeProposal: established?.proposal ?? 'none',
    // A chosen additional key exchange is part of the proposal's text (RFC 9370: "…-ke1_mlkem768").
    postQuantum: /mlkem/i.test(established?.proposal ?? ''),
    espProposal: facts.child?.proposal ?? 'none',
    mtu: plan.mtu,
    routes: {
      include: plan.routes.include.map(formatPrefix),
      exclude: plan.routes.exclude.map(formatPrefix),
      blocked: plan.routes.unreachable.map(formatPrefix),
      gateway: (configuration?.subnets ?? []).map(formatPrefix),
    },
    ...(profile.tunnel.direct.length > 0
      ? {
          direct: profile.tunnel.direct.map((prefix, i) => {
            const child = facts.direct[i];
            return { prefix: formatPrefix(prefix), ...(child ? { espProposal: child.proposal } : {}) };
          }),
        }
      : {}),
    since: facts.since,
    warnings: [
      ...weaknessWarnings({ ike: established?.proposal, esp: facts.child?.proposal }),
      ...plan.warnings,
      ...(names?.failed ? [tell('tunnel.namesFailed', tellError(failureOf(names.failed).error))] : []),
    ],
  };
}
