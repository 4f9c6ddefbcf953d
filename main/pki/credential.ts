// Opens our own credential: certificate, chain and private key, from PEM or DER files, PKCS#12 or a key store. Files are read by
// the caller; their bytes come in here and are the caller's to wipe. The private key is checked against the certificate.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Certificate, parseCertificate } from './certificate.ts';
import { isPkiError, PkiError } from './error.ts';
import { type SigningKey, softwareKey } from './key.ts';
import { type KeyName, type KeyStore, storedKey } from './key-store.ts';
import { CERTIFICATE_LABELS, derObjects, pemBlocks } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';
import { keyStretchingProblem, StretchingBudget } from './stretching.ts';

export type CredentialSource =
  | {
      readonly kind: 'pem';
      /** Our certificate and what leads from it to the authority, PEM or DER, in any order. */
      readonly certificates: Uint8Array;
      /** PKCS#8 (also encrypted), SEC1 or PKCS#1, PEM or DER. May be the same file as `certificates`. */
      readonly key: Uint8Array;
      readonly passphrase?: string | undefined;
    }
  | { readonly kind: 'pkcs12'; readonly file: Uint8Array; readonly passphrase?: string | undefined }
  /** A key that stays in its store; our certificate and the chain come with it, or from a file. */
  | {
      readonly kind: 'store';
      readonly store: KeyStore;
      readonly key: KeyName;
      /** Its PIN. */
      readonly passphrase?: string | undefined;
      readonly certificates?: Uint8Array | undefined;
    };

/** Never throws for what is in the files. */
export async function openCredential(source: CredentialSource): Promise<SigningKey | PkiError> {
  switch (source.kind) {
    case 'pem':
      return openPem(source);
    case 'pkcs12':
      return openPkcs12(source);
    case 'store':
      return openStored(source);
  }
}

function openPem(source: Extract<CredentialSource, { readonly kind: 'pem' }>): SigningKey | PkiError {
  const key = readPrivateKey(source.key, source.passphrase);
  if (isPkiError(key)) return key;
  const certificates = readCertificates(source.certificates, 'the certificate file');
  return isPkiError(certificates) ? certificates : pair(key, certificates);
}

function openPkcs12(source: Extract<CredentialSource, { readonly kind: 'pkcs12' }>): SigningKey | PkiError {
  const content = readPkcs12(source.file, source.passphrase ?? '');
  if (isPkiError(content)) return content;
  const what = 'the PKCS#12 file';
  const [first] = content.keys;
  if (!first) return new PkiError({ code: 'no-private-key', what });
  if (content.certificates.length === 0)
    return new PkiError({ code: 'malformed', what, detail: 'it has no certificate in it' });
  // Of several keys the first that has its certificate beside it.
  for (const key of content.keys) {
    const paired = pair(key, content.certificates);
    if (!isPkiError(paired)) return paired;
  }
  return pair(first, content.certificates);
}

async function openStored(
  source: Extract<CredentialSource, { readonly kind: 'store' }>,
): Promise<SigningKey | PkiError> {
  const stored = await source.store.open(source.key, source.passphrase);
  if (isPkiError(stored)) return stored;
  const file = source.certificates && readCertificates(source.certificates, 'the certificate file');
  if (isPkiError(file)) return file;
  const certificates: Certificate[] = [...(file ?? [])];
  for (const der of stored.certificates) {
    const certificate = parseCertificate(der, `a certificate in the key store ${source.store.name}`);
    if (isPkiError(certificate)) return certificate;
    certificates.push(certificate);
  }
  return storedKey(source.store, stored, certificates);
}

/** Every certificate in a file, PEM or DER; none at all is an error. `what` names the file in messages. */
export function readCertificates(file: Uint8Array, what: string): readonly Certificate[] | PkiError {
  const certificates: Certificate[] = [];
  for (const der of derObjects(file, CERTIFICATE_LABELS)) {
    const certificate = parseCertificate(der, what);
    if (isPkiError(certificate)) return certificate;
    certificates.push(certificate);
  }
  return certificates.length > 0
    ? certificates
    : new PkiError({ code: 'malformed', what, detail: 'it has no certificate in it' });
}

