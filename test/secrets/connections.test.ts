// Whole connections, by each way of authentication, with rekeys, refusals, and a fault in the midst of the engine: whatever the engine and
// the gateway say meanwhile has no secret in it, in no form. Neither have profiles as they are described.
import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { passwordHash, passwordHashHash } from '../../main/eap/mschapv2/response.ts';
import { EngineError } from '../../main/ipc/error.ts';
import { DAY, type Made, make } from '../pki/authority.ts';
import type { Keymat, Mixing } from './derived.ts';
import { openScene, type Scene, type SceneOptions } from './scene.ts';
import type { Vault } from './vault.ts';

vi.mock('../../main/ike/keymat.ts', async (load) => (await import('./derived.ts')).hearingKeymat(await load<Keymat>()));
vi.mock('../../main/ike/auth/ppk.ts', async (load) => (await import('./derived.ts')).hearingPpk(await load<Mixing>()));

const word = (): string => randomBytes(18).toString('base64url');
const PSK = word();
const PASSWORD = word();
const PPK = word();

let root: Made;
let server: Made;
let alice: Made;
beforeAll(async () => {
  const now = Date.now();
  const life = { from: now - DAY, to: now + DAY };
  root = await make({ subject: 'CN=secrets root', ...life });
  const dns = [{ type: 'dns', value: 'gateway.example' }] as const;
  const email = [{ type: 'email', value: 'alice@example.com' }] as const;
  server = await make({ subject: 'CN=secrets gateway', issuer: root, names: dns, ...life });
  alice = await make({ subject: 'CN=secrets alice', issuer: root, names: email, kind: 'rsa', ...life });
});

const keyOf = ({ key }: Made): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A private key in every form that it has: the lines of its PEM, its DER, and the numbers that are secret. */
function putKey(vault: Vault, name: string, made: Made): void {
  vault.put(`${name} (DER)`, made.key.export({ format: 'der', type: 'pkcs8' }));
  for (const line of keyOf(made).split('\n')) if (!line.startsWith('-----')) vault.put(`${name} (PEM)`, line);
  const jwk = made.key.export({ format: 'jwk' });
  for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
    const value = jwk[part];
    if (value) vault.put(`${name} (${part})`, Buffer.from(value, 'base64url'));
  }
}

function putPassword(vault: Vault, password: string): void {
  vault.put('password', password);
  vault.put('password in UTF-16', Buffer.from(password, 'utf16le'));
  vault.put('hash of the password', passwordHash(password));
  vault.put('hash of its hash', passwordHashHash(passwordHash(password)));
  vault.put('SHA-256 of the password', createHash('sha256').update(password).digest());
}

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.close();
});

interface Way {
  readonly gateway?: Record<string, unknown>;
  readonly authentication: Record<string, unknown>;
  readonly gatewayAuthentication?: Record<string, unknown>;
}

const byCertificate = () => ({ method: 'certificate', authorities: [root.pem], revocation: 'off' });
const own = () => ({ certificate: server.pem, key: keyOf(server), authorities: [root.pem] });
const eap = (password: string) => ({
  method: 'eap',
  identity: 'alice@example.com',
  eap: { methods: ['mschapv2'], password },
});

const WAYS: Readonly<Record<string, (change?: { readonly wrong: boolean }) => Way>> = {
  'a pre-shared key': ({ wrong } = { wrong: false }) => ({
    authentication: { method: 'psk', identity: 'alice@example.com', secret: wrong ? word() : PSK },
  }),
  'a pre-shared key and a PPK': ({ wrong } = { wrong: false }) => ({
    gateway: { ppk: { id: 'office', secret: PPK } },
    authentication: {
      method: 'psk',
      identity: 'alice@example.com',
      secret: PSK,
      ppk: { id: 'office', secret: wrong ? word() : PPK },
    },
  }),
  certificates: ({ wrong } = { wrong: false }) => ({
    gateway: { rounds: [['certificate']], ...own() },
    gatewayAuthentication: byCertificate(),
    authentication: {
      method: 'certificate',
      identity: wrong ? 'mallory@example.com' : 'alice@example.com',
      certificate: alice.pem,
      key: keyOf(alice),
    },
  }),
  'EAP-MSCHAPv2': ({ wrong } = { wrong: false }) => ({
    gateway: { rounds: [['eap']], eap: { methods: ['mschapv2'] }, ...own() },
    gatewayAuthentication: byCertificate(),
    authentication: eap(wrong ? word() : PASSWORD),
  }),
  'a certificate, then EAP-MSCHAPv2': ({ wrong } = { wrong: false }) => ({
    gateway: { rounds: [['certificate'], ['eap']], eap: { methods: ['mschapv2'] }, ...own() },
    gatewayAuthentication: byCertificate(),
    authentication: {
      method: 'certificate',
      identity: 'alice@example.com',
      certificate: alice.pem,
      key: keyOf(alice),
      second: eap(wrong ? word() : PASSWORD),
    },
  }),
};

