// The tunnel as it will be, worked out from the profile and what was negotiated: addresses on the TUN, MTU and MSS, the
// core's parameters, routes. Pure; called again whenever the path MTU turns out to be smaller.
import { coversAddress, coversPrefix, prefixContains } from '../esp/selectors.ts';
import type { ChildSa } from '../ike/child-sa.ts';
import type { Configuration } from '../ike/configuration.ts';
import { computeMtu, IPV6_MINIMUM_MTU, type Mtu, type MtuPart, overheadOf } from '../mtu/mtu.ts';
import type { DesiredDns } from '../net/dns/api.ts';
import type { DesiredRoutes } from '../net/route/api.ts';
import type { TunnelParams } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, formatAddress, formatPrefix, type Prefix, sameAddress } from '../wire/address.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import { formatSelector, type Selector, selectorOf } from '../wire/selector.ts';
import { type Told, tell } from '../words/told.ts';
import { coversAnyFamily, coversFamily } from './coverage.ts';
import { SessionError, sessionFailure } from './failure.ts';
import { everything, familyOf, GRE, hostPrefix } from './request.ts';

const FAMILIES = [4, 6] as const;
/** The time to live of a delivery header that we write. */
const DELIVERY_TTL = 64;
/** As many as a tunnel of the core has on each side (assembly/layout.ts, not to be imported here; a test compares them). */
export const MOST_SELECTORS = 64;

export interface PlanFacts {
  /** Our address towards the gateway, and the gateway's. */
  readonly local: Address;
  readonly gateway: Address;
  readonly encapsulation: Encapsulation;
  /** null for plain GRE, which has neither. */
  readonly child: Pick<ChildSa, 'cipher' | 'integrity' | 'local' | 'remote'> | null;
  readonly configuration: Configuration | null;
  /** Path MTU between us and the gateway, as far as it is known. */
  readonly path: number;
  /** First GRE sequence number to send: a gateway whose tunnel stayed up discards older ones (RFC 2890 §2.2). */
  readonly greNext: number;
}

export interface PlannedDns extends Omit<DesiredDns, 'interfaceName'> {
  /** Everything goes inside: names that did not would be the one thing that leaks. */
  readonly required: boolean;
}

export interface TunnelPlan {
  readonly params: TunnelParams;
  readonly addresses: readonly Prefix[];
  readonly mtu: {
    readonly value: number;
    readonly mss4: number;
    readonly mss6: number;
    readonly explanation: string;
    /** What would be the value without the profile's wish, and of what it is made: `path` = the parts' sum + `computed`. */
    readonly computed: number;
    readonly path: number;
    readonly parts: readonly MtuPart[];
    readonly ipv6Allowed: boolean;
  };
  readonly routes: Omit<DesiredRoutes, 'interfaceName'>;
  /** null: name servers stay as they are. */
  readonly dns: PlannedDns | null;
  /** For people: what is not as they might think. */
  readonly warnings: readonly Told[];
}

