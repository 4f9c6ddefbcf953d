// Opens our own credential: certificate, chain and private key, from PEM or DER files, PKCS#12 or a key store. Files are read by
// the caller; their bytes come in here and are the caller's to wipe. The private key is checked against the certificate.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Certificate, parseCertificate } from './certificate.ts';
import { isPkiError, PkiError } from './error.ts';
import { type SigningKey, softwareKey } from './key.ts';
import { CERTIFICATE_LABELS, derObjects, pemBlocks } from './pem.ts';

export type CredentialSource = {
  readonly kind: 'pem';
  /** Our certificate and what leads from it to the authority, PEM or DER, in any order. */
  readonly certificates: Uint8Array;
  /** PKCS#8 (also encrypted), SEC1 or PKCS#1, PEM or DER. May be the same file as `certificates`. */
  readonly key: Uint8Array;
  readonly passphrase?: string | undefined;
};

/** Never throws for what is in the files. */
export async function openCredential(source: CredentialSource): Promise<SigningKey | PkiError> {
  switch (source.kind) {
    case 'pem':
      return openPem(source);
  }
}

function openPem(source: Extract<CredentialSource, { readonly kind: 'pem' }>): SigningKey | PkiError {
  const key = readPrivateKey(source.key, source.passphrase);
  if (isPkiError(key)) return key;
  const certificates = readCertificates(source.certificates, 'the certificate file');
  return isPkiError(certificates) ? certificates : pair(key, certificates);
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

/** The certificate that the key belongs to first, the others behind it. */
export function pair(key: KeyObject, certificates: readonly Certificate[]): SigningKey | PkiError {
  const publicKey = createPublicKey(key);
  const own = certificates.find((certificate) => samePublicKey(certificate.publicKey, publicKey));
  if (!own) return new PkiError({ code: 'key-mismatch', subject: certificates[0]?.subject.text ?? 'nobody' });
  const others = certificates.filter((certificate) => certificate !== own);
  return softwareKey(key, own, [own.der, ...others.map(({ der }) => der)]);
}

function samePublicKey(a: KeyObject, b: KeyObject): boolean {
  // Not KeyObject.equals: an RSA key is the same whether its certificate says rsaEncryption or RSASSA-PSS.
  const bits = (key: KeyObject) => JSON.stringify(jwk(key));
  return a.equals(b) || bits(a) === bits(b);
}

function jwk(key: KeyObject): unknown {
  const { n, e, crv, x, y } = key.asymmetricKeyType === 'rsa-pss' ? {} : key.export({ format: 'jwk' });
  return n || crv ? { n, e, crv, x, y } : key.export({ format: 'der', type: 'spki' }).toString('hex');
}

const KEY_LABELS = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'];

function readPrivateKey(file: Uint8Array, passphrase: string | undefined): KeyObject | PkiError {
  const what = 'the private key';
  const blocks = pemBlocks(Buffer.from(file).toString('latin1'));
  if (blocks.length === 0) return readDerKey(file, passphrase);
  const block = blocks.find(({ label }) => KEY_LABELS.includes(label));
  if (!block) return new PkiError({ code: 'no-private-key', what: 'the key file' });
  const encrypted = block.label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(block.text);
  if (encrypted && passphrase === undefined) return new PkiError({ code: 'passphrase-needed', what });
  try {
    return createPrivateKey({ key: block.text, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    return keyError(error, encrypted);
  }
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
    return createPrivateKey({ key, format: 'der', type: 'pkcs8', passphrase });
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
  if (/UNSUPPORTED/.test(code))
    return new PkiError({ code: 'unsupported', what, detail: 'its kind or its encryption is not known here' });
  if (encrypted) return new PkiError({ code: 'wrong-passphrase', what });
  return new PkiError({ code: 'malformed', what, detail: 'it is no private key in PKCS#8, SEC1 or PKCS#1' });
}
