// Profiles, routes and MTU as people see them: from the checked profile, and from the tunnel where one is up.
import { networkInterfaces } from 'node:os';
import type { Lock, MtuView, ProfileDetails, RouteEntry, RouteKind, RoutesView, TunnelInfo } from '../ipc/contract.ts';
import { computeMtu } from '../mtu/mtu.ts';
import { isLan, strictlyCovers } from '../net/route/plan.ts';
import { firstOverhead } from '../profile/check.ts';
import { lockOn, POINTERS } from '../profile/policy.ts';
import type { Profile } from '../profile/profile.ts';
import { formatPrefix, type Prefix, parseAddress, parsePrefix } from '../wire/address.ts';
import { type Told, type ToldCode, tell } from '../words/told.ts';

export function lockOf(profile: Profile, pointer: string): Lock | null {
  const lock = lockOn(profile.policy?.locked ?? [], pointer);
  return lock === undefined ? null : { pointer: lock, by: profile.policy?.lockedBy ?? null };
}

export function detailsOf(profile: Profile): ProfileDetails {
  const { name, gateway, authentication, tunnel, gre, routes, mtu, proposals, policy } = profile;
  return {
    name,
    gateway: gateway.host,
    shape: tunnel.shape,
    gatewayPort: gateway.port,
    gatewayIdentity: gateway.identity,
    identity: authentication.identity,
    method: authentication.method,
    encapsulation: tunnel.encapsulation,
    addresses: (gre?.address ?? []).map(formatPrefix),
    proposals: { ike: proposals.ike, esp: proposals.esp },
    routes: {
      mode: policy?.mode ?? 'split',
      include: routes.include.map(formatPrefix),
      exclude: routes.exclude.map(formatPrefix),
      allowLan: routes.allowLan,
      fromGateway: routes.fromGateway,
    },
    mtu: { value: mtu.value, path: mtu.path, mss: mtu.mss },
    locked: (policy?.locked ?? []).map((pointer) => ({ pointer, by: policy?.lockedBy ?? null })),
    changed: policy?.changed ?? [],
  };
}

/** Link-local never leaves its link: no rule of ours is about it (RFC 4291 §2.5.6). */
const isLinkLocal = ({ address }: Prefix): boolean =>
  address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;

/** Networks that this computer is attached to, but for loopback and the tunnel. */
export function attachedNetworks(tunnelName: string | null): readonly Prefix[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    name === tunnelName
      ? []
      : (addresses ?? []).flatMap(({ internal, cidr }) => (internal || !cidr ? [] : (parsePrefix(cidr) ?? []))),
  );
}

const parsed = (texts: readonly string[]): readonly Prefix[] => texts.flatMap((text) => parsePrefix(text) ?? []);

/** `tunnel`: the one that is up with this profile; null: none. */
export function routesOf(profile: Profile, tunnel: TunnelInfo | null, attached: readonly Prefix[]): RoutesView {
  const { routes, policy } = profile;
  const mode = policy?.mode ?? 'split';
  const own = policy?.own.routes ?? routes;
  const blocked = new Set(tunnel?.routes.blocked ?? []);
  const exclude = routes.exclude;
  const entries: RouteEntry[] = [];
  const add = (prefix: Prefix, kind: RouteKind, origin: RouteEntry['origin'], active: boolean): void => {
    const text = formatPrefix(prefix);
    if (entries.some((entry) => entry.prefix === text && entry.kind === kind)) return;
    const way = kind === 'exclude' ? 'direct' : blocked.has(text) ? 'blocked' : 'tunnel';
    entries.push({ prefix: text, kind, origin, way, active, lock: lockOf(profile, POINTERS[kind]) });
  };
  const originOf = (prefix: Prefix, list: readonly Prefix[]): 'profile' | 'user' =>
    list.some((known) => formatPrefix(known) === formatPrefix(prefix)) ? 'profile' : 'user';
  for (const prefix of routes.include) {
    // Under "everything" a network matters only where it lies in one that is excluded.
    const active = mode === 'split' || prefix.bits === 0 || exclude.some((outer) => strictlyCovers(outer, prefix));
    add(prefix, 'include', originOf(prefix, own.include), active);
  }
  for (const prefix of exclude) add(prefix, 'exclude', originOf(prefix, own.exclude), true);
  const announced = parsed(tunnel?.routes.gateway ?? []);
  for (const prefix of announced) add(prefix, 'include', 'gateway', routes.fromGateway);
  const captured = [...routes.include, ...(routes.fromGateway ? announced : [])];
  for (const prefix of attached)
    if (!isLinkLocal(prefix) && isLan(prefix) && captured.some((outer) => strictlyCovers(outer, prefix)))
      add(networkOf(prefix), 'exclude', 'lan', routes.allowLan);
  return {
    profile: profile.name,
    live: tunnel !== null,
    mode,
    modeLock: lockOf(profile, POINTERS.mode),
    entries,
    allowLan: routes.allowLan,
    allowLanLock: lockOf(profile, POINTERS.allowLan),
    fromGateway: routes.fromGateway,
    fromGatewayLock: lockOf(profile, POINTERS.fromGateway),
    changed: (policy?.changed ?? []).some((pointer) => pointer.startsWith('/routes/')),
    warnings: routeWarnings(profile, tunnel),
  };
}