/** Throws SessionError where the profile and what was negotiated do not make a tunnel. */
export function planTunnel(profile: Profile, facts: PlanFacts): TunnelPlan {
  const warnings: Told[] = [];
  const { shape } = profile.tunnel;
  if (shape === 'gre-plain') warnings.push(tell('tunnel.plain'));

  const delivery = deliveryOf(profile, facts);
  checkSelectors(profile, facts, delivery);
  const assigned = facts.configuration?.addresses ?? [];
  const offered = tunAddresses(profile, assigned, facts);
  const { mtu, ipv6 } = mtuOf(profile, facts, delivery, warnings);
  const addresses = ipv6 ? offered : offered.filter((prefix) => familyOf(prefix.address) === 4);
  const beside = directOf(profile, facts);
  if (addresses.length < offered.length) warnings.push(tell('tunnel.ipv6Off', { mtu: mtu.value }));

  const carried = carriedFamilies(addresses, facts).filter((family) => family === 4 || ipv6);
  const direct = routesOf(profile, facts, carried, warnings);
  const dns = dnsOf(profile, facts, carried, direct.include, warnings);
  const routes = { ...direct, include: withHosts(direct, dns?.servers ?? []) };
  const { local, remote } = coreSelectors(profile, facts, addresses, routes.include, warnings);
  const params: TunnelParams = {
    shape,
    gre: profile.gre
      ? {
          key: profile.gre.key,
          checksum: profile.gre.checksum,
          sequence: profile.gre.sequence,
          nextSequence: facts.greNext,
        }
      : null,
    delivery,
    mtu: mtu.value,
    mss4: mtu.mss4,
    mss6: mtu.mss6,
    local,
    remote,
    copyDscp: profile.mtu.copyDscp,
    outerDf: profile.mtu.outerDf,
    ttl: DELIVERY_TTL,
  };
  // What GRE does not carry has the assigned address for its source, so the TUN needs that one too.
  const sources = assigned.filter((one) => beside.some(({ source }) => sameAddress(source, one.address)));
  const hosts = sources.map(({ address }) => hostPrefix(address));
  return {
    params,
    addresses: [
      ...addresses,
      ...hosts.filter((host) => !addresses.some((one) => sameAddress(one.address, host.address))),
    ],
    mtu,
    routes:
      beside.length === 0
        ? routes
        : { ...routes, include: [...routes.include, ...beside.map(({ prefix }) => prefix)], sources: beside },
    dns,
    warnings,
  };
}

/** The networks that are reached without GRE, and the address of ours that the gateway expects packets from. */
function directOf(
  profile: Profile,
  facts: PlanFacts,
): readonly { readonly prefix: Prefix; readonly source: Address }[] {
  return profile.tunnel.direct.flatMap((prefix) => {
    const family = familyOf(prefix.address);
    const assigned = facts.configuration?.addresses.find(({ address }) => familyOf(address) === family);
    const source = assigned?.address ?? (familyOf(facts.local) === family ? facts.local : undefined);
    return source ? [{ prefix, source }] : [];
  });
}

/** The tunnel, beside that of `plan` and on the same TUN, of a CHILD SA without GRE: its selectors say all. */
export function planDirect(
  profile: Profile,
  plan: TunnelPlan,
  facts: Pick<PlanFacts, 'gateway' | 'path' | 'encapsulation'>,
  child: Pick<ChildSa, 'cipher' | 'integrity' | 'local' | 'remote'>,
): TunnelParams {
  const { mtu } = computeMtu({
    path: facts.path,
    outerFamily: familyOf(facts.gateway),
    encapsulation: facts.encapsulation,
    cipher: overheadOf(child),
    shape: 'esp-tunnel',
    gre: null,
    deliveryFamily: null,
  });
  const most = Math.max(child.local.length, child.remote.length);
  if (most > MOST_SELECTORS) throw tooManySelectors(most);
  const { params } = plan;
  return {
    ...params,
    shape: 'esp-tunnel',
    gre: null,
    delivery: null,
    mtu: Math.min(mtu, params.mtu),
    local: child.local,
    remote: child.remote,
    copyDscp: profile.mtu.copyDscp,
  };
}

/**
 * The GRE delivery header inside ESP tunnel mode. Plain GRE over IPv4 has the outer header for it, which raw sockets show:
 * nothing else tells the gateway's packets from a stranger's. null for the other shapes.
 */
function deliveryOf(profile: Profile, facts: PlanFacts): TunnelParams['delivery'] {
  if (profile.tunnel.shape === 'gre-plain' && familyOf(facts.gateway) === 4)
    return { local: facts.local, remote: facts.gateway };
  if (profile.tunnel.shape !== 'gre-tunnel') return null;
  const remote = profile.gre?.remote ?? facts.gateway;
  const family = familyOf(remote);
  const assigned = facts.configuration?.addresses.find((prefix) => familyOf(prefix.address) === family);
  const local = profile.gre?.local ?? assigned?.address ?? facts.local;
  if (familyOf(local) !== family)
    throw new SessionError(
      sessionFailure(
        'session/delivery-address',
        `GRE would go from ${formatAddress(local)} to ${formatAddress(remote)}: one is IPv4, the other IPv6.`,
        'Set gre.local and gre.remote in the profile to addresses of one family, or request a virtual address of the family of gre.remote.',
        { permanent: true },
      ),
    );
  return { local, remote };
}

