// The initiator of an IKE SA (RFC 7296): its phases one after the other (phase/phase.ts), then what established.ts does. Sans-IO: events in,
// effects out.
//
//   idle ──start──▶ init ──agreed──▶ [intermediate ──▶] auth ──authenticated──▶ established ──▶ closed
//                   │  └ fallback.ts: init again           │  └─ no CHILD SA ──▶ established, deleting ─┘
//                   └── no (good) answer, refused, close ──────────────────────────────────────────────▲

import type { RandomBytes } from '../crypto/random.ts';
import { isWireError } from '../wire/error.ts';
import { initiatorAnnouncements } from './auth/announced.ts';
import { authLifetimeIn } from './auth/lifetime.ts';
import { OwnSecrets } from './auth/secrets.ts';
import { Connection } from './connection.ts';
import { initiatorTerms } from './connection-terms.ts';
import { IkeError } from './error.ts';
import type { Datagram } from './established.ts';
import { ExchangeManager } from './exchange.ts';
import { exchangeHost } from './exchange-host.ts';
import { configured } from './failure.ts';
import { type Attempt, firstAttempt, isLast, isPlain, nextAttempt, SENDINGS_BEFORE_FALLBACK } from './fallback.ts';
import { DATAGRAM_SIZES } from './fragment.ts';
import { sameIdentity } from './identity.ts';
import type { InitiatorConfig } from './initiator-config.ts';
import { decodeHeader } from './message.ts';
import { mobikeAnnouncements, mobikeIn } from './mobike-support.ts';
import { NotifyType } from './notify.ts';
import { Outbox } from './outbox.ts';
import type { CloseReason, IkeDeps, IkeEffect, IkeEvent, IkePeer } from './peer.ts';
import { type Authenticated, AuthPhase } from './phase/initiator-auth.ts';
import { type Agreed, InitPhase } from './phase/initiator-init.ts';
import { IntermediatePhase } from './phase/initiator-intermediate.ts';
import { ResumePhase } from './phase/initiator-resume.ts';
import type { InitiatorPhase } from './phase/phase.ts';
import { redirectAnnouncements, redirectIn } from './redirect.ts';
import type { IkeSa } from './sa.ts';
import { randomChildSpi, randomSpi } from './spi.ts';
import { ChildOffer, wipeChild } from './task/child.ts';
import { IkeInitTask } from './task/ike-init.ts';
import type { Task } from './task/task.ts';
import { type ResumableSa, ticketRequest } from './ticket.ts';
import { ClientTickets } from './ticketing.ts';
import type { Instant } from './timing.ts';
import { shownTokens, unprotectedError } from './unprotected.ts';

type State =
  | { readonly at: 'idle' }
  | { readonly at: 'phase'; readonly phase: InitiatorPhase }
  | { readonly at: 'established'; readonly established: Connection }
  | { readonly at: 'closed' };

/** An SA with keys; `resumed`: by a ticket with these names. */
interface ToAuthenticate extends Agreed {
  readonly resumed?: Pick<ResumableSa, 'initiator' | 'responder'> | undefined;
}

/** Throws an IkeError `configuration` where a proposal cannot be parsed. */
export function createInitiator(config: InitiatorConfig, deps: IkeDeps): IkePeer {
  return new Initiator(config, deps.random);
}

class Initiator implements IkePeer {
  readonly #config: InitiatorConfig;
  readonly #random: RandomBytes;
  readonly #outbox = new Outbox();
  readonly #secrets: OwnSecrets;
  #SPIi: bigint;
  #startedAgain = false;
  #attempt: Attempt = 'only';
  #state: State = { at: 'idle' };
  #timer: Instant | null = null;

  constructor(config: InitiatorConfig, random: RandomBytes) {
    this.#secrets = new OwnSecrets(config);
    this.#config = this.#secrets.config;
    this.#random = random;
    this.#SPIi = randomSpi(random);
    // A misconfiguration shows now, not at start.
    const task = this.#initTask();
    this.#attempt = firstAttempt(task.canDoWithout);
    task.wipe();
    this.#childOffer();
  }

