// The embedded gateway: an IKEv2 responder with a pool of addresses, one TUN, one data plane, several clients at once.
//
//   sockets ──▶ data plane ──IKE messages──▶ responder ──effects, in order──▶ sockets, clients, timer
//                   ▲                                                            │
//                   └───────────────── CHILD SAs, tunnels ◀──────────────────────┘
//
// It changes nothing in the operating system but its own TUN. What lies behind the TUN (the page, a ping's answer) is the
// business of whoever started it: the kernel's stack, or an in-memory host.

import type { RandomBytes } from '../crypto/random.ts';
import { spiText } from '../esp/children.ts';
import { IkeError } from '../ike/error.ts';
import { sameIdentity } from '../ike/identity.ts';
import type {
  CloseReason,
  IkeDeps,
  IkeEffect,
  IkeResponder,
  IkeResponderEffect,
  IkeResponderEvent,
  SaName,
} from '../ike/peer.ts';
import type { IkeQuestion } from '../ike/questions.ts';
import { createResponder } from '../ike/responder.ts';
import type { ResponderConfig } from '../ike/responder-config.ts';
import type { Instant } from '../ike/timing.ts';
import { NetError } from '../net/error.ts';
import type { SocketFactory, SocketOptions, TunnelSocket } from '../net/socket/api.ts';
import type { Tun, TunAdapter } from '../net/tun/api.ts';
import type { DataPlane, DataPlaneOptions, PathEvent, PathStatistics } from '../path/command.ts';
import type { Endpoint, Prefix } from '../wire/address.ts';
import { type GatewayAuthentication, openGatewayAuthentication } from './authentication.ts';
import { type ClientInfo, type Clients, createClients } from './clients.ts';
import type { Clock, Timer } from './clock.ts';
import type { GatewayConfig } from './config.ts';
import { createLeases } from './leases.ts';
import { largestMtu, localSelectors } from './plan.ts';
import { listening, Streams } from './streams.ts';

export type GatewayEvent =
  | { readonly kind: 'up'; readonly client: ClientInfo }
  | { readonly kind: 'down'; readonly client: ClientInfo; readonly reason: string }
  | { readonly kind: 'moved'; readonly client: ClientInfo }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn'; readonly text: string }
  /** The data plane died: nothing works any more. Close, and start anew. */
  | { readonly kind: 'failed'; readonly message: string };

export interface GatewayDeps {
  readonly tun: TunAdapter;
  readonly sockets: SocketFactory;
  readonly startDataPlane: (options: DataPlaneOptions) => Promise<DataPlane>;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly onEvent: (event: GatewayEvent) => void;
}

/** The real one, or a test's. */
export type MakeResponder = (config: ResponderConfig, deps: IkeDeps) => IkeResponder;

export interface Gateway {
  readonly tun: { readonly name: string; readonly mtu: number; readonly addresses: readonly Prefix[] };
  readonly ike: Endpoint;
  readonly natt: Endpoint;
  /** Where TCP connections are taken (RFC 9329); null: nowhere. */
  readonly tcp: Endpoint | null;
  readonly clients: readonly ClientInfo[];
  readonly leased: number;
  statistics(): PathStatistics;
  /** Sends Delete to every client of this identity (text as in `clients`). */
  disconnect(identity: string): void;
  /** Tells every client, waits a second at most for their answers, then undoes everything. Never rejects. */
  close(): Promise<void>;
}

const NON_ESP_MARKER = new Uint8Array(4);
const KEEPALIVE = Uint8Array.of(0xff);
const GOODBYE = 1000;
/** See LifetimePolicy. */
const LIFETIME_JITTER = 0.1;
const RETRANSMISSION = { first: 500, factor: 1.8, most: 10_000, tries: 6 };

