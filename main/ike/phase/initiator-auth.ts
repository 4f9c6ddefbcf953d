// The initiator's IKE_AUTH, until both ends are authentic (task/ike-auth.ts).
import type { Datagram } from '../established.ts';
import type { ExchangeManager } from '../exchange.ts';
import { malformedAuth, noResponse } from '../failure.ts';
import { Exchange, exchangeName, type Header } from '../message.ts';
import { errorOfNotify } from '../notify-error.ts';
import type { Outbox } from '../outbox.ts';
import { checkMessage } from '../rules.ts';
import type { IkeSa } from '../sa.ts';
import { AuthenticationFailedTask } from '../task/authentication-failed.ts';
import type { ChildOffer } from '../task/child.ts';
import { type IkeAuthOutcome, IkeAuthTask } from '../task/ike-auth.ts';
import type { Task } from '../task/task.ts';
import type { CloseReason, InitiatorConfig, Instant } from '../types.ts';
import { unprotectedError } from '../unprotected.ts';
import { earliest, type InitiatorPhase } from './phase.ts';
import { RememberedRefusal } from './remembered.ts';

export interface Authenticated extends Omit<Extract<IkeAuthOutcome, { readonly kind: 'authenticated' }>, 'kind'> {
  /** Somebody asked to close in the meantime: there is an SA to delete, and nothing else to do. */
  readonly unwanted: boolean;
}

export interface AuthTerms {
  readonly config: InitiatorConfig;
  readonly secret: Uint8Array;
  readonly outbox: Outbox;
  readonly sa: IkeSa;
  readonly manager: ExchangeManager<Task>;
  readonly offer: ChildOffer;
  /** A refusal may come from an overtaken IKE_SA_INIT: `again` is called for it. */
  readonly ambiguous: boolean;
  readonly now: Instant;
  /** `again`: the host abandons this phase and begins anew. */
  readonly again: (now: Instant) => void;
  readonly authenticated: (authenticated: Authenticated, now: Instant) => void;
  readonly close: (reason: CloseReason) => void;
}

export class AuthPhase implements InitiatorPhase {
  readonly #terms: AuthTerms;
  readonly #task: IkeAuthTask;
  readonly #remembered: RememberedRefusal;
  /** Close was asked for: the answer decides whether there is something to delete. */
  #closeBy: Instant | undefined;

  constructor(terms: AuthTerms) {
    const { config, outbox, sa, manager, offer, secret, now } = terms;
    const { identity, remoteIdentity, retransmission } = config;
    this.#terms = terms;
    this.#remembered = new RememberedRefusal(outbox, 2 * retransmission.first);
    this.#task = new IkeAuthTask({ identity, remoteIdentity, secret }, sa, offer);
    outbox.push({ kind: 'step', step: 'auth' });
    outbox.push({ kind: 'expectChild', spiIn: offer.spiIn });
    manager.enqueue(this.#task, now);
  }

  get deadline(): Instant | null {
    return earliest(this.#terms.manager.deadline, this.#remembered.until, this.#closeBy);
  }

  tick(now: Instant): void {
    const { manager, sa, close } = this.#terms;
    if (this.#closeBy !== undefined && now >= this.#closeBy) {
      close({ by: 'us' });
      return;
    }
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

  /** The gateway may have an SA by now; its answer lets us delete it properly. */
  askedToClose(now: Instant): void {
    this.#closeBy ??= now + 2 * this.#terms.config.retransmission.first;
  }

  answer(): void {}

  abandon(): void {
    this.#terms.outbox.push({ kind: 'cancelChild', spiIn: this.#terms.offer.spiIn });
    this.#terms.sa.wipe();
  }

  /** Why the datagram was dropped, if it was. */
  #process(datagram: Datagram, header: Header, now: Instant): string | undefined {
    const { sa, manager, ambiguous, again, authenticated, close } = this.#terms;
    if (header.SPIr !== sa.SPIr) return 'it belongs to another IKE SA';
    if (header.initiator) return 'it claims to come from us';
    if (header.exchange === Exchange.IKE_SA_INIT) return 'another answer to IKE_SA_INIT';
    // The peer's requests cannot be answered before it is authenticated; it repeats them.
    if (!header.response || !manager.awaits(header.messageId) || header.exchange !== Exchange.IKE_AUTH)
      return `${exchangeName(header.exchange)} while we wait for the answer to IKE_AUTH`;
    const unprotected = unprotectedError(datagram.bytes);
    if (unprotected !== undefined) {
      this.#remembered.remember(errorOfNotify(unprotected, { exchange: 'IKE_AUTH' }), now);
      return undefined;
    }
    const message = sa.open(datagram.bytes, now);
    if (!('payloads' in message)) {
      if (!message.authentic) return message.toString();
      close({ by: 'error', error: malformedAuth(message.toString()) });
      return undefined;
    }
    const violation = checkMessage(message);
    if (violation) {
      close({ by: 'error', error: malformedAuth(violation.text) });
      return undefined;
    }
    const outcome = this.#task.process(message);
    switch (outcome.kind) {
      case 'refused':
        if (ambiguous && this.#closeBy === undefined) again(now);
        else close({ by: 'error', error: outcome.error });
        return undefined;
      case 'distrusted':
        manager.sendLast(new AuthenticationFailedTask());
        close({ by: 'error', error: outcome.error });
        return undefined;
      case 'authenticated':
        manager.complete(now);
        authenticated({ ...outcome, unwanted: this.#closeBy !== undefined }, now);
        return undefined;
    }
  }
}
