// IKE_AUTH with a pre-shared key, the responder's side (RFC 7296 §1.2, §2.15, §2.21.2).
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   HDR, SK {IDi, [N(INITIAL_CONTACT)], [IDr], AUTH, …child.ts…}  -->
//                                  <--  HDR, SK {IDr, AUTH, …child.ts…}
//                                  <--  HDR, SK {IDr, AUTH, N(why there is no CHILD SA)}
//                                  <--  HDR, SK {N(AUTHENTICATION_FAILED)}
import { pskAuth, verifyPskAuth } from '../auth/psk.ts';
import { formatIdentity } from '../identity.ts';
import type { Message } from '../message.ts';
import { NotifyType } from '../notify.ts';
import { AuthMethod } from '../payload/auth.ts';
import { identityBytes } from '../payload/id.ts';
import { type Payload, payloadOf, payloadsOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import type { Identity, ResponderConfig } from '../types.ts';
import { statusNotify } from './child.ts';
import { answerChild, type ChildAnswer } from './child-responder.ts';

export type IkeAuthAnswer =
  | {
      readonly kind: 'authenticated';
      readonly payloads: readonly Payload[];
      readonly peer: Identity;
      readonly child: ChildAnswer;
    }
  /** Answered with AUTHENTICATION_FAILED: the IKE SA goes. */
  | { readonly kind: 'refused'; readonly payloads: readonly Payload[]; readonly peer: Identity; readonly why: string };

/** The request has been opened with the SA's keys and obeys the rules. */
export function answerIkeAuth(
  request: Message,
  context: {
    readonly sa: IkeSa;
    readonly config: ResponderConfig;
    readonly spiIn: number;
    /** The peer says that it has no other SA with us (RFC 7296 §2.4): theirs go before this one asks for a lease. */
    readonly initialContact: (peer: Identity) => void;
  },
): IkeAuthAnswer | undefined {
  const { sa, config } = context;
  const { payloads } = request;
  const idi = payloadOf(payloads, 'idi');
  if (!idi) return undefined;
  const peer = idi.identity;
  const refused = (why: string): IkeAuthAnswer => ({
    kind: 'refused',
    payloads: [statusNotify(NotifyType.AUTHENTICATION_FAILED)],
    peer,
    why,
  });

  const auth = payloadOf(payloads, 'auth');
  if (!auth) return refused('it wants EAP');
  if (auth.method !== AuthMethod.SHARED_KEY)
    return refused(`it authenticates with method ${auth.method}, not a shared key`);
  const { suite, keys } = sa;
  const known = config.secretOf(peer);
  // A name that we do not know is refused like a wrong secret, after the same work.
  const secret = known ?? sa.Nr;
  const signed = {
    realMessage: sa.realMessage1,
    nonce: sa.Nr,
    SK_p: keys.SK_pi,
    idPayload: idi.raw ?? identityBytes(peer),
  };
  const authentic = verifyPskAuth(suite.prf, secret, signed, auth.data);
  if (!known || !authentic)
    return refused(known ? 'its secret is wrong' : `nobody here is called ${formatIdentity(peer)}`);

  const idPayload = identityBytes(config.identity);
  const AUTH = pskAuth(suite.prf, known, { realMessage: sa.realMessage2, nonce: sa.Ni, SK_p: keys.SK_pr, idPayload });
  if (payloadsOf(payloads, 'notify').some((n) => n.type === NotifyType.INITIAL_CONTACT)) context.initialContact(peer);
  const child = answerChild(payloads, { ...context, peer });
  return {
    kind: 'authenticated',
    peer,
    child,
    payloads: [
      { kind: 'idr', identity: config.identity },
      { kind: 'auth', method: AuthMethod.SHARED_KEY, data: AUTH },
      ...child.payloads,
    ],
  };
}
