// Why a certificate is not trusted or a key cannot be used: a closed union of problems with their data, each made into a message
// for a person: what happened, the likely cause, what to do. No key, passphrase or signed octets ever get in here; names that
// come from a peer's certificate are cleaned of control characters where they are read.

/** Milliseconds since 1970, wall clock. */
export type WallTime = number;

export type PkiProblem =
  /** The peer sent no certificate, and the profile has none of it. */
  | { readonly code: 'no-certificate' }
  /** Bytes or text that should be a certificate, CRL, name … and are not. `what`: "the gateway's certificate". */
  | { readonly code: 'malformed'; readonly what: string; readonly detail: string }
  | { readonly code: 'expired'; readonly subject: string; readonly notAfter: WallTime; readonly now: WallTime }
  | { readonly code: 'not-yet-valid'; readonly subject: string; readonly notBefore: WallTime; readonly now: WallTime }
  /** The chain ends at `subject`, whose issuer is neither trusted nor among the certificates at hand. */
  | { readonly code: 'untrusted-issuer'; readonly subject: string; readonly issuer: string }
  /** The issuer by name is here, but its key did not sign this certificate. */
  | { readonly code: 'not-signed-by-issuer'; readonly subject: string; readonly issuer: string }
  /** `subject` has issued a certificate although basicConstraints or keyUsage do not let it (RFC 5280 §6.1.4 k, n). */
  | { readonly code: 'not-an-authority'; readonly subject: string }
  /** More intermediates below `subject` than its pathLenConstraint allows (RFC 5280 §6.1.4 l). */
  | { readonly code: 'path-too-long'; readonly subject: string; readonly limit: number }
  | { readonly code: 'key-usage'; readonly subject: string }
  | { readonly code: 'extended-key-usage'; readonly subject: string; readonly usages: readonly string[] }
  | { readonly code: 'unknown-critical-extension'; readonly subject: string; readonly oid: string }
  /** A name of `subject` lies outside what `issuer` may certify (RFC 5280 §4.2.1.10). */
  | { readonly code: 'name-constraint'; readonly subject: string; readonly issuer: string; readonly name: string }
  | { readonly code: 'weak-key'; readonly subject: string; readonly key: string; readonly least: number }
  /** A certificate of the chain or the AUTH payload is signed by something that we do not take. */
  | { readonly code: 'weak-signature'; readonly what: string; readonly algorithm: string }
  | { readonly code: 'identity-mismatch'; readonly identity: string; readonly names: readonly string[] }
  /** Whoever it is, it is not whom the profile wants to reach. */
  | { readonly code: 'wrong-gateway'; readonly expected: string; readonly names: readonly string[] }
  /** The AUTH payload was not signed by the certificate's key. */
  | { readonly code: 'bad-signature'; readonly subject: string; readonly scheme: string }
  | { readonly code: 'key-does-not-fit'; readonly subject: string; readonly key: string; readonly scheme: string }
  | {
      readonly code: 'revoked';
      readonly subject: string;
      readonly at: WallTime;
      readonly reason: string;
      /** "the CRL of http://…", "OCSP at http://…". */
      readonly source: string;
    }
  /** Strict checking of revocation, and nobody could say. */
  | { readonly code: 'revocation-unknown'; readonly subject: string; readonly why: string }
  /** A private key or PKCS#12 file is encrypted and no passphrase was given. */
  | { readonly code: 'passphrase-needed'; readonly what: string }
  | { readonly code: 'wrong-passphrase'; readonly what: string }
  | { readonly code: 'unsupported'; readonly what: string; readonly detail: string }
  | { readonly code: 'no-private-key'; readonly what: string }
  | { readonly code: 'key-mismatch'; readonly subject: string }
  /** A key store (PKCS#11, operating system) could not sign or has no such key. */
  | { readonly code: 'key-store'; readonly store: string; readonly detail: string };

export type PkiErrorCode = PkiProblem['code'];

/** Returned, never thrown, by what reads a peer's bytes or an administrator's files. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
  readonly problem: PkiProblem;
  /** What to do, for the person in front of it. */
  readonly remedy: string;

  constructor(problem: PkiProblem) {
    const { message, remedy } = describe(problem);
    super(message);
    this.problem = problem;
    this.remedy = remedy;
  }

  get code(): PkiErrorCode {
    return this.problem.code;
  }
}

export function isPkiError(value: unknown): value is PkiError {
  return value instanceof PkiError;
}

/** "2026-11-21 15:30 UTC". */
export function formatTime(time: WallTime): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return 'an impossible date';
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Text from a certificate as it may reach a terminal or a window: no control or direction-changing character, bounded. */
export function cleanText(text: string): string {
  const clean = text.replaceAll(/[\p{C}\u2028\u2029]/gu, '?');
  return clean.length > 300 ? `${clean.slice(0, 300)}…` : clean;
}

