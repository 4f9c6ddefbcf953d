// The embedded gateway: an IKEv2 responder with a pool of addresses, one TUN, one data plane, several clients at once.
//
//   sockets ──▶ data plane ──IKE messages──▶ responder ──effects (drive.ts)──▶ sockets, clients, timer
//                   ▲                                                             │
//                   └────────────────── CHILD SAs, tunnels ◀──────────────────────┘
//
// It changes nothing in the operating system but its own TUN. What lies behind the TUN (the page, a ping's answer) is the
// business of whoever started it: the kernel's stack, or an in-memory host.

import type { RandomBytes } from '../crypto/random.ts';
import { spiText } from '../esp/children.ts';
import type { IkeDeps, IkeResponder } from '../ike/peer.ts';
import { createResponder } from '../ike/responder.ts';
import type { ResponderConfig } from '../ike/responder-config.ts';
import { NetError } from '../net/error.ts';
import type { SocketFactory, SocketOptions, TunnelSocket } from '../net/socket/api.ts';
import type { Tun, TunAdapter } from '../net/tun/api.ts';
import type { DataPlane, DataPlaneOptions, PathEvent, PathStatistics } from '../path/command.ts';
import type { Endpoint, Prefix } from '../wire/address.ts';
import { type GatewayAuthentication, openGatewayAuthentication } from './authentication.ts';
import { type ClientInfo, type Clients, createClients } from './clients.ts';
import type { Clock } from './clock.ts';
import type { GatewayConfig } from './config.ts';
import { createDrive, reasonText } from './drive.ts';
import type { GatewayEvent } from './event.ts';
import { createLeases, type Leases } from './leases.ts';
import { largestMtu } from './plan.ts';
import { policyOf } from './policy.ts';
import { listening, Streams } from './streams.ts';

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

/** Milliseconds that clients have to answer our goodbye. */
const GOODBYE = 1000;

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
    await plane.attachTun({ fd: tun.fd, vnetHeader: tun.vnetHeader, uso: tun.uso });
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
  readonly leases: Leases;
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
  const { clock, random, onEvent } = deps;
  const { ike, natt, esp, tun, plane, leases, authentication, streams } = parts;
  const responder = makeResponder(policyOf(config, leases, authentication?.rules), { random });
  const clients: Clients = createClients({
    config,
    plane,
    clock,
    random,
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

  const drive = createDrive({ responder, clients, streams, ike, natt, plane, authentication, clock, onEvent });
  const { feed } = drive;
  let closed: Promise<void> | undefined;

  const log = (level: 'debug' | 'info' | 'warn', text: string): void => onEvent({ kind: 'log', level, text });

  /** Where we answered a rekeying: the client uses the new SA, so it has our response and takes what we send on it. */
  async function switchOver(slot: number, spiIn: number): Promise<void> {
    const child = await clients.children.firstInbound(slot, spiIn);
    const sa = child && clients.byTunnel(child.tunnel);
    if (sa) feed({ kind: 'childActive', sa, spiIn });
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
        drive.inOrder(() => switchOver(event.slot, event.spi));
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
        drive.inOrder(() => streams.ended(event.socket, drive.endpoints()));
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
    await drive.stop(GOODBYE);
    // What is left of one goes with the data plane, below.
    for (const { sa } of clients.list()) await drive.down(sa, 'the gateway stopped').catch(() => {});
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
