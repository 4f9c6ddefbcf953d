// Revocation: CRLs and OCSP answers good and bad, what the modes make of them, the cache, and openssl's own CRL and responder.
import 'reflect-metadata';
import { createHash, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
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
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectMarked } from '../../main/net/socket/linux-marked.ts';
import type { Certificate } from '../../main/pki/certificate.ts';
import type { Path } from '../../main/pki/chain.ts';
import { type Crl, crlStatus, MOST_CRL_BYTES, parseCrl } from '../../main/pki/crl.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { type Fetch, httpFetch } from '../../main/pki/fetch.ts';
import { ocspRequest, ocspStatus } from '../../main/pki/ocsp.ts';
import { DEFAULT_TRUST_POLICY, LEGACY_TRUST_POLICY } from '../../main/pki/policy.ts';
import { checkRevocation, type RevocationCache, type RevocationConfig } from '../../main/pki/revocation.ts';
import { DAY, importPrivate, type Made, make, NOW, type Options, webAlgorithm } from './authority.ts';
import { openssl } from './openssl.ts';

const OCSP_URL = 'http://ocsp.example.com/';
const CRL_URL = 'http://crl.example.com/root.crl';

let root: Made;
let stranger: Made;
let leaf: Made;
let other: Made;
/** Names both servers. */
let named: Made;

beforeAll(async () => {
  root = await make({ subject: 'CN=Root, O=Example' });
  stranger = await make({ subject: 'CN=Root, O=Example', keyName: 'stranger' });
  leaf = await make({ subject: 'CN=gw', issuer: root, serial: '0a01' });
  other = await make({ subject: 'CN=other', issuer: root, serial: '0a02' });
  named = await make({
    subject: 'CN=named',
    issuer: root,
    // A first bit of 1 needs a zero byte in front (X.690 §8.3).
    serial: '8b03',
    extensions: [
      new x509.AuthorityInfoAccessExtension({ ocsp: [OCSP_URL] }),
      new x509.CRLDistributionPointsExtension([CRL_URL]),
    ],
  });
});

interface CrlOptions {
  readonly signer?: Made;
  readonly revoked?: readonly { readonly who: Made; readonly reason?: x509.X509CrlReason }[];
  readonly from?: number;
  readonly to?: number | 'absent';
  readonly extensions?: readonly x509.Extension[];
  readonly hash?: string;
}

