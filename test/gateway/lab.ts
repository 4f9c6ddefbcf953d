// The gateway with fakes around it, and real initiators as its clients: virtual clock, a network that a test may make
// worse, and a data plane that only remembers what it was told.

import { COUNTER_NAMES, type Counters } from '../../main/core/counters.ts';
import { type GatewayConfigInput, parseGatewayConfig } from '../../main/gateway/config.ts';
import type { GatewayEvent } from '../../main/gateway/event.ts';
import { createGateway, type Gateway, type MakeResponder } from '../../main/gateway/gateway.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import { parseIdentity } from '../../main/ike/identity.ts';
import { createInitiator } from '../../main/ike/initiator.ts';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type { CloseReason, IkeEffect, IkePeer } from '../../main/ike/peer.ts';
import type { Transport } from '../../main/ike/transport.ts';
import { fakeSocketFactory } from '../../main/net/socket/fake.ts';
import type { Tun, TunOptions } from '../../main/net/tun/api.ts';
import type { DataPlane, PathEvent, PathStatistics, ReceiverCommand, SenderCommand } from '../../main/path/command.ts';
import { type Address, type Endpoint, formatEndpoint, parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { selectorOf } from '../../main/wire/selector.ts';
import { seeded, seededBytes } from './host/link.ts';
import { VirtualClock } from './virtual-clock.ts';

export const GATEWAY = '192.0.2.1';
export const CONFIG: GatewayConfigInput = {
  identity: 'gateway.example',
  users: [
    { identity: 'alice@example.com', secret: 'alice’s secret', inner: ['10.88.0.2'] },
    { identity: 'bob@example.com', secret: 'bob’s secret', inner: ['10.88.0.3'] },
    ...Array.from({ length: 8 }, (_, i) => ({ identity: `user${i}@example.com`, secret: 'many' })),
  ],
  listen: { address: GATEWAY },
  encapsulation: 'udp',
  pool: { ipv4: '10.99.0.0/24' },
  gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
};

/** Lets promises settle: nothing here waits for real time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

export interface FakePlane extends DataPlane {
  readonly commands: (SenderCommand | ReceiverCommand)[];
  /** Commands of this kind that are refused from now on. */
  readonly refuse: Set<string>;
  readonly closed: boolean;
  statisticsNow: PathStatistics;
  emit(event: PathEvent): void;
}

function fakePlane(onEvent: (event: PathEvent) => void): FakePlane {
  let closed = false;
  const carryOut = async (command: SenderCommand | ReceiverCommand): Promise<void> => {
    if (closed) throw new Error('the data plane is closed');
    plane.commands.push(structuredClone(command));
    if (plane.refuse.has(command.kind)) throw new Error(`${command.kind} refused`);
  };
  const plane: FakePlane = {
    commands: [],
    refuse: new Set(),
    get closed() {
      return closed;
    },
    statisticsNow: {
      counters: Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Counters,
      lastInbound: 0,
      lastOutbound: 0,
    },
    emit: onEvent,
    send: carryOut,
    receive: carryOut,
    configure: (tunnel, params) => carryOut({ kind: 'configure', tunnel, params }),
    attachTun: ({ fd, vnetHeader }) => carryOut({ kind: 'attachTun', tun: { fd, vnetHeader } }),
    statistics: () => plane.statisticsNow,
    close: async () => {
      closed = true;
    },
  };
  return plane;
}

export interface Lab {
  readonly gateway: Gateway;
  readonly plane: FakePlane;
  readonly clock: VirtualClock;
  readonly events: GatewayEvent[];
  readonly tun: { readonly options: TunOptions; closed: boolean };
  /** Datagrams lost on their way, either direction. */
  loss: number;
  client(identity: string, secret: string, address: string, change?: Partial<InitiatorConfig>): Client;
  /** Lets everything happen that is due within `milliseconds`. */
  run(milliseconds: number): Promise<void>;
  socketsClosed(): boolean;
}

