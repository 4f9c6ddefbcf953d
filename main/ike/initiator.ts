// The initiator of an IKE SA (RFC 7296): IKE_SA_INIT, IKE_AUTH, then what established.ts does. Sans-IO: events in, effects out.
//
//   idle ──start──▶ init ──agreed──▶ auth ──authenticated──▶ established ──▶ closed
//                    │                │  └─ no CHILD SA ──▶ established, deleting ─┘
//                    └── no (good) answer, refused, close ──────────────────────────▲
//
// Answers that anybody could have forged change nothing at once (§2.21.1): the first refusal is remembered, we go on waiting for a
// better answer for a while, and then report it as the cause.
import type { Endpoint } from '../wire/address.ts';
import { isWireError } from '../wire/error.ts';
import { IkeError } from './error.ts';
import { Established } from './established.ts';
import { ExchangeManager } from './exchange.ts';
import { configured, malformedAuth, noResponse } from './failure.ts';
import { decodeHeader, decodeMessage, Exchange, encodeMessage, exchangeName, type Header } from './message.ts';
import { NotifyType } from './notify.ts';
import { errorOfNotify } from './notify-error.ts';
import { Outbox } from './outbox.ts';
import { checkMessage } from './rules.ts';
import { IkeSa } from './sa.ts';
import { randomChildSpi, randomSpi } from './spi.ts';
import { AuthenticationFailedTask } from './task/authentication-failed.ts';
import { ChildOffer, wipeChild } from './task/child.ts';
import { IkeAuthTask } from './task/ike-auth.ts';
import { type IkeInitOutcome, IkeInitTask } from './task/ike-init.ts';
import type { Task } from './task/task.ts';
import type {
  CloseReason,
  IkeDeps,
  IkeEffect,
  IkeEvent,
  IkePeer,
  InitiatorConfig,
  Instant,
  RandomBytes,
} from './types.ts';
import { unprotectedError } from './unprotected.ts';

/** A refusal that nobody authenticated, and until when a better answer may come. */
interface Remembered {
  readonly error: IkeError;
  readonly until: Instant;
}

type State =
  | { readonly at: 'idle' }
  | {
      readonly at: 'init';
      readonly task: IkeInitTask;
      readonly manager: ExchangeManager<IkeInitTask>;
      readonly remembered: Remembered | undefined;
    }
  | {
      readonly at: 'auth';
      readonly sa: IkeSa;
      readonly manager: ExchangeManager<Task>;
      readonly task: IkeAuthTask;
      readonly remembered: Remembered | undefined;
      /** AUTH may cover another IKE_SA_INIT than the one that was answered: a refusal is worth one more attempt. */
      readonly ambiguous: boolean;
      /** Close was asked for: the answer decides whether there is something to delete. */
      readonly closeBy: Instant | undefined;
    }
  | { readonly at: 'established'; readonly established: Established }
  | { readonly at: 'closed' };

/** Throws an IkeError `configuration` where a proposal cannot be parsed. */
export function createInitiator(config: InitiatorConfig, deps: IkeDeps): IkePeer {
  return new Initiator(config, deps.random);
}

class Initiator implements IkePeer {
  readonly #config: InitiatorConfig;
  readonly #random: RandomBytes;
  readonly #outbox = new Outbox();
  readonly #secret: Uint8Array;
  #SPIi: bigint;
  #startedAgain = false;
  #state: State = { at: 'idle' };
  #timer: Instant | null = null;

  constructor(config: InitiatorConfig, random: RandomBytes) {
    this.#config = config;
    this.#random = random;
    this.#secret = Uint8Array.from(config.credential.secret);
    this.#SPIi = randomSpi(random);
    // A misconfiguration shows now, not at start.
    this.#initTask().wipe();
    this.#childOffer();
  }

  handle(event: IkeEvent, now: Instant): IkeEffect[] {
    if (this.#state.at === 'closed') return [];
    switch (event.kind) {
      case 'start':
        this.#start(now);
        break;
      case 'datagram':
        this.#receive(event, now);
        break;
      case 'timer':
        this.#timer = null;
        this.#tick(now);
        break;
      case 'inboundTraffic':
        this.#established?.inboundTraffic(event.at);
        break;
      case 'peerMoved':
        this.#established?.peerMoved(event.from);
        break;
      case 'childInstalled':
        this.#established?.childInstalled(event.spiIn, event.error, now);
        break;
      case 'checkLiveness':
        this.#established?.checkLiveness(now);
        break;
      case 'close':
        this.#askedToClose(now);
        break;
    }
    return this.#finish();
  }

  get #established(): Established | undefined {
    return this.#state.at === 'established' ? this.#state.established : undefined;
  }

