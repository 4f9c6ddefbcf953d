// A whole engine behind its socket, a real gateway on loopback, and a vault that hears of every secret. Everything that either of them
// says is kept: the log before anything is blotted out of it, each byte on the engine's socket, reports, errors, what a debugger or a
// crash would print of the objects.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { systemClock } from '../../main/daemon/clock.ts';
import { startDaemon } from '../../main/daemon/daemon.ts';
import { createLog, type EngineLog } from '../../main/daemon/log.ts';
import { parseGatewayConfig } from '../../main/gateway/config.ts';
import { createGateway, type Gateway } from '../../main/gateway/gateway.ts';
import { createInitiator } from '../../main/ike/initiator.ts';
import type { IkeEffect, IkeEvent } from '../../main/ike/peer.ts';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import { EVENT_NAMES } from '../../main/ipc/contract.ts';
import { fakeDnsSettings } from '../../main/net/dns/fake.ts';
import { fakeRouteTable } from '../../main/net/route/fake.ts';
import { linuxSocketFactory } from '../../main/net/socket/linux.ts';
import { inMemoryTunAdapter } from '../../main/net/tun/fake.ts';
import { startDataPlane } from '../../main/path/start.ts';
import { createSession } from '../../main/session/session.ts';
import { hearDerivedKeys } from './derived.ts';
import { Vault } from './vault.ts';

export interface Scene {
  readonly vault: Vault;
  readonly client: EngineClient;
  readonly gateway: Gateway;
  /** Everything said so far. */
  readonly said: string;
  /** Whatever may be printed of it. */
  say(what: unknown): void;
  /** Keys that have been derived so far, by name. */
  readonly derived: ReadonlyMap<string, number>;
  /** The client does this to its IKE SA when it is next asked for a sign of life. */
  next: IkeEvent | 'throw' | undefined;
  close(): Promise<void>;
}

export interface SceneOptions {
  /** As in the gateway's configuration. */
  readonly authentication?: Record<string, unknown>;
  readonly secret: string;
}

export async function openScene(options: SceneOptions): Promise<Scene> {
  const vault = new Vault();
  const pieces: string[] = [];
  const derived = new Map<string, number>();
  hearDerivedKeys((name, bytes) => {
    vault.put(name, bytes);
    derived.set(name, (derived.get(name) ?? 0) + 1);
  });
  const undo: (() => unknown)[] = [];
  const say = (what: unknown): void => {
    pieces.push(typeof what === 'string' ? what : inspect(what, { depth: 12, showHidden: true, maxArrayLength: null }));
    if (what instanceof Error) pieces.push(what.message, what.stack ?? '', JSON.stringify(what), inspect(what.cause));
  };

  const gateway = await createGateway(
    parseGatewayConfig({
      identity: 'gateway.example',
      users: [{ identity: 'alice@example.com', secret: options.secret }],
      listen: { address: '127.0.0.1', port: 0, nattPort: 0 },
      shapes: ['gre-tunnel'],
      pool: { ipv4: '10.99.0.0/24' },
      gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
      threads: 'single',
      pagePort: null,
      ticketSeconds: 3600,
      ...(options.authentication && { authentication: options.authentication }),
    }),
    {
      tun: inMemoryTunAdapter(() => {}),
      sockets: linuxSocketFactory(),
      startDataPlane,
      random: randomBytes,
      clock: systemClock,
      onEvent: say,
    },
  );
  undo.push(() => gateway.close());

  const directory = mkdtempSync(join(tmpdir(), 'culvert-secrets-'));
  undo.push(() => rmSync(directory, { recursive: true, force: true }));
  const scene = { next: undefined as Scene['next'] };
  const log = createLog({ level: 'debug', json: false, write: say });
  // In front of what blots secrets out: nothing may rely on that.
  const heard: EngineLog = {
    ...log,
    add(entry) {
      say(JSON.stringify(entry));
      log.add(entry);
    },
  };
  const daemon = await startDaemon({
    socketPath: join(directory, 'engine.sock'),
    profileDirectory: join(directory, 'profiles'),
    log: heard,
    runDirectory: null,
    adapters: {
      tun: inMemoryTunAdapter(() => {}),
      routes: fakeRouteTable(),
      dns: fakeDnsSettings(),
      sockets: linuxSocketFactory(),
      startDataPlane,
      resolveHost: async () => [],
    },
    createSession: (profile, deps) => {
      const session = createSession(profile, deps, (config, ikeDeps) => {
        const peer = createInitiator(config, ikeDeps);
        return {
          handle(event, now): IkeEffect[] {
            if (event.kind === 'answer' && event.answer.kind === 'eap' && event.answer.state === 'success')
              vault.put('MSK', event.answer.msk ?? '');
            const instead = event.kind === 'checkLiveness' ? scene.next : undefined;
            scene.next = instead ? undefined : scene.next;
            if (instead === 'throw') {
              say(peer);
              throw defect(peer.handle({ kind: 'rekey', what: 'ike' }, now));
            }
            const effects = peer.handle(instead ?? event, now);
            for (const effect of effects)
              if (effect.kind === 'ticket') say({ ticket: effect.ticket, json: JSON.stringify(effect) });
            return effects;
          },
        };
      });
      return session;
    },
  });
  undo.push(() => daemon.stop());

  const tapped = join(directory, 'tapped.sock');
  const tap = await listenIn(daemon.socketPath, tapped, say);
  undo.push(() => tap.close());
  const client = await connectEngine(tapped);
  undo.push(() => client.close());
  await client.call('subscribe', { events: [...EVENT_NAMES] });

  return {
    get next() {
      return scene.next;
    },
    set next(event) {
      scene.next = event;
    },
    vault,
    client,
    gateway,
    derived,
    say,
    get said() {
      return pieces.join('\n');
    },
    async close() {
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}

/** An exception from the midst of the engine, with what was at hand there. */
function defect(effects: readonly IkeEffect[]): Error {
  return new TypeError(`cannot read properties of undefined, after ${effects.length} effects`);
}

/** Between the engine and its client: hears what the engine says. */
function listenIn(from: string, to: string, say: (text: string) => void): Promise<Server> {
  const server = createServer((near) => {
    const far = createConnection(from);
    for (const socket of [near, far]) socket.on('error', () => {});
    far.on('data', (chunk) => say(chunk.toString('latin1')));
    near.pipe(far).pipe(near);
  });
  return new Promise((resolve) => server.listen(to, () => resolve(server)));
}
