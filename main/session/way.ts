// One address of the gateway: the sockets towards it (moves.ts), the IKE connections over them (associations.ts), and the tunnel that comes
// of it (tunnel.ts). Events of the data plane arrive here and go to the one that they are about.
//
//   connect:  sockets → IKE ─ expectChild ─▶ receiver parks ─ installChild ─▶ tunnel.install ─▶ up
//   leave:    goodbye (IKE Delete, bounded) → sockets back from the receiver → sockets closed

import { spiText } from '../esp/children.ts';
import type { InitiatorConfig } from '../ike/initiator-config.ts';
import type { IkeStep } from '../ike/peer.ts';
import type { Instant } from '../ike/timing.ts';
import type { Transport } from '../ike/transport.ts';
import type { ConnectStep, TunnelInfo } from '../ipc/contract.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { DataPlane, PathEvent } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, type Endpoint, formatEndpoint } from '../wire/address.ts';
import type { CreatePeer } from './association.ts';
import { type Associations, createAssociations } from './associations.ts';
import { type Authentication, type AuthenticationDeps, openAuthentication } from './authentication.ts';
import type { Credentials } from './credentials.ts';
import type { SessionDeps } from './deps.ts';
import { type Failure, reasonText, SessionError } from './failure.ts';
import type { Holding } from './holding.ts';
import { connectionBroke, keyUsedUp } from './loss.ts';
import { createMoves } from './moves.ts';
import { createPathProber, type ProbeOutcome } from './path-probe.ts';
import { createPathReports } from './path-report.ts';
import { quietly } from './quietly.ts';
import { initiatorConfig } from './request.ts';
import { createRoundTripMeter, type RoundTrip } from './round-trip.ts';
import { openGreSocket } from './sockets.ts';
import type { TicketHolder } from './ticket-holder.ts';
import { createTunnel, type Tunnel } from './tunnel.ts';
import { createUndoStack, tidy } from './undo.ts';

export type { CreatePeer } from './association.ts';

/** Milliseconds that the gateway has to answer our goodbye. */
export const GOODBYE_LIMIT = 2_000;
/** Four zero bytes tell IKE from ESP on UDP 4500 (RFC 3948 §2.2). */
const NON_ESP_MARKER_BYTES = 4;

export interface WayOptions {
  readonly profile: Profile;
  readonly deps: SessionDeps;
  readonly createPeer: CreatePeer;
  readonly holding: Holding;
  readonly plane: DataPlane;
  /** Every worker of it runs. */
  readonly planeAlive: () => boolean;
  /** It has not been closed, though a worker may be dead. */
  readonly planeOpen: () => boolean;
  readonly gateway: Address;
  /** Who has sent us there (RFC 5685). */
  readonly redirectedFrom: Address | undefined;
  readonly tickets: TicketHolder;
  /** IKE and ESP go over UDP (or raw IP), or both over one TCP connection (RFC 9329). */
  readonly over: 'udp' | 'tcp';
  /** Password and one-time codes. */
  readonly secrets: Pick<Credentials, 'password' | 'code'>;
  /** Milliseconds that the gateway has for its answers. */
  readonly patience: number;
  /** Throws LinkClosed once nothing may be put up any more. */
  readonly check: () => void;
  readonly lastInbound: () => Instant;
  /** See GatewayMemory. */
  readonly greNext: number;
  readonly enter: (step: ConnectStep) => void;
  /** How far the key exchange got. */
  readonly reached: (step: IkeStep) => void;
  /** The way is lost, at whatever stage. */
  readonly fail: (failure: Failure) => void;
  /** The tunnel is up and differs from what was reported. */
  readonly changed: () => void;
  /** The network or a socket complained; `name` is an error number's name. */
  readonly complain: (name: string, text: string) => void;
  /** The best explanation of a silence while connecting. */
  readonly noAnswer: () => Failure;
}

export interface Way {
  /** Resolves when the tunnel is up. A rejection leaves what was opened for leave(). */
  connect(): Promise<void>;
  onEvent(event: Exclude<PathEvent, { readonly kind: 'died' }>): void;
  /** The gateway has proved its identity. */
  readonly authenticated: boolean;
  /** null until the tunnel is up. */
  info(): TunnelInfo | null;
  /** See Tunnel. */
  reconfigure(next: Pick<Profile, 'routes' | 'mtu'>): Promise<void>;
  /** Newest round trip of an IKE exchange with the gateway. */
  readonly roundTrip: RoundTrip | null;
  checkLiveness(): void;
  /** The machine's network may be another one: follows with the tunnel, or fails where that cannot be. */
  networkChanged(): void;
  /** Whether an IP packet of `size` bytes reaches the gateway. */
  probe(size: number): Promise<ProbeOutcome>;
  /** Tells the gateway, where there is one to tell. Never rejects. */
  goodbye(): Promise<void>;
  /** Closes the sockets. Never rejects. */
  release(): Promise<void>;
}

