// A certificate (RFC 5280 §4.1), read once into what trust decisions ask of it. The bytes are a peer's: whatever they are, the
// answer is a Certificate or a PkiError. Decoding is @peculiar/asn1-x509's; here only the fields are taken out of it.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { Extension, GeneralName, KeyUsageFlags, NameConstraints, Certificate as X509 } from '@peculiar/asn1-x509';
import { type SignatureAlgorithm, signatureAlgorithm } from '../crypto/signature.ts';
import { type Address, formatAddress, parseAddress } from '../wire/address.ts';
import { type Block, blocksOf, onlyBlock, TAG } from './blocks.ts';
import { type DistinguishedName, nameOf } from './distinguished-name.ts';
import { cleanText, PkiError, type WallTime } from './error.ts';
import { lib } from './libraries.ts';

/** A name in subjectAltName (RFC 5280 §4.2.1.6). `other`: of a kind that no IKE identity has, or that cannot be read. */
export type AlternativeName =
  | { readonly type: 'ip'; readonly address: Address; readonly der: Uint8Array }
  | { readonly type: 'dns' | 'email' | 'uri'; readonly text: string; readonly der: Uint8Array }
  | { readonly type: 'directory'; readonly name: DistinguishedName; readonly der: Uint8Array }
  | { readonly type: 'other'; readonly der: Uint8Array };

export interface Certificate {
  readonly der: Uint8Array;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Content octets of the INTEGER, in hexadecimal. */
  readonly serial: string;
  readonly notBefore: WallTime;
  /** Inclusive (RFC 5280 §4.1.2.5). */
  readonly notAfter: WallTime;
  readonly publicKey: KeyObject;
  /** The SubjectPublicKeyInfo, DER; and the BIT STRING in it, which OCSP hashes. */
  readonly spki: Uint8Array;
  readonly keyBits: Uint8Array;
  /** What was signed, by what, and the signature. `algorithm` is undefined where we know none of that identifier. */
  readonly signed: Signed;
  /** No extensions at all: a version 1 certificate, which only an anchor may be. */
  readonly plain: boolean;
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | undefined } | undefined;
  /** Undefined: no extension, so every usage. */
  readonly keyUsage: readonly KeyUsageBit[] | undefined;
  /** OIDs. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly alternativeNames: readonly AlternativeName[];
  readonly nameConstraints: NameConstraints | undefined;
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  readonly crlUrls: readonly string[];
  readonly ocspUrls: readonly string[];
  readonly issuerUrls: readonly string[];
  /** OIDs of critical extensions that nothing here understands. */
  readonly unknownCritical: readonly string[];
}

export interface Signed {
  readonly bytes: Uint8Array;
  /** The fields of what is signed, DER each, as they came: encoding a decoded name anew might change its bytes. */
  readonly fields: readonly Block[];
  /** The AlgorithmIdentifier, DER, and what we know it as. */
  readonly identifier: Uint8Array;
  readonly algorithm: SignatureAlgorithm | undefined;
  /** The algorithm for people: "rsa-pkcs1 with sha256", or its OID. */
  readonly algorithmName: string;
  readonly signature: Uint8Array;
}

export type KeyUsageBit = keyof typeof KeyUsageFlags;

const KEY_USAGE_BITS = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const satisfies readonly KeyUsageBit[];

/** More than any certificate of a gateway; a bound on what a peer makes us parse. */
const MOST_BYTES = 64 * 1024;

/** `what` goes into the error: "the gateway's certificate". */
export function parseCertificate(der: Uint8Array, what = 'a certificate'): Certificate | PkiError {
  const malformed = (detail: string) => new PkiError({ code: 'malformed', what, detail });
  if (der.length === 0) return malformed('it is empty');
  if (der.length > MOST_BYTES) return malformed(`it has ${der.length} bytes`);
  const bytes = Uint8Array.from(der);
  try {
    const parts = signedParts(bytes);
    if (!parts) return malformed('it is not a DER certificate');
    const certificate = read(lib.schema.AsnConvert.parse(bytes, lib.x509.Certificate), bytes, parts);
    return typeof certificate === 'string' ? malformed(certificate) : certificate;
  } catch {
    // The libraries' messages name their own classes and quote bytes; neither helps a person.
    return malformed('it is not a DER certificate that can be understood');
  }
}

