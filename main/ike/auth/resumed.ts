// IKE_AUTH of a resumed IKE SA (RFC 5723 §4.3.3), both sides: AUTH = prf(SK_px, <message octets>), with the names of the ticket. It has one
// exchange, no certificates and no EAP; who the ends are was proved when the ticket was made.
//
//   Initiator                                    Responder
//   ---------------------------------------------------------------------------------------
//   HDR, SK {IDi, IDr, AUTH, [CP], SAi2, TSi, TSr, N(TICKET_REQUEST)}  -->
//                                           <--  HDR, SK {IDr, AUTH, [CP], SAr2, TSi, TSr, N(TICKET_LT_OPAQUE)}
import { timingSafeEqual } from 'node:crypto';
import { formatIdentity, type Identity, sameIdentity } from '../identity.ts';
import type { Message } from '../message.ts';
import { errorNotifyIn } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { AuthMethod } from '../payload/auth.ts';
import { identityBytes } from '../payload/id.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import type { IkeSa, Role } from '../sa.ts';
import { type Conversation, exchange } from './conversation.ts';
import { distrusted, REPORT } from './end.ts';
import type { InitiatorEnd } from './initiator.ts';
import type { ResponderEnd } from './responder.ts';
import { signedBy, signedPieces } from './signed-octets.ts';

export interface ResumedTerms {
  readonly sa: IkeSa;
  /** The names in the ticket. */
  readonly initiator: Identity;
  readonly responder: Identity;
  /** The gateway's: who the client is, where its IDi does not say. */
  readonly peer?: Identity | undefined;
}

/** `idPayload`: the signer's, without its generic header. */
function authOf(signer: Role, sa: IkeSa, idPayload: Uint8Array): Uint8Array {
  const { suite, keys } = sa;
  const SK_p = signer === 'initiator' ? keys.SK_pi : keys.SK_pr;
  return suite.prf.compute(SK_p, ...signedPieces(suite.prf, signedBy(signer, sa, keys, idPayload)));
}

function verifies(signer: Role, sa: IkeSa, idPayload: Uint8Array, auth: Uint8Array): boolean {
  const expected = authOf(signer, sa, idPayload);
  return expected.length === auth.length && timingSafeEqual(expected, auth);
}

/** `offer`: what goes into the request behind AUTH. */
export function* resumeInitiator(terms: ResumedTerms, offer: readonly Payload[]): Conversation<InitiatorEnd> {
  const { sa, initiator, responder } = terms;
  const response = yield* exchange([
    { kind: 'idi', identity: initiator },
    { kind: 'idr', identity: responder },
    { kind: 'auth', method: AuthMethod.SHARED_KEY, data: authOf('initiator', sa, identityBytes(initiator)) },
    ...offer,
  ]);
  const { payloads } = response;
  const idr = payloadOf(payloads, 'idr');
  const auth = payloadOf(payloads, 'auth');
  if (!auth) {
    const error = errorNotifyIn(payloads);
    if (!error) return distrusted('protocol', 'the gateway resumed the connection without proving itself', REPORT);
    const identity = formatIdentity(initiator);
    return { kind: 'refused', error: errorOfNotify(error.type, { exchange: 'IKE_AUTH', identity }) };
  }
  const authentic =
    idr !== undefined &&
    auth.method === AuthMethod.SHARED_KEY &&
    verifies('responder', sa, idr.raw ?? identityBytes(idr.identity), auth.data);
  // §4.3.3: its name is the one in the ticket; nothing else was proved.
  if (!authentic || !sameIdentity(idr.identity, responder))
    return distrusted(
      'peer-not-authentic',
      `whoever resumed the connection is not ${formatIdentity(responder)}, with whom it was made`,
      'connect again; if it happens each time, this is not your gateway',
    );
  return { kind: 'authenticated', remoteIdentity: responder, response };
}

// biome-ignore lint/correctness/useYield: one request, one answer: nothing has to be asked in between
export function* resumeResponder(terms: ResumedTerms, first: Message): Conversation<ResponderEnd> {
  const { sa, initiator, responder } = terms;
  const { payloads } = first;
  const idi = payloadOf(payloads, 'idi');
  const auth = payloadOf(payloads, 'auth');
  const authentic =
    idi !== undefined &&
    auth?.method === AuthMethod.SHARED_KEY &&
    verifies('initiator', sa, idi.raw ?? identityBytes(idi.identity), auth.data);
  if (!authentic || !sameIdentity(idi.identity, initiator)) {
    const notify: Payload = {
      kind: 'notify',
      protocol: 0,
      type: NotifyType.AUTHENTICATION_FAILED,
      spi: new Uint8Array(0),
      data: new Uint8Array(0),
    };
    return {
      kind: 'refused',
      payloads: [notify],
      why: `${formatIdentity(initiator)}: it does not have its ticket's key`,
    };
  }
  return {
    kind: 'authenticated',
    peer: terms.peer ?? initiator,
    payloads: [
      { kind: 'idr', identity: responder },
      { kind: 'auth', method: AuthMethod.SHARED_KEY, data: authOf('responder', sa, identityBytes(responder)) },
    ],
    // §4.3.4: the SA of the ticket goes without a word; like after INITIAL_CONTACT.
    initialContact: true,
    ppk: false,
  };
}
