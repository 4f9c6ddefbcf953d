// A gateway's proof of itself, from its key to our trust: signed by one side, verified by the other, for each kind of key.
import { expect, test } from 'vitest';
import { chooseScheme, SIGNATURE_HASHES_OFFERED, schemeName } from '../../main/crypto/signature.ts';
import { openCredential } from '../../main/pki/credential.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { createTrust } from '../../main/pki/trust.ts';
import { type KeyKind, make, NOW } from './authority.ts';

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
