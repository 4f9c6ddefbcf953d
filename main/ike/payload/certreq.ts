// Certificate Request payload (RFC 7296 §3.7). For X.509 `data` is SHA-1 hashes, 20 bytes each, of the public keys of
// certification authorities that the sender trusts.
//
// +---------------+-----------------------------------------------+
// | Cert Encoding |            Certification Authority            ~
// +---------------+-----------------------------------------------+
import { rest, struct, tagged, u8 } from '../../wire/field.ts';

export const certreq = tagged('certreq', struct('CERTREQ payload', { encoding: u8, data: rest }));