export function createWay(options: WayOptions): Way {
  const { deps, plane, planeOpen, gateway, fail } = options;
  let profile = options.profile;
  const { log } = deps;
  const undo = createUndoStack(deps);
  let tunnel: Tunnel | null = null;
  let ike: Associations | null = null;
  const moves = createMoves({ ...options, associations: () => ike });
  let leaving = false;
  const meter = createRoundTripMeter();
  const prober = createPathProber(deps);
  const reports = createPathReports({
    clock: deps.clock,
    path: () => tunnel?.path ?? null,
    widest: () => profile.mtu.path,
    // RFC 791 §3.1 (576 in practice), RFC 8200 §5.
    least: gateway.length === 4 ? 576 : 1280,
    probe,
    routersMayCut: () => gateway.length === 4 && profile.mtu.outerDf === 'clear',
    isOurs: (spi) => tunnel?.children.list().some(({ spiOut }) => spiOut === spi) ?? false,
    setPath,
    trustKernel,
    disproved: (reported, carried) =>
      log({
        level: 'info',
        area: 'mtu',
        text: `somebody says that the path carries ${reported} bytes only, but ${carried} arrive: not believed`,
      }),
  });

  function newTunnel(local: Address): Tunnel {
    const { holding, enter, check, greNext, changed } = options;
    return createTunnel({ profile, deps, plane, holding, step: enter, check, local, gateway, greNext, changed });
  }

  async function connectPlain(): Promise<void> {
    log({ level: 'warn', area: 'session', text: 'plain GRE: nothing in this tunnel is encrypted or authenticated' });
    const { local, gre } = await openGreSocket({ deps, plane, planeOpen, undo }, gateway);
    tunnel = newTunnel(local);
    await tunnel.installPlain(gre);
  }

  async function connectIke(): Promise<void> {
    const { local } = await moves.arrive();
    const here = newTunnel(local);
    tunnel = here;
    const opening = openAuthentication(profile, authenticationDeps(deps));
    // Where it cannot be opened there is nothing to forget, and the line after the next tells why.
    undo.push('forgetting keys', () => void opening.then((it) => it.close()).catch(() => {}));
    const authentication = await opening;
    options.check();
    ike = createAssociations({
      ...options,
      profile,
      config: (first) => config(authentication, first),
      createAnswerer: authentication.createAnswerer,
      tunnel: here,
      socketOf: moves.socketOf,
      send: sendIke,
      keepalive: (to) => moves.sockets && write(moves.sockets.natt, Uint8Array.of(0xff), to),
      step(step) {
        options.reached(step);
        if (step !== 'established') options.enter(step);
      },
    });
    await ike.first();
  }

  /** Where we are now, in the words of an InitiatorConfig. */
  function config(authentication: Authentication, first: boolean): InitiatorConfig | undefined {
    const { sockets } = moves;
    if (!sockets) return undefined;
    const { local, ike, natt, over, esp } = sockets;
    return {
      ...initiatorConfig(
        profile,
        {
          local: { address: local, port: ike.local.port },
          localNatt: { address: local, port: natt.local.port },
          gateway,
          over,
          forceUdp: esp === null,
          patience: options.patience,
        },
        authentication.config(local),
      ),
      initialContact: first,
      takesRedirects: true,
      redirectedFrom: options.redirectedFrom,
      wantsTickets: true,
      // Authenticating anew means just that.
      resume: first ? options.tickets.take(gateway) : undefined,
    };
  }

  function write(socket: TunnelSocket, bytes: Uint8Array, to: Endpoint): void {
    const problem = socket.send(bytes, to);
    if (problem)
      options.complain(problem.errno ?? problem.code, `sending to ${formatEndpoint(to)}: ${problem.message}`);
  }

  function sendIke(bytes: Uint8Array, to: Endpoint, transport: Transport): void {
    const { sockets } = moves;
    if (!sockets) return;
    meter.sent(bytes, deps.clock.now());
    if (transport === 'ike') {
      write(sockets.ike, bytes, to);
      return;
    }
    const marked = new Uint8Array(NON_ESP_MARKER_BYTES + bytes.length);
    marked.set(bytes, NON_ESP_MARKER_BYTES);
    write(sockets.natt, marked, to);
  }

  /** Where we answered a rekeying: the gateway uses the new SA, so it has our response and takes what we send on it. */
  async function switchOver(slot: number, spiIn: number): Promise<void> {
    if (await tunnel?.firstInbound(slot, spiIn)) ike?.ownerOf(spiIn)?.feed({ kind: 'childActive', spiIn });
  }

  function setPath(path: number): void {
    if (!tunnel) return;
    const here = tunnel;
    here.setPath(path).then(
      (different) => {
        if (!different) return;
        const mtu = here.info()?.mtu.value;
        log({ level: 'info', area: 'mtu', text: `the path carries ${path} bytes: the tunnel's MTU is now ${mtu}` });
        options.changed();
      },
      (error: unknown) => {
        if (error instanceof SessionError && error.failure.permanent) fail(error.failure);
        else log({ level: 'warn', area: 'mtu', text: `changing the MTU: ${reasonText(error)}` });
      },
    );
  }

  function trustKernel(trust: boolean): void {
    const encapsulation = tunnel?.info()?.encapsulation;
    const socket = encapsulation && moves.socketOf(encapsulation);
    if (!socket) return;
    quietly(
      deps,
      'telling the data plane about the path',
      plane.send({ kind: 'trustKernelPath', socket: socket.fd, trust }),
    );
  }

  /** See Way. */
  function probe(size: number): Promise<ProbeOutcome> {
    const { established, isUp } = ike?.current ?? {};
    const { sockets } = moves;
    if (!isUp || !sockets || sockets.over === 'tcp' || !established) return Promise.resolve({ kind: 'unavailable' });
    const { natt, ike: main } = sockets;
    const address = established.remote.address;
    // Behind a NAT, or where ESP is encapsulated, the tunnel's own ports; else those of IKE.
    return tunnel?.info()?.encapsulation === 'udp'
      ? prober.probe({ socket: natt, to: { address, port: profile.gateway.nattPort }, marker: true }, size)
      : prober.probe({ socket: main, to: { address, port: profile.gateway.port }, marker: false }, size);
  }

  return {
    connect: () => (profile.tunnel.shape === 'gre-plain' ? connectPlain() : connectIke()),

    onEvent(event) {
      switch (event.kind) {
        case 'ike': {
          const socket = moves.find(event.socket);
          if (!socket || (socket.kind !== 'ike' && socket.kind !== 'natt' && socket.kind !== 'tcp')) return;
          const { bytes, from } = event;
          if (prober.received(bytes)) return;
          meter.received(bytes, deps.clock.now());
          moves.heard(socket);
          ike?.feed({ kind: 'datagram', bytes, from, local: socket.local, transport: socket.kind });
          return;
        }
        case 'peerMoved':
          ike?.feed({ kind: 'peerMoved', from: event.from });
          return;
        case 'firstInbound':
          log({ level: 'debug', area: 'esp', text: `the first packet has arrived on SA ${spiText(event.spi)}` });
          quietly(deps, 'switching to a new SA', switchOver(event.slot, event.spi));
          return;
        case 'softLimit': {
          const { children } = tunnel ?? {};
          const child =
            event.direction === 'in'
              ? children?.inbound(event.slot, event.spi)
              : children?.outbound(event.slot, event.spi);
          if (!child) return;
          log({ level: 'info', area: 'esp', text: `SA ${spiText(event.spi)} nears its limit: it is to be replaced` });
          ike?.ownerOf(child.spiIn)?.feed({ kind: 'childLimit', spiIn: child.spiIn });
          return;
        }
        case 'streamClosed':
          if (event.socket !== moves.sockets?.natt.fd || moves.isBroken(event.socket) || leaving) return;
          if (!ike?.current?.isUp || !tunnel) fail(connectionBroke(event.reason));
          else moves.streamBroke(tunnel, event.socket, event.reason);
          return;
        case 'exhausted':
          if (tunnel?.children.outbound(event.slot, event.spi)) fail(keyUsedUp());
          return;
        case 'pathError':
          if (event.name === 'EMSGSIZE' && event.mtu !== null) reports.report(event.mtu, event.quoted ?? null);
          else options.complain(event.name, `the network reported ${event.name}`);
          return;
      }
    },

    get authenticated() {
      return ike?.current?.established != null;
    },

    info: () => tunnel?.info() ?? null,

    async reconfigure({ routes, mtu }) {
      const before = profile;
      profile = { ...profile, routes, mtu };
      try {
        if (await tunnel?.reconfigure(profile)) options.changed();
      } catch (error) {
        profile = before;
        throw error;
      }
    },

    get roundTrip() {
      return meter.newest;
    },

    checkLiveness: () => ike?.current?.feed({ kind: 'checkLiveness' }),

    networkChanged() {
      if (leaving || !tunnel) return;
      if (ike?.current?.isUp) moves.networkChanged(tunnel);
      else if (!moves.sockets) quietly(deps, 'putting routes back', tunnel.refresh());
    },

    probe,

    goodbye: () =>
      tidy(deps, 'saying goodbye to the gateway', async () => {
        leaving = true;
        moves.stop();
        // Answers come through the receiver: without it there is nothing to wait for.
        const limit = options.planeAlive() && !moves.isMute ? GOODBYE_LIMIT : 0;
        await ike?.goodbye(limit);
      }),

    async release() {
      prober.close();
      reports.close();
      ike?.stop();
      tunnel?.children.close();
      await moves.close();
      await undo.unwind();
    },
  };
}

const authenticationDeps = ({ random, clock, log, authentication = {} }: SessionDeps): AuthenticationDeps => ({
  random,
  wall: () => clock.wall(),
  log: (level, text) => log({ level, area: 'session', text }),
  ...authentication,
});
