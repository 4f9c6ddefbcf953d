// The initiator's IKE_AUTH, until both ends are authentic: carries out what the conversation (auth/initiator.ts) wants, an exchange or a
// question at a time, and gives up where neither is answered.
//
//   waiting for a response ──▶ the conversation ──▶ next request, question, or the end
//   waiting for an answer  ──▲                       nothing is sent while a question is open

import type { Announced } from '../auth/announced.ts';
import type { Conversation, Demand, Reply } from '../auth/conversation.ts';
import { authenticateInitiator, type InitiatorEnd } from '../auth/initiator.ts';
import { type ResumedTerms, resumeInitiator } from '../auth/resumed.ts';
import type { ChildSa } from '../child-sa.ts';
import { type Configuration, configurationRequest, NO_CONFIGURATION, readConfiguration } from '../configuration.ts';
import { IkeError } from '../error.ts';
import type { Datagram } from '../established.ts';
import type { ExchangeManager } from '../exchange.ts';
import { malformedAuth, noResponse } from '../failure.ts';
import { SENDINGS_BEFORE_FALLBACK } from '../fallback.ts';
import type { Identity } from '../identity.ts';
import type { InitiatorConfig } from '../initiator-config.ts';
import { Exchange, exchangeName, type Header, type Message } from '../message.ts';
import { errorOfNotify } from '../notify-error.ts';
import type { Outbox } from '../outbox.ts';
import { type Payload, payloadsOf } from '../payload/payload.ts';
import type { CloseReason } from '../peer.ts';
import type { IkeAnswer } from '../questions.ts';
import { checkMessage } from '../rules.ts';
import type { IkeSa } from '../sa.ts';
import { AuthenticationFailedTask } from '../task/authentication-failed.ts';
import type { ChildOffer } from '../task/child.ts';
import { IkeAuthTask } from '../task/ike-auth.ts';
import type { Task } from '../task/task.ts';
import type { Instant, RetransmissionPolicy } from '../timing.ts';
import { unprotectedError } from '../unprotected.ts';
import { earliest, type InitiatorPhase } from './phase.ts';
import { RememberedRefusal } from './remembered.ts';

/** Milliseconds for an answer to one question; whoever answers has shorter times of its own. */
const QUESTION_PATIENCE = 300_000;

export interface Authenticated {
  readonly remoteIdentity: Identity;
  /** The CHILD SA was made, or the error says why not; without one where none was asked for (RFC 6023). */
  readonly child: { readonly child: ChildSa | undefined; readonly configuration: Configuration } | IkeError;
  /** The last response of IKE_AUTH. */
  readonly response: Message;
  /** Somebody asked to close in the meantime: there is an SA to delete, and nothing else to do. */
  readonly unwanted: boolean;
}

export interface AuthTerms {
  /** Its secrets stay whole until this phase is over. */
  readonly config: InitiatorConfig;
  readonly outbox: Outbox;
  readonly sa: IkeSa;
  readonly announced: Announced;
  readonly manager: ExchangeManager<Task>;
  readonly offer: ChildOffer;
  /** What else goes into the first request: what other extensions announce. */
  readonly announcements?: readonly Payload[] | undefined;
  /** The SA is resumed (RFC 5723): these names were proved when its ticket was made. */
  readonly resumed?: Pick<ResumedTerms, 'initiator' | 'responder'> | undefined;
  /** A refusal of the first request may come from an overtaken IKE_SA_INIT: `again` is called for it. */
  readonly ambiguous: boolean;
  readonly now: Instant;
  /** The host abandons this phase and begins anew. */
  readonly again: (now: Instant) => void;
  readonly authenticated: (authenticated: Authenticated, now: Instant) => void;
  readonly close: (reason: CloseReason) => void;
}

type State =
  | { readonly at: 'response' }
  | { readonly at: 'answer'; readonly id: number; readonly kind: string; readonly until: Instant }
  | { readonly at: 'over' };

