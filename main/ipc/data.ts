// The data that cross the contract, each as one value: its check at run time and its type. Plain JSON. Addresses, prefixes
// and endpoints are text ("10.0.0.0/8", "192.0.2.1:4500", "[2001:db8::1]:4500"); times are Unix milliseconds; sizes are bytes.
import {
  boolean,
  either,
  integer,
  list,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  scalar,
  text,
  variants,
} from './shape.ts';

const count = integer(0);
const texts = list(text());

/** How deep a sentence may hold others: a warning, what is weak in it. */
const DEEPEST = 3;

/**
 * What the engine tells people: the code of a sentence, what fills it, and the sentence in English (main/words). Whoever shows it
 * translates by the code, and falls back to `text` where it does not know that one.
 */
export interface Told {
  readonly code: string;
  readonly data: { readonly [name: string]: string | number | boolean | null | readonly string[] | Told };
  readonly text: string;
}
const told = (depth: number): Shape<Told> =>
  object({
    code: text(100),
    data: record(
      depth > 0 ? either(either(scalar, list(text(1000))), told(depth - 1)) : either(scalar, list(text(1000))),
    ),
    text: text(10_000),
  });
export const Told: Shape<Told> = told(DEEPEST);

/** An error as a person reads it; crosses the wire with code and data intact. */
export const ContractError = object({
  /** "profile/unknown-key", "ike/refused-by-peer", "net/no-permission", … : the layer and its closed code. */
  code: text(),
  message: text(),
  /** Likely cause and what to do. */
  remedy: text(),
  data: optional(record(scalar)),
  /** Each mistake in a profile; `message` has them all, and says more of each. */
  mistakes: optional(list(Told)),
});
export type ContractError = Of<typeof ContractError>;

export const ConnectStep = oneOf('resolve', 'socket', 'sa-init', 'auth', 'tun', 'routes');
export type ConnectStep = Of<typeof ConnectStep>;

export const TunnelShape = oneOf('gre-transport', 'gre-tunnel', 'esp-tunnel', 'gre-plain');

export const MtuPart = object({
  kind: oneOf(
    'outer-ip',
    'udp',
    'tcp',
    'esp',
    'iv',
    'icv',
    'gre-delivery',
    'gre',
    'padding',
    'esp-trailer',
    'unused',
    'payload',
  ),
  name: text(),
  bytes: integer(),
});
export type MtuPart = Of<typeof MtuPart>;

/** What holds in a tunnel that is up. */
export const TunnelInfo = object({
  shape: TunnelShape,
  interfaceName: text(),
  gateway: text(),
  /** Empty: plain GRE authenticates nobody. */
  gatewayIdentity: text(),
  local: text(),
  encapsulation: oneOf('udp', 'raw', 'tcp'),
  behindNat: object({ local: boolean, remote: boolean }),
  /** Addresses on the TUN. */
  addresses: texts,
  /** Assigned by the gateway's configuration payload. */
  assigned: texts,
  dns: texts,
  /** Name servers in force: for these domains and what is under them, or for every name where none is said. `how`: English, for the log. */
  names: optional(object({ servers: texts, domains: texts, how: text() })),
  ikeProposal: text(),
  espProposal: text(),
  /** The keys come also from a key exchange that a quantum computer cannot break (ML-KEM, RFC 9370). */
  postQuantum: optional(boolean),
  mtu: object({
    value: count,
    /** The arithmetic in a line, for command lines; others draw `parts`. */
    explanation: text(),
    mss4: count,
    mss6: count,
    /** What automatic gives, the path MTU, and what is around the inner packet, from the outside to the inside. */
    computed: optional(integer()),
    path: optional(count),
    parts: optional(list(MtuPart)),
    ipv6Allowed: optional(boolean),
  }),
  routes: object({
    include: texts,
    exclude: texts,
    /** Refused, because the tunnel has no address of their family. */
    blocked: optional(texts),
    /** Announced by the gateway, whether they are routed or not. */
    gateway: optional(texts),
  }),
  /** Networks that are reached beside GRE; without `espProposal` one has no CHILD SA (not yet, or the gateway refuses it). */
  direct: optional(list(object({ prefix: text(), espProposal: optional(text()) }))),
  since: number,
  warnings: list(Told),
});
export type TunnelInfo = Of<typeof TunnelInfo>;

