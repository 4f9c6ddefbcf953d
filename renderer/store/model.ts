// What the interface knows, and how it changes with what happens: `(model, happening) → model`, pure. Everything shown is
// drawn from here; nothing is kept twice.
import type {
  ContractError,
  EventName,
  Events,
  LogEntry,
  MtuView,
  Network,
  PathTest,
  Profiles,
  RoutesView,
  Settings,
  Status,
  TrafficSample,
  TrafficStatistics,
} from '../../main/ipc/contract.ts';
import type { LinkState } from '../client/link.ts';

/** What the person asked for last, until the engine has taken it up or refused it. */
export type Wish = { readonly kind: 'connect'; readonly profile: string } | { readonly kind: 'disconnect' };

export interface Refusal {
  readonly error: ContractError;
  readonly wish: Wish;
}

export interface Model {
  readonly link: LinkState;
  /** The newest that was heard; while `link` is not open it says what was, not what is. */
  readonly status: Status | null;
  readonly traffic: TrafficStatistics | null;
  /** Oldest first, SAMPLES at most. */
  readonly samples: readonly TrafficSample[];
  readonly profiles: Profiles | null;
  /** By profile. */
  readonly routes: Readonly<Record<string, RoutesView>>;
  readonly mtu: Readonly<Record<string, MtuView>>;
  readonly pathTest: PathTest | null;
  readonly settings: Settings | null;
  readonly network: Network | null;
  /** Oldest first, LOG_LINES at most. */
  readonly log: readonly LogEntry[];
  readonly wish: Wish | null;
  /** Why the last wish was refused, where the engine's state does not say so. */
  readonly refusal: Refusal | null;
  /** The engine that answers is another process than the one before, which had a connection. */
  readonly restarted: boolean;
  /** The profile that the person picked; null: none yet. */
  readonly picked: string | null;
}

export type Heard = {
  readonly [E in EventName]: { readonly kind: 'heard'; readonly event: E; readonly data: Events[E] };
}[EventName];

export type Happening =
  | Heard
  | { readonly kind: 'link'; readonly link: LinkState }
  | { readonly kind: 'wish'; readonly wish: Wish | null }
  | { readonly kind: 'pick'; readonly profile: string | null }
  | { readonly kind: 'refusal'; readonly refusal: Refusal | null }
  | { readonly kind: 'noticed-restart' };

export const SAMPLES = 600;
export const LOG_LINES = 2000;

export const EMPTY: Model = {
  link: { state: 'connecting', attempt: 1 },
  status: null,
  traffic: null,
  samples: [],
  profiles: null,
  routes: {},
  mtu: {},
  pathTest: null,
  settings: null,
  network: null,
  log: [],
  wish: null,
  refusal: null,
  restarted: false,
  picked: null,
};

export function reduce(model: Model, happening: Happening): Model {
  switch (happening.kind) {
    case 'link':
      return { ...model, link: happening.link };
    case 'wish':
      return { ...model, wish: happening.wish, ...(happening.wish ? { refusal: null } : {}) };
    case 'refusal':
      return { ...model, refusal: happening.refusal };
    case 'pick':
      return { ...model, picked: happening.profile };
    case 'noticed-restart':
      return { ...model, restarted: false };
    case 'heard':
      return hear(model, happening);
  }
}

function hear(model: Model, heard: Heard): Model {
  switch (heard.event) {
    case 'status':
      return onStatus(model, heard.data);
    case 'traffic':
      return { ...model, traffic: heard.data };
    case 'samples':
      return { ...model, samples: addSamples(model.samples, heard.data) };
    case 'log':
      return { ...model, log: [...model.log.slice(1 - LOG_LINES), heard.data] };
    case 'profiles':
      return { ...model, profiles: heard.data };
    case 'routes':
      return { ...model, routes: { ...model.routes, [heard.data.profile]: heard.data } };
    case 'mtu':
      return { ...model, mtu: { ...model.mtu, [heard.data.profile]: heard.data } };
    case 'pathTest':
      return { ...model, pathTest: heard.data };
    case 'settings':
      return { ...model, settings: heard.data };
    case 'network':
      return { ...model, network: heard.data };
  }
}

function onStatus(model: Model, status: Status): Model {
  const before = model.status;
  const another = before !== null && before.pid !== status.pid;
  const fresh = status.engine.state === 'connected' && before?.engine.state !== 'connected';
  return {
    ...model,
    status,
    traffic: status.traffic ?? (fresh ? null : model.traffic),
    // The series is the engine's: a new one begins its own.
    ...(another ? { samples: [], log: [], pathTest: null, restarted: busy(before) && !busy(status) } : {}),
    ...(busy(status) ? { restarted: false } : {}),
  };
}

const busy = (status: Status): boolean => status.engine.state !== 'disconnected' && status.engine.state !== 'failed';

/** After a new subscription the series comes whole again: what is known already is left out. */
function addSamples(known: readonly TrafficSample[], more: readonly TrafficSample[]): readonly TrafficSample[] {
  const newest = known.at(-1)?.time ?? Number.NEGATIVE_INFINITY;
  const fresh = more.filter(({ time }) => time > newest);
  return fresh.length ? [...known, ...fresh].slice(-SAMPLES) : known;
}

/** The profile that the pages speak of: the one in use, else the picked one, else the only or first one. */
export function currentProfile(model: Model): string | null {
  const engine = model.status?.engine;
  if (engine && engine.state !== 'disconnected' && engine.state !== 'failed') return engine.profile;
  if (model.wish?.kind === 'connect') return model.wish.profile;
  const profiles = model.profiles?.profiles ?? [];
  if (model.picked && profiles.some(({ name }) => name === model.picked)) return model.picked;
  if (engine?.state === 'failed' && profiles.some(({ name }) => name === engine.profile)) return engine.profile;
  return profiles[0]?.name ?? null;
}
