// Shared key authentication (RFC 7296 §2.15):
//
//   AUTH = prf(prf(Shared Secret, "Key Pad for IKEv2"), <SignedOctets>)
//   InitiatorSignedOctets = RealMessage1 | Nr | prf(SK_pi, RestOfInitIDPayload)
//   ResponderSignedOctets = RealMessage2 | Ni | prf(SK_pr, RestOfRespIDPayload)
import { equalConstantTime } from '../../crypto/constant-time.ts';
import type { Prf } from '../../crypto/prf.ts';

const KEY_PAD = new TextEncoder().encode('Key Pad for IKEv2');

/** What one end signs. */
export interface SignedOctets {
  /** The signer's own IKE_SA_INIT message, from the first byte of its SPI to its end, as it was sent last. */
  readonly realMessage: Uint8Array;
  /** The other end's nonce, without the payload header. */
  readonly nonce: Uint8Array;
  /** SK_pi for the initiator, SK_pr for the responder. */
  readonly SK_p: Uint8Array;
  /** The signer's ID payload without its generic header: type, three reserved bytes, data. */
  readonly idPayload: Uint8Array;
}

export function pskAuth(prf: Prf, secret: Uint8Array, signed: SignedOctets): Uint8Array {
  const padded = prf.compute(secret, KEY_PAD);
  const MACedID = prf.compute(signed.SK_p, signed.idPayload);
  const AUTH = prf.compute(padded, signed.realMessage, signed.nonce, MACedID);
  padded.fill(0);
  return AUTH;
}

/** In time that does not depend on the contents. */
export function verifyPskAuth(prf: Prf, secret: Uint8Array, signed: SignedOctets, received: Uint8Array): boolean {
  return equalConstantTime(pskAuth(prf, secret, signed), received);
}