  #finish(): IkeEffect[] {
    if (this.#established?.isClosed) {
      this.#state = { at: 'closed' };
      this.#secret.fill(0);
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
    const earliest = (...times: (Instant | null | undefined)[]): Instant | null => {
      const set = times.filter((at) => at !== null && at !== undefined);
      return set.length > 0 ? Math.min(...set) : null;
    };
    switch (this.#state.at) {
      case 'idle':
      case 'closed':
        return null;
      case 'init':
        return earliest(this.#state.manager.deadline, this.#state.remembered?.until);
      case 'auth':
        return earliest(this.#state.manager.deadline, this.#state.remembered?.until, this.#state.closeBy);
      case 'established':
        return this.#state.established.deadline;
    }
  }

  #start(now: Instant): void {
    if (this.#state.at !== 'idle') return;
    const task = this.#initTask();
    const { remote } = this.#config;
    const manager = new ExchangeManager<IkeInitTask>(
      {
        seal: ({ exchange, messageId, response, payloads }) =>
          encodeMessage({ SPIi: this.#SPIi, SPIr: 0n, exchange, initiator: true, response, messageId }, payloads),
        send: (bytes) => this.#outbox.push({ kind: 'send', bytes, to: remote, transport: 'ike' }),
      },
      this.#config.retransmission,
    );
    this.#state = { at: 'init', task, manager, remembered: undefined };
    this.#outbox.push({ kind: 'step', step: 'sa-init' });
    manager.enqueue(task, now);
  }

  #tick(now: Instant) {
    const state = this.#state;
    switch (state.at) {
      case 'idle':
      case 'closed':
        return;
      case 'established':
        return state.established.tick(now);
      case 'init':
      case 'auth': {
        if (state.at === 'auth' && state.closeBy !== undefined && now >= state.closeBy)
          return this.#close({ by: 'us' });
        const { remembered } = state;
        if (remembered && now >= remembered.until) return this.#fail(remembered.error);
        if (state.manager.tick(now) === 'exhausted') {
          const to = state.at === 'init' ? this.#config.remote : state.sa.remote;
          this.#fail(remembered?.error ?? noResponse(state.task.name, to, 'initiator'));
        }
      }
    }
  }

  #askedToClose(now: Instant) {
    const state = this.#state;
    switch (state.at) {
      case 'idle':
      case 'init':
        return this.#close({ by: 'us' });
      case 'auth':
        // The gateway may have an SA by now; its answer lets us delete it properly.
        if (state.closeBy === undefined)
          this.#state = { ...state, closeBy: now + 2 * this.#config.retransmission.first };
        return;
      case 'established':
        return state.established.delete({ by: 'us' }, now);
      case 'closed':
        return;
    }
  }

  #receive(event: Extract<IkeEvent, { readonly kind: 'datagram' }>, now: Instant) {
    const header = decodeHeader(event.bytes);
    if (isWireError(header)) return this.#drop(header.toString());
    if (header.SPIi !== this.#SPIi) return this.#drop('it belongs to another IKE SA');
    const state = this.#state;
    switch (state.at) {
      case 'idle':
      case 'closed':
        return;
      case 'init':
        return this.#receiveInit(state, event, header, now);
      case 'auth':
        if (header.SPIr !== state.sa.SPIr) return this.#drop('it belongs to another IKE SA');
        return this.#receiveAuth(state, event, header, now);
      case 'established': {
        const { established } = state;
        if (header.SPIr !== established.sa.SPIr) return this.#drop('it belongs to another IKE SA');
        const error = unprotectedError(event.bytes);
        if (error === NotifyType.INVALID_IKE_SPI) return established.hintLost(now);
        return established.receive(event, header, now);
      }
    }
  }

  #receiveInit(
    state: Extract<State, { readonly at: 'init' }>,
    event: { readonly bytes: Uint8Array; readonly from: Endpoint },
    header: Header,
    now: Instant,
  ) {
    if (!header.response || header.initiator || header.exchange !== Exchange.IKE_SA_INIT)
      return this.#drop(`${exchangeName(header.exchange)} while we wait for the answer to IKE_SA_INIT`);
    if (!state.manager.awaits(header.messageId)) return this.#drop(`message ID ${header.messageId} in IKE_SA_INIT`);
    const message = decodeMessage(event.bytes);
    if (isWireError(message)) return this.#drop(message.toString());
    const violation = checkMessage(message);
    if (violation) return this.#drop(violation.text);
    const outcome = state.task.process(message, event.from);
    switch (outcome.kind) {
      case 'again':
        this.#outbox.debug(`IKE_SA_INIT once more: ${outcome.why}`);
        // What was said before, this answer has overtaken.
        this.#state = { ...state, remembered: undefined };
        return state.manager.rebuild(state.task, now);
      case 'stale':
        return this.#drop(outcome.why);
      case 'refused':
        return this.#remember(state, outcome.error, now);
      case 'agreed':
        break;
    }
    const sa = this.#agreedSa(state, outcome, Uint8Array.from(event.bytes));
    state.task.wipe();
    this.#authenticate(sa, state.task.isAmbiguous, now);
  }

  #agreedSa(
    { task, manager }: Extract<State, { readonly at: 'init' }>,
    outcome: Extract<IkeInitOutcome, { readonly kind: 'agreed' }>,
    realMessage2: Uint8Array,
  ): IkeSa {
    const { local, localNatt, remote, remoteNattPort, encapsulation } = this.#config;
    const realMessage1 = manager.inFlightBytes;
    if (!realMessage1) throw new Error('an answer to nothing');
    const where =
      encapsulation === 'udp' || outcome.nat.local || outcome.nat.remote
        ? // RFC 7296 §2.23: with a NAT, everything from here on goes over UDP 4500.
          {
            encapsulation: 'udp' as const,
            local: localNatt,
            remote: { address: remote.address, port: remoteNattPort },
            transport: 'natt' as const,
          }
        : { encapsulation: 'raw' as const, local, remote, transport: 'ike' as const };
    const terms = { ...outcome, ...where, role: 'initiator' as const, SPIi: this.#SPIi, Ni: task.Ni };
    return new IkeSa({ ...terms, realMessage1, realMessage2 }, this.#random);
  }

  #authenticate(sa: IkeSa, ambiguous: boolean, now: Instant): void {
    const { identity, remoteIdentity, retransmission } = this.#config;
    const offer = this.#childOffer();
    const task = new IkeAuthTask({ identity, remoteIdentity, secret: this.#secret }, sa, offer);
    const manager = new ExchangeManager<Task>(
      {
        seal: (message) => sa.seal(message),
        send: (bytes) => this.#outbox.push({ kind: 'send', bytes, to: sa.remote, transport: sa.transport }),
      },
      retransmission,
      { ours: 1, theirs: 0 },
    );
    this.#state = { at: 'auth', sa, manager, task, remembered: undefined, ambiguous, closeBy: undefined };
    this.#outbox.push({ kind: 'step', step: 'auth' });
    this.#outbox.push({ kind: 'expectChild', spiIn: offer.spiIn });
    manager.enqueue(task, now);
  }

  #receiveAuth(
    state: Extract<State, { readonly at: 'auth' }>,
    event: { readonly bytes: Uint8Array; readonly from: Endpoint },
    header: Header,
    now: Instant,
  ) {
    const { sa, manager, task } = state;
    if (header.initiator) return this.#drop('it claims to come from us');
    if (header.exchange === Exchange.IKE_SA_INIT) return this.#drop('another answer to IKE_SA_INIT');
    // The peer's requests cannot be answered before it is authenticated; it repeats them.
    if (!header.response || !manager.awaits(header.messageId) || header.exchange !== Exchange.IKE_AUTH)
      return this.#drop(`${exchangeName(header.exchange)} while we wait for the answer to IKE_AUTH`);
    const unprotected = unprotectedError(event.bytes);
    if (unprotected !== undefined)
      return this.#remember(state, errorOfNotify(unprotected, { exchange: 'IKE_AUTH' }), now);
    const message = sa.open(event.bytes);
    if (!('payloads' in message)) {
      if (!message.authentic) return this.#drop(message.toString());
      return this.#fail(malformedAuth(message.toString()));
    }
    const violation = checkMessage(message);
    if (violation) return this.#fail(malformedAuth(violation.text));

    const outcome = task.process(message);
    switch (outcome.kind) {
      case 'refused':
        if (state.ambiguous && !this.#startedAgain && state.closeBy === undefined) return this.#startAgain(state, now);
        return this.#fail(outcome.error);
      case 'distrusted':
        manager.sendLast(new AuthenticationFailedTask());
        return this.#fail(outcome.error);
      case 'authenticated':
        break;
    }
    manager.complete(now);
    const child = outcome.child instanceof IkeError ? undefined : outcome.child;
    const wanted = child !== undefined && state.closeBy === undefined;
    const established = new Established({
      sa,
      manager,
      outbox: this.#outbox,
      children: wanted ? [{ spiIn: child.child.spiIn, spiOut: child.child.spiOut }] : [],
      retransmission: this.#config.retransmission,
      livenessInterval: this.#config.livenessInterval,
      keepaliveInterval: sa.nat.local || this.#config.encapsulation === 'udp' ? this.#config.keepaliveInterval : 0,
      now,
    });
    this.#state = { at: 'established', established };
    if (!wanted) {
      if (child) wipeChild(child.child);
      this.#outbox.push({ kind: 'cancelChild', spiIn: task.offer.spiIn });
      const error = outcome.child instanceof IkeError ? outcome.child : undefined;
      return established.delete(error && state.closeBy === undefined ? { by: 'error', error } : { by: 'us' }, now);
    }
    this.#outbox.push({
      kind: 'established',
      proposal: sa.suite.name,
      local: sa.local,
      remote: sa.remote,
      remoteIdentity: outcome.remoteIdentity,
      behindNat: sa.nat,
      configuration: child.configuration,
    });
    this.#outbox.push({ kind: 'installChild', activate: 'now', child: child.child });
    this.#outbox.push({ kind: 'step', step: 'established' });
  }

  #startAgain(state: Extract<State, { readonly at: 'auth' }>, now: Instant): void {
    this.#outbox.debug('refused, perhaps because answers to IKE_SA_INIT overtook each other: starting again');
    this.#outbox.push({ kind: 'cancelChild', spiIn: state.task.offer.spiIn });
    state.sa.wipe();
    this.#startedAgain = true;
    this.#SPIi = randomSpi(this.#random);
    this.#state = { at: 'idle' };
    this.#start(now);
  }

