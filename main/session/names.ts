// The name servers of a tunnel, and the way to them. Which they are is planned (plan.ts); here they are set, together with the routes:
//
//   routes to the new servers, and to those asked until now ─▶ names ─▶ routes to the new ones alone
import type { DesiredDns } from '../net/dns/api.ts';
import { NetError } from '../net/error.ts';
import type { Tun } from '../net/tun/api.ts';
import { type Address, type Prefix, sameAddress } from '../wire/address.ts';
import type { SessionDeps } from './deps.ts';
import type { Holding } from './holding.ts';
import { type TunnelPlan, withHosts } from './plan.ts';

/** As they are in force, or why they are not. */
export interface Names extends Omit<DesiredDns, 'interfaceName'> {
  readonly how: string | null;
  readonly failed: NetError | null;
}

export interface NameServers {
  /** null: the tunnel has none. */
  readonly current: Names | null;
  /** Sets them, and the plan's routes with them by `route`. Rejects where that fails and the tunnel is nothing without. */
  apply(plan: TunnelPlan, tun: Pick<Tun, 'name'>, route: (include: readonly Prefix[]) => Promise<void>): Promise<void>;
}

export interface NameServersFacts {
  readonly deps: Pick<SessionDeps, 'log'>;
  readonly holding: Pick<Holding, 'dns'>;
  /** Throws once nothing may be put up any more. */
  readonly check: () => void;
  /** They are another's by now, or ours again. */
  readonly changed: () => void;
}

export function createNameServers({ deps, holding, check, changed }: NameServersFacts): NameServers {
  let current: Names | null = null;
  /** Servers that the resolver asks by our hand. */
  let asked: readonly Address[] = [];

  /** A tunnel without its name servers is worth having, but has to say so. */
  async function set({ dns }: TunnelPlan, tun: Pick<Tun, 'name'>): Promise<Names | null> {
    check();
    try {
      const how = await holding.dns(
        dns && { interfaceName: tun.name, servers: dns.servers, domains: dns.domains, onChange: taken },
      );
      return dns && how !== null ? { ...dns, how, failed: null } : null;
    } catch (error) {
      if (!(error instanceof NetError) || !dns) throw error;
      // With everything inside, looking names up outside would tell the network there what nobody else may know.
      if (dns.required) throw error;
      deps.log({ level: 'error', area: 'dns', text: `${error.message} ${error.remedy}` });
      return { ...dns, how: null, failed: error };
    }
  }

  /** Somebody took the name servers back, and they could not be set again, or could after all. */
  function taken(failed: NetError | null): void {
    if (!current) return;
    current = { ...current, failed };
    if (failed) deps.log({ level: 'error', area: 'dns', text: `${failed.message} ${failed.remedy}` });
    changed();
  }

  return {
    get current() {
      return current;
    },
    async apply(plan, tun, route) {
      const { routes, dns } = plan;
      // Who is asked until the names change has to be reached through the tunnel until then, and longer where they cannot be changed.
      const former = asked.filter((one) => !dns?.servers.some((other) => sameAddress(one, other)));
      await route(former.length > 0 ? withHosts(routes, former) : routes.include);
      current = await set(plan, tun);
      if (current?.failed) return;
      asked = dns?.servers ?? [];
      if (former.length > 0) await route(routes.include);
    },
  };
}
