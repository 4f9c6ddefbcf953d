// IKE_SESSION_RESUME, the initiator's side (RFC 5723 §4.3.2): IKE_SA_INIT with a ticket in the place of proposals and a key exchange.
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   HDR(A,0), Ni, N(TICKET_OPAQUE), N(NAT_DETECTION_*), …  -->
//                                  <--  HDR(A,0), N(COOKIE)
//   HDR(A,0), N(COOKIE), Ni, N(TICKET_OPAQUE), …  -->
//                                  <--  HDR(A,B), Nr, N(NAT_DETECTION_*), …
//                                  <--  HDR(A,0), N(TICKET_NACK)
//
// Nothing here is authenticated. Whatever is not an acceptance means: authenticate from the start, which costs a round and no more.

import type { RandomBytes } from '../../crypto/random.ts';
import type { Endpoint } from '../../wire/address.ts';
import { sameBytes } from '../../wire/bytes.ts';
import { type Announced, announcedIn } from '../auth/announced.ts';
import type { Request } from '../exchange.ts';
import { Exchange, type Message } from '../message.ts';
import { type NatSituation, NO_NAT, natDetection, natIn } from '../nat.ts';
import { notifiedIn, notifyOf, says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import { ticketOpaque } from '../ticket.ts';

const NONCE_BYTES = 32;
const MOST_COOKIES = 4;

export interface SessionResumeConfig {
  readonly SPIi: bigint;
  readonly ticket: Uint8Array;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Hash a false source, so that both ends believe in a NAT and encapsulate. */
  readonly feignNat: boolean;
  readonly fragmentSizes: readonly number[];
  readonly announcements: readonly Payload[];
}

export type SessionResumeOutcome =
  | { readonly kind: 'again' }
  | { readonly kind: 'stale'; readonly why: string }
  /** The ticket is not taken. */
  | { readonly kind: 'refused' }
  | {
      readonly kind: 'accepted';
      readonly SPIr: bigint;
      readonly Nr: Uint8Array;
      readonly nat: NatSituation;
      /** The gateway does NAT traversal. */
      readonly traversal: boolean;
      readonly fragmentation: readonly number[] | undefined;
      readonly announced: Announced;
    };

export class SessionResumeTask implements Request {
  readonly name = 'IKE_SESSION_RESUME';
  readonly exchange = Exchange.IKE_SESSION_RESUME;
  readonly Ni: Uint8Array;
  readonly #config: SessionResumeConfig;
  #cookie: Uint8Array | undefined;
  #cookies = 0;

  constructor(config: SessionResumeConfig, random: RandomBytes) {
    this.#config = config;
    this.Ni = random(NONCE_BYTES);
  }

  build(): readonly Payload[] {
    const { SPIi, ticket, local, remote, feignNat, fragmentSizes, announcements } = this.#config;
    return [
      ...(this.#cookie ? [notifyOf(NotifyType.COOKIE, this.#cookie)] : []),
      { kind: 'nonce', data: this.Ni },
      ticketOpaque(ticket),
      ...natDetection({ SPIi, SPIr: 0n }, local, remote, feignNat),
      ...(fragmentSizes.length > 0 ? [notifyOf(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)] : []),
      ...announcements,
    ];
  }

  process(message: Message, from: Endpoint): SessionResumeOutcome {
    const { header, payloads } = message;
    const Nr = payloadOf(payloads, 'nonce')?.data;
    if (Nr && header.SPIr !== 0n) {
      const { fragmentSizes, local } = this.#config;
      const fragmented = says(payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED);
      const nat = natIn(message, from, local);
      return {
        kind: 'accepted',
        SPIr: header.SPIr,
        Nr,
        nat: nat ?? NO_NAT,
        traversal: nat !== undefined,
        fragmentation: fragmented && fragmentSizes.length > 0 ? fragmentSizes : undefined,
        announced: announcedIn(payloads),
      };
    }
    const cookie = notifiedIn(payloads, NotifyType.COOKIE);
    if (!cookie || cookie.length < 1 || cookie.length > 64) return { kind: 'refused' };
    if (this.#cookie && sameBytes(cookie, this.#cookie))
      return { kind: 'stale', why: 'the cookie is on its way already' };
    if (++this.#cookies > MOST_COOKIES) return { kind: 'refused' };
    this.#cookie = cookie;
    return { kind: 'again' };
  }
}
