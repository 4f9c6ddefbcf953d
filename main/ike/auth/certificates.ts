// CERT and CERTREQ payloads (RFC 7296 §3.6, §3.7): our chain, the peer's, and which certificate of ours the peer can follow.

import type { OwnCertificate } from '../credential.ts';
import { concat } from '../keymat.ts';
import { CERT_X509 } from '../payload/cert.ts';
import { type Payload, payloadsOf } from '../payload/payload.ts';
import type { CertificateChain } from '../questions.ts';

/** Our certificate first: AUTH is made with its key (RFC 7296 §3.6). */
export const certPayloads = (chain: CertificateChain): readonly Payload[] =>
  chain.map((data) => ({ kind: 'cert', encoding: CERT_X509, data }));

/** Asks for an X.509 certificate; of one of these authorities, where there are any. */
export const certreqPayload = (authorities: readonly Uint8Array[]): Payload => ({
  kind: 'certreq',
  encoding: CERT_X509,
  data: concat(...authorities),
});

/** X.509 certificates in the order in which they came; other encodings are none of ours. */
export const chainIn = (payloads: readonly Payload[]): CertificateChain =>
  payloadsOf(payloads, 'cert')
    .filter(({ encoding }) => encoding === CERT_X509)
    .map(({ data }) => data);

/**
 * The first certificate under an authority that the peer names. Where it names none, or none of ours fits, the first of all: a
 * CERTREQ is a hint (RFC 7296 §3.7).
 */
export function chooseCertificate(
  own: readonly [OwnCertificate, ...OwnCertificate[]],
  requested: readonly Uint8Array[],
): OwnCertificate {
  const isRequested = ({ authorities }: OwnCertificate): boolean =>
    authorities.some((ours) => requested.some((theirs) => Buffer.compare(ours, theirs) === 0));
  return own.find(isRequested) ?? own[0];
}
