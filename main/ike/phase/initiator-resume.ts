// The initiator's first phase where it has a ticket (RFC 5723): IKE_SESSION_RESUME (task/session-resume.ts), in the place of IKE_SA_INIT.
// Whatever goes wrong here, the host begins anew without the ticket.

import type { RandomBytes } from '../../crypto/random.ts';
import { isWireError } from '../../wire/error.ts';
import type { Announced } from '../auth/announced.ts';
import type { Datagram } from '../established.ts';
import { ExchangeManager } from '../exchange.ts';
import { whole } from '../fragment.ts';
import type { InitiatorConfig } from '../initiator-config.ts';
import { decodeMessage, Exchange, encodeMessage, exchangeName, type Header } from '../message.ts';
import type { Outbox } from '../outbox.ts';
import type { CloseReason } from '../peer.ts';
import { checkMessage } from '../rules.ts';
import { IkeSa } from '../sa.ts';
import { SessionResumeTask } from '../task/session-resume.ts';
import { type ResumableSa, resumptionSecret } from '../ticket.ts';
import type { Instant } from '../timing.ts';
import type { InitiatorPhase } from './phase.ts';
import { placeOf } from './place.ts';

/** A gateway that takes tickets answers at once; one that is gone is found out by what comes after. */
const TRIES = 3;

export interface Resumed {
  readonly sa: IkeSa;
  readonly announced: Announced;
  readonly from: ResumableSa;
}

export interface ResumeTerms {
  readonly config: InitiatorConfig;
  readonly random: RandomBytes;
  readonly outbox: Outbox;
  readonly SPIi: bigint;
  readonly ticket: Uint8Array;
  readonly from: ResumableSa;
  readonly fragmentSizes: readonly number[];
  readonly now: Instant;
  readonly resumed: (resumed: Resumed, now: Instant) => void;
  readonly failed: (why: string, now: Instant) => void;
  readonly close: (reason: CloseReason) => void;
}

export class ResumePhase implements InitiatorPhase {
  readonly #terms: ResumeTerms;
  readonly #task: SessionResumeTask;
  readonly #manager: ExchangeManager<SessionResumeTask>;

  constructor(terms: ResumeTerms) {
    const { config, outbox, SPIi, ticket, fragmentSizes, random, now } = terms;
    const { local, remote, retransmission, encapsulation } = config;
    this.#terms = terms;
    const feignNat = encapsulation === 'udp';
    this.#task = new SessionResumeTask(
      { SPIi, ticket, local, remote, feignNat, fragmentSizes, announcements: [] },
      random,
    );
    const transport = encapsulation === 'tcp' ? 'tcp' : 'ike';
    this.#manager = new ExchangeManager<SessionResumeTask>(
      {
        seal: ({ exchange, messageId, response, payloads }) =>
          whole(encodeMessage({ SPIi, SPIr: 0n, exchange, initiator: true, response, messageId }, payloads)),
        send: (bytes) => outbox.push({ kind: 'send', bytes, to: remote, transport }),
      },
      { ...retransmission, tries: Math.min(TRIES, retransmission.tries) },
    );
    outbox.push({ kind: 'step', step: 'sa-init' });
    this.#manager.enqueue(this.#task, now);
  }

  get deadline(): Instant | null {
    return this.#manager.deadline;
  }

  tick(now: Instant): void {
    if (this.#manager.tick(now) === 'exhausted') this.#terms.failed('no answer', now);
  }

  receive(datagram: Datagram, header: Header, now: Instant): void {
    const why = this.#process(datagram, header, now);
    if (why !== undefined) this.#terms.outbox.debug(`dropped an IKE message: ${why}`);
  }

  askedToClose(): void {
    this.#terms.close({ by: 'us' });
  }

  /** This phase asks nothing. */
  answer(): void {}

  abandon(): void {}

  /** Why the datagram was dropped, if it was. */
  #process(datagram: Datagram, header: Header, now: Instant): string | undefined {
    const { failed, resumed } = this.#terms;
    if (!header.response || header.initiator || header.exchange !== Exchange.IKE_SESSION_RESUME)
      return `${exchangeName(header.exchange)} while we wait for the answer to IKE_SESSION_RESUME`;
    if (!this.#manager.awaits(header.messageId)) return `message ID ${header.messageId} in IKE_SESSION_RESUME`;
    const message = decodeMessage(datagram.bytes);
    if (isWireError(message)) return message.toString();
    const violation = checkMessage(message);
    if (violation) return violation.text;
    const outcome = this.#task.process(message, datagram.from);
    switch (outcome.kind) {
      case 'again':
        this.#manager.rebuild(this.#task, now);
        return undefined;
      case 'stale':
        return outcome.why;
      case 'refused':
        failed('the gateway does not take the ticket', now);
        return undefined;
      case 'accepted': {
        const { config, from, SPIi, random } = this.#terms;
        const realMessage1 = this.#manager.inFlightBytes;
        if (!realMessage1) throw new Error('an answer to nothing');
        const { SPIr, Nr, nat, traversal, fragmentation, announced } = outcome;
        const terms = { role: 'initiator' as const, SPIi, SPIr, suite: from.suite, Ni: this.#task.Ni, Nr, nat };
        const sa = new IkeSa(
          {
            ...terms,
            ...resumptionSecret(from),
            ...placeOf(config, outcome),
            traversal,
            realMessage1,
            realMessage2: Uint8Array.from(datagram.bytes),
            fragmentation,
          },
          random,
        );
        resumed({ sa, announced, from }, now);
        return undefined;
      }
    }
  }
}
