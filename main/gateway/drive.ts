// Drives the gateway's responder: events in, and its effects carried out, each behind those before it, with sockets, clients and the timer.
//
//   feed(event) ─▶ responder ─▶ effects ─ one after another ─▶ send, install, ask, …
//                      ▲                                              │
//                      └────────── childInstalled, answer ◀───────────┘
import { IkeError } from '../ike/error.ts';
import type {
  CloseReason,
  IkeEffect,
  IkeResponder,
  IkeResponderEffect,
  IkeResponderEvent,
  SaName,
} from '../ike/peer.ts';
import type { IkeQuestion } from '../ike/questions.ts';
import type { Instant } from '../ike/timing.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { DataPlane } from '../path/command.ts';
import type { Endpoint } from '../wire/address.ts';
import type { GatewayAuthentication } from './authentication.ts';
import type { Clients } from './clients.ts';
import type { Clock, Timer } from './clock.ts';
import type { GatewayEvent } from './event.ts';
import type { Streams } from './streams.ts';

const NON_ESP_MARKER = new Uint8Array(4);
const KEEPALIVE = Uint8Array.of(0xff);

export interface DriveParts {
  readonly responder: IkeResponder;
  readonly clients: Clients;
  readonly streams: Streams;
  readonly ike: TunnelSocket;
  readonly natt: TunnelSocket;
  readonly plane: DataPlane;
  readonly authentication: GatewayAuthentication | undefined;
  readonly clock: Clock;
  readonly onEvent: (event: GatewayEvent) => void;
}

export interface Drive {
  feed(event: IkeResponderEvent): void;
  /** Behind all that was to be done before. */
  inOrder(operation: () => Promise<void>): void;
  /** Its tunnel goes, and whoever listens is told why. */
  down(sa: SaName, reason: string): Promise<void>;
  /** Where tunnels send to, as text. */
  endpoints(): ReadonlySet<string>;
  /** Sends Delete to every client, and waits for their answers, `limit` milliseconds at most. No timer is set any more. */
  stop(limit: number): Promise<void>;
}

