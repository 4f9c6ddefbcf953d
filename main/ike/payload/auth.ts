// Authentication payload (RFC 7296 §3.8).
//
// +---------------+-----------------------------------------------+
// | Auth Method   |                RESERVED                       |
// +---------------+-----------------------------------------------+
// ~                      Authentication Data                      ~
// +---------------------------------------------------------------+
import { reserved, rest, struct, tagged, u8 } from '../../wire/field.ts';

/** IANA "IKEv2 Authentication Method". */
export const AuthMethod = {
  RSA: 1,
  SHARED_KEY: 2,
  ECDSA_256: 9,
  ECDSA_384: 10,
  ECDSA_521: 11,
  NULL: 13,
  /** RFC 7427. */
  DIGITAL_SIGNATURE: 14,
} as const;

export const auth = tagged('auth', struct('AUTH payload', { method: u8, reserved: reserved(3), data: rest }));
