// The contract between the privileged engine and everything that shows or commands it: command line, desktop shell, web
// page. Every call and every event is declared here once, as a value; their types, the checks at run time, the server, the
// clients and the test doubles come from it. Imports nothing but its own vocabulary (data.ts, shape.ts), which import nothing.
//
//   → { id, call, params }     ← { id, result } | { id, error }     ← { event, data } after `subscribe`
//
// as newline-delimited JSON on the engine's local socket, one message a frame on a WebSocket or a message port.
import {
  Check,
  ContractError,
  Drop,
  FieldProblem,
  LogEntry,
  LogFilter,
  MtuChoice,
  MtuView,
  Network,
  PathTest,
  PathTestResult,
  ProfileDetails,
  ProfileSummary,
  Profiles,
  Role,
  RouteKind,
  RouteLookup,
  RouteMode,
  RoutesView,
  Settings,
  Status,
  Told,
  TrafficSample,
  TrafficStatistics,
  TrustedNetwork,
  TunnelInfo,
} from './data.ts';
import { boolean, integer, list, nullable, type Of, object, oneOf, optional, type Shape, text } from './shape.ts';

export * from './data.ts';
export { check, checkStrict, matches, type Of, type Problem, type Shape } from './shape.ts';

export const CONTRACT_VERSION = 2;

/**
 * What a call needs. `look` changes nothing; `connect` begins and ends connections; `edit` changes what is stored, where it
 * is not locked (an administrator: also there); `administer` is for administrators alone.
 */
export type Capability = 'look' | 'connect' | 'edit' | 'administer';

export const CAPABILITIES: Readonly<Record<Role, readonly Capability[]>> = {
  user: ['look', 'connect', 'edit'],
  administrator: ['look', 'connect', 'edit', 'administer'],
};

interface Call<P, R> {
  readonly needs: Capability;
  readonly params: Shape<P>;
  readonly result: Shape<R>;
}

const call = <P, R>(needs: Capability, params: Shape<P>, result: Shape<R>): Call<P, R> => ({ needs, params, result });

/** Names of parameters and results that have none. Written so, an empty object is all that fits. */
const nothing: Shape<Record<string, never>> = { find: object({}).find };
const profile = text(255, 1);
const ofProfile = object({ profile });
/** A profile file is at most 256 Ki characters; JSON's escapes may make it longer. */
const profileText = text(1024 * 1024);
const url = text(2048, 1);
const prefix = text(100);
const imported = object({ profile: ProfileSummary, warnings: list(Told) });
const previewed = object({
  profile: ProfileDetails,
  warnings: list(Told),
  /** A profile of this name is stored already. */
  exists: boolean,
  /** Of what was fetched (`previewUrl`): SHA-256, hexadecimal. */
  digest: optional(text(64)),
});

const EVENT_LIST = [
  'status',
  'traffic',
  'samples',
  'log',
  'profiles',
  'routes',
  'mtu',
  'pathTest',
  'settings',
  'network',
] as const;

