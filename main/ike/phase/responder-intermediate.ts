// The responder's additional key exchanges (RFC 9242, RFC 9370 §2.2.2): as many IKE_INTERMEDIATE as were agreed on, no more, and then IKE_AUTH.
// The messages are drawn in task/ike-intermediate.ts.

import type { RandomBytes } from '../../crypto/random.ts';
import { AdditionalKeyExchanges } from '../additional-ke.ts';
import type { ExchangeManager } from '../exchange.ts';
import { IntAuth } from '../int-auth.ts';
import { Exchange, type Message } from '../message.ts';
import { notifyOf } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import { intAuthOctets } from '../sealed.ts';
import type { Task } from '../task/task.ts';
import type { Instant } from '../timing.ts';
import type { ResponderPhase } from './phase.ts';

export interface ResponderIntermediateTerms {
  readonly random: RandomBytes;
  /** Its suite names at least one additional key exchange. */
  readonly sa: IkeSa;
  readonly manager: ExchangeManager<Task>;
  readonly expires: Instant;
  /** Every key exchange is done: the SA has the last keys, and IntAuth. */
  readonly done: () => void;
  readonly fail: (why: string) => void;
}

export class ResponderIntermediatePhase implements ResponderPhase {
  readonly exchange = Exchange.IKE_INTERMEDIATE;
  readonly deadline: Instant;
  readonly #terms: ResponderIntermediateTerms;
  readonly #exchanges: AdditionalKeyExchanges;
  readonly #intAuth: IntAuth;

  constructor(terms: ResponderIntermediateTerms) {
    const { sa, random, expires } = terms;
    this.#terms = terms;
    this.deadline = expires;
    this.#exchanges = new AdditionalKeyExchanges(sa.suite.additional, random);
    this.#intAuth = new IntAuth(sa.suite.prf);
  }

  tick(now: Instant): void {
    if (now >= this.deadline) this.#terms.fail('the peer began but never authenticated itself');
  }

  /** This phase asks nothing. */
  answer(): void {}

  abandon(): void {
    this.#exchanges.wipe();
    this.#terms.sa.wipe();
  }

  request({ header, payloads, intAuth: request }: Message, bytes: Uint8Array): void {
    const { sa, manager, done, fail } = this.#terms;
    if (!request) throw new Error('an IKE_INTERMEDIATE without its octets');
    const answer = this.#exchanges.respond(payloadOf(payloads, 'ke'));
    if (typeof answer === 'string') {
      manager.respond(this.exchange, bytes, [notifyOf(NotifyType.INVALID_SYNTAX)]);
      fail(`the peer was refused: ${answer}`);
      return;
    }
    const response: readonly Payload[] = [answer.payload];
    const octets = intAuthOctets({ ...header, initiator: false, response: true }, response);
    this.#intAuth.add(sa.keys, { request, response: octets });
    manager.respond(this.exchange, bytes, response);
    // Only now: the response is protected with the keys before (RFC 9242 §3.3.1).
    sa.advance(answer.secret);
    if (this.#exchanges.next) return;
    sa.intAuth = this.#intAuth.octets(header.messageId + 1);
    this.#exchanges.wipe();
    done();
  }
}
