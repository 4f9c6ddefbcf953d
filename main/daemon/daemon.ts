// The composition root: everything real is made and put together here, and taken apart in the reverse order.
//
//   start: crypto check → lock (refuses a second engine) → socket → remove what a crashed run left → ready
//   stop:  disconnect politely → undo routes → close the socket → release the lock
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { missingCrypto } from '../crypto/check.ts';
import { EngineError } from '../ipc/error.ts';
import { GROUP, groupIdOf } from '../ipc/place.ts';
import { type Caller, type IpcServer, serve } from '../ipc/server.ts';
import type { Profile } from '../profile/profile.ts';
import { checkProfileRights, DEFAULT_PROFILE_DIRECTORY, openProfileStore } from '../profile/store.ts';
import type { Session, SessionDeps } from '../session/deps.ts';
import { createSession } from '../session/session.ts';
import type { Adapters } from './adapters.ts';
import { engineAuthentication } from './authentication.ts';
import { identify } from './callers.ts';
import { systemClock } from './clock.ts';
import { createEngine } from './engine.ts';
import { fetchProfile } from './fetch-profile.ts';
import { openGreSequences } from './gre-sequences.ts';
import { lockNamespace } from './lock.ts';
import type { EngineLog } from './log.ts';
import { asksPort } from './reach.ts';
import { openSettings } from './settings.ts';
import { readVersion } from './version.ts';

export interface DaemonOptions {
  readonly socketPath: string;
  readonly profileDirectory: string;
  readonly log: EngineLog;
  readonly adapters: Adapters;
  /** For tests: another session than the real one. */
  readonly createSession?: (profile: Profile, deps: SessionDeps) => Session;
  /** For tests: who a connection is, and where profiles are fetched from. */
  readonly identify?: (socket: Socket) => Caller;
  readonly fetchProfile?: (url: string) => Promise<string>;
  /** Where the lock is; null: no lock (tests, whose adapters change nothing). */
  readonly runDirectory: string | null;
}

export interface Daemon {
  readonly socketPath: string;
  /** Ends the session politely and undoes every change. Never rejects; a second call waits for the first. */
  stop(): Promise<void>;
}

const TRAFFIC_INTERVAL = 1_000;

export function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/** Rejects with EngineError where it cannot start; nothing is left behind then. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log, adapters, socketPath } = options;
  const missing = missingCrypto(randomBytes);
  if (missing.length > 0)
    throw new EngineError({
      code: 'daemon/crypto',
      message: `This Node.js (${process.version}) cannot do ${missing.join(', ')}.`,
      remedy: 'Run the engine with an official Node.js 20 or later, or the one that comes with Culvert.',
    });

  const note = (level: 'info' | 'warn' | 'error', text: string): void => log.add({ level, area: 'daemon', text });
  // Before the socket: of two that start at once, the one that has to go must not take the other's socket along.
  const lock = options.runDirectory === null ? undefined : lockNamespace(options.runDirectory);
  let server: IpcServer | undefined;
  let begin: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const greSequences = openGreSequences(options.profileDirectory);
  const authentication = engineAuthentication(
    adapters.routes.mark,
    process.env,
    (text) => note('warn', text),
    adapters.resolveHost,
  );
  const deps: SessionDeps = {
    authentication,
    ...adapters,
    random: randomBytes,
    clock: systemClock,
    log: log.add,
    greSequences,
  };
  const make = options.createSession ?? createSession;
  const engine = createEngine({
    version: readVersion(),
    store: openProfileStore(options.profileDirectory),
    log,
    createSession: (profile) => make(profile, deps),
    ready,
    publish: (event, data, to) => server?.publish(event, data, to),
    settings: openSettings(join(dirname(options.profileDirectory), 'settings')),
    clock: systemClock,
    greSequences,
    resolveHost: adapters.resolveHost,
    fetchProfile: options.fetchProfile ?? fetchProfile,
    askPort: (address, port, marker) => asksPort(address, port, marker, randomBytes),
    ...(adapters.attachment
      ? {
          surroundings: {
            reader: adapters.attachment,
            monitor: adapters.monitor,
            clock: systemClock,
            present: (uid) => server?.callers.some((caller) => caller.uid === uid) ?? false,
          },
        }
      : {}),
  });

  try {
    server = await serve({
      path: socketPath,
      groupId: groupIdOf(GROUP),
      implementation: engine.implementation,
      current: (event, caller) => engine.current(event, caller),
      identify: options.identify ?? identify,
      onDefect: (error) =>
        note('error', `a defect: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
    });
  } catch (error) {
    begin();
    await engine.close();
    lock?.release();
    throw error;
  }
  const listening = server;
  log.onEntry((entry) => listening.publish('log', entry));

  const ours = options.profileDirectory === DEFAULT_PROFILE_DIRECTORY;
  for (const text of await checkProfileRights(options.profileDirectory, ours)) note('warn', text);
  await cleanUp(adapters, note);
  begin();

  const traffic = setInterval(() => {
    const now = engine.connected && listening.clients > 0 ? engine.traffic : undefined;
    engine.sample(listening.clients > 0);
    if (now) listening.publish('traffic', now);
  }, TRAFFIC_INTERVAL);
  traffic.unref();

  const stop = async (): Promise<void> => {
    note('info', 'stopping');
    clearInterval(traffic);
    await settled(engine.close(), (why) => note('error', `disconnecting failed: ${why}`));
    await settled(adapters.dns.close(), (why) => note('error', `taking back the name servers failed: ${why}`));
    await settled(adapters.routes.close(), (why) => note('error', `undoing the routes failed: ${why}`));
    note('info', 'stopped');
    await listening.close();
    lock?.release();
  };
  let stopping: Promise<void> | undefined;
  note('info', `ready: listening on ${socketPath}, profiles in ${options.profileDirectory}`);
  return {
    socketPath,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** Removes what a crashed run left, and says what that was. A failure is told, not fatal, and keeps nothing else from being removed. */
async function cleanUp(adapters: Adapters, note: (level: 'info' | 'warn', text: string) => void): Promise<void> {
  for (const { cleanUp } of [adapters.dns, adapters.routes])
    try {
      for (const removed of await cleanUp()) note('info', `removed, left by an earlier run: ${removed}`);
    } catch (error) {
      note(
        'warn',
        `removing what an earlier run may have left failed: ${error instanceof Error ? error.message : error}`,
      );
    }
}

async function settled(work: Promise<unknown>, failed: (why: string) => void): Promise<void> {
  try {
    await work;
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error));
  }
}
