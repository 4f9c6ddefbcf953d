// Whatever bytes a peer, a web server or a file brings: an answer or an error, never an exception, and never trust.
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { parseCertificate } from '../../main/pki/certificate.ts';
import { findPath } from '../../main/pki/chain.ts';
import { openCredential, readCertificates } from '../../main/pki/credential.ts';
import { crlStatus, parseCrl } from '../../main/pki/crl.ts';
import { decodeName } from '../../main/pki/distinguished-name.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { ocspStatus } from '../../main/pki/ocsp.ts';
import { DEFAULT_TRUST_POLICY } from '../../main/pki/policy.ts';
import { type Made, make, NOW } from './authority.ts';

/** Certificates are slow to make and to read where the machine is busy; by hand the runs are many. */
vi.setConfig({ testTimeout: process.env.CULVERT_LONG ? 600_000 : 30_000 });

const RUNS = { numRuns: process.env.CULVERT_LONG ? 20_000 : 300 };

let root: Made;
let leaf: Made;
beforeAll(async () => {
  root = await make({ subject: 'CN=Root, O=Example', keyIds: true });
  leaf = await make({
    subject: 'CN=gw, O=Example',
    issuer: root,
    keyIds: true,
    extendedUsage: ['1.3.6.1.5.5.7.3.1'],
    names: [
      { type: 'dns', value: 'vpn.example.com' },
      { type: 'ip', value: '192.0.2.1' },
      { type: 'dn', value: 'CN=x' },
    ],
  });
});

/** Bytes that look like DER: nested blocks with lengths that fit, mostly. */
const der: fc.Arbitrary<Uint8Array> = fc
  .letrec<{ block: number[] }>((tie) => ({
    block: fc
      .tuple(
        fc.constantFrom(0x30, 0x31, 0x02, 0x03, 0x04, 0x06, 0x0c, 0x13, 0x17, 0x18, 0xa0, 0xa3, 0x05, 0x01, 0x1f, 0x24),
        fc.oneof(
          { maxDepth: 5 },
          fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }),
          fc.array(tie('block'), { maxLength: 7 }).map((blocks) => blocks.flat()),
        ),
        fc.option(fc.integer({ min: 0, max: 255 }), { freq: 20 }),
      )
      .map(([tag, content, wrong]) => [
        tag,
        ...(wrong !== null
          ? [wrong]
          : content.length < 128
            ? [content.length]
            : [0x82, content.length >> 8, content.length & 255]),
        ...content,
      ]),
  }))
  .block.map((bytes) => Uint8Array.from(bytes));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), der);

/** A good one with a few bytes changed, taken out or put in. */
const mutated = (original: () => Uint8Array) =>
  fc
    .array(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom('set', 'cut', 'put'),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((changes) => {
      const changed = [...original()];
      for (const [where, value, how] of changes) {
        const at = Math.floor(where * changed.length);
        if (how === 'set') changed[at] = value;
        else if (how === 'cut') changed.splice(at, 1);
        else changed.splice(at, 0, value);
      }
      return Uint8Array.from(changed);
    });

describe('random bytes', () => {
  test('as a certificate, alone or in a chain', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          mutated(() => leaf.der),
        ),
        (input) => {
          const certificate = parseCertificate(input);
          if (isPkiError(certificate)) return;
          const found = findPath({
            leaf: certificate,
            intermediates: [certificate, leaf.certificate],
            anchors: [root.certificate],
            purpose: 'gateway',
            policy: DEFAULT_TRUST_POLICY,
            now: NOW,
          });
          // ECDSA's signature covers all but itself and what is around it; nothing changed passes.
          if (!isPkiError(found))
            expect(Buffer.from(certificate.signed.bytes).equals(leaf.certificate.signed.bytes)).toBe(true);
        },
      ),
      RUNS,
    );
  });

  test('as a CRL, an OCSP answer, a name', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const crl = parseCrl(input);
        if (!isPkiError(crl))
          expect(crlStatus(crl, leaf.certificate, root.certificate, NOW, DEFAULT_TRUST_POLICY).kind).toBe('unknown');
        expect(ocspStatus(input, leaf.certificate, root.certificate, NOW, DEFAULT_TRUST_POLICY).kind).toBe('unknown');
        decodeName(input);
      }),
      RUNS,
    );
  });

  test('as a file of certificates, a key, a PKCS#12 file', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), async (input, armoured) => {
        const file = armoured
          ? Buffer.from(
              `-----BEGIN CERTIFICATE-----\n${Buffer.from(input).toString('base64')}\n-----END CERTIFICATE-----\n`,
            )
          : Buffer.from(input);
        expect(isPkiError(readCertificates(file, 'a file'))).toBe(true);
        expect(isPkiError(await openCredential({ kind: 'pem', certificates: file, key: file, passphrase: 'x' }))).toBe(
          true,
        );
        expect(isPkiError(await openCredential({ kind: 'pkcs12', file, passphrase: 'x' }))).toBe(true);
      }),
      RUNS,
    );
  });

  test('a certificate cut off anywhere is malformed', () => {
    for (let length = 0; length < leaf.der.length; length++)
      expect(parseCertificate(leaf.der.subarray(0, length))).toMatchObject({ code: 'malformed' });
    expect(parseCertificate(Buffer.concat([leaf.der, Buffer.from([0])]))).toMatchObject({ code: 'malformed' });
  });

  test('deep and wide nests, and a megabyte, are refused soon', () => {
    const deep = Buffer.alloc(60_000, Buffer.from([0x30, 0x80]));
    const wide = Buffer.concat([Buffer.from([0x30, 0x82, 0xff, 0xf0]), Buffer.alloc(0xfff0, Buffer.from([5, 0]))]);
    for (const input of [deep, wide, Buffer.alloc(1024 * 1024, 0x30)])
      expect(parseCertificate(input)).toMatchObject({ code: 'malformed' });
  });
});
