// Which route of the tunnel's own table decides about an address: the most specific one that covers it. A `throw` sends the
// packet on to the main table, as does having no route at all. Pure: for telling people, not for forwarding.
import { type Address, type Prefix, prefixRange, sameAddress } from '../../wire/address.ts';
import type { TableRoute } from './plan.ts';

export function covers(prefix: Prefix, address: Address): boolean {
  return (
    prefix.address.length === address.length &&
    sameAddress(prefixRange({ address, bits: prefix.bits }).start, prefixRange(prefix).start)
  );
}

/** undefined: no route of the tunnel covers it. */
export function lookUp(plan: ReadonlyMap<string, TableRoute>, address: Address): TableRoute | undefined {
  let best: TableRoute | undefined;
  for (const route of plan.values())
    if (covers(route.prefix, address) && (!best || route.prefix.bits > best.prefix.bits)) best = route;
  return best;
}