  handle(event: IkeEvent, now: Instant): IkeEffect[] {
    if (this.#state.at === 'closed') return [];
    switch (event.kind) {
      case 'start':
        if (this.#state.at === 'idle') this.#begin(now);
        break;
      case 'datagram':
        this.#receive(event, now);
        break;
      case 'timer':
        this.#timer = null;
        if (this.#state.at === 'phase') this.#state.phase.tick(now);
        else if (this.#state.at === 'established') this.#state.established.tick(now);
        break;
      case 'answer':
        if (this.#state.at === 'phase') this.#state.phase.answer(event.id, event.answer, now);
        break;
      case 'close':
        this.#askedToClose(now);
        break;
      default:
        this.#established?.handle(event, now);
        break;
    }
    return this.#finish();
  }

  get #established(): Connection | undefined {
    return this.#state.at === 'established' ? this.#state.established : undefined;
  }

  #finish(): IkeEffect[] {
    if (this.#established?.isClosed) {
      this.#state = { at: 'closed' };
      this.#secrets.wipe();
    }
    const deadline = this.#deadline();
    if (deadline !== this.#timer) {
      this.#timer = deadline;
      // `closed` is the last effect; a timer that still runs is of no consequence.
      if (deadline !== null || this.#state.at !== 'closed') this.#outbox.push({ kind: 'timer', at: deadline });
    }
    return this.#outbox.take();
  }

  #deadline(): Instant | null {
    switch (this.#state.at) {
      case 'idle':
      case 'closed':
        return null;
      case 'phase':
        return this.#state.phase.deadline;
      case 'established':
        return this.#state.established.deadline;
    }
  }

  #askedToClose(now: Instant) {
    const state = this.#state;
    switch (state.at) {
      case 'idle':
        return this.#close({ by: 'us' });
      case 'phase':
        return state.phase.askedToClose(now);
      case 'established':
        return state.established.delete({ by: 'us' }, now);
      case 'closed':
        return;
    }
  }

  #receive(datagram: Datagram, now: Instant) {
    const header = decodeHeader(datagram.bytes);
    if (isWireError(header)) return this.#drop(header.toString());
    const state = this.#state;
    if (state.at !== 'established' && header.SPIi !== this.#SPIi) return this.#drop('it belongs to another IKE SA');
    switch (state.at) {
      case 'idle':
      case 'closed':
        return;
      case 'phase':
        return state.phase.receive(datagram, header, now);
      case 'established': {
        const { established } = state;
        if (!established.owns(header)) return this.#drop('it belongs to another IKE SA');
        const error = unprotectedError(datagram.bytes);
        if (error === NotifyType.INVALID_IKE_SPI)
          return established.hintLost(now, { header, tokens: shownTokens(datagram.bytes) });
        return established.receive(datagram, header, now);
      }
    }
  }

  /** With a ticket where there is a good one for these two names (RFC 5723 §4.3.3), else from the start. */
  #begin(now: Instant) {
    const { resume, identity, remoteIdentity, sameNames } = this.#config;
    const from = resume?.usable(now);
    const fits =
      from &&
      sameIdentity(from.initiator, identity) &&
      (!remoteIdentity || sameIdentity(from.responder, remoteIdentity) || sameNames?.(remoteIdentity, from.responder));
    if (!resume || !fits) return this.#start(now);
    const phase = new ResumePhase({
      config: this.#config,
      random: this.#random,
      outbox: this.#outbox,
      SPIi: this.#SPIi,
      ticket: resume.ticket,
      from,
      fragmentSizes: this.#config.fragmentSizes ?? DATAGRAM_SIZES,
      now,
      resumed: ({ sa, announced }, at) => {
        const manager = this.#newManager(sa);
        // A refusal, too, is worth one attempt from the start.
        this.#authenticate({ sa, announced, ambiguous: true, resumed: from }, manager, at);
      },
      failed: (why, at) => {
        this.#outbox.push({ kind: 'log', level: 'info', text: `connecting from the start: ${why}` });
        this.#SPIi = randomSpi(this.#random);
        this.#start(at);
      },
      close: (reason) => this.#close(reason),
    });
    this.#state = { at: 'phase', phase };
  }

  #newManager(sa: IkeSa): ExchangeManager<Task> {
    return new ExchangeManager<Task>(exchangeHost(sa, this.#outbox), this.#config.retransmission, {
      ours: 1,
      theirs: 0,
    });
  }

