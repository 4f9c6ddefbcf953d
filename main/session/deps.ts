// What a session is handed, and what it shows: everything outside it comes through here, so that a test can put a fake
// in each place. The daemon composes the real ones.
import type { RandomBytes } from '../crypto/random.ts';
import type { EngineState, TrafficStatistics } from '../ipc/contract.ts';
import type { DnsSettings } from '../net/dns/api.ts';
import type { NetworkMonitor } from '../net/monitor/api.ts';
import type { RouteTable } from '../net/route/api.ts';
import type { SocketFactory } from '../net/socket/api.ts';
import type { TunAdapter } from '../net/tun/api.ts';
import type { DataPlane, DataPlaneOptions } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import type { Address } from '../wire/address.ts';
import type { CreateAnswerer } from './answerer.ts';
import type { AuthenticationDeps } from './authentication.ts';
import type { Clock } from './clock.ts';
import type { GreSequenceStore } from './gre-sequence.ts';
import type { SessionLog } from './log.ts';
import type { ProbeOutcome } from './path-probe.ts';
import type { RoundTrip } from './round-trip.ts';

export type { ProbeOutcome } from './path-probe.ts';
export type { RoundTrip } from './round-trip.ts';

export interface SessionDeps {
  readonly tun: TunAdapter;
  readonly routes: RouteTable;
  readonly dns: DnsSettings;
  readonly sockets: SocketFactory;
  /** Tells of changes of the machine's network; without it they are noticed when the gateway no longer answers. */
  readonly monitor?: NetworkMonitor;
  readonly startDataPlane: (options: DataPlaneOptions) => Promise<DataPlane>;
  /** Every address of a host name, in order of preference; rejects (or gives none) where it does not resolve. */
  readonly resolveHost: (name: string) => Promise<readonly Address[]>;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly log: (entry: SessionLog) => void;
  /** Keeps GRE sequence numbers over restarts; without it they start at 0 in each session. */
  readonly greSequences?: GreSequenceStore;
  /** Key stores of this computer, and how CRLs and OCSP answers are fetched. */
  readonly authentication?: Pick<AuthenticationDeps, 'keyStores' | 'fetch' | 'revocationCache'>;
  /** Who answers what authentication asks, instead of authentication.ts: for tests. */
  readonly createAnswerer?: CreateAnswerer;
}

export interface Session {
  readonly state: EngineState;
  /** Connects. Without effect unless disconnected, failed, or held (see EngineState): then it tries again. */
  start(): void;
  /** Ends in `disconnected`, from any state; resolves once everything is undone. Never rejects. */
  stop(): Promise<void>;
  /** Calls `listener` after every change of state. */
  on(listener: (state: EngineState) => void): void;
  /**
   * Other routes and another MTU, from now on and at once where a tunnel is up, without reconnecting. Rejects with a
   * SessionError where they cannot be; then everything is as before.
   */
  reconfigure(next: Pick<Profile, 'routes' | 'mtu'>): Promise<void>;
  /** What a person says to the prompt in the state; null: nothing. False: that question is not open. */
  answerPrompt(id: string, answer: string | null): boolean;
  /** Where it waits before the next try, or for an answer that nobody gave: it tries now. A person may be there, or another network. */
  retryNow(): void;
  /** The newest round trip between us and the gateway; null where none was measured on this connection. */
  latency(): RoundTrip | null;
  /** Asks the gateway for a sign of life now (which also measures the round trip), where a tunnel is up. */
  checkLiveness(): void;
  /** Sends one IP packet of `size` bytes to the gateway beside the tunnel; disturbs nothing. */
  probe(size: number): Promise<ProbeOutcome>;
  /** Totals since start(), over reconnections; null before the first data plane. */
  traffic(): TrafficStatistics | null;
}
