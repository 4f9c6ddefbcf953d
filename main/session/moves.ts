// How a way follows this computer from one place to another (place.ts): the first sockets, others after each change of network, and
// another TCP connection where the one in use broke. The gateway is told each time; SAs and tunnel stay.
//
//   UDP: other address ─▶ sockets there ─▶ tunnel ─▶ IKE SAs (RFC 4555 §3.5); without MOBIKE the way is lost
//   TCP: broken, or other address ─▶ another connection ─▶ tunnel ─▶ a sign of life from there (RFC 9329 §6.1)
//   same address, another router ─▶ a sign of life, since the NAT between is another one (RFC 4555 §3.8)

import type { Instant } from '../ike/timing.ts';
import { NetError } from '../net/error.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { DataPlane } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, type Endpoint, formatAddress, sameAddress } from '../wire/address.ts';
import type { Associations } from './associations.ts';
import type { SessionDeps } from './deps.ts';
import { type Failure, failureOf, reasonText } from './failure.ts';
import { connectionKeepsBreaking, movedAway } from './loss.ts';
import { createPlace } from './place.ts';
import { quietly } from './quietly.ts';
import { type IkeSockets, openIkeSockets, openIkeStream } from './sockets.ts';
import { createStreamBreaks } from './stream-breaks.ts';
import type { SocketOf, Tunnel } from './tunnel.ts';
import type { UndoStack } from './undo.ts';

export interface MovesOptions {
  readonly profile: Profile;
  readonly deps: SessionDeps;
  readonly plane: DataPlane;
  readonly planeOpen: () => boolean;
  readonly gateway: Address;
  readonly over: 'udp' | 'tcp';
  /** Milliseconds that the gateway has to take a TCP connection. */
  readonly patience: number;
  /** Throws once nothing may be put up any more. */
  readonly check: () => void;
  readonly lastInbound: () => Instant;
  readonly fail: (failure: Failure) => void;
  /** Whoever is told of each move; null: nobody yet. */
  readonly associations: () => Associations | null;
}

export interface Moves {
  /** null before the first arrival. */
  readonly sockets: IkeSockets | null;
  /** The IKE socket with this descriptor, here or at the place before. */
  find(fd: number): TunnelSocket | undefined;
  readonly socketOf: SocketOf;
  /** What we send does not arrive: no answer is worth waiting for. */
  readonly isMute: boolean;
  /** Opens the first sockets. */
  arrive(): Promise<IkeSockets>;
  /** An IKE message came in on this socket. */
  heard(socket: TunnelSocket): void;
  /** The tunnel is up, and the machine's network may be another one. */
  networkChanged(here: Tunnel): void;
  /** The TCP connection in use has ended, with the tunnel up. */
  streamBroke(here: Tunnel, fd: number, reason: string): void;
  /** This broken connection is known of: its reader and its writer both tell. */
  isBroken(fd: number): boolean;
  /** Nothing is followed any more. */
  stop(): void;
  /** Gives up what is under way and closes the sockets. Never rejects. */
  close(): Promise<void>;
}

