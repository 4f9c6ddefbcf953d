// A connection's tickets (RFC 5723; ticket.ts has what they are). Every IKE SA has one of its own: when it is rekeyed, the client's ticket
// is worth nothing any more, and it asks for another (§6.2).

import type { Identity } from './identity.ts';
import { says } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Outbox } from './outbox.ts';
import type { Payload } from './payload/payload.ts';
import type { IkeSa } from './sa.ts';
import { type ResumableSa, ResumptionTicket, type TicketStore, ticketIn, ticketNotify } from './ticket.ts';
import type { Instant } from './timing.ts';

export interface Names {
  readonly initiator: Identity;
  readonly responder: Identity;
  readonly peer?: Identity | undefined;
}

const resumable = (sa: IkeSa, names: Names): ResumableSa => ({
  suite: sa.suite,
  SK_d: Uint8Array.from(sa.keys.SK_d),
  ...names,
});

/** The client's side: hands tickets out as effects; what is done with them is the session's. */
export class ClientTickets {
  readonly #outbox: Outbox;
  readonly #names: Names;
  /** The SA that a ticket has been asked for last. */
  #asked: IkeSa;
  #granted = false;

  /** TICKET_REQUEST was in IKE_AUTH of this SA. */
  constructor(sa: IkeSa, names: Names, outbox: Outbox) {
    this.#asked = sa;
    this.#names = names;
    this.#outbox = outbox;
  }

  /** Out of a protected message of the gateway's, on this SA. */
  take(sa: IkeSa, payloads: readonly Payload[], now: Instant): void {
    const granted = ticketIn(payloads);
    if (!granted || sa !== this.#asked) return;
    this.#granted = true;
    this.#outbox.push({ kind: 'ticket', ticket: new ResumptionTicket(granted, resumable(sa, this.#names), now) });
  }

  /** Is it time to ask for another, because `sa` has taken the place of the SA before? Then it counts as done. */
  asksAnew(sa: IkeSa): boolean {
    if (sa === this.#asked) return false;
    this.#asked = sa;
    // A gateway that has given none gives none now.
    if (this.#granted) this.#outbox.push({ kind: 'ticket', ticket: undefined });
    return this.#granted;
  }
}

/** The gateway's side: at most one ticket of a connection is good. */
export class GatewayTickets {
  readonly #store: TicketStore;
  readonly #names: Names;
  #last: Uint8Array | undefined;

  constructor(store: TicketStore, names: Names) {
    this.#store = store;
    this.#names = names;
  }

  /** What to answer to these payloads of a client's. */
  answer(sa: IkeSa, payloads: readonly Payload[], now: Instant): readonly Payload[] {
    if (!says(payloads, NotifyType.TICKET_REQUEST)) return [];
    this.forget();
    const granted = this.#store.issue(resumable(sa, this.#names), now);
    this.#last = granted.ticket;
    return [ticketNotify(granted)];
  }

  /** The SA has been deleted, or another ticket takes the place of this one. */
  forget(): void {
    if (this.#last) this.#store.spend(this.#last);
    this.#last = undefined;
  }
}