/** What the engine waits for a person to say; answered by the call `answerPrompt`. */
export const Prompt = object({
  id: text(64, 1),
  kind: oneOf('password', 'code'),
  /** The gateway's own words, made harmless; may be empty. */
  text: text(400),
  username: text(),
  gateway: text(),
  /** The gateway has refused the answer before. */
  refused: boolean,
});
export type Prompt = Of<typeof Prompt>;

export const EngineState = variants('state', {
  disconnected: { lastError: nullable(ContractError) },
  /** With `prompt` it waits for a person, and its time stands still. */
  connecting: { profile: text(), step: ConnectStep, attempt: count, prompt: optional(Prompt) },
  /** With `prompt`: the gateway wants to know anew who is there; the tunnel is up meanwhile. */
  connected: { profile: text(), tunnel: TunnelInfo, prompt: optional(Prompt) },
  /**
   * `retryAt`: time of the next try. TUN and routes stay: what should go through the tunnel is held back meanwhile. With `held` there is
   * no next try: `because` has to be put right first; then somebody connects again, or disconnects.
   */
  reconnecting: { profile: text(), because: ContractError, attempt: count, retryAt: number, held: optional(boolean) },
  disconnecting: { profile: text() },
  failed: { profile: text(), error: ContractError },
});
export type EngineState = Of<typeof EngineState>;

export const TrafficStatistics = object({
  bytesIn: count,
  bytesOut: count,
  packetsIn: count,
  packetsOut: count,
  /** Every non-zero counter of the packet core, by name. */
  counters: record(count),
  /** Milliseconds since an authenticated packet arrived; null: never. */
  lastInboundAgo: nullable(number),
  /** ESP packets that the gateway has sent by their sequence numbers, and those that arrived; absent: not counted. */
  received: optional(object({ due: count, arrived: count })),
});
export type TrafficStatistics = Of<typeof TrafficStatistics>;

/** One point of the time series, one a second while a session runs. */
export const TrafficSample = object({
  time: number,
  /** What this point covers, in seconds: rates are the differences below divided by it. */
  seconds: number,
  bytesIn: count,
  bytesOut: count,
  packetsIn: count,
  packetsOut: count,
  /** Newest round trip to the gateway's IKE endpoint in milliseconds; null: none measured (lately). */
  latency: nullable(number),
  /** Share (0 to 1) of the ESP packets due in this time that did not arrive, by their sequence numbers; null: not known. */
  loss: nullable(number),
});
export type TrafficSample = Of<typeof TrafficSample>;

export const Status = object({
  version: text(),
  pid: count,
  engine: EngineState,
  traffic: nullable(TrafficStatistics),
  /** Prefixes whose packets are refused right now so that they do not go around the tunnel (the kill switch). */
  blocked: optional(texts),
});
export type Status = Of<typeof Status>;

export const ProfileSummary = object({ name: text(), gateway: text(), shape: TunnelShape });
export type ProfileSummary = Of<typeof ProfileSummary>;

export const RouteMode = oneOf('full', 'split');
export type RouteMode = Of<typeof RouteMode>;

/** A part of the profile that only an administrator may change. */
export const Lock = object({
  /** JSON pointer into the profile file: "/routes", "/mtu/value"; "" is the whole profile. */
  pointer: text(),
  /** Who locked it, in the profile's words; null: it does not say. */
  by: nullable(text()),
});
export type Lock = Of<typeof Lock>;

export const ProfileDetails = object({
  name: text(),
  gateway: text(),
  shape: TunnelShape,
  gatewayPort: count,
  /** Identity that the gateway must prove; null: whatever it proves with the secret. */
  gatewayIdentity: nullable(text()),
  /** Ours; null: our address. */
  identity: nullable(text()),
  /** "psk", "certificate", "eap-mschapv2", … */
  method: text(),
  encapsulation: oneOf('udp', 'auto'),
  /** Addresses of the TUN; empty: what the gateway assigns. */
  addresses: texts,
  proposals: object({ ike: texts, esp: texts }),
  routes: object({ mode: RouteMode, include: texts, exclude: texts, allowLan: boolean, fromGateway: boolean }),
  mtu: object({ value: nullable(count), path: count, mss: nullable(count) }),
  locked: list(Lock),
  /** JSON pointers of what the person changed after import. */
  changed: texts,
});
export type ProfileDetails = Of<typeof ProfileDetails>;

