// An IKE SA after IKE_AUTH, the same for both roles: answers the peer's requests, deletes, checks liveness, sends NAT
// keepalives, follows a peer whose NAT moves it.
//
//          ┌────────────── up ──────────────┐
//   close, │ data plane failed              │ Delete or a fatal notify from the peer, INVALID_SYNTAX, no response
//          ▼                                ▼
//       deleting ──answered, or patience──▶ closed
import { type Endpoint, formatEndpoint, sameAddress } from '../wire/address.ts';
import { IkeError } from './error.ts';
import type { ExchangeManager } from './exchange.ts';
import { nonsense, noResponse } from './failure.ts';
import { Exchange, exchangeName, type Header, type Message } from './message.ts';
import { NotifyType } from './notify.ts';
import type { Outbox } from './outbox.ts';
import type { Payload } from './payload/payload.ts';
import { checkMessage } from './rules.ts';
import type { IkeSa } from './sa.ts';
import { statusNotify } from './task/child.ts';
import { refuseCreateChild } from './task/create-child.ts';
import { DeleteIkeTask } from './task/delete.ts';
import { type ChildPair, processInformational } from './task/informational.ts';
import { LivenessTask } from './task/liveness.ts';
import type { Task } from './task/task.ts';
import type { CloseReason, Instant, RetransmissionPolicy, Transport } from './types.ts';

export interface EstablishedTerms {
  readonly sa: IkeSa;
  readonly manager: ExchangeManager<Task>;
  readonly outbox: Outbox;
  readonly children: readonly ChildPair[];
  readonly retransmission: RetransmissionPolicy;
  /** 0: never. */
  readonly livenessInterval: number;
  /** 0: never; set only where we are behind a NAT, or feign it. */
  readonly keepaliveInterval: number;
  readonly now: Instant;
}

type State =
  | { readonly at: 'up' }
  /** Delete is on its way; why we close is told once it is answered. */
  | { readonly at: 'deleting'; readonly reason: CloseReason; readonly giveUp: Instant }
  | { readonly at: 'closed' };

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  readonly transport: Transport;
}

/** INVALID_IKE_SPI is not authenticated: it may trigger a liveness check so often (RFC 7296 §2.21.4). */
const HINT_INTERVAL = 10_000;

export class Established {
  readonly sa: IkeSa;
  readonly #manager: ExchangeManager<Task>;
  readonly #outbox: Outbox;
  readonly #terms: EstablishedTerms;
  #children: readonly ChildPair[];
  #state: State = { at: 'up' };
  #lastInbound: Instant;
  #nextKeepalive: Instant | null;
  #lastHint = Number.NEGATIVE_INFINITY;

  constructor(terms: EstablishedTerms) {
    this.#terms = terms;
    this.sa = terms.sa;
    this.#manager = terms.manager;
    this.#outbox = terms.outbox;
    this.#children = terms.children;
    this.#lastInbound = terms.now;
    this.#nextKeepalive = terms.keepaliveInterval > 0 ? terms.now + terms.keepaliveInterval : null;
  }

  get isClosed(): boolean {
    return this.#state.at === 'closed';
  }

