// OCSP (RFC 6960, in the profile of RFC 5019: one certificate, SHA-1 in the CertID because responders look answers up by it, no
// nonce so that answers may be cached). Signed by the authority itself or by a responder that it has certified for that.
import { createHash } from 'node:crypto';
import type { CertID, SingleResponse } from '@peculiar/asn1-ocsp';
import { verifySigned } from '../crypto/signature.ts';
import { blocksOf, onlyBlock } from './blocks.ts';
import { type Certificate, parseCertificate, type Signed, signedParts } from './certificate.ts';
import { signatureProblem, validityProblem } from './chain.ts';
import { sameName } from './distinguished-name.ts';
import { formatTime, isPkiError, type WallTime } from './error.ts';
import { lib } from './libraries.ts';
import type { TrustPolicy } from './policy.ts';
import { CLOCK_TOLERANCE, revocationReason, type Status } from './status.ts';

export const OCSP_REQUEST_TYPE = 'application/ocsp-request';
export const OCSP_RESPONSE_TYPE = 'application/ocsp-response';
/** An answer about one certificate has two or three kilobytes with the responder's certificate. */
export const MOST_OCSP_BYTES = 64 * 1024;
/** An answer without nextUpdate (RFC 6960 §2.4) counts for so long. */
const FRESH = 24 * 3_600_000;

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

const digest = (hash: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(createHash(hash).update(bytes).digest());

/** The DER of a request about one certificate. */
export function ocspRequest(certificate: Certificate, issuer: Certificate): Uint8Array {
  const reqCert = new lib.ocsp.CertID({
    // SHA-1 with its NULL, as every responder expects it.
    hashAlgorithm: new lib.x509.AlgorithmIdentifier({ algorithm: '1.3.14.3.2.26', parameters: null }),
    issuerNameHash: new lib.schema.OctetString(digest('sha1', certificate.issuer.der)),
    issuerKeyHash: new lib.schema.OctetString(digest('sha1', issuer.keyBits)),
    serialNumber: Uint8Array.from(Buffer.from(certificate.serial, 'hex')).buffer,
  });
  const request = new lib.ocsp.OCSPRequest({
    tbsRequest: new lib.ocsp.TBSRequest({ requestList: [new lib.ocsp.Request({ reqCert })] }),
  });
  return new Uint8Array(lib.schema.AsnConvert.serialize(request));
}

/** What the bytes of a response say of a certificate of `issuer`. */
export function ocspStatus(
  response: Uint8Array,
  certificate: Certificate,
  issuer: Certificate,
  now: WallTime,
  policy: TrustPolicy,
): Status {
  const unknown = (why: string): Status => ({ kind: 'unknown', why });
  if (response.length === 0 || response.length > MOST_OCSP_BYTES)
    return unknown(`its answer has ${response.length} bytes`);
  try {
    const { responseStatus, responseBytes } = lib.schema.AsnConvert.parse(
      Uint8Array.from(response),
      lib.ocsp.OCSPResponse,
    );
    if (responseStatus !== lib.ocsp.OCSPResponseStatus.successful)
      return unknown(`it answers "${lib.ocsp.OCSPResponseStatus[responseStatus] ?? responseStatus}"`);
    if (!responseBytes || responseBytes.responseType !== lib.ocsp.id_pkix_ocsp_basic)
      return unknown('its answer is of another kind');
    const der = new Uint8Array(responseBytes.response.buffer);
    const signed = signedParts(der);
    if (!signed) return unknown('its answer cannot be read');
    if (!signedByAuthority(signed, embeddedCertificates(der), issuer, now, policy))
      return unknown('its answer is not signed by the authority or a responder of its own');
    const { tbsResponseData } = lib.schema.AsnConvert.parse(der, lib.ocsp.BasicOCSPResponse);
    if (tbsResponseData.responseExtensions?.some(({ critical }) => critical))
      return unknown('its answer has a critical extension that is not known');
    const single = tbsResponseData.responses.find(({ certID }) => isAbout(certID, certificate, issuer));
    return single ? statusOf(single, now) : unknown('its answer is about other certificates');
  } catch {
    return unknown('its answer cannot be understood');
  }
}

function statusOf({ certStatus, thisUpdate, nextUpdate, singleExtensions }: SingleResponse, now: WallTime): Status {
  const unknown = (why: string): Status => ({ kind: 'unknown', why });
  if (singleExtensions?.some(({ critical }) => critical))
    return unknown('its answer has a critical extension that is not known');
  const from = thisUpdate.getTime();
  if (!(from <= now + CLOCK_TOLERANCE)) return unknown(`its answer is from the future (${formatTime(from)})`);
  const until = nextUpdate?.getTime() ?? from + FRESH;
  if (!(until > now)) return unknown(`its answer is out of date since ${formatTime(until)}`);
  if (certStatus.revoked) {
    const { revocationTime, revocationReason: reason } = certStatus.revoked;
    return { kind: 'revoked', at: revocationTime.getTime(), reason: revocationReason(reason?.reason) };
  }
  // `good` is NULL; `unknown` is present too in answers that say it (RFC 6960 §2.2).
  return certStatus.good === null ? { kind: 'good', until } : unknown('it does not know the certificate');
}

function isAbout(id: CertID, certificate: Certificate, issuer: Certificate): boolean {
  const hash = HASHES[id.hashAlgorithm.algorithm];
  return (
    hash !== undefined &&
    Buffer.from(id.serialNumber).toString('hex') === certificate.serial &&
    Buffer.compare(Buffer.from(id.issuerNameHash.buffer), digest(hash, certificate.issuer.der)) === 0 &&
    Buffer.compare(Buffer.from(id.issuerKeyHash.buffer), digest(hash, issuer.keyBits)) === 0
  );
}

/** RFC 6960 §4.2.2.2: the authority, or a certificate issued by it directly whose extended key usage has OCSPSigning. */
function signedByAuthority(
  signed: Signed,
  embedded: readonly Uint8Array[],
  issuer: Certificate,
  now: WallTime,
  policy: TrustPolicy,
): boolean {
  const signs = (signer: Certificate, what: Signed) =>
    what.algorithm !== undefined &&
    (what.algorithm.hash !== 'sha1' || policy.sha1) &&
    verifySigned(signer.publicKey, what.algorithm, what.bytes, what.signature);
  if (signs(issuer, signed)) return true;
  return embedded.slice(0, 4).some((der) => {
    const responder = parseCertificate(der);
    return (
      !isPkiError(responder) &&
      sameName(responder.issuer, issuer.subject) &&
      (responder.extendedKeyUsage?.includes(OCSP_SIGNING) ?? false) &&
      (responder.keyUsage?.includes('digitalSignature') ?? true) &&
      responder.unknownCritical.every((oid) => oid === OCSP_NO_CHECK) &&
      !validityProblem(responder, now) &&
      !signatureProblem(responder, policy) &&
      signs(issuer, responder.signed) &&
      signs(responder, signed)
    );
  });
}

/** The authority promises that the responder need not be checked for revocation (RFC 6960 §4.2.2.2.1); we never do. */
const OCSP_NO_CHECK = '1.3.6.1.5.5.7.48.1.5';

/** The bytes of `certs [0]` as they came, for a certificate encoded anew may not verify. */
function embeddedCertificates(basic: Uint8Array): readonly Uint8Array[] {
  const parts = blocksOf(onlyBlock(basic)?.content ?? new Uint8Array());
  const list = parts?.[3] && onlyBlock(parts[3].content);
  return (list && blocksOf(list.content)?.map(({ bytes }) => bytes)) ?? [];
}