async function makeCrl({ signer = root, revoked = [], from, to, extensions, hash = 'SHA-256' }: CrlOptions = {}) {
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

function parsedCrl(der: Uint8Array): Crl {
  const crl = parseCrl(der);
  if (isPkiError(crl)) throw crl;
  return crl;
}

/** issuingDistributionPoint with one BOOLEAN set: 1 users, 2 authorities, 4 indirect. */
const scope = (tag: number) => new x509.Extension('2.5.29.28', true, Uint8Array.of(0x30, 3, 0x80 | tag, 1, 0xff));

const tlv = (tag: number, ...content: readonly Uint8Array[]): Uint8Array => {
  const body = Buffer.concat(content);
  return Uint8Array.of(tag, body.length, ...body);
};
/** issuingDistributionPoint with a distributionPoint: a fullName of these GeneralNames. */
const place = (...names: readonly Uint8Array[]) =>
  new x509.Extension('2.5.29.28', true, tlv(0x30, tlv(0xa0, tlv(0xa0, ...names))));
const uri = (text: string) => tlv(0x86, Buffer.from(text));

describe('CRLs', () => {
  test.each([
    ['the certificate is not on it', {}, 'good'],
    ['it is', { revoked: [{ who: leaf_, reason: x509.X509CrlReason.keyCompromise }] }, 'revoked: key compromise'],
    ['it is, without a reason', { revoked: [{ who: other_ }, { who: leaf_ }] }, 'revoked: no reason given'],
    ['another is', { revoked: [{ who: other_ }] }, 'good'],
    ['signed by another key of that name', { signer: stranger_, revoked: [{ who: leaf_ }] }, 'unknown: its signature'],
    ['of another authority', { signer: other_ }, 'unknown: it is of another authority'],
    ['out of date', { to: NOW - 1 }, 'unknown: it is out of date since 2026-06-15 11:59 UTC'],
    [
      'out of date, but the certificate is on it',
      { to: NOW - 1, revoked: [{ who: leaf_ }] },
      'revoked: no reason given',
    ],
    ['from the future', { from: NOW + DAY, to: NOW + 2 * DAY }, 'unknown: it is from the future'],
    ['from a clock that runs ahead a little', { from: NOW + 60_000 }, 'good'],
    ['without nextUpdate', { to: 'absent' }, 'good'],
    [
      'a delta',
      { extensions: [new x509.Extension('2.5.29.27', true, Uint8Array.of(2, 1, 1))] },
      'unknown: it is a delta',
    ],
    ['for end entities', { extensions: [scope(1)] }, 'good'],
    ['for authorities', { extensions: [scope(2)] }, 'unknown: it is about other'],
    ['indirect', { extensions: [scope(4)] }, 'unknown: it is a delta, indirect'],
  ] as const)('%s', async (_, options, expected) => {
    const { signer, revoked, ...rest } = options as Lazy;
    const der = await makeCrl({
      ...rest,
      ...(signer ? { signer: signer() } : {}),
      revoked: (revoked ?? []).map((entry) => ({ ...entry, who: entry.who() })),
    });
    const status = crlStatus(parsedCrl(der), leaf.certificate, root.certificate, NOW, DEFAULT_TRUST_POLICY);
    const text =
      status.kind === 'revoked'
        ? `revoked: ${status.reason}`
        : status.kind === 'unknown'
          ? `unknown: ${status.why}`
          : 'good';
    expect(text.startsWith(expected), text).toBe(true);
  });

  interface Lazy extends Omit<CrlOptions, 'signer' | 'revoked'> {
    readonly signer?: () => Made;
    readonly revoked?: readonly { readonly who: () => Made; readonly reason?: x509.X509CrlReason }[];
  }
  function leaf_() {
    return leaf;
  }
  function other_() {
    return other;
  }
  function stranger_() {
    return stranger;
  }

  test.each([
    ['its own part', [uri('http://c.example.com/other'), uri(CRL_URL)], false, 'good'],
    ['another part', [uri('http://crl.example.com/2.crl')], false, 'unknown'],
    ['a part with a name of another kind', [tlv(0x82, Buffer.from('crl.example.com'))], false, 'unknown'],
    // The same authority says so: more than that it need not say.
    ['another part that it is on all the same', [uri('http://crl.example.com/2.crl')], true, 'revoked'],
  ] as const)('of a list in parts: %s (RFC 5280 §6.3.3)', async (_, names, on, kind) => {
    const crl = parsedCrl(
      await makeCrl({ extensions: [place(...names)], revoked: on ? [{ who: named }] : [{ who: other }] }),
    );
    const status = crlStatus(crl, named.certificate, root.certificate, NOW, DEFAULT_TRUST_POLICY);
    expect(status.kind).toBe(kind);
    // A certificate that names no place is on no part.
    if (kind === 'good')
      expect(crlStatus(crl, leaf.certificate, root.certificate, NOW, DEFAULT_TRUST_POLICY).kind).toBe('unknown');
  });

  test('an authority whose key usage has no cRLSign', async () => {
    const issuer = await make({ subject: 'CN=No CRLs', usage: x509.KeyUsageFlags.keyCertSign });
    const gateway = await make({ subject: 'CN=gw', issuer });
    const crl = parsedCrl(await makeCrl({ signer: issuer }));
    expect(crlStatus(crl, gateway.certificate, issuer.certificate, NOW, DEFAULT_TRUST_POLICY)).toMatchObject({
      kind: 'unknown',
    });
  });

  test('SHA-1 only under the legacy policy', async () => {
    const issuer = await make({ subject: 'CN=RSA', kind: 'rsa' });
    const gateway = await make({ subject: 'CN=gw', issuer });
    const crl = parsedCrl(await makeCrl({ signer: issuer, hash: 'SHA-1' }));
    const status = (policy: typeof DEFAULT_TRUST_POLICY) =>
      crlStatus(crl, gateway.certificate, issuer.certificate, NOW, policy).kind;
    expect([status(DEFAULT_TRUST_POLICY), status(LEGACY_TRUST_POLICY)]).toEqual(['unknown', 'good']);
  });

  test('a hundred thousand entries are read without decoding them all, and more bytes than that are refused', async () => {
    const small = await makeCrl({ revoked: [{ who: other }, { who: leaf, reason: x509.X509CrlReason.superseded }] });
    const entry = Buffer.from('0202', 'hex');
    const at = Buffer.from(small).indexOf(Buffer.concat([entry, Buffer.from('0a02', 'hex')])) - 2;
    // The first entry, over and over, inside lengths that fit.
    const one = Buffer.from(small.subarray(at, at + 2 + small[at + 1]!));
    const both = Buffer.from(small.subarray(at, at + 2 + small[at + 1]! + 2 + small[at + one.length + 1]!));
    const header = (tag: number, length: number) =>
      Buffer.from([tag, 0x83, length >> 16, (length >> 8) & 255, length & 255]);
    const wrap = (tag: number, content: Buffer) => Buffer.concat([header(tag, content.length), content]);
    const signedPart = parsedCrl(small).signed;
    const fields = signedPart.fields.map((field) =>
      Buffer.compare(field.content, both) === 0
        ? wrap(0x30, Buffer.concat([...new Array<Buffer>(100_000).fill(one), both]))
        : Buffer.from(field.bytes),
    );
    const rest = Buffer.from(small).subarray(Buffer.from(small).indexOf(signedPart.bytes) + signedPart.bytes.length);
    const large = wrap(0x30, Buffer.concat([wrap(0x30, Buffer.concat(fields)), rest]));
    expect(large.length).toBeGreaterThan(1_500_000);
    const crl = parsedCrl(large);
    expect([...crl.revoked.keys()].sort()).toEqual(['0a01', '0a02']);
    // Its signature is that of the small one.
    expect(crlStatus(crl, leaf.certificate, root.certificate, NOW, DEFAULT_TRUST_POLICY)).toMatchObject({
      kind: 'unknown',
    });
    expect(isPkiError(parseCrl(new Uint8Array(MOST_CRL_BYTES + 1)))).toBe(true);
  });
});

interface OcspOptions {
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
const digest = (hash: string, bytes: Uint8Array) =>
  new OctetString(Uint8Array.from(createHash(hash).update(bytes).digest()));

function makeOcsp(options: OcspOptions = {}): Uint8Array {
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

const signed = (hash: string, bytes: Uint8Array, key: KeyObject) => Uint8Array.from(sign(hash, bytes, key)).buffer;
const wrapped = (basic: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(
    AsnConvert.serialize(
      new OCSPResponse({
        responseStatus: OCSPResponseStatus.successful,
        responseBytes: new ResponseBytes({ responseType: id_pkix_ocsp_basic, response: new OctetString(basic) }),
      }),
    ),
  );
const REVOKED = new CertStatus({
  revoked: new RevokedInfo({ revocationTime: new Date(NOW - DAY), revocationReason: new CRLReason(4) }),
});

describe('OCSP', () => {
  const ask = (response: Uint8Array, policy = DEFAULT_TRUST_POLICY) => {
    const status = ocspStatus(response, leaf.certificate, root.certificate, NOW, policy);
    return status.kind === 'revoked'
      ? `revoked: ${status.reason}`
      : status.kind === 'unknown'
        ? `unknown: ${status.why}`
        : 'good';
  };
  const responder = (options: Partial<Options>) =>
    make({ subject: 'CN=Responder', issuer: root, extendedUsage: ['1.3.6.1.5.5.7.3.9'], ...options });

  test('good, revoked, not known', () => {
    expect(ask(makeOcsp())).toBe('good');
    expect(ask(makeOcsp({ hash: 'sha256' }))).toBe('good');
    expect(ask(makeOcsp({ status: REVOKED }))).toBe('revoked: superseded');
    expect(ask(makeOcsp({ status: new CertStatus({ unknown: null }) }))).toContain('does not know');
  });

  test('about another certificate, or one of another issuer', () => {
    expect(ask(makeOcsp({ about: other }))).toContain('about other certificates');
    expect(ask(makeOcsp({ issuer: stranger, signer: root }))).toContain('about other certificates');
  });

  test('too old, too young, without nextUpdate', () => {
    expect(ask(makeOcsp({ to: NOW }))).toContain('out of date since 2026-06-15 12:00');
    expect(ask(makeOcsp({ from: NOW + DAY, to: NOW + 2 * DAY }))).toContain('from the future');
    expect(ask(makeOcsp({ to: 'absent' }))).toBe('good');
    expect(ask(makeOcsp({ to: 'absent', from: NOW - DAY }))).toContain('out of date');
  });

  test('a responder of the authority’s own', async () => {
    const good = await responder({});
    expect(ask(makeOcsp({ signer: good, embed: [other, good] }))).toBe('good');
    expect(ask(makeOcsp({ signer: good }))).toContain('not signed by the authority');
    const noCheck = new x509.Extension('1.3.6.1.5.5.7.48.1.5', true, Uint8Array.of(5, 0));
    const unchecked = await responder({ extensions: [noCheck] });
    expect(ask(makeOcsp({ signer: unchecked, embed: [unchecked] }))).toBe('good');
  });

  test.each([
    ['expired', { to: NOW - DAY }],
    ['without the usage OCSPSigning', { extendedUsage: ['1.3.6.1.5.5.7.3.1'] }],
    ['with a key usage that signs nothing', { usage: x509.KeyUsageFlags.keyEncipherment }],
  ] as const)('a responder %s', async (_, options) => {
    const bad = await responder({ ...options, keyName: 'bad responder' });
    expect(ask(makeOcsp({ signer: bad, embed: [bad] }))).toContain('not signed by the authority');
  });

  test('a responder of another authority, even one of that name', async () => {
    const bad = await responder({ issuer: stranger, keyName: 'strange responder' });
    expect(ask(makeOcsp({ signer: bad, embed: [bad] }))).toContain('not signed by the authority');
  });

  test('SHA-1 only under the legacy policy', () => {
    const response = makeOcsp({ signHash: 'sha1' });
    expect(ask(response)).toContain('not signed');
    expect(ask(response, LEGACY_TRUST_POLICY)).toBe('good');
  });

  test('errors, other kinds, changed and truncated answers', () => {
    const error = new OCSPResponse({ responseStatus: OCSPResponseStatus.unauthorized });
    expect(ask(new Uint8Array(AsnConvert.serialize(error)))).toContain('"unauthorized"');
    const response = makeOcsp();
    for (let length = 0; length < response.length; length += 3)
      expect(ask(response.subarray(0, length))).toContain('unknown');
    for (let at = 0; at < response.length; at++) {
      const changed = Uint8Array.from(response);
      changed[at]! ^= 1;
      // Nothing but the bytes around the signed part may change without notice, and none makes of good what is not.
      expect(['good', 'unknown']).toContain(ask(changed).slice(0, 7).replace(/:.*/, ''));
    }
  });
});

describe('modes', () => {
  const path = (): Path => [named.certificate, root.certificate];
  const run = async (
    config: RevocationConfig,
    cache: RevocationCache = new Map(),
    now = NOW,
    chain: readonly Certificate[] = path(),
  ) => {
    const checked = await checkRevocation(chain as Path, config, cache, now, DEFAULT_TRUST_POLICY);
    return isPkiError(checked)
      ? `${checked.code}: ${checked.message}`
      : checked.warnings.map(({ text }) => text).join() || 'passed';
  };
  /** Answers by URL; what is not there fails. Counts. */
  const server = (answers: Record<string, Uint8Array>) => {
    const asked: string[] = [];
    const fetch: Fetch = async ({ url }) => {
      asked.push(url);
      const answer = answers[url];
      if (!answer) throw new Error('connect ECONNREFUSED');
      return answer;
    };
    return { fetch, asked };
  };

  test('off asks nobody', async () => {
    const { fetch, asked } = server({});
    expect(await run({ mode: 'off', fetch })).toBe('passed');
    expect(asked).toEqual([]);
  });

  test('nobody answers: soft warns and says why, strict refuses', async () => {
    const { fetch, asked } = server({});
    expect(await run({ mode: 'soft', fetch })).toMatch(
      /nobody could say .*OCSP at http:\/\/ocsp.example.com\/: connect ECONNREFUSED; the CRL of/,
    );
    expect(asked).toEqual([OCSP_URL, CRL_URL]);
    expect(await run({ mode: 'strict', fetch })).toContain('revocation-unknown');
  });

  test('nobody to ask: soft passes in silence, strict refuses', async () => {
    const chain = [leaf.certificate, root.certificate];
    expect(await run({ mode: 'soft', ...server({}) }, new Map(), NOW, chain)).toBe('passed');
    expect(await run({ mode: 'strict', ...server({}) }, new Map(), NOW, chain)).toContain('names no CRL and no OCSP');
  });

  test('OCSP first; where it does not know, the CRL', async () => {
    const crl = await makeCrl({ revoked: [{ who: named }] });
    const good = server({ [OCSP_URL]: makeOcsp({ about: named }), [CRL_URL]: crl });
    expect(await run({ mode: 'strict', ...good })).toBe('passed');
    expect(good.asked).toEqual([OCSP_URL]);
    const revoked = server({ [CRL_URL]: crl });
    for (const mode of ['soft', 'strict'] as const)
      expect(await run({ mode, ...revoked })).toContain(
        'revoked: the certificate of CN=named was revoked on 2026-06-13 12:00 UTC',
      );
  });

  test('a CRL in the profile goes before both, and needs no network', async () => {
    const crls = [parsedCrl(await makeCrl({ revoked: [{ who: named }] }))];
    expect(await run({ mode: 'soft', crls })).toContain('says the CRL in the profile');
    expect(await run({ mode: 'strict', crls: [parsedCrl(await makeCrl())] })).toBe('passed');
    const old = [parsedCrl(await makeCrl({ to: NOW - DAY }))];
    expect(await run({ mode: 'strict', crls: old })).toContain('the CRL in the profile: it is out of date');
  });

  test('every certificate of the path but the anchor', async () => {
    const middle = await make({ subject: 'CN=Middle', issuer: root, ca: true });
    const end = await make({ subject: 'CN=end', issuer: middle });
    const chain = [end, middle, root].map(({ certificate }) => certificate);
    const crls = [parsedCrl(await makeCrl({ signer: middle }))];
    expect(await run({ mode: 'strict', crls }, new Map(), NOW, chain)).toContain('CN=Middle');
    crls.push(parsedCrl(await makeCrl({ revoked: [{ who: middle }] })));
    expect(await run({ mode: 'soft', crls }, new Map(), NOW, chain)).toContain('revoked: the certificate of CN=Middle');
  });

  test('answers are kept until they are due, renewed before, and outlive an outage of their server', async () => {
    const cache: RevocationCache = new Map();
    const up = server({ [OCSP_URL]: makeOcsp({ about: named, to: NOW + 2 * DAY }) });
    expect(await run({ mode: 'strict', ...up }, cache)).toBe('passed');
    expect(await run({ mode: 'strict', ...up }, cache, NOW + 3600_000)).toBe('passed');
    expect(up.asked).toHaveLength(1);
    const down = server({});
    expect(await run({ mode: 'strict', ...down }, cache, NOW + DAY)).toBe('passed');
    expect(down.asked).toEqual([OCSP_URL]);
    expect(await run({ mode: 'strict', ...down }, cache, NOW + 2 * DAY)).toContain('revocation-unknown');
    // A broken answer does not drive out the good one.
    expect(
      await run(
        { mode: 'strict', ...server({ [OCSP_URL]: Uint8Array.of(1), [CRL_URL]: Uint8Array.of(2) }) },
        cache,
        NOW + DAY,
      ),
    ).toBe('passed');
    // Nor does an older good one hide that it was revoked meanwhile.
    const revoked = server({
      [OCSP_URL]: makeOcsp({ about: named, status: REVOKED, from: NOW + DAY - 1000, to: NOW + 2 * DAY }),
    });
    expect(await run({ mode: 'soft', ...revoked }, cache, NOW + DAY)).toContain('revoked');
    expect(cache.size).toBeLessThanOrEqual(2);
  });
});

describe('fetching over HTTP', () => {
  let httpServer: Server;
  let base: string;
  beforeAll(async () => {
    httpServer = createServer((request, response) => {
      if (request.url === '/long') response.end(Buffer.alloc(10_000));
      else if (request.url === '/never') return;
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (request.url === '/there') response.writeHead(302, { location: '/here' }).end();
      else if (request.url === '/secret') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (request.url === '/echo') request.pipe(response);
      else if (request.url === '/here') response.end('here');
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
    const address = httpServer.address();
    base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  afterAll(() => {
    httpServer.closeAllConnections();
    httpServer.close();
  });
  const get = (url: string, mostBytes = 5000, timeout = 5000) =>
    httpFetch()({ url, accept: '*/*', mostBytes, timeout }).then(
      (bytes) => Buffer.from(bytes).toString(),
      (error: Error) => `error: ${error.message}`,
    );

  test('bodies, redirects, and everything that is refused', async () => {
    expect(await get(`${base}/here`)).toBe('here');
    expect(await get(`${base}/there`)).toBe('here');
    expect(await get(`${base}/loop`)).toBe('error: it redirects too often');
    expect(await get(`${base}/secret`)).toContain('no http:// address');
    expect(await get('https://127.0.0.1/')).toContain('no http:// address');
    expect(await get(`${base}/nothing`)).toContain('status 404');
    expect(await get(`${base}/long`)).toContain('more than 5000 bytes');
    expect(await get(`${base}/never`, 5000, 100)).toContain('no answer within');
    const body = { type: 'text/plain', bytes: new TextEncoder().encode('question') };
    const echoed = await httpFetch()({ url: `${base}/echo`, body, accept: '*/*', mostBytes: 100, timeout: 5000 });
    expect(Buffer.from(echoed).toString()).toBe('question');
  });

  test('over a connection of the caller’s making, which is given up in time', async () => {
    const asked: string[] = [];
    const fetch = httpFetch((host, port, signal) => {
      asked.push(`${host} ${port}`);
      const { port: real } = new URL(base);
      return host === 'ocsp.example.com'
        ? connectMarked({ address: Uint8Array.of(127, 0, 0, 1), port: Number(real) }, 0, signal)
        : new Promise(() => {});
    });
    const request = { accept: '*/*', mostBytes: 100, timeout: 5000 };
    const found = await fetch({ ...request, url: 'http://ocsp.example.com/there' });
    expect(Buffer.from(found).toString()).toBe('here');
    expect(asked).toEqual(['ocsp.example.com 80', 'ocsp.example.com 80']);
    const never = fetch({ ...request, url: 'http://[2001:db8::1]:8080/', timeout: 50 });
    await expect(never).rejects.toThrow('no answer within');
    expect(asked[2]).toBe('2001:db8::1 8080');
    // A port that nobody listens on.
    const refused = connectMarked({ address: Uint8Array.of(127, 0, 0, 1), port: 1 }, 0, AbortSignal.timeout(5000));
    await expect(refused).rejects.toThrow('no connection to 127.0.0.1:1 (connect: ECONNREFUSED)');
  });
});

describe('openssl', () => {
  const tool = openssl();
  afterAll(() => tool.close());

  test('its CRL, and its OCSP responder answering our request', async () => {
    // openssl takes the time of day, so these certificates do.
    const now = Date.now();
    const dates = { from: now - 30 * DAY, to: now + 30 * DAY };
    const ca = await make({ ...dates, subject: 'CN=Interop', kind: 'rsa', keyIds: true });
    const good = await make({ ...dates, subject: 'CN=good', issuer: ca, serial: '01' });
    const bad = await make({ ...dates, subject: 'CN=bad', issuer: ca, serial: '8002' });
    tool.write('ca.pem', ca.pem);
    tool.write('ca.key', ca.key.export({ format: 'pem', type: 'pkcs8' }));
    const stamp = (time: number) =>
      `${new Date(time)
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, '')
        .slice(2)}`;
    tool.write(
      'index.txt',
      `V\t${stamp(dates.to)}\t\t01\tunknown\t/CN=good\nR\t${stamp(dates.to)}\t${stamp(now - DAY)},keyCompromise\t8002\tunknown\t/CN=bad\n`,
    );
    tool.write('crlnumber', '01');
    tool.write(
      'ca.cnf',
      '[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n',
    );
    tool.run(
      'ca',
      '-config',
      'ca.cnf',
      '-gencrl',
      '-crldays',
      '2',
      '-keyfile',
      'ca.key',
      '-cert',
      'ca.pem',
      '-out',
      'crl.pem',
    );
    tool.run('crl', '-in', 'crl.pem', '-outform', 'DER', '-out', 'crl.der');
    const crl = parsedCrl(tool.read('crl.der'));
    const byCrl = (who: Made) => crlStatus(crl, who.certificate, ca.certificate, now, DEFAULT_TRUST_POLICY);
    expect(byCrl(good).kind).toBe('good');
    expect(byCrl(bad)).toMatchObject({ kind: 'revoked', reason: 'key compromise' });
    const byOcsp = (who: Made) => {
      tool.write('request', ocspRequest(who.certificate, ca.certificate));
      const responder = ['-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', 'ca.pem', '-rkey', 'ca.key'];
      tool.run('ocsp', ...responder, '-reqin', 'request', '-respout', 'response', '-ndays', '1');
      return ocspStatus(tool.read('response'), who.certificate, ca.certificate, Date.now(), DEFAULT_TRUST_POLICY);
    };
    expect(byOcsp(good).kind).toBe('good');
    expect(byOcsp(bad)).toMatchObject({ kind: 'revoked', reason: 'key compromise' });
  });
});
