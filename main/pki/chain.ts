// From the peer's certificate to an authority that the profile trusts (RFC 5280 §6): certificates in any order, several ways
// tried, the first good one taken. The search only follows signatures that verify; what is then asked of each certificate is in
// `problemOf`. Work is bounded, for the certificates are a peer's.
import { verifySigned } from '../crypto/signature.ts';
import { type Certificate, keyName } from './certificate.ts';
import { sameName } from './distinguished-name.ts';
import { PkiError, type WallTime } from './error.ts';
import { nameConstraintProblem } from './name-constraints.ts';
import { EXTENDED_KEY_USAGES, extendedKeyUsageName, type Purpose, type TrustPolicy } from './policy.ts';

export interface ChainInput {
  readonly leaf: Certificate;
  /** The peer's and our own, in any order; duplicates and strangers do no harm. */
  readonly intermediates: readonly Certificate[];
  /** Trusted as they are. May contain the leaf itself: a gateway that is trusted by its very certificate. */
  readonly anchors: readonly Certificate[];
  readonly purpose: Purpose;
  readonly policy: TrustPolicy;
  readonly now: WallTime;
}

/** From the end entity to the anchor, both included; a trusted end entity stands alone. */
export type Path = readonly [Certificate, ...Certificate[]];

const MOST_CERTIFICATES = 8;
const MOST_SIGNATURES = 64;

export function findPath(input: ChainInput): Path | PkiError {
  const search: Search = { input, signatures: 0, worst: undefined };
  return extend([input.leaf], search) ?? search.worst!.error;
}

interface Search {
  readonly input: ChainInput;
  signatures: number;
  /** The most telling failure so far: one of a path that reached an anchor, else the one farthest from the leaf. */
  worst: { readonly rank: number; readonly error: PkiError } | undefined;
}

const COMPLETE = 100;

function fail(search: Search, rank: number, error: PkiError): undefined {
  if (!search.worst || rank > search.worst.rank) search.worst = { rank, error };
}

function extend(path: Path, search: Search): Path | undefined {
  const { anchors, intermediates } = search.input;
  const last = path[path.length - 1]!;
  if (anchors.some((anchor) => sameBytes(anchor.der, last.der))) {
    const problem = problemOf(path, search.input);
    return problem ? fail(search, COMPLETE, problem) : path;
  }
  const subject = last.subject.text;
  const issuer = last.issuer.text;
  fail(search, path.length * 2, new PkiError({ code: 'untrusted-issuer', subject, issuer }));
  if (path.length >= MOST_CERTIFICATES) return undefined;
  for (const candidate of issuersOf(last, [...anchors, ...intermediates])) {
    if (
      path.some(
        (certificate) =>
          sameBytes(certificate.spki, candidate.spki) && sameName(certificate.subject, candidate.subject),
      )
    )
      continue;
    if (++search.signatures > MOST_SIGNATURES) return undefined;
    const { algorithm, algorithmName, bytes, signature } = last.signed;
    if (!algorithm) {
      fail(
        search,
        path.length * 2 + 1,
        new PkiError({ code: 'weak-signature', what: `the certificate of ${subject}`, algorithm: algorithmName }),
      );
      return undefined;
    }
    if (!verifySigned(candidate.publicKey, algorithm, bytes, signature)) {
      fail(search, path.length * 2 + 1, new PkiError({ code: 'not-signed-by-issuer', subject, issuer }));
      continue;
    }
    const found = extend([...path, candidate], search);
    if (found) return found;
  }
  return undefined;
}

/** By name (RFC 5280 §6.1.3 a 4); those whose key identifier is the one asked for come first, it being a hint only (§4.2.1.1). */
function issuersOf(certificate: Certificate, candidates: readonly Certificate[]): readonly Certificate[] {
  const wanted = certificate.authorityKeyId;
  const named = candidates.filter((candidate) => sameName(candidate.subject, certificate.issuer));
  const fits = (candidate: Certificate) => wanted !== undefined && candidate.subjectKeyId === wanted;
  return [...named.filter(fits), ...named.filter((candidate) => !fits(candidate))];
}