export const CALLS = {
  hello: call(
    'look',
    object({ contract: integer(0, 1_000_000) }),
    object({ version: text(), contract: integer(0), role: optional(Role) }),
  ),
  status: call('look', nothing, Status),
  /** Resolves once connected; rejects with the reason it could not be. `profile` is a stored profile's name. */
  connect: call('connect', ofProfile, object({ tunnel: TunnelInfo })),
  disconnect: call('connect', nothing, nothing),
  /**
   * What a person says to the `prompt` in the engine's state; null: nothing, which ends the attempt. Rejects with "daemon/no-prompt"
   * where that question is not open any more. The answer is a secret: it is in no event, result or log.
   */
  answerPrompt: call('connect', object({ id: text(64, 1), answer: nullable(text(1024)) }), nothing),

  list: call('look', nothing, object({ profiles: list(ProfileSummary) })),
  profiles: call('look', nothing, Profiles),
  /** `text` is a profile file's content. Replaces a profile of the same name only when asked to. */
  import: call('edit', object({ text: profileText, replace: boolean }), imported),
  /**
   * The engine fetches it: https only, bounded in size and time. `digest`: of what the person saw (`previewUrl`) and agreed to; rejects
   * with "profile/changed-meanwhile" where the address has something else by now.
   */
  importUrl: call('edit', object({ url, replace: boolean, digest: optional(text(64, 64)) }), imported),
  /** Checks and describes a profile without storing it. */
  preview: call('look', object({ text: profileText }), previewed),
  previewUrl: call('edit', object({ url }), previewed),
  rename: call('edit', object({ profile, name: text(255, 1) }), nothing),
  remove: call('edit', ofProfile, nothing),
  /** Locks exactly these JSON pointers of the profile ("" is all of it); an empty list unlocks it. */
  lock: call('administer', object({ profile, locked: list(text(200), 64), by: nullable(text(200)) }), ProfileDetails),

  routes: call('look', ofProfile, RoutesView),
  setRouteMode: call('edit', object({ profile, mode: RouteMode }), RoutesView),
  setRouteOptions: call(
    'edit',
    object({ profile, allowLan: optional(boolean), fromGateway: optional(boolean) }),
    RoutesView,
  ),
  /** For a form: what is wrong with this route, field by field; never rejects for that. `editing`: the one it replaces. */
  checkRoute: call(
    'look',
    object({ profile, prefix, kind: RouteKind, editing: optional(object({ prefix, kind: RouteKind })) }),
    object({
      /** As it would be stored; null: it cannot be. */
      prefix: nullable(text()),
      problems: list(FieldProblem),
    }),
  ),
  /** Rejects with "routes/…", `data.field` names the field. Takes effect in a live tunnel at once, as do the next three. */
  addRoute: call('edit', object({ profile, prefix, kind: RouteKind }), RoutesView),
  editRoute: call(
    'edit',
    object({ profile, from: object({ prefix, kind: RouteKind }), to: object({ prefix, kind: RouteKind }) }),
    RoutesView,
  ),
  removeRoute: call('edit', object({ profile, prefix, kind: RouteKind }), RoutesView),
  /** Back to what the profile says. */
  resetRoutes: call('edit', ofProfile, RoutesView),
  /** Where a packet for this address or name goes. Without `profile`: the one that is connected. */
  routeLookup: call('look', object({ target: text(253, 1), profile: optional(profile) }), RouteLookup),

  mtu: call('look', ofProfile, MtuView),
  setMtu: call('edit', object({ profile, choice: MtuChoice }), MtuView),
  /** Probes the path of the tunnel that is up; resolves with the result, progress comes as events. Changes nothing. */
  pathTest: call('connect', nothing, PathTestResult),
  cancelPathTest: call('connect', nothing, nothing),

  checks: call(
    'look',
    object({ profile: optional(profile) }),
    object({ checks: list(Check), drops: list(Drop), lastError: nullable(ContractError) }),
  ),
  /** Without secrets: to be handed to somebody who helps. */
  report: call('look', object({ profile: optional(profile) }), object({ text: text(), json: text() })),
  /** The newest `lines` entries that pass the filter; later ones follow as events after `subscribe`. */
  logs: call(
    'look',
    object({ lines: integer(0, 100_000), filter: optional(LogFilter) }),
    object({ entries: list(LogEntry) }),
  ),
  /** The time series so far: up to ten minutes. */
  samples: call('look', nothing, object({ samples: list(TrafficSample) })),

  settings: call('look', nothing, Settings),
  /** The caller's own; what is absent stays as it is. */
  setSettings: call(
    'look',
    object({
      startAtLogin: optional(boolean),
      connectAtStart: optional(nullable(text(63))),
      autoConnect: optional(
        object({ enabled: boolean, profile: nullable(text(63)), trusted: list(TrustedNetwork, 100) }),
      ),
      theme: optional(oneOf('system', 'light', 'dark')),
      language: optional(oneOf('system', 'en', 'zh-Hans', 'de', 'fr')),
    }),
    Settings,
  ),
  /**
   * What a desktop shell tells: the computer sleeps or wakes, or may be on another network. The engine looks for itself which
   * one that is. From a shell's first `network` on, the caller's own settings decide whether a tunnel comes up by itself, as long
   * as they have a connection to the engine. `known`: the shell has been there before this engine was; nothing has changed.
   */
  notice: call('connect', object({ event: oneOf('suspend', 'resume', 'network'), known: optional(boolean) }), nothing),

  /** The current value of each event that has one comes at once, then every change. Replaces the earlier subscription. */
  subscribe: call(
    'look',
    object({ events: list(oneOf(...EVENT_LIST), EVENT_LIST.length), log: optional(LogFilter) }),
    nothing,
  ),
} as const;

/** Every event: its data. */
export const EVENTS = {
  /** At every change of state. */
  status: Status,
  /** Once a second while connected. */
  traffic: TrafficStatistics,
  /** At first the series so far, then each new point. */
  samples: list(TrafficSample),
  log: LogEntry,
  profiles: Profiles,
  /** Of the profile that is in use, and of any that is edited. */
  routes: RoutesView,
  mtu: MtuView,
  pathTest: PathTest,
  /** The subscriber's own. */
  settings: Settings,
  /** Where this computer is; trustOf says what the settings make of it. */
  network: Network,
} as const satisfies Record<(typeof EVENT_LIST)[number], Shape<unknown>>;

export type CallName = keyof typeof CALLS;
/** The calls by what they are about, as the engine and its double implement them. */
export type ProfileCall =
  | ('list' | 'profiles' | 'rename' | 'remove' | 'lock')
  | ('import' | 'importUrl' | 'preview' | 'previewUrl');
export type RouteCall =
  | ('routes' | 'checkRoute' | 'routeLookup')
  | ('setRouteMode' | 'setRouteOptions' | 'addRoute' | 'editRoute' | 'removeRoute' | 'resetRoutes');
export type MtuCall = 'mtu' | 'setMtu' | 'pathTest' | 'cancelPathTest';
export type Params<K extends CallName> = Of<(typeof CALLS)[K]['params']>;
export type Result<K extends CallName> = Of<(typeof CALLS)[K]['result']>;
export type Calls = { readonly [K in CallName]: { readonly params: Params<K>; readonly result: Result<K> } };

export type EventName = keyof typeof EVENTS;
export type Events = { readonly [E in EventName]: Of<(typeof EVENTS)[E]> };

export const EVENT_NAMES: readonly EventName[] = EVENT_LIST;
export const CALL_NAMES = Object.keys(CALLS) as readonly CallName[];

export const isCallName = (name: unknown): name is CallName => typeof name === 'string' && Object.hasOwn(CALLS, name);
export const isEventName = (name: unknown): name is EventName =>
  typeof name === 'string' && Object.hasOwn(EVENTS, name);

/** A ContractError as the calling end throws it (the class EngineError). */
export interface ContractFailure extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly data: ContractError['data'];
}

/** The interface's end of the contract, over whatever transport. */
export interface ContractClient {
  /** Rejects with ContractFailure: the engine's own, or `ipc/disconnected`. */
  call<K extends CallName>(name: K, params: Params<K>): Promise<Result<K>>;
  /** Hears an event after `call('subscribe', …)`. Returns how to stop. */
  on<E extends EventName>(event: E, listener: (data: Events[E]) => void): () => void;
  /** Resolves when the connection has ended; undefined: it was closed here. */
  readonly closed: Promise<ContractFailure | undefined>;
  close(): void;
}
