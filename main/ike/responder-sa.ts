// One IKE SA of a responder, from its answer to IKE_SA_INIT on: its phases (phase/phase.ts), then established.ts.
//
//   half-open: [intermediate ──▶] auth ──both authentic──▶ established ──▶ closed
//       └──── refused, time-out, close ────────────────────────────────────▲

import type { RandomBytes } from '../crypto/random.ts';
import type { Endpoint } from '../wire/address.ts';
import { isWireError } from '../wire/error.ts';
import type { Announced } from './auth/announced.ts';
import { type AddressLease, NO_CONFIGURATION } from './configuration.ts';
import { Connection } from './connection.ts';
import { responderTerms } from './connection-terms.ts';
import { crashToken, crashTokenNotify } from './crash-token.ts';
import { IkeError } from './error.ts';
import type { Datagram } from './established.ts';
import { ExchangeManager, type LastAnswer } from './exchange.ts';
import { exchangeHost } from './exchange-host.ts';
import { formatIdentity, type Identity } from './identity.ts';
import { decodeMessage, Exchange, type ExchangeType, exchangeName, type Header, type Message } from './message.ts';
import { mobikeAgreement, mobikeIn } from './mobike-support.ts';
import { notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import { Outbox } from './outbox.ts';
import { type Payload, payloadOf } from './payload/payload.ts';
import type { CloseReason, IkeEffect, IkeResponderEvent } from './peer.ts';
import type { ResponderPhase } from './phase/phase.ts';
import {
  type AuthenticatedPeer,
  HALF_OPEN_TIMEOUT,
  ResponderAuthPhase,
  WHOLE_TIMEOUT,
} from './phase/responder-auth.ts';
import { ResponderIntermediatePhase } from './phase/responder-intermediate.ts';
import { type Puzzle, solvedBits } from './puzzle.ts';
import type { IkeAnswer } from './questions.ts';
import type { ResponderConfig } from './responder-config.ts';
import { checkMessage } from './rules.ts';
import type { IkeSa } from './sa.ts';
import { hasForbiddenNat } from './task/path.ts';
import type { Task } from './task/task.ts';
import type { ResumableSa, TicketStore } from './ticket.ts';
import { GatewayTickets } from './ticketing.ts';
import type { Instant } from './timing.ts';
import type { Transport } from './transport.ts';

export interface ResponderSaTerms {
  readonly sa: IkeSa;
  readonly announced: Announced;
  readonly config: ResponderConfig;
  readonly random: RandomBytes;
  /** A fresh ESP SPI. */
  readonly newChildSpi: () => number;
  /** The authenticated peer has no other SA with us: forget those. */
  readonly initialContact: (peer: Identity) => void;
  readonly tickets: TicketStore | undefined;
  /** The SA comes out of a ticket (RFC 5723). */
  readonly resumed?: { readonly ticket: Uint8Array; readonly sa: ResumableSa } | undefined;
  /** To be solved before any request of IKE_AUTH is looked into (RFC 8019 §7.2.4). */
  readonly puzzle?: Puzzle | undefined;
  /** The answer to IKE_SA_INIT. */
  readonly initResponse: Uint8Array;
  readonly now: Instant;
}

/** A datagram with where it arrived. */
export type Arrival = Datagram & { readonly local: Endpoint };

type State =
  | { readonly at: 'half-open'; readonly phase: ResponderPhase }
  | { readonly at: 'established'; readonly established: Connection; readonly peer: Identity }
  | { readonly at: 'closed' };

export class ResponderSa {
  readonly sa: IkeSa;
  readonly #terms: ResponderSaTerms;
  readonly #outbox = new Outbox();
  readonly #manager: ExchangeManager<Task>;
  #state: State;
  /** Kept beyond its end, for what it answered last. */
  #connection: Connection | undefined;
  #gatewayTickets: GatewayTickets | undefined;
  #puzzle: Puzzle | undefined;
  /** The peer supports MOBIKE, as we do; and where else it is. */
  #mobike: ReturnType<typeof mobikeIn>;
  #lease: { readonly peer: Identity; readonly lease: AddressLease } | undefined;

  constructor(terms: ResponderSaTerms) {
    const { sa, now } = terms;
    this.sa = sa;
    this.#terms = terms;
    this.#puzzle = terms.puzzle;
    this.#manager = new ExchangeManager<Task>(exchangeHost(sa, this.#outbox), terms.config.retransmission, {
      ours: 0,
      theirs: 1,
    });
    this.#state = { at: 'half-open', phase: this.#firstPhase(now + HALF_OPEN_TIMEOUT) };
    this.#send(terms.initResponse, sa.remote, sa.transport);
  }

  get isHalfOpen(): boolean {
    return this.#state.at === 'half-open';
  }

  get isClosed(): boolean {
    return this.#state.at === 'closed';
  }

  /** The authenticated peer. */
  get peer(): Identity | undefined {
    return this.#state.at === 'established' ? this.#state.peer : undefined;
  }

  /** Our SPIs: of the IKE SA, and of those that have replaced it (RFC 7296 §2.18). */
  get localSpis(): readonly bigint[] {
    return this.#connection?.localSpis ?? [this.sa.SPIr];
  }

  owns(header: Header): boolean {
    const { SPIi, SPIr } = this.sa;
    return this.#connection?.owns(header) ?? (header.SPIi === SPIi && header.SPIr === SPIr);
  }

  /** The last answers, by our SPI, to be repeated for a while after the end. */
  get lastAnswers(): readonly { readonly localSpi: bigint; readonly last: LastAnswer }[] {
    if (this.#connection) return this.#connection.lastAnswers;
    const last = this.#manager.lastAnswer;
    return last ? [{ localSpi: this.sa.SPIr, last }] : [];
  }

  get deadline(): Instant | null {
    switch (this.#state.at) {
      case 'half-open':
        return this.#state.phase.deadline;
      case 'established':
        return this.#state.established.deadline;
      case 'closed':
        break;
    }
    return null;
  }

  /** The effects since the last call. */
  take(): IkeEffect[] {
    return this.#outbox.take();
  }

  /** The same IKE_SA_INIT again: the same answer again (RFC 7296 §2.1). */
  repeatInit(from: Endpoint, transport: Transport): void {
    if (this.#state.at === 'half-open') this.#send(this.#terms.initResponse, from, transport);
  }

  receive(arrival: Arrival, header: Header, now: Instant): void {
    if (this.#state.at === 'half-open') this.#receiveHalfOpen(this.#state.phase, arrival, header, now);
    else if (this.#state.at === 'established') this.#state.established.receive(arrival, header, now);
    this.#settle();
  }

  tick(now: Instant): void {
    if (this.#state.at === 'half-open') this.#state.phase.tick(now);
    else if (this.#state.at === 'established') this.#state.established.tick(now);
    this.#settle();
  }

  /** The answer to a question of this SA's. */
  answer(id: number, answer: IkeAnswer, now: Instant): void {
    if (this.#state.at === 'half-open') this.#state.phase.answer(id, answer, now);
    this.#settle();
  }

  handle(event: Exclude<IkeResponderEvent, { readonly kind: 'datagram' | 'timer' | 'answer' }>, now: Instant): void {
    if (this.#state.at === 'half-open' && event.kind === 'close') this.#close({ by: 'us' });
    if (this.#state.at !== 'established') return;
    const { established } = this.#state;
    established.handle(event, now);
    this.#settle();
  }

  /** Ends without a word (INITIAL_CONTACT). */
  abandon(): void {
    if (this.#state.at === 'established') this.#state.established.abandon({ by: 'peer' });
    this.#settle();
  }

  #receiveHalfOpen(phase: ResponderPhase, arrival: Arrival, header: Header, now: Instant): void {
    // Before the exchange is looked at: a repeated request is of the exchange before.
    if (header.response || !header.initiator || this.#manager.classify(header.messageId, arrival.bytes) !== 'new') {
      this.#drop(`message ID ${header.messageId} in ${exchangeName(phase.exchange)}`);
      return;
    }
    if (header.exchange !== phase.exchange) {
      this.#drop(`${exchangeName(header.exchange)} before ${exchangeName(phase.exchange)}`);
      return;
    }
    // Not before: whoever has keys to exchange first (IKE_INTERMEDIATE) shows its solution with IKE_AUTH (RFC 8019 §7.2.2).
    if (phase.exchange === Exchange.IKE_AUTH) {
      if (this.#puzzle && !isSolved(this.#puzzle, arrival.bytes)) {
        this.#drop('the puzzle is not solved');
        return;
      }
      this.#puzzle = undefined;
    }
    const message = this.sa.open(arrival.bytes, now);
    if (!('payloads' in message) && !message.authentic) {
      this.#drop(message.toString());
      return;
    }
    // It has the keys, so it is who sent IKE_SA_INIT: answer where it is now (UDP 4500 behind a NAT, RFC 7296 §2.23).
    this.sa.remote = arrival.from;
    this.sa.local = arrival.local;
    this.sa.transport = arrival.transport;
    if (!('payloads' in message)) {
      this.#refuse(phase.exchange, arrival.bytes, [notifyOf(NotifyType.INVALID_SYNTAX)], message.toString());
      return;
    }
    const violation = checkMessage(message);
    switch (violation?.kind) {
      case undefined:
        // RFC 4555 §3.9.
        if (this.#terms.config.mobike && hasForbiddenNat(message.payloads, arrival.from, arrival.local)) {
          const notify = notifyOf(NotifyType.UNEXPECTED_NAT_DETECTED);
          this.#refuse(phase.exchange, arrival.bytes, [notify], 'a NAT stands between us that it does not allow');
        } else phase.request(message, arrival.bytes, now);
        break;
      case 'protection':
        this.#drop(violation.text);
        break;
      case 'critical':
      case 'payloads': {
        const data = violation.kind === 'critical' ? Uint8Array.of(violation.payloadType) : new Uint8Array(0);
        const notify = notifyOf(violation.notify, data);
        this.#refuse(phase.exchange, arrival.bytes, [notify], violation.text);
        break;
      }
    }
  }

  #firstPhase(expires: Instant): ResponderPhase {
    const { sa } = this;
    // What a ticket stands for has been through them.
    if (sa.suite.additional.length === 0 || this.#terms.resumed) return this.#authPhase(expires);
    return new ResponderIntermediatePhase({
      random: this.#terms.random,
      sa,
      manager: this.#manager,
      expires,
      done: () => {
        this.#state = { at: 'half-open', phase: this.#authPhase(expires) };
      },
      fail: (why) => this.#close({ by: 'error', error: unfinished(why) }),
    });
  }

  #authPhase(expires: Instant): ResponderPhase {
    const { sa, announced, config, newChildSpi, initialContact, resumed } = this.#terms;
    return new ResponderAuthPhase({
      sa,
      announced,
      config,
      outbox: this.#outbox,
      manager: this.#manager,
      newChildSpi,
      initialContact,
      expires,
      latest: this.#terms.now + WHOLE_TIMEOUT,
      resumed: resumed?.sa,
      extras: (first, peer, now) => this.#extras(first, peer, now),
      redirect: (peer) => (announced.takesRedirects ? config.redirect?.authenticated?.(peer) : undefined),
      authenticated: (authenticated, now) => this.#establish(authenticated, now),
      fail: (why) => this.#close({ by: 'error', error: unfinished(why) }),
    });
  }

  #extras(first: Message, peer: Identity, now: Instant): readonly Payload[] {
    const { sa } = this;
    const { config, tickets, resumed } = this.#terms;
    const initiator = payloadOf(first.payloads, 'idi')?.identity;
    if (resumed) tickets?.spend(resumed.ticket);
    if (tickets && initiator)
      this.#gatewayTickets = new GatewayTickets(tickets, { initiator, responder: config.identity, peer });
    const [secret] = config.crashSecrets ?? [];
    this.#mobike = config.mobike && mobikeIn(first.payloads, sa);
    return [
      ...(secret ? [crashTokenNotify(crashToken(secret, sa.SPIi, sa.SPIr))] : []),
      ...(this.#gatewayTickets?.answer(sa, first.payloads, now) ?? []),
      ...(this.#mobike && config.mobike ? mobikeAgreement(config.mobike) : []),
    ];
  }

  #establish({ child, peer, respond }: AuthenticatedPeer, now: Instant): void {
    const { sa } = this;
    const { config } = this.#terms;
    const lease = child.kind === 'refused' ? undefined : child.lease;
    if (lease) this.#lease = { peer, lease };
    const established = new Connection(
      responderTerms(config, {
        sa,
        manager: this.#manager,
        outbox: this.#outbox,
        random: this.#terms.random,
        child: child.kind === 'made' ? child.child : undefined,
        lease,
        redirects: this.#terms.announced.takesRedirects,
        mobike: this.#mobike,
        gatewayTickets: this.#gatewayTickets,
        now,
      }),
    );
    this.#connection = established;
    this.#state = { at: 'established', established, peer };
    // RFC 7296 §2.8: what the peer may send as soon as it has the answer must find its SA.
    if (child.kind === 'made') this.#outbox.push({ kind: 'expectChild', spiIn: child.child.spiIn });
    this.#outbox.push({
      kind: 'established',
      proposal: sa.suite.name,
      local: sa.local,
      remote: sa.remote,
      remoteIdentity: peer,
      behindNat: sa.nat,
      mobike: this.#mobike !== undefined,
      configuration: lease ? { ...lease, applicationVersion: undefined } : NO_CONFIGURATION,
    });
    switch (child.kind) {
      case 'made':
        this.#outbox.push({ kind: 'installChild', activate: 'now', child: child.child });
        break;
      case 'refused':
        this.#outbox.push({
          kind: 'log',
          level: 'warn',
          text: `${formatIdentity(peer)} is authentic but gets no tunnel: ${child.why}`,
        });
        break;
      case 'none':
        break;
    }
    respond();
  }

  /** Answers, and that was it (RFC 7296 §2.21.2). */
  #refuse(exchange: ExchangeType, request: Uint8Array, payloads: readonly Payload[], why: string): void {
    this.#manager.respond(exchange, request, payloads);
    this.#close({ by: 'error', error: unfinished(`the peer was refused: ${why}`) });
  }

  #send(bytes: Uint8Array, to: Endpoint, transport: Transport): void {
    this.#outbox.push({ kind: 'send', bytes, to, transport });
  }

  #drop(why: string): void {
    this.#outbox.debug(`dropped an IKE message: ${why}`);
  }

  #close(reason: CloseReason): void {
    if (this.#state.at === 'half-open') this.#state.phase.abandon();
    this.#state = { at: 'closed' };
    this.#outbox.push({ kind: 'closed', reason });
  }

  /** Notices that established.ts has come to its end, and gives the lease back. */
  #settle(): void {
    if (this.#state.at === 'established' && this.#state.established.isClosed) this.#state = { at: 'closed' };
    if (this.#state.at !== 'closed' || !this.#lease) return;
    this.#terms.config.release?.(this.#lease.peer, this.#lease.lease);
    this.#lease = undefined;
  }
}

/** Only a message in the clear, or the first fragment, shows the solution (RFC 8019 §7.2.2). */
function isSolved(puzzle: Puzzle, bytes: Uint8Array): boolean {
  const message = decodeMessage(bytes);
  const solution = isWireError(message) ? undefined : payloadOf(message.payloads, 'puzzle')?.data;
  return solution !== undefined && (solvedBits(puzzle, solution) ?? -1) >= puzzle.difficulty;
}

function unfinished(message: string): IkeError {
  return new IkeError({
    code: 'peer-not-authentic',
    message,
    remedy: "compare the peer's identity and pre-shared key with the ones set up here",
    exchange: 'IKE_AUTH',
  });
}
