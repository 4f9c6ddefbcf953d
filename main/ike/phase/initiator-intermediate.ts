// The initiator's additional key exchanges, between IKE_SA_INIT and IKE_AUTH: one IKE_INTERMEDIATE each (task/ike-intermediate.ts). Every one
// is protected with the keys of the one before, and AUTH will cover them all.

import type { RandomBytes } from '../../crypto/random.ts';
import { AdditionalKeyExchanges } from '../additional-ke.ts';
import type { Datagram } from '../established.ts';
import type { ExchangeManager } from '../exchange.ts';
import { malformedAnswer, noResponse } from '../failure.ts';
import { IntAuth } from '../int-auth.ts';
import { Exchange, exchangeName, type Header, type Message } from '../message.ts';
import { errorNotifyIn } from '../notifies.ts';
import { errorOfNotify } from '../notify-error.ts';
import type { Outbox } from '../outbox.ts';
import { payloadOf } from '../payload/payload.ts';
import type { CloseReason } from '../peer.ts';
import { checkMessage } from '../rules.ts';
import type { IkeSa } from '../sa.ts';
import { intAuthOctets } from '../sealed.ts';
import { IkeIntermediateTask } from '../task/ike-intermediate.ts';
import type { Task } from '../task/task.ts';
import type { Instant, RetransmissionPolicy } from '../timing.ts';
import { unprotectedError } from '../unprotected.ts';
import { earliest, type InitiatorPhase } from './phase.ts';
import { RememberedRefusal } from './remembered.ts';

export interface IntermediateTerms {
  readonly retransmission: RetransmissionPolicy;
  readonly random: RandomBytes;
  readonly outbox: Outbox;
  /** Its suite names at least one additional key exchange. */
  readonly sa: IkeSa;
  readonly manager: ExchangeManager<Task>;
  readonly now: Instant;
  /** Every key exchange is done: the SA has the last keys, and IntAuth. */
  readonly done: (now: Instant) => void;
  readonly close: (reason: CloseReason) => void;
}

export class IntermediatePhase implements InitiatorPhase {
  readonly #terms: IntermediateTerms;
  readonly #exchanges: AdditionalKeyExchanges;
  readonly #intAuth: IntAuth;
  readonly #remembered: RememberedRefusal;
  #task: IkeIntermediateTask;

  constructor(terms: IntermediateTerms) {
    const { sa, manager, outbox, random, retransmission, now } = terms;
    this.#terms = terms;
    this.#exchanges = new AdditionalKeyExchanges(sa.suite.additional, random);
    this.#intAuth = new IntAuth(sa.suite.prf);
    this.#remembered = new RememberedRefusal(outbox, 2 * retransmission.first);
    this.#task = new IkeIntermediateTask(this.#exchanges);
    manager.enqueue(this.#task, now);
  }

  get deadline(): Instant | null {
    return earliest(this.#terms.manager.deadline, this.#remembered.until);
  }

  tick(now: Instant): void {
    const { manager, sa, close } = this.#terms;
    const refusal = this.#remembered.due(now);
    if (refusal) close({ by: 'error', error: refusal });
    else if (manager.tick(now) === 'exhausted') {
      const error = this.#remembered.error ?? noResponse(this.#task.name, sa.remote, 'initiator');
      close({ by: 'error', error });
    }
  }

  receive(datagram: Datagram, header: Header, now: Instant): void {
    const why = this.#process(datagram, header, now);
    if (why !== undefined) this.#terms.outbox.debug(`dropped an IKE message: ${why}`);
  }

  /** Nothing is authenticated yet, so there is nothing to delete. */
  askedToClose(): void {
    this.#terms.close({ by: 'us' });
  }

  /** This phase asks nothing. */
  answer(): void {}

  abandon(): void {
    this.#exchanges.wipe();
    this.#terms.sa.wipe();
  }

  /** Why the datagram was dropped, if it was. */
  #process(datagram: Datagram, header: Header, now: Instant): string | undefined {
    const { sa, manager, close } = this.#terms;
    if (header.SPIr !== sa.SPIr) return 'it belongs to another IKE SA';
    if (header.initiator) return 'it claims to come from us';
    if (!header.response || !manager.awaits(header.messageId) || header.exchange !== Exchange.IKE_INTERMEDIATE)
      return `${exchangeName(header.exchange)} while we wait for the answer to IKE_INTERMEDIATE`;
    const unprotected = unprotectedError(datagram.bytes);
    if (unprotected !== undefined) {
      this.#remembered.remember(errorOfNotify(unprotected, { exchange: 'IKE_INTERMEDIATE' }), now);
      return undefined;
    }
    const message = sa.open(datagram.bytes, now);
    if (!('payloads' in message)) {
      if (!message.authentic) return message.toString();
      close({ by: 'error', error: malformedAnswer('IKE_INTERMEDIATE', message.toString()) });
      return undefined;
    }
    const problem = checkMessage(message)?.text ?? this.#accept(message, now);
    // RFC 9242 §3.4: who answers has the keys of IKE_SA_INIT; there is no better answer to wait for.
    if (problem !== undefined) close({ by: 'error', error: malformedAnswer('IKE_INTERMEDIATE', problem) });
    return undefined;
  }

  /** What is wrong with the answer, if anything. */
  #accept({ header, payloads, intAuth: response }: Message, now: Instant): string | undefined {
    const { sa, manager, outbox, done, close } = this.#terms;
    const error = errorNotifyIn(payloads);
    if (error) {
      close({ by: 'error', error: errorOfNotify(error.type, { exchange: 'IKE_INTERMEDIATE' }) });
      return undefined;
    }
    if (!response) throw new Error('an IKE_INTERMEDIATE without its octets');
    const request = intAuthOctets({ ...header, initiator: true, response: false }, this.#task.build());
    const secret = this.#exchanges.accept(payloadOf(payloads, 'ke'));
    if (typeof secret === 'string') return secret;
    this.#intAuth.add(sa.keys, { request, response });
    sa.advance(secret);
    outbox.debug(`${this.#task.name} is done`);
    manager.complete(now);
    if (this.#exchanges.next) {
      this.#remembered.forget();
      this.#task = new IkeIntermediateTask(this.#exchanges);
      manager.enqueue(this.#task, now);
      return undefined;
    }
    sa.intAuth = this.#intAuth.octets(header.messageId + 1);
    this.#exchanges.wipe();
    done(now);
    return undefined;
  }
}