  #start(now: Instant): void {
    const { retransmission } = this.#config;
    const tries = Math.min(retransmission.tries, SENDINGS_BEFORE_FALLBACK);
    const phase = new InitPhase({
      config: this.#config,
      random: this.#random,
      outbox: this.#outbox,
      SPIi: this.#SPIi,
      task: this.#initTask(),
      retransmission: isLast(this.#attempt) ? retransmission : { ...retransmission, tries },
      now,
      agreed: (agreed, at) => this.#agreed(agreed, at),
      failed: (outcome, error, at) => {
        const next = nextAttempt(this.#attempt, outcome);
        if (next) this.#tryNext(next, phase, `${outcome === 'silence' ? 'no answer' : error.message}`, at);
        else this.#close({ by: 'error', error });
      },
      close: (reason) => this.#close(reason),
    });
    this.#state = { at: 'phase', phase };
  }

  /** fallback.ts says what comes next; the attempt before leaves nothing behind. */
  #tryNext(next: Attempt, before: { abandon(): void }, why: string, now: Instant): void {
    const text = isPlain(next)
      ? `IKE_SA_INIT again without additional key exchanges (${next === 'plain' ? 'the keys will not be post-quantum' : 'is anybody there?'}): ${why}`
      : 'IKE_SA_INIT again with additional key exchanges: the gateway answers now';
    this.#outbox.push({ kind: 'log', level: next === 'plain' ? 'warn' : 'info', text });
    before.abandon();
    this.#attempt = next;
    this.#SPIi = randomSpi(this.#random);
    this.#start(now);
  }

  #agreed(agreed: Agreed, now: Instant): void {
    const { sa } = agreed;
    const next = nextAttempt(this.#attempt, 'answered');
    if (next) {
      this.#tryNext(next, { abandon: () => sa.wipe() }, '', now);
      return;
    }
    const manager = this.#newManager(sa);
    if (sa.suite.additional.length === 0) {
      this.#authenticate(agreed, manager, now);
      return;
    }
    const phase = new IntermediatePhase({
      retransmission: this.#config.retransmission,
      random: this.#random,
      outbox: this.#outbox,
      sa,
      manager,
      now,
      done: (at) => this.#authenticate(agreed, manager, at),
      close: (reason) => this.#close(reason),
    });
    this.#state = { at: 'phase', phase };
  }