export function createDrive(parts: DriveParts): Drive {
  const { responder, clients, streams, ike, natt, plane, clock, onEvent } = parts;
  const live = new Set<SaName>();
  /** Over which TCP connection an IKE SA was last sent something. */
  const connections = new Map<SaName, Endpoint>();
  let timer: Timer | undefined;
  let heard: Instant = 0;
  /** Set while somebody waits for the last IKE SA to end. */
  let allGone: (() => void) | undefined;
  let last: Promise<void> = Promise.resolve();

  const log = (level: 'debug' | 'info' | 'warn', text: string): void => onEvent({ kind: 'log', level, text });

  function feed(event: IkeResponderEvent): void {
    for (const effect of responder.handle(event, clock.now())) {
      // The one timer cannot wait behind the data plane; everything else keeps its order.
      if (effect.effect.kind === 'timer') setTimer(effect.effect.at);
      else inOrder(() => carryOut(effect));
    }
  }

  function inOrder(operation: () => Promise<void>): void {
    last = last.then(operation).catch((error: unknown) => log('warn', reasonText(error)));
  }

  function setTimer(at: Instant | null): void {
    timer?.cancel();
    timer =
      at === null
        ? undefined
        : clock.setTimer(at, () => {
            timer = undefined;
            tellInbound();
            feed({ kind: 'timer' });
          });
  }

  /** Traffic is a sign of life (RFC 7296 §2.4). The data plane tells the last of all tunnels: it says whose when there is one. */
  function tellInbound(): void {
    const [only, ...others] = clients.list();
    const at = plane.statistics().lastInbound;
    if (!only || others.length > 0 || at <= heard) return;
    heard = at;
    feed({ kind: 'inboundTraffic', sa: only.sa, at });
  }

  async function carryOut({ sa, effect }: IkeResponderEffect): Promise<void> {
    if (sa === null) {
      if (effect.kind === 'send') send(effect);
      else if (effect.kind === 'log') log(effect.level, effect.text);
      return;
    }
    switch (effect.kind) {
      case 'send':
        if (effect.transport === 'tcp') connections.set(sa, effect.to);
        send(effect);
        return;
      case 'keepalive':
        natt.send(KEEPALIVE, effect.to);
        return;
      case 'timer':
      case 'step':
        return;
      case 'established':
        live.add(sa);
        streams.proved(effect.remote);
        clients.established(sa, effect);
        await replace(sa);
        return;
      case 'expectChild':
        await clients.children
          .expect(effect.spiIn)
          .catch((error: unknown) =>
            feed({ kind: 'childInstalled', sa, spiIn: effect.spiIn, error: reasonText(error) }),
          );
        return;
      case 'cancelChild':
        await clients.children.cancel(effect.spiIn);
        return;
      case 'installChild':
        await install(sa, effect);
        return;
      case 'moveChild':
        streams.proved(effect.peer);
        await clients.move(sa, effect);
        await streams.collect(endpoints());
        for (const client of clients.list()) if (client.sa === sa) onEvent({ kind: 'moved', client });
        return;
      case 'removeChild':
        await clients.removeChild(sa, effect.spiIn);
        return;
      case 'log':
        log(effect.level, effect.text);
        return;
      case 'ask': {
        const connection = connections.get(sa);
        if (connection) streams.asked(connection);
        ask(sa, effect.id, effect.question);
        return;
      }
      case 'closed':
        parts.authentication?.forget(sa);
        live.delete(sa);
        connections.delete(sa);
        await down(sa, closeText(effect.reason));
        if (live.size === 0) allGone?.();
        return;
    }
  }

  function ask(sa: SaName, id: number, question: IkeQuestion): void {
    const { authentication } = parts;
    if (!authentication) throw new Error(`nobody answers "${question.kind}"`);
    authentication.answer(sa, question).then(
      (answer) => feed({ kind: 'answer', sa, id, answer }),
      (error: unknown) => {
        log('warn', `answering "${question.kind}": ${reasonText(error)}`);
        const remedy = 'look into the log of the gateway';
        const failed = new IkeError({ code: 'configuration', message: reasonText(error), remedy });
        feed({ kind: 'answer', sa, id, answer: { kind: 'failed', error: failed } });
      },
    );
  }

  function send(effect: Extract<IkeEffect, { readonly kind: 'send' }>): void {
    if (effect.transport === 'tcp') {
      streams.send(effect.bytes, effect.to);
      return;
    }
    const problem =
      effect.transport === 'ike'
        ? ike.send(effect.bytes, effect.to)
        : natt.send(Buffer.concat([NON_ESP_MARKER, effect.bytes]), effect.to);
    // A lost datagram is nothing new to IKE: the retransmission deals with it.
    if (problem) log('debug', `${problem.operation}: ${problem.message}`);
  }

  async function install(sa: SaName, effect: Extract<IkeEffect, { readonly kind: 'installChild' }>): Promise<void> {
    const { spiIn } = effect.child;
    try {
      const client = await clients.install(sa, effect);
      feed({ kind: 'childInstalled', sa, spiIn });
      if (client) onEvent({ kind: 'up', client });
    } catch (error) {
      feed({ kind: 'childInstalled', sa, spiIn, error: reasonText(error) });
      log('warn', `a tunnel could not be installed: ${reasonText(error)}`);
    }
  }

  /** The same client again: its old tunnel goes at once, or its packets would still leave through it. */
  async function replace(sa: SaName): Promise<void> {
    for (const old of clients.olderOf(sa)) {
      await down(old, 'the same client connected again');
      feed({ kind: 'close', sa: old });
    }
  }

  const endpoints = (): ReadonlySet<string> => new Set(clients.list().map(({ endpoint }) => endpoint));

  async function down(sa: SaName, reason: string): Promise<void> {
    const client = await clients.remove(sa);
    await streams.collect(endpoints());
    if (client) onEvent({ kind: 'down', client, reason });
  }

  async function stop(limit: number): Promise<void> {
    if (live.size > 0) {
      await new Promise<void>((resolve) => {
        const late = clock.setTimer(clock.now() + limit, resolve);
        allGone = () => {
          late.cancel();
          resolve();
        };
        feed({ kind: 'close' });
      });
    }
    timer?.cancel();
    await last;
  }

  return { feed, inOrder, down, endpoints, stop };
}

function closeText(reason: CloseReason): string {
  switch (reason.by) {
    case 'us':
      return 'the gateway closed it';
    case 'peer':
      return 'the client disconnected';
    case 'redirect':
      return 'the client went to another gateway';
    case 'error':
      return reason.error.message;
  }
}

export function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
