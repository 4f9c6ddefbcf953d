// Two IKE peers and the network between them, in simulated time: loses, duplicates, delays (and so reorders), translates
// addresses, and lets a test touch every datagram. Everything follows from the seed.

import { createInitiator } from '../../main/ike/initiator.ts';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type {
  IkeEffect,
  IkeEvent,
  IkePeer,
  IkeResponder,
  IkeResponderEffect,
  IkeResponderEvent,
  SaName,
} from '../../main/ike/peer.ts';
import type { IkeAnswer, IkeQuestion } from '../../main/ike/questions.ts';
import { createResponder } from '../../main/ike/responder.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import type { Instant } from '../../main/ike/timing.ts';
import type { Transport } from '../../main/ike/transport.ts';
import { type Endpoint, formatEndpoint, sameAddress } from '../../main/wire/address.ts';
import { address, endpoint, GATEWAY, initiatorConfig, NAT, responderConfig } from './parties.ts';
import { type EspPacket, Plane } from './plane.ts';
import { seededBytes, seededNumbers } from './random.ts';
import { emptyView, type View } from './view.ts';

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly transport: Transport;
  readonly direction: 'to-responder' | 'to-initiator';
}

export interface NetworkOptions {
  /** Shares of 1. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** Milliseconds, shortest and longest. */
  readonly delay?: readonly [number, number];
  /** A NAT in front of the initiator. */
  readonly nat?: boolean;
  /** Sees every datagram before the network does; what it returns is sent in its place. */
  readonly touch?: (datagram: Datagram, now: Instant) => readonly Datagram[];
}

/** Whether the ends have a data plane, and how slow it is. */
export interface PlaneOptions {
  /** Milliseconds that it takes to install an SA, at most. */
  readonly slow: number;
  /** Milliseconds between packets of each chain in either direction. */
  readonly every: number;
}

export type Answers = (question: IkeQuestion) => IkeAnswer;

export interface AnswerOptions {
  /** Made for each IKE SA that asks. */
  readonly client?: () => Answers;
  readonly gateway?: () => Answers;
  /** Milliseconds until an answer comes, shortest and longest; default 0: at once, but not before the effects are carried out. */
  readonly delay?: readonly [number, number];
}

export interface SimulationOptions {
  /** Undefined: SAs are installed at once, and carry nothing. */
  readonly planes?: PlaneOptions;
  readonly seed?: number;
  readonly initiator?: Partial<InitiatorConfig>;
  readonly responder?: Partial<ResponderConfig>;
  readonly network?: NetworkOptions;
  readonly answers?: AnswerOptions;
  /** Another simulation whose gateway and clock go on here; its client is gone. */
  readonly after?: Simulation;
}

interface Scheduled {
  readonly at: Instant;
  readonly order: number;
  readonly run: () => void;
}