export function createMoves(options: MovesOptions): Moves {
  const { profile, deps, plane, planeOpen, gateway, over, fail, associations } = options;
  const { log } = deps;
  const place = createPlace(deps, options.check);
  const breaks = createStreamBreaks(deps.clock, options.lastInbound);
  let offline = false;
  /** Interface and router that datagrams left by when last looked. */
  let through: string | undefined;
  let mute = false;
  let stopped = false;
  /** Moves and reopenings, one after another. */
  let moving: Promise<void> = Promise.resolve();
  /** The TCP connection that broke, until there is another. */
  let broken: number | null = null;
  /** Gives up what is waited for. */
  let abandon: () => void = () => {};

  function open(undo: UndoStack): Promise<IkeSockets> {
    const opener = { deps, plane, planeOpen, undo };
    if (over === 'udp') return openIkeSockets(opener, profile, gateway);
    const given = new AbortController();
    const timer = deps.clock.setTimer(deps.clock.now() + options.patience, () => given.abort());
    abandon = () => given.abort();
    return openIkeStream(opener, peer(), given.signal, complainOfStream).finally(() => timer.cancel());
  }

  /** Where TCP connections go. */
  const peer = (): Endpoint => ({ address: gateway, port: profile.gateway.tcpPort });

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

  const giveSign = (): void => associations()?.current?.feed({ kind: 'checkLiveness' });

  /**
   * Another network may give us the same private address: what is between us and the gateway is another NAT then, which has to learn of
   * us, and so has the gateway (RFC 4555 §3.8: the sign of life shows it).
   */
  async function lookThrough(tell: boolean): Promise<void> {
    const before = through;
    through = (await deps.routes.wayTo?.(gateway)) ?? before;
    if (!tell || stopped || before === undefined || through === before) return;
    log({
      level: 'info',
      area: 'net',
      text: `the way to the gateway goes through ${through} now, and went through ${before}`,
    });
    giveSign();
  }

  const look = (tell: boolean): void => quietly(deps, 'looking where datagrams leave', lookThrough(tell));

  const socketOf: SocketOf = (encapsulation) =>
    encapsulation === 'raw' ? (place.sockets?.esp ?? undefined) : place.sockets?.natt;

  /** RFC 4555 §3.5: new sockets, then the gateway is told; ESP leaves from there at once. */
  async function move(here: Tunnel): Promise<void> {
    const { local, ike, natt } = await place.enter(open);
    await here.relocate(socketOf);
    const at = { address: local, port: ike.local.port };
    const nattAt = { address: local, port: natt.local.port };
    for (const one of associations()?.all ?? []) one.moved(at, nattAt);
    look(false);
  }

  /** RFC 9329 §6.1: who opened the connection opens it again; the SAs stay, and a sign of life tells the gateway where we are. */
  async function reopenStream(here: Tunnel): Promise<void> {
    const opened = await place.enter(open);
    broken = null;
    breaks.opened();
    for (const { spiOut } of here.children.list())
      await here.move({ kind: 'moveChild', spiOut, peer: peer() }, () => opened.natt);
    for (const one of associations()?.all ?? []) one.isAt(opened.natt.local);
    look(false);
    giveSign();
  }

  return {
    get sockets() {
      return place.sockets;
    },
    find: (fd) => place.find(fd),
    socketOf,
    get isMute() {
      return mute;
    },

    async arrive() {
      const opened = await place.enter(open);
      look(false);
      return opened;
    },

    heard(socket) {
      if (socket === place.sockets?.natt) breaks.heard();
    },

    networkChanged(here) {
      const { sockets } = place;
      if (!sockets) return;
      const local = deps.sockets.sourceAddress({ address: gateway, port: profile.gateway.port }, deps.routes.mark);
      if (local instanceof NetError) {
        if (!offline) log({ level: 'info', area: 'net', text: `there is no way to the gateway now: ${local.message}` });
        offline = true;
        return;
      }
      const back = offline;
      offline = false;
      if (sameAddress(local, sockets.local)) {
        quietly(deps, 'putting routes back', here.refresh());
        look(true);
        if (back) giveSign();
        return;
      }
      const text = formatAddress(local);
      if (sockets.over === 'tcp') {
        log({ level: 'info', area: 'net', text: `this computer is at ${text} now: making another TCP connection` });
        inTurn(async () => {
          // One that broke meanwhile may have been made anew from there.
          if (place.sockets && !sameAddress(place.sockets.local, local)) await reopenStream(here);
        });
        return;
      }
      if (!associations()?.current?.established?.mobike || profile.tunnel.shape === 'gre-transport') {
        mute = true;
        fail(movedAway(text));
        return;
      }
      log({ level: 'info', area: 'net', text: `this computer is at ${text} now: the tunnel moves there` });
      inTurn(() => move(here));
    },

    streamBroke(here, fd, reason) {
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
    },

    isBroken: (fd) => fd === broken,

    stop() {
      stopped = true;
    },

    async close() {
      abandon();
      await place.close();
    },
  };
}
