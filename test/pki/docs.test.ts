// docs/certificates.md tells administrators what to type: typed here, its certificates must do what they are for.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseScheme, SIGNATURE_HASHES_OFFERED } from '../../main/crypto/signature.ts';
import { openCredential, readCertificates } from '../../main/pki/credential.ts';
import { readCrls } from '../../main/pki/crl.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { createTrust, type TrustConfig } from '../../main/pki/trust.ts';

const folder = mkdtempSync(join(tmpdir(), `culvert-docs-${process.pid}-`));
const file = (name: string) => readFileSync(join(folder, name));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  const text = readFileSync(new URL('../../docs/certificates.md', import.meta.url), 'utf8');
  const commands = /```sh\n([\s\S]*?)```/.exec(text)?.[1];
  if (!commands) throw new Error('docs/certificates.md has no commands');
  execFileSync('bash', ['-e', '-c', commands], { cwd: folder, timeout: 60_000, stdio: 'pipe' });
}, 90_000);

function certificates(name: string) {
  const found = readCertificates(file(name), name);
  if (isPkiError(found)) throw found;
  return found;
}

/** Signs with one credential and lets the other end look at it. */
async function outcome(
  credential: Parameters<typeof openCredential>[0],
  identity: { readonly type: 'fqdn' | 'rfc822'; readonly text: string },
  purpose: 'gateway' | 'client',
  config: Partial<TrustConfig> = {},
): Promise<string> {
  const key = await openCredential(credential);
  if (isPkiError(key)) return key.code;
  const scheme = chooseScheme(key.publicKey, SIGNATURE_HASHES_OFFERED)!;
  const octets = new Uint8Array(100);
  const signature = await key.sign(scheme, octets);
  if (isPkiError(signature)) return signature.code;
  const trust = createTrust({ authorities: certificates('ca.crt'), clock: Date.now, ...config });
  const verified = await trust.verify({ scheme, octets, signature, chain: key.chain, identity, purpose });
  return isPkiError(verified) ? verified.code : 'verified';
}

test('the gateway is believed by the worker, the worker by the gateway until it looks at the CRL', async () => {
  const gateway = { kind: 'pem', certificates: file('gw.crt'), key: file('gw.key') } as const;
  const worker = { kind: 'pkcs12', file: file('alice.p12'), passphrase: 'secret' } as const;
  const alice = { type: 'rfc822', text: 'alice@example.com' } as const;
  expect(await outcome(gateway, { type: 'fqdn', text: 'vpn.example.com' }, 'gateway')).toBe('verified');
  expect(await outcome(gateway, { type: 'fqdn', text: 'vpn.example.org' }, 'gateway')).toBe('identity-mismatch');
  expect(await outcome(worker, alice, 'client')).toBe('verified');
  expect(await outcome(worker, alice, 'gateway')).toBe('extended-key-usage');
  const crls = readCrls(file('ca.crl'), 'ca.crl');
  if (isPkiError(crls)) throw crls;
  const revocation = { mode: 'strict', crls } as const;
  expect(await outcome(worker, alice, 'client', { revocation })).toBe('revoked');
  expect(await outcome(gateway, { type: 'fqdn', text: 'vpn.example.com' }, 'gateway', { revocation })).toBe('verified');
});