  /** When `tick` has to be called next; null: never. */
  get deadline(): Instant | null {
    const all: (Instant | null)[] = [];
    switch (this.#state.at) {
      case 'closed':
        return null;
      case 'deleting':
        all.push(this.#state.giveUp, this.#manager.deadline);
        break;
      case 'up':
        all.push(this.#manager.deadline, this.#livenessAt(), this.#nextKeepalive);
        break;
    }
    const times = all.filter((at) => at !== null);
    return times.length > 0 ? Math.min(...times) : null;
  }

  tick(now: Instant) {
    if (this.#state.at === 'closed') return;
    if (this.#state.at === 'deleting' && now >= this.#state.giveUp) return this.#close(this.#state.reason);
    if (this.#manager.tick(now) === 'exhausted') {
      if (this.#state.at === 'deleting') return this.#close(this.#state.reason);
      const request = this.#manager.inFlight?.name ?? 'request';
      return this.#close({ by: 'error', error: noResponse(request, this.sa.remote, this.sa.role) });
    }
    if (this.#state.at !== 'up') return;
    const livenessAt = this.#livenessAt();
    if (livenessAt !== null && now >= livenessAt) this.checkLiveness(now);
    if (this.#nextKeepalive !== null && now >= this.#nextKeepalive) {
      this.#nextKeepalive = now + this.#terms.keepaliveInterval;
      this.#outbox.push({ kind: 'keepalive', to: this.sa.remote });
    }
  }

  /** A datagram whose header names this SA. */
  receive(datagram: Datagram, header: Header, now: Instant) {
    if (this.#state.at === 'closed') return;
    if (header.initiator === (this.sa.role === 'initiator')) return this.#drop('it claims to come from us');
    if (header.response) this.#receiveResponse(datagram, header, now);
    else this.#receiveRequest(datagram, header, now);
  }

  checkLiveness(now: Instant): void {
    if (this.#state.at === 'up' && this.#manager.idle) this.#manager.enqueue(new LivenessTask(), now);
  }

  /** Somebody who cannot prove it says that the peer has forgotten us: a hint, no more (RFC 7296 §2.21.4). */
  hintLost(now: Instant): void {
    if (now - this.#lastHint < HINT_INTERVAL) return;
    this.#lastHint = now;
    this.checkLiveness(now);
  }

  inboundTraffic(at: Instant): void {
    this.#lastInbound = Math.max(this.#lastInbound, at);
  }

  /** RFC 7296 §2.23: only who is not behind a NAT follows a peer that is. */
  peerMoved(to: Endpoint): void {
    const { sa } = this;
    if (this.#state.at === 'closed' || !sa.nat.remote || sa.nat.local) return;
    if (sameAddress(to.address, sa.remote.address) && to.port === sa.remote.port) return;
    this.#outbox.push({
      kind: 'log',
      level: 'info',
      text: `the peer's NAT moved it from ${formatEndpoint(sa.remote)} to ${formatEndpoint(to)}`,
    });
    sa.remote = to;
    for (const { spiOut } of this.#children) this.#outbox.push({ kind: 'moveChild', spiOut, peer: to });
  }

  childInstalled(spiIn: number, error: string | undefined, now: Instant): void {
    if (error === undefined || !this.#children.some((child) => child.spiIn === spiIn)) return;
    this.delete(
      {
        by: 'error',
        error: new IkeError({
          code: 'data-plane',
          message: `the tunnel was agreed on but could not be installed: ${error}`,
          remedy: 'connect again; if it happens again, save the log and report it',
        }),
      },
      now,
    );
  }

  /** Stops traffic, tells the peer, and closes when it has heard or does not answer. */
  delete(reason: CloseReason, now: Instant): void {
    if (this.#state.at !== 'up') return;
    const { first, factor, most } = this.#terms.retransmission;
    // Nobody waits long for a goodbye: the time of three sendings.
    const giveUp = now + Math.min(first, most) + Math.min(first * factor, most) + Math.min(first * factor ** 2, most);
    this.#state = { at: 'deleting', reason, giveUp };
    this.#removeChildren(this.#children, 'us');
    this.#manager.clearQueue();
    this.#manager.enqueue(new DeleteIkeTask(), now);
  }

  /** Ends at once, without a word to the peer: it has another SA with us (INITIAL_CONTACT, RFC 7296 §2.4). */
  abandon(reason: CloseReason): void {
    if (this.#state.at !== 'closed') this.#close(reason);
  }

  #receiveRequest(datagram: Datagram, header: Header, now: Instant) {
    switch (this.#manager.classify(header.messageId, datagram.bytes)) {
      case 'repeated':
        return this.#outbox.debug(`answered the repeated request ${header.messageId} again`);
      case 'stale':
        return this.#drop(`message ID ${header.messageId} is outside the window`);
      case 'new':
        break;
    }
    const message = this.sa.open(datagram.bytes, now);
    if (!('payloads' in message)) {
      if (!message.authentic) return this.#drop(message.toString());
      return this.#refuseSyntax(datagram, header, message.toString());
    }
    const violation = checkMessage(message);
    switch (violation?.kind) {
      case undefined:
        break;
      case 'protection':
        return this.#drop(violation.text);
      case 'critical': {
        const data = Uint8Array.of(violation.payloadType);
        const notify: Payload = { kind: 'notify', protocol: 0, type: violation.notify, spi: new Uint8Array(0), data };
        this.#heard(datagram, now);
        this.#manager.respond(header.exchange, datagram.bytes, [notify]);
        return this.#outbox.debug(violation.text);
      }
      case 'payloads':
        return this.#refuseSyntax(datagram, header, violation.text);
    }
    this.#heard(datagram, now);
    this.#answer(message, datagram.bytes);
  }

  #answer(message: Message, bytes: Uint8Array) {
    const { exchange } = message.header;
    switch (exchange) {
      case Exchange.INFORMATIONAL:
        return this.#answerInformational(message, bytes);
      case Exchange.CREATE_CHILD_SA:
        this.#manager.respond(exchange, bytes, refuseCreateChild(message, this.#children));
        return this.#outbox.debug('refused the CREATE_CHILD_SA of the peer');
      case Exchange.IKE_SA_INIT:
      case Exchange.IKE_AUTH:
      case Exchange.IKE_INTERMEDIATE:
      case Exchange.IKE_FOLLOWUP_KE:
        return this.#refuseSyntax({ bytes }, message.header, `${exchangeName(exchange)} in an established SA`);
    }
  }

  #answerInformational(message: Message, bytes: Uint8Array): void {
    const { response, deleted, ike, remarks } = processInformational(message, this.#children);
    for (const text of remarks) this.#outbox.push({ kind: 'log', level: 'warn', text });
    this.#manager.respond(Exchange.INFORMATIONAL, bytes, response);
    this.#removeChildren(deleted, 'peer');
    if (ike === 'stays') return;
    // Both ends may delete at once (RFC 7296 §2.25): then our own reason stands.
    if (this.#state.at === 'deleting') this.#close(this.#state.reason);
    else this.#close(ike === 'deleted' ? { by: 'peer' } : { by: 'error', error: ike });
  }

  /** RFC 7296 §2.21.3: fatal at both ends. */
  #refuseSyntax(datagram: { readonly bytes: Uint8Array }, header: Header, text: string): void {
    this.#manager.respond(header.exchange, datagram.bytes, [statusNotify(NotifyType.INVALID_SYNTAX)]);
    this.#close({ by: 'error', error: nonsense(text, header.exchange) });
  }

  #receiveResponse(datagram: Datagram, header: Header, now: Instant) {
    const task = this.#manager.awaits(header.messageId) ? this.#manager.inFlight : undefined;
    if (!task) return this.#drop(`nothing with message ID ${header.messageId} waits for a response`);
    const message = this.sa.open(datagram.bytes, now);
    if (!('payloads' in message)) {
      if (!message.authentic) return this.#drop(message.toString());
      return this.#close({ by: 'error', error: nonsense(message.toString(), header.exchange) });
    }
    if (header.exchange !== task.exchange) return this.#drop(`the response is of another exchange than ${task.name}`);
    const violation = checkMessage(message);
    if (violation?.kind === 'protection') return this.#drop(violation.text);
    if (violation) return this.#close({ by: 'error', error: nonsense(violation.text, header.exchange) });
    this.#heard(datagram, now);
    switch (task.kind) {
      case 'liveness':
        return this.#manager.complete(now);
      case 'delete-ike':
        if (this.#state.at === 'deleting') this.#close(this.#state.reason);
        return;
      case 'ike-intermediate':
      case 'ike-auth':
      case 'authentication-failed':
        throw new Error(`${task.name} is not of an established SA`);
    }
  }

  /** A message with a good tag and a new ID. */
  #heard(datagram: Datagram, now: Instant): void {
    this.#lastInbound = Math.max(this.#lastInbound, now);
    if (datagram.transport === this.sa.transport) this.peerMoved(datagram.from);
  }

  #livenessAt(): Instant | null {
    const { livenessInterval } = this.#terms;
    return livenessInterval > 0 && this.#manager.idle ? this.#lastInbound + livenessInterval : null;
  }

  #removeChildren(children: readonly ChildPair[], by: 'peer' | 'us'): void {
    for (const { spiIn, spiOut } of children) this.#outbox.push({ kind: 'removeChild', spiIn, spiOut, by });
    this.#children = this.#children.filter((child) => !children.includes(child));
  }

  #drop(why: string): void {
    this.#outbox.debug(`dropped an IKE message: ${why}`);
  }

  #close(reason: CloseReason): void {
    this.#removeChildren(this.#children, reason.by === 'peer' ? 'peer' : 'us');
    this.#state = { at: 'closed' };
    this.sa.wipe();
    this.#outbox.push({ kind: 'closed', reason });
  }
}
