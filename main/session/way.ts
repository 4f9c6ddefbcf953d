// One address of the gateway: the sockets towards it, the IKE session over them, and the tunnel that comes of it.
//
//   connect:  sockets → IKE ─ expectChild ─▶ receiver parks ─ installChild ─▶ tunnel.install ─▶ up
//   anew:     another IKE session beside it → installChild ─▶ takes the tunnel over → the old one is deleted
//   leave:    goodbye (IKE Delete, bounded) → sockets back from the receiver → sockets closed

import type { EapSecrets } from '../eap/types.ts';
import { spiText } from '../esp/children.ts';
import type { InitiatorConfig } from '../ike/initiator-config.ts';
import type { CloseReason, IkeEvent, IkeStep } from '../ike/peer.ts';
import type { Instant } from '../ike/timing.ts';
import type { Transport } from '../ike/transport.ts';
import type { ConnectStep, TunnelInfo } from '../ipc/contract.ts';
import { NetError } from '../net/error.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { DataPlane, PathEvent } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, type Endpoint, formatAddress, formatEndpoint, sameAddress } from '../wire/address.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import { type Association, beginAssociation, type CreatePeer } from './association.ts';
import { type Authentication, authenticationDeps, openAuthentication } from './authentication.ts';
import type { SessionDeps, Timer } from './deps.ts';
import { type Failure, failureOf, reasonText, SessionError } from './failure.ts';
import type { Holding } from './holding.ts';
import {
  closedHere,
  connectionBroke,
  connectionKeepsBreaking,
  deletedByGateway,
  keyUsedUp,
  movedAway,
} from './loss.ts';
import { createPathProber, type ProbeOutcome } from './path-probe.ts';
import { createPlace } from './place.ts';
import { redirected } from './redirection.ts';
import { initiatorConfig } from './request.ts';
import { createRoundTripMeter, type RoundTrip } from './round-trip.ts';
import { type IkeSockets, openGreSocket, openIkeSockets, openIkeStream } from './sockets.ts';
import { createStreamBreaks } from './stream-breaks.ts';
import type { TicketHolder } from './ticket-holder.ts';
import { createTunnel, type Tunnel } from './tunnel.ts';
import { createUndoStack, tidy, type UndoStack } from './undo.ts';

export type { CreatePeer } from './association.ts';

