// A gateway's proof of itself, from its key to our trust: signed by one side, verified by the other, for each kind of key.
import 'reflect-metadata';
import { createHash, createPublicKey } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { chooseScheme, SIGNATURE_HASHES_OFFERED, schemeName, signOctets } from '../../main/crypto/signature.ts';
import { answerSign, answerVerify } from '../../main/pki/answer.ts';
import { authorityHash } from '../../main/pki/certificate.ts';
import { openCredential } from '../../main/pki/credential.ts';
import { isPkiError, PkiError, type PkiProblem } from '../../main/pki/error.ts';
import type { Fetch } from '../../main/pki/fetch.ts';
import type { PkiWarning } from '../../main/pki/identity.ts';
import { ownCertificate, softwareKey } from '../../main/pki/key.ts';
import { LEGACY_TRUST_POLICY } from '../../main/pki/policy.ts';
import { createTrust, type TrustConfig, type VerifyRequest } from '../../main/pki/trust.ts';
import { wellKnownIssuersOf } from '../../main/pki/well-known.ts';
import { certificatesOf, DAY, type KeyKind, type Made, make, NOW, type Options } from './authority.ts';

const OCTETS = new TextEncoder().encode('RealMessage1 | NonceRData | prf(SK_pi, RestOfInitIDPayload)');

test.each([
  ['rsa', 'rsa-pss-sha256'],
  ['p256', 'ecdsa-sha256'],
  ['p384', 'ecdsa-sha384'],
  ['p521', 'ecdsa-sha512'],
  ['ed25519', 'ed25519'],
] as const)('%s: signs, and is verified through an intermediate authority', async (kind: KeyKind, scheme: string) => {
  const root = await make({ subject: 'CN=Root, O=Example', kind });
  const middle = await make({ subject: 'CN=Middle, O=Example', kind, issuer: root, ca: true });
  const gateway = await make({
    subject: 'CN=gw, O=Example',
    kind,
    issuer: middle,
    names: [{ type: 'dns', value: 'vpn.example.com' }],
  });
  const key = await openCredential({
    kind: 'pem',
    certificates: Buffer.from(middle.pem + gateway.pem),
    key: Buffer.from(gateway.key.export({ format: 'pem', type: 'pkcs8' })),
  });
  if (isPkiError(key)) throw key;
  const chosen = chooseScheme(key.publicKey, SIGNATURE_HASHES_OFFERED);
  expect(chosen && schemeName(chosen)).toBe(scheme);
  const signature = await key.sign(chosen!, OCTETS);
  if (isPkiError(signature)) throw signature;
  const trust = createTrust({ authorities: [root.certificate], clock: () => NOW });
  const request = {
    scheme: chosen!,
    octets: OCTETS,
    signature,
    chain: key.chain,
    identity: { type: 'fqdn', text: 'vpn.example.com' },
    purpose: 'gateway',
  } as const;
  const verified = await trust.verify(request);
  if (isPkiError(verified)) throw verified;
  expect(verified.path.map(({ subject }) => subject.text)).toEqual([
    'CN=gw, O=Example',
    'CN=Middle, O=Example',
    'CN=Root, O=Example',
  ]);
  expect(await trust.verify({ ...request, octets: OCTETS.subarray(1) })).toMatchObject({ code: 'bad-signature' });
});