export class AuthPhase implements InitiatorPhase {
  readonly #terms: AuthTerms;
  readonly #conversation: Conversation<InitiatorEnd>;
  readonly #remembered: RememberedRefusal;
  readonly #childless: boolean;
  #state: State = { at: 'over' };
  /** Requests of IKE_AUTH so far. */
  #requests = 0;
  /** Close was asked for: the answer decides whether there is something to delete. */
  #closeBy: Instant | undefined;

  constructor(terms: AuthTerms) {
    const { config, outbox, sa, announced, offer, announcements } = terms;
    this.#terms = terms;
    this.#remembered = new RememberedRefusal(outbox, 2 * config.retransmission.first);
    // RFC 6023 §3: only where the gateway has said that it can.
    this.#childless = config.childless === true && announced.childless;
    const cp = this.#childless ? configurationRequest(config.requestAddresses) : undefined;
    const child = this.#childless ? (cp ? [cp] : []) : offer.build();
    const behindAuth = [...child, ...(announcements ?? [])];
    this.#conversation = terms.resumed
      ? resumeInitiator({ sa, ...terms.resumed }, behindAuth)
      : authenticateInitiator({ config, sa, announced, offer: behindAuth });
    outbox.push({ kind: 'step', step: 'auth' });
  }

  /** Begins. By itself, because it may be over at once. */
  start(now: Instant): void {
    this.#go(this.#conversation.next(), now);
  }

