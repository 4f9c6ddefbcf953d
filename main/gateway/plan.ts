// What the gateway's data plane is told about one client's tunnel: its shape, GRE delivery addresses, MTU and the inner
// addresses that it may use. Pure.
import { coversAddress } from '../esp/selectors.ts';
import type { ChildSa } from '../ike/child-sa.ts';
import { computeMtu, type Mtu, overheadOf } from '../mtu/mtu.ts';
import type { TunnelParams } from '../path/command.ts';
import { type Address, formatAddress, type Prefix, sameAddress } from '../wire/address.ts';
import { formatSelector, type Selector, selectorOf } from '../wire/selector.ts';
import type { GatewayConfig, GatewayShape, GatewayUser } from './config.ts';

const GRE_PROTOCOL = 47;
const DELIVERY_TTL = 64;
const EVERYTHING: readonly Prefix[] = [
  { address: new Uint8Array(4), bits: 0 },
  { address: new Uint8Array(16), bits: 0 },
];

export interface ClientPlan {
  readonly params: TunnelParams;
  readonly shape: GatewayShape;
  readonly mtu: Mtu;
}

/** A string says why this child cannot be carried, for the log and for the peer's error. */
export function planClient(
  config: GatewayConfig,
  user: GatewayUser,
  child: Pick<ChildSa, 'mode' | 'cipher' | 'integrity' | 'local' | 'remote' | 'encapsulation' | 'peer'>,
  leased: readonly Prefix[],
): ClientPlan | string {
  const shape = shapeOf(config, child);
  if (!shape) return `${child.mode} mode for ${formatSelector(child.local[0]!)} is none of the shapes ${config.shapes}`;
  const delivery = shape === 'gre-tunnel' ? deliveryOf(config, child, leased) : null;
  if (typeof delivery === 'string') return delivery;
  const gre = shape === 'esp-tunnel' ? null : { ...greOf(config), nextSequence: 0 };
  const mtu = computeMtu({
    path: config.path,
    outerFamily: family(config.listen.address),
    encapsulation: child.encapsulation,
    cipher: overheadOf(child),
    shape,
    gre,
    deliveryFamily: delivery ? family(delivery.local) : null,
  });
  const size = Math.min(mtu.mtu, config.tun.mtu ?? mtu.mtu);
  const remote =
    shape === 'esp-tunnel' ? child.remote : innerOf(config, user, leased).map((inner) => selectorOf(inner));
  if (remote.length === 0)
    return 'this user has neither a leased address nor "inner" networks: no address inside GRE is known to be theirs';
  const params: TunnelParams = {
    shape,
    gre,
    delivery,
    mtu: size,
    mss4: size - 40,
    mss6: size - 60,
    local: shape === 'esp-tunnel' ? child.local : EVERYTHING.map((all) => selectorOf(all)),
    remote,
    copyDscp: config.copyDscp,
    outerDf: config.outerDf,
    ttl: DELIVERY_TTL,
  };
  return { params, shape, mtu };
}

/** The largest MTU that a tunnel of this gateway can have: the TUN gets it, smaller tunnels answer "too big" themselves. */
export function largestMtu(config: GatewayConfig): number {
  const encapsulations = config.encapsulation === 'udp' ? (['udp'] as const) : (['udp', 'raw'] as const);
  const sizes = config.shapes.flatMap((shape) =>
    encapsulations.map(
      (encapsulation) =>
        computeMtu({
          path: config.path,
          outerFamily: family(config.listen.address),
          encapsulation,
          cipher: 'aes-gcm-16',
          shape,
          gre: shape === 'esp-tunnel' ? null : greOf(config),
          deliveryFamily: shape === 'gre-tunnel' ? family(config.gre.endpoint ?? config.listen.address) : null,
        }).mtu,
    ),
  );
  return Math.max(...sizes);
}

/** Traffic selectors of our side, as wide as any shape needs them. */
export function localSelectors(config: GatewayConfig): readonly Selector[] {
  if (config.shapes.includes('esp-tunnel')) return EVERYTHING.map((all) => selectorOf(all));
  const ends = config.gre.endpoint ? [config.gre.endpoint, config.listen.address] : [config.listen.address];
  return ends.map((end) => selectorOf({ address: end, bits: end.length * 8 }, GRE_PROTOCOL));
}

/**
 * Why what a client asks for would end in nothing here, for the log: GRE in tunnel mode where no shape has it. Selectors of
 * `esp-tunnel` carry every protocol, so GRE too, and cannot say that nobody takes it out.
 */
export function notCarried({ shapes }: GatewayConfig, child: Pick<ChildSa, 'mode' | 'local'>): string | undefined {
  if (child.mode === 'transport' || shapes.includes('gre-tunnel') || !onlyGre(child.local)) return undefined;
  return `it asks for GRE in tunnel mode, but the shapes here are ${shapes.join(' and ')}`;
}

const onlyGre = (selectors: readonly Selector[]): boolean =>
  selectors.every((selector) => selector.protocol === GRE_PROTOCOL);

function shapeOf(config: GatewayConfig, child: Pick<ChildSa, 'mode' | 'local'>): GatewayShape | undefined {
  if (child.mode === 'transport') return config.shapes.find((shape) => shape === 'gre-transport');
  const tunnels = config.shapes.filter((shape) => shape !== 'gre-transport');
  if (tunnels.length < 2) return tunnels[0];
  // Both are allowed: whoever asks for GRE alone means GRE.
  return onlyGre(child.local) ? 'gre-tunnel' : 'esp-tunnel';
}

/** The delivery header's addresses: what the client named, where it named one, else what the configuration implies. */
function deliveryOf(
  config: GatewayConfig,
  child: Pick<ChildSa, 'local' | 'remote' | 'peer'>,
  leased: readonly Prefix[],
): { readonly local: Address; readonly remote: Address } | string {
  const ends = config.gre.endpoint ? [config.gre.endpoint, config.listen.address] : [config.listen.address];
  const local = ends.find((end) => coversAddress(child.local, end, GRE_PROTOCOL));
  if (!local)
    return `the selectors ${child.local.map(formatSelector)} carry GRE to none of our endpoints ${ends.map(formatAddress)}`;
  const candidates = [
    ...child.remote.filter(({ start, end }) => sameAddress(start, end)).map(({ start }) => start),
    ...leased.map(({ address }) => address),
    child.peer.address,
  ];
  const remote = candidates.find(
    (address) => address.length === local.length && coversAddress(child.remote, address, GRE_PROTOCOL),
  );
  return remote
    ? { local, remote }
    : `the selectors ${child.remote.map(formatSelector)} carry GRE from no address we know`;
}

/** What the client may use as addresses inside GRE. Without a word about it, one user alone has the whole GRE link. */
function innerOf(config: GatewayConfig, user: GatewayUser, leased: readonly Prefix[]): readonly Prefix[] {
  const own = user.inner ?? (config.users.length === 1 ? config.gre.address : []);
  return [...own, ...leased.map(({ address }) => ({ address, bits: address.length * 8 }))];
}

function greOf({ gre: { key, checksum, sequence } }: GatewayConfig): {
  readonly key: number | null;
  readonly checksum: boolean;
  readonly sequence: boolean;
} {
  return { key, checksum, sequence };
}

const family = (address: Address): 4 | 6 => (address.length === 4 ? 4 : 6);
