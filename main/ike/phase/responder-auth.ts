// The responder's IKE_AUTH, until both ends are authentic (task/ike-auth-responder.ts).
import type { ExchangeManager } from '../exchange.ts';
import { formatIdentity } from '../identity.ts';
import { Exchange, type Message } from '../message.ts';
import { NotifyType } from '../notify.ts';
import type { Payload } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import { statusNotify } from '../task/child.ts';
import type { ChildAnswer } from '../task/child-responder.ts';
import { answerIkeAuth } from '../task/ike-auth-responder.ts';
import type { Task } from '../task/task.ts';
import type { Identity, Instant, ResponderConfig } from '../types.ts';
import type { ResponderPhase } from './phase.ts';

/** Milliseconds that an initiator has from our answer to IKE_SA_INIT to a good IKE_AUTH. */
export const HALF_OPEN_TIMEOUT = 30_000;

/** What the last IKE_AUTH has come to; `respond` sends the response, after whatever has to come first. */
export interface AuthenticatedPeer {
  readonly peer: Identity;
  readonly child: ChildAnswer;
  readonly respond: () => void;
}

export interface ResponderAuthTerms {
  readonly sa: IkeSa;
  readonly config: ResponderConfig;
  readonly manager: ExchangeManager<Task>;
  readonly newChildSpi: () => number;
  readonly initialContact: (peer: Identity) => void;
  readonly expires: Instant;
  readonly authenticated: (authenticated: AuthenticatedPeer, now: Instant) => void;
  /** The peer is refused, or has not come to the point. */
  readonly fail: (why: string) => void;
}

export class ResponderAuthPhase implements ResponderPhase {
  readonly exchange = Exchange.IKE_AUTH;
  readonly deadline: Instant;
  readonly #terms: ResponderAuthTerms;

  constructor(terms: ResponderAuthTerms) {
    this.#terms = terms;
    this.deadline = terms.expires;
  }

  tick(now: Instant): void {
    if (now >= this.deadline) this.#terms.fail('the peer began but never authenticated itself');
  }

  answer(): void {}

  abandon(): void {
    this.#terms.sa.wipe();
  }

  request(message: Message, bytes: Uint8Array, now: Instant): void {
    const { sa, config, manager, newChildSpi, initialContact, authenticated } = this.#terms;
    const answer = answerIkeAuth(message, { sa, config, spiIn: newChildSpi(), initialContact });
    if (!answer) {
      this.#refuse(bytes, [statusNotify(NotifyType.AUTHENTICATION_FAILED)], 'it does not say who it is');
      return;
    }
    if (answer.kind === 'refused') {
      this.#refuse(bytes, answer.payloads, `${formatIdentity(answer.peer)}: ${answer.why}`);
      return;
    }
    const { child, peer, payloads } = answer;
    authenticated({ child, peer, respond: () => manager.respond(this.exchange, bytes, payloads) }, now);
  }

  /** Answers, and that was it (RFC 7296 §2.21.2). */
  #refuse(request: Uint8Array, payloads: readonly Payload[], why: string): void {
    this.#terms.manager.respond(this.exchange, request, payloads);
    this.#terms.fail(`the peer was refused: ${why}`);
  }
}