describe('what a gateway shows', () => {
  const scheme = { method: 'digital-signature', key: 'ecdsa', hash: 'sha256' } as const;
  async function scene(options: Partial<Options> = {}) {
    const root = await make({ subject: 'CN=Root' });
    const gateway = await make({
      subject: 'CN=gw',
      issuer: root,
      names: [{ type: 'dns', value: 'vpn.example.com' }],
      ...options,
    });
    const request = (changes: Partial<VerifyRequest> = {}): VerifyRequest => ({
      scheme,
      octets: OCTETS,
      signature: gateway.kind === 'p256' ? signOctets(gateway.key, scheme, OCTETS) : new Uint8Array(),
      chain: [gateway.der],
      identity: { type: 'fqdn', text: 'vpn.example.com' },
      purpose: 'gateway',
      ...changes,
    });
    const trust = (changes: Partial<TrustConfig> = {}) =>
      createTrust({ authorities: [root.certificate], clock: () => NOW, ...changes });
    return { root, gateway, request, trust };
  }
  const outcome = async (verified: Promise<unknown>) => {
    const found = await verified;
    return isPkiError(found) ? found.code : 'verified';
  };

  test('each thing that must be right', async () => {
    const { gateway, request, trust } = await scene();
    const other = await make({ subject: 'CN=other' });
    const check = (changes: Partial<VerifyRequest>) => outcome(trust().verify(request(changes)));
    expect(await check({})).toBe('verified');
    expect(await check({ chain: [] })).toBe('no-certificate');
    expect(await check({ chain: [Uint8Array.of(1)] })).toBe('malformed');
    expect(await check({ chain: [other.der] })).toBe('untrusted-issuer');
    expect(await check({ chain: [gateway.der, Uint8Array.of(1), other.der] })).toBe('verified');
    expect(await check({ identity: { type: 'fqdn', text: 'other.example.com' } })).toBe('identity-mismatch');
    expect(await check({ signature: signOctets(other.key, scheme, OCTETS) })).toBe('bad-signature');
    expect(await check({ scheme: { method: 'ecdsa-p256' } })).toBe('bad-signature');
    expect(await check({ scheme: { method: 'ecdsa-p384' } })).toBe('key-does-not-fit');
    expect(await check({ scheme: { method: 'rsa-sha1' } })).toBe('weak-signature');
  });

  test('nobody is asked about revocation before the gateway has proved itself', async () => {
    const { request, trust } = await scene({
      extensions: [new x509.AuthorityInfoAccessExtension({ ocsp: ['http://ocsp.example.com/'] })],
    });
    const asked: string[] = [];
    const fetch: Fetch = async ({ url }) => {
      asked.push(url);
      throw new Error('no');
    };
    const warnings: PkiWarning[] = [];
    const strict = trust({ revocation: { mode: 'strict', fetch } });
    expect(await outcome(strict.verify(request({ signature: new Uint8Array(70) })))).toBe('bad-signature');
    expect(await outcome(strict.verify(request({ identity: { type: 'fqdn', text: 'x' } })))).toBe('identity-mismatch');
    expect(asked).toEqual([]);
    expect(await outcome(strict.verify(request()))).toBe('revocation-unknown');
    const soft = trust({ revocation: { mode: 'soft', fetch }, warn: (warning) => warnings.push(warning) });
    expect(await outcome(soft.verify(request()))).toBe('verified');
    expect(warnings.map(({ code }) => code)).toEqual(['revocation-unknown']);
  });

  test('method 1 with SHA-1 under the legacy policy', async () => {
    const { gateway, request, trust } = await scene({ kind: 'rsa' });
    const signature = signOctets(gateway.key, { method: 'rsa-sha1' }, OCTETS);
    const classic = request({ scheme: { method: 'rsa-sha1' }, signature });
    expect(await outcome(trust().verify(classic))).toBe('weak-signature');
    expect(await outcome(trust({ policy: LEGACY_TRUST_POLICY }).verify(classic))).toBe('verified');
  });

  test('a gateway that sends no certificate is known by the one in the profile', async () => {
    const { root, gateway, request, trust } = await scene();
    const check = (changes: Partial<TrustConfig>) => outcome(trust(changes).verify(request({ chain: [] })));
    expect(await check({ authorities: [root.certificate, gateway.certificate] })).toBe('verified');
    expect(await check({ intermediates: [gateway.certificate] })).toBe('verified');
    expect(await check({ authorities: [], intermediates: [gateway.certificate] })).toBe('untrusted-issuer');
    expect(await check({ authorities: [root.certificate] })).toBe('no-certificate');
  });

  test('well-known authorities vouch for their own, and for nobody else', async () => {
    const { request, trust } = await scene();
    expect(await outcome(trust({ authorities: 'well-known' }).verify(request()))).toBe('untrusted-issuer');
    expect(trust({ authorities: 'well-known' }).authorityHashes).toEqual([]);
    const roots = rootCertificates.map((pem) => certificatesOf(pem)[0]!);
    expect(roots.length).toBeGreaterThan(100);
    // Each is found by its name, as the issuer of itself.
    for (const root of roots) {
      const found = wellKnownIssuersOf([root]).map(({ der }) => Buffer.from(der).toString('hex'));
      expect(found).toContain(Buffer.from(root.der).toString('hex'));
    }
  });

  test('what an IKE SA must know of our key: the authorities above it, by the hashes of CERTREQ', async () => {
    const root = await make({ subject: 'CN=Root' });
    const middle = await make({ subject: 'CN=Middle', issuer: root, ca: true });
    const own = await make({ subject: 'CN=alice', issuer: middle });
    const stranger = await make({ subject: 'CN=Root', keyName: 'stranger' });
    const key = softwareKey(own.key, own.certificate, [own.der, middle.der]);
    const hashes = (known: Made[]) =>
      ownCertificate(
        key,
        known.map(({ certificate }) => certificate),
      ).authorities;
    expect(hashes([])).toEqual([authorityHash(middle.certificate)]);
    expect(hashes([stranger, root])).toEqual([middle, root].map(({ certificate }) => authorityHash(certificate)));
  });

  test('EAP’s server: its chain and name, without a signature', async () => {
    const { gateway, trust } = await scene({ extendedUsage: ['1.3.6.1.5.5.7.3.1'] });
    const check = (text: string) =>
      trust().check({ chain: [gateway.der], identity: { type: 'fqdn', text }, purpose: 'tls-server' });
    expect(await outcome(check('vpn.example.com'))).toBe('verified');
    expect(await outcome(check('radius.example.com'))).toBe('identity-mismatch');
  });

  test('until the first certificate of the path expires', async () => {
    const { request, trust, gateway } = await scene({ to: NOW + DAY });
    const verified = await trust().verify(request());
    expect(!isPkiError(verified) && [verified.until, verified.certificate.der]).toEqual([NOW + DAY, gateway.der]);
  });

  test('the hash of an authority in CERTREQ is SHA-1 of its SubjectPublicKeyInfo (RFC 7296 §3.7)', async () => {
    const { root, trust } = await scene();
    const spki = createPublicKey(root.key).export({ format: 'der', type: 'spki' });
    expect(trust().authorityHashes.map((hash) => Buffer.from(hash).toString('hex'))).toEqual([
      createHash('sha1').update(spki).digest('hex'),
    ]);
  });

  test('the answers that an IKE SA gets', async () => {
    const { gateway, request, trust } = await scene();
    const key = await openCredential({
      kind: 'pem',
      certificates: Buffer.from(gateway.pem),
      key: Buffer.from(gateway.key.export({ format: 'pem', type: 'pkcs8' })),
    });
    if (isPkiError(key)) throw key;
    const sign = { kind: 'sign', scheme, octets: OCTETS, certificate: gateway.der } as const;
    const signed = await answerSign([key], sign);
    if (signed.kind !== 'signed') throw new Error(signed.kind);
    const question = { kind: 'verify', ...request(), signature: signed.signature } as const;
    expect(await answerVerify(trust(), question, 'gateway')).toEqual({ kind: 'verified' });
    const failed = async (changes: Partial<typeof question>) => {
      const answer = await answerVerify(trust(), { ...question, ...changes }, 'gateway');
      return answer.kind === 'failed' ? answer.error : undefined;
    };
    const mismatch = await failed({ identity: { type: 'fqdn', text: 'other' } });
    expect(mismatch).toMatchObject({ code: 'peer-identity-mismatch', exchange: 'IKE_AUTH' });
    expect(mismatch?.message).toContain('its certificate is for vpn.example.com');
    expect(await failed({ octets: new Uint8Array(3) })).toMatchObject({ code: 'peer-not-authentic' });
    const unable = await answerSign([key], { ...sign, scheme: { method: 'rsa-sha1' } });
    expect(unable.kind === 'failed' && unable.error.code).toBe('configuration');
    const unknown = await answerSign([], sign);
    expect(unknown.kind === 'failed' && unknown.error.code).toBe('configuration');
    const expected = await failed({ expected: { type: 'fqdn', text: 'other.example.com' } });
    expect(expected).toMatchObject({ code: 'peer-identity-mismatch' });
    expect(expected?.message).toContain('is for vpn.example.com, "CN=gw", but the profile expects other.example.com');
  });
});