export const Profiles = object({
  profiles: list(ProfileDetails),
  /** Stored files that cannot be used. */
  broken: list(object({ name: text(), error: ContractError })),
});
export type Profiles = Of<typeof Profiles>;

export const LogLevel = oneOf('debug', 'info', 'warn', 'error');
export type LogLevel = Of<typeof LogLevel>;

export const LogEntry = object({ time: number, level: LogLevel, area: text(), text: text() });
export type LogEntry = Of<typeof LogEntry>;

/** Every condition that is given must hold. */
export const LogFilter = object({
  /** This level or a graver one. */
  level: optional(LogLevel),
  area: optional(text(40)),
  /** Contained in the text, whatever the case. */
  text: optional(text(200)),
});
export type LogFilter = Of<typeof LogFilter>;

export const RouteKind = oneOf('include', 'exclude');
export type RouteKind = Of<typeof RouteKind>;

export const RouteEntry = object({
  prefix: text(),
  kind: RouteKind,
  /** `lan`: a network that this computer is attached to, kept direct by `allowLan`. */
  origin: oneOf('profile', 'user', 'gateway', 'lan'),
  /** What becomes of a packet for it. `blocked`: it should go inside, but the tunnel has no address of its family. */
  way: oneOf('tunnel', 'direct', 'blocked'),
  /** Why it cannot be changed; null: it can. */
  lock: nullable(Lock),
  /** It belongs to the other mode (split routes under full, for instance) and has no effect now. */
  active: boolean,
});
export type RouteEntry = Of<typeof RouteEntry>;

export const RoutesView = object({
  profile: text(),
  /** These routes are in the operating system now. */
  live: boolean,
  mode: RouteMode,
  modeLock: nullable(Lock),
  entries: list(RouteEntry),
  allowLan: boolean,
  allowLanLock: nullable(Lock),
  fromGateway: boolean,
  fromGatewayLock: nullable(Lock),
  /** The person changed something: `resetRoutes` brings the profile's own back. */
  changed: boolean,
  warnings: list(Told),
});
export type RoutesView = Of<typeof RoutesView>;

/** What is wrong with one field of a form, while it is typed. */
export const FieldProblem = object({
  field: text(),
  severity: oneOf('error', 'warning'),
  code: text(),
  message: text(),
  remedy: text(),
  /** What the words are made of, for other languages: `meant` is what was probably meant, `covers` what covers it. */
  data: optional(record(scalar)),
});
export type FieldProblem = Of<typeof FieldProblem>;

export const RouteAnswer = object({
  address: text(),
  way: oneOf('tunnel', 'direct', 'blocked'),
  /** The most specific rule that decided; null: none covers it, so it goes as without a VPN. */
  rule: nullable(object({ prefix: text(), kind: RouteKind, origin: oneOf('profile', 'user', 'gateway', 'lan') })),
  because: Told,
});
export type RouteAnswer = Of<typeof RouteAnswer>;

export const RouteLookup = object({
  target: text(),
  profile: text(),
  /** Answered for the tunnel that is up; false: as it would be once connected. */
  live: boolean,
  answers: list(RouteAnswer),
});
export type RouteLookup = Of<typeof RouteLookup>;

export const PathTestResult = object({
  /** The one whose tunnel was tested. */
  profile: text(),
  /** Largest packet that crosses the path, outer headers included; null: not even the smallest came back. */
  path: nullable(count),
  /** Inner MTU that follows from it. */
  mtu: nullable(count),
  /** What the tunnel assumed when the test began. */
  assumed: count,
  /** Probes of `size` bytes on the wire, in the order of sending. */
  probes: list(object({ size: count, tries: count, arrived: boolean, milliseconds: nullable(number) })),
  /** Median round trip of the probes that arrived, in milliseconds. */
  roundTrip: nullable(number),
  finished: number,
  /** What it means and what to do. */
  verdict: Told,
});
export type PathTestResult = Of<typeof PathTestResult>;

export const PathTest = variants('state', {
  idle: { last: nullable(PathTestResult) },
  running: {
    profile: text(),
    /** 0 to 1. */
    progress: number,
    /** Bytes on the wire of the probe under way. */
    probing: count,
    /** What is known so far: `works` crosses, `fails` does not. */
    works: nullable(count),
    fails: nullable(count),
  },
});
export type PathTest = Of<typeof PathTest>;

