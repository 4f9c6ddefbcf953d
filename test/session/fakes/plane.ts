// A data plane that moves no packets but holds the control plane to the rules of main/path/command.ts: what is told in the
// wrong order, twice, or about things that are not there is a violation, and so is closing a descriptor under its threads.
import { COUNTER_NAMES, type Counters } from '../../../main/core/counters.ts';
import type {
  DataPlane,
  InboundSaParams,
  OutboundSaParams,
  PathEvent,
  Peer,
  ReceiverCommand,
  SenderCommand,
  TunnelParams,
} from '../../../main/path/command.ts';

export interface FakePlane extends DataPlane {
  readonly transcript: string[];
  readonly closed: boolean;
  readonly sockets: ReadonlySet<number>;
  readonly tun: number | null;
  readonly expected: ReadonlySet<number>;
  readonly inbound: ReadonlyMap<number, InboundSaParams>;
  readonly outbound: ReadonlyMap<number, OutboundSaParams>;
  /** Of tunnel 0, as `peer` and `active`; `beside` has the others. */
  readonly params: TunnelParams | null;
  readonly peer: Peer | null;
  /** The slot that the tunnel's packets leave through. */
  readonly active: number | null;
  readonly beside: ReadonlyMap<number, { params?: TunnelParams; peer?: Peer; active?: number | undefined }>;
  counters: Record<string, number>;
  lastInbound: number;
  greNext: number;
  emit(event: PathEvent): void;
}

export interface PlaneWorld {
  violation(text: string): void;
  isOpen(fd: number): boolean;
  /** Every call goes through here, to be failed or delayed. */
  call<T>(name: string, ok: () => T): Promise<T>;
  onEvent(event: PathEvent): void;
  /** An IKE message leaves through a TCP connection. */
  message?(fd: number, bytes: Uint8Array): void;
}

