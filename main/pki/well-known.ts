// The authorities of the web (Mozilla's list, as Node.js brings it), for gateways whose certificate was bought. There are 140 of them:
// only those that a chain names are read.
import { rootCertificates } from 'node:tls';
import { type Certificate, parseCertificate, signedParts } from './certificate.ts';
import { isPkiError } from './error.ts';
import { pemBlocks } from './pem.ts';

/** DER of each by its subject's DER in hexadecimal; made at the first need. */
let bySubject: ReadonlyMap<string, readonly Uint8Array[]> | undefined;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function index(): ReadonlyMap<string, readonly Uint8Array[]> {
  const roots = new Map<string, Uint8Array[]>();
  for (const { der } of rootCertificates.flatMap(pemBlocks)) {
    // version [0], serialNumber, signature, issuer, validity, subject; self-signed, so that issuer and subject are one.
    const issuer = signedParts(der)?.fields.find(({ tag }, i, fields) => tag === 0x30 && fields[i - 1]?.tag === 0x30);
    if (issuer) roots.set(hex(issuer.bytes), [...(roots.get(hex(issuer.bytes)) ?? []), der]);
  }
  return roots;
}

/** Well-known authorities that have issued one of these certificates, by name. */
export function wellKnownIssuersOf(certificates: readonly Certificate[]): readonly Certificate[] {
  bySubject ??= index();
  const names = new Set(certificates.map(({ issuer }) => hex(issuer.der)));
  return [...names]
    .flatMap((name) => bySubject?.get(name) ?? [])
    .map((der) => parseCertificate(der))
    .filter((certificate): certificate is Certificate => !isPkiError(certificate));
}