/** What is wrong with a path whose signatures verify, or nothing (RFC 5280 §6.1.3, §6.1.4; RFC 4945 §5.1.3). */
function problemOf(path: Path, { purpose, policy, now, anchors }: ChainInput): PkiError | undefined {
  for (const [i, certificate] of path.entries()) {
    const subject = certificate.subject.text;
    const isAnchor = i === path.length - 1 && anchors.some((anchor) => sameBytes(anchor.der, certificate.der));
    const problem =
      validityProblem(certificate, now) ??
      keyProblem(certificate, policy) ??
      // An anchor is trusted by its presence in the profile, its own signature says nothing (RFC 5280 §6.1).
      (isAnchor ? undefined : signatureProblem(certificate, policy)) ??
      (certificate.unknownCritical[0] !== undefined
        ? new PkiError({ code: 'unknown-critical-extension', subject, oid: certificate.unknownCritical[0] })
        : undefined) ??
      (i > 0 ? authorityProblem(certificate, path.slice(1, i), isAnchor) : undefined);
    if (problem) return problem;
  }
  return usageProblem(path[0], purpose) ?? nameConstraintProblem(path);
}

export function validityProblem(certificate: Certificate, now: WallTime): PkiError | undefined {
  const { notBefore, notAfter } = certificate;
  const subject = certificate.subject.text;
  // Not-a-number (a date that no calendar has) is in no period.
  if (!(now >= notBefore)) return new PkiError({ code: 'not-yet-valid', subject, notBefore, now });
  // notAfter is inclusive to the second (RFC 5280 §4.1.2.5).
  if (!(now < notAfter + 1000)) return new PkiError({ code: 'expired', subject, notAfter, now });
  return undefined;
}

function keyProblem(certificate: Certificate, policy: TrustPolicy): PkiError | undefined {
  const key = certificate.publicKey;
  const weak = (least: number) =>
    new PkiError({ code: 'weak-key', subject: certificate.subject.text, key: keyName(key), least });
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return (key.asymmetricKeyDetails?.modulusLength ?? 0) < policy.minimumRsaBits
        ? weak(policy.minimumRsaBits)
        : undefined;
    case 'ec': {
      const bits = Number(/\d{3}/.exec(key.asymmetricKeyDetails?.namedCurve ?? '')?.[0] ?? 0);
      return bits < 256 ? weak(256) : undefined;
    }
    case 'ed25519':
    case 'ed448':
      return undefined;
    default:
      return weak(2048);
  }
}

export function signatureProblem(certificate: Certificate, policy: TrustPolicy): PkiError | undefined {
  const { algorithm, algorithmName } = certificate.signed;
  if (algorithm && (algorithm.hash !== 'sha1' || policy.sha1)) return undefined;
  return new PkiError({
    code: 'weak-signature',
    what: `the certificate of ${certificate.subject.text}`,
    algorithm: algorithmName,
  });
}

/** `below`: the authorities between it and the end entity. */
function authorityProblem(
  certificate: Certificate,
  below: readonly Certificate[],
  isAnchor: boolean,
): PkiError | undefined {
  const subject = certificate.subject.text;
  const { basicConstraints, keyUsage, plain } = certificate;
  // Authorities older than X.509 version 3 have no extensions; in the profile that is good enough (RFC 5280 §6.1.4 k).
  const isAuthority = basicConstraints ? basicConstraints.ca : isAnchor && plain;
  if (!isAuthority || (keyUsage && !keyUsage.includes('keyCertSign')))
    return new PkiError({ code: 'not-an-authority', subject });
  const limit = basicConstraints?.pathLength;
  // Self-issued certificates (a new key of the same authority) do not count (RFC 5280 §6.1.4 l).
  const count = below.filter((authority) => !sameName(authority.subject, authority.issuer)).length;
  return limit !== undefined && count > limit ? new PkiError({ code: 'path-too-long', subject, limit }) : undefined;
}

function usageProblem(leaf: Certificate, purpose: Purpose): PkiError | undefined {
  const subject = leaf.subject.text;
  const { keyUsage, extendedKeyUsage } = leaf;
  // RFC 4945 §5.1.3.2.
  if (keyUsage && !keyUsage.includes('digitalSignature') && !keyUsage.includes('nonRepudiation'))
    return new PkiError({ code: 'key-usage', subject });
  const accepted = EXTENDED_KEY_USAGES[purpose];
  if (extendedKeyUsage && !extendedKeyUsage.some((usage) => accepted.includes(usage)))
    return new PkiError({ code: 'extended-key-usage', subject, usages: extendedKeyUsage.map(extendedKeyUsageName) });
  return undefined;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
