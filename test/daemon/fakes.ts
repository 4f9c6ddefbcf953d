// A daemon on a real socket in a directory of its own, with sessions that do what the test says and adapters that change
// nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../main/daemon/daemon.ts';
import { createLog, type EngineLog } from '../../main/daemon/log.ts';
import type { ContractError, EngineState, TrafficStatistics, TunnelInfo } from '../../main/ipc/contract.ts';
import type { Caller } from '../../main/ipc/server.ts';
import type { AttachmentReader } from '../../main/net/attachment/api.ts';
import { fakeDnsSettings } from '../../main/net/dns/fake.ts';
import type { NetworkMonitor } from '../../main/net/monitor/api.ts';
import { type FakeRouteTable, fakeRouteTable } from '../../main/net/route/fake.ts';
import { fakeSocketFactory } from '../../main/net/socket/fake.ts';
import { inMemoryTunAdapter } from '../../main/net/tun/fake.ts';
import type { Profile } from '../../main/profile/profile.ts';
import type { ProbeOutcome, Session } from '../../main/session/deps.ts';

export const SECRET = 'correct horse battery staple';

export function profileText(name: string, changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    culvert: 1,
    name,
    gateway: { host: 'vpn.example.com' },
    authentication: { method: 'psk', secret: SECRET },
    tunnel: { shape: 'gre-tunnel' },
    gre: { address: ['10.88.0.2/24'] },
    routes: { include: ['10.88.0.0/24'] },
    ...changes,
  });
}

export const TUNNEL: TunnelInfo = {
  shape: 'gre-tunnel',
  interfaceName: 'culvert0',
  gateway: '192.0.2.1:4500',
  gatewayIdentity: 'gw.example',
  local: '192.0.2.2:4500',
  encapsulation: 'udp',
  behindNat: { local: true, remote: false },
  addresses: ['10.88.0.2/24'],
  assigned: ['10.99.0.7/32'],
  dns: ['10.66.0.53'],
  ikeProposal: 'aes256gcm16-prfsha256-ecp256',
  espProposal: 'aes128gcm16',
  mtu: { value: 1414, explanation: '1500 - … = 1414', mss4: 1374, mss6: 1354 },
  routes: { include: ['10.88.0.0/24'], exclude: [] },
  since: 1_700_000_000_000,
  warnings: [{ code: 'test/known', data: {}, text: 'something to know' }],
};

export const REFUSED: ContractError = {
  code: 'ike/refused-by-peer',
  message: 'The gateway did not accept us.',
  remedy: 'Check the secret.',
  data: { notify: 'AUTHENTICATION_FAILED' },
};

export interface FakeSession extends Session {
  readonly profile: Profile;
  /** Goes to a state, as the real one would by itself. */
  go(state: EngineState): void;
  stops: number;
  /** What reconfigure was given, in order; it rejects with `refuse` where that is set. */
  readonly given: Pick<Profile, 'routes' | 'mtu'>[];
  refuse: unknown;
  /** How often it was told not to wait. */
  retries: number;
  /** What probes of so many bytes come to; by default they arrive after 10 ms. */
  path: (bytes: number) => ProbeOutcome;
  /** What was said to its prompt, which is always open and called "open". */
  readonly answers: (string | null)[];
  /** Until set to true stop() waits; then it ends by itself. */
  letStop(): void;
}