/** An interface's address → its network. */
const networkOf = (prefix: Prefix): Prefix => {
  const bytes = Uint8Array.from(prefix.address, (byte, i) => {
    const keep = Math.min(8, Math.max(0, prefix.bits - i * 8));
    return byte & ((0xff << (8 - keep)) & 0xff);
  });
  return { address: bytes, bits: prefix.bits };
};

/** What a session knows of routes that the profile does not say: what the gateway agreed to carry, which families the tunnel has. */
const OF_ROUTES: ReadonlySet<string> = new Set<ToldCode>([
  'tunnel.noFamily',
  'tunnel.carriesOnly',
  'tunnel.manyNetworks',
]);

function routeWarnings(profile: Profile, tunnel: TunnelInfo | null): readonly Told[] {
  const empty = profile.routes.include.length === 0 && !profile.routes.fromGateway;
  return [
    ...(empty ? [tell('tunnel.nothingRouted')] : []),
    ...(tunnel?.warnings ?? []).filter(({ code }) => OF_ROUTES.has(code)),
  ];
}

export function mtuOf(profile: Profile, tunnel: TunnelInfo | null): MtuView {
  const changedPath = profile.policy?.changed.includes(POINTERS.path) ?? false;
  const live = tunnel?.mtu.parts ? tunnel.mtu : null;
  const mtu = live ?? expectedMtu(profile);
  const { path = profile.mtu.path, computed = mtu.value, parts = [] } = mtu;
  return {
    profile: profile.name,
    live: live !== null,
    mode: profile.mtu.value === null ? 'automatic' : 'fixed',
    lock: lockOf(profile, POINTERS.value),
    path,
    pathSource: path < profile.mtu.path ? 'learnt' : changedPath ? 'tested' : 'profile',
    value: mtu.value,
    computed,
    mss4: mtu.mss4,
    mss6: mtu.mss6,
    parts: [...parts, { kind: 'payload', name: 'packet inside the tunnel', bytes: computed }],
    explanation: mtu.explanation,
    ipv6Allowed: mtu.ipv6Allowed ?? mtu.value >= 1280,
    warnings: mtu.value > computed ? [tell('tunnel.mtuTooLarge', { value: mtu.value, computed, path })] : [],
  };
}

/** Before a gateway has chosen anything: with the first proposal's cipher, and IPv4 unless the gateway is an IPv6 address. */
function expectedMtu(profile: Profile): TunnelInfo['mtu'] {
  const { tunnel, gre, gateway } = profile;
  const outerFamily = parseAddress(gateway.host)?.length === 16 ? 6 : 4;
  const remote = gre?.remote;
  const computed = computeMtu({
    path: profile.mtu.path,
    outerFamily,
    encapsulation: tunnel.encapsulation === 'udp' ? 'udp' : 'raw',
    cipher: firstOverhead(profile.proposals.esp),
    shape: tunnel.shape,
    gre,
    deliveryFamily: tunnel.shape === 'gre-tunnel' ? (remote ? (remote.length === 16 ? 6 : 4) : outerFamily) : null,
  });
  const value = profile.mtu.value ?? computed.mtu;
  const { mss } = profile.mtu;
  const segment = (headers: number): number => Math.max(0, mss === 0 ? 0 : Math.min(mss ?? value, value - headers));
  return {
    value,
    explanation: computed.explanation,
    mss4: segment(40),
    mss6: segment(60),
    computed: computed.mtu,
    path: profile.mtu.path,
    parts: computed.parts,
    ipv6Allowed: value >= 1280 && computed.ipv6Allowed,
  };
}
