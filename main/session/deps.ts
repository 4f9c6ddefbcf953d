// What a session is handed, and what it shows: everything outside it comes through here, so that a test can put a fake
// in each place. The daemon composes the real ones.
import type { RandomBytes } from '../ike/types.ts';
import type { EngineState, LogEntry, TrafficStatistics } from '../ipc/contract.ts';
import type { RouteTable } from '../net/route/api.ts';
import type { SocketFactory } from '../net/socket/api.ts';
import type { TunAdapter } from '../net/tun/api.ts';
import type { DataPlane, DataPlaneOptions } from '../path/command.ts';
import type { Address } from '../wire/address.ts';
import type { GreSequenceStore } from './gre-sequence.ts';

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds, monotonic: performance.now of this process, which the data plane's statistics use too. */
  now(): number;
  /** Unix time in milliseconds, for people. */
  wall(): number;
  /** Calls `fn` once, when `now()` is `at` or later. */
  setTimer(at: number, fn: () => void): Timer;
}

export interface SessionLog {
  readonly level: LogEntry['level'];
  readonly area: string;
  readonly text: string;
}

export interface SessionDeps {
  readonly tun: TunAdapter;
  readonly routes: RouteTable;
  readonly sockets: SocketFactory;
  readonly startDataPlane: (options: DataPlaneOptions) => Promise<DataPlane>;
  /** Every address of a host name, in order of preference; rejects (or gives none) where it does not resolve. */
  readonly resolveHost: (name: string) => Promise<readonly Address[]>;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly log: (entry: SessionLog) => void;
  /** Keeps GRE sequence numbers over restarts; without it they start at 0 in each session. */
  readonly greSequences?: GreSequenceStore;
}

export interface Session {
  readonly state: EngineState;
  /** Connects. Without effect unless disconnected or failed. */
  start(): void;
  /** Ends in `disconnected`, from any state; resolves once everything is undone. Never rejects. */
  stop(): Promise<void>;
  /** Calls `listener` after every change of state. */
  on(listener: (state: EngineState) => void): void;
  /** Totals since start(), over reconnections; null before the first data plane. */
  traffic(): TrafficStatistics | null;
}
