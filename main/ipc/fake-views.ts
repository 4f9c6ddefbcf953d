// What the fake engine shows of a profile, and the figures that it makes up.
import { tell } from '../words/told.ts';
import type {
  ContractError,
  MtuView,
  ProfileDetails,
  RouteEntry,
  RouteKind,
  RoutesView,
  TrafficSample,
  TrafficStatistics,
} from './contract.ts';
import { EngineError, knownError } from './error.ts';
import { FAKE_PARTS } from './fake-data.ts';

export const failure = (code: string, message: string, remedy: string, data?: ContractError['data']): EngineError =>
  new EngineError({ code, message, remedy, ...(data ? { data } : {}) });

export function fakeRoutes(profile: ProfileDetails, live: boolean): RoutesView {
  const { mode, include, exclude, allowLan, fromGateway } = profile.routes;
  const entry = (prefix: string, kind: RouteKind): RouteEntry => ({
    prefix,
    kind,
    origin: profile.changed.includes(`/routes/${kind}`) ? 'user' : 'profile',
    way: kind === 'include' ? 'tunnel' : 'direct',
    lock: lockOf(profile, `/routes/${kind}`),
    active: kind === 'exclude' || (mode === 'full') === prefix.endsWith('/0'),
  });
  return {
    profile: profile.name,
    live,
    mode,
    modeLock: lockOf(profile, '/routes/include'),
    entries: [...include.map((prefix) => entry(prefix, 'include')), ...exclude.map((p) => entry(p, 'exclude'))],
    allowLan,
    allowLanLock: lockOf(profile, '/routes/allowLan'),
    fromGateway,
    fromGatewayLock: lockOf(profile, '/routes/fromGateway'),
    changed: profile.changed.some((pointer) => pointer.startsWith('/routes')),
    warnings: [],
  };
}

export function fakeMtu(profile: ProfileDetails, live: boolean): MtuView {
  const path = profile.mtu.path;
  const computed = path - FAKE_PARTS.reduce((sum, part) => sum + part.bytes, 0);
  const value = profile.mtu.value ?? computed;
  return {
    profile: profile.name,
    live,
    mode: profile.mtu.value === null ? 'automatic' : 'fixed',
    lock: lockOf(profile, '/mtu/value'),
    path,
    pathSource: 'profile',
    value,
    computed,
    mss4: Math.max(0, value - 40),
    mss6: Math.max(0, value - 60),
    parts: [...FAKE_PARTS, { kind: 'payload', name: 'packet inside the tunnel', bytes: computed }],
    explanation: `${path} (path MTU) … = ${computed}`,
    ipv6Allowed: value >= 1280,
    warnings: value > computed ? [tell('tunnel.mtuTooLarge', { value, computed, path })] : [],
  };
}

/** Traffic that swells and ebbs, the same for the same time. */
export function fakeSample(now: number): TrafficSample {
  const wave = 0.6 + 0.4 * Math.sin(now / 9000);
  const bytesIn = Math.round(6_000_000 * wave);
  const bytesOut = Math.round(400_000 * wave);
  return {
    time: now,
    seconds: 1,
    bytesIn,
    bytesOut,
    packetsIn: Math.round(bytesIn / 1380),
    packetsOut: Math.round(bytesOut / 700),
    latency: 10 + 4 * wave,
    loss: 0,
  };
}

export const withSample = (traffic: TrafficStatistics, sample: TrafficSample): TrafficStatistics => ({
  bytesIn: traffic.bytesIn + sample.bytesIn,
  bytesOut: traffic.bytesOut + sample.bytesOut,
  packetsIn: traffic.packetsIn + sample.packetsIn,
  packetsOut: traffic.packetsOut + sample.packetsOut,
  counters: {},
  lastInboundAgo: 5,
});

/** The lock that covers this part: one on it, above it, or (for the whole) below it. */
export function lockOf(profile: ProfileDetails, pointer: string): ProfileDetails['locked'][number] | null {
  const covers = (lock: string): boolean => pointer === lock || pointer.startsWith(`${lock}/`) || pointer === '';
  return profile.locked.find((lock) => covers(lock.pointer)) ?? null;
}

export const isPrefix = (text: string): boolean => /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$|^[0-9a-f:]+\/\d{1,3}$/i.test(text);
/** An IPv4 network without the bits of a host. */
export function meantBy(prefix: string): string {
  const [address = '', bits = '32'] = prefix.split('/');
  if (address.includes(':')) return prefix;
  const mask = Number(bits) === 0 ? 0 : (-1 << (32 - Number(bits))) >>> 0;
  const word = (address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) & mask) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.')}/${bits}`;
}
export const badPrefix = (): EngineError => knownError('routes/syntax', { field: 'prefix' });
export const sameStart = (prefix: string, target: string): boolean => prefix.split('.')[0] === target.split('.')[0];

export function fetched(url: string): string {
  if (!url.startsWith('https://'))
    throw failure('profile/url', 'Profiles are fetched over https only.', 'Use an address that begins with https://.', {
      field: 'url',
    });
  return '{"name":"fetched"}';
}
