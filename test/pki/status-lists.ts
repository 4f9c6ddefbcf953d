// An authority whose certificates are judged, and what it says of them: CRLs and OCSP answers, good and bad.
import 'reflect-metadata';
import { createHash, type KeyObject, sign } from 'node:crypto';
import {
  BasicOCSPResponse,
  CertID,
  CertStatus,
  id_pkix_ocsp_basic,
  OCSPResponse,
  OCSPResponseStatus,
  ResponderID,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  SingleResponse,
} from '@peculiar/asn1-ocsp';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, CRLReason, Certificate as X509 } from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';
import { type Crl, parseCrl } from '../../main/pki/crl.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { DAY, importPrivate, type Made, make, NOW, webAlgorithm } from './authority.ts';

export const OCSP_URL = 'http://ocsp.example.com/';
export const CRL_URL = 'http://crl.example.com/root.crl';

export const root = await make({ subject: 'CN=Root, O=Example' });
export const stranger = await make({ subject: 'CN=Root, O=Example', keyName: 'stranger' });
export const leaf = await make({ subject: 'CN=gw', issuer: root, serial: '0a01' });
export const other = await make({ subject: 'CN=other', issuer: root, serial: '0a02' });
/** Names both servers. */
export const named = await make({
  subject: 'CN=named',
  issuer: root,
  // A first bit of 1 needs a zero byte in front (X.690 §8.3).
  serial: '8b03',
  extensions: [
    new x509.AuthorityInfoAccessExtension({ ocsp: [OCSP_URL] }),
    new x509.CRLDistributionPointsExtension([CRL_URL]),
  ],
});

export interface CrlOptions {
  readonly signer?: Made;
  readonly revoked?: readonly { readonly who: Made; readonly reason?: x509.X509CrlReason }[];
  readonly from?: number;
  readonly to?: number | 'absent';
  readonly extensions?: readonly x509.Extension[];
  readonly hash?: string;
}

export async function makeCrl({
  signer = root,
  revoked = [],
  from,
  to,
  extensions,
  hash = 'SHA-256',
}: CrlOptions = {}) {
  const algorithm = webAlgorithm(signer.kind, hash, false);
  const crl = await x509.X509CrlGenerator.create({
    issuer: signer.subject,
    thisUpdate: new Date(from ?? NOW - DAY),
    ...(to === 'absent' ? {} : { nextUpdate: new Date(to ?? NOW + DAY) }),
    entries: revoked.map(({ who, reason }) => ({
      serialNumber: who.certificate.serial,
      revocationDate: new Date(NOW - 2 * DAY),
      ...(reason === undefined ? {} : { reason }),
    })),
    ...(extensions ? { extensions: [...extensions] } : {}),
    signingAlgorithm: algorithm,
    signingKey: await importPrivate(signer.key, signer.kind, algorithm),
  });
  return new Uint8Array(crl.rawData);
}

export function parsedCrl(der: Uint8Array): Crl {
  const crl = parseCrl(der);
  if (isPkiError(crl)) throw crl;
  return crl;
}

export interface OcspOptions {
  readonly about?: Made;
  readonly issuer?: Made;
  readonly signer?: Made;
  readonly status?: CertStatus;
  readonly from?: number;
  readonly to?: number | 'absent';
  readonly hash?: 'sha1' | 'sha256';
  readonly signHash?: 'sha1' | 'sha256';
  readonly embed?: readonly Made[];
}

const HASH_OIDS = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' };
export const digest = (hash: string, bytes: Uint8Array) =>
  new OctetString(Uint8Array.from(createHash(hash).update(bytes).digest()));

export function makeOcsp(options: OcspOptions = {}): Uint8Array {
  const {
    about = leaf,
    issuer = root,
    signer = issuer,
    hash = 'sha1',
    from = NOW - 3600_000,
    to = NOW + DAY,
  } = options;
  const { certificate } = about;
  const tbsResponseData = new ResponseData({
    responderID: new ResponderID({ byKey: digest('sha1', signer.certificate.keyBits) }),
    producedAt: new Date(from),
    responses: [
      new SingleResponse({
        certID: new CertID({
          hashAlgorithm: new AlgorithmIdentifier({ algorithm: HASH_OIDS[hash], parameters: null }),
          issuerNameHash: digest(hash, issuer.certificate.subject.der),
          issuerKeyHash: digest(hash, issuer.certificate.keyBits),
          serialNumber: Uint8Array.from(Buffer.from(certificate.serial, 'hex')).buffer,
        }),
        certStatus: options.status ?? new CertStatus({ good: null }),
        thisUpdate: new Date(from),
        ...(to === 'absent' ? {} : { nextUpdate: new Date(to) }),
      }),
    ],
  });
  const basic = new BasicOCSPResponse({
    tbsResponseData,
    signatureAlgorithm: new AlgorithmIdentifier({
      algorithm: options.signHash === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2',
    }),
    signature: signed(options.signHash ?? 'sha256', new Uint8Array(AsnConvert.serialize(tbsResponseData)), signer.key),
    ...(options.embed ? { certs: options.embed.map(({ der }) => AsnConvert.parse(der, X509)) } : {}),
  });
  return wrapped(new Uint8Array(AsnConvert.serialize(basic)));
}

export const signed = (hash: string, bytes: Uint8Array, key: KeyObject) =>
  Uint8Array.from(sign(hash, bytes, key)).buffer;
export const wrapped = (basic: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(
    AsnConvert.serialize(
      new OCSPResponse({
        responseStatus: OCSPResponseStatus.successful,
        responseBytes: new ResponseBytes({ responseType: id_pkix_ocsp_basic, response: new OctetString(basic) }),
      }),
    ),
  );
export const REVOKED = new CertStatus({
  revoked: new RevokedInfo({ revocationTime: new Date(NOW - DAY), revocationReason: new CRLReason(4) }),
});
