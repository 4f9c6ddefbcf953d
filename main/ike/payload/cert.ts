// Certificate payload (RFC 7296 §3.6).
//
// +---------------+-----------------------------------------------+
// | Cert Encoding |               Certificate Data                ~
// +---------------+-----------------------------------------------+
import { rest, struct, tagged, u8 } from '../../wire/field.ts';

/** Certificate encodings in use: X.509 - Signature, and Hash and URL of it. */
export const CERT_X509 = 4;
export const CERT_HASH_AND_URL = 12;

export const cert = tagged('cert', struct('CERT payload', { encoding: u8, data: rest }));