/** Rejects with NetError where the system refuses a socket or the TUN; what was open is closed again. */
export async function createGateway(
  config: GatewayConfig,
  deps: GatewayDeps,
  makeResponder: MakeResponder = createResponder,
): Promise<Gateway> {
  const sockets: TunnelSocket[] = [];
  let tun: Tun | undefined;
  let plane: DataPlane | undefined;
  let streams: Streams | undefined;
  const waiting: PathEvent[] = [];
  let onPathEvent = (event: PathEvent): void => void waiting.push(event);
  try {
    const open = (options: Pick<SocketOptions, 'kind' | 'localPort'>): TunnelSocket => {
      const socket = deps.sockets.open({
        ...options,
        family: config.listen.address.length === 4 ? 4 : 6,
        localAddress: config.listen.address,
        mark: 0,
      });
      if (socket instanceof NetError) throw socket;
      sockets.push(socket);
      return socket;
    };
    const ike = open({ kind: 'ike', localPort: config.listen.port });
    const natt = open({ kind: 'natt', localPort: config.listen.nattPort });
    const esp =
      config.encapsulation === 'auto'
        ? open({ kind: config.listen.address.length === 4 ? 'esp4' : 'esp6' })
        : undefined;

    const authentication =
      config.authentication &&
      (await openGatewayAuthentication(config.authentication, config.users, { random: deps.random, wall: Date.now }));
    const leases = createLeases(config);
    const usesGre = config.shapes.some((shape) => shape !== 'esp-tunnel');
    const addresses = [...(usesGre ? config.gre.address : []), ...leases.own];
    const mtu = config.tun.mtu ?? largestMtu(config);
    const opened = await deps.tun.open({ name: config.tun.name, mtu, addresses });
    if (opened instanceof NetError) throw opened;
    tun = opened;

    plane = await deps.startDataPlane({ threads: config.threads, onEvent: (event) => onPathEvent(event) });
    await plane.attachTun({ fd: tun.fd, vnetHeader: tun.vnetHeader });
    streams = new Streams(plane, deps.clock, (text) => deps.onEvent({ kind: 'log', level: 'debug', text }));
    const parts = { ike, natt, esp, tun, plane, leases, authentication, mtu, addresses, sockets, streams };
    const gateway = run(config, deps, makeResponder, parts);
    onPathEvent = gateway.onPathEvent;
    for (const event of waiting) gateway.onPathEvent(event);
    for (const { fd, kind } of sockets) await plane.receive({ kind: 'addSocket', socket: { fd, kind } });
    const { address, tcpPort } = config.listen;
    if (tcpPort !== null && deps.sockets.streams)
      streams.listenTo(
        listening(deps.sockets.streams.listen({ address, port: tcpPort }, (socket) => streams?.accept(socket))),
      );
    return gateway;
  } catch (error) {
    await plane?.close();
    streams?.close();
    for (const socket of sockets) socket.close();
    await tun?.close();
    throw error;
  }
}

interface Parts {
  readonly ike: TunnelSocket;
  readonly natt: TunnelSocket;
  readonly esp: TunnelSocket | undefined;
  readonly tun: Tun;
  readonly plane: DataPlane;
  readonly leases: ReturnType<typeof createLeases>;
  readonly authentication: GatewayAuthentication | undefined;
  readonly mtu: number;
  readonly addresses: readonly Prefix[];
  readonly sockets: readonly TunnelSocket[];
  readonly streams: Streams;
}