/** The SA must carry what we are going to send, or the gateway would drop every packet without a word (RFC 7296 §2.9). */
function checkSelectors(profile: Profile, facts: PlanFacts, delivery: TunnelParams['delivery']): void {
  const { child } = facts;
  const { shape } = profile.tunnel;
  if (!child || shape === 'gre-plain') return;
  if (shape === 'esp-tunnel') {
    const onlyGre = (selectors: readonly Selector[]): boolean => selectors.every(({ protocol }) => protocol === GRE);
    if (onlyGre(child.local) || onlyGre(child.remote)) throw carriesGreOnly(child);
    return;
  }
  // Transport mode behind a NAT has the addresses of the other side of the NAT in its selectors (RFC 7296 §2.23.1).
  const carries = (selectors: readonly Selector[], address: Address | undefined): boolean =>
    address
      ? coversAddress(selectors, address, GRE)
      : selectors.some((selector) => selector.protocol === 0 || selector.protocol === GRE);
  if (carries(child.local, delivery?.local) && carries(child.remote, delivery?.remote)) return;
  const pair = delivery ? `${formatAddress(delivery.local)} to ${formatAddress(delivery.remote)}` : 'us to the gateway';
  const narrowed = `${child.local.map(formatSelector).join(', ')} and ${child.remote.map(formatSelector).join(', ')}`;
  throw new SessionError(
    sessionFailure(
      'session/selectors-too-narrow',
      `The gateway agreed to carry ${narrowed}, which leaves out GRE (protocol 47) from ${pair}.`,
      "The GRE addresses in the profile (gre.local, gre.remote) and the gateway's traffic selectors must agree: ask the gateway's administrator for its local and remote selectors.",
      {
        permanent: true,
        data: { local: child.local.map(formatSelector).join(' '), remote: child.remote.map(formatSelector).join(' ') },
      },
    ),
  );
}

function carriesGreOnly(child: NonNullable<PlanFacts['child']>): SessionError {
  const [local, remote] = [child.local, child.remote].map((selectors) => selectors.map(formatSelector).join(' '));
  return new SessionError(
    sessionFailure(
      'session/carries-gre-only',
      `The gateway agreed to carry GRE (protocol 47) and nothing else, ${local} and ${remote}, but this profile's tunnel has no GRE.`,
      'Set tunnel.shape in the profile to "gre-tunnel" (and gre.address), or ask the gateway\'s administrator for a tunnel without GRE.',
      { permanent: true, data: { local: local ?? '', remote: remote ?? '' } },
    ),
  );
}

function tunAddresses(profile: Profile, assigned: readonly Prefix[], facts: PlanFacts): readonly Prefix[] {
  const own = profile.gre?.address ?? [];
  const addresses = own.length > 0 ? own : assigned;
  // An ESP tunnel from our own address needs none of its own: the host's address is the inner source (TSi).
  const unnumbered = profile.tunnel.shape === 'esp-tunnel' && facts.child !== null;
  if (addresses.length === 0 && !unnumbered)
    throw new SessionError(
      sessionFailure(
        'session/no-tunnel-address',
        'The tunnel has no address: the profile gives none (gre.address) and the gateway assigned none.',
        "Set gre.address in the profile to the address that the gateway expects, or request a virtual address and ask the gateway's administrator for a pool.",
        { permanent: true },
      ),
    );
  return addresses;
}

/** Families that the tunnel can carry: those of its addresses, or of the traffic selectors where it has none. */
function carriedFamilies(addresses: readonly Prefix[], facts: PlanFacts): readonly (4 | 6)[] {
  const sources = addresses.length > 0 ? addresses.map((prefix) => prefix.address) : startsOf(facts.child?.local ?? []);
  return FAMILIES.filter((family) => sources.some((address) => familyOf(address) === family));
}

const startsOf = (selectors: readonly Selector[]): readonly Address[] => selectors.map((selector) => selector.start);

