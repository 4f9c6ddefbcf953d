// One address of the gateway: the sockets towards it, the IKE session over them, and the tunnel that comes of it.
//
//   connect:  sockets → IKE ─ expectChild ─▶ receiver parks ─ installChild ─▶ tunnel.install ─▶ up
//   leave:    goodbye (IKE Delete, bounded) → sockets back from the receiver → sockets closed

import type { EapSecrets } from '../eap/types.ts';
import { spiText } from '../esp/children.ts';
import { formatIdentity } from '../ike/identity.ts';
import type { CloseReason, IkeDeps, IkePeer, IkeStep, InitiatorConfig, Instant, Transport } from '../ike/types.ts';
import type { ConnectStep, TunnelInfo } from '../ipc/contract.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { DataPlane, PathEvent } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, type Endpoint, formatEndpoint } from '../wire/address.ts';
import { type Answerer, createMuteAnswerer } from './answerer.ts';
import type { SessionDeps } from './deps.ts';
import { createDrive, type Drive, type DriveActions, type Established, type InstallChild } from './drive.ts';
import { type Failure, failureOf, reasonText, SessionError } from './failure.ts';
import type { Holding } from './holding.ts';
import { closedHere, deletedByGateway, keyUsedUp } from './loss.ts';
import { createPathProber, type ProbeOutcome } from './path-probe.ts';
import { initiatorConfig } from './request.ts';
import { createRoundTripMeter, type RoundTrip } from './round-trip.ts';
import { type IkeSockets, openGreSocket, openIkeSockets } from './sockets.ts';
import { createTunnel, type Tunnel } from './tunnel.ts';
import { createUndoStack, tidy, within } from './undo.ts';

