// CRLs, good and bad, and what they say of a certificate.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { crlStatus, MOST_CRL_BYTES, parseCrl } from '../../main/pki/crl.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { DEFAULT_TRUST_POLICY, LEGACY_TRUST_POLICY } from '../../main/pki/policy.ts';
import { DAY, make, NOW } from './authority.ts';
import { CRL_URL, leaf, makeCrl, named, other, parsedCrl, root, stranger } from './status-lists.ts';

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
    ['it is', { revoked: [{ who: leaf, reason: x509.X509CrlReason.keyCompromise }] }, 'revoked: key compromise'],
    ['it is, without a reason', { revoked: [{ who: other }, { who: leaf }] }, 'revoked: no reason given'],
    ['another is', { revoked: [{ who: other }] }, 'good'],
    ['signed by another key of that name', { signer: stranger, revoked: [{ who: leaf }] }, 'unknown: its signature'],
    ['of another authority', { signer: other }, 'unknown: it is of another authority'],
    ['out of date', { to: NOW - 1 }, 'unknown: it is out of date since 2026-06-15 11:59 UTC'],
    [
      'out of date, but the certificate is on it',
      { to: NOW - 1, revoked: [{ who: leaf }] },
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
    const status = crlStatus(
      parsedCrl(await makeCrl(options)),
      leaf.certificate,
      root.certificate,
      NOW,
      DEFAULT_TRUST_POLICY,
    );
    const text =
      status.kind === 'revoked'
        ? `revoked: ${status.reason}`
        : status.kind === 'unknown'
          ? `unknown: ${status.why}`
          : 'good';
    expect(text.startsWith(expected), text).toBe(true);
  });

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
