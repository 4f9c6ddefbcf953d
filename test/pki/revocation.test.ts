// Revocation: what the modes make of CRLs and OCSP answers, the cache, fetching, and openssl's own CRL and responder.
import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectMarked } from '../../main/net/socket/linux-marked.ts';
import type { Certificate } from '../../main/pki/certificate.ts';
import type { Path } from '../../main/pki/chain.ts';
import { crlStatus } from '../../main/pki/crl.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { type Fetch, httpFetch } from '../../main/pki/fetch.ts';
import { ocspRequest, ocspStatus } from '../../main/pki/ocsp.ts';
import { DEFAULT_TRUST_POLICY } from '../../main/pki/policy.ts';
import { checkRevocation, type RevocationCache, type RevocationConfig } from '../../main/pki/revocation.ts';
import { DAY, type Made, make, NOW } from './authority.ts';
import { openssl } from './openssl.ts';
import { CRL_URL, leaf, makeCrl, makeOcsp, named, OCSP_URL, parsedCrl, REVOKED, root } from './status-lists.ts';

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
