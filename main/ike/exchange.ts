// The exchange manager: the only place that sends. It owns message IDs (RFC 7296 §2.2), the window of one request in either
// direction (§2.3; a peer's SET_WINDOW_SIZE allows more, which is never used: what is beyond one request is queued), retransmission
// with back-off (§2.1, §2.4) and the cached response that answers a repeated request (§2.1).
// Tasks build requests and process responses; they never see an ID, a timer or a socket.
//
//      enqueue(task) → queue ──window free──▶ build, seal, send ──response──▶ complete → next in queue
//                                               │      ▲
//                                               └ timer┘  same bytes again, or smaller pieces (RFC 7383 §2.5.2); after `tries`
//                                                         sendings: exhausted

import type { Endpoint } from '../wire/address.ts';
import { sameBytes } from '../wire/bytes.ts';
import type { Sealed } from './fragment.ts';
import { type ExchangeType, fragmentOf } from './message.ts';
import type { Payload } from './payload/payload.ts';
import type { Instant, RetransmissionPolicy } from './timing.ts';
import type { Transport } from './transport.ts';

/** A request of ours: what to send. Who enqueued it knows what to do with the response. */
export interface Request {
  /** For the log: "liveness check". */
  readonly name: string;
  readonly exchange: ExchangeType;
  build(): readonly Payload[];
}

/** Where a request came from: its answer goes there (RFC 7296 §2.11). */
export interface ReturnPath {
  readonly to: Endpoint;
  readonly transport: Transport;
}

/** What the manager needs from the IKE SA that it serves. */
export interface ExchangeHost {
  /** The whole message, encrypted once there are keys, in one datagram or several. */
  seal(message: {
    readonly exchange: ExchangeType;
    readonly messageId: number;
    readonly response: boolean;
    readonly payloads: readonly Payload[];
  }): Sealed;
  /** To where the peer is now (it may have moved since the first sending), or back where a request has just come from. */
  send(bytes: Uint8Array, back?: ReturnPath): void;
  /** What a request's repetition starts with, where the request has come in fragments; `bytes` was the last of them (IkeSa.firstOf). */
  firstOf?(bytes: Uint8Array): Uint8Array;
  /** Does the tag verify of a datagram: a request that was answered, cut up anew (IkeSa.verifies)? */
  verifies?(bytes: Uint8Array): boolean;
}

interface Pending<R extends Request> {
  readonly request: R;
  readonly messageId: number;
  readonly sealed: Sealed;
  readonly policy: RetransmissionPolicy;
  /** Sendings so far in this form. */
  readonly sent: number;
  readonly wait: number;
  readonly again: Instant;
}

interface Answered {
  readonly messageId: number;
  /** The request: all of it, or its first fragment. */
  readonly request: Uint8Array;
  readonly response: Sealed;
  /** So often the request has been repeated since the response had this form. */
  readonly repeated: number;
}

/** The last answer of an SA, and the datagram that asks for it again. */
export interface LastAnswer {
  readonly request: Uint8Array;
  readonly response: readonly Uint8Array[];
}

/** The greatest message ID is never used, so that the counters cannot wrap (RFC 7296 §2.2). */
const LAST_MESSAGE_ID = 0xffff_fffe;
/** So many before the end the IKE SA is to be replaced. */
const RESERVE = 0x1_0000;
/** A message that can be cut up smaller is, after so many sendings in vain (RFC 7383 §2.5.2): "a few retries within several seconds". */
const SENDINGS_PER_SIZE = 2;

export class ExchangeManager<R extends Request> {
  readonly #host: ExchangeHost;
  readonly #policy: RetransmissionPolicy;
  readonly #queue: { readonly request: R; readonly policy: RetransmissionPolicy }[] = [];
  #pending: Pending<R> | undefined;
  #nextId: number;
  #expectedId: number;
  #answered: Answered | undefined;

  /** `first`: message IDs of the first request in either direction. */
  constructor(host: ExchangeHost, policy: RetransmissionPolicy, first = { ours: 0, theirs: 0 }) {
    this.#host = host;
    this.#policy = policy;
    this.#nextId = first.ours;
    this.#expectedId = first.theirs;
  }

  // Requests of ours.

  /** Sends now, or once the response to the request before has come. */
  enqueue(request: R, now: Instant, policy = this.#policy): void {
    this.#queue.push({ request, policy });
    this.#advance(now);
  }

