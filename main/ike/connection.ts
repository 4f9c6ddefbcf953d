// Everything between two peers after IKE_AUTH, the same for both roles: the IKE SA in use, those that are coming and going around a
// rekeying of it (succession.ts), the CHILD SAs (child-work.ts), liveness, NAT keepalives, and the end.
//
//          ┌────────────── up ──────────────┐
//   close, │ data plane failed              │ Delete or a fatal notify from the peer, INVALID_SYNTAX, no response, end of life
//          ▼                                ▼
//       deleting ──answered, or patience──▶ closed
//
// Requests of ours are not queued: `#work` sends the one that is most worth it whenever the window is free.

import type { RandomBytes } from '../crypto/random.ts';
import { type Endpoint, formatEndpoint, sameAddress } from '../wire/address.ts';
import type { ChildSa } from './child-sa.ts';
import { drawn, limitOf } from './child-set.ts';
import type { ChildTerms } from './child-terms.ts';
import { ChildWork } from './child-work.ts';
import { crashToken, crashTokenNotify } from './crash-token.ts';
import { IkeError } from './error.ts';
import { type Answer, type Datagram, Established, type EstablishedHost, patience } from './established.ts';
import type { ExchangeManager, LastAnswer } from './exchange.ts';
import { nonsense, noResponse } from './failure.ts';
import { Exchange, exchangeName, type Header, type Message } from './message.ts';
import { Mobike, type MobikeTerms } from './mobike.ts';
import { NotifyType } from './notify.ts';
import type { Outbox } from './outbox.ts';
import type { CloseReason, IkeEvent } from './peer.ts';
import { redirectIn, redirectNotify } from './redirect.ts';
import { formOf } from './rules.ts';
import type { IkeSa, Role } from './sa.ts';
import { Succession } from './succession.ts';
import { statusNotify } from './task/child.ts';
import type { CreateChildOutcome, CreateChildTask } from './task/create-child.ts';
import { InformTask } from './task/inform.ts';
import { processInformational } from './task/informational.ts';
import { LivenessTask } from './task/liveness.ts';
import type { RekeyIkeOutcome, RekeyIkeTask } from './task/rekey-ike.ts';
import type { Task } from './task/task.ts';
import { ticketRequest } from './ticket.ts';
import type { ClientTickets, GatewayTickets } from './ticketing.ts';
import type { Instant, LifetimePolicy, RetransmissionPolicy } from './timing.ts';

export interface ConnectionTerms {
  /** Who began the connection; after a rekeying it may be the other one's IKE SA. */
  readonly role: Role;
  readonly sa: IkeSa;
  readonly manager: ExchangeManager<Task>;
  readonly outbox: Outbox;
  readonly random: RandomBytes;
  /** The CHILD SA of IKE_AUTH, where it has made one. */
  readonly made: readonly ChildSa[];
  readonly children: ChildTerms;
  /** IKE proposals that are offered and accepted when the IKE SA is rekeyed. */
  readonly proposals: readonly string[];
  readonly lifetime: LifetimePolicy | undefined;
  readonly retransmission: RetransmissionPolicy;
  /** 0: never. */
  readonly livenessInterval: number;
  /** 0: never; set only where we are behind a NAT, or feign it. */
  readonly keepaliveInterval: number;
  /** Both ends can move (RFC 4555). */
  readonly mobike?: MobikeTerms | undefined;
  /** The peer may send us to another gateway (RFC 5685), or we it. */
  readonly redirects?: boolean | undefined;
  readonly clientTickets?: ClientTickets | undefined;
  readonly gatewayTickets?: GatewayTickets | undefined;
  /** Milliseconds for which the gateway takes the authentication that IKE_AUTH was (RFC 4478). */
  readonly authLifetime?: number | undefined;
  /** A gateway's, for the tokens of SAs that replace the first (RFC 6290 §4.3). */
  readonly crashSecrets?: readonly Uint8Array[] | undefined;
  readonly now: Instant;
}

/** Events that concern a connection, not the SAs before it. */
export type ConnectionEvent = Exclude<IkeEvent, { readonly kind: 'start' | 'datagram' | 'timer' | 'answer' }>;

