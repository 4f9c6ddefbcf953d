// A profile with every kind of secret in it, right and wrong: what the engine says about it over its socket, in its log and in reports names
// none of them.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { connectEngine } from '../../main/ipc/client.ts';
import { EVENT_NAMES } from '../../main/ipc/contract.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { connected, openScene } from '../daemon/fakes.ts';
import { make } from '../pki/authority.ts';
import { Vault } from './vault.ts';

const word = (): string => randomBytes(18).toString('base64url');

interface Secrets {
  readonly vault: Vault;
  /** By what they are. */
  readonly profile: Record<string, unknown>;
  /** JSON pointers of the secrets in it. */
  readonly pointers: readonly (readonly string[])[];
}

/** `way`: what is authenticated with; not every secret can stand beside every other. */
async function secretProfile(way: 'psk' | 'certificate' | 'pkcs12' | 'eap'): Promise<Secrets> {
  const vault = new Vault();
  const secret = (name: string): string => {
    const made = word();
    vault.put(name, made);
    return made;
  };
  const made = await make({ subject: 'CN=someone' });
  const key = made.key.export({ format: 'pem', type: 'pkcs8' }).toString();
  for (const line of key.split('\n')) if (!line.startsWith('-----')) vault.put('private key (PEM)', line);
  vault.put('private key (DER)', made.key.export({ format: 'der', type: 'pkcs8' }));
  const pkcs12 = Uint8Array.from(randomBytes(300));
  if (way === 'pkcs12') vault.put('PKCS#12', pkcs12);
  const rounds = {
    psk: () => ({ method: 'psk', identity: 'alice@example.com', secret: secret('PSK') }),
    certificate: () => ({ method: 'certificate', certificate: made.pem, key, passphrase: secret('passphrase') }),
    pkcs12: () => ({
      method: 'certificate',
      pkcs12: { base64: Buffer.from(pkcs12).toString('base64') },
      passphrase: secret('passphrase'),
    }),
    eap: () => ({
      method: 'eap',
      identity: 'alice@example.com',
      eap: {
        methods: ['mschapv2', 'tls'],
        password: secret('password'),
        certificate: made.pem,
        key,
        passphrase: secret('EAP passphrase'),
      },
    }),
  };
  const profile = {
    culvert: 1,
    name: 'office',
    gateway: {
      host: 'vpn.example.com',
      identity: 'vpn.example.com',
      // With EAP a gateway proves itself by a certificate.
      authentication:
        way === 'eap'
          ? { method: 'certificate', authorities: [made.pem] }
          : { method: 'psk', secret: secret('PSK of the gateway') },
    },
    authentication: {
      ...rounds[way](),
      ppk: { id: 'office', secret: secret('PPK') },
      second: {
        method: 'eap',
        identity: 'bob@example.com',
        eap: { methods: ['gtc'], password: secret('second password') },
      },
    },
    tunnel: { shape: 'gre-tunnel' },
    gre: { address: ['10.88.0.2/24'] },
    routes: { include: ['10.88.0.0/24'] },
  };
  return { vault, profile, pointers: pointersOf(profile) };
}

const NAMES = ['secret', 'key', 'passphrase', 'password', 'pkcs12'];

function pointersOf(value: unknown, at: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    NAMES.includes(key) ? [[...at, key]] : pointersOf(inner, [...at, key]),
  );
}

/** The profile with what stands at the pointer made into something else. */
function changed(profile: unknown, pointer: readonly string[], make: (value: unknown) => unknown): unknown {
  const copy = structuredClone(profile) as Record<string, unknown>;
  const last = pointer.at(-1) ?? '';
  const parent = pointer.slice(0, -1).reduce((of, key) => of[key] as Record<string, unknown>, copy);
  parent[last] = make(parent[last]);
  return copy;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Mistakes that people make with secrets. */
const MISTAKES: Readonly<Record<string, (value: unknown) => unknown>> = {
  'in a list': (value) => [value],
  'twice as long': (value) => textOf(value).repeat(400),
  'as base64 that it is not': (value) => ({ base64: `${textOf(value)}!` }),
  'as hex that it is not': (value) => ({ hex: textOf(value) }),
  'as a file': (value) => ({ file: textOf(value) }),
  'under a key that is not': (value) => ({ text: value }),
  'in two forms': (value) => ({ hex: textOf(value), base64: textOf(value) }),
  'in an object in an object': (value) => ({ base64: { base64: value } }),
};

test.each(['psk', 'certificate', 'pkcs12', 'eap'] as const)(
  '%s: a profile is described without its secrets',
  async (way) => {
    const { vault, profile, pointers } = await secretProfile(way);
    expect(pointers.length).toBeGreaterThanOrEqual(4);
    const text = JSON.stringify(profile);
    // The profile is a good one: every secret of it is read.
    expect(() => parseProfile(text)).not.toThrow();
    expect(vault.search(text).length).toBeGreaterThanOrEqual(4);

    const scene = await openScene();
    const client = await connectEngine(scene.socketPath);
    const said: string[] = [];
    const say = (what: unknown): void => {
      said.push(what instanceof Error ? `${what.message} ${JSON.stringify(what)} ${what.stack}` : JSON.stringify(what));
    };
    try {
      for (const event of EVENT_NAMES) client.on(event, say);
      await client.call('subscribe', { events: [...EVENT_NAMES] });
      say(await client.call('preview', { text }));
      say(await client.call('import', { text, replace: false }));
      say(await client.call('preview', { text }));
      const up = client.call('connect', { profile: 'office' });
      await expect.poll(() => scene.sessions.length).toBe(1);
      connected(scene.session);
      say(await up);
      for (const ask of ['status', 'list', 'profiles', 'samples', 'settings'] as const) say(await client.call(ask, {}));
      say(await client.call('routes', { profile: 'office' }));
      say(await client.call('mtu', { profile: 'office' }));
      say(await client.call('lock', { profile: 'office', locked: ['/authentication'], by: 'IT' }));
      say(await client.call('addRoute', { profile: 'office', prefix: '10.66.0.0/16', kind: 'include' }));
      say(await client.call('checks', { profile: 'office' }));
      say(await client.call('report', { profile: 'office' }));
      await client.call('disconnect', {});
      say(await client.call('rename', { profile: 'office', name: 'home' }));

      for (const pointer of pointers)
        for (const make of Object.values(MISTAKES)) {
          // The form that it has in the file, cut short: the error is about the text.
          const wrong = JSON.stringify(changed(profile, pointer, make));
          for (const given of [wrong, wrong.slice(0, -20), wrong.replace('":', '" ')])
            say(await client.call('preview', { text: given }).catch((error: unknown) => error));
        }
      say(await client.call('logs', { lines: 100_000 }));
      said.push(scene.lines.join(''));
      expect(said.length).toBeGreaterThan(50);
      expect(vault.search(said.join('\n'))).toEqual([]);
    } finally {
      client.close();
      await scene.close();
    }
  },
);
