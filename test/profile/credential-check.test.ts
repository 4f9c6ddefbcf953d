// A certificate or key that cannot be used is told at import; what is encrypted is left closed.
import { beforeAll, describe, expect, it } from 'vitest';
import { demandUsableCredentials } from '../../main/profile/credential-check.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { ProfileError } from '../../main/profile/problem.ts';
import { type Made, make } from '../pki/authority.ts';

let alice: Made;
let bob: Made;
beforeAll(async () => {
  alice = await make({ subject: 'CN=alice' });
  bob = await make({ subject: 'CN=bob' });
});
const pem = (who: Made, passphrase?: string): string =>
  who.key
    .export({
      format: 'pem',
      type: 'pkcs8',
      ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
    })
    .toString();

function problemsOf(authentication: Record<string, unknown>): readonly string[] {
  const { profile } = parseProfile(
    JSON.stringify({
      culvert: 1,
      name: 'office',
      gateway: { host: 'vpn.example.com', authentication: { method: 'certificate' } },
      authentication,
      tunnel: { shape: 'esp-tunnel' },
      routes: { include: ['10.0.0.0/8'] },
    }),
  );
  try {
    demandUsableCredentials(profile);
    return [];
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    expect(error.code).toBe('secret');
    return error.problems.map(({ pointer, message }) => `${pointer} ${message}`);
  }
}
const own = (certificate: unknown, key: unknown, more = {}) => ({ method: 'certificate', certificate, key, ...more });

describe('certificates and keys of a profile', () => {
  it('that belong together, encrypted or not, are taken', () => {
    expect(problemsOf(own(alice.pem, pem(alice)))).toEqual([]);
    expect(problemsOf(own(alice.pem, pem(alice, 'open'), { passphrase: 'open' }))).toEqual([]);
    // A passphrase too much does not keep it from being looked at.
    expect(problemsOf(own(alice.pem, pem(bob), { passphrase: 'open' }))).toHaveLength(1);
    expect(problemsOf({ method: 'psk', secret: 'correct horse battery staple' })).toEqual([]);
  });

  it('are told where they are damaged or cut short, without what is in them', () => {
    const half = (text: string) => text.replace(/\n[^\n]*\n(?=-----END)/, '\n');
    const [key] = problemsOf(own(alice.pem, half(pem(alice))));
    expect(key).toMatch(/^\/authentication\/key cannot be used: .*private key/);
    expect(key).not.toContain(pem(alice).split('\n')[1]);
    expect(problemsOf(own(half(alice.pem), pem(alice)))).toEqual([
      expect.stringMatching(/^\/authentication\/certificate cannot be used: /),
    ]);
    expect(problemsOf(own(alice.pem, alice.pem))).toEqual([expect.stringMatching(/^\/authentication\/key /)]);
  });

  it('are told where they do not belong together', () => {
    expect(problemsOf(own(alice.pem, pem(bob)))).toEqual([expect.stringMatching(/^\/authentication\/key .*CN=alice/)]);
  });

  it('are told where the passphrase is missing', () => {
    expect(problemsOf(own(alice.pem, pem(alice, 'open')))).toEqual([expect.stringMatching(/key .*passphrase/)]);
  });

  it('are looked at in the second round and for EAP-TLS, too', () => {
    const eap = { methods: ['tls'], certificate: alice.pem, key: pem(bob) };
    const secret = 'correct horse battery staple';
    expect(problemsOf({ method: 'eap', identity: 'alice@example.com', eap })).toEqual([
      expect.stringMatching(/^\/authentication\/eap\/key /),
    ]);
    expect(problemsOf({ method: 'psk', secret, second: own(alice.pem, pem(bob)) })).toEqual([
      expect.stringMatching(/^\/authentication\/second\/key /),
    ]);
  });
});
