// One IKE SA after IKE_AUTH, the same for both roles: opens what comes, holds it to the rules, answers repetitions, and hands requests
// and responses to its host (connection.ts), which knows the other IKE SAs and the CHILD SAs of the connection.
//
//   in use ──rekeyed, or to be closed──▶ ending (Delete on its way, or awaited) ──▶ closed (still repeats its last answer)
import type { Endpoint } from '../wire/address.ts';
import type { ExchangeManager, ReturnPath } from './exchange.ts';
import { nonsense } from './failure.ts';
import type { Header, Message } from './message.ts';
import { notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Outbox } from './outbox.ts';
import type { Payload } from './payload/payload.ts';
import type { CloseReason } from './peer.ts';
import { checkMessage } from './rules.ts';
import type { IkeSa } from './sa.ts';
import { DeleteIkeTask } from './task/delete.ts';
import type { Task } from './task/task.ts';
import type { Instant, RetransmissionPolicy } from './timing.ts';
import type { Transport } from './transport.ts';

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  /** Where it arrived. */
  readonly local: Endpoint;
  readonly transport: Transport;
}

/** What is sent in answer, and what happens once it is on its way. */
export interface Answer {
  readonly payloads: readonly Payload[];
  readonly after?: () => void;
}

/** Who owns the SA. What it is told of is authentic, new, and legal by rules.ts. */
export interface EstablishedHost {
  readonly outbox: Outbox;
  heard(on: Established, datagram: Datagram, now: Instant): void;
  request(on: Established, message: Message, now: Instant, datagram: Datagram): Answer;
  response(on: Established, task: Task, message: Message, now: Instant, datagram: Datagram): void;
  /** The SA cannot go on: nonsense with a good tag (RFC 7296 §2.21.3), or silence. */
  failed(on: Established, reason: CloseReason, now: Instant): void;
}

/** A goodbye is sent so often before we go without an answer. */
const GOODBYES = 3;

/** Milliseconds that so many sendings take. */
export function patience(policy: RetransmissionPolicy, sendings = policy.tries): number {
  let [total, wait] = [0, policy.first];
  for (let i = 0; i < sendings; i++) {
    total += Math.min(wait, policy.most);
    wait *= policy.factor;
  }
  return total;
}

export class Established {
  readonly sa: IkeSa;
  readonly manager: ExchangeManager<Task>;
  readonly #host: EstablishedHost;
  readonly #retransmission: RetransmissionPolicy;
  /** When it is given up though nobody has answered, or asked for, its Delete. */
  #ends: Instant | null = null;
  #closed = false;

  constructor(sa: IkeSa, manager: ExchangeManager<Task>, host: EstablishedHost, retransmission: RetransmissionPolicy) {
    this.sa = sa;
    this.manager = manager;
    this.#host = host;
    this.#retransmission = retransmission;
  }

  /** Our SPI: the one that the peer's messages are told apart by. */
  get localSpi(): bigint {
    return this.sa.role === 'initiator' ? this.sa.SPIi : this.sa.SPIr;
  }

