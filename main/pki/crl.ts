// Certificate revocation lists (RFC 5280 §5, §6.3.3): whole CRLs of the authority's own. Delta CRLs, indirect CRLs and CRLs for some
// reasons only say nothing here, rather than something wrong.
import type { DistributionPointName, Extensions } from '@peculiar/asn1-x509';
import { verifySigned } from '../crypto/signature.ts';
import { type Block, blocksOf, firstBlock, TAG } from './blocks.ts';
import { type Certificate, type Signed, signedParts } from './certificate.ts';
import { type DistinguishedName, nameOf, sameName } from './distinguished-name.ts';
import { formatTime, isPkiError, PkiError, type WallTime } from './error.ts';
import { lib } from './libraries.ts';
import { CRL_LABELS, derObjects } from './pem.ts';
import type { TrustPolicy } from './policy.ts';
import { CLOCK_TOLERANCE, revocationReason, type Status } from './status.ts';

export interface Crl {
  readonly issuer: DistinguishedName;
  readonly thisUpdate: WallTime;
  readonly nextUpdate: WallTime | undefined;
  readonly signed: Signed;
  /** DER of each entry by serial number in hexadecimal; decoded only when it is wanted. */
  readonly revoked: ReadonlyMap<string, Uint8Array>;
  /** Which certificates it is about; neither: a kind of CRL that says nothing here, and why. */
  readonly users: boolean;
  readonly authorities: boolean;
  /**
   * Where it is to be had, in its own words (issuingDistributionPoint): an authority may spread its certificates over several CRLs, and
   * each is about those alone that name its place. undefined: it is about all of them.
   */
  readonly points: readonly string[] | undefined;
  readonly useless: string | undefined;
}

/** A list of 100,000 certificates; what is larger would hold up the engine while it is read. */
export const MOST_CRL_BYTES = 4 * 1024 * 1024;

export function parseCrl(der: Uint8Array, what = 'a CRL'): Crl | PkiError {
  const malformed = (detail: string) => new PkiError({ code: 'malformed', what, detail });
  if (der.length === 0 || der.length > MOST_CRL_BYTES) return malformed(`it has ${der.length} bytes`);
  try {
    const signed = signedParts(Uint8Array.from(der));
    return (signed && read(signed)) ?? malformed('it is not a DER CRL');
  } catch {
    return malformed('it is not a DER CRL that can be understood');
  }
}

/** Every CRL in a file, PEM or DER; none at all is an error. */
export function readCrls(file: Uint8Array, what: string): readonly Crl[] | PkiError {
  const crls: Crl[] = [];
  for (const der of derObjects(file, CRL_LABELS)) {
    const crl = parseCrl(der, what);
    if (isPkiError(crl)) return crl;
    crls.push(crl);
  }
  return crls.length > 0 ? crls : new PkiError({ code: 'malformed', what, detail: 'it has no CRL in it' });
}

const isKnown = (oid: string): boolean => {
  const { id_ce_cRLNumber, id_ce_authorityKeyIdentifier, id_ce_issuingDistributionPoint } = lib.x509;
  return oid === id_ce_cRLNumber || oid === id_ce_authorityKeyIdentifier || oid === id_ce_issuingDistributionPoint;
};

const parse = <T>({ bytes }: Block, type: new () => T): T => lib.schema.AsnConvert.parse(Uint8Array.from(bytes), type);
const isTime = (block: Block | undefined): boolean => block?.tag === 0x17 || block?.tag === 0x18;

/**
 * TBSCertList ::= version OPTIONAL, signature, issuer, thisUpdate, nextUpdate OPTIONAL, revokedCertificates OPTIONAL,
 * crlExtensions [0] OPTIONAL (RFC 5280 §5.1.2).
 */
