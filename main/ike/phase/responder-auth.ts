// The responder's IKE_AUTH, until both ends are authentic: carries out what the conversation (auth/responder.ts) wants, a response or a
// question at a time. A request whose answer waits for a question is not taken twice.
import type { Announced } from '../auth/announced.ts';
import type { Conversation, Demand, Reply } from '../auth/conversation.ts';
import { authLifetime } from '../auth/lifetime.ts';
import { authenticateResponder, type ResponderEnd } from '../auth/responder.ts';
import { type ResumedTerms, resumeResponder } from '../auth/resumed.ts';
import { type AddressLease, configurationReply, requestedFamilies, requestsDomains } from '../configuration.ts';
import type { ExchangeManager } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { Exchange, type Message } from '../message.ts';
import type { Outbox } from '../outbox.ts';
import { type Payload, payloadOf, payloadsOf } from '../payload/payload.ts';
import type { IkeAnswer } from '../questions.ts';
import { type GatewayName, redirectNotify } from '../redirect.ts';
import type { ResponderConfig } from '../responder-config.ts';
import type { IkeSa } from '../sa.ts';
import { answerChild, type ChildAnswer } from '../task/child-responder.ts';
import type { Task } from '../task/task.ts';
import type { Instant } from '../timing.ts';
import type { ResponderPhase } from './phase.ts';

/** Milliseconds that an initiator has from our answer to IKE_SA_INIT to a good IKE_AUTH. */
export const HALF_OPEN_TIMEOUT = 30_000;
/** … and from each step of EAP or of another authentication to the next: a person may have to type something. */
const NEXT_STEP_TIMEOUT = 120_000;
/** … and for all steps together, however many there are: whoever has not proved anything does not stay. */
export const WHOLE_TIMEOUT = 300_000;

/** What the last IKE_AUTH has come to; `respond` sends the response, after whatever has to come first. */
export interface AuthenticatedPeer {
  readonly peer: Identity;
  readonly child: ChildAnswer | NoChild;
  readonly respond: () => void;
}

/** The peer wants no CHILD SA yet (RFC 6023), but perhaps an address. */
interface NoChild {
  readonly kind: 'none';
  readonly payloads: readonly Payload[];
  readonly lease: AddressLease | undefined;
}

export interface ResponderAuthTerms {
  readonly sa: IkeSa;
  readonly config: ResponderConfig;
  readonly announced: Announced;
  readonly manager: ExchangeManager<Task>;
  readonly outbox: Outbox;
  readonly newChildSpi: () => number;
  /** The peer says that it has no other SA with us (RFC 7296 §2.4): theirs go before this one asks for a lease. */
  readonly initialContact: (peer: Identity) => void;
  readonly expires: Instant;
  /** No step gets more time than until then. */
  readonly latest: Instant;
  /** The SA is resumed (RFC 5723) for who has this ticket. */
  readonly resumed?: Omit<ResumedTerms, 'sa'> | undefined;
  /** What other extensions put into the last response: a ticket, a crash token. */
  readonly extras: (first: Message, peer: Identity, now: Instant) => readonly Payload[];
  /** Where the peer is sent instead of a CHILD SA (RFC 5685 §6). */
  readonly redirect: (peer: Identity) => GatewayName | undefined;
  readonly authenticated: (authenticated: AuthenticatedPeer, now: Instant) => void;
  /** The peer is refused, or has not come to the point. */
  readonly fail: (why: string) => void;
}

type State =
  | { readonly at: 'request' }
  /** The request is being worked upon: nothing is answered while a question is open. */
  | { readonly at: 'answer'; readonly id: number; readonly request: Uint8Array }
  | { readonly at: 'over' };

export class ResponderAuthPhase implements ResponderPhase {
  readonly exchange = Exchange.IKE_AUTH;
  readonly #terms: ResponderAuthTerms;
  #conversation: Conversation<ResponderEnd> | undefined;
  /** The first request, which says what CHILD SA is wanted. */
  #first: Message | undefined;
  #state: State = { at: 'request' };
  #deadline: Instant;

  constructor(terms: ResponderAuthTerms) {
    this.#terms = terms;
    this.#deadline = terms.expires;
  }

  get deadline(): Instant {
    return this.#deadline;
  }

