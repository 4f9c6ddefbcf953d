// Certificates for tests, made on the spot with @peculiar/x509, with dates that never depend on today. Good unless told otherwise.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { type Certificate, parseCertificate } from '../../main/pki/certificate.ts';
import { readCertificates } from '../../main/pki/credential.ts';
import { isPkiError } from '../../main/pki/error.ts';

x509.cryptoProvider.set(webcrypto);

/** The wall clock of the tests, in the middle of every good certificate's life. */
export const NOW = Date.UTC(2026, 5, 15, 12, 0, 0);
export const DAY = 86_400_000;

export type KeyKind = 'rsa' | 'rsa1024' | 'p256' | 'p384' | 'p521' | 'ed25519';

const made = new Map<string, KeyObject>();

/** One key for each kind and name: making RSA keys takes most of the time of these tests. */
export function testKey(kind: KeyKind, name = ''): KeyObject {
  const id = `${kind} ${name}`;
  const key = made.get(id) ?? makeKey(kind);
  made.set(id, key);
  return key;
}

function makeKey(kind: KeyKind): KeyObject {
  switch (kind) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'rsa1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    case 'p256':
    case 'p384':
    case 'p521':
      return generateKeyPairSync('ec', { namedCurve: { p256: 'P-256', p384: 'P-384', p521: 'P-521' }[kind] })
        .privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
  }
}

export interface Made {
  readonly certificate: Certificate;
  readonly der: Uint8Array;
  readonly pem: string;
  readonly key: KeyObject;
  readonly subject: string;
  readonly kind: KeyKind;
}

export interface Options {
  readonly subject: string;
  readonly kind?: KeyKind;
  /** Distinguishes keys of one kind; the subject by default. */
  readonly keyName?: string;
  /** Itself where absent. */
  readonly issuer?: Made;
  readonly from?: number;
  readonly to?: number;
  readonly ca?: boolean | 'absent';
  readonly pathLength?: number;
  readonly usage?: x509.KeyUsageFlags | 'absent';
  readonly extendedUsage?: readonly string[];
  readonly names?: readonly x509.JsonGeneralName[];
  readonly extensions?: readonly x509.Extension[];
  readonly serial?: string;
  readonly hash?: 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
  /** Sign with RSASSA-PSS. */
  readonly pss?: boolean;
  readonly keyIds?: boolean;
}

let serial = 0;

export async function make(options: Options): Promise<Made> {
  const kind = options.kind ?? 'p256';
  const key = testKey(kind, options.keyName ?? options.subject);
  const issuerKind = options.issuer?.kind ?? kind;
  const issuerKey = options.issuer?.key ?? key;
  const ca = options.ca ?? options.issuer === undefined;
  const usage =
    options.usage ??
    (ca === true ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign : x509.KeyUsageFlags.digitalSignature);
  const hash = options.hash ?? 'SHA-256';
  const algorithm = webAlgorithm(issuerKind, hash, options.pss ?? false);
  const publicKey = await importPublic(key, kind);
  const extensions: x509.Extension[] = [...(options.extensions ?? [])];
  if (ca !== 'absent') extensions.push(new x509.BasicConstraintsExtension(ca, options.pathLength, true));
  if (usage !== 'absent') extensions.push(new x509.KeyUsagesExtension(usage, true));
  if (options.extendedUsage) extensions.push(new x509.ExtendedKeyUsageExtension([...options.extendedUsage]));
  if (options.names) extensions.push(new x509.SubjectAlternativeNameExtension([...options.names]));
  if (options.keyIds) {
    extensions.push(await x509.SubjectKeyIdentifierExtension.create(publicKey));
    extensions.push(await x509.AuthorityKeyIdentifierExtension.create(await importPublic(issuerKey, issuerKind)));
  }
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: options.serial ?? (0x1000 + serial++).toString(16),
    subject: options.subject,
    issuer: options.issuer?.subject ?? options.subject,
    notBefore: new Date(options.from ?? NOW - 30 * DAY),
    notAfter: new Date(options.to ?? NOW + 30 * DAY),
    signingAlgorithm: algorithm,
    publicKey,
    signingKey: await importPrivate(issuerKey, issuerKind, algorithm),
    extensions,
  });
  const der = new Uint8Array(made.rawData);
  return { certificate: parsed(der), der, pem: made.toString('pem'), key, subject: options.subject, kind };
}

export function parsed(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der);
  if (isPkiError(certificate)) throw certificate;
  return certificate;
}

export function certificatesOf(pem: string): readonly Certificate[] {
  const certificates = readCertificates(Buffer.from(pem), 'a test');
  if (isPkiError(certificates)) throw certificates;
  return certificates;
}

const CURVES = { p256: 'P-256', p384: 'P-384', p521: 'P-521' } as const;

export function webAlgorithm(kind: KeyKind, hash: string, pss: boolean) {
  switch (kind) {
    case 'rsa':
    case 'rsa1024':
      return pss
        ? { name: 'RSA-PSS', hash, saltLength: Number(hash.slice(4)) / 8 }
        : { name: 'RSASSA-PKCS1-v1_5', hash };
    case 'ed25519':
      return { name: 'Ed25519' };
    default:
      return { name: 'ECDSA', namedCurve: CURVES[kind], hash };
  }
}

export function importPrivate(key: KeyObject, kind: KeyKind, algorithm = webAlgorithm(kind, 'SHA-256', false)) {
  const der = createPrivateKey(key.export({ format: 'pem', type: 'pkcs8' })).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
}

export function importPublic(key: KeyObject, kind: KeyKind) {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return webcrypto.subtle.importKey('spki', der, webAlgorithm(kind, 'SHA-256', false), true, ['verify']);
}