export type CreatePeer = (config: InitiatorConfig, deps: IkeDeps) => IkePeer;

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
  let sockets: IkeSockets | null = null;
  let drive: Drive | null = null;
  let established: Established | null = null;
  let up = false;
  const meter = createRoundTripMeter();
  const prober = createPathProber(deps);
  /** Set while goodbye waits for the peer to say `closed`. */
  let gone: (() => void) | null = null;

  function newTunnel(local: Address): Tunnel {
    const { holding, enter, check, greNext } = options;
    return createTunnel({ profile, deps, plane, holding, step: enter, check, local, gateway, greNext });
  }

  async function connectPlain(): Promise<void> {
    log({ level: 'warn', area: 'session', text: 'plain GRE: nothing in this tunnel is encrypted or authenticated' });
    const { local, gre } = await openGreSocket(opener, gateway);
    tunnel = newTunnel(local);
    await tunnel.installPlain(gre);
  }

  async function connectIke(): Promise<void> {
    const opened = await openIkeSockets(opener, profile, gateway);
    options.check();
    sockets = opened;
    const here = newTunnel(opened.local);
    tunnel = here;
    const config = initiatorConfig(profile, {
      local: { address: opened.local, port: opened.ike.local.port },
      localNatt: { address: opened.local, port: opened.natt.local.port },
      gateway,
      forceUdp: opened.esp === null,
      patience: options.patience,
    });
    const answerer = (deps.createAnswerer ?? createMuteAnswerer)(profile, options.secrets);
    undo.push('closing the answerer', () => answerer.close());
    await new Promise<void>((resolve) => {
      const peer = options.createPeer(config, { random: deps.random });
      drive = createDrive(peer, deps.clock, actions(here, opened, answerer, resolve));
      drive.feed({ kind: 'start' });
    });
  }

  function write(socket: TunnelSocket, bytes: Uint8Array, to: Endpoint): void {
    const problem = socket.send(bytes, to);
    if (problem)
      options.complain(problem.errno ?? problem.code, `sending to ${formatEndpoint(to)}: ${problem.message}`);
  }

  function actions(here: Tunnel, open: IkeSockets, answerer: Answerer, resolve: () => void): DriveActions {
    return {
      send: (bytes, to, transport) => sendIke(open, bytes, to, transport),
      keepalive: (to) => write(open.natt, Uint8Array.of(0xff), to),
      expect: (spiIn) => here.children.expect(spiIn),
      cancel: (spiIn) => quietly('cancelling an expected SPI', here.children.cancel(spiIn)),
      install: (effect) => install(here, open, effect, resolve),
      move(effect) {
        log({ level: 'info', area: 'session', text: `ESP goes to ${formatEndpoint(effect.peer)} from now on` });
        quietly(
          'following the gateway',
          here.move(effect, (encapsulation) => socketOf(open, encapsulation)),
        );
      },
      remove: (spiIn, by) => quietly('removing an SA', remove(here, spiIn, by)),
      step(step) {
        options.reached(step);
        if (step !== 'established') options.enter(step);
      },
      established(effect) {
        established = effect;
        const who = formatIdentity(effect.remoteIdentity);
        log({ level: 'info', area: 'ike', text: `IKE SA with ${who} established: ${effect.proposal}` });
      },
      rekeyed(proposal) {
        log({ level: 'info', area: 'ike', text: `the IKE SA has new keys: ${proposal}` });
        if (!established) return;
        established = { ...established, proposal };
        quietly('noting the new algorithms', here.rekeyed(established).then(options.changed));
      },
      refused({ name, error }) {
        log({ level: 'warn', area: 'ike', text: `${name ?? 'a CHILD SA'}: ${error.message} ${error.remedy}` });
      },
      ask: (question) => answerer.answer(question),
      reauthenticate() {},
      log: (level, text) => log({ level, area: 'ike', text }),
      closed(reason) {
        if (gone) gone();
        else fail(closeFailure(reason));
      },
      lastInbound: options.lastInbound,
    };
  }

  function sendIke(open: IkeSockets, bytes: Uint8Array, to: Endpoint, transport: Transport): void {
    meter.sent(bytes, deps.clock.now());
    if (transport === 'ike') {
      write(open.ike, bytes, to);
      return;
    }
    const marked = new Uint8Array(NON_ESP_MARKER_BYTES + bytes.length);
    marked.set(bytes, NON_ESP_MARKER_BYTES);
    write(open.natt, marked, to);
  }

  function socketOf(open: IkeSockets, encapsulation: 'udp' | 'raw'): TunnelSocket | undefined {
    return encapsulation === 'udp' ? open.natt : (open.esp ?? undefined);
  }

  async function install(here: Tunnel, open: IkeSockets, effect: InstallChild, resolve: () => void): Promise<void> {
    const first = !up;
    try {
      await here.install(effect, established, (encapsulation) => socketOf(open, encapsulation));
    } catch (error) {
      // Ours is the better explanation, so it goes first; the peer then ends the SA on the wire.
      if (first) fail(failureOf(error));
      throw error;
    }
    if (first) {
      up = true;
      resolve();
    } else options.changed();
  }

  async function remove(here: Tunnel, spiIn: number, by: 'peer' | 'us'): Promise<void> {
    const left = await here.remove(spiIn);
    if (left === 0 && by === 'peer' && drive && !drive.over && !gone) fail(deletedByGateway('the CHILD SA'));
  }

  /** Where we answered a rekeying: the gateway uses the new SA, so it has our response and takes what we send on it. */
  async function switchOver(slot: number, spiIn: number): Promise<void> {
    if (await tunnel?.firstInbound(slot, spiIn)) drive?.feed({ kind: 'childActive', spiIn });
  }

  function closeFailure(reason: CloseReason): Failure {
    switch (reason.by) {
      case 'us':
        return closedHere();
      case 'peer':
        return deletedByGateway('the IKE SA');
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
          const socket = [sockets?.ike, sockets?.natt].find((one) => one?.fd === event.socket);
          if (!socket || (socket.kind !== 'ike' && socket.kind !== 'natt')) return;
          const { bytes, from } = event;
          if (prober.received(bytes)) return;
          meter.received(bytes, deps.clock.now());
          drive?.feed({ kind: 'datagram', bytes, from, local: socket.local, transport: socket.kind });
          return;
        }
        case 'peerMoved':
          drive?.feed({ kind: 'peerMoved', from: event.from });
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
          drive?.feed({ kind: 'childLimit', spiIn: child.spiIn });
          return;
        }
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
      return established !== null;
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

    checkLiveness: () => drive?.feed({ kind: 'checkLiveness' }),

    probe(size) {
      if (!up || !sockets || !established) return Promise.resolve({ kind: 'unavailable' });
      const { natt, ike } = sockets;
      const address = established.remote.address;
      // Behind a NAT, or where ESP is encapsulated, the tunnel's own ports; else those of IKE.
      return tunnel?.info()?.encapsulation === 'udp'
        ? prober.probe({ socket: natt, to: { address, port: profile.gateway.nattPort }, marker: true }, size)
        : prober.probe({ socket: ike, to: { address, port: profile.gateway.port }, marker: false }, size);
    },

    goodbye: () =>
      tidy(deps, 'saying goodbye to the gateway', async () => {
        const current = drive;
        if (!current || current.over) return;
        const answered = new Promise<void>((resolve) => {
          gone = resolve;
        });
        current.feed({ kind: 'close' });
        // Answers come through the receiver: without it there is nothing to wait for.
        if (options.planeAlive()) await within(deps.clock, GOODBYE_LIMIT, answered);
        current.stop();
      }),

    release: () => {
      prober.close();
      tunnel?.children.close();
      return undo.unwind();
    },
  };
}