  /** Sends the request in flight anew under its message ID: IKE_SA_INIT with a COOKIE or another KE (RFC 7296 §1.2, §2.6). */
  rebuild(request: R, now: Instant): void {
    if (!this.#pending) throw new Error('no request is in flight');
    const { messageId, policy } = this.#pending;
    this.#pending = this.#first(request, messageId, policy, now);
  }

  /** The request that waits for its response. */
  get inFlight(): R | undefined {
    return this.#pending?.request;
  }

  get idle(): boolean {
    return !this.#pending && this.#queue.length === 0;
  }

  /** The bytes of the request in flight: RealMessage1 of AUTH (RFC 7296 §2.15). */
  get inFlightBytes(): Uint8Array | undefined {
    return this.#pending?.sealed.datagrams[0];
  }

  /** Does a response with this message ID answer the request in flight? */
  awaits(messageId: number): boolean {
    return this.#pending?.messageId === messageId;
  }

  /** The response has been opened and accepted: the window is free. */
  complete(now: Instant): void {
    this.#pending = undefined;
    this.#advance(now);
  }

  /** So few message IDs are left, of ours or of the peer's, that the IKE SA has to be rekeyed (RFC 7296 §2.2). */
  get nearsEnd(): boolean {
    return Math.max(this.#nextId, this.#expectedId) > LAST_MESSAGE_ID - RESERVE;
  }

  /** Forgets the requests that have not been sent yet. */
  clearQueue(): void {
    this.#queue.length = 0;
  }

  /** When `tick` has to be called next; null: never. */
  get deadline(): Instant | null {
    return this.#pending?.again ?? null;
  }

  /** Retransmits where it is time to. `exhausted`: the last sending has waited in vain. */
  tick(now: Instant): 'quiet' | 'sent' | 'exhausted' {
    const pending = this.#pending;
    if (!pending || now < pending.again) return 'quiet';
    const smaller = pending.sent >= SENDINGS_PER_SIZE ? pending.sealed.smaller() : undefined;
    if (smaller) {
      // RFC 7383 §2.5.2: with a new size the back-off starts over.
      const wait = Math.min(pending.policy.first, pending.policy.most);
      this.#pending = { ...pending, sealed: smaller, sent: 1, wait, again: now + wait };
      this.#send(smaller);
      return 'sent';
    }
    if (pending.sent >= pending.policy.tries) return 'exhausted';
    const wait = Math.min(pending.wait * pending.policy.factor, pending.policy.most);
    this.#pending = { ...pending, sent: pending.sent + 1, wait, again: now + wait };
    // A retransmission is the same bytes again (RFC 7296 §2.1).
    this.#send(pending.sealed);
    return 'sent';
  }

  /** So often the request in flight has been sent in its present form; 0: there is none. */
  get sendings(): number {
    return this.#pending?.sent ?? 0;
  }

  /** The path is another one: the request in flight goes over it at once, with all its time before it (RFC 4555 §3.5). */
  startOver(now: Instant): void {
    const pending = this.#pending;
    if (!pending) return;
    const wait = Math.min(pending.policy.first, pending.policy.most);
    this.#pending = { ...pending, sent: 1, wait, again: now + wait };
    this.#send(pending.sealed);
  }

  /** Sends a request whose response nobody waits for: the last word of an SA that is already gone. */
  sendLast(request: R): void {
    this.#queue.length = 0;
    this.#pending = undefined;
    this.#send(this.#seal(request, this.#nextId));
    this.#nextId++;
  }

  #advance(now: Instant): void {
    if (this.#pending) return;
    const next = this.#queue.shift();
    if (!next) return;
    if (this.#nextId > LAST_MESSAGE_ID) throw new Error('message IDs are used up');
    this.#pending = this.#first(next.request, this.#nextId++, next.policy, now);
  }

  #first(request: R, messageId: number, policy: RetransmissionPolicy, now: Instant): Pending<R> {
    const sealed = this.#seal(request, messageId);
    const wait = Math.min(policy.first, policy.most);
    this.#send(sealed);
    return { request, messageId, sealed, policy, sent: 1, wait, again: now + wait };
  }

  #send(sealed: Sealed, back?: ReturnPath): void {
    for (const bytes of sealed.datagrams) this.#host.send(bytes, back);
  }

  #seal(request: R, messageId: number): Sealed {
    return this.#host.seal({ exchange: request.exchange, messageId, response: false, payloads: request.build() });
  }

  // Requests of the peer.

  /**
   * `repeated`: the cached response has just been sent again. `stale`: outside the window (RFC 7296 §2.3), or a further fragment of
   * a request that is answered already (RFC 7383 §2.6.1): to be dropped.
   */
  classify(messageId: number, bytes: Uint8Array, back?: ReturnPath): 'new' | 'repeated' | 'stale' {
    if (messageId === this.#expectedId) return 'new';
    const answered = this.#answered;
    if (answered?.messageId !== messageId) return 'stale';
    // The very bytes that were authenticated once, or others that verify now: the ID alone anyone could send (RFC 7296 §2.1).
    if (sameBytes(answered.request, bytes)) this.#answered = repeatedAgain(answered);
    else if (this.#isCutUpAnew(bytes)) this.#answered = cutToFit(answered, bytes);
    else return 'stale';
    this.#send(this.#answered.response, back);
    return 'repeated';
  }

  #isCutUpAnew(bytes: Uint8Array): boolean {
    const fragment = fragmentOf(bytes);
    if (fragment && fragment.number !== 1) return false;
    return this.#host.verifies?.(bytes) ?? false;
  }

  /** Answers the request that `classify` called new. `request`: the datagram that completed it. */
  respond(exchange: ExchangeType, request: Uint8Array, payloads: readonly Payload[], back?: ReturnPath): void {
    const messageId = this.#expectedId;
    const response = this.#host.seal({ exchange, messageId, response: true, payloads });
    const first = this.#host.firstOf?.(request) ?? request;
    this.#answered = { messageId, request: Uint8Array.from(first), response, repeated: 0 };
    this.#expectedId++;
    this.#send(response, back);
  }

  /** The last request answered and its answer, for whoever answers repetitions after the SA is gone. */
  get lastAnswer(): LastAnswer | undefined {
    return this.#answered && { request: this.#answered.request, response: this.#answered.response.datagrams };
  }
}

/** Repeated again and again, the request shows that our answer does not get through (RFC 7383 §2.4). */
function repeatedAgain(answered: Answered): Answered {
  const smaller = answered.repeated + 1 >= SENDINGS_PER_SIZE ? answered.response.smaller() : undefined;
  return smaller ? { ...answered, response: smaller, repeated: 0 } : { ...answered, repeated: answered.repeated + 1 };
}

/** The peer has cut its request into smaller pieces: its path is narrow, and so perhaps is ours (RFC 7383 §2.5.1). */
function cutToFit(answered: Answered, request: Uint8Array): Answered {
  const largest = Math.max(...answered.response.datagrams.map(({ length }) => length));
  const response = (largest > request.length ? answered.response.smaller() : undefined) ?? answered.response;
  return { ...answered, request: Uint8Array.from(request), response, repeated: 0 };
}
