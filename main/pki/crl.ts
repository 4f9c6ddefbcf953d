// Certificate revocation lists (RFC 5280 §5, §6.3.3): whole CRLs of the authority's own. Delta CRLs, indirect CRLs and CRLs for some
// reasons only say nothing here, rather than something wrong.
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  CertificateList,
  CRLReason,
  IssuingDistributionPoint,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  id_ce_cRLReasons,
  id_ce_issuingDistributionPoint,
  type RevokedCertificate,
} from '@peculiar/asn1-x509';
import { verifySigned } from '../crypto/signature.ts';
import { type Certificate, type Signed, signedParts } from './certificate.ts';
import { type DistinguishedName, nameOf, sameName } from './distinguished-name.ts';
import { formatTime, PkiError, type WallTime } from './error.ts';
import type { TrustPolicy } from './policy.ts';
import { CLOCK_TOLERANCE, revocationReason, type Status } from './status.ts';

export interface Crl {
  readonly issuer: DistinguishedName;
  readonly thisUpdate: WallTime;
  readonly nextUpdate: WallTime | undefined;
  readonly signed: Signed;
  /** By serial number in hexadecimal. */
  readonly revoked: ReadonlyMap<string, { readonly at: WallTime; readonly reason: number | undefined }>;
  /** Which certificates it is about; neither: a kind of CRL that says nothing here, and why. */
  readonly users: boolean;
  readonly authorities: boolean;
  readonly useless: string | undefined;
}

/** A list of 100,000 certificates; what is larger would hold up the engine while it is read. */
export const MOST_CRL_BYTES = 4 * 1024 * 1024;

const UNLIMITED = { berOptions: { maxNodes: Number.POSITIVE_INFINITY } };

export function parseCrl(der: Uint8Array, what = 'a CRL'): Crl | PkiError {
  const malformed = (detail: string) => new PkiError({ code: 'malformed', what, detail });
  if (der.length === 0 || der.length > MOST_CRL_BYTES) return malformed(`it has ${der.length} bytes`);
  const bytes = Uint8Array.from(der);
  try {
    const signed = signedParts(bytes, UNLIMITED.berOptions);
    if (!signed) return malformed('it is not a DER CRL');
    return read(AsnConvert.parse(bytes, CertificateList, UNLIMITED), signed);
  } catch {
    return malformed('it is not a DER CRL that can be understood');
  }
}

const KNOWN = new Set<string>([id_ce_cRLNumber, id_ce_authorityKeyIdentifier, id_ce_issuingDistributionPoint]);

function read({ tbsCertList: list }: CertificateList, signed: Signed): Crl {
  const extensions = list.crlExtensions ?? [];
  const point = extensions.find(({ extnID }) => extnID === id_ce_issuingDistributionPoint);
  const scope = point && AsnConvert.parse(point.extnValue.buffer, IssuingDistributionPoint);
  const entries = list.revokedCertificates ?? [];
  const strange =
    extensions.some(({ extnID, critical }) => critical && !KNOWN.has(extnID)) ||
    entries.some((entry) =>
      entry.crlEntryExtensions?.some(({ extnID, critical }) => critical && extnID !== id_ce_cRLReasons),
    );
  // certificateIssuer in an entry is critical (RFC 5280 §5.3.3): only indirect CRLs have it.
  const partial = scope && (scope.indirectCRL || scope.onlySomeReasons || scope.onlyContainsAttributeCerts);
  return {
    issuer: nameOf(list.issuer),
    thisUpdate: list.thisUpdate.getTime().getTime(),
    nextUpdate: list.nextUpdate?.getTime().getTime(),
    signed,
    revoked: new Map(
      entries.map((entry) => [
        Buffer.from(entry.userCertificate).toString('hex'),
        { at: entry.revocationDate.getTime().getTime(), reason: reasonOf(entry) },
      ]),
    ),
    users: !scope?.onlyContainsCACerts,
    authorities: !scope?.onlyContainsUserCerts,
    useless: strange || partial ? 'it is a delta, indirect or partial CRL, which is not supported' : undefined,
  };
}

function reasonOf(entry: RevokedCertificate): number | undefined {
  const extension = entry.crlEntryExtensions?.find(({ extnID }) => extnID === id_ce_cRLReasons);
  return extension && AsnConvert.parse(extension.extnValue.buffer, CRLReason).reason;
}

/** What the CRL says of a certificate of `issuer`. */
export function crlStatus(
  crl: Crl,
  certificate: Certificate,
  issuer: Certificate,
  now: WallTime,
  policy: TrustPolicy,
): Status {
  const unknown = (why: string): Status => ({ kind: 'unknown', why });
  if (!sameName(crl.issuer, issuer.subject)) return unknown('it is of another authority');
  if (crl.useless) return unknown(crl.useless);
  const isAuthority = certificate.basicConstraints?.ca ?? false;
  if (isAuthority ? !crl.authorities : !crl.users) return unknown('it is about other certificates');
  if (issuer.keyUsage && !issuer.keyUsage.includes('cRLSign')) return unknown('its authority may not sign CRLs');
  const { algorithm, bytes, signature } = crl.signed;
  if (!algorithm || (algorithm.hash === 'sha1' && !policy.sha1))
    return unknown(`it is signed with ${crl.signed.algorithmName}`);
  if (!verifySigned(issuer.publicKey, algorithm, bytes, signature))
    return unknown('its signature is not the authority’s');
  if (!(crl.thisUpdate <= now + CLOCK_TOLERANCE))
    return unknown(`it is from the future (${formatTime(crl.thisUpdate)})`);
  const entry = crl.revoked.get(certificate.serial);
  // A certificate that is on an old list stays revoked; that it is missing there says nothing any more.
  if (entry) return { kind: 'revoked', at: entry.at, reason: revocationReason(entry.reason) };
  if (crl.nextUpdate === undefined) return { kind: 'good', until: now };
  if (!(crl.nextUpdate > now)) return unknown(`it is out of date since ${formatTime(crl.nextUpdate)}`);
  return { kind: 'good', until: crl.nextUpdate };
}
