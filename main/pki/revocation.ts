// Is any certificate of a path revoked? Asked in this order: CRLs in the profile, the OCSP servers that the certificate names (AIA),
// the CRLs that it names (CDP); the first that knows decides. `soft`: a certificate that nobody speaks of passes with a warning;
// `strict`: it does not. An anchor is not asked about: who trusts it by putting it into the profile takes it out again.
import type { Certificate } from './certificate.ts';
import type { Path } from './chain.ts';
import { type Crl, crlStatus, MOST_CRL_BYTES, parseCrl } from './crl.ts';
import { cleanText, isPkiError, PkiError, type WallTime } from './error.ts';
import type { Fetch, FetchRequest } from './fetch.ts';
import type { PkiWarning } from './identity.ts';
import { MOST_OCSP_BYTES, OCSP_REQUEST_TYPE, OCSP_RESPONSE_TYPE, ocspRequest, ocspStatus } from './ocsp.ts';
import type { TrustPolicy } from './policy.ts';
import type { Status } from './status.ts';

export type RevocationMode = 'off' | 'soft' | 'strict';

export interface RevocationConfig {
  readonly mode: RevocationMode;
  /** From files, by `parseCrl`. */
  readonly crls?: readonly Crl[] | undefined;
  /** Absent: nothing is fetched. */
  readonly fetch?: Fetch | undefined;
  /** Share one between connections; without it each `createTrust` has its own. */
  readonly cache?: RevocationCache | undefined;
}

/** Fetched bytes by what was asked, most recent last; bounded. */
export type RevocationCache = Map<string, Cached>;

interface Cached {
  /** OCSP answers are read again for each certificate; CRLs, which are large, once. */
  readonly content: Uint8Array | Crl;
  readonly fetched: WallTime;
}

const MOST_CACHED = 32;
/** Fetched anew after so long even where nextUpdate is later; if that fails, the old one goes on as long as it is valid. */
const REFRESH = 12 * 3_600_000;
const TIMEOUT = 5_000;
/** URLs of one certificate that are tried. */
const MOST_URLS = 3;

export async function checkRevocation(
  path: Path,
  config: RevocationConfig,
  cache: RevocationCache,
  now: WallTime,
  policy: TrustPolicy,
): Promise<{ readonly warnings: readonly PkiWarning[] } | PkiError> {
  if (config.mode === 'off') return { warnings: [] };
  const links = path.slice(0, -1).map((certificate, i) => ({ certificate, issuer: path[i + 1]! }));
  const outcomes = await Promise.all(
    links.map(({ certificate, issuer }) => examine(certificate, issuer, config, cache, now, policy)),
  );
  const warnings: PkiWarning[] = [];
  for (const [i, { status, source, sources }] of outcomes.entries()) {
    const subject = links[i]!.certificate.subject.text;
    if (status.kind === 'revoked')
      return new PkiError({ code: 'revoked', subject, at: status.at, reason: status.reason, source });
    if (status.kind === 'good') continue;
    const error = new PkiError({ code: 'revocation-unknown', subject, why: status.why });
    if (config.mode === 'strict') return error;
    // With nobody to ask there is nothing to repair.
    if (sources > 0) warnings.push({ code: 'revocation-unknown', text: error.message });
  }
  return { warnings };
}

interface Outcome {
  readonly status: Status;
  readonly source: string;
  readonly sources: number;
}

