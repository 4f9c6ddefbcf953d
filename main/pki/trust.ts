// The question "is the peer who it says it is?", answered for certificates. In this order, so that nothing costly or revealing is
// done for a stranger: the chain leads to a trusted authority and is good now; the AUTH octets were signed with its key; it may bear
// the identity; only then is anybody asked whether it was revoked.
import { type SignatureScheme, schemeName, verifyOctets } from '../crypto/signature.ts';
import type { Identity } from '../ike/identity.ts';
import type { CertificateChain } from '../ike/questions.ts';
import { authorityHash, type Certificate, namesOf, parseCertificate } from './certificate.ts';
import { findPath, type Path } from './chain.ts';
import { isPkiError, PkiError, type WallTime } from './error.ts';
import { identityText, matchIdentity, type PkiWarning } from './identity.ts';
import { fitProblem } from './key.ts';
import { DEFAULT_TRUST_POLICY, type Purpose, type TrustPolicy } from './policy.ts';
import { checkRevocation, type RevocationCache, type RevocationConfig } from './revocation.ts';
import { wellKnownIssuersOf } from './well-known.ts';

export interface TrustConfig {
  /**
   * Who may vouch for the peer, or the peer's own certificate. From `readCertificates`. `well-known`: the authorities of the web
   * that Node.js brings, for gateways with a bought certificate.
   */
  readonly authorities: readonly Certificate[] | 'well-known';
  /** Help in building chains; trusted for nothing. */
  readonly intermediates?: readonly Certificate[] | undefined;
  /** Wall clock. */
  readonly clock: () => WallTime;
  readonly policy?: TrustPolicy | undefined;
  /** Absent: off. */
  readonly revocation?: RevocationConfig | undefined;
  /** Called for what is taken although it is not as it should be. */
  readonly warn?: ((warning: PkiWarning) => void) | undefined;
}

export interface CheckRequest {
  /** Empty: the peer takes its certificate for known, and one of the configured ones must be it (RFC 7296 §3.6). */
  readonly chain: CertificateChain;
  readonly identity: Identity;
  /** The certificate must be good for this name as well: whom we wanted to reach. */
  readonly expected?: Identity | undefined;
  readonly purpose: Purpose;
}

export interface VerifyRequest extends CheckRequest {
  readonly scheme: SignatureScheme;
  readonly octets: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Verified {
  readonly certificate: Certificate;
  /** From the end entity to the authority. */
  readonly path: Path;
  /** The first moment at which some certificate of the path is no longer valid. */
  readonly until: WallTime;
  readonly warnings: readonly PkiWarning[];
}

export interface Trust {
  /** Everything: signature, chain, identity, revocation. Never rejects for what the peer sent. */
  verify(request: VerifyRequest): Promise<Verified | PkiError>;
  /** The same without the AUTH signature: for the server of EAP's TLS, which has shown by its handshake that it has the key. */
  check(request: CheckRequest): Promise<Verified | PkiError>;
  /** 20 bytes for each authority: what our CERTREQ payload asks for (RFC 7296 §3.7). */
  readonly authorityHashes: readonly Uint8Array[];
}

export function createTrust(config: TrustConfig): Trust {
  const policy = config.policy ?? DEFAULT_TRUST_POLICY;
  const cache: RevocationCache = config.revocation?.cache ?? new Map();

  const examine = async (request: CheckRequest, proof: VerifyRequest | undefined): Promise<Verified | PkiError> => {
    const path = pathOf(request, proof, config, policy);
    if (isPkiError(path)) return path;
    const problem = proof && signatureProblem(path[0], proof, policy);
    if (problem) return problem;
    const { identity, expected } = request;
    const matched = matchIdentity(path[0], identity, policy);
    if (isPkiError(matched)) return matched;
    const reached = expected ? matchIdentity(path[0], expected, policy) : matched;
    if (isPkiError(reached)) return wrongGateway(path[0], expected!);
    const revocation = config.revocation ?? { mode: 'off' };
    const checked = await checkRevocation(path, revocation, cache, config.clock(), policy);
    if (isPkiError(checked)) return checked;
    const warnings = [...(reached.warnings.length > 0 ? reached : matched).warnings, ...checked.warnings];
    for (const warning of warnings) config.warn?.(warning);
    return { certificate: path[0], path, until: Math.min(...path.map(({ notAfter }) => notAfter)), warnings };
  };

  return {
    verify: (request) => examine(request, request),
    check: (request) => examine(request, undefined),
    // Of well-known ones there are more than a CERTREQ should list.
    authorityHashes: config.authorities === 'well-known' ? [] : config.authorities.map(authorityHash),
  };
}

/** A peer may send a few certificates, no more (RFC 7296 §3.6 sets no bound; ours is far above any chain in use). */
const MOST_CERTIFICATES = 16;

function pathOf(
  request: CheckRequest,
  proof: VerifyRequest | undefined,
  config: TrustConfig,
  policy: TrustPolicy,
): Path | PkiError {
  const leaf = leafOf(request.chain, proof, config);
  if (isPkiError(leaf)) return leaf;
  const sent = request.chain
    .slice(1, 1 + MOST_CERTIFICATES)
    .map((der) => parseCertificate(der))
    // One that cannot be read does not help; it may not be needed.
    .filter((certificate): certificate is Certificate => !isPkiError(certificate));
  const intermediates = [...(config.intermediates ?? []), ...sent];
  const { authorities } = config;
  return findPath({
    leaf,
    intermediates,
    anchors: authorities === 'well-known' ? wellKnownIssuersOf([leaf, ...intermediates]) : authorities,
    purpose: request.purpose,
    policy,
    now: config.clock(),
  });
}

function leafOf(
  chain: CertificateChain,
  proof: VerifyRequest | undefined,
  { authorities, intermediates = [] }: TrustConfig,
): Certificate | PkiError {
  const [first] = chain;
  if (first) return parseCertificate(first, "the other end's certificate");
  const known = [...(authorities === 'well-known' ? [] : authorities), ...intermediates];
  const signer = known.find(
    ({ publicKey }) => proof && verifyOctets(publicKey, proof.scheme, proof.octets, proof.signature),
  );
  return signer ?? new PkiError({ code: 'no-certificate' });
}

const wrongGateway = (certificate: Certificate, expected: Identity): PkiError =>
  new PkiError({ code: 'wrong-gateway', expected: identityText(expected), names: namesOf(certificate) });

function signatureProblem(leaf: Certificate, proof: VerifyRequest, policy: TrustPolicy): PkiError | undefined {
  const { scheme, octets, signature } = proof;
  if (scheme.method === 'rsa-sha1' && !policy.sha1)
    return new PkiError({ code: 'weak-signature', what: 'the AUTH payload', algorithm: 'RSA with SHA-1 (method 1)' });
  const unfit = fitProblem(leaf, scheme);
  if (unfit) return unfit;
  return verifyOctets(leaf.publicKey, scheme, octets, signature)
    ? undefined
    : new PkiError({ code: 'bad-signature', subject: leaf.subject.text, scheme: schemeName(scheme) });
}
