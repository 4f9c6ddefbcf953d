// The IKE SAs of one connection: the one in use, and those that come and go when it is rekeyed, by either side or by both at once
// (RFC 7296 §2.8, §2.8.2, §2.18, §2.25.2).
//
//   we rekey:        current ──request, answered──▶ new one is current; the old one is deleted by us
//   the peer does:   current ──request──▶ answered, `rival` waits ──Delete of the old one, or a request on the new──▶ rival is current
//   both do:         the new SA made with the lowest of the four nonces is deleted by who made it; the other one is current
//
// CHILD SAs belong to the connection and so to whichever IKE SA is in use: inheriting them needs no work.

import type { RandomBytes } from '../crypto/random.ts';
import { Backoff } from './backoff.ts';
import type { IkeError } from './error.ts';
import { type Answer, Established, type EstablishedHost, patience } from './established.ts';
import { ExchangeManager } from './exchange.ts';
import { exchangeHost } from './exchange-host.ts';
import { notifyOf } from './notifies.ts';
import { NotifyType, notifyName } from './notify.ts';
import type { Outbox } from './outbox.ts';
import type { Payload } from './payload/payload.ts';
import type { IkeSa } from './sa.ts';
import { randomSpi } from './spi.ts';
import { FollowUpTask, type PendingFollowUps } from './task/follow-up.ts';
import { compareNonces } from './task/key-exchange.ts';
import { answerRekeyIke, type RekeyIkeOutcome, RekeyIkeTask } from './task/rekey-ike.ts';
import type { Task } from './task/task.ts';
import { drawn, type Instant, type LifetimePolicy, limitOf, type RetransmissionPolicy } from './timing.ts';

export interface SuccessionTerms {
  readonly outbox: Outbox;
  readonly random: RandomBytes;
  readonly host: EstablishedHost;
  readonly proposals: readonly string[];
  readonly lifetime: LifetimePolicy | undefined;
  readonly retransmission: RetransmissionPolicy;
  readonly now: Instant;
}

/** What the peer has made out of `current`, with the lower nonce of its exchange. */
interface Rival {
  readonly on: Established;
  readonly least: Uint8Array;
  /** It is taken into use then, though the peer has not deleted the old one. */
  readonly until: Instant;
}

/** An SA that is over repeats its last answer for so long, for the peer that did not get it. */
const LINGER = 30_000;
/** Of them, whatever a peer does that rekeys again and again: the oldest are forgotten before their time. */
const MOST_OTHERS = 8;

export class Succession {
  readonly #terms: SuccessionTerms;
  readonly #backoff: Backoff;
  #current: Established;
  #rival: Rival | undefined;
  #rekeying: { readonly on: Established; readonly task: RekeyIkeTask; followsUp: boolean } | undefined;
  /** What the peer has begun out of `current`, and goes on with by IKE_FOLLOWUP_KE (RFC 9370 §2.2.4). */
  #pending: { readonly follow: PendingFollowUps<IkeSa>; readonly until: Instant } | undefined;
  /** Replaced, or made in vain: on their way out, or gone. */
  #others: readonly { readonly on: Established; readonly forget: Instant }[] = [];
  #rekeyAt: Instant | null = null;
  #expires: Instant | null = null;

  constructor(terms: SuccessionTerms, first: Established) {
    this.#terms = terms;
    this.#current = first;
    this.#backoff = new Backoff(terms.random);
    this.#startLife(terms.now);
  }

  get current(): Established {
    return this.#current;
  }

  /** What the peer has just made. */
  get newest(): Established | undefined {
    return this.#rival?.on;
  }