async function examine(
  certificate: Certificate,
  issuer: Certificate,
  config: RevocationConfig,
  cache: RevocationCache,
  now: WallTime,
  policy: TrustPolicy,
): Promise<Outcome> {
  const asked: { readonly name: string; readonly ask: () => Promise<Status> | Status }[] = [];
  for (const crl of config.crls ?? []) {
    const status = crlStatus(crl, certificate, issuer, now, policy);
    if (status.kind !== 'unknown' || status.why.startsWith('it is out of date'))
      asked.push({ name: 'the CRL in the profile', ask: () => status });
  }
  const { fetch } = config;
  if (fetch) {
    for (const url of certificate.ocspUrls.filter(isHttp).slice(0, MOST_URLS))
      asked.push({
        name: `OCSP at ${cleanText(url)}`,
        ask: () => askOcsp(url, certificate, issuer, fetch, cache, now, policy),
      });
    for (const url of certificate.crlUrls.filter(isHttp).slice(0, MOST_URLS))
      asked.push({
        name: `the CRL of ${cleanText(url)}`,
        ask: () => askCrl(url, certificate, issuer, fetch, cache, now, policy),
      });
  }
  const whys: string[] = [];
  for (const { name, ask } of asked) {
    const status = await ask();
    if (status.kind !== 'unknown') return { status, source: name, sources: asked.length };
    whys.push(`${name}: ${status.why}`);
  }
  const why =
    whys.join('; ') ||
    'it names no CRL and no OCSP server at an http:// address, and the profile has no CRL of its authority';
  return { status: { kind: 'unknown', why }, source: '', sources: asked.length };
}

const isHttp = (url: string): boolean => URL.canParse(url) && new URL(url).protocol === 'http:';

function askOcsp(
  url: string,
  certificate: Certificate,
  issuer: Certificate,
  fetch: Fetch,
  cache: RevocationCache,
  now: WallTime,
  policy: TrustPolicy,
): Promise<Status> {
  const bytes = ocspRequest(certificate, issuer);
  const request: FetchRequest = {
    url,
    body: { type: OCSP_REQUEST_TYPE, bytes },
    accept: OCSP_RESPONSE_TYPE,
    mostBytes: MOST_OCSP_BYTES,
    timeout: TIMEOUT,
  };
  return cached(`${url} ${Buffer.from(bytes).toString('base64')}`, request, fetch, cache, now, (content) =>
    content instanceof Uint8Array
      ? { content, status: ocspStatus(content, certificate, issuer, now, policy) }
      : { content, status: { kind: 'unknown', why: 'its answer is of another kind' } },
  );
}

function askCrl(
  url: string,
  certificate: Certificate,
  issuer: Certificate,
  fetch: Fetch,
  cache: RevocationCache,
  now: WallTime,
  policy: TrustPolicy,
): Promise<Status> {
  const request: FetchRequest = { url, accept: 'application/pkix-crl', mostBytes: MOST_CRL_BYTES, timeout: TIMEOUT };
  return cached(url, request, fetch, cache, now, (content) => {
    const crl = content instanceof Uint8Array ? parseCrl(content) : content;
    if (isPkiError(crl)) return { content, status: { kind: 'unknown', why: 'what it sends is no CRL' } };
    return { content: crl, status: crlStatus(crl, certificate, issuer, now, policy) };
  });
}

/** From the cache while it is fresh; else fetched, or from the cache after all where that fails and it still counts. */
async function cached(
  key: string,
  request: FetchRequest,
  fetch: Fetch,
  cache: RevocationCache,
  now: WallTime,
  read: (content: Uint8Array | Crl) => { readonly content: Uint8Array | Crl; readonly status: Status },
): Promise<Status> {
  const old = cache.get(key);
  const before = old && read(old.content).status;
  if (old && before && before.kind !== 'unknown' && now >= old.fetched && now < old.fetched + REFRESH) return before;
  let fetched: Uint8Array;
  try {
    fetched = await fetch(request);
  } catch (error) {
    if (before && before.kind !== 'unknown') return before;
    return { kind: 'unknown', why: cleanText(error instanceof Error ? error.message : 'it cannot be reached') };
  }
  const { content, status } = read(fetched);
  // Only what says something is kept: a forged or broken answer must not drive out a good one.
  if (status.kind === 'unknown') return before && before.kind !== 'unknown' ? before : status;
  cache.delete(key);
  cache.set(key, { content, fetched: now });
  const oldest = cache.keys().next();
  if (cache.size > MOST_CACHED && !oldest.done) cache.delete(oldest.value);
  return status;
}