  #authenticate(agreed: ToAuthenticate, manager: ExchangeManager<Task>, now: Instant): void {
    const { sa, announced, ambiguous, solution, resumed } = agreed;
    const offer = this.#childOffer();
    const phase = new AuthPhase({
      config: this.#config,
      outbox: this.#outbox,
      sa,
      announced,
      manager,
      offer,
      announcements: [
        ...(solution ? [{ kind: 'puzzle' as const, data: solution }] : []),
        ...(this.#config.wantsTickets ? [ticketRequest()] : []),
        ...mobikeAnnouncements(this.#config, sa),
      ],
      resumed,
      ambiguous: ambiguous && !this.#startedAgain,
      now,
      again: (at) => this.#startAgain(phase, at),
      authenticated: (authenticated, at) => this.#establish(sa, manager, offer, authenticated, at),
      close: (reason) => this.#close(reason),
    });
    this.#state = { at: 'phase', phase };
    phase.start(now);
  }

  #establish(
    sa: IkeSa,
    manager: ExchangeManager<Task>,
    offer: ChildOffer,
    authenticated: Authenticated,
    now: Instant,
  ): void {
    const { unwanted, remoteIdentity } = authenticated;
    // Both ends are authentic: nothing asks for them again.
    this.#secrets.wipe();
    const { payloads } = authenticated.response;
    const { takesRedirects, wantsTickets, identity } = this.#config;
    const names = { initiator: identity, responder: remoteIdentity };
    const clientTickets = wantsTickets ? new ClientTickets(sa, names, this.#outbox) : undefined;
    const redirect = takesRedirects ? redirectIn(payloads) : undefined;
    sa.crashTokens.take(payloads);
    const agreed = authenticated.child instanceof IkeError ? undefined : authenticated.child;
    const child = agreed?.child;
    const wanted = agreed !== undefined && !unwanted && !redirect;
    const mobike = this.#config.mobike ? mobikeIn(payloads, sa) : undefined;
    const established = new Connection(
      initiatorTerms(this.#config, {
        sa,
        manager,
        outbox: this.#outbox,
        random: this.#random,
        child: wanted ? child : undefined,
        configuration: agreed?.configuration,
        mobike,
        clientTickets,
        // What has just been done is not done again at once.
        authLifetime: authLifetimeIn(payloads) || undefined,
        now,
      }),
    );
    this.#state = { at: 'established', established };
    if (!wanted || !child) this.#outbox.push({ kind: 'cancelChild', spiIn: offer.spiIn });
    if (!wanted) {
      if (child) wipeChild(child);
      const error = authenticated.child instanceof IkeError ? authenticated.child : undefined;
      if (unwanted) established.delete({ by: 'us' }, now);
      // RFC 5685 §6: before anything that is wrong with the CHILD SA, which was not made.
      else if (redirect) established.delete({ by: 'redirect', to: redirect }, now);
      else established.delete(error ? { by: 'error', error } : { by: 'us' }, now);
      return;
    }
    this.#outbox.push({
      kind: 'established',
      proposal: sa.suite.name,
      local: sa.local,
      remote: sa.remote,
      remoteIdentity,
      behindNat: sa.nat,
      mobike: mobike !== undefined,
      configuration: agreed.configuration,
    });
    if (child) this.#outbox.push({ kind: 'installChild', activate: 'now', child });
    this.#outbox.push({ kind: 'step', step: 'established' });
    clientTickets?.take(sa, payloads, now);
    established.begin(now);
  }

  #startAgain(phase: InitiatorPhase, now: Instant): void {
    this.#outbox.debug('refused, perhaps because answers overtook each other, or a ticket was too old: starting again');
    phase.abandon();
    this.#startedAgain = true;
    this.#SPIi = randomSpi(this.#random);
    this.#start(now);
  }

  #drop(why: string): void {
    this.#outbox.debug(`dropped an IKE message: ${why}`);
  }

  #close(reason: CloseReason): void {
    if (this.#state.at === 'phase') this.#state.phase.abandon();
    this.#state = { at: 'closed' };
    this.#secrets.wipe();
    this.#outbox.push({ kind: 'closed', reason });
  }

  #initTask(): IkeInitTask {
    const { proposals, local, remote, encapsulation } = this.#config;
    const feignNat = encapsulation === 'udp';
    const withoutAdditional = isPlain(this.#attempt);
    const fragmentSizes = this.#config.fragmentSizes ?? DATAGRAM_SIZES;
    const { takesRedirects = false } = this.#config;
    const announcements = [...initiatorAnnouncements(this.#config), ...redirectAnnouncements(this.#config)];
    return configured(
      () =>
        new IkeInitTask(
          {
            SPIi: this.#SPIi,
            proposals,
            local,
            remote,
            feignNat,
            withoutAdditional,
            fragmentSizes,
            takesRedirects,
            announcements,
          },
          this.#random,
        ),
    );
  }

  #childOffer(): ChildOffer {
    const { child: request, requestAddresses, local } = this.#config;
    const spiIn = randomChildSpi(this.#random);
    return configured(() => new ChildOffer({ request, requestAddresses, localAddress: local.address, spiIn }));
  }
}
