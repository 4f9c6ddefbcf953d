// Chains good and bad, one row each: what is made, and what the check must say of it.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../main/pki/certificate.ts';
import { findPath } from '../../main/pki/chain.ts';
import { isPkiError, type PkiErrorCode } from '../../main/pki/error.ts';
import { DEFAULT_TRUST_POLICY, LEGACY_TRUST_POLICY, type Purpose, type TrustPolicy } from '../../main/pki/policy.ts';
import { DAY, type Made, make, NOW, type Options } from './authority.ts';

const ROOT: Options = { subject: 'CN=Root, O=Example' };
const MIDDLE: Options = { subject: 'CN=Middle, O=Example', ca: true };
const LEAF: Options = { subject: 'CN=gw.example.com, O=Example', names: [{ type: 'dns', value: 'gw.example.com' }] };

interface Row {
  readonly what: string;
  readonly root?: Partial<Options>;
  readonly middle?: Partial<Options>;
  readonly leaf?: Partial<Options>;
  /** What the peer sends behind its own certificate. */
  readonly send?: 'middle' | 'nothing' | 'everything twice, backwards';
  readonly trust?: 'root' | 'middle' | 'leaf' | 'stranger' | 'root under the same name';
  readonly policy?: Partial<TrustPolicy>;
  readonly purpose?: Purpose;
  readonly now?: number;
  readonly expected: PkiErrorCode | readonly string[];
  /** A part of the message. */
  readonly says?: string;
}

const GOOD = [LEAF.subject, MIDDLE.subject, ROOT.subject];
const permitted = (der: string) => new x509.Extension('2.5.29.30', true, Buffer.from(der, 'hex'));
/** permittedSubtrees or excludedSubtrees of one GeneralName. */
const constraint = (which: 'permitted' | 'excluded', tag: number, content: Uint8Array) => {
  const wrap = (t: number, bytes: readonly number[]) => [t, bytes.length, ...bytes];
  const subtrees = wrap(which === 'permitted' ? 0xa0 : 0xa1, wrap(0x30, wrap(tag, [...content])));
  return permitted(Buffer.from(wrap(0x30, subtrees)).toString('hex'));
};
/** A name of a kind that nothing here compares. */
const OTHER_NAME = Buffer.from('06032a0304a0040c026869', 'hex');
const text = (value: string) => new TextEncoder().encode(value);
const DNS = 0x82;
const EMAIL = 0x81;
const IP = 0x87;

