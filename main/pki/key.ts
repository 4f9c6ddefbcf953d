// A private key that signs for IKE, wherever it lives. In files it becomes a KeyObject at once and the bytes are wiped; in a token
// or a store of the operating system it never comes out. Nothing here can be printed: no property holds key bytes.
import type { KeyObject } from 'node:crypto';
import { keyFits, type SignatureScheme, schemeName, signOctets, verifySigned } from '../crypto/signature.ts';
import type { OwnCertificate } from '../ike/credential.ts';
import type { CertificateChain } from '../ike/questions.ts';
import { authorityHash, type Certificate, keyName, parseCertificate } from './certificate.ts';
import { sameName } from './distinguished-name.ts';
import { isPkiError, PkiError } from './error.ts';

export interface SigningKey {
  /** What we are by it; and DER for CERT payloads, the end entity's first. */
  readonly certificate: Certificate;
  readonly chain: CertificateChain;
  /** For `chooseScheme`. */
  readonly publicKey: KeyObject;
  /** The signature as the AUTH payload carries it. */
  sign(scheme: SignatureScheme, octets: Uint8Array): Promise<Uint8Array | PkiError>;
  /** Forgets the key, or logs out of the token. Signing afterwards is an error. */
  close(): void;
}

/** A key whose private half is in this process, as a KeyObject. Throws where the two do not belong together; callers check before. */
export function softwareKey(privateKey: KeyObject, certificate: Certificate, chain: CertificateChain): SigningKey {
  let key: KeyObject | undefined = privateKey;
  return {
    certificate,
    chain,
    publicKey: certificate.publicKey,
    sign: async (scheme, octets) => {
      if (!key) return new PkiError({ code: 'key-store', store: 'in memory', detail: 'it was closed' });
      const problem = fitProblem(certificate, scheme);
      if (problem) return problem;
      try {
        return signOctets(key, scheme, octets);
      } catch {
        // What OpenSSL or BoringSSL says would not help, and might quote what it was given.
        return new PkiError({
          code: 'key-store',
          store: 'in memory',
          detail: `no ${schemeName(scheme)} on this platform`,
        });
      }
    },
    close: () => {
      key = undefined;
    },
  };
}

export function fitProblem(certificate: Certificate, scheme: SignatureScheme): PkiError | undefined {
  if (keyFits(certificate.publicKey, scheme)) return undefined;
  return new PkiError({
    code: 'key-does-not-fit',
    subject: certificate.subject.text,
    key: keyName(certificate.publicKey),
    scheme: schemeName(scheme),
  });
}

/**
 * What an IKE SA must know of a key before it asks for a signature: `OwnCertificate` of main/ike/types.ts. `known` helps to find the
 * authorities above it (those that the profile trusts, for example), whose hashes are compared with the gateway's CERTREQ.
 */
export function ownCertificate(key: SigningKey, known: readonly Certificate[] = []): OwnCertificate {
  const others = [...key.chain.slice(1).map((der) => parseCertificate(der)), ...known].filter(
    (one): one is Certificate => !isPkiError(one),
  );
  const authorities: Uint8Array[] = [];
  let below = key.certificate;
  for (let depth = 0; depth < 8; depth++) {
    const { issuer, subject, signed } = below;
    if (sameName(issuer, subject)) break;
    const above = others.find(
      (one) =>
        sameName(one.subject, issuer) &&
        signed.algorithm !== undefined &&
        verifySigned(one.publicKey, signed.algorithm, signed.bytes, signed.signature),
    );
    if (!above) break;
    authorities.push(authorityHash(above));
    below = above;
  }
  return { chain: key.chain, publicKey: key.publicKey, authorities };
}
