// Everything a session touches, faked and watched: counts calls, fails or hangs the n-th, remembers what is open, and
// answers IKE in place of the gateway.

import type { DesiredDns } from '../../../main/net/dns/api.ts';
import { NetError } from '../../../main/net/error.ts';
import { type FakeMonitor, fakeMonitor } from '../../../main/net/monitor/fake.ts';
import type { DesiredRoutes } from '../../../main/net/route/api.ts';
import type { SocketOptions, StreamSocket, TunnelSocket } from '../../../main/net/socket/api.ts';
import type { Tun, TunOptions } from '../../../main/net/tun/api.ts';
import type { PathEvent } from '../../../main/path/command.ts';
import type { Profile } from '../../../main/profile/profile.ts';
import type { Session, SessionDeps } from '../../../main/session/deps.ts';
import type { SessionLog } from '../../../main/session/log.ts';
import { createSession } from '../../../main/session/session.ts';
import type { Address, Endpoint, Prefix } from '../../../main/wire/address.ts';
import { formatAddress } from '../../../main/wire/address.ts';
import { type FakeClock, fakeClock } from './clock.ts';
import { type PeerScript, type ScriptedPeer, scriptedPeer, textOf, word } from './peer.ts';
import { type FakePlane, fakePlane } from './plane.ts';

export interface WorldOptions {
  readonly addresses?: readonly Address[];
  /** Our address towards the gateway; null: there is no way there. */
  readonly local?: Address | null;
  readonly script?: PeerScript;
  /** The call of this number (from 1) fails. */
  readonly failAt?: number;
  /** The call of this number comes back after `hangFor` milliseconds; without that, never. */
  readonly hangAt?: number;
  readonly hangFor?: number;
  /** Milliseconds that each asynchronous call takes; 0: none. */
  readonly delay?: () => number;
  /** Whether the gateway at this address answers at all. */
  readonly answers?: (address: Address, text: string) => boolean;
  /** Interface and router towards the gateway; undefined: the platform does not tell. */
  readonly through?: string;
  /** This computer can connect over TCP. */
  readonly streams?: boolean;
  /** A real gateway instead of the scripted one: takes every datagram that a socket sends. */
  readonly hears?: (datagram: Heard) => void;
}

export interface Heard {
  /** Without the non-ESP marker. */
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly transport: 'ike' | 'natt';
  /** Back to the socket it came from, through the receiver. */
  answer(bytes: Uint8Array): void;
}

export interface OpenTun extends Tun {
  readonly closed: boolean;
  mtu: number;
  addresses: readonly Prefix[];
  /** Somebody has deleted the interface. */
  deleted: boolean;
}

export interface OpenSocket extends TunnelSocket {
  /** null: a TCP connection. */
  readonly options: SocketOptions | null;
  readonly closed: boolean;
  readonly sent: { readonly text: string; readonly bytes: Uint8Array; readonly to: Endpoint }[];
}

export interface World {
  readonly clock: FakeClock;
  readonly deps: SessionDeps;
  readonly calls: string[];
  readonly violations: string[];
  readonly logs: SessionLog[];
  readonly tuns: OpenTun[];
  readonly sockets: OpenSocket[];
  readonly planes: FakePlane[];
  readonly peers: ScriptedPeer[];
  readonly monitor: FakeMonitor;
  readonly routes: DesiredRoutes | undefined;
  readonly dns: DesiredDns | undefined;
  options: WorldOptions;
  /** The call that failed or hung, by name. */
  readonly hit: string | undefined;
  session(profile: Profile): Session;
  /** The newest data plane. */
  plane(): FakePlane;
  peer(): ScriptedPeer;
  /** The gateway says something to the socket of this kind, through the receiver. */
  say(text: string, kind?: 'ike' | 'natt'): void;
  /** What is still open or applied, in words. */
  remains(): string[];
}