function read(x509: X509, der: Uint8Array, signed: Signed): Certificate | string {
  const tbs = x509.tbsCertificate;
  const extensions = tbs.extensions ?? [];
  if (new Set(extensions.map(({ extnID }) => extnID)).size !== extensions.length) return 'an extension occurs twice';
  const get = <T>(oid: string, type: new () => T): T | undefined => {
    const extension = extensions.find(({ extnID }) => extnID === oid);
    return extension && lib.schema.AsnConvert.parse(extension.extnValue.buffer, type);
  };
  const basic = get(lib.x509.id_ce_basicConstraints, lib.x509.BasicConstraints);
  const keyUsage = get(lib.x509.id_ce_keyUsage, lib.x509.KeyUsage)?.toNumber();
  const subjectKeyId = get(lib.x509.id_ce_subjectKeyIdentifier, lib.schema.OctetString);
  const authorityKeyId = get(lib.x509.id_ce_authorityKeyIdentifier, lib.x509.AuthorityKeyIdentifier)?.keyIdentifier;
  const access = get(lib.x509.id_pe_authorityInfoAccess, lib.x509.AuthorityInfoAccessSyntax) ?? [];
  const accessUrls = (method: string) =>
    Array.from(access).flatMap(({ accessMethod, accessLocation }) =>
      accessMethod === method && accessLocation.uniformResourceIdentifier
        ? [accessLocation.uniformResourceIdentifier]
        : [],
    );
  const extendedKeyUsage = get(lib.x509.id_ce_extKeyUsage, lib.x509.ExtendedKeyUsage);
  // TBSCertificate ::= version [0], serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo … (RFC 5280 §4.1); the
  // version is absent in version 1. `signature` must repeat the algorithm outside (§4.1.1.2).
  const [, algorithm, issuer, , subject, spki] =
    signed.fields[0]?.tag === TAG.context0 ? signed.fields.slice(1) : signed.fields;
  if (!algorithm || !issuer || !subject || !spki) return 'it has too few fields';
  if (Buffer.compare(algorithm.bytes, signed.identifier) !== 0) return 'it names two signature algorithms';
  return {
    der,
    subject: nameOf(tbs.subject, subject.bytes),
    issuer: nameOf(tbs.issuer, issuer.bytes),
    serial: Buffer.from(tbs.serialNumber).toString('hex'),
    notBefore: tbs.validity.notBefore.getTime().getTime(),
    notAfter: tbs.validity.notAfter.getTime().getTime(),
    publicKey: createPublicKey({ key: Buffer.from(spki.bytes), format: 'der', type: 'spki' }),
    spki: spki.bytes,
    keyBits: new Uint8Array(tbs.subjectPublicKeyInfo.subjectPublicKey),
    signed,
    plain: extensions.length === 0,
    basicConstraints: basic && { ca: basic.cA, pathLength: basic.pathLenConstraint },
    keyUsage:
      keyUsage === undefined ? undefined : KEY_USAGE_BITS.filter((bit) => keyUsage & lib.x509.KeyUsageFlags[bit]),
    extendedKeyUsage: extendedKeyUsage && Array.from(extendedKeyUsage),
    alternativeNames: Array.from(
      get(lib.x509.id_ce_subjectAltName, lib.x509.SubjectAlternativeName) ?? [],
      alternativeName,
    ),
    nameConstraints: get(lib.x509.id_ce_nameConstraints, lib.x509.NameConstraints),
    subjectKeyId: subjectKeyId && Buffer.from(subjectKeyId.buffer).toString('hex'),
    authorityKeyId: authorityKeyId && Buffer.from(authorityKeyId.buffer).toString('hex'),
    crlUrls: Array.from(get(lib.x509.id_ce_cRLDistributionPoints, lib.x509.CRLDistributionPoints) ?? []).flatMap(
      // Only whole CRLs of the issuer's own: neither for some reasons only, nor of another CRL issuer.
      ({ distributionPoint, reasons, cRLIssuer }) =>
        reasons || cRLIssuer
          ? []
          : (distributionPoint?.fullName ?? []).flatMap((name) => name.uniformResourceIdentifier ?? []),
    ),
    ocspUrls: accessUrls(lib.x509.id_ad_ocsp),
    issuerUrls: accessUrls(lib.x509.id_ad_caIssuers),
    unknownCritical: extensions.filter(isUnknownCritical).map(({ extnID }) => extnID),
  };
}

