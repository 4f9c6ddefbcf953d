// Shared key authentication (RFC 7296 §2.15), also with the key that EAP has made (§2.16):
//
//   AUTH = prf(prf(Shared Secret, "Key Pad for IKEv2"), <SignedOctets>)
import { equalConstantTime } from '../../crypto/constant-time.ts';
import type { Prf } from '../../crypto/prf.ts';
import { type SignedOctets, signedPieces } from './signed-octets.ts';

const KEY_PAD = new TextEncoder().encode('Key Pad for IKEv2');

export function pskAuth(prf: Prf, secret: Uint8Array, signed: SignedOctets): Uint8Array {
  const padded = prf.compute(secret, KEY_PAD);
  const AUTH = prf.compute(padded, ...signedPieces(prf, signed));
  padded.fill(0);
  return AUTH;
}

/** In time that does not depend on the contents. */
export function verifyPskAuth(prf: Prf, secret: Uint8Array, signed: SignedOctets, received: Uint8Array): boolean {
  const expected = pskAuth(prf, secret, signed);
  const same = equalConstantTime(expected, received);
  expected.fill(0);
  return same;
}