function run(
  config: GatewayConfig,
  deps: GatewayDeps,
  makeResponder: MakeResponder,
  parts: Parts,
): Gateway & { onPathEvent(event: PathEvent): void } {
  const { clock, onEvent } = deps;
  const { ike, natt, esp, tun, plane, leases, streams } = parts;
  const responder = makeResponder(
    {
      identity: config.identity,
      secretOf: (peer) => config.users.find((user) => sameIdentity(user.identity, peer))?.secret,
      authentication: parts.authentication?.rules,
      proposals: config.proposals.ike,
      childProposals: config.proposals.esp,
      modes: [
        ...(config.shapes.some((shape) => shape !== 'gre-transport') ? (['tunnel'] as const) : []),
        ...(config.shapes.includes('gre-transport') ? (['transport'] as const) : []),
      ],
      local: localSelectors(config),
      // Without a pool clients bring their own addresses; with one nobody has any but the leased.
      remote: config.pool.ipv4 || config.pool.ipv6 ? 'lease' : 'any',
      lease: (peer, families) => leases.lease(peer, families),
      release: (_, lease) => leases.release(lease),
      encapsulation: config.encapsulation,
      cookieThreshold: config.cookieThreshold,
      mobike: {},
      retransmission: RETRANSMISSION,
      livenessInterval: config.livenessSeconds * 1000,
      ticketLifetime: config.ticketSeconds > 0 ? config.ticketSeconds : undefined,
      crashSecrets: config.crashSecrets,
      // Each client has one tunnel here; a further CHILD SA would have to share its addresses.
      mostChildren: 1,
      lifetime: {
        child: config.rekeySeconds * 1000,
        ike: config.ikeRekeySeconds * 1000,
        reauth: 0,
        jitter: LIFETIME_JITTER,
      },
    },
    { random: deps.random },
  );
  const clients: Clients = createClients({
    config,
    plane,
    clock,
    random: deps.random,
    socketOf(encapsulation, client) {
      switch (encapsulation) {
        case 'udp':
          return natt;
        case 'raw':
          return esp;
        case 'tcp':
          return streams.at(client);
      }
    },
  });

  const live = new Set<SaName>();
  /** Over which TCP connection an IKE SA was last sent something. */
  const connections = new Map<SaName, Endpoint>();
  let timer: Timer | undefined;
  let heard: Instant = 0;
  let closing: { readonly done: () => void } | undefined;
  let closed: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();

  const log = (level: 'debug' | 'info' | 'warn', text: string): void => onEvent({ kind: 'log', level, text });

  function feed(event: IkeResponderEvent): void {
    for (const effect of responder.handle(event, clock.now())) {
      // The one timer cannot wait behind the data plane; everything else keeps its order.
      if (effect.effect.kind === 'timer') setTimer(effect.effect.at);
      else inOrder(() => carryOut(effect));
    }
  }

  /** Behind all that was to be done before. */
  function inOrder(operation: () => Promise<void>): void {
    last = last.then(operation).catch((error: unknown) => log('warn', reasonText(error)));
  }

  /** Where we answered a rekeying: the client uses the new SA, so it has our response and takes what we send on it. */
  async function switchOver(slot: number, spiIn: number): Promise<void> {
    const child = await clients.children.firstInbound(slot, spiIn);
    const sa = child && clients.byTunnel(child.tunnel);
    if (sa) feed({ kind: 'childActive', sa, spiIn });
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
        if (live.size === 0) closing?.done();
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

  /** Where tunnels send to, as text. */
  const endpoints = (): ReadonlySet<string> => new Set(clients.list().map(({ endpoint }) => endpoint));

  async function down(sa: SaName, reason: string): Promise<void> {
    const client = await clients.remove(sa);
    await streams.collect(endpoints());
    if (client) onEvent({ kind: 'down', client, reason });
  }

  function onPathEvent(event: PathEvent): void {
    switch (event.kind) {
      case 'ike': {
        const socket = [ike, natt, streams.byDescriptor(event.socket)].find((one) => one?.fd === event.socket);
        if (!socket) return;
        const transport = socket === ike ? 'ike' : socket === natt ? 'natt' : 'tcp';
        feed({ kind: 'datagram', bytes: event.bytes, from: event.from, local: socket.local, transport });
        return;
      }
      case 'peerMoved': {
        const sa = clients.byTunnel(event.tunnel);
        if (sa) feed({ kind: 'peerMoved', sa, from: event.from });
        return;
      }
      case 'firstInbound':
        log('debug', `first packet on SA ${spiText(event.spi)}`);
        inOrder(() => switchOver(event.slot, event.spi));
        return;
      case 'softLimit': {
        const { children } = clients;
        const child =
          event.direction === 'in' ? children.inbound(event.slot, event.spi) : children.outbound(event.slot, event.spi);
        const sa = child && clients.byTunnel(child.tunnel);
        if (sa) feed({ kind: 'childLimit', sa, spiIn: child.spiIn });
        return;
      }
      case 'exhausted': {
        const child = clients.children.outbound(event.slot, event.spi);
        const sa = child && clients.byTunnel(child.tunnel);
        if (!sa) return;
        log('warn', 'an outbound SA reached its hard limit: its client has to connect again');
        feed({ kind: 'close', sa });
        return;
      }
      case 'streamClosed':
        log('debug', `a TCP connection has ended: ${event.reason}`);
        inOrder(() => streams.ended(event.socket, endpoints()));
        return;
      case 'pathError':
        log('debug', `the network refused a datagram: ${event.name}${event.mtu === null ? '' : `, MTU ${event.mtu}`}`);
        return;
      case 'note':
        log('debug', event.text);
        return;
      case 'died':
        onEvent({ kind: 'failed', message: `the data plane's ${event.worker} died: ${event.message}` });
    }
  }

  async function shut(): Promise<void> {
    if (live.size > 0) {
      await new Promise<void>((resolve) => {
        const limit = clock.setTimer(clock.now() + GOODBYE, resolve);
        closing = {
          done: () => {
            limit.cancel();
            resolve();
          },
        };
        feed({ kind: 'close' });
      });
    }
    timer?.cancel();
    await last;
    for (const { sa } of clients.list()) await down(sa, 'the gateway stopped').catch(() => {});
    clients.children.close();
    await plane.close();
    streams.close();
    for (const socket of parts.sockets) socket.close();
    await tun.close();
  }

  return {
    onPathEvent,
    tun: { name: tun.name, mtu: parts.mtu, addresses: parts.addresses },
    ike: ike.local,
    natt: natt.local,
    get tcp() {
      return streams.local;
    },
    get clients() {
      return clients.list();
    },
    get leased() {
      return leases.leased;
    },
    statistics: () => plane.statistics(),
    disconnect(identity) {
      for (const client of clients.list()) if (client.identity === identity) feed({ kind: 'close', sa: client.sa });
    },
    close() {
      closed ??= shut().catch((error: unknown) => log('warn', reasonText(error)));
      return closed;
    },
  };
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

function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
