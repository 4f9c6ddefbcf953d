// The ticket to resume an IKE SA with (RFC 5723): one, in memory, from the gateway that gave it until it is used, worthless or too old.
import type { ResumptionTicket } from '../ike/ticket.ts';
import { type Address, formatAddress } from '../wire/address.ts';

export interface TicketHolder {
  /** In the place of the one before, which is wiped. */
  keep(ticket: ResumptionTicket | undefined, gateway: Address): void;
  /** For an attempt at this gateway. It is used up only once an SA has been established (RFC 5723 §4.3.1): then `drop`. */
  take(gateway: Address): ResumptionTicket | undefined;
  /** It has been used, its SA was deleted (RFC 5723 §6.2), or the session ends. */
  drop(): void;
}

export function createTicketHolder(): TicketHolder {
  let held: { readonly ticket: ResumptionTicket; readonly gateway: string } | null = null;
  function drop(): void {
    held?.ticket.wipe();
    held = null;
  }
  return {
    keep(ticket, gateway) {
      if (held?.ticket !== ticket) drop();
      if (ticket) held = { ticket, gateway: formatAddress(gateway) };
    },
    take: (gateway) => (held?.gateway === formatAddress(gateway) ? held.ticket : undefined),
    drop,
  };
}