export async function openLab(
  input: GatewayConfigInput = CONFIG,
  seed = 1,
  makeResponder?: MakeResponder,
): Promise<Lab> {
  const clock = new VirtualClock();
  const random = seeded(seed);
  const sockets = fakeSocketFactory(parseAddress(GATEWAY)!);
  const events: GatewayEvent[] = [];
  const clients = new Map<string, Client>();
  let plane: FakePlane | undefined;
  let tun: { readonly options: TunOptions; closed: boolean } | undefined;

  const across = (deliver: () => void): void => {
    if (random() >= lab.loss) clock.setTimer(clock.now() + 1 + random() * 5, deliver);
  };
  sockets.onSend = (_, bytes, to) => across(() => clients.get(formatEndpoint(to))?.receive(bytes));
  const gateway = await createGateway(
    parseGatewayConfig(input),
    {
      tun: {
        open: async (options) => {
          tun = { options, closed: false };
          const opened: Tun = {
            fd: 99,
            name: 'fake0',
            index: 1,
            vnetHeader: false,
            apply: async () => undefined,
            close: async () => {
              tun!.closed = true;
            },
          };
          return opened;
        },
      },
      sockets,
      startDataPlane: async ({ onEvent }) => {
        plane = fakePlane(onEvent);
        return plane;
      },
      random: seededBytes(random),
      clock,
      onEvent: (event) => events.push(event),
    },
    makeResponder,
  );

  const lab: Lab = {
    gateway,
    plane: plane!,
    clock,
    events,
    tun: tun!,
    loss: 0,
    client(identity, secret, address, change) {
      const client = new Client(identity, secret, parseAddress(address)!, change ?? {}, clock, seededBytes(random), {
        send: (bytes, from, transport) =>
          across(() => {
            const socket = sockets.sockets.find((one) => one.kind === transport)!;
            lab.plane.emit({ kind: 'ike', bytes, from, socket: socket.fd });
          }),
      });
      for (const endpoint of [client.ike, client.natt]) clients.set(formatEndpoint(endpoint), client);
      return client;
    },
    async run(milliseconds) {
      const until = clock.now() + milliseconds;
      await settle();
      while (clock.step(until)) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(Math.max(0, until - clock.now()));
      await settle();
    },
    socketsClosed: () => sockets.sockets.every((socket) => socket.closed),
  };
  return lab;
}

interface Way {
  send(bytes: Uint8Array, from: Endpoint, transport: Transport): void;
}

/** A real initiator with nothing around it. */
export class Client {
  readonly ike: Endpoint;
  readonly natt: Endpoint;
  readonly children: ChildSa[] = [];
  established: Extract<IkeEffect, { readonly kind: 'established' }> | undefined;
  closed: CloseReason | undefined;
  /** Does not answer, and does not speak. */
  dead = false;
  readonly #peer: IkePeer;
  readonly #clock: VirtualClock;
  readonly #way: Way;
  #timer: { cancel(): void } | undefined;

  constructor(
    identity: string,
    secret: string,
    address: Address,
    change: Partial<InitiatorConfig>,
    clock: VirtualClock,
    random: (length: number) => Uint8Array,
    way: Way,
  ) {
    this.ike = { address, port: 500 };
    this.natt = { address, port: 4500 };
    this.#clock = clock;
    this.#way = way;
    const host = (text: string) => [selectorOf(parsePrefix(text)!, 47)];
    this.#peer = createInitiator(
      {
        local: this.ike,
        localNatt: this.natt,
        remote: { address: parseAddress(GATEWAY)!, port: 500 },
        remoteNattPort: 4500,
        identity: parseIdentity(identity),
        remoteIdentity: parseIdentity('gateway.example'),
        credential: { kind: 'psk', secret: Buffer.from(secret) },
        proposals: ['aes256gcm16-prfsha256-x25519'],
        child: {
          mode: 'tunnel',
          proposals: ['aes128gcm16-esn'],
          local: host('0.0.0.0/0'),
          remote: host('10.77.0.1'),
          localIsDynamic: true,
        },
        requestAddresses: [4],
        encapsulation: 'udp',
        retransmission: { first: 500, factor: 1.5, most: 4000, tries: 8 },
        livenessInterval: 0,
        keepaliveInterval: 0,
        ...change,
      },
      { random },
    );
  }

  start(): void {
    this.#handle({ kind: 'start' });
  }

  close(): void {
    this.#handle({ kind: 'close' });
  }

  /** Replaces its newest CHILD SA. */
  rekey(): void {
    this.#handle({ kind: 'rekey', what: { spiIn: this.children.at(-1)!.spiIn } });
  }

  receive(datagram: Uint8Array): void {
    if (this.dead) return;
    const marked = datagram.length > 4 && datagram.subarray(0, 4).every((byte) => byte === 0);
    this.#handle({
      kind: 'datagram',
      bytes: marked ? datagram.slice(4) : datagram,
      from: { address: parseAddress(GATEWAY)!, port: marked ? 4500 : 500 },
      local: marked ? this.natt : this.ike,
      transport: marked ? 'natt' : 'ike',
    });
  }

  #handle(event: Parameters<IkePeer['handle']>[0]): void {
    if (this.dead) return;
    for (const effect of this.#peer.handle(event, this.#clock.now())) this.#carryOut(effect);
  }

  #carryOut(effect: IkeEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#way.send(effect.bytes, effect.transport === 'ike' ? this.ike : this.natt, effect.transport);
        return;
      case 'timer':
        this.#timer?.cancel();
        this.#timer =
          effect.at === null ? undefined : this.#clock.setTimer(effect.at, () => this.#handle({ kind: 'timer' }));
        return;
      case 'established':
        this.established = effect;
        return;
      case 'installChild':
        this.children.push(effect.child);
        this.#handle({ kind: 'childInstalled', spiIn: effect.child.spiIn });
        return;
      case 'closed':
        this.closed = effect.reason;
        return;
      default:
    }
  }
}
