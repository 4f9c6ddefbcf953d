// What the peer asks for in an established connection, and what it is answered: each request goes to the part that it is about.
//
//   INFORMATIONAL     Delete, errors, AUTH_LIFETIME, REDIRECT, tickets, crash tokens, MOBIKE     RFC 7296 §1.4 and whoever extends it
//   CREATE_CHILD_SA   a CHILD SA, or another IKE SA in the place of this one                     RFC 7296 §1.3
//   IKE_FOLLOWUP_KE   the additional key exchanges of either                                     RFC 9370 §2.2.4
import type { ChildWork } from './child-work.ts';
import type { ConnectionTerms } from './connection-terms.ts';
import { crashToken, crashTokenNotify } from './crash-token.ts';
import type { Answer, Datagram, Established } from './established.ts';
import { nonsense } from './failure.ts';
import { Exchange, exchangeName, type Message } from './message.ts';
import type { Mobike } from './mobike.ts';
import { notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { CloseReason } from './peer.ts';
import type { Reauthentication } from './reauthentication.ts';
import { redirectIn } from './redirect.ts';
import { formOf } from './rules.ts';
import type { Succession } from './succession.ts';
import { processInformational } from './task/informational.ts';
import type { Instant } from './timing.ts';

/** The connection, as its answers need it. */
export interface AnsweringHost {
  readonly isUp: boolean;
  delete(reason: CloseReason, now: Instant): void;
  deletedByPeer(on: Established, now: Instant): void;
  failed(on: Established, reason: CloseReason, now: Instant): void;
}

export interface AnsweringParts {
  readonly succession: Succession;
  readonly children: ChildWork;
  readonly mobike: Mobike | undefined;
  readonly reauthentication: Reauthentication;
}

export class Answers {
  readonly #terms: ConnectionTerms;
  readonly #host: AnsweringHost;
  readonly #succession: Succession;
  readonly #children: ChildWork;
  readonly #mobike: Mobike | undefined;
  readonly #reauthentication: Reauthentication;

  constructor(terms: ConnectionTerms, host: AnsweringHost, parts: AnsweringParts) {
    this.#terms = terms;
    this.#host = host;
    this.#succession = parts.succession;
    this.#children = parts.children;
    this.#mobike = parts.mobike;
    this.#reauthentication = parts.reauthentication;
  }

  /** To a request of the peer that came on `on`. */
  to(on: Established, message: Message, now: Instant, datagram: Datagram): Answer {
    const { header, payloads } = message;
    switch (header.exchange) {
      case Exchange.INFORMATIONAL:
        return this.#answerInformational(on, message, now, datagram);
      case Exchange.CREATE_CHILD_SA: {
        if (!this.#host.isUp) return { payloads: [notifyOf(NotifyType.TEMPORARY_FAILURE)] };
        // RFC 7296 §2.8: who uses the new IKE SA has our answer.
        this.#succession.used(on, now);
        if (formOf(message) === 'rekey-ike')
          return this.#withToken(() => this.#succession.answer(on, payloads, this.#children.isBusy, now));
        return this.#children.answers.create(payloads, !this.#succession.carriesChildren(on), now);
      }
      case Exchange.IKE_FOLLOWUP_KE:
        return (
          this.#withToken(() => this.#succession.answerFollowUp(on, payloads, now)) ??
          this.#children.answers.followUp(payloads, now) ?? { payloads: [notifyOf(NotifyType.STATE_NOT_FOUND)] }
        );
      default: {
        const error = nonsense(`${exchangeName(header.exchange)} in an established SA`, header.exchange);
        return {
          payloads: [notifyOf(NotifyType.INVALID_SYNTAX)],
          after: () => this.#host.failed(on, { by: 'error', error }, now),
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
    for (const text of remarks) this.#terms.outbox.push({ kind: 'log', level: 'warn', text });
    if (deletesIke) return { payloads: [], after: () => this.#host.deletedByPeer(on, now) };
    this.#succession.used(on, now);
    if (authLifetime !== undefined) this.#reauthentication.limit(authLifetime, now);
    on.sa.crashTokens.take(message.payloads);
    const { redirects, role, gatewayTickets } = this.#terms;
    const redirect = redirects && role === 'initiator' ? redirectIn(message.payloads) : undefined;
    const tickets = gatewayTickets?.answer(on.sa, message.payloads, now) ?? [];
    const { payloads, after } = this.#children.answers.delete(deletes, now);
    const path = this.#host.isUp ? this.#mobike?.answer(on, message, datagram, now) : undefined;
    return {
      payloads: [...payloads, ...tickets, ...(path?.payloads ?? [])],
      after: () => {
        after?.();
        path?.after?.();
        // RFC 5685 §5: answered, then deleted; whoever holds the connection goes to the other gateway.
        if (redirect && !fatal) this.#host.delete({ by: 'redirect', to: redirect }, now);
        if (fatal) this.#host.failed(on, { by: 'error', error: fatal }, now);
      },
    };
  }
}
