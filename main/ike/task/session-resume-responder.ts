// IKE_SESSION_RESUME, the responder's side (RFC 5723 §4.3.2, §5). The messages are drawn in session-resume.ts. Like IKE_SA_INIT it remembers
// nothing before it accepts; the ticket stays good until IKE_AUTH has proved that its holder sent it.

import type { RandomBytes } from '../../crypto/random.ts';
import type { Endpoint } from '../../wire/address.ts';
import { type Announced, announcedIn } from '../auth/announced.ts';
import type { CookieJar } from '../cookie.ts';
import { answerHeader, encodeMessage, type Message } from '../message.ts';
import { NO_NAT, natDetection, natIn } from '../nat.ts';
import { notifiedIn, notifyOf, says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import { IkeSa } from '../sa.ts';
import { type ResumableSa, resumptionSecret, type TicketStore, ticketNack } from '../ticket.ts';
import type { Instant } from '../timing.ts';
import type { Transport } from '../transport.ts';

const NONCE_BYTES = 32;

export interface SessionResumeRequest {
  readonly bytes: Uint8Array;
  /** Decoded and checked against the rules. */
  readonly message: Message;
  readonly from: Endpoint;
  readonly local: Endpoint;
  readonly transport: Transport;
}

export type SessionResumeAnswer =
  /** Sent and forgotten. */
  | { readonly kind: 'stateless'; readonly response: Uint8Array; readonly why: string }
  | {
      readonly kind: 'accepted';
      readonly response: Uint8Array;
      readonly sa: IkeSa;
      readonly announced: Announced;
      readonly ticket: Uint8Array;
      readonly resumed: ResumableSa;
    };

export function answerSessionResume(
  request: SessionResumeRequest,
  policy: { readonly feignNat: boolean; readonly fragmentSizes: readonly number[] },
  deps: {
    readonly random: RandomBytes;
    readonly cookies: CookieJar | undefined;
    /** undefined: no tickets are given. */
    readonly tickets: TicketStore | undefined;
    readonly now: Instant;
    readonly newSpi: () => bigint;
  },
): SessionResumeAnswer {
  const { message, from, local, transport } = request;
  const { header, payloads } = message;
  const stateless = (payload: Payload, why: string): SessionResumeAnswer => ({
    kind: 'stateless',
    response: encodeMessage(answerHeader(header, 0n), [payload]),
    why,
  });
  const Ni = payloadOf(payloads, 'nonce')?.data;
  const ticket = notifiedIn(payloads, NotifyType.TICKET_OPAQUE);
  if (!Ni || !ticket) return stateless(ticketNack(), 'there is no ticket in it');
  if (deps.cookies) {
    const cookie = notifiedIn(payloads, NotifyType.COOKIE);
    if (!cookie || !deps.cookies.accepts(cookie, Ni, header.SPIi, from, deps.now)) {
      const baked = deps.cookies.bake(Ni, header.SPIi, from, deps.now);
      return stateless(notifyOf(NotifyType.COOKIE, baked), 'asked for a cookie');
    }
  }
  const resumed = deps.tickets?.find(ticket, deps.now);
  if (!resumed) return stateless(ticketNack(), 'its ticket is not known, or has expired');

  const Nr = deps.random(NONCE_BYTES);
  const SPIr = deps.newSpi();
  const fragmented = policy.fragmentSizes.length > 0 && says(payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED);
  const response = encodeMessage(answerHeader(header, SPIr), [
    { kind: 'nonce', data: Nr },
    ...natDetection({ SPIi: header.SPIi, SPIr }, local, from, policy.feignNat),
    ...(fragmented ? [notifyOf(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)] : []),
  ]);
  const nat = natIn(message, from, local);
  const encapsulated = policy.feignNat || nat?.local || nat?.remote;
  const sa = new IkeSa(
    {
      role: 'responder',
      SPIi: header.SPIi,
      SPIr,
      suite: resumed.suite,
      Ni,
      Nr,
      ...resumptionSecret(resumed),
      realMessage1: Uint8Array.from(request.bytes),
      realMessage2: response,
      nat: nat ?? NO_NAT,
      traversal: nat !== undefined,
      encapsulation: transport === 'tcp' ? 'tcp' : encapsulated ? 'udp' : 'raw',
      local,
      remote: from,
      transport,
      fragmentation: fragmented ? policy.fragmentSizes : undefined,
    },
    deps.random,
  );
  return { kind: 'accepted', response, sa, announced: announcedIn(payloads), ticket, resumed };
}