function mtuOf(
  profile: Profile,
  facts: PlanFacts,
  delivery: TunnelParams['delivery'],
  warnings: Told[],
): { readonly mtu: TunnelPlan['mtu']; readonly ipv6: boolean } {
  const computed: Mtu = computeMtu({
    path: facts.path,
    outerFamily: familyOf(facts.gateway),
    encapsulation: facts.encapsulation,
    cipher: facts.child ? overheadOf(facts.child) : 'aes-gcm-16',
    shape: profile.tunnel.shape,
    gre: profile.gre,
    deliveryFamily: delivery && profile.tunnel.shape === 'gre-tunnel' ? familyOf(delivery.remote) : null,
  });
  const { value: wish } = profile.mtu;
  const learnt = facts.path < profile.mtu.path;
  // A configured MTU is the administrator's word, until the network itself has said that the path is narrower.
  const value = wish === null ? computed.mtu : learnt ? Math.min(wish, computed.mtu) : wish;
  if (value > computed.mtu)
    warnings.push(tell('tunnel.mtuTooLarge', { value, computed: computed.mtu, path: facts.path }));
  if (value < 68)
    throw new SessionError(
      sessionFailure(
        'session/path-too-small',
        `A path MTU of ${facts.path} leaves ${value} bytes inside the tunnel, less than IPv4 needs (68).`,
        'Set mtu.path in the profile to the true MTU of the network, usually 1500.',
        { permanent: true },
      ),
    );
  const { mss } = profile.mtu;
  // TCP/IPv4 and TCP/IPv6 headers without options are 40 and 60 bytes (RFC 9293 §3.7.1).
  const mss4 = mss === 0 ? 0 : Math.min(mss ?? value - 40, value - 40);
  const mss6 = mss === 0 ? 0 : Math.min(mss ?? value - 60, value - 60);
  const explanation =
    value === computed.mtu ? computed.explanation : `${value} from the profile (computed: ${computed.explanation})`;
  const ipv6 = value >= IPV6_MINIMUM_MTU && computed.ipv6Allowed;
  const { mtu: automatic, parts } = computed;
  return {
    mtu: { value, mss4, mss6, explanation, computed: automatic, path: facts.path, parts, ipv6Allowed: ipv6 },
    ipv6,
  };
}

function routesOf(
  profile: Profile,
  facts: PlanFacts,
  carried: readonly (4 | 6)[],
  warnings: Told[],
): TunnelPlan['routes'] {
  const wanted = [...profile.routes.include];
  if (profile.routes.fromGateway) wanted.push(...(facts.configuration?.subnets ?? []));
  const include: Prefix[] = [];
  const unreachable: Prefix[] = [];
  for (const prefix of wanted) {
    const list = carried.includes(familyOf(prefix.address)) ? include : unreachable;
    if (!list.some((known) => known.bits === prefix.bits && sameAddress(known.address, prefix.address)))
      list.push(prefix);
  }
  if (unreachable.length > 0) warnings.push(tell('tunnel.noFamily', { prefixes: unreachable.map(formatPrefix) }));
  // Everything of one family goes inside and the other family has no tunnel: refuse it, or it would go around.
  for (const family of FAMILIES) {
    const other = family === 4 ? 6 : 4;
    const all = coversFamily(include, family);
    const blocked = unreachable.some((prefix) => prefix.bits === 0 && familyOf(prefix.address) === other);
    if (all && !carried.includes(other) && !blocked)
      unreachable.push({ address: new Uint8Array(other === 4 ? 4 : 16), bits: 0 });
  }
  const negotiated = profile.tunnel.shape === 'esp-tunnel' ? facts.child?.remote : undefined;
  if (negotiated) {
    const outside = include.filter((prefix) => !coversPrefix(negotiated, prefix));
    if (outside.length > 0)
      warnings.push(
        tell('tunnel.carriesOnly', { carried: negotiated.map(formatSelector), prefixes: outside.map(formatPrefix) }),
      );
  }
  return { include, exclude: profile.routes.exclude, allowLan: profile.routes.allowLan, unreachable };
}

