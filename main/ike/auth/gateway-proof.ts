// How the gateway proves to us who it is: a pre-shared key, or a signature with a certificate (RFC 7296 §2.15), whatever we do
// ourselves; and with or after EAP (§2.16). Its name is compared last: until AUTH is good, anybody may have said it.
import { decodeAuthentication } from '../../crypto/signature.ts';
import { isWireError } from '../../wire/error.ts';
import type { RemoteAuthentication } from '../credential.ts';
import { formatIdentity, type Identity, sameIdentity } from '../identity.ts';
import type { InitiatorConfig } from '../initiator-config.ts';
import type { Message } from '../message.ts';
import { AuthMethod } from '../payload/auth.ts';
import { identityBytes } from '../payload/id.ts';
import { type PayloadOf, payloadOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import { chainIn } from './certificates.ts';
import { ask, type Conversation } from './conversation.ts';
import { distrusted, type End, REPORT } from './end.ts';
import { verifyPskAuth } from './psk.ts';
import { signedBy, signedOctets } from './signed-octets.ts';

type Config = Pick<InitiatorConfig, 'remoteIdentity' | 'sameNames' | 'remoteAuthentication' | 'credential'>;
type Name = PayloadOf<'idr'>;
type Auth = PayloadOf<'auth'>;

export class GatewayProof {
  readonly #remoteIdentity: Identity | undefined;
  readonly #sameNames: Config['sameNames'];
  readonly #how: RemoteAuthentication | undefined;
  readonly #sa: IkeSa;
  /** The latest IDr (RFC 4739 §2.1). */
  #idr: Name | undefined;
  #proven = false;

  constructor({ remoteIdentity, sameNames, remoteAuthentication, credential }: Config, sa: IkeSa) {
    this.#remoteIdentity = remoteIdentity;
    this.#sameNames = sameNames;
    this.#how = remoteAuthentication ?? (credential.kind === 'psk' ? credential : undefined);
    this.#sa = sa;
  }

  /** It has proved itself: with its key or certificate, or with the key that EAP made. */
  get proven(): boolean {
    return this.#proven;
  }

  get identity(): Identity | undefined {
    return this.#idr?.identity;
  }

  /** For CERTREQ; undefined: we want no certificate. */
  get authorities(): readonly Uint8Array[] | undefined {
    return this.#how?.kind === 'signature' ? this.#how.authorities : undefined;
  }

  /** Takes the name that the gateway gives itself, where it has not given one before. */
  named({ payloads }: Message): End | undefined {
    this.#idr = payloadOf(payloads, 'idr') ?? this.#idr;
    return this.#idr ? undefined : distrusted('protocol', 'the gateway does not say what it is called', REPORT);
  }

  /** Its AUTH payload, by the way that the configuration asks for. */
  *verify(response: Message): Conversation<End | undefined> {
    const { payloads } = response;
    const auth = payloadOf(payloads, 'auth');
    if (!auth) return distrusted('protocol', 'the gateway answered IKE_AUTH without authenticating itself', REPORT);
    const unnamed = this.named(response);
    const idr = this.#idr;
    if (unnamed || !idr) return unnamed;
    const how = this.#how;
    let distrust: End | undefined;
    switch (how?.kind) {
      case 'psk':
        distrust = this.#verifyPsk(idr, auth, how.secret);
        break;
      case 'signature':
        distrust = yield* this.#verifySignature(response, idr, auth, how.name);
        break;
      case undefined:
        return distrusted(
          'configuration',
          'the profile does not say how the gateway proves who it is',
          'put the certificate authority of the gateway into the profile (gateway.authentication)',
        );
    }
    if (!distrust) this.#proven = true;
    return distrust;
  }

  /** AUTH with the key that EAP made, or SK_pr where it made none (RFC 7296 §2.16). */
  verifyAfterEap(response: Message, msk: Uint8Array | undefined): End | undefined {
    const { suite, keys } = this.#sa;
    const auth = payloadOf(response.payloads, 'auth');
    const idr = this.#idr;
    if (!auth || !idr)
      return distrusted('protocol', 'the gateway did not authenticate itself at the end of EAP', REPORT);
    const signed = signedBy('responder', this.#sa, keys, idr.raw ?? identityBytes(idr.identity));
    if (auth.method !== AuthMethod.SHARED_KEY || !verifyPskAuth(suite.prf, msk ?? keys.SK_pr, signed, auth.data))
      return distrusted(
        'peer-not-authentic',
        `the gateway ${formatIdentity(idr.identity)} does not know the key that EAP has made: somebody may stand between you and it`,
        'do not use this network for it; if it happens everywhere, tell the administrator',
      );
    if (this.#proven) return undefined;
    // By EAP alone (RFC 5998): its name has not been looked at yet, and only a key that the method made proves anything.
    const distrust = this.#compareNames(idr);
    if (!distrust && msk) this.#proven = true;
    return distrust;
  }

  #verifyPsk(idr: Name, auth: Auth, secret: Uint8Array): End | undefined {
    const { suite, keys } = this.#sa;
    const name = formatIdentity(idr.identity);
    if (auth.method !== AuthMethod.SHARED_KEY)
      return distrusted(
        'peer-not-authentic',
        `the gateway ${name} authenticates itself with a certificate or signature (method ${auth.method}), not with a pre-shared key`,
        'ask the administrator to set up pre-shared key authentication for you, or for a profile with certificates',
      );
    const signed = signedBy('responder', this.#sa, keys, idr.raw ?? identityBytes(idr.identity));
    if (!verifyPskAuth(suite.prf, secret, signed, auth.data))
      return distrusted(
        'peer-not-authentic',
        `the gateway, which calls itself ${name}, does not prove that it knows the pre-shared key`,
        'check the pre-shared key in the profile, character by character; if it is right, this is not your gateway',
      );
    return this.#compareNames(idr);
  }

  #compareNames(idr: Name): End | undefined {
    const expected = this.#remoteIdentity;
    if (!expected || sameIdentity(expected, idr.identity) || this.#sameNames?.(expected, idr.identity))
      return undefined;
    return distrusted(
      'peer-identity-mismatch',
      `the gateway calls itself ${formatIdentity(idr.identity)}, the profile expects ${formatIdentity(expected)}`,
      "set the gateway's identity in the profile to the name that it uses, if the administrator confirms that name",
    );
  }

  *#verifySignature(
    response: Message,
    idr: Name,
    auth: Auth,
    connectedTo: Identity | undefined,
  ): Conversation<End | undefined> {
    const { suite, keys } = this.#sa;
    const { identity } = idr;
    const name = formatIdentity(identity);
    const decoded = decodeAuthentication(auth.method, auth.data);
    if (decoded === undefined)
      return distrusted(
        'peer-not-authentic',
        auth.method === AuthMethod.SHARED_KEY
          ? `the gateway ${name} authenticates itself with a pre-shared key, the profile expects a certificate`
          : `the gateway ${name} authenticates itself by a method that we do not know (${auth.method})`,
        'ask the administrator how the gateway proves who it is, and for a profile that says so',
      );
    if (isWireError(decoded))
      return distrusted(
        'peer-not-authentic',
        `the gateway ${name} signed with an algorithm that we do not take (${decoded.toString()})`,
        'ask the administrator to let the gateway sign with SHA-256, SHA-384 or SHA-512',
      );
    const octets = signedOctets(suite.prf, signedBy('responder', this.#sa, keys, idr.raw ?? identityBytes(identity)));
    const wanted = this.#remoteIdentity ?? connectedTo;
    const answer = yield* ask({
      kind: 'verify',
      ...decoded,
      octets,
      chain: chainIn(response.payloads),
      identity,
      ...(wanted && !sameIdentity(wanted, identity) ? { expected: wanted } : {}),
    });
    if (answer.kind === 'failed') return { kind: 'distrusted', error: answer.error };
    if (answer.kind !== 'verified') throw new Error('"verify" is answered by yes or no');
    return undefined;
  }
}
