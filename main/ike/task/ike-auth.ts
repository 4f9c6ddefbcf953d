// IKE_AUTH with a pre-shared key, the initiator's side (RFC 7296 §1.2, §2.15, §2.19, §2.21.2).
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   HDR, SK {IDi, N(INITIAL_CONTACT), [IDr], AUTH, [CP(CFG_REQUEST)],
//     …child.ts…}                  -->
//                                  <--  HDR, SK {IDr, AUTH, …child.ts…}
//                                  <--  HDR, SK {IDr, AUTH, N(why there is no CHILD SA)}
//                                  <--  HDR, SK {N(AUTHENTICATION_FAILED)}

import { pskAuth, verifyPskAuth } from '../auth/psk.ts';
import { IkeError } from '../error.ts';
import type { Request } from '../exchange.ts';
import { formatIdentity, sameIdentity } from '../identity.ts';
import { Exchange, type Message } from '../message.ts';
import { isErrorNotify, NotifyType } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { AuthMethod } from '../payload/auth.ts';
import { identityBytes } from '../payload/id.ts';
import { type Payload, payloadOf, payloadsOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import type { ChildSa, Configuration, Identity } from '../types.ts';
import { type ChildOffer, statusNotify } from './child.ts';

export interface IkeAuthConfig {
  readonly identity: Identity;
  readonly remoteIdentity: Identity | undefined;
  readonly secret: Uint8Array;
}

export type IkeAuthOutcome =
  /** Both ends are who they say; the CHILD SA was made, or the error says why not. */
  | {
      readonly kind: 'authenticated';
      readonly remoteIdentity: Identity;
      readonly child: { readonly child: ChildSa; readonly configuration: Configuration } | IkeError;
    }
  /** The peer refused us: there is no IKE SA. */
  | { readonly kind: 'refused'; readonly error: IkeError }
  /** We refuse the peer, and tell it so (RFC 7296 §2.21.2). */
  | { readonly kind: 'distrusted'; readonly error: IkeError };

export class IkeAuthTask implements Request {
  readonly kind = 'ike-auth';
  readonly name = 'IKE_AUTH';
  readonly exchange = Exchange.IKE_AUTH;
  readonly offer: ChildOffer;
  readonly #config: IkeAuthConfig;
  readonly #sa: IkeSa;

  constructor(config: IkeAuthConfig, sa: IkeSa, offer: ChildOffer) {
    this.#config = config;
    this.#sa = sa;
    this.offer = offer;
  }

  build(): readonly Payload[] {
    const { identity, remoteIdentity, secret } = this.#config;
    const { suite, realMessage1, Nr, keys } = this.#sa;
    const idPayload = identityBytes(identity);
    const AUTH = pskAuth(suite.prf, secret, { realMessage: realMessage1, nonce: Nr, SK_p: keys.SK_pi, idPayload });
    return [
      { kind: 'idi', identity },
      statusNotify(NotifyType.INITIAL_CONTACT),
      ...(remoteIdentity ? [{ kind: 'idr' as const, identity: remoteIdentity }] : []),
      { kind: 'auth', method: AuthMethod.SHARED_KEY, data: AUTH },
      ...this.offer.build(),
    ];
  }

  /** The response has been opened with the SA's keys and obeys the rules. */
  process(response: Message): IkeAuthOutcome {
    const { payloads } = response;
    const auth = payloadOf(payloads, 'auth');
    if (payloadOf(payloads, 'eap'))
      return distrusted(
        'peer-not-authentic',
        'the gateway wants a user name and password (EAP) instead of a pre-shared key',
        'ask the administrator which authentication this gateway uses for you',
      );
    if (!auth) {
      const error = payloadsOf(payloads, 'notify').find((n) => isErrorNotify(n.type));
      if (error) {
        const identity = formatIdentity(this.#config.identity);
        return { kind: 'refused', error: errorOfNotify(error.type, { exchange: 'IKE_AUTH', identity }) };
      }
      return distrusted('protocol', 'the gateway answered IKE_AUTH without authenticating itself', REPORT);
    }
    const idr = payloadOf(payloads, 'idr');
    if (!idr) return distrusted('protocol', 'the gateway authenticated itself without a name', REPORT);
    const distrust = this.#verify(idr, auth);
    if (distrust) return distrust;
    return { kind: 'authenticated', remoteIdentity: idr.identity, child: this.offer.accept(payloads, this.#sa) };
  }

  #verify(
    idr: { readonly identity: Identity; readonly raw?: Uint8Array },
    auth: { readonly method: number; readonly data: Uint8Array },
  ): IkeAuthOutcome | undefined {
    const { remoteIdentity, secret } = this.#config;
    const { suite, realMessage2, Ni, keys } = this.#sa;
    const name = formatIdentity(idr.identity);
    if (auth.method !== AuthMethod.SHARED_KEY)
      return distrusted(
        'peer-not-authentic',
        `the gateway ${name} authenticates itself with a certificate or signature (method ${auth.method}), not with a pre-shared key`,
        'ask the administrator to set up pre-shared key authentication for you, or for a profile with certificates',
      );
    const idPayload = idr.raw ?? identityBytes(idr.identity);
    const signed = { realMessage: realMessage2, nonce: Ni, SK_p: keys.SK_pr, idPayload };
    if (!verifyPskAuth(suite.prf, secret, signed, auth.data))
      return distrusted(
        'peer-not-authentic',
        `the gateway, which calls itself ${name}, does not prove that it knows the pre-shared key`,
        'check the pre-shared key in the profile, character by character; if it is right, this is not your gateway',
      );
    // After AUTH: only then is the name worth comparing.
    if (remoteIdentity && !sameIdentity(remoteIdentity, idr.identity))
      return distrusted(
        'peer-identity-mismatch',
        `the gateway calls itself ${name}, the profile expects ${formatIdentity(remoteIdentity)}`,
        "set the gateway's identity in the profile to the name that it uses, if the administrator confirms that name",
      );
    return undefined;
  }
}

const REPORT = 'this is a fault of either program: save the log and report it';

function distrusted(
  code: 'peer-not-authentic' | 'peer-identity-mismatch' | 'protocol',
  message: string,
  remedy: string,
): IkeAuthOutcome {
  return { kind: 'distrusted', error: new IkeError({ code, message, remedy, exchange: 'IKE_AUTH' }) };
}