export function fakeSession(profile: Profile, stopsAtOnce = true): FakeSession {
  const listeners: ((state: EngineState) => void)[] = [];
  let state: EngineState = { state: 'disconnected', lastError: null };
  let release: () => void = () => {};
  const mayStop = stopsAtOnce
    ? Promise.resolve()
    : new Promise<void>((resolve) => {
        release = resolve;
      });
  const session: FakeSession = {
    profile,
    stops: 0,
    given: [],
    refuse: undefined,
    retries: 0,
    answers: [],
    path: () => ({ kind: 'arrived', milliseconds: 10 }),
    async reconfigure(next) {
      if (session.refuse !== undefined) throw session.refuse;
      session.given.push(next);
    },
    answerPrompt: (id, answer) => {
      if (id !== 'open') return false;
      session.answers.push(answer);
      return true;
    },
    retryNow: () => {
      session.retries++;
    },
    latency: () => ({ milliseconds: 12.5, at: 0 }),
    checkLiveness: () => {},
    probe: async (bytes) => session.path(bytes),
    get state() {
      return state;
    },
    go(next) {
      state = next;
      for (const listener of listeners) listener(next);
    },
    start: () => session.go({ state: 'connecting', profile: profile.name, step: 'resolve', attempt: 1 }),
    async stop() {
      session.stops++;
      if (state.state === 'disconnected') return;
      const lastError = state.state === 'failed' ? state.error : null;
      if (state.state !== 'failed') session.go({ state: 'disconnecting', profile: profile.name });
      await mayStop;
      if (lastError) state = { state: 'disconnected', lastError };
      else session.go({ state: 'disconnected', lastError: null });
    },
    letStop: () => release(),
    on: (listener) => {
      listeners.push(listener);
    },
    traffic: (): TrafficStatistics | null =>
      state.state === 'connected'
        ? {
            bytesIn: 1234567,
            bytesOut: 42,
            packetsIn: 1000,
            packetsOut: 1,
            counters: { inReplayOld: 3, inPackets: 1000 },
            lastInboundAgo: 5000,
          }
        : null,
  };
  return session;
}

export interface Scene {
  readonly directory: string;
  readonly socketPath: string;
  readonly profileDirectory: string;
  readonly daemon: Daemon;
  readonly log: EngineLog;
  /** What went to standard error. */
  readonly lines: string[];
  readonly routes: FakeRouteTable;
  readonly sessions: FakeSession[];
  /** The newest session. */
  readonly session: FakeSession;
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly leftover?: readonly string[];
  /** Why name servers of an earlier run cannot be put back. */
  readonly namesFail?: string;
  /** Beside another scene's engine. */
  readonly directory?: string;
  readonly stopsAtOnce?: boolean;
  /** What a new session does by itself, once started. */
  readonly script?: (session: FakeSession) => void;
  /** Who connects; by default what the kernel says. */
  readonly identify?: () => Caller;
  readonly fetchProfile?: (url: string) => Promise<string>;
  readonly resolve?: (name: string) => readonly Uint8Array[];
  /** Which network this is; absent: nobody knows. */
  readonly attachment?: AttachmentReader;
  readonly monitor?: NetworkMonitor;
  /** In place of one in the scene's own directory. */
  readonly socketPath?: string;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'culvert-daemon-'));
  const socketPath = options.socketPath ?? join(directory, 'engine.sock');
  const profileDirectory = join(directory, 'profiles');
  const lines: string[] = [];
  const sessions: FakeSession[] = [];
  const routes = fakeRouteTable(options.leftover ?? []);
  const log = createLog({ level: 'debug', json: false, write: (line) => lines.push(line) });
  const daemon = await startDaemon({
    socketPath,
    profileDirectory,
    log,
    runDirectory: join(directory, 'run'),
    adapters: {
      tun: inMemoryTunAdapter(),
      routes,
      dns: {
        ...fakeDnsSettings(),
        ...(options.namesFail === undefined ? {} : { cleanUp: () => Promise.reject(new Error(options.namesFail)) }),
      },
      sockets: fakeSocketFactory(Uint8Array.of(192, 0, 2, 2)),
      startDataPlane: () => Promise.reject(new Error('there is no data plane here')),
      resolveHost: async (name) => options.resolve?.(name) ?? [],
      ...(options.attachment ? { attachment: options.attachment } : {}),
      ...(options.monitor ? { monitor: options.monitor } : {}),
    },
    ...(options.identify ? { identify: options.identify } : {}),
    ...(options.fetchProfile ? { fetchProfile: options.fetchProfile } : {}),
    createSession: (profile) => {
      const session = fakeSession(profile, options.stopsAtOnce);
      sessions.push(session);
      const { start } = session;
      session.start = () => {
        start();
        options.script?.(session);
      };
      return session;
    },
  });
  return {
    directory,
    socketPath,
    profileDirectory,
    daemon,
    log,
    lines,
    routes,
    sessions,
    get session() {
      const session = sessions.at(-1);
      if (!session) throw new Error('there is no session yet');
      return session;
    },
    async close() {
      for (const session of sessions) session.letStop();
      await daemon.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const connected = (session: FakeSession): void =>
  session.go({ state: 'connected', profile: session.profile.name, tunnel: TUNNEL });
export const failed = (session: FakeSession): void =>
  session.go({ state: 'failed', profile: session.profile.name, error: REFUSED });
