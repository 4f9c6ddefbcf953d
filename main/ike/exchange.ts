// The exchange manager: the only place that sends. It owns message IDs (RFC 7296 §2.2), the window of one request in either
// direction (§2.3), retransmission with back-off (§2.1, §2.4) and the cached response that answers a repeated request (§2.1).
// Tasks build requests and process responses; they never see an ID, a timer or a socket.
//
//      enqueue(task) → queue ──window free──▶ build, seal, send ──response──▶ complete → next in queue
//                                               │      ▲
//                                               └ timer┘  same bytes again; after `tries` sendings: exhausted
import type { ExchangeType } from './message.ts';
import type { Payload } from './payload/payload.ts';
import type { Instant, RetransmissionPolicy } from './types.ts';

/** A request of ours: what to send. Who enqueued it knows what to do with the response. */
export interface Request {
  /** For the log: "liveness check". */
  readonly name: string;
  readonly exchange: ExchangeType;
  build(): readonly Payload[];
}

/** What the manager needs from the IKE SA that it serves. */
export interface ExchangeHost {
  /** The whole message, encrypted once there are keys. */
  seal(message: {
    readonly exchange: ExchangeType;
    readonly messageId: number;
    readonly response: boolean;
    readonly payloads: readonly Payload[];
  }): Uint8Array;
  /** To where the peer is now (it may have moved since the first sending). */
  send(bytes: Uint8Array): void;
}

interface Pending<R extends Request> {
  readonly request: R;
  readonly messageId: number;
  readonly bytes: Uint8Array;
  readonly policy: RetransmissionPolicy;
  /** Sendings so far. */
  readonly sent: number;
  readonly wait: number;
  readonly again: Instant;
}

interface Answered {
  readonly messageId: number;
  readonly request: Uint8Array;
  readonly response: Uint8Array;
}

/** The greatest message ID is never used, so that the counters cannot wrap (RFC 7296 §2.2). */
const LAST_MESSAGE_ID = 0xffff_fffe;

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

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
    return this.#pending?.bytes;
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
    if (pending.sent >= pending.policy.tries) return 'exhausted';
    const wait = Math.min(pending.wait * pending.policy.factor, pending.policy.most);
    this.#pending = { ...pending, sent: pending.sent + 1, wait, again: now + wait };
    // A retransmission is the same bytes again (RFC 7296 §2.1).
    this.#host.send(pending.bytes);
    return 'sent';
  }

  /** Sends a request whose response nobody waits for: the last word of an SA that is already gone. */
  sendLast(request: R): void {
    this.#queue.length = 0;
    this.#pending = undefined;
    this.#host.send(this.#seal(request, this.#nextId));
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
    const bytes = this.#seal(request, messageId);
    const wait = Math.min(policy.first, policy.most);
    this.#host.send(bytes);
    return { request, messageId, bytes, policy, sent: 1, wait, again: now + wait };
  }

  #seal(request: R, messageId: number): Uint8Array {
    return this.#host.seal({ exchange: request.exchange, messageId, response: false, payloads: request.build() });
  }

  // Requests of the peer.

  /** `repeated`: the cached response has just been sent again. `stale`: outside the window, to be dropped (RFC 7296 §2.3). */
  classify(messageId: number, bytes: Uint8Array): 'new' | 'repeated' | 'stale' {
    if (messageId === this.#expectedId) return 'new';
    const answered = this.#answered;
    // Only the very bytes that were authenticated once: the ID alone anyone could send (RFC 7296 §2.1).
    if (answered?.messageId !== messageId || !sameBytes(answered.request, bytes)) return 'stale';
    this.#host.send(answered.response);
    return 'repeated';
  }

  /** Answers the request that `classify` called new. Returns the bytes sent. */
  respond(exchange: ExchangeType, request: Uint8Array, payloads: readonly Payload[]): Uint8Array {
    const messageId = this.#expectedId;
    const response = this.#host.seal({ exchange, messageId, response: true, payloads });
    this.#answered = { messageId, request: Uint8Array.from(request), response };
    this.#expectedId++;
    this.#host.send(response);
    return response;
  }

  /** The last request answered and its answer, for whoever answers repetitions after the SA is gone. */
  get lastAnswer(): { readonly request: Uint8Array; readonly response: Uint8Array } | undefined {
    return this.#answered;
  }
}