type State =
  | { readonly at: 'up' }
  /** Delete is on its way; why we close is told once it is answered. */
  | { readonly at: 'deleting'; readonly reason: CloseReason; readonly giveUp: Instant }
  | { readonly at: 'closed' };

/** INVALID_IKE_SPI is not authenticated: it may trigger a liveness check so often (RFC 7296 §2.21.4). */
const HINT_INTERVAL = 10_000;

export class Connection {
  readonly #terms: ConnectionTerms;
  readonly #outbox: Outbox;
  readonly #children: ChildWork;
  readonly #succession: Succession;
  readonly #mobike: Mobike | undefined;
  #keepaliveInterval: number;
  #state: State = { at: 'up' };
  #lastInbound: Instant;
  #nextKeepalive: Instant | null;
  #lastHint = Number.NEGATIVE_INFINITY;
  /** What we have to say by notifies alone. */
  readonly #informs: InformTask[] = [];
  /** When to ask for authentication anew, and when the old one ends. */
  #reauth: { readonly at: Instant; readonly ends: Instant } | undefined;

  constructor(terms: ConnectionTerms) {
    const { now, outbox, random, lifetime, retransmission } = terms;
    this.#terms = terms;
    this.#outbox = outbox;
    this.#lastInbound = now;
    this.#keepaliveInterval = terms.keepaliveInterval;
    this.#nextKeepalive = this.#keepaliveInterval > 0 ? now + this.#keepaliveInterval : null;
    const host: EstablishedHost = {
      outbox,
      heard: (on, datagram, at) => this.#heard(on, datagram, at),
      request: (on, message, at, datagram) => this.#request(on, message, at, datagram),
      response: (on, task, message, at, datagram) => this.#response(on, task, message, at, datagram),
      failed: (on, reason, at) => this.#failed(on, reason, at),
    };
    this.#succession = new Succession(
      { ...terms, host },
      new Established(terms.sa, terms.manager, host, retransmission),
    );
    const succession = this.#succession;
    this.#children = new ChildWork(terms.children, {
      outbox,
      random,
      get sa() {
        return succession.current.sa;
      },
      failed: (error, at) => this.delete({ by: 'error', error }, at),
      refusesRekeying: (at) => this.#askForReauthentication(at),
    });
    for (const child of terms.made) this.#children.adopt(child, now);
    this.#mobike = terms.mobike && this.#newMobike(terms.mobike);
    const reauthIn = lifetime ? drawn(lifetime.reauth, lifetime, random) : null;
    const limit = lifetime ? limitOf(lifetime.reauth, lifetime) : null;
    if (reauthIn !== null && limit !== null) this.#reauth = { at: now + reauthIn, ends: now + limit };
    if (terms.authLifetime !== undefined) this.#limitAuthentication(terms.authLifetime, now);
  }

  #newMobike(terms: MobikeTerms): Mobike {
    const { role, outbox, random } = this.#terms;
    const succession = this.#succession;
    const { set } = this.#children;
    return new Mobike(terms, {
      role,
      outbox,
      random,
      get current() {
        return succession.current;
      },
      get open() {
        return succession.open;
      },
      get spisOut() {
        return set.all.map(({ spiOut }) => spiOut);
      },
      natChanged: (at) => this.#natChanged(at),
      fail: (error, at) => this.delete({ by: 'error', error }, at),
    });
  }

  /** Once everybody has been told of it: asks for what is still missing. */
  begin(now: Instant) {
    this.#work(now);
  }

  get isClosed(): boolean {
    return this.#state.at === 'closed';
  }

  /** The IKE SA in use. */
  get sa(): IkeSa {
    return this.#succession.current.sa;
  }

  /** Our SPIs of all its IKE SAs, the ones that linger included. */
  get localSpis(): readonly bigint[] {
    return this.#succession.all.map(({ localSpi }) => localSpi);
  }

  owns(header: Header): boolean {
    return this.#succession.all.some((on) => on.owns(header));
  }

  /** What each IKE SA answered last, to be repeated for a while after the end. */
  get lastAnswers(): readonly { readonly localSpi: bigint; readonly last: LastAnswer }[] {
    return this.#succession.all.flatMap(({ localSpi, manager }) => {
      const last = manager.lastAnswer;
      return last ? [{ localSpi, last }] : [];
    });
  }

  /** When `tick` has to be called next; null: never. */
  get deadline(): Instant | null {
    const all: (Instant | null | undefined)[] = [this.#succession.deadline(this.#mayStartIke)];
    switch (this.#state.at) {
      case 'closed':
        return null;
      case 'deleting':
        all.push(this.#state.giveUp);
        break;
      case 'up':
        all.push(this.#livenessAt(), this.#nextKeepalive, this.#reauth?.at);
        if (this.#succession.isFree) all.push(this.#children.deadline);
        break;
    }
    const times = all.filter((at) => at !== null && at !== undefined);
    return times.length > 0 ? Math.min(...times) : null;
  }

  get #mayStartIke(): boolean {
    return this.#state.at === 'up' && !this.#children.isBusy;
  }

  tick(now: Instant) {
    if (this.#state.at === 'closed') return;
    if (this.#state.at === 'deleting' && now >= this.#state.giveUp) return this.#close(this.#state.reason);
    const { manager } = this.#succession.current;
    if (manager.deadline !== null && now >= manager.deadline) this.#mobike?.beforeRetransmission();
    for (const on of this.#succession.tick(now)) this.#ended(on);
    if (this.#isUp) this.#tickUp(now);
    this.#work(now);
  }

  get #isUp(): boolean {
    return this.#state.at === 'up';
  }

  #tickUp(now: Instant) {
    const livenessAt = this.#livenessAt();
    if (livenessAt !== null && now >= livenessAt) this.checkLiveness(now);
    if (this.#nextKeepalive !== null && now >= this.#nextKeepalive) {
      this.#nextKeepalive = now + this.#keepaliveInterval;
      this.#outbox.push({ kind: 'keepalive', to: this.sa.remote });
    }
    if (this.#reauth && now >= this.#reauth.at) this.#askForReauthentication(now);
    this.#children.tick(now);
    if (this.#succession.isExpired(now)) this.delete({ by: 'error', error: expired() }, now);
  }

  handle(event: ConnectionEvent, now: Instant) {
    switch (event.kind) {
      case 'inboundTraffic':
        this.#lastInbound = Math.max(this.#lastInbound, event.at);
        return;
      case 'peerMoved':
        return this.#mobike ? this.#mobike.espFrom(event.from) : this.#peerMoved(event.from);
      case 'childInstalled':
        if (this.#state.at === 'up') this.#children.installed(event.spiIn, event.error, now);
        break;
      case 'childLimit':
        this.#children.rekey(event.spiIn, now);
        break;
      case 'rekey':
        if (event.what === 'ike') this.#succession.rekeySoon(now);
        else this.#children.rekey(event.what.spiIn, now);
        break;
      case 'deleteChild':
        this.#children.delete(event.spiIn);
        break;
      case 'childActive':
        break;
      case 'addressesChanged':
        this.#mobike?.changed(event.local, event.localNatt, now);
        break;
      case 'redirect':
        if (this.#terms.role === 'responder' && this.#terms.redirects)
          this.#informs.push(new InformTask('redirect', [redirectNotify(event.to)]));
        break;
      case 'checkLiveness':
        return this.checkLiveness(now);
      case 'close':
        return this.delete({ by: 'us' }, now);
    }
    this.#work(now);
  }

  /** A datagram whose header names one of its IKE SAs. */
  receive(datagram: Datagram, header: Header, now: Instant) {
    if (this.#state.at === 'closed') return;
    this.#succession.all.find((on) => on.owns(header))?.receive(datagram, header, now);
    this.#work(now);
  }

  checkLiveness(now: Instant) {
    const { current } = this.#succession;
    if (this.#state.at === 'up' && current.manager.idle)
      current.manager.enqueue(this.#mobike?.liveness() ?? new LivenessTask(), now);
  }

  /**
   * Somebody says that the peer has forgotten us. Shown the peer's own token, that is proven (RFC 6290 §4.5); else it is a hint, no more
   * (RFC 7296 §2.21.4).
   */
  hintLost(now: Instant, shown?: { readonly header: Header; readonly tokens: readonly Uint8Array[] }) {
    const on = shown && this.#succession.open.find((one) => one.owns(shown.header));
    if (shown && on?.sa.crashTokens.match(shown.tokens)) {
      this.#outbox.push({ kind: 'log', level: 'info', text: 'the peer has proved that it lost the IKE SA' });
      return this.#failed(on, { by: 'error', error: crashed(on.sa.remote) }, now);
    }
    if (now - this.#lastHint < HINT_INTERVAL) return;
    this.#lastHint = now;
    this.checkLiveness(now);
  }

  /** Stops traffic, tells the peer, and closes when it has heard or does not answer. */
  delete(reason: CloseReason, now: Instant) {
    if (this.#state.at !== 'up') return;
    this.#state = { at: 'deleting', reason, giveUp: now + patience(this.#terms.retransmission, 3) };
    this.#children.set.remove(this.#children.set.all, 'us');
    this.#succession.deleteAll(now);
  }

  /** Ends at once, without a word to the peer: it has another SA with us (INITIAL_CONTACT, RFC 7296 §2.4). */
  abandon(reason: CloseReason) {
    if (this.#state.at !== 'closed') this.#close(reason);
  }

  /** The one request that is most worth sending now. */
  #work(now: Instant) {
    if (this.#state.at !== 'up') return;
    const { manager } = this.#succession.current;
    // RFC 4555 §3.5: as soon as the window allows, and whatever else is going on.
    const path = this.#mobike?.next();
    if (path) manager.enqueue(path, now);
    if (!this.#succession.isFree) return;
    // Behind what a rekeying of the IKE SA would cross (RFC 7296 §2.25.1).
    const due = this.#succession.isDue(now) && !this.#children.isBusy;
    const task = this.#nextInform() ?? this.#children.next(now, due) ?? (due ? this.#succession.begin(now) : undefined);
    if (task) manager.enqueue(task, now);
  }

  #nextInform(): InformTask | undefined {
    if (this.#terms.clientTickets?.asksAnew(this.sa))
      this.#informs.push(new InformTask('request for a ticket', [ticketRequest()]));
    return this.#informs.shift();
  }

  #request(on: Established, message: Message, now: Instant, datagram: Datagram): Answer {
    const { header, payloads } = message;
    switch (header.exchange) {
      case Exchange.INFORMATIONAL:
        return this.#answerInformational(on, message, now, datagram);
      case Exchange.CREATE_CHILD_SA: {
        if (this.#state.at !== 'up') return { payloads: [statusNotify(NotifyType.TEMPORARY_FAILURE)] };
        // RFC 7296 §2.8: who uses the new IKE SA has our answer.
        this.#succession.used(on, now);
        if (formOf(message) === 'rekey-ike')
          return this.#withToken(() => this.#succession.answer(on, payloads, this.#children.isBusy, now));
        return this.#children.answerCreate(payloads, !this.#succession.carriesChildren(on), now);
      }
      case Exchange.IKE_FOLLOWUP_KE:
        return (
          this.#withToken(() => this.#succession.answerFollowUp(on, payloads, now)) ??
          this.#children.answerFollowUp(payloads, now) ?? { payloads: [statusNotify(NotifyType.STATE_NOT_FOUND)] }
        );
      default: {
        const error = nonsense(`${exchangeName(header.exchange)} in an established SA`, header.exchange);
        return {
          payloads: [statusNotify(NotifyType.INVALID_SYNTAX)],
          after: () => this.#failed(on, { by: 'error', error }, now),
        };
      }
    }
  }

  /** The answer that makes a new IKE SA, of whichever exchange, brings the SA's crash token (RFC 6290 §4.3). */
  #withToken<A extends Answer | undefined>(answering: () => A): A | Answer {
    const [secret] = this.#terms.crashSecrets ?? [];
    const before = this.#succession.newest;
    const answer = answering();
    const { newest } = this.#succession;
    if (!answer || !secret || !newest || newest === before) return answer;
    const made = newest.sa;
    const token = crashTokenNotify(crashToken(secret, made.SPIi, made.SPIr));
    return { ...answer, payloads: [...answer.payloads, token] };
  }

  #answerInformational(on: Established, message: Message, now: Instant, datagram: Datagram): Answer {
    const { deletesIke, deletes, fatal, remarks, authLifetime } = processInformational(message);
    for (const text of remarks) this.#outbox.push({ kind: 'log', level: 'warn', text });
    if (deletesIke) return { payloads: [], after: () => this.#deletedByPeer(on, now) };
    this.#succession.used(on, now);
    if (authLifetime !== undefined) this.#limitAuthentication(authLifetime, now);
    on.sa.crashTokens.take(message.payloads);
    const { redirects, role, gatewayTickets } = this.#terms;
    const redirect = redirects && role === 'initiator' ? redirectIn(message.payloads) : undefined;
    const tickets = gatewayTickets?.answer(on.sa, message.payloads, now) ?? [];
    const { payloads, after } = this.#children.answerDelete(deletes, now);
    const path = this.#isUp ? this.#mobike?.answer(on, message, datagram, now) : undefined;
    return {
      payloads: [...payloads, ...tickets, ...(path?.payloads ?? [])],
      after: () => {
        after?.();
        path?.after?.();
        // RFC 5685 §5: answered, then deleted; whoever holds the connection goes to the other gateway.
        if (redirect && !fatal) this.delete({ by: 'redirect', to: redirect }, now);
        if (fatal) this.#failed(on, { by: 'error', error: fatal }, now);
      },
    };
  }

  /** The peer deletes one of the IKE SAs: the connection, unless another one takes its place. */
  #deletedByPeer(on: Established, now: Instant) {
    const left = this.#succession.deletedByPeer(on, now);
    if (this.#state.at === 'deleting') {
      // Both ends may delete at once (RFC 7296 §2.25): then our own reason stands.
      if (left === 'nothing' || this.#succession.open.length === 0) this.#close(this.#state.reason);
    } else if (left === 'nothing') this.#close({ by: 'peer' });
  }

  #response(on: Established, task: Task, message: Message, now: Instant, { from }: Datagram) {
    this.#mobike?.heardFrom(on, from);
    switch (task.kind) {
      case 'liveness':
        return on.manager.complete(now);
      case 'inform':
        this.#terms.clientTickets?.take(on.sa, message.payloads, now);
        return on.manager.complete(now);
      case 'path':
        on.manager.complete(now);
        if (this.#isUp) this.#mobike?.answered(on, task, message, from, now);
        return;
      case 'delete-ike':
        return this.#ended(on, true);
      case 'create-child':
        return this.#created(on, task, () => task.process(message), now);
      case 'follow-up': {
        const { of } = task;
        if (of.kind === 'create-child') return this.#created(on, of, () => of.followUp(message), now);
        return this.#rekeyed(on, of, of.followUp(message), message, now);
      }
      case 'delete-child':
        if (this.#state.at === 'up') this.#children.deleted();
        return on.manager.complete(now);
      case 'rekey-ike':
        return this.#rekeyed(on, task, task.process(message), message, now);
      case 'ike-auth':
      case 'authentication-failed':
        throw new Error(`${task.name} is not of an established SA`);
    }
  }

  #created(on: Established, task: CreateChildTask, outcome: () => CreateChildOutcome, now: Instant) {
    // What is being closed makes nothing any more.
    const next = this.#isUp ? this.#children.created(task, outcome(), now) : undefined;
    if (!this.#isUp) task.wipe();
    on.manager.complete(now);
    if (next) on.manager.enqueue(next, now);
  }

  #rekeyed(on: Established, task: RekeyIkeTask, outcome: RekeyIkeOutcome, message: Message, now: Instant) {
    const failure = this.#succession.rekeyed(on, task, outcome, !this.#isUp, now);
    // RFC 6290 §4.3: the token in the answer is the new SA's.
    if (this.#succession.current !== on) this.sa.crashTokens.take(message.payloads);
    if (failure === 'refuses') this.#askForReauthentication(now);
    else if (failure) this.delete({ by: 'error', error: failure }, now);
  }

  /** An IKE SA is over: its Delete is answered, or nobody answers. */
  #ended(on: Established, answered = false) {
    const request = on.manager.inFlight?.name ?? 'request';
    const wasCurrent = on === this.#succession.current;
    this.#succession.close(on);
    switch (this.#state.at) {
      case 'closed':
        return;
      case 'deleting':
        if (this.#succession.open.length === 0) this.#close(this.#state.reason);
        return;
      case 'up':
        if (wasCurrent && !answered)
          this.#close({ by: 'error', error: noResponse(request, on.sa.remote, this.#terms.role) });
    }
  }

  #failed(on: Established, reason: CloseReason, now: Instant) {
    if (this.#state.at === 'closed') return;
    if (this.#succession.isSpare(on)) return this.#succession.close(on);
    if (this.#state.at === 'deleting') return this.#close(this.#state.reason);
    void now;
    this.#close(reason);
  }

  /** A message with a good tag and a new ID. */
  #heard(on: Established, datagram: Datagram, now: Instant) {
    this.#lastInbound = Math.max(this.#lastInbound, now);
    // RFC 4555 §3.8: who can say that it moves is not followed for anything else.
    if (!this.#mobike && datagram.transport === on.sa.transport) this.#peerMoved(datagram.from);
  }

  /** RFC 7296 §2.23: only who is not behind a NAT follows a peer that is. A peer in TCP may open another connection (RFC 9329 §6.1). */
  #peerMoved(to: Endpoint) {
    const { sa } = this;
    if (this.#state.at === 'closed') return;
    if (sa.encapsulation !== 'tcp' && (!sa.nat.remote || sa.nat.local)) return;
    if (sameAddress(to.address, sa.remote.address) && to.port === sa.remote.port) return;
    this.#outbox.push({
      kind: 'log',
      level: 'info',
      text: `the peer's NAT moved it from ${formatEndpoint(sa.remote)} to ${formatEndpoint(to)}`,
    });
    for (const on of this.#succession.open) on.sa.remote = to;
    for (const { spiOut } of this.#children.set.all) this.#outbox.push({ kind: 'moveChild', spiOut, peer: to });
  }

  #natChanged(now: Instant) {
    const interval = this.#mobike?.keepaliveInterval ?? this.#keepaliveInterval;
    if (interval === this.#keepaliveInterval) return;
    this.#keepaliveInterval = interval;
    this.#nextKeepalive = interval > 0 ? now + interval : null;
  }

  #livenessAt(): Instant | null {
    const { livenessInterval } = this.#terms;
    return livenessInterval > 0 && this.#succession.isFree ? this.#lastInbound + livenessInterval : null;
  }

  /** RFC 4478 §3: the peer ends the SA by itself after so many milliseconds. */
  #limitAuthentication(time: number, now: Instant) {
    const ends = now + time;
    if (this.#terms.role === 'responder' || (this.#reauth && this.#reauth.ends <= ends)) return;
    this.#reauth = { at: now + 0.9 * time, ends };
  }

  #askForReauthentication(now: Instant) {
    const ends = this.#reauth?.ends ?? this.#children.expires ?? now;
    this.#reauth = undefined;
    this.#outbox.push({ kind: 'reauthenticate', within: Math.max(0, ends - now) });
  }

  #close(reason: CloseReason) {
    this.#children.set.remove(this.#children.set.all, reason.by === 'peer' ? 'peer' : 'us');
    this.#children.wipe();
    // RFC 5723 §6.2: a ticket outlives only an SA that nobody has deleted.
    if (reason.by !== 'error') this.#terms.gatewayTickets?.forget();
    this.#state = { at: 'closed' };
    this.#succession.closeAll();
    this.#outbox.push({ kind: 'closed', reason });
  }
}

function crashed(peer: Endpoint): IkeError {
  return new IkeError({
    code: 'no-response',
    message: `${formatEndpoint(peer)} was restarted and does not know this connection any more`,
    remedy: 'nothing, unless it happens often: connecting again is enough',
  });
}

function expired(): IkeError {
  return new IkeError({
    code: 'peer-error',
    message: 'the keys of the connection have come to the end of their life and could not be replaced',
    remedy: 'connect again; if it happens each time, ask the administrator why the gateway refuses rekeying',
  });
}
