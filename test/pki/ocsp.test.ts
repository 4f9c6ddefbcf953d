// OCSP answers, good and bad, and what they say of a certificate.
import 'reflect-metadata';
import { CertStatus, OCSPResponse, OCSPResponseStatus } from '@peculiar/asn1-ocsp';
import { AsnConvert } from '@peculiar/asn1-schema';
import * as x509 from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { ocspStatus } from '../../main/pki/ocsp.ts';
import { DEFAULT_TRUST_POLICY, LEGACY_TRUST_POLICY } from '../../main/pki/policy.ts';
import { DAY, make, NOW, type Options } from './authority.ts';
import { leaf, makeOcsp, other, REVOKED, root, stranger } from './status-lists.ts';

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