/** Extensions that the checks of chains honour; certificatePolicies constrains nothing where no policy is asked for (RFC 5280 §6.1.1 c). */
const isUnderstood = (oid: string): boolean => {
  const x509 = lib.x509;
  const understood: readonly string[] = [
    x509.id_ce_basicConstraints,
    x509.id_ce_keyUsage,
    x509.id_ce_extKeyUsage,
    x509.id_ce_subjectAltName,
    x509.id_ce_nameConstraints,
    x509.id_ce_certificatePolicies,
    x509.id_ce_subjectKeyIdentifier,
    x509.id_ce_authorityKeyIdentifier,
    x509.id_ce_cRLDistributionPoints,
    x509.id_pe_authorityInfoAccess,
  ];
  return understood.includes(oid);
};

const isUnknownCritical = ({ extnID, critical }: Extension): boolean => critical && !isUnderstood(extnID);

export function alternativeName(name: GeneralName): AlternativeName {
  const der = new Uint8Array(lib.schema.AsnConvert.serialize(name));
  if (name.dNSName !== undefined) return { type: 'dns', text: name.dNSName, der };
  if (name.rfc822Name !== undefined) return { type: 'email', text: name.rfc822Name, der };
  if (name.uniformResourceIdentifier !== undefined) return { type: 'uri', text: name.uniformResourceIdentifier, der };
  if (name.directoryName) return { type: 'directory', name: nameOf(name.directoryName), der };
  const address = name.iPAddress === undefined ? undefined : parseAddress(name.iPAddress);
  return address ? { type: 'ip', address, der } : { type: 'other', der };
}

/**
 * SIGNED{…} (RFC 5280 §4.1.1): a SEQUENCE of what is signed, the AlgorithmIdentifier, and the signature. Certificates, CRLs and
 * OCSP's basic answer have this form, the last with certificates behind it. Undefined for anything else.
 */
export function signedParts(der: Uint8Array): Signed | undefined {
  const whole = onlyBlock(der);
  const [body, algorithm, signature] = (whole?.tag === TAG.sequence && blocksOf(whole.content)) || [];
  const fields = body?.tag === TAG.sequence ? blocksOf(body.content) : undefined;
  // A signature has whole bytes: no unused bits.
  if (!body || !fields || !algorithm || signature?.tag !== TAG.bitString || signature.content[0] !== 0)
    return undefined;
  const known = signatureAlgorithm(algorithm.bytes);
  return {
    bytes: body.bytes,
    fields,
    identifier: algorithm.bytes,
    algorithm: known,
    algorithmName: known ? `${known.key} with ${known.hash}` : algorithmOid(algorithm.bytes),
    signature: signature.content.subarray(1),
  };
}

function algorithmOid(identifier: Uint8Array): string {
  try {
    return `the algorithm ${lib.schema.AsnConvert.parse(Uint8Array.from(identifier), lib.x509.AlgorithmIdentifier).algorithm}`;
  } catch {
    return 'an unreadable algorithm';
  }
}

/** "RSA, 2048 bits", "EC prime256v1", "ed25519". */
export function keyName(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec') return `EC ${details?.namedCurve ?? 'of an unnamed curve'}`;
  if (details?.modulusLength) return `RSA, ${details.modulusLength} bits`;
  return key.asymmetricKeyType ?? 'unknown';
}

/** Every name of the end entity that an identity could mean, for messages. */
export function namesOf(certificate: Certificate): readonly string[] {
  const subject = certificate.subject.rdns.length > 0 ? [`"${certificate.subject.text}"`] : [];
  return [...certificate.alternativeNames.flatMap((name) => alternativeNameText(name) ?? []), ...subject];
}

/** Undefined for a kind that people do not read. */
export function alternativeNameText(name: AlternativeName): string | undefined {
  switch (name.type) {
    case 'dns':
    case 'email':
    case 'uri':
      return cleanText(name.text);
    case 'ip':
      return formatAddress(name.address);
    case 'directory':
      return `"${name.name.text}"`;
    case 'other':
      return undefined;
  }
}

/** SHA-1 of the SubjectPublicKeyInfo: the 20 bytes that stand for an authority in a CERTREQ payload (RFC 7296 §3.7). */
export function authorityHash(certificate: Certificate): Uint8Array {
  return Uint8Array.from(createHash('sha1').update(certificate.spki).digest());
}