export class Simulation {
  readonly initiator: IkePeer;
  responder: IkeResponder;
  readonly client = emptyView();
  /** By SA name. */
  readonly gateway = new Map<SaName, View>();
  readonly log: string[] = [];
  /** Every datagram that was sent, before the network touched it. */
  readonly wire: Datagram[] = [];
  now: Instant = 1_000_000;
  readonly #number: () => number;
  /** The gateway's address that can be reached. */
  gatewayAt = GATEWAY;
  network: NetworkOptions;
  readonly #queue: Scheduled[] = [];
  readonly #answers: AnswerOptions;
  readonly #answerers = new Map<SaName | 'client', Answers>();
  #order = 0;
  readonly #timers: { initiator: Instant | null; responder: Instant | null } = { initiator: null, responder: null };
  readonly #config: InitiatorConfig;
  /** Where the client is. */
  #at: Pick<InitiatorConfig, 'local' | 'localNatt'>;
  readonly #planes: PlaneOptions | undefined;
  readonly #effects: {
    readonly client: IkeEffect[];
    readonly gateway: IkeResponderEffect[];
    busy: { client: boolean; gateway: boolean };
  } = { client: [], gateway: [], busy: { client: false, gateway: false } };
  readonly clientPlane = new Plane('client');
  /** By SA name. */
  readonly gatewayPlanes = new Map<SaName, Plane>();
  /** The NAT's outer ports of the initiator's two. */
  #natPorts = { ike: 61500, natt: 61501, tcp: 61502 };

  constructor(options: SimulationOptions = {}) {
    const seed = options.seed ?? 1;
    this.#number = seededNumbers(seed);
    this.network = options.network ?? {};
    this.#planes = options.planes;
    this.#answers = options.answers ?? {};
    this.#config = initiatorConfig(options.initiator);
    this.#at = this.#config;
    this.initiator = createInitiator(this.#config, { random: seededBytes(`initiator ${seed}`) });
    this.responder =
      options.after?.responder ??
      createResponder(responderConfig(options.responder), { random: seededBytes(`responder ${seed}`) });
    this.now = options.after?.now ?? this.now;
  }

  /** The one SA of the gateway that got furthest. */
  get peer(): View {
    const views = [...this.gateway.values()];
    return views.find((view) => view.established && !view.closed) ?? views.find((v) => v.established) ?? emptyView();
  }

  get peerPlane(): Plane | undefined {
    return this.gatewayPlanes.get(this.peerName);
  }

  /** The chain of this SA is about to be deleted, at both ends. */
  doom(plane: Plane, spiIn: number): void {
    const chain = plane.sas.find((of) => of.spiIn === spiIn)?.chain;
    if (!chain) return;
    const theirs = plane.spisOut(chain);
    for (const other of [this.clientPlane, ...this.gatewayPlanes.values()]) other.doom(chain, theirs);
  }

  get peerName(): SaName {
    const views = [...this.gateway];
    const [name] = views.find(([, view]) => view.established && !view.closed) ??
      views.find(([, view]) => view.established) ?? [''];
    return name;
  }

  tell(event: IkeEvent): this {
    this.#client(this.initiator.handle(event, this.now));
    return this;
  }

  tellGateway(event: IkeResponderEvent): this {
    this.#gateway(this.responder.handle(event, this.now));
    return this;
  }

  /** Starts, and runs until nothing happens any more or `most` milliseconds have passed. */
  connect(most = 200_000): this {
    return this.tell({ kind: 'start' }).run(most);
  }

  /** Runs what is due within the next `most` milliseconds. */
  run(most = 200_000, until: () => boolean = () => false): this {
    const end = this.now + most;
    for (let steps = 0; !until(); steps++) {
      if (steps > 100_000) throw new Error('the simulation does not come to an end');
      const next = this.#next();
      if (!next || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    if (!until()) this.now = end;
    return this;
  }

  /** The client is at another address from now on, and says so (RFC 4555 §3.5); what is under way to the old one is lost. */
  move(to: string, nat = false): this {
    this.network = { ...this.network, nat };
    if (nat) this.rebind();
    this.#at = { local: endpoint(to, 500), localNatt: endpoint(to, 4500) };
    return this.tell({ kind: 'addressesChanged', ...this.#at });
  }

  /** As which endpoint the gateway sees the client's UDP 4500. */
  get clientSeen(): Endpoint {
    return this.network.nat ? endpoint(NAT, this.#natPorts.natt) : this.#at.localNatt;
  }

  /** The NAT forgets its mappings and makes new ones. */
  rebind(): this {
    this.#natPorts = { ...this.#natPorts, ike: this.#natPorts.ike + 10, natt: this.#natPorts.natt + 10 };
    return this;
  }

  /** Puts a datagram on the wire as it is. */
  inject(datagram: Datagram): this {
    this.#deliver(datagram);
    return this;
  }

  #next(): Scheduled | undefined {
    let next: Scheduled | undefined;
    for (const one of this.#queue)
      if (!next || one.at < next.at || (one.at === next.at && one.order < next.order)) next = one;
    const { initiator, responder } = this.#timers;
    const least = Math.min(next?.at ?? Number.POSITIVE_INFINITY, initiator ?? Number.POSITIVE_INFINITY);
    if (responder !== null && responder < least)
      return {
        at: responder,
        order: 0,
        run: () => {
          this.#timers.responder = null;
          for (const [sa, plane] of this.gatewayPlanes)
            if (plane.lastInbound > 0 && !plane.isClosed)
              this.tellGateway({ kind: 'inboundTraffic', sa, at: plane.lastInbound });
          this.tellGateway({ kind: 'timer' });
        },
      };
    if (initiator !== null && initiator <= least && (!next || initiator < next.at))
      return {
        at: initiator,
        order: 0,
        run: () => {
          this.#timers.initiator = null;
          if (this.clientPlane.lastInbound > 0) this.tell({ kind: 'inboundTraffic', at: this.clientPlane.lastInbound });
          this.tell({ kind: 'timer' });
        },
      };
    if (next) {
      const due = next;
      const run = () => {
        this.#queue.splice(this.#queue.indexOf(due), 1);
        due.run();
      };
      return { ...due, run };
    }
    return undefined;
  }

  #client(effects: readonly IkeEffect[]): void {
    this.#effects.client.push(...effects);
    while (!this.#effects.busy.client) {
      const effect = this.#effects.client.shift();
      if (!effect) break;
      if (this.client.closed && effect.kind !== 'log') throw new Error(`${effect.kind} after closed`);
      if (effect.kind === 'timer') this.#timers.initiator = effect.at;
      if (effect.kind === 'send') {
        const from = effect.transport === 'ike' ? this.#at.local : this.#at.localNatt;
        const { bytes, to, transport } = effect;
        this.#send({ bytes, from, to, transport, direction: 'to-responder' });
      }
      if (effect.kind === 'ask')
        this.#answer('client', this.#answers.client, effect.question, (answer) =>
          this.tell({ kind: 'answer', id: effect.id, answer }),
        );
      this.#note('client', this.client, effect);
      this.#carryOut(this.clientPlane, effect);
      if (effect.kind === 'installChild')
        this.#install('client', () => this.tell({ kind: 'childInstalled', spiIn: effect.child.spiIn }));
    }
    if (this.client.closed) this.#timers.initiator = null;
  }

  #gateway(effects: readonly IkeResponderEffect[]): void {
    this.#effects.gateway.push(...effects);
    while (!this.#effects.busy.gateway) {
      const next = this.#effects.gateway.shift();
      if (!next) break;
      const { sa, effect } = next;
      if (effect.kind === 'timer') this.#timers.responder = effect.at;
      if (effect.kind === 'send') {
        const from = endpoint(this.gatewayAt, effect.transport === 'ike' ? 500 : 4500);
        const { bytes, to, transport } = effect;
        this.#send({ bytes, from, to, transport, direction: 'to-initiator' });
      }
      if (sa === null) {
        if (effect.kind === 'log') this.log.push(`gateway: ${effect.text}`);
        continue;
      }
      const view = this.gateway.get(sa) ?? emptyView();
      this.gateway.set(sa, view);
      if (view.closed) throw new Error(`${effect.kind} after closed`);
      if (effect.kind === 'ask')
        this.#answer(sa, this.#answers.gateway, effect.question, (answer) =>
          this.tellGateway({ kind: 'answer', sa, id: effect.id, answer }),
        );
      this.#note('gateway', view, effect);
      const plane = this.gatewayPlanes.get(sa) ?? new Plane(`gateway ${sa}`);
      this.gatewayPlanes.set(sa, plane);
      this.#carryOut(plane, effect);
      if (effect.kind === 'installChild')
        this.#install('gateway', () => this.tellGateway({ kind: 'childInstalled', sa, spiIn: effect.child.spiIn }));
    }
  }

  /** What follows in the queue waits until the SA is there (peer.ts). */
  #install(who: 'client' | 'gateway', installed: () => void): void {
    if (!this.#planes) {
      installed();
      return;
    }
    this.#effects.busy[who] = true;
    this.#later(this.#number() * this.#planes.slow, () => {
      this.#effects.busy[who] = false;
      installed();
    });
  }

  #later(after: number, run: () => void): void {
    this.#queue.push({ at: this.now + after, order: this.#order++, run });
  }

  #carryOut(plane: Plane, effect: IkeEffect) {
    if (!this.#planes) return;
    switch (effect.kind) {
      case 'expectChild':
        return plane.expect(effect.spiIn);
      case 'cancelChild':
        return plane.cancel(effect.spiIn);
      case 'installChild':
        return plane.install(effect, this.now);
      case 'removeChild':
        return plane.remove(effect.spiIn, this.now);
      case 'moveChild':
        return plane.move(effect.spiOut, effect.peer);
      case 'closed':
        return plane.close();
      default:
    }
  }

  /** Sends a packet in every chain of both ends, and goes on doing so. */
  traffic(): this {
    const { every } = this.#planes ?? { every: 0 };
    if (every <= 0) return this;
    for (const packet of this.clientPlane.send()) this.#esp(packet, 'to-responder');
    for (const plane of this.gatewayPlanes.values())
      for (const packet of plane.send()) this.#esp(packet, 'to-initiator');
    this.#later(every, () => this.traffic());
    return this;
  }

  #esp(packet: EspPacket, direction: Datagram['direction']): void {
    const { loss = 0, duplicate = 0, delay = [10, 10], nat } = this.network;
    const copies = this.#number() < duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.#number() < loss) continue;
      this.#later(delay[0] + this.#number() * (delay[1] - delay[0]), () => {
        if (direction === 'to-initiator') {
          const reached = nat ? endpoint(NAT, this.#natPorts.natt) : this.#at.localNatt;
          if (formatEndpoint(packet.to) === formatEndpoint(reached)) this.clientPlane.receive(packet, this.now);
          return;
        }
        const planes = [...this.gatewayPlanes];
        const [sa, plane] = planes.find(([, of]) => of.has(packet.spi)) ?? planes.find(([, of]) => !of.isClosed) ?? [];
        if (!plane || sa === undefined) return;
        const before = plane.delivered;
        plane.receive(packet, this.now);
        if (nat && plane.delivered > before && !plane.isClosed)
          this.tellGateway({ kind: 'peerMoved', sa, from: endpoint(NAT, this.#natPorts.natt) });
      });
    }
  }

  #note(who: string, view: View, effect: IkeEffect): void {
    switch (effect.kind) {
      case 'send':
        view.sent++;
        break;
      case 'keepalive':
        view.keepalives++;
        break;
      case 'established':
        view.established = effect;
        break;
      case 'expectChild':
        view.expected.push(effect.spiIn);
        break;
      case 'cancelChild':
        view.cancelled.push(effect.spiIn);
        break;
      case 'installChild':
        // With a data plane, which wipes its keys.
        view.installed.push(effect.child);
        view.activations.push(effect.activate);
        break;
      case 'moveChild':
        view.moved.push(effect.peer);
        view.moves.push(effect);
        break;
      case 'removeChild':
        view.removed.push(effect.spiIn);
        break;
      case 'closed':
        view.closed = effect.reason;
        break;
      case 'log':
        this.log.push(`${who}: ${effect.text}`);
        break;
      case 'rekeyed':
        view.rekeyed++;
        break;
      case 'childRefused':
        view.refused.push(effect.name);
        break;
      case 'ticket':
        view.tickets.push(effect.ticket);
        break;
      case 'reauthenticate':
        view.reauthenticate++;
        break;
      default:
        break;
    }
  }

  #answer(
    whose: SaName | 'client',
    make: (() => Answers) | undefined,
    question: IkeQuestion,
    tell: (answer: IkeAnswer) => void,
  ): void {
    const answers = this.#answerers.get(whose) ?? make?.();
    if (!answers) throw new Error(`nobody answers "${question.kind}"`);
    this.#answerers.set(whose, answers);
    const [least, most] = this.#answers.delay ?? [0, 0];
    const at = this.now + least + this.#number() * (most - least);
    this.#queue.push({ at, order: this.#order++, run: () => tell(answers(question)) });
  }

  #send(datagram: Datagram): void {
    this.wire.push(datagram);
    const { touch, loss = 0, duplicate = 0, delay = [10, 10] } = this.network;
    for (const one of touch ? touch(datagram, this.now) : [datagram]) {
      const copies = this.#number() < duplicate ? 2 : 1;
      for (let i = 0; i < copies; i++) {
        if (this.#number() < loss) continue;
        const at = this.now + delay[0] + this.#number() * (delay[1] - delay[0]);
        this.#queue.push({ at, order: this.#order++, run: () => this.#deliver(one) });
      }
    }
  }

  #deliver(datagram: Datagram): void {
    const { transport } = datagram;
    if (datagram.direction === 'to-responder') {
      if (!sameAddress(datagram.to.address, address(this.gatewayAt))) return;
      const from = this.network.nat
        ? endpoint(NAT, this.#natPorts[transport === 'ike' ? 'ike' : 'natt'])
        : datagram.from;
      this.tellGateway({ kind: 'datagram', bytes: datagram.bytes, from, local: datagram.to, transport });
      return;
    }
    const local = transport === 'ike' ? this.#at.local : this.#at.localNatt;
    const reached = this.network.nat ? endpoint(NAT, this.#natPorts[transport === 'ike' ? 'ike' : 'natt']) : local;
    // Nobody has this address (any more).
    if (formatEndpoint(datagram.to) !== formatEndpoint(reached)) return;
    this.tell({ kind: 'datagram', bytes: datagram.bytes, from: datagram.from, local, transport });
  }
}
