// How either end proves who it is (RFC 7296 §2.15, §2.16), and what the other one is asked for.
//
// Private keys are not in here: who holds one answers the question `sign` (questions.ts).
import type { KeyObject } from 'node:crypto';
import type { SchemePolicy } from '../crypto/signature.ts';
import type { Identity } from './identity.ts';
import type { CertificateChain } from './questions.ts';

/** A pre-shared key (RFC 7296 §2.15). Copied at the start; the copy is wiped by close, the caller's bytes are left alone. */
export interface PskCredential {
  readonly kind: 'psk';
  readonly secret: Uint8Array;
}

/** A certificate whose private key somebody else holds: question `sign` (RFC 7296 §2.15, RFC 7427). */
export interface SignatureCredential {
  readonly kind: 'signature';
  /** One or more; which one is taken follows the peer's CERTREQ, else the first (RFC 7296 §3.7). */
  readonly certificates: readonly [OwnCertificate, ...OwnCertificate[]];
  readonly policy?: SchemePolicy | undefined;
}

export interface OwnCertificate {
  readonly chain: CertificateChain;
  /** The public half; its type decides what can be signed with it. */
  readonly publicKey: KeyObject;
  /** SHA-1 hashes of the SubjectPublicKeyInfo of every authority above it, as in CERTREQ (RFC 7296 §3.7); empty: unknown. */
  readonly authorities: readonly Uint8Array[];
}

/** EAP (RFC 7296 §2.16): question `eap` for each packet. */
export interface EapCredential {
  readonly kind: 'eap';
  /** Let the gateway prove itself by EAP alone, where it wants to (RFC 5998); the methods then have to be fit for it. */
  readonly gatewayByEap?: boolean | undefined;
}

export type Credential = PskCredential | SignatureCredential | EapCredential;

/** How the gateway has to prove who it is, whatever we do ourselves. */
export type RemoteAuthentication =
  | PskCredential
  | {
      readonly kind: 'signature';
      /** SHA-1 hashes of the SubjectPublicKeyInfo of the authorities that we trust, for CERTREQ; empty: any. */
      readonly authorities: readonly Uint8Array[];
      /** The name that its certificate must be good for, where `remoteIdentity` names none: what we connected to. */
      readonly name?: Identity | undefined;
    };

/** A post-quantum pre-shared key (RFC 8784). */
export interface Ppk {
  /** PPK_ID with its type octet in front (RFC 8784 §5.1). */
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  /** Without it there is no connection. */
  readonly required: boolean;
}

/** Another authentication after the first (RFC 4739): of a person after the machine's, say. */
export interface SecondAuthentication {
  readonly identity: Identity;
  readonly credential: Credential;
}
