// The sections `authentication` and `gateway.authentication`: what each method needs, what is read from files, what is stored, and that no
// secret is in a message.
import { describe, expect, it } from 'vitest';
import { type ProfileAuthentication, secretsOf } from '../../main/profile/authentication.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { ProfileError } from '../../main/profile/problem.ts';
import type { ReadSecretFile } from '../../main/profile/secret.ts';
import { textsOf } from '../words/texts.ts';

const CERT = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN PRIVATE KEY-----\nvery secret indeed\n-----END PRIVATE KEY-----\n';
const files: Readonly<Record<string, Uint8Array>> = {
  'ca.crt': Buffer.from(CERT),
  'alice.crt': Buffer.from(CERT),
  'alice.key': Buffer.from(KEY),
  'alice.p12': Uint8Array.of(0x30, 0x82, 0, 255),
  'office.ppk': Buffer.from('a post-quantum key of some length\n'),
};
const readSecretFile: ReadSecretFile = (path) => {
  const bytes = files[path];
  if (!bytes) throw Object.assign(new Error('no'), { code: 'ENOENT' });
  return { bytes, warnings: [] };
};

type Json = Readonly<Record<string, unknown>>;
const BY_CERTIFICATE: Json = { method: 'certificate', authorities: [{ file: 'ca.crt' }] };
const profileOf = (authentication: unknown, gateway: unknown = BY_CERTIFICATE): string =>
  JSON.stringify({
    culvert: 1,
    name: 'office',
    gateway: { host: 'vpn.example.com', ...(gateway ? { authentication: gateway } : {}) },
    authentication,
    tunnel: { shape: 'esp-tunnel' },
    routes: { include: ['10.0.0.0/8'] },
  });
const parse = (authentication: unknown, gateway?: unknown) =>
  parseProfile(profileOf(authentication, gateway), { readSecretFile });
const problems = (authentication: unknown, gateway?: unknown): readonly string[] => {
  try {
    parse(authentication, gateway);
    return [];
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    expect(error.message).not.toContain('very secret');
    return error.problems.map(({ pointer, message }) => `${pointer} ${message}`);
  }
};

const certificate: Json = { method: 'certificate', certificate: { file: 'alice.crt' }, key: { file: 'alice.key' } };
const eap: Json = { method: 'eap', identity: 'alice@example.com', eap: { methods: ['mschapv2'] } };

describe('what is read', () => {
  it('certificate and key, from files, and stored inline as text', () => {
    const { profile, text } = parse(certificate);
    expect(profile.authentication).toMatchObject({ method: 'certificate', identity: null });
    expect(profile.authentication.certificate).toMatchObject({ rsaPadding: 'pss', pkcs12: null, passphrase: null });
    expect(Buffer.from(profile.authentication.certificate!.key!).toString()).toBe(KEY);
    const stored = JSON.parse(text) as { authentication: Json; gateway: { authentication: Json } };
    expect(stored.authentication).toMatchObject({ certificate: CERT, key: KEY });
    expect(stored.gateway.authentication.authorities).toEqual([CERT]);
    // What is stored is read again without any file.
    expect(parseProfile(text).profile).toEqual(profile);
  });

  it('PKCS#12, which is not text', () => {
    const { profile, text } = parse({
      method: 'certificate',
      pkcs12: { file: 'alice.p12' },
      passphrase: 'open sesame',
    });
    expect(profile.authentication.certificate).toMatchObject({
      pkcs12: Uint8Array.of(0x30, 0x82, 0, 255),
      passphrase: 'open sesame',
    });
    expect(parseProfile(text).profile).toEqual(profile);
  });

  it('a key that stays in its store', () => {
    const { profile } = parse({ method: 'certificate', storedKey: { store: 'token', label: 'alice' } });
    expect(profile.authentication.certificate?.storedKey).toEqual({ store: 'token', name: { label: 'alice' } });
  });

  it('EAP, with its defaults', () => {
    expect(parse(eap).profile.authentication.eap).toEqual({
      methods: ['mschapv2'],
      username: null,
      password: null,
      anonymousIdentity: null,
      inner: null,
      gtc: 'password',
      authorities: null,
      serverNames: null,
      certificate: null,
      gatewayByEap: false,
    });
  });

  it('the gateway: by certificate, softly; by another key; or as we do', () => {
    const gateway = (given: unknown, own: unknown = certificate) => parse(own, given).profile.gateway.authentication;
    expect(gateway(BY_CERTIFICATE)).toEqual({
      method: 'certificate',
      authorities: [Uint8Array.from(Buffer.from(CERT))],
      revocation: 'soft',
      crls: [],
      legacy: false,
    });
    expect(gateway({ method: 'certificate' })).toMatchObject({ authorities: null });
    expect(gateway({ method: 'psk', secret: 'the key of the gateway' })).toMatchObject({ method: 'psk' });
    expect(gateway(null, { method: 'psk', secret: 'the key of both of us' })).toBeUndefined();
  });

  it('a post-quantum key, required unless it is said otherwise, and a second authentication', () => {
    const { profile } = parse({ ...certificate, ppk: { id: 'office', secret: { file: 'office.ppk' } }, second: eap });
    const { ppk, second } = profile.authentication;
    expect(ppk).toMatchObject({ id: 'office', required: true });
    expect(Buffer.from(ppk!.secret).toString()).toBe('a post-quantum key of some length');
    expect(second).toMatchObject({ method: 'eap', identity: 'alice@example.com' });
  });
});