  tick(now: Instant): void {
    if (now >= this.#deadline) this.#terms.fail('the peer began but never authenticated itself');
  }

  answer(id: number, answer: IkeAnswer, now: Instant): void {
    if (this.#state.at !== 'answer' || this.#state.id !== id) {
      // Nobody else wipes it.
      if (answer.kind === 'eap') answer.msk?.fill(0);
      return;
    }
    this.#resume({ kind: 'answer', answer }, this.#state.request, now);
  }

  abandon(): void {
    this.#state = { at: 'over' };
    // The secrets in it are wiped by its own `finally`.
    this.#conversation?.return({ kind: 'refused', payloads: [], why: 'it is over' });
    this.#terms.sa.wipe();
  }

  request(message: Message, bytes: Uint8Array, now: Instant): void {
    if (this.#state.at !== 'request') {
      this.#terms.outbox.debug('dropped an IKE message: the request before is still being worked upon');
      return;
    }
    if (this.#conversation) {
      this.#resume({ kind: 'message', message }, bytes, now);
      return;
    }
    const { sa, config, announced } = this.#terms;
    this.#first = message;
    const { resumed } = this.#terms;
    this.#conversation = resumed
      ? resumeResponder({ sa, ...resumed }, message)
      : authenticateResponder({ sa, config, announced }, message);
    this.#go(this.#conversation.next(), bytes, now);
  }

  #resume(reply: Reply, request: Uint8Array, now: Instant): void {
    this.#state = { at: 'over' };
    if (this.#conversation) this.#go(this.#conversation.next(reply), request, now);
  }

  #go(next: IteratorResult<Demand, ResponderEnd>, request: Uint8Array, now: Instant): void {
    const { manager, outbox } = this.#terms;
    if (next.done) {
      this.#end(next.value, request, now);
      return;
    }
    const demand = next.value;
    switch (demand.kind) {
      case 'ask':
        this.#state = { at: 'answer', id: outbox.ask(demand.question), request: Uint8Array.from(request) };
        return;
      case 'exchange':
        this.#state = { at: 'request' };
        this.#deadline = Math.min(now + NEXT_STEP_TIMEOUT, this.#terms.latest);
        manager.respond(this.exchange, request, demand.payloads);
        return;
    }
  }

  #end(end: ResponderEnd, request: Uint8Array, now: Instant): void {
    const { manager, fail, authenticated, initialContact, config, redirect, extras } = this.#terms;
    const { exchange } = this;
    if (end.kind === 'refused') {
      // That was it (RFC 7296 §2.21.2).
      manager.respond(exchange, request, end.payloads);
      fail(`the peer was refused: ${end.why}`);
      return;
    }
    const { peer } = end;
    if (end.initialContact) initialContact(peer);
    const elsewhere = redirect(peer);
    const child: ChildAnswer | NoChild = elsewhere
      ? { kind: 'none', lease: undefined, payloads: [redirectNotify(elsewhere)] }
      : this.#child(peer);
    const seconds = config.authentication?.lifetimeSeconds;
    // RFC 6290 §4.2: behind AUTH, in front of what belongs to the CHILD SA.
    const more = this.#first && !elsewhere ? extras(this.#first, peer, now) : [];
    const payloads = [...end.payloads, ...more, ...child.payloads, ...(seconds ? [authLifetime(seconds)] : [])];
    authenticated({ peer, child, respond: () => manager.respond(exchange, request, payloads) }, now);
  }

  #child(peer: Identity): ChildAnswer | NoChild {
    const { sa, config, newChildSpi } = this.#terms;
    const payloads = this.#first?.payloads ?? [];
    // RFC 6023 §3: only where we said that we can.
    if (!config.authentication?.childless || payloadOf(payloads, 'sa'))
      return answerChild(payloads, { sa, config, peer, spiIn: newChildSpi() });
    const cp = payloadsOf(payloads, 'cp').find((payload) => payload.type === 'request');
    const families = cp ? requestedFamilies(cp) : [];
    const lease = families.length > 0 ? config.lease(peer, families) : undefined;
    if (!cp || !lease) return { kind: 'none', lease, payloads: [] };
    return {
      kind: 'none',
      lease,
      payloads: [configurationReply(requestsDomains(cp) ? lease : { ...lease, domains: [] })],
    };
  }
}