/** Milliseconds that the gateway has to answer our goodbye. */
export const GOODBYE_LIMIT = 2_000;
/** Milliseconds that the tunnel may be without an SA where another IKE SA is about to bring one. */
export const RELIEF_LIMIT = 5_000;
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
  readonly secrets: EapSecrets;
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
  const { deps, plane, gateway, fail } = options;
  let profile = options.profile;
  const { log } = deps;
  const undo = createUndoStack(deps);
  const opener = { deps, plane, planeOpen: options.planeOpen, undo };
  let tunnel: Tunnel | null = null;
  const place = createPlace(deps, options.check);
  let offline = false;
  /** Interface and router that datagrams left by when last looked. */
  let through: string | undefined;
  /** What we send does not arrive: no answer is waited for. */
  let mute = false;
  /** Moves and reopenings, one after another. */
  let moving: Promise<void> = Promise.resolve();
  /** The TCP connection that broke, until there is another: its reader and its writer both tell. */
  let broken: number | null = null;
  const breaks = createStreamBreaks(deps.clock, options.lastInbound);
  /** Gives up what is waited for. */
  let abandon: () => void = () => {};
  undo.push('giving up what is under way', () => abandon());
  let authentication: Authentication | null = null;
  /** What the tunnel goes through; and what is to take its place, while it is authenticated anew. */
  let current: Association | null = null;
  let next: Association | null = null;
  /** What was replaced, until the gateway has answered its Delete. */
  const former = new Set<Association>();
  /** Set while the tunnel has no SA but is about to get one. */
  let relief: Timer | null = null;
  let leaving = false;
  const meter = createRoundTripMeter();
  const prober = createPathProber(deps);

  function newTunnel(local: Address): Tunnel {
    const { holding, enter, check, greNext, changed } = options;
    return createTunnel({ profile, deps, plane, holding, step: enter, check, local, gateway, greNext, changed });
  }

  async function connectPlain(): Promise<void> {
    log({ level: 'warn', area: 'session', text: 'plain GRE: nothing in this tunnel is encrypted or authenticated' });
    const { local, gre } = await openGreSocket(opener, gateway);
    tunnel = newTunnel(local);
    await tunnel.installPlain(gre);
  }

  function openSockets(there: UndoStack): Promise<IkeSockets> {
    if (options.over === 'udp') return openIkeSockets({ ...opener, undo: there }, profile, gateway);
    const given = new AbortController();
    const timer = deps.clock.setTimer(deps.clock.now() + options.patience, () => given.abort());
    abandon = () => given.abort();
    const remote = { address: gateway, port: profile.gateway.tcpPort };
    return openIkeStream({ ...opener, undo: there }, remote, given.signal, complainOfStream).finally(() =>
      timer.cancel(),
    );
  }

  function complainOfStream(error: unknown): void {
    log({ level: 'debug', area: 'net', text: `writing into the connection: ${reasonText(error)}` });
  }

  /** After what is under way. What goes wrong is the end of this way. */
  function inTurn(what: () => Promise<void>): void {
    moving = moving.then(what).catch((error: unknown) => fail(failureOf(error)));
  }

  function pause(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = deps.clock.setTimer(deps.clock.now() + milliseconds, resolve);
      abandon = () => timer.cancel();
    });
  }

  function streamBroke(here: Tunnel, fd: number, reason: string): void {
    broken = fd;
    const wait = breaks.broke();
    if (wait === null) {
      fail(connectionKeepsBreaking(reason));
      return;
    }
    const then = wait === 0 ? 'making another' : `making another in ${wait / 1000} s`;
    log({ level: 'info', area: 'net', text: `the TCP connection to the gateway broke (${reason}): ${then}` });
    inTurn(async () => {
      await pause(wait);
      // A change of network may have been faster.
      if (place.sockets?.natt.fd === fd) await reopenStream(here);
    });
  }

  /** RFC 9329 §6.1: who opened the connection opens it again; the SAs stay, and a sign of life tells the gateway where we are. */
  async function reopenStream(here: Tunnel): Promise<void> {
    const opened = await place.enter(openSockets);
    broken = null;
    breaks.opened();
    const peer = { address: gateway, port: profile.gateway.tcpPort };
    for (const { spiOut } of here.children.list())
      await here.move({ kind: 'moveChild', spiOut, peer }, () => opened.natt);
    for (const one of associations()) one.isAt(opened.natt.local);
    quietly('looking where datagrams leave', lookThrough(false));
    current?.feed({ kind: 'checkLiveness' });
  }

  async function connectIke(): Promise<void> {
    const opened = await place.enter(openSockets);
    quietly('looking where datagrams leave', lookThrough(false));
    const here = newTunnel(opened.local);
    tunnel = here;
    const opening = openAuthentication(profile, authenticationDeps(deps));
    undo.push('forgetting keys', () => void opening.then((it) => it.close()).catch(() => {}));
    authentication = await opening;
    options.check();
    await new Promise<void>((resolve) => {
      current = begin(here, opened, { initialContact: true, up: resolve });
      current.feed({ kind: 'start' });
    });
  }

  function begin(
    here: Tunnel,
    open: IkeSockets,
    { initialContact, up }: { readonly initialContact: boolean; readonly up: () => void },
  ): Association {
    const { createPeer, lastInbound, secrets, changed } = options;
    if (!authentication) throw new Error('nobody begins before the keys are open');
    const { createAnswerer } = authentication;
    const config: InitiatorConfig = {
      ...initiatorConfig(
        profile,
        {
          local: { address: open.local, port: open.ike.local.port },
          localNatt: { address: open.local, port: open.natt.local.port },
          gateway,
          over: open.over,
          forceUdp: open.esp === null,
          patience: options.patience,
        },
        authentication.config(open.local),
      ),
      initialContact,
      takesRedirects: true,
      redirectedFrom: options.redirectedFrom,
      wantsTickets: true,
      // Authenticating anew means just that.
      resume: initialContact ? options.tickets.take(gateway) : undefined,
    };
    const own: Association = beginAssociation({
      profile,
      deps,
      createPeer,
      config,
      createAnswerer,
      secrets,
      tunnel: here,
      socketOf,
      lastInbound,
      send: sendIke,
      keepalive: (to) => place.sockets && write(place.sockets.natt, Uint8Array.of(0xff), to),
      step(step) {
        if (own !== current) return;
        options.reached(step);
        if (step !== 'established') options.enter(step);
      },
      up,
      refused: (error) => own === current && fail(failureOf(error)),
      changed,
      childless: () => own === current && stranded(deletedByGateway('the CHILD SA')),
      ticket: (ticket) => options.tickets.keep(ticket, gateway),
      reauthenticate: (within) => own === current && reauthenticate(here, within),
      closed: (reason) => ended(own, reason),
    });
    return own;
  }

  /** An IKE connection is over, and not because we said goodbye. */
  function ended(own: Association, reason: CloseReason): void {
    former.delete(own);
    // RFC 5723 §6.2: a ticket outlives only an SA that nobody has deleted; and one with which an attempt was refused is not tried again.
    const refused = reason.by !== 'error' || (!own.established && reason.error.code !== 'no-response');
    if (own === current && refused) options.tickets.drop();
    if (own === next) {
      next = null;
      const failure = closeFailure(own, reason);
      log({ level: 'warn', area: 'ike', text: `authenticating anew failed: ${failure.error.message}` });
      // Then there is nothing left to stay on.
      if (relief || current?.isOver) fail(failure);
    } else if (own === current) stranded(closeFailure(own, reason));
  }

  /**
   * What the tunnel went through is gone. Gateways that allow one SA for each client end the old one just before the new one is up; but
   * nobody waits for a person's answer, or for long, with a tunnel that is none.
   */
  function stranded(failure: Failure): void {
    if (!next || next.asks) fail(failure);
    else relief ??= deps.clock.setTimer(deps.clock.now() + RELIEF_LIMIT, () => fail(failure));
  }

  /**
   * Another IKE SA beside the one that is up, whose CHILD SA takes the tunnel over; then the old one goes (RFC 7296 §2.8.3). Where
   * that fails the old one stays for as long as it lasts; then the connection is made anew, with traffic held meanwhile.
   */
  function reauthenticate(here: Tunnel, within: number): void {
    const { sockets } = place;
    if (next || !current || !sockets) return;
    const seconds = Math.round(within / 1000);
    log({ level: 'info', area: 'ike', text: `authenticating anew; the present IKE SA lasts ${seconds} s more` });
    next = begin(here, sockets, {
      initialContact: false,
      up() {
        const old = current;
        current = next;
        next = null;
        relief?.cancel();
        relief = null;
        log({ level: 'info', area: 'ike', text: 'authenticated anew: the former IKE SA goes' });
        if (old && !old.isOver) {
          former.add(old);
          old.feed({ kind: 'close' });
        }
        options.changed();
      },
    });
    next.feed({ kind: 'start' });
  }

  function networkChanged(here: Tunnel, open: IkeSockets): void {
    const local = deps.sockets.sourceAddress({ address: gateway, port: profile.gateway.port }, deps.routes.mark);
    if (local instanceof NetError) {
      if (!offline) log({ level: 'info', area: 'net', text: `there is no way to the gateway now: ${local.message}` });
      offline = true;
      return;
    }
    const back = offline;
    offline = false;
    if (sameAddress(local, open.local)) {
      quietly('putting routes back', here.refresh());
      quietly('looking where datagrams leave', lookThrough(true));
      if (back) current?.feed({ kind: 'checkLiveness' });
      return;
    }
    const text = formatAddress(local);
    if (open.over === 'tcp') {
      log({ level: 'info', area: 'net', text: `this computer is at ${text} now: making another TCP connection` });
      inTurn(async () => {
        // One that broke meanwhile may have been made anew from there.
        if (place.sockets && !sameAddress(place.sockets.local, local)) await reopenStream(here);
      });
      return;
    }
    if (!current?.established?.mobike || profile.tunnel.shape === 'gre-transport') {
      mute = true;
      fail(movedAway(text));
      return;
    }
    log({ level: 'info', area: 'net', text: `this computer is at ${text} now: the tunnel moves there` });
    inTurn(() => move(here));
  }

  /**
   * Another network may give us the same private address: what is between us and the gateway is another NAT then, which has to learn of
   * us, and so has the gateway (RFC 4555 §3.8: the sign of life shows it).
   */
  async function lookThrough(tell: boolean): Promise<void> {
    const before = through;
    through = (await deps.routes.wayTo?.(gateway)) ?? before;
    if (!tell || leaving || before === undefined || through === before) return;
    log({
      level: 'info',
      area: 'net',
      text: `the way to the gateway goes through ${through} now, and went through ${before}`,
    });
    current?.feed({ kind: 'checkLiveness' });
  }

  /** RFC 4555 §3.5: new sockets, then the gateway is told; ESP leaves from there at once. */
  async function move(here: Tunnel): Promise<void> {
    const { local, ike, natt } = await place.enter(openSockets);
    await here.relocate(socketOf);
    const [at, nattAt] = [ike, natt].map((socket) => ({ address: local, port: socket.local.port })) as [
      Endpoint,
      Endpoint,
    ];
    for (const one of associations()) one.moved(at, nattAt);
    quietly('looking where datagrams leave', lookThrough(false));
  }

  function write(socket: TunnelSocket, bytes: Uint8Array, to: Endpoint): void {
    const problem = socket.send(bytes, to);
    if (problem)
      options.complain(problem.errno ?? problem.code, `sending to ${formatEndpoint(to)}: ${problem.message}`);
  }

  function sendIke(bytes: Uint8Array, to: Endpoint, transport: Transport): void {
    const { sockets } = place;
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

  function socketOf(encapsulation: Encapsulation): TunnelSocket | undefined {
    return encapsulation === 'raw' ? (place.sockets?.esp ?? undefined) : place.sockets?.natt;
  }

  const associations = (): readonly Association[] => [current, next, ...former].filter((one) => one !== null);

  function feed(event: IkeEvent): void {
    for (const one of associations()) one.feed(event);
  }

  const ownerOf = (spiIn: number): Association | undefined => associations().find((one) => one.owns(spiIn));

  /** Where we answered a rekeying: the gateway uses the new SA, so it has our response and takes what we send on it. */
  async function switchOver(slot: number, spiIn: number): Promise<void> {
    if (await tunnel?.firstInbound(slot, spiIn)) ownerOf(spiIn)?.feed({ kind: 'childActive', spiIn });
  }

  function closeFailure({ established }: Association, reason: CloseReason): Failure {
    switch (reason.by) {
      case 'us':
        return closedHere();
      case 'peer':
        return deletedByGateway('the IKE SA');
      case 'redirect':
        return redirected(reason.to);
      case 'error':
        // Silence while connecting deserves more than IKE can say: which addresses, which ports, what the network said.
        return reason.error.code === 'no-response' && !established ? options.noAnswer() : failureOf(reason.error);
    }
  }

  function shrink(path: number): void {
    if (!tunnel) return;
    const here = tunnel;
    here.lowerPath(path).then(
      (different) => {
        if (!different) return;
        const mtu = here.info()?.mtu.value;
        log({
          level: 'info',
          area: 'mtu',
          text: `the path carries ${path} bytes only: the tunnel's MTU is now ${mtu}`,
        });
        options.changed();
      },
      (error: unknown) => {
        if (error instanceof SessionError && error.failure.permanent) fail(error.failure);
        else log({ level: 'warn', area: 'mtu', text: `lowering the MTU: ${reasonText(error)}` });
      },
    );
  }

  function quietly(what: string, doing: Promise<unknown>): void {
    doing.catch((error: unknown) => log({ level: 'warn', area: 'session', text: `${what}: ${reasonText(error)}` }));
  }

  return {
    connect: () => (profile.tunnel.shape === 'gre-plain' ? connectPlain() : connectIke()),

    onEvent(event) {
      switch (event.kind) {
        case 'ike': {
          const socket = place.find(event.socket);
          if (!socket || (socket.kind !== 'ike' && socket.kind !== 'natt' && socket.kind !== 'tcp')) return;
          const { bytes, from } = event;
          if (prober.received(bytes)) return;
          meter.received(bytes, deps.clock.now());
          if (socket === place.sockets?.natt) breaks.heard();
          feed({ kind: 'datagram', bytes, from, local: socket.local, transport: socket.kind });
          return;
        }
        case 'peerMoved':
          feed({ kind: 'peerMoved', from: event.from });
          return;
        case 'firstInbound':
          log({ level: 'debug', area: 'esp', text: `the first packet has arrived on SA ${spiText(event.spi)}` });
          quietly('switching to a new SA', switchOver(event.slot, event.spi));
          return;
        case 'softLimit': {
          const { children } = tunnel ?? {};
          const child =
            event.direction === 'in'
              ? children?.inbound(event.slot, event.spi)
              : children?.outbound(event.slot, event.spi);
          if (!child) return;
          log({ level: 'info', area: 'esp', text: `SA ${spiText(event.spi)} nears its limit: it is to be replaced` });
          ownerOf(child.spiIn)?.feed({ kind: 'childLimit', spiIn: child.spiIn });
          return;
        }
        case 'streamClosed':
          if (event.socket !== place.sockets?.natt.fd || event.socket === broken || leaving) return;
          if (!current?.isUp || !tunnel) fail(connectionBroke(event.reason));
          else streamBroke(tunnel, event.socket, event.reason);
          return;
        case 'exhausted':
          if (tunnel?.children.outbound(event.slot, event.spi)) fail(keyUsedUp());
          return;
        case 'pathError':
          if (event.name === 'EMSGSIZE' && event.mtu !== null) shrink(event.mtu);
          else options.complain(event.name, `the network reported ${event.name}`);
          return;
      }
    },

    get authenticated() {
      return current?.established != null;
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

    checkLiveness: () => current?.feed({ kind: 'checkLiveness' }),

    networkChanged() {
      if (leaving || !tunnel) return;
      const { sockets } = place;
      if (sockets && current?.isUp) networkChanged(tunnel, sockets);
      else if (!sockets) quietly('putting routes back', tunnel.refresh());
    },

    probe(size) {
      const { established, isUp } = current ?? {};
      const { sockets } = place;
      if (!isUp || !sockets || sockets.over === 'tcp' || !established) return Promise.resolve({ kind: 'unavailable' });
      const { natt, ike } = sockets;
      const address = established.remote.address;
      // Behind a NAT, or where ESP is encapsulated, the tunnel's own ports; else those of IKE.
      return tunnel?.info()?.encapsulation === 'udp'
        ? prober.probe({ socket: natt, to: { address, port: profile.gateway.nattPort }, marker: true }, size)
        : prober.probe({ socket: ike, to: { address, port: profile.gateway.port }, marker: false }, size);
    },

    goodbye: () =>
      tidy(deps, 'saying goodbye to the gateway', async () => {
        leaving = true;
        // Deleted by us: the ticket goes with the SA (RFC 5723 §6.2).
        if (current?.established && !current.isOver) options.tickets.drop();
        // Answers come through the receiver: without it there is nothing to wait for.
        const limit = options.planeAlive() && !mute ? GOODBYE_LIMIT : 0;
        await Promise.all(associations().map((one) => one.goodbye(limit)));
      }),

    async release() {
      prober.close();
      relief?.cancel();
      for (const one of associations()) one.stop();
      tunnel?.children.close();
      await place.close();
      await undo.unwind();
    },
  };
}
