// Leases of virtual addresses, as the responder asks for them: one address of each requested family from its pool, the DNS
// servers and the subnets behind the gateway (RFC 7296 §3.15).

import type { AddressLease } from '../ike/configuration.ts';
import { formatIdentity, type Identity } from '../ike/identity.ts';
import type { Address, Prefix } from '../wire/address.ts';
import type { GatewayConfig } from './config.ts';
import { createPool, type Pool } from './pool.ts';

export interface Leases {
  /** undefined: no pool of any of these families, or every address of one is taken. */
  lease(peer: Identity, families: readonly (4 | 6)[]): AddressLease | undefined;
  release(lease: AddressLease): void;
  /** The gateway's own addresses in its pools. */
  readonly own: readonly Prefix[];
  readonly leased: number;
}

export function createLeases(config: GatewayConfig): Leases {
  const pools = new Map<4 | 6, Pool>();
  if (config.pool.ipv4) pools.set(4, createPool(config.pool.ipv4));
  if (config.pool.ipv6) pools.set(6, createPool(config.pool.ipv6));
  return {
    own: [...pools.values()].map((pool) => pool.own),
    get leased() {
      return [...pools.values()].reduce((sum, pool) => sum + pool.leased, 0);
    },
    lease(peer, families) {
      const client = formatIdentity(peer);
      const given: { readonly pool: Pool; readonly address: Address }[] = [];
      for (const family of new Set(families)) {
        const pool = pools.get(family);
        if (!pool) continue;
        const address = pool.lease(client);
        if (!address) {
          for (const other of given) other.pool.release(other.address);
          return undefined;
        }
        given.push({ pool, address });
      }
      if (given.length === 0) return undefined;
      return {
        addresses: given.map(({ address }) => ({ address, bits: address.length * 8 })),
        dns: config.dns,
        subnets: config.subnets,
        domains: config.domains,
      };
    },
    release(lease) {
      for (const { address } of lease.addresses) pools.get(address.length === 4 ? 4 : 6)!.release(address);
    },
  };
}
