// Which routes the tunnel's own table has to hold, as a pure function of what is desired and where the host is attached.
//
//   included prefix                          unicast  dev <tun>, and under it `unreachable` with a huge metric
//   excluded prefix                          throw    (the look-up goes on in the main table)
//   network of the host inside an included   throw    when allowLan, and only a private one (isLan)
//   fe80::/10 inside an included             throw    always: link-local never leaves its link, and DHCPv6 needs it
//   prefix of a family without a tunnel      unreachable
import { formatAddress, formatPrefix, type Prefix, parsePrefix, prefixRange } from '../../wire/address.ts';
import type { DesiredRoutes } from './api.ts';

export interface TableRoute {
  readonly type: 'unicast' | 'throw' | 'unreachable';
  readonly prefix: Prefix;
  /** For `unicast` only. */
  readonly dev?: string;
  /** For `unicast` only: the address that packets leave from, as text. */
  readonly source?: string;
  /** The one that takes over where the `unicast` route of the same prefix is gone. */
  readonly fallback?: true;
}

/** Linux numbers metrics with 32 bits, the smallest wins; the largest of all is the kernel's own (IPv6). */
export const FALLBACK_METRIC = 0xffff_fffe;

const LINK_LOCAL = parsePrefix('fe80::/10')!;

/** RFC 1918 §3, RFC 3927 §2.1, RFC 6598 §7, RFC 4193 §3.1, RFC 4291 §2.5.6: no address of the public Internet. */
const PRIVATE = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10'],
  ...['fc00::/7', 'fe80::/10'],
].map((text) => parsePrefix(text)!);

/**
 * Whether an attached network may be left out of the tunnel. Whoever runs the network says what it is called: a false
 * access point that names public addresses as its own would get their traffic in the clear (TunnelCrack, LocalNet).
 */
export function isLan(network: Prefix): boolean {
  return PRIVATE.some((range) => destination(range) === destination(network) || strictlyCovers(range, network));
}

/** One text for one destination: host bits cleared. */
export function destination(prefix: Prefix): string {
  return formatPrefix({ address: prefixRange(prefix).start, bits: prefix.bits });
}

/** Whether `outer` contains all of `inner` and more. */
export function strictlyCovers(outer: Prefix, inner: Prefix): boolean {
  if (outer.address.length !== inner.address.length || outer.bits >= inner.bits) return false;
  return destination({ address: inner.address, bits: outer.bits }) === destination(outer);
}

/** `attached`: networks the host is directly attached to, except through the tunnel. One route per destination. */
export function planRoutes(desired: DesiredRoutes, attached: readonly Prefix[]): Map<string, TableRoute> {
  const plan = new Map<string, TableRoute>();
  const add = (prefix: Prefix, route: Omit<TableRoute, 'prefix'>) =>
    plan.set(destination(prefix), { ...route, prefix });
  const captured = [...desired.include, ...desired.unreachable];
  const insideCaptured = (prefix: Prefix) => captured.some((outer) => strictlyCovers(outer, prefix));

  // Later ones win where two name the same destination: what a person asked for by name beats what was inferred, and
  // an exclusion beats an inclusion.
  for (const prefix of desired.unreachable) add(prefix, { type: 'unreachable' });
  if (insideCaptured(LINK_LOCAL)) add(LINK_LOCAL, { type: 'throw' });
  if (desired.allowLan)
    for (const prefix of attached)
      if (isLan(prefix) && insideCaptured(prefix) && !strictlyCovers(LINK_LOCAL, prefix))
        add(prefix, { type: 'throw' });
  for (const prefix of desired.include) {
    const from = desired.sources?.find((one) => destination(one.prefix) === destination(prefix));
    const source = from ? { source: formatAddress(from.source) } : {};
    add(prefix, { type: 'unicast', dev: desired.interfaceName, ...source });
  }
  for (const prefix of desired.exclude) add(prefix, { type: 'throw' });
  return plan;
}

/** What names a route in our table: its destination, and whether it is the fallback. */
export function routeKey(prefix: Prefix, fallback: boolean): string {
  return fallback ? `${destination(prefix)} metric ${FALLBACK_METRIC}` : destination(prefix);
}

/**
 * The plan, and under every route into the tunnel one that depends on no device. The kernel drops routes when their
 * interface, or its last address of the family, goes: what they carried is then refused and does not leave in the clear.
 */
export function withFallbacks(plan: ReadonlyMap<string, TableRoute>): Map<string, TableRoute> {
  const all = new Map<string, TableRoute>();
  for (const { type, prefix } of plan.values())
    if (type === 'unicast') all.set(routeKey(prefix, true), { type: 'unreachable', prefix, fallback: true });
  for (const [to, route] of plan) all.set(to, route);
  return all;
}
