// Tickets to resume an IKE SA with (RFC 5723): the client keeps one in memory, the gateway what it stands for.
//
//   IKE_AUTH          HDR, SK {…, N(TICKET_REQUEST)}     -->
//                                                        <--  HDR, SK {…, N(TICKET_LT_OPAQUE: lifetime, ticket)}
//   later, instead of IKE_SA_INIT
//                     HDR, [N(COOKIE)], Ni, N(TICKET_OPAQUE: ticket), … -->
//                                                        <--  HDR, Nr, …        or HDR, N(TICKET_NACK)
//
// Both ends then have SKEYSEED = prf(SK_d (old), "Resumption" | Ni | Nr) (§5.1), and IKE_AUTH proves them by SK_p* (auth/resumed.ts). Our
// tickets are references (§6.1): 32 random bytes, because IKE_SESSION_RESUME cannot be fragmented (RFC 7383 §2.2).

import type { RandomBytes } from '../crypto/random.ts';
import type { IkeSuite } from '../crypto/suite.ts';
import { isWireError, type WireError } from '../wire/error.ts';
import { decode, encode, rest, struct, u32 } from '../wire/field.ts';
import type { Identity } from './identity.ts';
import { notifiedIn, notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Payload } from './payload/payload.ts';
import type { Instant } from './timing.ts';

/** What both ends remember of an IKE SA. */
export interface ResumableSa {
  readonly suite: IkeSuite;
  /** Belongs to whoever holds the ticket, who wipes it. */
  readonly SK_d: Uint8Array;
  readonly initiator: Identity;
  readonly responder: Identity;
  /** The gateway's: who the client is by EAP, where its IDi does not say. */
  readonly peer?: Identity | undefined;
}

/**
 * What the keys of a resumed IKE SA are made of, as terms of IkeSa: SKEYSEED = prf(SK_d (old), "Resumption" | Ni | Nr) (§5.1) is the formula
 * of rekeying with ten letters in the place of g^ir.
 */
export const resumptionSecret = ({ suite, SK_d }: ResumableSa) => ({
  sharedSecret: new TextEncoder().encode('Resumption'),
  rekeyed: { prf: suite.prf, SK_d, additional: [] },
});

/** §7.1: seconds that the ticket is good for, and the ticket. */
export interface GrantedTicket {
  readonly lifetime: number;
  readonly ticket: Uint8Array;
}

const granted = struct('TICKET_LT_OPAQUE', { lifetime: u32, ticket: rest });

export const decodeTicket = (data: Uint8Array): GrantedTicket | WireError =>
  decode(granted, Uint8Array.from(data), 'TICKET_LT_OPAQUE');

export const ticketRequest = (): Payload => notifyOf(NotifyType.TICKET_REQUEST);
export const ticketNotify = (ticket: GrantedTicket): Payload =>
  notifyOf(NotifyType.TICKET_LT_OPAQUE, encode(granted, ticket));
export const ticketOpaque = (ticket: Uint8Array): Payload => notifyOf(NotifyType.TICKET_OPAQUE, ticket);
export const ticketNack = (): Payload => notifyOf(NotifyType.TICKET_NACK);

/** A ticket must leave room in a datagram that cannot be fragmented. */
const MOST_TICKET_BYTES = 1024;
/** However long the gateway thinks. */
const MOST_LIFETIME = 24 * 3600;

/** The ticket that a protected message brings, if it brings one that can be used. */
export function ticketIn(payloads: readonly Payload[]): GrantedTicket | undefined {
  const data = notifiedIn(payloads, NotifyType.TICKET_LT_OPAQUE);
  const ticket = data && decodeTicket(data);
  if (!ticket || isWireError(ticket) || ticket.lifetime === 0) return undefined;
  return ticket.ticket.length > 0 && ticket.ticket.length <= MOST_TICKET_BYTES ? ticket : undefined;
}

/** The client's side of a ticket: in memory only, good for one attempt, wiped by whoever drops it. */
export class ResumptionTicket {
  readonly ticket: Uint8Array;
  readonly expires: Instant;
  readonly #sa: ResumableSa;
  #wiped = false;

  /** Takes SK_d over. */
  constructor(granted: GrantedTicket, sa: ResumableSa, now: Instant) {
    this.ticket = granted.ticket;
    this.expires = now + Math.min(granted.lifetime, MOST_LIFETIME) * 1000;
    this.#sa = sa;
  }

  /** Undefined once it has expired or been wiped (§4.3.1: then it must not be presented). */
  usable(now: Instant): ResumableSa | undefined {
    if (now >= this.expires) this.wipe();
    return this.#wiped ? undefined : this.#sa;
  }

  wipe(): void {
    this.#wiped = true;
    this.#sa.SK_d.fill(0);
  }

  /** Never says what it holds. */
  toJSON(): string {
    return 'ResumptionTicket';
  }
}

const REFERENCE_BYTES = 32;
const MOST_TICKETS = 1024;

interface Stored {
  readonly sa: ResumableSa;
  readonly expires: Instant;
}

/** The gateway's side: what its tickets stand for, bounded in number and time. */
export class TicketStore {
  readonly #random: RandomBytes;
  readonly #lifetime: number;
  /** By the ticket in hexadecimal, the oldest first. */
  readonly #stored = new Map<string, Stored>();

  /** `lifetime`: seconds. */
  constructor(lifetime: number, random: RandomBytes) {
    this.#lifetime = lifetime;
    this.#random = random;
  }

  get size(): number {
    return this.#stored.size;
  }

  /** Takes SK_d over. */
  issue(sa: ResumableSa, now: Instant): GrantedTicket {
    this.#expire(now);
    const ticket = this.#random(REFERENCE_BYTES);
    this.#stored.set(keyOf(ticket), { sa, expires: now + this.#lifetime * 1000 });
    const [oldest] = this.#stored.keys();
    if (this.#stored.size > MOST_TICKETS && oldest !== undefined) this.#drop(oldest);
    return { lifetime: this.#lifetime, ticket };
  }

  /**
   * What a ticket stands for. It stays: tickets cross the network in the clear, and whoever copies one must not be able to spend it.
   * It is spent when an SA has been established with it (§4.3.1).
   */
  find(ticket: Uint8Array, now: Instant): ResumableSa | undefined {
    this.#expire(now);
    return this.#stored.get(keyOf(ticket))?.sa;
  }

  spend(ticket: Uint8Array): void {
    this.#drop(keyOf(ticket));
  }

  #expire(now: Instant): void {
    for (const [key, { expires }] of this.#stored) if (now >= expires) this.#drop(key);
  }

  #drop(key: string): void {
    this.#stored.get(key)?.sa.SK_d.fill(0);
    this.#stored.delete(key);
  }
}

const keyOf = (ticket: Uint8Array): string => Buffer.from(ticket).toString('hex');