/** A key in this process and the certificate that it belongs to; the other certificates go along. */
export function pair(key: KeyObject, certificates: readonly Certificate[]): SigningKey | PkiError {
  const publicKey = createPublicKey(key);
  const own = certificates.find((certificate) => certificate.publicKey.equals(publicKey));
  if (!own) return new PkiError({ code: 'key-mismatch', subject: certificates[0]?.subject.text ?? 'nobody' });
  const others = certificates.filter((certificate) => certificate !== own);
  return softwareKey(key, own, [own.der, ...others.map(({ der }) => der)]);
}

const DER_TYPES: Readonly<Record<string, 'sec1' | 'pkcs1'>> = { 'RSA PRIVATE KEY': 'pkcs1', 'EC PRIVATE KEY': 'sec1' };
const KEY_LABELS = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'];

export function readPrivateKey(file: Uint8Array, passphrase: string | undefined): KeyObject | PkiError {
  const what = 'the private key';
  const blocks = pemBlocks(Buffer.from(file).toString('latin1'));
  if (blocks.length === 0) return readDerKey(file, passphrase);
  const block = blocks.find(({ label }) => KEY_LABELS.includes(label));
  if (!block) return new PkiError({ code: 'no-private-key', what: 'the key file' });
  const oldEncryption = block.label in DER_TYPES && /^Proc-Type: 4,ENCRYPTED/m.test(block.text);
  const encrypted = block.label === 'ENCRYPTED PRIVATE KEY' || oldEncryption;
  if (encrypted && passphrase === undefined) return new PkiError({ code: 'passphrase-needed', what });
  // The library would look for another block inside this one.
  if (block.text.lastIndexOf('-----BEGIN ') > 0)
    return new PkiError({ code: 'malformed', what, detail: 'its end is missing' });
  const der = Buffer.from(block.der);
  try {
    // Hashes the passphrase once (RFC 1421's form, as openssl wrote it).
    if (oldEncryption)
      return createPrivateKey({ key: block.text, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
    // What was measured is what is opened: the library reads PEM in ways of its own.
    if (encrypted) return openEncrypted(der, passphrase ?? '');
    return createPrivateKey({ key: der, format: 'der', type: DER_TYPES[block.label] ?? 'pkcs8' });
  } catch (error) {
    return keyError(error, encrypted);
  } finally {
    der.fill(0);
  }
}

/** Throws where the library does. */
function openEncrypted(der: Buffer, passphrase: string): KeyObject | PkiError {
  const problem = keyStretchingProblem('the private key', der, new StretchingBudget());
  if (problem) return problem;
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8', passphrase });
}

function readDerKey(file: Uint8Array, passphrase: string | undefined): KeyObject | PkiError {
  const key = Buffer.from(file);
  try {
    for (const type of ['pkcs8', 'sec1', 'pkcs1'] as const)
      try {
        return createPrivateKey({ key, format: 'der', type });
      } catch {
        // The next form.
      }
    if (passphrase === undefined)
      return new PkiError({
        code: 'malformed',
        what: 'the private key',
        detail: 'it is no PKCS#8, SEC1 or PKCS#1 key, or it is encrypted and needs its passphrase',
      });
    return openEncrypted(key, passphrase);
  } catch (error) {
    return keyError(error, true);
  } finally {
    key.fill(0);
  }
}

/** Only the library's code is looked at; its text is not passed on, for it might quote what it read. */
function keyError(error: unknown, encrypted: boolean): PkiError {
  const what = 'the private key';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // ERR_OSSL_UNSUPPORTED alone is what comes of a wrong passphrase whose padding happens to look right.
  if (/EVP_UNSUPPORTED/.test(code))
    return new PkiError({ code: 'unsupported', what, detail: 'its kind or its encryption is not known here' });
  if (encrypted) return new PkiError({ code: 'wrong-passphrase', what });
  return new PkiError({ code: 'malformed', what, detail: 'it is no private key in PKCS#8, SEC1 or PKCS#1' });
}
