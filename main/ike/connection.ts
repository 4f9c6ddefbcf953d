// Everything between two peers after IKE_AUTH, the same for both roles: the IKE SA in use, those that are coming and going around a
// rekeying of it (succession.ts), the CHILD SAs (child-work.ts), signs of life, and the end.
//
//          ┌────────────── up ──────────────┐
//   close, │ data plane failed              │ Delete or a fatal notify from the peer, INVALID_SYNTAX, no response, end of life
//          ▼                                ▼
//       deleting ──answered, or patience──▶ closed
//
// Requests of the peer: answers.ts. Requests of ours are not queued: `#work` sends the one that is most worth it whenever the window is free.
import { type Endpoint, formatEndpoint, sameAddress } from '../wire/address.ts';
import { type AnsweringHost, Answers } from './answers.ts';
import { ChildWork } from './child-work.ts';
import type { ConnectionTerms } from './connection-terms.ts';
import { type Datagram, Established, type EstablishedHost, patience } from './established.ts';
import type { LastAnswer } from './exchange.ts';
import { crashed, ikeExpired, noResponse } from './failure.ts';
import type { Header, Message } from './message.ts';
import { Mobike, type MobikeTerms } from './mobike.ts';
import type { Outbox } from './outbox.ts';
import type { CloseReason, IkeEvent } from './peer.ts';
import { Reauthentication } from './reauthentication.ts';
import { redirectNotify } from './redirect.ts';
import type { IkeSa } from './sa.ts';
import { SignsOfLife } from './signs-of-life.ts';
import { Succession } from './succession.ts';
import type { CreateChildOutcome, CreateChildTask } from './task/create-child.ts';
import { InformTask } from './task/inform.ts';
import { LivenessTask } from './task/liveness.ts';
import type { RekeyIkeOutcome, RekeyIkeTask } from './task/rekey-ike.ts';
import type { Task } from './task/task.ts';
import { ticketRequest } from './ticket.ts';
import type { Instant } from './timing.ts';

/** Events that concern a connection, not the SAs before it. */
export type ConnectionEvent = Exclude<IkeEvent, { readonly kind: 'start' | 'datagram' | 'timer' | 'answer' }>;

type State =
  | { readonly at: 'up' }
  /** Delete is on its way; why we close is told once it is answered. */
  | { readonly at: 'deleting'; readonly reason: CloseReason; readonly giveUp: Instant }
  | { readonly at: 'closed' };

export class Connection {
  readonly #terms: ConnectionTerms;
  readonly #outbox: Outbox;
  readonly #children: ChildWork;
  readonly #succession: Succession;
  readonly #mobike: Mobike | undefined;
  readonly #signs: SignsOfLife;
  readonly #reauthentication: Reauthentication;
  readonly #answers: Answers;
  #state: State = { at: 'up' };
  /** What we have to say by notifies alone. */
  readonly #informs: InformTask[] = [];

  constructor(terms: ConnectionTerms) {
    const { now, outbox, random, lifetime, retransmission } = terms;
    this.#terms = terms;
    this.#outbox = outbox;
    this.#signs = new SignsOfLife(terms.livenessInterval, terms.keepaliveInterval, now);
    const host: EstablishedHost = {
      outbox,
      heard: (on, datagram, at) => this.#heard(on, datagram, at),
      request: (on, message, at, datagram) => this.#answers.to(on, message, at, datagram),
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
    this.#reauthentication = new Reauthentication(terms.role, lifetime, random, now);
    if (terms.authLifetime !== undefined) this.#reauthentication.limit(terms.authLifetime, now);
    this.#answers = this.#newAnswers();
  }

  #newAnswers(): Answers {
    const isUp = (): boolean => this.#isUp;
    const host: AnsweringHost = {
      get isUp() {
        return isUp();
      },
      delete: (reason, at) => this.delete(reason, at),
      deletedByPeer: (on, at) => this.#deletedByPeer(on, at),
      failed: (on, reason, at) => this.#failed(on, reason, at),
    };
    return new Answers(this.#terms, host, {
      succession: this.#succession,
      children: this.#children,
      mobike: this.#mobike,
      reauthentication: this.#reauthentication,
    });
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
        all.push(this.#livenessAt, this.#signs.keepaliveAt, this.#reauthentication.at);
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
    const livenessAt = this.#livenessAt;
    if (livenessAt !== null && now >= livenessAt) this.checkLiveness(now);
    if (this.#signs.takeKeepalive(now)) this.#outbox.push({ kind: 'keepalive', to: this.sa.remote });
    if (this.#reauthentication.isDue(now)) this.#askForReauthentication(now);
    this.#children.tick(now);
    if (this.#succession.isExpired(now)) this.delete({ by: 'error', error: ikeExpired() }, now);
  }

  handle(event: ConnectionEvent, now: Instant) {
    switch (event.kind) {
      case 'inboundTraffic':
        this.#signs.heard(event.at);
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
    if (this.#signs.takeHint(now)) this.checkLiveness(now);
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
    const next = this.#isUp ? this.#children.requests.created(task, outcome(), now) : undefined;
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
    this.#signs.heard(now);
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
    if (this.#mobike) this.#signs.keepalives(this.#mobike.keepaliveInterval, now);
  }

  get #livenessAt(): Instant | null {
    return this.#succession.isFree ? this.#signs.livenessAt : null;
  }

  #askForReauthentication(now: Instant) {
    const within = this.#reauthentication.ask(this.#children.expires, now);
    this.#outbox.push({ kind: 'reauthenticate', within });
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