function describe(problem: PkiProblem): { readonly message: string; readonly remedy: string } {
  switch (problem.code) {
    case 'no-certificate':
      return {
        message: 'the gateway signed, but sent no certificate to check the signature with',
        remedy: 'let the gateway send its certificate always (strongSwan: send_cert = always)',
      };
    case 'malformed':
      return {
        message: `${problem.what} cannot be read: ${problem.detail}`,
        remedy: 'it may be damaged or of another format: export it again, as PEM or DER',
      };
    case 'expired':
      return {
        message: `the certificate of ${problem.subject} expired on ${formatTime(problem.notAfter)}; this computer's clock says ${formatTime(problem.now)}`,
        remedy: "if the clock is right, the certificate's owner must renew it; otherwise set the clock",
      };
    case 'not-yet-valid':
      return {
        message: `the certificate of ${problem.subject} is not valid before ${formatTime(problem.notBefore)}; this computer's clock says ${formatTime(problem.now)}`,
        remedy: 'probably the clock of this computer is wrong: set it and try again',
      };
    case 'untrusted-issuer':
      return {
        message: `the certificate of ${problem.subject} is signed by ${problem.issuer === problem.subject ? 'itself' : problem.issuer}, which the profile does not trust`,
        remedy:
          'add the certificate of that authority to the profile, or, where it is an intermediate one, let the gateway send it or add it to the intermediates',
      };
    case 'not-signed-by-issuer':
      return {
        message: `the certificate of ${problem.subject} names ${problem.issuer} as its issuer, but was signed with another key than the one known of that name`,
        remedy:
          'the authority may have been made anew under its old name: put its present certificate into the profile; if nobody did that, somebody may pretend to be the gateway',
      };
    case 'not-an-authority':
      return {
        message: `${problem.subject} issued a certificate of the chain, but its own certificate does not make it an authority`,
        remedy:
          'the authority must issue itself a certificate with basicConstraints CA:TRUE and the key usage keyCertSign; otherwise somebody misuses an ordinary certificate',
      };
    case 'path-too-long':
      return {
        message: `${problem.subject} may have at most ${problem.limit} authorities below it (pathLenConstraint); the chain has more`,
        remedy:
          'issue the certificate directly by an authority that may, or the authority with a larger pathLenConstraint',
      };
    case 'key-usage':
      return {
        message: `the key usage of the certificate of ${problem.subject} allows neither digitalSignature nor nonRepudiation`,
        remedy: 'issue a certificate with the key usage digitalSignature, or without a key usage (RFC 4945 §5.1.3.2)',
      };
    case 'extended-key-usage':
      return {
        message: `the certificate of ${problem.subject} is for other purposes only (extended key usage ${problem.usages.join(', ')})`,
        remedy:
          'issue a certificate whose extended key usage has serverAuth (clientAuth for a client) or ipsecIKE, or none at all (RFC 4945 §5.1.3.12)',
      };
    case 'unknown-critical-extension':
      return {
        message: `the certificate of ${problem.subject} has a critical extension that Culvert does not know (${problem.oid})`,
        remedy: 'issue the certificate without that extension, or with the extension not marked critical',
      };
    case 'name-constraint':
      return {
        message: `${problem.issuer} may not issue certificates for ${problem.name} (name constraints), but the certificate of ${problem.subject} has that name`,
        remedy: 'get the certificate from an authority that may certify this name',
      };
    case 'weak-key':
      return {
        message: `the key of ${problem.subject} is too weak (${problem.key}, at least ${problem.least} bits are wanted)`,
        remedy:
          'renew the certificate with a stronger key, or take the policy for legacy gateways in the profile, knowing that it is weak',
      };
    case 'weak-signature':
      return {
        message: `${problem.what} is signed with ${problem.algorithm}, which is not trusted`,
        remedy:
          'use SHA-256 or better; for a gateway that can only do SHA-1 take the policy for legacy gateways in the profile, knowing that it is weak',
      };
    case 'identity-mismatch':
      return {
        message: `the other end calls itself ${problem.identity}, but its certificate is for ${problem.names.join(', ') || 'no name at all'}`,
        remedy:
          "put the name into the certificate's subjectAltName, or let the gateway call itself by a name that its certificate has, and expect that name in the profile",
      };
    case 'wrong-gateway':
      return {
        message: `the other end's certificate is for ${problem.names.join(', ') || 'no name at all'}, but the profile expects ${problem.expected}`,
        remedy:
          "correct the gateway's identity in the profile, or have the name put into the subjectAltName of the gateway's certificate; if neither is wrong, this is another gateway than yours",
      };
    case 'bad-signature':
      return {
        message: `the signature (${problem.scheme}) was not made with the key of the certificate of ${problem.subject}`,
        remedy:
          'the gateway may use a key that does not belong to its certificate: let its administrator check; if that is in order, somebody interferes with the connection',
      };
    case 'key-does-not-fit':
      return {
        message: `the certificate of ${problem.subject} has a key (${problem.key}) that makes no ${problem.scheme} signatures`,
        remedy: 'the two ends disagree on how to sign: set the signature scheme of the gateway to one for its key',
      };
    case 'revoked':
      return {
        message: `the certificate of ${problem.subject} was revoked on ${formatTime(problem.at)} (${problem.reason}), says ${problem.source}`,
        remedy: 'do not use it: its owner needs a new certificate',
      };
    case 'revocation-unknown':
      return {
        message: `nobody could say whether the certificate of ${problem.subject} was revoked: ${problem.why}`,
        remedy:
          'make the CRL or OCSP server reachable without the tunnel, put a fresh CRL into the profile, or set its revocation checking to "soft"',
      };
    case 'passphrase-needed':
      return { message: `${problem.what} is encrypted`, remedy: 'give its passphrase in the profile' };
    case 'wrong-passphrase':
      return { message: `the passphrase does not open ${problem.what}`, remedy: 'type it again; mind capital letters' };
    case 'unsupported':
      return {
        message: `${problem.what} cannot be used: ${problem.detail}`,
        remedy: 'convert it, for example with openssl, to PEM with PKCS#8 or to PKCS#12 with AES-256',
      };
    case 'no-private-key':
      return {
        message: `${problem.what} has no private key`,
        remedy: 'export the certificate together with its private key, or name the file that has it',
      };
    case 'key-mismatch':
      return {
        message: `the private key does not belong to the certificate of ${problem.subject}`,
        remedy: 'name the key that the certificate was made for',
      };
    case 'key-store':
      return {
        message: `the key store ${problem.store} could not sign: ${problem.detail}`,
        remedy: 'see whether the token is plugged in and unlocked, and whether the profile names its key correctly',
      };
  }
}