/** Keys of one SA direction may start once in the life of a world. */
export function fakePlane(world: PlaneWorld, keysSeen: Set<string>): FakePlane {
  const transcript: string[] = [];
  const sockets = new Set<number>();
  const expected = new Set<number>();
  const inbound = new Map<number, InboundSaParams>();
  const outbound = new Map<number, OutboundSaParams>();
  let params: TunnelParams | null = null;
  let peer: Peer | null = null;
  let active: number | null = null;
  const beside = new Map<number, { params?: TunnelParams; peer?: Peer; active?: number | undefined }>();
  const other = (tunnel: number) => {
    const known = beside.get(tunnel) ?? {};
    beside.set(tunnel, known);
    return known;
  };
  let tun: number | null = null;
  let closed = false;

  function rule(holds: boolean, text: string): void {
    if (holds) return;
    world.violation(text);
    throw new Error(text);
  }

  function copyKeys<T extends InboundSaParams | OutboundSaParams>(direction: string, sa: T): T {
    rule(
      sa.key.some((byte) => byte !== 0),
      `${direction}: the key is all zeros`,
    );
    const name = `${direction} ${Buffer.from(sa.key).toString('hex')}`;
    rule(!keysSeen.has(name), `${direction}: the same key was installed before`);
    keysSeen.add(name);
    return { ...sa, key: sa.key.slice(), salt: sa.salt.slice() };
  }

  function carryOut(command: SenderCommand | ReceiverCommand, to: 'sender' | 'receiver'): void {
    transcript.push(`${to} ${describe(command)}`);
    switch (command.kind) {
      case 'attachTun':
        rule(world.isOpen(command.tun.fd), 'attachTun: the TUN is closed');
        tun = command.tun.fd;
        return;
      case 'detachTun':
        tun = null;
        return;
      case 'configure':
        if (command.tunnel > 0) other(command.tunnel).params = command.params;
        else params = command.params;
        return;
      case 'removeTunnel':
        params = null;
        return;
      case 'setPeer':
        rule(world.isOpen(command.peer.socket), 'setPeer: the socket is closed');
        if (command.tunnel > 0) other(command.tunnel).peer = command.peer;
        else peer = command.peer;
        return;
      case 'installOutbound':
        rule(!outbound.has(command.slot), `installOutbound: slot ${command.slot} is taken`);
        rule(params !== null, 'installOutbound: the tunnel is not configured');
        rule(peer !== null, 'installOutbound: the tunnel has no peer');
        rule(inbound.size > 0, 'installOutbound: before the inbound SA was acknowledged');
        outbound.set(command.slot, copyKeys('outbound', command.params));
        return;
      case 'activate':
        rule(outbound.has(command.slot), `activate: slot ${command.slot} is empty`);
        rule(
          outbound.get(command.slot)?.tunnel === command.tunnel,
          `activate: slot ${command.slot} is of another tunnel`,
        );
        if (command.tunnel > 0) other(command.tunnel).active = command.slot;
        else active = command.slot;
        return;
      case 'removeOutbound':
        if (!outbound.delete(command.slot)) throw new Error(`removeOutbound: slot ${command.slot} is empty`);
        if (active === command.slot) active = null;
        for (const one of beside.values()) if (one.active === command.slot) one.active = undefined;
        return;
      case 'installInbound':
        rule(!inbound.has(command.slot), `installInbound: slot ${command.slot} is taken`);
        inbound.set(command.slot, copyKeys('inbound', command.params));
        expected.delete(command.params.spi);
        return;
      case 'removeInbound':
        if (!inbound.delete(command.slot)) throw new Error(`removeInbound: slot ${command.slot} is empty`);
        return;
      case 'expect':
        expected.add(command.spi);
        return;
      case 'cancelExpected':
        expected.delete(command.spi);
        return;
      case 'addSocket':
        rule(world.isOpen(command.socket.fd), 'addSocket: the socket is closed');
        sockets.add(command.socket.fd);
        return;
      case 'removeSocket':
        rule(sockets.delete(command.fd), 'removeSocket: the receiver does not have it');
        return;
      case 'sendMessage':
        world.message?.(command.socket, command.bytes);
        return;
      case 'forgetStream':
      case 'injectPacket':
      case 'injectDummy':
        return;
    }
  }

  const guarded = (name: string, ok: () => void): Promise<void> =>
    closed
      ? Promise.reject(new Error('the data plane is closed'))
      : world.call(name, () => {
          if (closed) throw new Error('the data plane was closed meanwhile');
          ok();
        });

  const plane: FakePlane = {
    transcript,
    sockets,
    expected,
    inbound,
    outbound,
    beside,
    get closed() {
      return closed;
    },
    get tun() {
      return tun;
    },
    get params() {
      return params;
    },
    get peer() {
      return peer;
    },
    get active() {
      return active;
    },
    counters: {},
    lastInbound: 0,
    greNext: 0,
    emit: (event) => {
      if (!closed) world.onEvent(event);
    },
    send: (command) => guarded(`plane.${command.kind}`, () => carryOut(command, 'sender')),
    receive: (command) => guarded(`plane.${command.kind}`, () => carryOut(command, 'receiver')),
    configure: (tunnel, wanted) =>
      guarded('plane.configure', () => carryOut({ kind: 'configure', tunnel, params: wanted }, 'sender')),
    attachTun: (handle) => guarded('plane.attachTun', () => carryOut({ kind: 'attachTun', tun: handle }, 'sender')),
    statistics() {
      const zeros = Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Counters;
      return {
        counters: { ...zeros, ...plane.counters },
        lastInbound: plane.lastInbound,
        lastOutbound: 0,
        greNextSequence: [plane.greNext],
      };
    },
    close: () =>
      world.call('plane.close', () => {
        closed = true;
        tun = null;
        sockets.clear();
        inbound.clear();
        outbound.clear();
      }),
  };
  return plane;
}

function describe(command: SenderCommand | ReceiverCommand): string {
  switch (command.kind) {
    case 'installInbound':
    case 'installOutbound':
      return `${command.kind} ${command.slot} spi ${command.params.spi}`;
    case 'removeInbound':
    case 'removeOutbound':
      return `${command.kind} ${command.slot}`;
    case 'activate':
      return `activate ${command.slot}`;
    case 'expect':
    case 'cancelExpected':
      return `${command.kind} ${command.spi}`;
    case 'addSocket':
      return `addSocket ${command.socket.kind}`;
    case 'setPeer':
      return `setPeer ${command.peer.remote.address.join('.')}:${command.peer.remote.port} ${command.peer.encapsulation}`;
    case 'attachTun':
    case 'detachTun':
    case 'configure':
    case 'removeTunnel':
    case 'removeSocket':
    case 'injectPacket':
    case 'injectDummy':
    case 'sendMessage':
    case 'forgetStream':
    case 'trustKernelPath':
      return command.kind;
  }
}