test('every error says what happened and what to do, without a stray "undefined"', () => {
  const subject = 'CN=gw';
  const problems: readonly PkiProblem[] = [
    { code: 'no-certificate' },
    { code: 'malformed', what: 'x', detail: 'y' },
    { code: 'expired', subject, notAfter: NOW, now: NOW },
    { code: 'not-yet-valid', subject, notBefore: Number.NaN, now: NOW },
    { code: 'untrusted-issuer', subject, issuer: 'CN=x' },
    { code: 'not-signed-by-issuer', subject, issuer: 'CN=x' },
    { code: 'not-an-authority', subject },
    { code: 'path-too-long', subject, limit: 0 },
    { code: 'key-usage', subject },
    { code: 'extended-key-usage', subject, usages: ['clientAuth'] },
    { code: 'unknown-critical-extension', subject, oid: '1.2.3' },
    { code: 'name-constraint', subject, issuer: 'CN=x', name: 'a.b' },
    { code: 'weak-key', subject, key: 'RSA, 512 bits', least: 2048 },
    { code: 'weak-signature', what: 'it', algorithm: 'x' },
    { code: 'identity-mismatch', identity: 'a', names: [] },
    { code: 'wrong-gateway', expected: 'a', names: [] },
    { code: 'bad-signature', subject, scheme: 'x' },
    { code: 'key-does-not-fit', subject, key: 'x', scheme: 'y' },
    { code: 'revoked', subject, at: NOW, reason: 'x', source: 'y' },
    { code: 'revocation-unknown', subject, why: 'x' },
    { code: 'passphrase-needed', what: 'x' },
    { code: 'wrong-passphrase', what: 'x' },
    { code: 'unsupported', what: 'x', detail: 'y' },
    { code: 'no-private-key', what: 'x' },
    { code: 'key-mismatch', subject },
    { code: 'key-store', store: 'x', detail: 'y' },
  ];
  for (const problem of problems) {
    const error = new PkiError(problem);
    expect(error.code).toBe(problem.code);
    for (const text of [error.message, error.remedy]) {
      expect(text.length, problem.code).toBeGreaterThan(10);
      expect(text).not.toMatch(/undefined|NaN|\[object/);
    }
  }
});