/** Which name servers are asked while the tunnel is up, and for which names (RFC 8598 §5, §8). */
function dnsOf(
  profile: Profile,
  facts: PlanFacts,
  carried: readonly (4 | 6)[],
  include: readonly Prefix[],
  warnings: Told[],
): TunnelPlan['dns'] {
  if (!profile.dns.use) return null;
  const full = coversAnyFamily(include);
  const named = profile.dns.servers ?? facts.configuration?.dns ?? [];
  const negotiated = profile.tunnel.shape === 'esp-tunnel' ? facts.child?.remote : undefined;
  const servers = named.filter(
    (server) =>
      isServer(server) &&
      carried.includes(familyOf(server)) &&
      (!negotiated || coversPrefix(negotiated, hostPrefix(server))),
  );
  const outside = named.filter((server) => !servers.includes(server));
  if (outside.length > 0) warnings.push(tell('tunnel.serversOutside', { servers: outside.map(formatAddress) }));
  if (servers.length === 0) {
    if (full) warnings.push(tell('tunnel.serversUnknown'));
    return null;
  }
  // RFC 8598 §8: with everything inside, the gateway has no say in which names are whose.
  const domains = full ? [] : (profile.dns.domains ?? facts.configuration?.domains ?? []);
  return { servers, domains: domains.length > 0 ? domains : 'all', required: full };
}

/** No gateway may make us ask ourselves (the forwarder among others), or a crowd. */
const isServer = (address: Address): boolean =>
  address.length === 4
    ? address[0] !== 0 && address[0] !== 127 && address[0]! < 224
    : address[0] !== 0xff && address.subarray(0, 15).some((byte) => byte !== 0);

/**
 * A name server of the tunnel is reached through the tunnel, wherever it is: a query beside it would be in the clear. A wider route
 * into the tunnel does for that only where nothing more specific leads out of it again: an exclusion, or the network that this
 * computer is attached to, which a false access point may call as it likes.
 */
export function withHosts(
  { include, exclude, allowLan }: Pick<DesiredRoutes, 'include' | 'exclude' | 'allowLan'>,
  servers: readonly Address[],
): readonly Prefix[] {
  const within = (prefixes: readonly Prefix[], host: Prefix): boolean =>
    prefixes.some((prefix) => prefixContains(prefix, host));
  const same = (host: Prefix): boolean => include.some((prefix) => prefixContains(host, prefix));
  const safe = (host: Prefix): boolean => same(host) || (within(include, host) && !allowLan && !within(exclude, host));
  return [...include, ...servers.map(hostPrefix).filter((host) => !safe(host))];
}

/** What the core lets through: for an ESP tunnel the negotiated selectors, else the TUN's networks and the routes. */
function coreSelectors(
  profile: Profile,
  facts: PlanFacts,
  addresses: readonly Prefix[],
  include: readonly Prefix[],
  warnings: Told[],
): { readonly local: readonly Selector[]; readonly remote: readonly Selector[] } {
  if (profile.tunnel.shape === 'esp-tunnel' && facts.child) {
    const most = Math.max(facts.child.local.length, facts.child.remote.length);
    if (most > MOST_SELECTORS) throw tooManySelectors(most);
    return { local: facts.child.local, remote: facts.child.remote };
  }
  const remote: Prefix[] = [];
  // The widest first, so that one inside another takes no entry of the core's table.
  for (const prefix of [...addresses, ...include].sort((a, b) => a.bits - b.bits))
    if (!remote.some((known) => prefixContains(known, prefix))) remote.push(prefix);
  const all = (prefix: Prefix): Selector => selectorOf(prefix);
  if (remote.length <= MOST_SELECTORS) return { local: addresses.map(all), remote: remote.map(all) };
  // The routes still say what goes in; only the check of what comes out becomes looser.
  warnings.push(tell('tunnel.manyNetworks', { networks: remote.length, most: MOST_SELECTORS }));
  const families = FAMILIES.filter((family) => remote.some((prefix) => familyOf(prefix.address) === family));
  return { local: addresses.map(all), remote: families.map((family) => all(everything(family))) };
}

function tooManySelectors(count: number): SessionError {
  return new SessionError(
    sessionFailure(
      'session/too-many-selectors',
      `The gateway agreed to ${count} traffic selectors; Culvert carries ${MOST_SELECTORS} on each side.`,
      "Ask for fewer, wider networks: set tunnel.remoteSelectors in the profile, or have the gateway's administrator combine them.",
      { permanent: true },
    ),
  );
}