  get deadline(): Instant | null {
    const { manager } = this.#terms;
    const question = this.#state.at === 'answer' ? this.#state.until : undefined;
    return earliest(manager.deadline, question, this.#remembered.until, this.#closeBy);
  }

  tick(now: Instant): void {
    const { manager, sa, close } = this.#terms;
    if (this.#closeBy !== undefined && now >= this.#closeBy) {
      close({ by: 'us' });
      return;
    }
    const refusal = this.#remembered.due(now);
    if (refusal) this.#giveUp(refusal, now);
    else if (this.#state.at === 'answer' && now >= this.#state.until)
      close({ by: 'error', error: unanswered(this.#state.kind) });
    else if (manager.tick(now) === 'exhausted')
      this.#giveUp(this.#remembered.error ?? noResponse('IKE_AUTH', sa.remote, 'initiator'), now);
  }

  /** A ticket that comes to nothing, for whatever reason, must not stand in the way of connecting without it (RFC 5723 §4.3.1). */
  #giveUp(error: IkeError, now: Instant): void {
    const { resumed, again, close } = this.#terms;
    if (resumed && this.#closeBy === undefined) again(now);
    else close({ by: 'error', error });
  }

  receive(datagram: Datagram, header: Header, now: Instant): void {
    const why = this.#process(datagram, header, now);
    if (why !== undefined) this.#terms.outbox.debug(`dropped an IKE message: ${why}`);
  }

  /** The gateway may have an SA by now; its answer lets us delete it properly. */
  askedToClose(now: Instant): void {
    if (this.#state.at === 'response') this.#closeBy ??= now + 2 * this.#terms.config.retransmission.first;
    // While we have to say something, nobody has an SA that could be deleted.
    else this.#terms.close({ by: 'us' });
  }

  answer(id: number, answer: IkeAnswer, now: Instant): void {
    if (this.#state.at !== 'answer' || this.#state.id !== id) {
      // Nobody else wipes it.
      if (answer.kind === 'eap') answer.msk?.fill(0);
      return;
    }
    this.#resume({ kind: 'answer', answer }, now);
  }

  abandon(): void {
    const { outbox, offer, sa } = this.#terms;
    this.#state = { at: 'over' };
    // The secrets in it are wiped by its own `finally`.
    this.#conversation.return({ kind: 'failed', error: unanswered('close'), lastWord: [] });
    if (this.#requests > 0) outbox.push({ kind: 'cancelChild', spiIn: offer.spiIn });
    sa.wipe();
  }

  /** What another attempt follows does not wait as long. */
  get #patience(): RetransmissionPolicy {
    const { retransmission } = this.#terms.config;
    if (!this.#terms.resumed) return retransmission;
    return { ...retransmission, tries: Math.min(retransmission.tries, SENDINGS_BEFORE_FALLBACK) };
  }

  #resume(reply: Reply, now: Instant): void {
    this.#state = { at: 'over' };
    this.#go(this.#conversation.next(reply), now);
  }

  #go(next: IteratorResult<Demand, InitiatorEnd>, now: Instant): void {
    const { outbox, manager, offer } = this.#terms;
    if (next.done) {
      this.#end(next.value, now);
      return;
    }
    if (this.#closeBy !== undefined) {
      // It goes on, so there is no SA yet.
      this.#terms.close({ by: 'us' });
      return;
    }
    const demand = next.value;
    switch (demand.kind) {
      case 'ask': {
        const { question } = demand;
        this.#state = { at: 'answer', id: outbox.ask(question), kind: question.kind, until: now + QUESTION_PATIENCE };
        return;
      }
      case 'exchange':
        if (this.#requests++ === 0) outbox.push({ kind: 'expectChild', spiIn: offer.spiIn });
        this.#state = { at: 'response' };
        manager.enqueue(new IkeAuthTask(demand.payloads), now, this.#patience);
        return;
    }
  }

  #end(end: InitiatorEnd, now: Instant): void {
    const { manager, ambiguous, again, authenticated, close } = this.#terms;
    switch (end.kind) {
      case 'refused':
        if (ambiguous && this.#requests === 1 && this.#closeBy === undefined) again(now);
        else close({ by: 'error', error: end.error });
        return;
      case 'distrusted':
        manager.sendLast(new AuthenticationFailedTask());
        this.#giveUp(end.error, now);
        return;
      case 'redirected':
        close({ by: 'redirect', to: end.to });
        return;
      case 'failed':
        if (end.lastWord.length > 0) manager.sendLast(new IkeAuthTask(end.lastWord));
        close({ by: 'error', error: end.error });
        return;
      case 'authenticated': {
        const { remoteIdentity, response } = end;
        const unwanted = this.#closeBy !== undefined;
        authenticated({ remoteIdentity, child: this.#child(response), response, unwanted }, now);
        return;
      }
    }
  }

  #child({ payloads }: Message): Authenticated['child'] {
    const { offer, sa } = this.#terms;
    if (!this.#childless) return offer.accept(payloads, sa);
    const reply = payloadsOf(payloads, 'cp').find((cp) => cp.type === 'reply');
    return { child: undefined, configuration: reply ? readConfiguration(reply) : NO_CONFIGURATION };
  }

  /** Why the datagram was dropped, if it was. */
  #process(datagram: Datagram, header: Header, now: Instant): string | undefined {
    const { sa, manager } = this.#terms;
    if (header.SPIr !== sa.SPIr) return 'it belongs to another IKE SA';
    if (header.initiator) return 'it claims to come from us';
    if (header.exchange === Exchange.IKE_SA_INIT) return 'another answer to IKE_SA_INIT';
    // The peer's requests cannot be answered before it is authenticated; it repeats them.
    if (!header.response || !manager.awaits(header.messageId) || header.exchange !== Exchange.IKE_AUTH)
      return `${exchangeName(header.exchange)} while we wait for the answer to IKE_AUTH`;
    const unprotected = unprotectedError(datagram.bytes);
    if (unprotected !== undefined) {
      this.#remembered.remember(errorOfNotify(unprotected, { exchange: 'IKE_AUTH' }), now);
      return undefined;
    }
    const message = sa.open(datagram.bytes, now);
    if (!('payloads' in message)) {
      if (!message.authentic) return message.toString();
      this.#giveUp(malformedAuth(message.toString()), now);
      return undefined;
    }
    const violation = checkMessage(message);
    if (violation) {
      this.#giveUp(malformedAuth(violation.text), now);
      return undefined;
    }
    // A good answer overtakes what somebody said without proof.
    this.#remembered.forget();
    manager.complete(now);
    this.#resume({ kind: 'message', message }, now);
    return undefined;
  }
}

function unanswered(question: string): IkeError {
  return new IkeError({
    code: 'configuration',
    message: `a question of the authentication was not answered in time (${question})`,
    remedy: 'connect again; if nobody was asked anything, save the log and report it',
    exchange: 'IKE_AUTH',
  });
}