const LOCAL = Uint8Array.of(192, 0, 2, 10);
export const GATEWAY = Uint8Array.of(198, 51, 100, 1);

export function createWorld(initial: WorldOptions = {}): World {
  const clock = fakeClock();
  const calls: string[] = [];
  const violations: string[] = [];
  const logs: SessionLog[] = [];
  const tuns: OpenTun[] = [];
  const sockets: OpenSocket[] = [];
  const planes: FakePlane[] = [];
  const peers: ScriptedPeer[] = [];
  const keysSeen = new Set<string>();
  const monitor = fakeMonitor();
  let routes: DesiredRoutes | undefined;
  let dns: DesiredDns | undefined;
  let hit: string | undefined;
  let randomState = 1;

  /** Counts a call; true: this one is to fail. */
  function count(name: string): 'ok' | 'fail' | 'hang' {
    calls.push(name);
    const { failAt, hangAt } = world.options;
    if (calls.length === failAt) hit = name;
    if (calls.length === hangAt) hit = name;
    return calls.length === failAt ? 'fail' : calls.length === hangAt ? 'hang' : 'ok';
  }

  const netError = (operation: string): NetError =>
    new NetError({
      code: 'command-failed',
      message: `${operation} failed (scripted).`,
      operation,
      remedy: 'Scripted remedy.',
    });

  const offline = (): NetError =>
    new NetError({
      code: 'unreachable',
      message: 'There is no way (scripted).',
      operation: 'connect',
      errno: 'ENETUNREACH',
      remedy: 'Scripted remedy.',
    });

  async function took(): Promise<void> {
    const delay = world.options.delay?.() ?? 0;
    if (delay > 0) await new Promise<void>((resolve) => void clock.setTimer(clock.now() + delay, resolve));
  }

  function hang(): Promise<void> {
    const { hangFor } = world.options;
    return new Promise((resolve) => {
      if (hangFor !== undefined) clock.setTimer(clock.now() + hangFor, resolve);
    });
  }

  /** An asynchronous call that rejects when it fails. */
  async function call<T>(name: string, ok: () => T): Promise<T> {
    const fate = count(name);
    if (fate === 'hang') await hang();
    await took();
    if (fate === 'fail') throw new Error(`${name} failed (scripted).`);
    return ok();
  }

  /** An asynchronous call that returns a NetError when it fails. */
  async function tried<T>(name: string, ok: () => T): Promise<T | NetError> {
    const fate = count(name);
    if (fate === 'hang') await hang();
    await took();
    return fate === 'fail' ? netError(name) : ok();
  }

  function isOpen(fd: number): boolean {
    return [...tuns, ...sockets].some((one) => one.fd === fd && !one.closed);
  }

  /** The lowest that is free, as POSIX has it: a number comes again as soon as it is closed. */
  function descriptor(): number {
    let fd = 1;
    while (isOpen(fd)) fd++;
    return fd;
  }

  function noteClosed(what: string, fd: number): void {
    for (const plane of planes)
      if (!plane.closed && (plane.tun === fd || plane.sockets.has(fd)) && !hangs())
        violations.push(`${what} was closed while a running data plane reads it`);
  }

  // Where a hanging call had to be given up, or taking back failed, order can no longer be kept; bounded time goes first.
  const hangs = (): boolean => world.options.hangAt !== undefined || /close|remove|detach/.test(hit ?? '');

  function openTun(options: TunOptions): OpenTun {
    let closed = false;
    const tun: OpenTun = {
      fd: descriptor(),
      name: options.name.replace('%d', '0'),
      index: 7,
      vnetHeader: true,
      mtu: options.mtu,
      addresses: options.addresses,
      deleted: false,
      get closed() {
        return closed;
      },
      apply: (desired) =>
        tried('tun.apply', () => {
          if (closed) violations.push('tun.apply: closed');
          tun.mtu = desired.mtu;
          tun.addresses = desired.addresses;
          return undefined;
        }).then((result) => (tun.deleted ? netError('tun.apply') : result instanceof NetError ? result : undefined)),
      close: () =>
        call('tun.close', () => {
          noteClosed('the TUN', tun.fd);
          closed = true;
        }),
    };
    tuns.push(tun);
    return tun;
  }

  function openSocket(options: SocketOptions): TunnelSocket | NetError {
    if (count(`sockets.open ${options.kind}`) === 'fail') return netError(`opening ${options.kind}`);
    const taken = sockets.some(
      (one) => !one.closed && options.localPort && one.options?.localPort === options.localPort,
    );
    if (taken)
      return new NetError({
        code: 'address-in-use',
        message: `UDP port ${options.localPort} is taken.`,
        operation: 'bind',
        errno: 'EADDRINUSE',
        remedy: 'Use another port.',
      });
    let closed = false;
    const fd = descriptor();
    const socket: OpenSocket = {
      fd,
      kind: options.kind,
      options,
      local: { address: options.localAddress ?? LOCAL, port: options.localPort || 40_000 + fd },
      sent: [],
      get closed() {
        return closed;
      },
      send(bytes, to) {
        if (count(`socket.send ${options.kind}`) === 'fail') return netError('sendto');
        if (closed) violations.push('sending through a closed socket');
        const marked = options.kind === 'natt' && bytes.length > 4 && bytes.subarray(0, 4).every((byte) => byte === 0);
        const text = textOf(marked ? bytes.subarray(4) : bytes);
        socket.sent.push({ text, bytes: bytes.slice(), to });
        const { hears } = world.options;
        if (!hears) gatewayHears(socket, text, to);
        else if (options.kind === 'ike' || marked)
          hears({
            bytes: bytes.slice(marked ? 4 : 0),
            from: socket.local,
            to,
            transport: marked ? 'natt' : 'ike',
            answer: (answer) => deliver(answer, socket, to),
          });
        return undefined;
      },
      close() {
        const fate = count(`socket.close ${options.kind}`);
        if (fate === 'fail') throw netError('close');
        noteClosed(`the ${options.kind} socket`, fd);
        closed = true;
      },
    };
    sockets.push(socket);
    return socket;
  }

  function openStream(remote: Endpoint): StreamSocket {
    let closed = false;
    const fd = descriptor();
    const socket = {
      fd,
      kind: 'tcp' as const,
      options: null,
      local: { address: world.options.local ?? LOCAL, port: 40_000 + fd },
      stream: { remote, expectsPrefix: false },
      sent: [],
      get closed() {
        return closed;
      },
      send: () => netError('a TCP connection is written by the data plane'),
      close() {
        noteClosed('the TCP connection', fd);
        closed = true;
      },
    };
    sockets.push(socket);
    return socket;
  }

  function gatewayHears(socket: OpenSocket, text: string, to: Endpoint): void {
    if (!['sa-init', 'auth', 'delete'].includes(text)) return;
    // Packets may overtake the answer: the receiver has to know the SPI before the request that names it leaves.
    const plane = planes.at(-1);
    if (
      text === 'auth' &&
      plane &&
      !plane.closed &&
      plane.expected.size + plane.inbound.size === 0 &&
      !/expect/.test(hit ?? '')
    )
      violations.push('IKE_AUTH left before the receiver expected its SPI');
    if (world.options.answers && !world.options.answers(to.address, text)) return;
    queueMicrotask(() => deliver(word(`${text} ok`), socket, to));
  }

  function deliver(bytes: Uint8Array, socket: OpenSocket, from: Endpoint): void {
    const plane = planes.findLast((one) => !one.closed && one.sockets.has(socket.fd));
    plane?.emit({ kind: 'ike', bytes, from, socket: socket.fd });
  }

  const deps: SessionDeps = {
    tun: { open: (options) => tried('tun.open', () => openTun(options)) },
    routes: {
      mark: 0xc01,
      wayTo: async () => world.options.through,
      apply: (desired) =>
        tried('routes.apply', () => {
          if (!hangs() && !tuns.some((tun) => !tun.closed && tun.name === desired.interfaceName))
            violations.push('routes.apply: the interface is not there');
          routes = desired;
          return undefined;
        }).then((result) => (result instanceof NetError ? result : undefined)),
      close: () =>
        call('routes.close', () => {
          routes = undefined;
        }),
      cleanUp: async () => [],
    },
    dns: {
      apply: (desired) =>
        tried('dns.apply', () => {
          if (!routes) violations.push('dns.apply: there are no routes to the servers');
          dns = desired;
          return { how: 'by a fake' };
        }),
      outside: async () => null,
      close: () =>
        call('dns.close', () => {
          dns = undefined;
        }),
      cleanUp: async () => [],
    },
    sockets: {
      open: openSocket,
      sourceAddress: () => {
        if (count('sockets.sourceAddress') === 'fail') return netError('sourceAddress');
        const { local } = world.options;
        return local === null ? offline() : (local ?? LOCAL);
      },
      ...(initial.streams && {
        streams: {
          connect: ({ remote }) =>
            world.options.local === null
              ? Promise.resolve(offline())
              : tried('streams.connect', () => openStream(remote)),
          listen: () => netError('listen'),
        },
      }),
    },
    monitor,
    startDataPlane: ({ onEvent }) =>
      call('startDataPlane', () => {
        const plane = fakePlane(
          {
            violation: (text) => violations.push(text),
            isOpen,
            call,
            onEvent: (event: PathEvent) => onEvent(event),
            message(fd, bytes) {
              const socket = sockets.find((one) => one.fd === fd && !one.closed);
              if (!socket?.stream) return;
              const marked = bytes.subarray(0, 4).every((byte) => byte === 0);
              const text = textOf(marked ? bytes.subarray(4) : bytes);
              socket.sent.push({ text, bytes, to: socket.stream.remote });
              gatewayHears(socket, text, socket.stream.remote);
            },
          },
          keysSeen,
        );
        planes.push(plane);
        return plane;
      }),
    resolveHost: () => call('resolveHost', () => world.options.addresses ?? [GATEWAY]),
    random: (length) =>
      Uint8Array.from({ length }, () => {
        randomState = (Math.imul(randomState, 1_103_515_245) + 12_345) >>> 0;
        return randomState >>> 24;
      }),
    clock,
    log: (entry) => logs.push(entry),
  };

  const world: World = {
    clock,
    deps,
    calls,
    violations,
    logs,
    tuns,
    sockets,
    planes,
    peers,
    monitor,
    get dns() {
      return dns;
    },
    get routes() {
      return routes;
    },
    get hit() {
      return hit;
    },
    options: initial,
    session: (profile) =>
      createSession(profile, deps, (config) => {
        const peer = scriptedPeer(config, world.options.script);
        peers.push(peer);
        return peer;
      }),
    plane: () => planes.at(-1)!,
    peer: () => peers.at(-1)!,
    say(text, kind = 'natt') {
      const socket = sockets.findLast((one) => one.kind === kind && !one.closed);
      if (socket) deliver(word(text), socket, { address: GATEWAY, port: kind === 'ike' ? 500 : 4500 });
    },
    remains: () => [
      ...tuns.filter((tun) => !tun.closed).map((tun) => `TUN ${tun.name}`),
      ...sockets
        .filter((socket) => !socket.closed)
        .map((socket) => `${socket.kind} socket at ${formatAddress(socket.local.address)}`),
      ...planes.filter((plane) => !plane.closed).map(() => 'data plane'),
      ...(routes ? ['routes'] : []),
      ...(dns ? ['name servers'] : []),
      ...(monitor.watching > 0 ? ['network monitor'] : []),
      ...(clock.pending > 0 ? [`${clock.pending} timers`] : []),
    ],
  };
  return world;
}