  /** RFC 7296 §2.21.1: keeps the first refusal and waits two time-outs more for a good answer. */
  #remember(state: Extract<State, { readonly at: 'init' | 'auth' }>, error: IkeError, now: Instant): void {
    this.#outbox.debug(`an unauthenticated refusal, waiting for a better answer: ${error.message}`);
    if (state.remembered) return;
    this.#state = { ...state, remembered: { error, until: now + 2 * this.#config.retransmission.first } };
  }

  #drop(why: string): void {
    this.#outbox.debug(`dropped an IKE message: ${why}`);
  }

  #fail(error: IkeError): void {
    this.#close({ by: 'error', error });
  }

  #close(reason: CloseReason): void {
    const state = this.#state;
    switch (state.at) {
      case 'init':
        state.task.wipe();
        break;
      case 'auth':
        this.#outbox.push({ kind: 'cancelChild', spiIn: state.task.offer.spiIn });
        state.sa.wipe();
        break;
      case 'idle':
      case 'established':
      case 'closed':
        break;
    }
    this.#state = { at: 'closed' };
    this.#secret.fill(0);
    this.#outbox.push({ kind: 'closed', reason });
  }

  #initTask(): IkeInitTask {
    const { proposals, local, remote, encapsulation } = this.#config;
    const feignNat = encapsulation === 'udp';
    return configured(() => new IkeInitTask({ SPIi: this.#SPIi, proposals, local, remote, feignNat }, this.#random));
  }

  #childOffer(): ChildOffer {
    const { child: request, requestAddresses, local } = this.#config;
    const spiIn = randomChildSpi(this.#random);
    return configured(() => new ChildOffer({ request, requestAddresses, localAddress: local.address, spiIn }));
  }
}