  owns(header: Header): boolean {
    return header.SPIi === this.sa.SPIi && header.SPIr === this.sa.SPIr;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get isEnding(): boolean {
    return this.#ends !== null;
  }

  /** When `tick` has to be called next; null: never. */
  get deadline(): Instant | null {
    if (this.#closed) return null;
    const { deadline } = this.manager;
    if (this.#ends === null || deadline === null) return this.#ends ?? deadline;
    return Math.min(this.#ends, deadline);
  }

  /** Sends what has to be sent again. `ended`: nobody answers, or nobody asks. */
  tick(now: Instant): 'on' | 'ended' {
    if (this.#closed) return 'on';
    if (this.#ends !== null && now >= this.#ends) return 'ended';
    return this.manager.tick(now) === 'exhausted' ? 'ended' : 'on';
  }

  /** Deletes it: behind the request in flight, before any other. */
  delete(now: Instant) {
    if (this.#closed || this.#ends !== null) return;
    this.manager.clearQueue();
    // Nobody waits long for a goodbye.
    this.#ends = now + patience(this.#retransmission, GOODBYES);
    this.manager.enqueue(new DeleteIkeTask(), now);
  }

  /** The peer is to delete it; at `until` it goes even so. */
  awaitDelete(until: Instant) {
    this.#ends ??= until;
  }

  /** Wipes its keys. Its last answer is still repeated for whoever has not got it. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    const { inFlight } = this.manager;
    if (inFlight && 'wipe' in inFlight) inFlight.wipe();
    this.sa.wipe();
  }

  /** A datagram whose header names this SA. */
  receive(datagram: Datagram, header: Header, now: Instant) {
    if (header.initiator === (this.sa.role === 'initiator')) return this.#drop('it claims to come from us');
    if (header.response) return this.#receiveResponse(datagram, header, now);
    switch (this.manager.classify(header.messageId, datagram.bytes, backTo(datagram))) {
      case 'repeated':
        return this.#host.outbox.debug(`answered the repeated request ${header.messageId} again`);
      case 'stale':
        return this.#drop(`message ID ${header.messageId} is outside the window`);
      case 'new':
        return this.#closed ? this.#drop('the SA is gone') : this.#receiveRequest(datagram, header, now);
    }
  }

  #receiveRequest(datagram: Datagram, header: Header, now: Instant) {
    const message = this.sa.open(datagram.bytes, now);
    if (!('payloads' in message)) {
      if (!message.authentic) return this.#drop(message.toString());
      return this.#refuseSyntax(datagram, header, message.toString(), now);
    }
    const violation = checkMessage(message);
    switch (violation?.kind) {
      case undefined:
        break;
      case 'protection':
        return this.#drop(violation.text);
      case 'critical': {
        const data = Uint8Array.of(violation.payloadType);
        const notify = notifyOf(violation.notify, data);
        this.#host.heard(this, datagram, now);
        this.manager.respond(header.exchange, datagram.bytes, [notify], backTo(datagram));
        return this.#host.outbox.debug(violation.text);
      }
      case 'payloads':
        return this.#refuseSyntax(datagram, header, violation.text, now);
    }
    this.#host.heard(this, datagram, now);
    const { payloads, after } = this.#host.request(this, message, now, datagram);
    this.manager.respond(header.exchange, datagram.bytes, payloads, backTo(datagram));
    after?.();
  }

  /** RFC 7296 §2.21.3: fatal at both ends. */
  #refuseSyntax(datagram: Datagram, header: Header, text: string, now: Instant) {
    this.manager.respond(header.exchange, datagram.bytes, [notifyOf(NotifyType.INVALID_SYNTAX)], backTo(datagram));
    this.#host.failed(this, { by: 'error', error: nonsense(text, header.exchange) }, now);
  }

  #receiveResponse(datagram: Datagram, header: Header, now: Instant) {
    const task = this.manager.awaits(header.messageId) ? this.manager.inFlight : undefined;
    if (!task || this.#closed) return this.#drop(`nothing with message ID ${header.messageId} waits for a response`);
    const message = this.sa.open(datagram.bytes, now);
    if (!('payloads' in message)) {
      if (!message.authentic) return this.#drop(message.toString());
      return this.#host.failed(this, { by: 'error', error: nonsense(message.toString(), header.exchange) }, now);
    }
    if (header.exchange !== task.exchange) return this.#drop(`the response is of another exchange than ${task.name}`);
    const violation = checkMessage(message);
    if (violation?.kind === 'protection') return this.#drop(violation.text);
    if (violation)
      return this.#host.failed(this, { by: 'error', error: nonsense(violation.text, header.exchange) }, now);
    this.#host.heard(this, datagram, now);
    this.#host.response(this, task, message, now, datagram);
  }

  #drop(why: string) {
    this.#host.outbox.debug(`dropped an IKE message: ${why}`);
  }
}

/** RFC 7296 §2.11: an answer goes where its request came from. */
const backTo = ({ from, transport }: Datagram): ReturnPath => ({ to: from, transport });