function read(signed: Signed): Crl | undefined {
  const fields = [...signed.fields];
  if (fields[0]?.tag === TAG.integer) fields.shift();
  const [algorithm, issuer, thisUpdate] = fields.splice(0, 3);
  if (!algorithm || !issuer || !thisUpdate || Buffer.compare(algorithm.bytes, signed.identifier) !== 0)
    return undefined;
  const nextUpdate = isTime(fields[0]) ? fields.shift() : undefined;
  const entries = fields[0]?.tag === TAG.sequence ? blocksOf(fields.shift()!.content) : [];
  const extensions = fields[0]?.tag === TAG.context0 ? extensionsOf(fields.shift()!) : [];
  const revoked = entries && entriesBySerial(entries);
  if (!revoked || fields.length > 0) return undefined;
  const point = extensions.find(({ extnID }) => extnID === lib.x509.id_ce_issuingDistributionPoint);
  const scope = point && lib.schema.AsnConvert.parse(point.extnValue.buffer, lib.x509.IssuingDistributionPoint);
  const strange = extensions.some(({ extnID, critical }) => critical && !isKnown(extnID));
  const partial = scope && (scope.indirectCRL || scope.onlySomeReasons || scope.onlyContainsAttributeCerts);
  return {
    issuer: nameOf(parse(issuer, lib.x509.Name), issuer.bytes),
    thisUpdate: parse(thisUpdate, lib.x509.Time).getTime().getTime(),
    nextUpdate: nextUpdate && parse(nextUpdate, lib.x509.Time).getTime().getTime(),
    signed,
    revoked,
    users: !scope?.onlyContainsCACerts,
    authorities: !scope?.onlyContainsUserCerts,
    points: scope?.distributionPoint && urisOf(scope.distributionPoint),
    useless: strange || partial ? 'it is a delta, indirect or partial CRL, which is not supported' : undefined,
  };
}

/** Names of other kinds are nowhere compared: a CRL that has only such is about none of our certificates. */
const urisOf = ({ fullName }: DistributionPointName): readonly string[] =>
  (fullName ?? []).flatMap((name) => name.uniformResourceIdentifier ?? []);

const extensionsOf = ({ content }: Block): Extensions =>
  lib.schema.AsnConvert.parse(Uint8Array.from(content), lib.x509.Extensions);

/**
 * Entries ::= SEQUENCE of userCertificate INTEGER, revocationDate, crlEntryExtensions OPTIONAL. Entries of indirect CRLs have a
 * critical extension (certificateIssuer); those CRLs are told by their issuingDistributionPoint (RFC 5280 §5.2.5), so entries that are
 * not asked for stay undecoded.
 */
function entriesBySerial(entries: readonly Block[]): Map<string, Uint8Array> | undefined {
  const revoked = new Map<string, Uint8Array>();
  for (const { bytes, content } of entries) {
    const serial = firstBlock(content);
    if (serial?.tag !== TAG.integer) return undefined;
    revoked.set(Buffer.from(serial.content).toString('hex'), bytes);
  }
  return revoked;
}

function revokedStatus(entry: Uint8Array): Status {
  const { revocationDate, crlEntryExtensions } = lib.schema.AsnConvert.parse(
    Uint8Array.from(entry),
    lib.x509.RevokedCertificate,
  );
  const extension = crlEntryExtensions?.find(({ extnID }) => extnID === lib.x509.id_ce_cRLReasons);
  const code = extension && lib.schema.AsnConvert.parse(extension.extnValue.buffer, lib.x509.CRLReason).reason;
  return { kind: 'revoked', at: revocationDate.getTime().getTime(), reason: revocationReason(code) };
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
  if (entry)
    try {
      return revokedStatus(entry);
    } catch {
      // It is on the list; what else the entry says cannot be read.
      return { kind: 'revoked', at: crl.thisUpdate, reason: revocationReason(undefined) };
    }
  // RFC 5280 §6.3.3 (b)(2)(i): that it is missing on another part of the list says nothing.
  if (crl.points && !crl.points.some((uri) => certificate.crlUrls.includes(uri)))
    return unknown('it is another part of its authority’s list');
  if (crl.nextUpdate === undefined) return { kind: 'good', until: now };
  if (!(crl.nextUpdate > now)) return unknown(`it is out of date since ${formatTime(crl.nextUpdate)}`);
  return { kind: 'good', until: crl.nextUpdate };
}
