// The contract between the privileged engine and everything that shows or commands it: command line, desktop shell, web
// page. Plain data only (JSON), no imports. Newline-delimited JSON on a local socket:
//   → { id, call, params }     ← { id, result } | { id, error }     ← { event, data } after `subscribe`

export const CONTRACT_VERSION = 1;

/** An error as a person reads it; crosses the wire with code and data intact. */
export interface ContractError {
  /** "profile/unknown-key", "ike/refused-by-peer", "net/no-permission", … : the layer and its closed code. */
  readonly code: string;
  readonly message: string;
  /** Likely cause and what to do. */
  readonly remedy: string;
  readonly data?: Readonly<Record<string, string | number | boolean | null>>;
}

export type ConnectStep = 'resolve' | 'socket' | 'sa-init' | 'auth' | 'tun' | 'routes';

/** What holds in a tunnel that is up. Addresses, prefixes and endpoints as text. */
export interface TunnelInfo {
  readonly shape: 'gre-transport' | 'gre-tunnel' | 'esp-tunnel' | 'gre-plain';
  readonly interfaceName: string;
  readonly gateway: string;
  readonly gatewayIdentity: string;
  readonly local: string;
  readonly encapsulation: 'udp' | 'raw';
  readonly behindNat: { readonly local: boolean; readonly remote: boolean };
  /** Addresses on the TUN. */
  readonly addresses: readonly string[];
  /** Assigned by the gateway's configuration payload. */
  readonly assigned: readonly string[];
  readonly dns: readonly string[];
  readonly ikeProposal: string;
  readonly espProposal: string;
  readonly mtu: { readonly value: number; readonly explanation: string; readonly mss4: number; readonly mss6: number };
  readonly routes: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  /** Unix time in milliseconds. */
  readonly since: number;
  readonly warnings: readonly string[];
}

export type EngineState =
  | { readonly state: 'disconnected'; readonly lastError: ContractError | null }
  | { readonly state: 'connecting'; readonly profile: string; readonly step: ConnectStep; readonly attempt: number }
  | { readonly state: 'connected'; readonly profile: string; readonly tunnel: TunnelInfo }
  | {
      readonly state: 'reconnecting';
      readonly profile: string;
      readonly because: ContractError;
      readonly attempt: number;
      /** Unix time in milliseconds of the next try. */
      readonly retryAt: number;
    }
  | { readonly state: 'disconnecting'; readonly profile: string }
  | { readonly state: 'failed'; readonly profile: string; readonly error: ContractError };

export interface TrafficStatistics {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** Every non-zero counter of the packet core, by name. */
  readonly counters: Readonly<Record<string, number>>;
  /** Milliseconds since an authenticated packet arrived; null: never. */
  readonly lastInboundAgo: number | null;
}

export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly engine: EngineState;
  readonly traffic: TrafficStatistics | null;
}

export interface ProfileSummary {
  readonly name: string;
  readonly gateway: string;
  readonly shape: TunnelInfo['shape'];
}

export interface LogEntry {
  readonly time: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly area: string;
  readonly text: string;
}

/** Every call: its parameters and its result. */
export interface Calls {
  hello: { params: { contract: number }; result: { version: string; contract: number } };
  status: { params: Record<string, never>; result: Status };
  /** Resolves once connected; rejects with the reason it could not be. `profile` is a stored profile's name. */
  connect: { params: { profile: string }; result: { tunnel: TunnelInfo } };
  disconnect: { params: Record<string, never>; result: Record<string, never> };
  /** `text` is a profile file's content. Replaces a profile of the same name only when asked to. */
  import: {
    params: { text: string; replace: boolean };
    result: { profile: ProfileSummary; warnings: readonly string[] };
  };
  list: { params: Record<string, never>; result: { profiles: readonly ProfileSummary[] } };
  remove: { params: { profile: string }; result: Record<string, never> };
  /** The newest `lines` entries; later ones follow as events after `subscribe`. */
  logs: { params: { lines: number }; result: { entries: readonly LogEntry[] } };
  subscribe: { params: { events: readonly EventName[] }; result: Record<string, never> };
}

export type CallName = keyof Calls;

export interface Events {
  /** Sent at once after `subscribe`, then at every change of state. */
  status: Status;
  traffic: TrafficStatistics;
  log: LogEntry;
}

export type EventName = keyof Events;