describe('what does not belong together', () => {
  it.each<readonly [string, unknown, unknown, readonly RegExp[]]>([
    ['no way for the gateway', certificate, null, [/^\/gateway\/authentication is missing/]],
    [
      'a secret with a certificate',
      { ...certificate, secret: 'x'.repeat(20) },
      undefined,
      [/secret belongs to .*"psk"/],
    ],
    ['no key', { method: 'certificate', certificate: CERT }, undefined, [/key is missing/]],
    ['no certificate at all', { method: 'certificate' }, undefined, [/certificate is missing/, /key is missing/]],
    ['a key twice', { ...certificate, pkcs12: { file: 'alice.p12' } }, undefined, [/certificate is in/, /key is in/]],
    ['EAP without EAP', { method: 'eap', identity: 'alice' }, undefined, [/eap is missing/]],
    ['EAP of nobody', { method: 'eap', eap: { methods: ['gtc'] } }, undefined, [/identity is missing/]],
    ['EAP for a certificate', { ...certificate, eap: { methods: ['gtc'] } }, undefined, [/eap belongs to .*"eap"/]],
    ['EAP-TLS without a certificate', { ...eap, eap: { methods: ['tls'] } }, undefined, [/certificate is/, /key is/]],
    [
      'no tunnel for an inner method',
      { ...eap, eap: { methods: ['gtc'], inner: ['pap'] } },
      undefined,
      [/inner belongs/],
    ],
    [
      'passwords to nobody',
      { ...eap, eap: { methods: ['mschapv2'], gatewayByEap: true } },
      undefined,
      [/gatewayByEap lets/],
    ],
    ['a name that is none', { ...certificate, identity: 'favourite colour=blue' }, undefined, [/identity looks like/]],
    ['an unknown method', { ...eap, eap: { methods: ['leap'] } }, undefined, [/methods\/0 what stands here/]],
    [
      'a file that is not there',
      { ...certificate, key: { file: 'no.key' } },
      undefined,
      [/key\/file names .* not exist/],
    ],
    [
      'a key for a gateway with a certificate',
      certificate,
      { ...BY_CERTIFICATE, secret: 'x'.repeat(20) },
      [/secret belongs/],
    ],
    [
      'EAP with a gateway that has a key',
      eap,
      { method: 'psk', secret: 'x'.repeat(20) },
      [/authentication\/method must be "certificate"/],
    ],
    [
      'authorities for a gateway with a key',
      certificate,
      { method: 'psk', secret: 'x'.repeat(20), authorities: [CERT] },
      [/authorities belongs/],
    ],
    [
      'a second one that is wrong',
      { ...certificate, second: { method: 'psk' } },
      undefined,
      [/second\/secret is missing/],
    ],
    ['a third one', { ...certificate, second: { ...eap, second: eap } }, undefined, [/second\/second is not a key/]],
  ])('%s', (_name, authentication, gateway, says) => {
    const found = problems(authentication, gateway);
    expect(found.length, found.join('\n')).toBe(says.length);
    for (const [i, one] of says.entries()) expect(found[i]).toMatch(one);
  });

  it('warns of what is weak', () => {
    const { warnings } = parse(
      { ...eap, eap: { methods: ['mschapv2'], password: 'in the file' } },
      { ...BY_CERTIFICATE, legacy: true, revocation: 'off' },
    );
    expect(textsOf(warnings)).toMatch(/SHA-1[\s\S]*stolen[\s\S]*password in it/);
    expect(textsOf(warnings)).not.toContain('in the file has');
  });
});

it('names every secret for who keeps them out of logs', () => {
  const { profile } = parse(
    {
      ...certificate,
      passphrase: 'open sesame',
      ppk: { id: 'office', secret: { file: 'office.ppk' } },
      second: { ...eap, eap: { methods: ['mschapv2'], password: 'hunter2' } },
    },
    { method: 'psk', secret: 'the key of the gateway' },
  );
  const texts = secretsOf(profile).map((secret) => Buffer.from(secret).toString());
  expect(texts).toEqual([KEY, 'open sesame', 'hunter2', 'a post-quantum key of some length', 'the key of the gateway']);
  const psk: ProfileAuthentication = { method: 'psk', identity: null, secret: Buffer.from('a key') };
  expect(secretsOf({ authentication: psk, gateway: {} })).toEqual([Buffer.from('a key')]);
});