const rows: readonly Row[] = [
  { what: 'a chain of three', expected: GOOD },
  { what: 'any order, duplicates, and the root sent as well', send: 'everything twice, backwards', expected: GOOD },
  { what: 'key identifiers', root: { keyIds: true }, middle: { keyIds: true }, leaf: { keyIds: true }, expected: GOOD },
  { what: 'an intermediate authority trusted by itself', trust: 'middle', expected: GOOD.slice(0, 2) },
  { what: 'the gateway’s own certificate trusted', trust: 'leaf', expected: GOOD.slice(0, 1) },
  { what: '…but not once it has expired', trust: 'leaf', leaf: { to: NOW - DAY }, expected: 'expired' },
  {
    what: 'another authority',
    trust: 'stranger',
    expected: 'untrusted-issuer',
    says: 'is signed by CN=Root, O=Example, which',
  },
  {
    what: 'the intermediate is not sent',
    send: 'nothing',
    expected: 'untrusted-issuer',
    says: 'signed by CN=Middle, O=Example',
  },
  { what: 'the authority was made anew', trust: 'root under the same name', expected: 'not-signed-by-issuer' },
  {
    what: 'expired',
    leaf: { to: NOW - 1000 },
    expected: 'expired',
    says: 'expired on 2026-06-15 11:59 UTC; this computer',
  },
  { what: 'valid in its last second', leaf: { to: NOW }, now: NOW + 999, expected: GOOD },
  { what: 'expired a second later', leaf: { to: NOW }, now: NOW + 1000, expected: 'expired' },
  { what: 'not yet valid', leaf: { from: NOW + DAY }, expected: 'not-yet-valid', says: 'not valid before 2026-06-16' },
  { what: 'valid from now on', leaf: { from: NOW }, expected: GOOD },
  { what: 'the intermediate has expired', middle: { to: NOW - DAY }, expected: 'expired', says: 'CN=Middle' },
  { what: 'the root has expired', root: { to: NOW - DAY }, expected: 'expired', says: 'CN=Root' },
  { what: 'issued by an ordinary certificate', middle: { ca: false }, expected: 'not-an-authority', says: 'CN=Middle' },
  { what: 'issued without basicConstraints', middle: { ca: 'absent' }, expected: 'not-an-authority' },
  {
    what: 'an authority without keyCertSign',
    middle: { usage: x509.KeyUsageFlags.cRLSign },
    expected: 'not-an-authority',
  },
  { what: 'an authority without key usage', middle: { usage: 'absent' }, expected: GOOD },
  { what: 'an anchor of version 1, without extensions', root: { ca: 'absent', usage: 'absent' }, expected: GOOD },
  {
    what: 'an intermediate without extensions',
    middle: { ca: 'absent', usage: 'absent' },
    expected: 'not-an-authority',
  },
  { what: 'pathLen 0 above an intermediate', root: { pathLength: 0 }, expected: 'path-too-long', says: 'at most 0' },
  { what: 'pathLen 1 above an intermediate', root: { pathLength: 1 }, expected: GOOD },
  { what: 'pathLen 0 above the end entity', middle: { pathLength: 0 }, expected: GOOD },
  {
    what: 'key usage without digitalSignature',
    leaf: { usage: x509.KeyUsageFlags.keyEncipherment },
    expected: 'key-usage',
  },
  { what: 'nonRepudiation', leaf: { usage: x509.KeyUsageFlags.nonRepudiation }, expected: GOOD },
  { what: 'no key usage', leaf: { usage: 'absent' }, expected: GOOD },
  { what: 'serverAuth', leaf: { extendedUsage: ['1.3.6.1.5.5.7.3.1'] }, expected: GOOD },
  { what: 'ipsecIKE', leaf: { extendedUsage: ['1.3.6.1.5.5.7.3.17'] }, expected: GOOD },
  { what: 'any usage', leaf: { extendedUsage: ['2.5.29.37.0'] }, expected: GOOD },
  {
    what: 'a gateway with a client’s certificate',
    leaf: { extendedUsage: ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.4'] },
    expected: 'extended-key-usage',
    says: 'clientAuth, emailProtection',
  },
  { what: 'a client with it', leaf: { extendedUsage: ['1.3.6.1.5.5.7.3.2'] }, purpose: 'client', expected: GOOD },
  {
    what: 'a client with a server’s',
    leaf: { extendedUsage: ['1.3.6.1.5.5.7.3.1'] },
    purpose: 'client',
    expected: 'extended-key-usage',
  },
  {
    what: 'EAP’s server with ipsecIKE only',
    leaf: { extendedUsage: ['1.3.6.1.5.5.7.3.17'] },
    purpose: 'tls-server',
    expected: 'extended-key-usage',
  },
  {
    what: 'an unknown critical extension',
    leaf: { extensions: [new x509.Extension('1.2.3.4.5', true, Uint8Array.of(5, 0))] },
    expected: 'unknown-critical-extension',
    says: '1.2.3.4.5',
  },
  {
    what: '…in an intermediate',
    middle: { extensions: [new x509.Extension('1.2.3.4.5', true, Uint8Array.of(5, 0))] },
    expected: 'unknown-critical-extension',
  },
  {
    what: 'unknown, not critical',
    leaf: { extensions: [new x509.Extension('1.2.3.4.5', false, Uint8Array.of(5, 0))] },
    expected: GOOD,
  },
  { what: 'RSA of 1024 bits', leaf: { kind: 'rsa1024' }, expected: 'weak-key', says: 'RSA, 1024 bits' },
  { what: 'RSA of 1024 bits in an authority', middle: { kind: 'rsa1024' }, expected: 'weak-key' },
  { what: '…under the legacy policy', leaf: { kind: 'rsa1024' }, policy: LEGACY_TRUST_POLICY, expected: GOOD },
  {
    what: 'signed with SHA-1',
    root: { kind: 'rsa' },
    middle: { hash: 'SHA-1' },
    expected: 'weak-signature',
    says: 'sha1',
  },
  {
    what: '…under the legacy policy',
    root: { kind: 'rsa' },
    middle: { hash: 'SHA-1' },
    policy: LEGACY_TRUST_POLICY,
    expected: GOOD,
  },
  { what: 'the root’s own signature is of no account', root: { kind: 'rsa', hash: 'SHA-1' }, expected: GOOD },
  {
    what: 'RSASSA-PSS',
    root: { kind: 'rsa' },
    middle: { kind: 'rsa', hash: 'SHA-384', pss: true },
    leaf: { hash: 'SHA-512', pss: true },
    expected: GOOD,
  },
  {
    what: 'Ed25519 and ECDSA mixed',
    root: { kind: 'ed25519' },
    middle: { kind: 'p521' },
    leaf: { kind: 'ed25519' },
    expected: GOOD,
  },
  {
    what: 'names permitted',
    root: { extensions: [constraint('permitted', DNS, text('example.com'))] },
    expected: GOOD,
  },
  {
    what: 'another domain permitted',
    root: { extensions: [constraint('permitted', DNS, text('example.org'))] },
    expected: 'name-constraint',
    says: 'gw.example.com',
  },
  {
    what: 'no match inside a label',
    root: { extensions: [constraint('permitted', DNS, text('mple.com'))] },
    expected: 'name-constraint',
  },
  {
    what: 'the domain excluded',
    middle: { extensions: [constraint('excluded', DNS, text('gw.example.com'))] },
    expected: 'name-constraint',
  },
  {
    what: 'another domain excluded',
    middle: { extensions: [constraint('excluded', DNS, text('example.org'))] },
    expected: GOOD,
  },
  {
    what: 'an address permitted',
    root: { extensions: [constraint('permitted', IP, Uint8Array.of(192, 0, 2, 0, 255, 255, 255, 0))] },
    leaf: { names: [{ type: 'ip', value: '192.0.2.77' }] },
    expected: GOOD,
  },
  {
    what: 'an address outside',
    root: { extensions: [constraint('permitted', IP, Uint8Array.of(192, 0, 2, 0, 255, 255, 255, 0))] },
    leaf: { names: [{ type: 'ip', value: '192.0.3.77' }] },
    expected: 'name-constraint',
    says: '192.0.3.77',
  },
  {
    what: 'a mail address at a host that is excluded',
    root: { extensions: [constraint('excluded', EMAIL, text('example.com'))] },
    leaf: { names: [{ type: 'email', value: 'alice@example.com' }] },
    expected: 'name-constraint',
  },
  {
    what: '…and at one below it, which it does not cover',
    root: { extensions: [constraint('excluded', EMAIL, text('example.com'))] },
    leaf: { names: [{ type: 'email', value: 'alice@mail.example.com' }] },
    expected: GOOD,
  },
  {
    what: 'a kind of name that cannot be compared, excluded',
    root: { extensions: [constraint('excluded', 0xa0, OTHER_NAME)] },
    leaf: { names: [{ type: 'upn', value: 'alice@example.com' }] },
    expected: 'name-constraint',
  },
  {
    what: '…or permitted',
    root: { extensions: [constraint('permitted', 0xa0, OTHER_NAME)] },
    leaf: { names: [{ type: 'upn', value: 'alice@example.com' }] },
    expected: 'name-constraint',
  },
  {
    what: '…but the certificate has none of it',
    root: { extensions: [constraint('excluded', 0xa0, OTHER_NAME)] },
    expected: GOOD,
  },
];

describe('chains', () => {
  test.each(rows.map((row) => [row.what, row] as const))('%s', async (_, row) => {
    const root = await make({ ...ROOT, ...row.root });
    const middle = await make({ ...MIDDLE, issuer: root, ...row.middle });
    const leaf = await make({ ...LEAF, issuer: middle, ...row.leaf });
    const anchors = await anchorsOf(row.trust ?? 'root', root, middle, leaf);
    const sent = {
      middle: [middle],
      nothing: [],
      'everything twice, backwards': [root, middle, leaf, root, middle],
    }[row.send ?? 'middle'];
    const found = findPath({
      leaf: leaf.certificate,
      intermediates: sent.map(({ certificate }) => certificate),
      anchors: anchors.map(({ certificate }) => certificate),
      purpose: row.purpose ?? 'gateway',
      policy: { ...DEFAULT_TRUST_POLICY, ...row.policy },
      now: row.now ?? NOW,
    });
    const outcome = isPkiError(found) ? found.code : found.map(({ subject }) => subject.text);
    expect(outcome, isPkiError(found) ? found.message : '').toEqual(row.expected);
    if (row.says) expect(isPkiError(found) && found.message).toContain(row.says);
  });

  async function anchorsOf(trust: NonNullable<Row['trust']>, root: Made, middle: Made, leaf: Made): Promise<Made[]> {
    switch (trust) {
      case 'root':
        return [root];
      case 'middle':
        return [middle];
      case 'leaf':
        return [leaf];
      case 'stranger':
        return [await make({ subject: 'CN=Stranger' })];
      case 'root under the same name':
        return [await make({ ...ROOT, keyName: 'another' })];
    }
  }

  test('a cross-signed authority: the way that is trusted is found, whichever comes first', async () => {
    const old = await make({ subject: 'CN=Old Root' });
    const root = await make(ROOT);
    const cross = await make({ ...ROOT, issuer: old, ca: true });
    const leaf = await make({ ...LEAF, issuer: root });
    const stranger = await make({ ...ROOT, keyName: 'a stranger of that name' });
    const search = (anchor: Made, sent: Made[]) =>
      findPath({
        leaf: leaf.certificate,
        intermediates: sent.map(({ certificate }) => certificate),
        anchors: [anchor.certificate],
        purpose: 'gateway',
        policy: DEFAULT_TRUST_POLICY,
        now: NOW,
      });
    const length = (found: ReturnType<typeof search>) => (isPkiError(found) ? found.message : found.length);
    expect(length(search(root, [cross, stranger]))).toBe(2);
    expect(length(search(old, [stranger, root, cross]))).toBe(3);
  });

  test('a self-signed gateway that nobody trusts', async () => {
    const gateway = await make({ ...LEAF, ca: false });
    const found = findPath({
      leaf: gateway.certificate,
      intermediates: [],
      anchors: [(await make(ROOT)).certificate],
      purpose: 'gateway',
      policy: DEFAULT_TRUST_POLICY,
      now: NOW,
    });
    expect(isPkiError(found) && found.message).toContain('is signed by itself');
  });

  test('many authorities of one name, all issued by each other, end in an answer soon', async () => {
    const names = await Promise.all(
      Array.from({ length: 14 }, (_, i) => make({ ...MIDDLE, subject: 'CN=Loop', keyName: `loop ${i}` })),
    );
    const leaf = await make({ ...LEAF, issuer: names[0]! });
    const found = findPath({
      leaf: leaf.certificate,
      intermediates: names.map(({ certificate }) => certificate),
      anchors: [(await make(ROOT)).certificate],
      purpose: 'gateway',
      policy: DEFAULT_TRUST_POLICY,
      now: NOW,
    });
    expect(isPkiError(found)).toBe(true);
  });

  test('a certificate that names one algorithm inside and another outside is malformed', async () => {
    const { der } = await make(ROOT);
    const identifier = Buffer.from('300a06082a8648ce3d040302', 'hex');
    const changed = Buffer.from(der);
    changed.set(Buffer.from('300a06082a8648ce3d040303', 'hex'), changed.lastIndexOf(identifier));
    expect(parseCertificate(changed)).toMatchObject({ code: 'malformed' });
  });
});
