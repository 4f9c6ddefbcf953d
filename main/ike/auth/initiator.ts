// IKE_AUTH, the initiator's side, as one conversation (RFC 7296 §1.2, §2.15, §2.16, §2.21.2; RFC 4739, 5998, 7427, 8784). A round
// without EAP is one exchange, a round with EAP is several; a second round follows ANOTHER_AUTH_FOLLOWS.
//
//   Initiator                                    Responder
//   ---------------------------------------------------------------------------------------
//   HDR, SK {IDi, [CERT+], [N(INITIAL_CONTACT)], [CERTREQ],
//     [IDr], AUTH, [CP], SAi2, TSi, TSr}    -->
//                                           <--  HDR, SK {IDr, [CERT+], AUTH, [CP], SAr2, TSi, TSr}
//   with EAP:
//   HDR, SK {the same without AUTH}         -->
//                                           <--  HDR, SK {IDr, [CERT+], AUTH, EAP}     no secret leaves before this is verified
//   HDR, SK {EAP}                           -->
//                                           <--  HDR, SK {EAP}                         as often as the method wants
//   HDR, SK {AUTH}                          -->
//                                           <--  HDR, SK {AUTH, [CP], SAr2, TSi, TSr}
//
// How we prove ourselves (gateway-proof.ts has how the gateway does): with a pre-shared key, a signature that question `sign` makes,
// or EAP by question `eap`.
import { chooseScheme, encodeAuthentication, SIGNATURE_HASH } from '../../crypto/signature.ts';
import type { OwnCertificate, SignatureCredential } from '../credential.ts';
import type { IkeError } from '../error.ts';
import { formatIdentity, type Identity } from '../identity.ts';
import type { InitiatorConfig } from '../initiator-config.ts';
import type { Message } from '../message.ts';
import { errorNotifyIn, says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { AuthMethod } from '../payload/auth.ts';
import { identityBytes } from '../payload/id.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import { redirectIn } from '../redirect.ts';
import type { IkeSa } from '../sa.ts';
import { type Announced, notifyWith } from './announced.ts';
import { certPayloads, certreqPayload, chooseCertificate } from './certificates.ts';
import { ask, type Conversation, exchange } from './conversation.ts';
import { authError, distrusted, type End, failed, isEnd, REPORT } from './end.ts';
import { GatewayProof } from './gateway-proof.ts';
import { adoptMixed, type MixedKeys, mixPpk, wipeMixed } from './ppk.ts';
import { pskAuth } from './psk.ts';
import { signedBy, signedOctets } from './signed-octets.ts';

/** EAP packets of the gateway's in one conversation; TLS with long chains in small pieces needs dozens. */
const MOST_EAP_PACKETS = 200;

export type AuthConfig = Pick<
  InitiatorConfig,
  | 'identity'
  | 'remoteIdentity'
  | 'sameNames'
  | 'credential'
  | 'remoteAuthentication'
  | 'second'
  | 'ppk'
  | 'initialContact'
  | 'takesRedirects'
>;

export interface InitiatorTerms {
  /** Its secrets are not copied and not wiped here. */
  readonly config: AuthConfig;
  readonly sa: IkeSa;
  /** What the gateway said in IKE_SA_INIT. */
  readonly announced: Announced;
  /** What goes into the first request behind all that: the CHILD SA's offer, and what other extensions announce. */
  readonly offer: readonly Payload[];
}

export type InitiatorEnd =
  | {
      readonly kind: 'authenticated';
      readonly remoteIdentity: Identity;
      /** The last response, with what it says about the CHILD SA. */
      readonly response: Message;
    }
  | End;

export function authenticateInitiator(terms: InitiatorTerms): Conversation<InitiatorEnd> {
  return new InitiatorConversation(terms).run();
}

interface Round {
  readonly index: number;
  readonly identity: Identity;
  readonly credential: InitiatorConfig['credential'];
  readonly last: boolean;
}

class InitiatorConversation {
  readonly #config: AuthConfig;
  readonly #sa: IkeSa;
  readonly #announced: Announced;
  readonly #offer: readonly Payload[];
  readonly #rounds: readonly Round[];
  readonly #gateway: GatewayProof;
  /** Keys with the PPK in them, until it is settled whether it is used. */
  #mixed: MixedKeys | undefined;

  constructor({ config, sa, announced, offer }: InitiatorTerms) {
    this.#config = config;
    this.#sa = sa;
    this.#announced = announced;
    this.#offer = offer;
    const rounds = [
      { identity: config.identity, credential: config.credential },
      ...(config.second ? [config.second] : []),
    ];
    this.#rounds = rounds.map((round, index) => ({ ...round, index, last: index === rounds.length - 1 }));
    this.#gateway = new GatewayProof(config, sa);
  }

  *run(): Conversation<InitiatorEnd> {
    const sa = this.#sa;
    const impossible = this.#impossible();
    if (impossible) return failed(impossible);
    const { ppk } = this.#config;
    if (ppk && this.#announced.usePpk) this.#mixed = mixPpk(sa.suite.prf, ppk.secret, sa.keys);
    try {
      let response: Message | undefined;
      for (const round of this.#rounds) {
        const done = round.credential.kind === 'eap' ? yield* this.#byEap(round) : yield* this.#byAuth(round);
        if (isEnd(done)) return done;
        response = done;
      }
      const remoteIdentity = this.#gateway.identity;
      if (!response || !remoteIdentity) throw new Error('a conversation without a round');
      return { kind: 'authenticated', remoteIdentity, response };
    } finally {
      this.#forgetMixed();
    }
  }

  /** What IKE_SA_INIT has ruled out already. */
  #impossible(): IkeError | undefined {
    const announced = this.#announced;
    if (this.#rounds.length > 1 && !announced.multipleAuth)
      return authError(
        'authentication-mismatch',
        'the profile has two authentications, one after the other, and the gateway takes only one',
        'ask the administrator to enable multiple authentication (RFC 4739) on the gateway, or to leave "second" out of the profile',
      );
    if (this.#config.ppk?.required && !announced.usePpk)
      return authError(
        'authentication-mismatch',
        'the profile requires a post-quantum key (PPK), and the gateway does not use any',
        'ask the administrator to set the PPK up on the gateway (RFC 8784), or to make it optional in the profile',
      );
    return undefined;
  }

  /** IDi, CERT+, N(INITIAL_CONTACT), CERTREQ, IDr (RFC 7296 Appendix C). */
  #head({ index, identity }: Round, own: OwnCertificate | undefined): readonly Payload[] {
    const { initialContact, remoteIdentity } = this.#config;
    const authorities = this.#gateway.authorities;
    return [
      { kind: 'idi', identity },
      ...(own ? certPayloads(own.chain) : []),
      ...(index > 0
        ? []
        : [
            ...(initialContact === false ? [] : [notifyWith(NotifyType.INITIAL_CONTACT)]),
            ...(authorities ? [certreqPayload(authorities)] : []),
            ...(remoteIdentity ? [{ kind: 'idr' as const, identity: remoteIdentity }] : []),
          ]),
    ];
  }

  /** What follows the AUTH of a round. */
  #tail({ index, last }: Round): readonly Payload[] {
    return [
      ...(index === 0 && this.#rounds.length > 1 ? [notifyWith(NotifyType.MULTIPLE_AUTH_SUPPORTED)] : []),
      ...(last ? [] : [notifyWith(NotifyType.ANOTHER_AUTH_FOLLOWS)]),
    ];
  }

  // A round by pre-shared key or signature.

  *#byAuth(round: Round): Conversation<Message | End> {
    const { credential } = round;
    const own = credential.kind === 'signature' ? this.#certificate(credential) : undefined;
    const proof = yield* this.#proof(round, (keys) => this.#prove(round, own, keys));
    if (isEnd(proof)) return proof;
    const offer = round.index === 0 ? this.#offer : [];
    const response = yield* exchange([...this.#head(round, own), ...proof, ...this.#tail(round), ...offer]);
    const refusal = this.#refusal(response, round);
    if (refusal) return refusal;
    if (payloadOf(response.payloads, 'eap'))
      return distrusted(
        'authentication-mismatch',
        `the gateway wants EAP (user name and password, or the like) from ${formatIdentity(round.identity)} although we authenticated otherwise`,
        'ask the administrator which authentication this gateway uses for you, and for a profile with it',
      );
    // A gateway that has proved itself in the first round need not do it again (RFC 4739 §2.4).
    const proven = this.#gateway.proven && !payloadOf(response.payloads, 'auth');
    const distrust = this.#settlePpk(response) ?? (proven ? undefined : yield* this.#gateway.verify(response));
    return distrust ?? (round.last ? response : (this.#redirected(response) ?? response));
  }

  /**
   * RFC 5685 §6: sent elsewhere by a gateway that has proved itself, before we have proved all that we would have to. The last response
   * is the host's to look into: there is an IKE SA by then.
   */
  #redirected({ payloads }: Message): End | undefined {
    const to = this.#config.takesRedirects ? redirectIn(payloads) : undefined;
    return to && { kind: 'redirected', to };
  }

  #certificate({ certificates }: SignatureCredential): OwnCertificate {
    return chooseCertificate(certificates, this.#announced.authorities);
  }

  /** The AUTH payload of a round without EAP, made with these keys. */
  *#prove(
    { identity, credential }: Round,
    own: OwnCertificate | undefined,
    keys: { readonly SK_pi: Uint8Array; readonly SK_pr: Uint8Array },
  ): Conversation<{ readonly method: number; readonly data: Uint8Array } | End> {
    const { suite } = this.#sa;
    const { hashes } = this.#announced;
    const signed = signedBy('initiator', this.#sa, keys, identityBytes(identity));
    if (credential.kind === 'psk')
      return { method: AuthMethod.SHARED_KEY, data: pskAuth(suite.prf, credential.secret, signed) };
    if (credential.kind !== 'signature' || !own) throw new Error('EAP has its own rounds');
    const scheme = chooseScheme(own.publicKey, hashes, credential.policy);
    if (!scheme) return failed(noScheme(own, hashes));
    const octets = signedOctets(suite.prf, signed);
    const answer = yield* ask({ kind: 'sign', scheme, octets, certificate: own.chain[0] ?? new Uint8Array(0) });
    if (answer.kind === 'failed') return failed(answer.error);
    if (answer.kind !== 'signed') throw new Error('"sign" is answered by a signature');
    return encodeAuthentication(scheme, answer.signature);
  }

  // A round by EAP.

  *#byEap(round: Round): Conversation<Message | End> {
    const first = round.index === 0;
    const gatewayByEap = first && round.credential.kind === 'eap' && round.credential.gatewayByEap === true;
    let response = yield* exchange([
      ...this.#head(round, undefined),
      ...(gatewayByEap ? [notifyWith(NotifyType.EAP_ONLY_AUTHENTICATION)] : []),
      ...(first && this.#rounds.length > 1 ? [notifyWith(NotifyType.MULTIPLE_AUTH_SUPPORTED)] : []),
      ...(first ? this.#offer : []),
    ]);
    const refusal = this.#refusal(response, round);
    if (refusal) return refusal;
    if (first) {
      const distrust = yield* this.#gatewayBeforeEap(response, gatewayByEap);
      if (distrust) return distrust;
    }
    let msk: Uint8Array | undefined;
    try {
      for (let packets = 0; ; packets++) {
        const eap = payloadOf(response.payloads, 'eap');
        if (!eap) return distrusted('protocol', 'the gateway broke EAP off in the middle without a reason', REPORT);
        if (packets >= MOST_EAP_PACKETS)
          return distrusted('protocol', `the gateway's EAP does not come to an end (${packets} packets)`, REPORT);
        const { proven: gatewayProven } = this.#gateway;
        const answer = yield* ask({ kind: 'eap', packet: eap.data, gatewayProven, round: round.index });
        if (answer.kind === 'failed') return failed(answer.error);
        if (answer.kind !== 'eap') throw new Error('"eap" is answered by EAP');
        msk = answer.msk;
        if (answer.state === 'failure')
          return failed(answer.error ?? eapRefused(round.identity), lastPacket(answer.packet));
        if (answer.state === 'success') break;
        response = yield* exchange([{ kind: 'eap', data: answer.packet }]);
        const end = this.#refusal(response, round);
        if (end) return end;
      }
      // RFC 5998 §3: both ends have to be sure that the method authenticated both and made a key.
      if (!msk && !this.#gateway.proven)
        return distrusted(
          'peer-not-authentic',
          'the gateway wanted to prove itself by EAP alone, with a method that proves nothing of it',
          'ask the administrator to give the gateway a certificate, or for EAP-TLS, EAP-TTLS or PEAP',
        );
      return yield* this.#endOfEap(round, msk);
    } finally {
      msk?.fill(0);
    }
  }

  /** RFC 7296 §2.16: the gateway first, or nobody's password leaves. */
  *#gatewayBeforeEap(response: Message, gatewayByEap: boolean): Conversation<End | undefined> {
    const { payloads } = response;
    if (payloadOf(payloads, 'auth')) {
      const distrust = yield* this.#gateway.verify(response);
      if (distrust) return distrust;
      const redirected = this.#redirected(response);
      if (redirected || payloadOf(payloads, 'eap')) return redirected;
      return distrusted('protocol', 'the gateway takes us without the EAP that we asked for', REPORT);
    }
    const named = this.#gateway.named(response);
    if (named) return named;
    if (gatewayByEap) return undefined;
    return distrusted(
      'peer-not-authentic',
      'the gateway asks for your user name and password without proving who it is: nothing was sent',
      'ask the administrator to give the gateway a certificate; only a profile that says so may leave it to EAP',
    );
  }

  /** RFC 7296 §2.16: AUTH of both ends by the key that EAP made, or by SK_pi and SK_pr where it made none. */
  *#endOfEap(round: Round, msk: Uint8Array | undefined): Conversation<Message | End> {
    const { suite } = this.#sa;
    const idPayload = identityBytes(round.identity);
    const sa = this.#sa;
    // biome-ignore lint/correctness/useYield: the same shape as the proof by signature, which asks
    const proof = yield* this.#proof(round, function* (keys) {
      const signed = signedBy('initiator', sa, keys, idPayload);
      return { method: AuthMethod.SHARED_KEY, data: pskAuth(suite.prf, msk ?? keys.SK_pi, signed) };
    });
    if (isEnd(proof)) return proof;
    const response = yield* exchange([...proof, ...this.#tail({ ...round, index: 1 })]);
    const refusal = this.#refusal(response, round);
    if (refusal) return refusal;
    return this.#settlePpk(response) ?? this.#gateway.verifyAfterEap(response, msk) ?? response;
  }

  // Post-quantum keys.

  /** AUTH; in the first round with the PPK in it, beside what the gateway would take without (RFC 8784 §3). */
  *#proof(
    { index }: Round,
    prove: (keys: MixedKeys) => Conversation<{ readonly method: number; readonly data: Uint8Array } | End>,
  ): Conversation<readonly Payload[] | End> {
    const { ppk } = this.#config;
    const mixed = index === 0 ? this.#mixed : undefined;
    const auth = yield* prove(mixed ?? this.#sa.keys);
    if (isEnd(auth)) return auth;
    const payloads: Payload[] = [{ kind: 'auth', ...auth }];
    if (!mixed || !ppk) return payloads;
    payloads.push(notifyWith(NotifyType.PPK_IDENTITY, ppk.id));
    if (ppk.required) return payloads;
    const without = yield* prove(this.#sa.keys);
    if (isEnd(without)) return without;
    return [...payloads, notifyWith(NotifyType.NO_PPK_AUTH, without.data)];
  }

  /** Does the gateway use the PPK? What follows has its keys in use, or not, for good. */
  #settlePpk({ payloads }: Message): End | undefined {
    if (!this.#mixed) return undefined;
    const used = says(payloads, NotifyType.PPK_IDENTITY);
    if (!used && this.#config.ppk?.required)
      return distrusted(
        'authentication-mismatch',
        'the gateway does not know our post-quantum key (PPK), which the profile requires',
        'compare the id of the PPK in the profile with the one on the gateway',
      );
    if (used) adoptMixed(this.#sa.keys, this.#mixed);
    this.#forgetMixed();
    return undefined;
  }

  #forgetMixed(): void {
    if (this.#mixed) wipeMixed(this.#mixed);
    this.#mixed = undefined;
  }

  /** A response with neither AUTH nor EAP whose error says that we are not let in. */
  #refusal({ payloads }: Message, { index, identity, credential, last }: Round): End | undefined {
    if (payloadOf(payloads, 'auth') || payloadOf(payloads, 'eap')) return undefined;
    const error = errorNotifyIn(payloads);
    // In a second round without EAP the last response has no AUTH: what it says may be about the CHILD SA alone.
    if (!error || (index > 0 && last && !REFUSES_US.has(error.type))) return undefined;
    const name = formatIdentity(identity);
    return {
      kind: 'refused',
      error: errorOfNotify(error.type, { exchange: 'IKE_AUTH', identity: name, by: credential.kind }),
    };
  }
}

const REFUSES_US: ReadonlySet<number> = new Set([
  NotifyType.AUTHENTICATION_FAILED,
  NotifyType.INVALID_SYNTAX,
  NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
]);

const lastPacket = (data: Uint8Array): readonly Payload[] => (data.length > 0 ? [{ kind: 'eap', data }] : []);

function eapRefused(identity: Identity): IkeError {
  return authError(
    'refused-by-peer',
    `the gateway refused ${formatIdentity(identity)} (EAP failure)`,
    'check user name and password; the account may be locked or not allowed to connect',
  );
}

/** Why nothing can be signed with this key for this gateway. */
function noScheme({ publicKey }: OwnCertificate, hashes: readonly number[] | undefined): IkeError {
  const type = publicKey.asymmetricKeyType;
  const which = type === 'rsa' || type === 'rsa-pss' ? 'RSA' : type === 'ec' ? 'ECDSA' : 'Ed25519';
  if (hashes && hashes.length > 0) {
    const names = Object.entries(SIGNATURE_HASH).flatMap(([name, id]) => (hashes.includes(id) ? [name] : []));
    return authError(
      'authentication-mismatch',
      `the gateway takes no signature that our ${which} key can make (it knows ${names.join(', ') || 'nothing that we know'})`,
      'ask the administrator for a certificate with another kind of key, or to allow SHA-256 on the gateway',
    );
  }
  return authError(
    'authentication-mismatch',
    which === 'RSA'
      ? 'the gateway knows only the old RSA signatures with SHA-1, which are not secure any more'
      : `the gateway does not know the signatures that our ${which} key makes (RFC 7427)`,
    which === 'RSA'
      ? 'ask the administrator to update the gateway, or for an ECDSA certificate; a profile for legacy gateways can allow SHA-1'
      : 'ask the administrator to enable signature authentication (RFC 7427) on the gateway, or for a certificate with an RSA or ECDSA key',
  );
}