export const MtuView = object({
  profile: text(),
  live: boolean,
  mode: oneOf('automatic', 'fixed'),
  lock: nullable(Lock),
  path: count,
  /** Where `path` comes from. `learnt`: the network said so; `tested`: the path test, taken over by the person. */
  pathSource: oneOf('profile', 'learnt', 'tested'),
  /** The tunnel's MTU; `computed` is what automatic gives. */
  value: integer(),
  computed: integer(),
  mss4: count,
  mss6: count,
  /** From the outside to the inside, the payload last; their sum is `path`. */
  parts: list(MtuPart),
  explanation: text(),
  ipv6Allowed: boolean,
  warnings: list(Told),
});
export type MtuView = Of<typeof MtuView>;

export const MtuChoice = variants('mode', {
  /** `path`: the path MTU to compute with (a path test's result); absent: the profile's. */
  automatic: { path: optional(integer(576, 9000)) },
  fixed: { value: integer(576, 8192) },
});
export type MtuChoice = Of<typeof MtuChoice>;

export const Check = object({
  /** Stable: "gateway-reachable", "clock", "tun", … */
  id: text(),
  verdict: oneOf('pass', 'warn', 'fail', 'skipped'),
  title: Told,
  /** What was found. */
  found: Told,
  cause: nullable(Told),
  remedy: nullable(Told),
  data: record(scalar),
});
export type Check = Of<typeof Check>;

export const Drop = object({ name: text(), meaning: Told, packets: count });
export type Drop = Of<typeof Drop>;

/**
 * The network that carries this computer's default route. `unknown`: it cannot be told from others, because its name is kept from
 * us (`name-hidden`), its router has no hardware address of its own (`no-identity`), it is neither Wi-Fi nor Ethernet
 * (`other-kind`), or nothing here tells (`not-readable`).
 */
export const Network = variants('kind', {
  offline: {},
  /** `secured`: computer and access point proved a key to each other; whoever opens a network of the same name cannot. */
  wifi: { name: text(), secured: boolean },
  /** `gateway`: hardware address of its router. */
  wired: { gateway: text() },
  unknown: { because: oneOf('name-hidden', 'no-identity', 'other-kind', 'not-readable') },
});
export type Network = Of<typeof Network>;

/** A network where a person needs no tunnel. */
export const TrustedNetwork = variants('kind', {
  wifi: { name: text(64, 1) },
  wired: { gateway: text(17, 17) },
});
export type TrustedNetwork = Of<typeof TrustedNetwork>;

/**
 * `untrusted`: not in the list. `unproven`: its name is, but anybody could have given it that name, for it wants no key. `unknown`
 * counts as untrusted, too.
 */
export type Trust = 'offline' | 'trusted' | 'untrusted' | 'unproven' | 'unknown';

export const sameNetwork = (one: Network | TrustedNetwork, other: Network | TrustedNetwork): boolean =>
  (one.kind === 'wifi' && other.kind === 'wifi' && one.name === other.name) ||
  (one.kind === 'wired' && other.kind === 'wired' && one.gateway === other.gateway);

export function trustOf(network: Network, trusted: readonly TrustedNetwork[]): Trust {
  if (network.kind === 'offline' || network.kind === 'unknown') return network.kind;
  if (!trusted.some((one) => sameNetwork(one, network))) return 'untrusted';
  return network.kind === 'wifi' && !network.secured ? 'unproven' : 'trusted';
}

export const Settings = object({
  startAtLogin: boolean,
  /** Profile to connect when the app starts; null: none. */
  connectAtStart: nullable(text(63)),
  autoConnect: object({
    enabled: boolean,
    profile: nullable(text(63)),
    trusted: list(TrustedNetwork, 100),
  }),
  theme: oneOf('system', 'light', 'dark'),
  /** `system`, or a BCP 47 tag of a language that the interface has. */
  language: oneOf('system', 'en', 'zh-Hans', 'de', 'fr'),
});
export type Settings = Of<typeof Settings>;

export const DEFAULT_SETTINGS: Settings = {
  startAtLogin: false,
  connectAtStart: null,
  autoConnect: { enabled: false, profile: null, trusted: [] },
  theme: 'system',
  language: 'system',
};

export const Role = oneOf('user', 'administrator');
export type Role = Of<typeof Role>;