async function open(way: Way): Promise<Scene> {
  const options: SceneOptions = {
    // The same table has the pre-shared keys and the passwords.
    secret: way.gateway && 'eap' in way.gateway ? PASSWORD : PSK,
    ...(way.gateway && { authentication: way.gateway }),
  };
  const scene = await openScene(options);
  scenes.push(scene);
  const { vault } = scene;
  vault.put('PSK', PSK);
  vault.put('PPK', PPK);
  putPassword(vault, PASSWORD);
  putKey(vault, 'key of alice', alice);
  putKey(vault, 'key of the gateway', server);
  putKey(vault, 'key of the authority', root);
  const {
    secret,
    ppk,
    eap: second,
  } = way.authentication as Record<string, unknown> & {
    ppk?: { secret: string };
    eap?: { password: string };
  };
  if (typeof secret === 'string') vault.put('PSK given', secret);
  if (ppk) vault.put('PPK given', ppk.secret);
  if (second) putPassword(vault, second.password);
  return scene;
}

const profileText = (scene: Scene, way: Way): string =>
  JSON.stringify({
    culvert: 1,
    name: 'office',
    gateway: {
      host: '127.0.0.1',
      port: scene.gateway.ike.port,
      nattPort: scene.gateway.natt.port,
      identity: 'gateway.example',
      ...(way.gatewayAuthentication && { authentication: way.gatewayAuthentication }),
    },
    authentication: way.authentication,
    tunnel: { shape: 'gre-tunnel', encapsulation: 'udp' },
    gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
    routes: { include: ['10.88.0.0/24'] },
    timing: { connectSeconds: 12 },
  });

/** Whatever the engine can be asked. */
async function askEverything({ client, say, gateway }: Scene): Promise<void> {
  const profile = 'office';
  say(await client.call('status', {}));
  say(await client.call('profiles', {}));
  say(await client.call('list', {}));
  say(await client.call('routes', { profile }));
  say(await client.call('mtu', { profile }));
  say(await client.call('checks', { profile }));
  say(await client.call('report', { profile }));
  say(await client.call('logs', { lines: 100_000 }));
  say(await client.call('samples', {}));
  say(await client.call('settings', {}));
  say(await client.call('lock', { profile, locked: [], by: null }));
  for (const wrong of [
    client.call('answerPrompt', { id: 'none', answer: PASSWORD }),
    client.call('preview', { text: `{"culvert": 1, "authentication": {"secret": "${PSK}" "${PASSWORD}"}}` }),
    client.call('preview', {
      text: JSON.stringify({ culvert: 1, name: 'x', authentication: { method: PSK, secret: [PSK] } }),
    }),
  ])
    say(
      await wrong.then(
        () => 'taken',
        (error: unknown) => error,
      ),
    );
  say({ clients: gateway.clients, statistics: gateway.statistics(), gateway });
}

/** Milliseconds; the engine and the gateway are real, and the machine may have much else to do. */
const PATIENCE = 20_000;
const TEST = { timeout: 90_000 };

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (result) => result,
    (error: unknown) => error,
  );

describe.each(Object.keys(WAYS))('%s', (name) => {
  test('connected, rekeyed, reported, faulted, and resumed: no secret is said', TEST, async () => {
    const way = WAYS[name]!();
    const scene = await open(way);
    const { client, say, derived, vault } = scene;
    const text = profileText(scene, way);
    say(await client.call('preview', { text }));
    say(await client.call('import', { text, replace: false }));
    const up = await outcome(client.call('connect', { profile: 'office' }));
    say(up);
    expect(up, inspect(up)).not.toBeInstanceOf(Error);
    await askEverything(scene);

    const children = derived.get('ESP initiatorKey') ?? 0;
    const sas = derived.get('SK_d') ?? 0;
    scene.next = { kind: 'rekey', what: 'ike' };
    await client.call('notice', { event: 'resume' });
    await expect.poll(() => derived.get('SK_d') ?? 0, { timeout: PATIENCE }).toBeGreaterThan(sas);
    await expect.poll(() => derived.get('SKEYSEED') ?? 0, { timeout: PATIENCE }).toBeGreaterThanOrEqual(sas + 2);
    expect(children).toBeGreaterThan(0);

    scene.next = 'throw';
    await client.call('notice', { event: 'resume' });
    await expect.poll(() => scene.said.includes('IKE stopped by a fault of its own'), { timeout: PATIENCE }).toBe(true);
    await expect
      .poll(async () => (await client.call('status', {})).engine.state, { timeout: PATIENCE })
      .toBe('connected');
    await askEverything(scene);
    await client.call('disconnect', {});
    await askEverything(scene);
    await client.call('remove', { profile: 'office' });

    // The search has something to look for.
    for (const secret of [
      'SKEYSEED',
      'SK_d',
      'SK_ei',
      'SK_er',
      'SK_pi',
      'SK_pr',
      'ESP initiatorKey',
      'ESP responderSalt',
      'g^ir',
      'PSK',
      'password',
      'key of alice (DER)',
    ])
      expect(vault.names).toContain(secret);
    if (name.includes('PPK')) expect(vault.names).toContain('SK_d with PPK');
    if (name.includes('EAP')) expect(vault.names).toContain('MSK');
    expect(scene.said.length).toBeGreaterThan(20_000);
    expect(vault.search(scene.said)).toEqual([]);
  });

  test('refused: no secret is said', TEST, async () => {
    const way = WAYS[name]!({ wrong: true });
    const scene = await open(way);
    const { client, say } = scene;
    say(await client.call('import', { text: profileText(scene, way), replace: false }));
    const error = await outcome(client.call('connect', { profile: 'office' }));
    say(error);
    expect(error).toBeInstanceOf(EngineError);
    await askEverything(scene);
    expect(/(ike|eap|pki)\//.test(scene.said)).toBe(true);
    expect(scene.vault.search(scene.said)).toEqual([]);
  });
});