  get all(): readonly Established[] {
    return [this.#current, ...(this.#rival ? [this.#rival.on] : []), ...this.#others.map(({ on }) => on)];
  }

  get open(): readonly Established[] {
    return this.all.filter((on) => !on.isClosed);
  }

  /** A request may be sent on the current SA, and it is not about to be replaced (RFC 7296 §1.3.2). */
  get isFree(): boolean {
    const { manager, isEnding } = this.#current;
    return manager.idle && !this.#rival && !this.#pending && !this.#rekeying && !isEnding;
  }

  /** Not the SA in use, nor the one that is about to be. */
  isSpare(on: Established): boolean {
    return on !== this.#current && on !== this.#rival?.on;
  }

  /** May CHILD SAs be made and rekeyed on it now (RFC 7296 §2.25.2)? */
  carriesChildren(on: Established): boolean {
    return on === this.#current && !this.#rival && !this.#pending && !this.#rekeying && !on.isEnding;
  }

  /** When `tick` or `begin` has something to do; null: never. */
  deadline(mayBegin: boolean): Instant | null {
    const times: (Instant | null)[] = this.open.map((on) => on.deadline);
    if (this.#rival) times.push(this.#rival.until);
    if (this.#pending) times.push(this.#pending.until);
    times.push(this.#expires);
    if (mayBegin && this.isFree && this.#rekeyAt !== null)
      times.push(Math.max(this.#rekeyAt, this.#backoff.until ?? this.#rekeyAt));
    const set = times.filter((at) => at !== null);
    return set.length > 0 ? Math.min(...set) : null;
  }

  /** Returns those that nobody answers on, or that nobody has deleted in time. */
  tick(now: Instant): readonly Established[] {
    this.#others = this.#others.filter(({ on, forget }) => !on.isClosed || now < forget);
    if (this.#pending && now >= this.#pending.until) this.#dropPending();
    if (this.#rival && now >= this.#rival.until && !this.#rekeying) this.#adoptRival(now, 'deletes the old one');
    return this.open.filter((on) => on.tick(now) === 'ended');
  }

  isExpired(now: Instant): boolean {
    return this.#expires !== null && now >= this.#expires;
  }

  rekeySoon(now: Instant) {
    this.#rekeyAt = Math.min(this.#rekeyAt ?? now, now);
  }

  /** Is it time to rekey, by the clock or because message IDs come to their end (RFC 7296 §2.2)? */
  isDue(now: Instant): boolean {
    const due = (this.#rekeyAt !== null && now >= this.#rekeyAt) || this.#current.manager.nearsEnd;
    return due && this.#backoff.allows(now);
  }

  // Rekeying by us.

  begin(_now: Instant, group?: number): RekeyIkeTask {
    const { proposals, random } = this.#terms;
    const task = new RekeyIkeTask({ sa: this.#current.sa, proposals, SPIi: randomSpi(random), group }, random);
    this.#rekeying = { on: this.#current, task, followsUp: false };
    return task;
  }

  /** The answer to `begin`, or to what followed. Returns why the connection cannot go on, or that the peer does not rekey at all. */
  rekeyed(
    on: Established,
    task: RekeyIkeTask,
    outcome: RekeyIkeOutcome,
    closing: boolean,
    now: Instant,
  ): IkeError | 'refuses' | undefined {
    const rekeying = this.#rekeying?.on === on ? this.#rekeying : undefined;
    if (outcome.kind === 'more' && rekeying && !closing && this.#goesOn(outcome.least)) {
      rekeying.followsUp = true;
      on.manager.complete(now);
      on.manager.enqueue(new FollowUpTask(task), now);
      return undefined;
    }
    task.wipe();
    const wasOurs = rekeying !== undefined;
    this.#rekeying = undefined;
    switch (outcome.kind) {
      case 'more':
        // RFC 9370 §2.2.4: it has lost a collision, and nothing is made yet that would have to be deleted.
        on.manager.complete(now);
        return undefined;
      case 'made': {
        this.#backoff.succeeded();
        const ours = this.#establish(outcome.sa);
        on.manager.complete(now);
        if (closing || !wasOurs || on !== this.#current) {
          this.#retire(ours, now);
          ours.delete(now);
          return undefined;
        }
        this.#decide(on, ours, outcome.least, now);
        return undefined;
      }
      case 'again':
        on.manager.complete(now);
        if (closing || this.#theirs || on !== this.#current) return undefined;
        on.manager.enqueue(this.begin(now, outcome.group), now);
        return undefined;
      case 'refused':
        on.manager.complete(now);
        // RFC 7296 §2.8.2: where the peer has rekeyed it already, our own attempt is of no interest.
        if (closing || this.#theirs || on !== this.#current) return undefined;
        this.#terms.outbox.push({
          kind: 'log',
          level: 'info',
          text: `the peer refuses to rekey the IKE SA for now: ${notifyName(outcome.type)}`,
        });
        if (outcome.type === NotifyType.TEMPORARY_FAILURE || outcome.type === NotifyType.STATE_NOT_FOUND)
          return this.#backoff.refused(now) === 'exhausted' ? outcome.error : undefined;
        if (outcome.type === NotifyType.INVALID_SYNTAX) return outcome.error;
        this.#rekeyAt = null;
        return 'refuses';
    }
  }

  /** RFC 9370 §2.2.4: a collision is decided before the additional key exchanges. */
  #goesOn(least: Uint8Array): boolean {
    if (this.#theirs && compareNonces(least, this.#theirs) < 0) return false;
    this.#dropPending();
    return true;
  }

  /** The lower nonce of what the peer has made, or is making. */
  get #theirs(): Uint8Array | undefined {
    return this.#rival?.least ?? this.#pending?.follow.least;
  }

  #dropPending() {
    this.#pending?.follow.wipe();
    this.#pending = undefined;
  }

  /** RFC 7296 §2.8.2: of two new SAs, the one made with the lowest of the four nonces goes. */
  #decide(old: Established, ours: Established, least: Uint8Array, now: Instant) {
    const rival = this.#rival;
    if (this.#theirs && compareNonces(least, this.#theirs) < 0) {
      this.#terms.outbox.debug('both ends rekeyed the IKE SA: the one that the peer has made stays');
      this.#retire(ours, now);
      ours.delete(now);
      return;
    }
    this.#dropPending();
    if (rival) {
      this.#terms.outbox.debug('both ends rekeyed the IKE SA: ours stays');
      this.#rival = undefined;
      this.#retire(rival.on, now);
      rival.on.awaitDelete(now + this.#grace);
    }
    this.#adopt(ours, now);
    this.#retire(old, now);
    old.delete(now);
  }

  // Rekeying by the peer.

  answer(on: Established, request: readonly Payload[], childrenBusy: boolean, now: Instant): Answer {
    const { random, proposals, outbox } = this.#terms;
    const later = (why: string): Answer => {
      outbox.debug(`refused to rekey the IKE SA for now: ${why}`);
      return { payloads: [notifyOf(NotifyType.TEMPORARY_FAILURE)] };
    };
    if (on !== this.#current || on.isEnding) return later('it is being closed');
    if (this.#rival) return later('it is being rekeyed already');
    // RFC 9370 §2.2.4: the peer has lost our answer, or would know of ours.
    if (this.#rekeying?.followsUp) return later('we are rekeying it');
    if (childrenBusy) return later('a CHILD SA is being made, rekeyed or deleted');
    const answer = answerRekeyIke(request, { sa: on.sa, proposals, SPIr: randomSpi(random), random });
    if (answer.kind === 'refused') {
      outbox.debug(`refused to rekey the IKE SA: ${answer.why}`);
      return { payloads: answer.payloads };
    }
    this.#dropPending();
    if (answer.kind === 'made') this.#meet(answer.sa, answer.least, now);
    else this.#pending = { follow: answer.pending, until: now + this.#grace };
    return { payloads: answer.payloads };
  }

  /** An IKE_FOLLOWUP_KE of the peer's; undefined: not for what it has begun here. */
  answerFollowUp(on: Established, request: readonly Payload[], now: Instant): Answer | undefined {
    const pending = this.#pending;
    if (on !== this.#current || !pending?.follow.matches(request)) return undefined;
    const answer = pending.follow.answer(request);
    switch (answer.kind) {
      case 'refused':
        this.#dropPending();
        this.#terms.outbox.debug(`refused an IKE_FOLLOWUP_KE of the peer: ${answer.why}`);
        return { payloads: [notifyOf(NotifyType.INVALID_SYNTAX)] };
      case 'more':
        this.#pending = { ...pending, until: now + this.#grace };
        return { payloads: answer.payloads };
      case 'made':
        this.#pending = undefined;
        this.#meet(answer.made, pending.follow.least, now);
        return { payloads: answer.payloads };
    }
  }

  #meet(sa: IkeSa, least: Uint8Array, now: Instant) {
    this.#rival = { on: this.#establish(sa), least, until: now + this.#grace };
  }

  /** The peer sends something on it that is no Delete. */
  used(on: Established, now: Instant) {
    if (on === this.#rival?.on) this.#adoptRival(now, 'uses the new one');
  }

  /** What is left: another SA that goes on, or nothing. */
  deletedByPeer(on: Established, now: Instant): 'another' | 'nothing' {
    if (on === this.#rival?.on) {
      // Taken back, or lost to ours.
      this.#rival = undefined;
      this.#retire(on, now);
      on.close();
      return 'another';
    }
    if (on !== this.#current) {
      on.close();
      return 'another';
    }
    // RFC 7296 §2.8.2: a rekeying of ours that is still on its way is forgotten with the SA.
    if (this.#rival) this.#adoptRival(now, 'has deleted the old one');
    on.close();
    return on === this.#current ? 'nothing' : 'another';
  }

  // The end.

  close(on: Established) {
    on.close();
  }

  /** Everything is to be closed: whatever the peer holds for the one in use. */
  deleteAll(now: Instant) {
    this.#rekeyAt = null;
    this.#expires = null;
    for (const on of this.open) on.delete(now);
  }

  closeAll() {
    this.#rekeying = undefined;
    this.#dropPending();
    for (const on of this.all) on.close();
  }

  /** For so long the peer may be busy with repeating what we have not answered. */
  get #grace(): number {
    return patience(this.#terms.retransmission) + 10_000;
  }

  #establish(sa: IkeSa): Established {
    const { outbox, retransmission, host } = this.#terms;
    const manager = new ExchangeManager<Task>(exchangeHost(sa, outbox), retransmission);
    return new Established(sa, manager, host, retransmission);
  }

  #adoptRival(now: Instant, why: string) {
    const { on } = this.#rival ?? {};
    if (!on) return;
    const old = this.#current;
    this.#rival = undefined;
    // An answer that still comes makes an SA that nobody wants: `rekeyed` deletes it.
    this.#rekeying = undefined;
    this.#terms.outbox.debug(`the IKE SA that the peer has made is in use: it ${why}`);
    this.#adopt(on, now);
    this.#retire(old, now);
    old.awaitDelete(now + this.#grace);
  }

  #adopt(on: Established, now: Instant) {
    this.#current = on;
    this.#startLife(now);
    this.#terms.outbox.push({ kind: 'rekeyed', proposal: on.sa.suite.name });
  }

  #retire(on: Established, now: Instant) {
    this.#others = [...this.#others, { on, forget: now + this.#grace + LINGER }];
    if (this.#others.length <= MOST_OTHERS) return;
    const spent = this.#others.find((other) => other.on.isClosed) ?? this.#others[0];
    spent?.on.close();
    this.#others = this.#others.filter((other) => other !== spent);
  }

  #startLife(now: Instant) {
    const { lifetime, random } = this.#terms;
    const rekeyIn = lifetime ? drawn(lifetime.ike, lifetime, random) : null;
    this.#rekeyAt = rekeyIn === null ? null : now + rekeyIn;
    const limit = lifetime ? limitOf(lifetime.ike, lifetime) : null;
    this.#expires = limit === null ? null : now + limit;
    this.#backoff.succeeded();
  }
}
