// What each end signs, or makes a keyed hash of, to prove itself (RFC 7296 §2.15), with what went through IKE_INTERMEDIATE (RFC 9242 §3.3.2):
//
//   InitiatorSignedOctets = RealMessage1 | Nr | prf(SK_pi, RestOfInitIDPayload) [| IntAuth]
//   ResponderSignedOctets = RealMessage2 | Ni | prf(SK_pr, RestOfRespIDPayload) [| IntAuth]
import type { Prf } from '../../crypto/prf.ts';
import { concat } from '../keymat.ts';
import type { IkeSa, Role } from '../sa.ts';

export interface SignedOctets {
  /** The signer's own IKE_SA_INIT message, from the first byte of its SPI to its end, as it was sent last. */
  readonly realMessage: Uint8Array;
  /** The other end's nonce, without the payload header. */
  readonly nonce: Uint8Array;
  /** SK_pi for the initiator, SK_pr for the responder. */
  readonly SK_p: Uint8Array;
  /** The signer's ID payload without its generic header: type, three reserved bytes, data. */
  readonly idPayload: Uint8Array;
  /** IntAuth of RFC 9242 §3.3.2, the message ID of IKE_AUTH included; undefined without IKE_INTERMEDIATE. */
  readonly intAuth?: Uint8Array | undefined;
}

/** The pieces in order. */
export function signedPieces(prf: Prf, signed: SignedOctets): readonly Uint8Array[] {
  const MACedID = prf.compute(signed.SK_p, signed.idPayload);
  return [signed.realMessage, signed.nonce, MACedID, ...(signed.intAuth ? [signed.intAuth] : [])];
}

/** All of them, for a signature. */
export const signedOctets = (prf: Prf, signed: SignedOctets): Uint8Array => concat(...signedPieces(prf, signed));

/** What the end `signer` of this SA signs, with its SK_p of `keys`. */
export function signedBy(
  signer: Role,
  sa: IkeSa,
  keys: { readonly SK_pi: Uint8Array; readonly SK_pr: Uint8Array },
  idPayload: Uint8Array,
): SignedOctets {
  const { intAuth } = sa;
  return signer === 'initiator'
    ? { realMessage: sa.realMessage1, nonce: sa.Nr, SK_p: keys.SK_pi, idPayload, intAuth }
    : { realMessage: sa.realMessage2, nonce: sa.Ni, SK_p: keys.SK_pr, idPayload, intAuth };
}
