// How the two ends authenticate, mixed as gateways in the field have it: each end by its own method, post-quantum keys (RFC 8784), two
// authentications one after the other (RFC 4739), and what a person is told where the two ends do not fit.
// strongswan-certificates.test.ts and strongswan-eap.test.ts have the methods themselves.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Certificates, type Issued, opensslMissing } from './certificates.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { gatewayConfiguration, Scene, type SceneOptions, SECRET } from './strongswan-gateway.ts';
import { eapSecret, ppkSecret } from './swanctl.ts';

const missing = [cannotRunLive(), strongSwanMissing(), opensslMissing(), culvertMissing()];
const PASSWORD = 'a password of alice';
const PPK = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';

live('strongSwan, who authenticates how', missing, () => {
  let scene: Scene;
  let pki: Certificates;
  let own: Issued;
  let alice: Issued;

  beforeAll(async () => {
    scene = await Scene.open();
    pki = Certificates.in(scene.lab.directory);
    own = pki.issue({ file: 'gateway', key: 'ecdsa-256', names: ['DNS:gw.example', 'IP:192.0.2.1'] });
    alice = pki.issue({ file: 'alice', key: 'ecdsa-256', names: ['email:alice@example.com'] });
  });
  afterAll(async () => scene?.close());
  afterEach(async () => void (await scene.culvert.down()));

  const byCertificate = () => ({
    host: '192.0.2.1',
    identity: 'gw.example',
    authentication: { method: 'certificate', authorities: [pki.root.certificate] },
  });
  const certificate = () => ({
    method: 'certificate',
    identity: 'alice@example.com',
    certificate: alice.certificate,
    key: alice.key,
  });
  const psk = { method: 'psk', identity: 'alice@example.com', secret: SECRET };
  const eap = { method: 'eap', identity: 'alice@example.com', eap: { methods: ['mschapv2'], password: PASSWORD } };
  const local = () => [{ auth: 'pubkey', id: 'gw.example', certs: [own] }];
  const remote = () => ({ auth: 'pubkey', id: 'alice@example.com', cacerts: [pki.root] });
  const load = (options: SceneOptions) =>
    scene.gateway.load(gatewayConfiguration(options), { own: [own], authorities: [pki.root] });
  const works = async (changes: Record<string, unknown>): Promise<void> => {
    await scene.culvert.connect(scene.profile(changes));
    expect(await scene.ping(2, 100)).toBeGreaterThan(0);
  };
  /** What `culvert up` says when it fails. */
  const fails = async (changes: Record<string, unknown>): Promise<string> => {
    const { code, stdout, stderr } = await scene.culvert.up(scene.profile(changes));
    expect(code).not.toBe(0);
    return `${stdout}${stderr}`;
  };

  it('we by key, the gateway by certificate; we by certificate, the gateway by key', async () => {
    await load({ local: local() });
    await works({ gateway: byCertificate(), authentication: psk });
    await scene.culvert.down();
    await load({ remote: [remote()] });
    await works({
      gateway: { host: '192.0.2.1', identity: 'gw.example', authentication: { method: 'psk', secret: SECRET } },
      authentication: certificate(),
    });
  });

  it('a post-quantum key, required by both; one that the gateway does not know', async () => {
    const ppk = (id: string) => ({ ppk: { id, secret: { hex: PPK } } });
    await load({ connection: { ppk_id: 'office', ppk_required: 'yes' }, secrets: ppkSecret('office', PPK) });
    await works({ authentication: { ...psk, ...ppk('office') } });
    await scene.culvert.down();
    expect(await fails({ authentication: { ...psk, ...ppk('another') } })).toMatch(/refused/);
    // It has keys, but none of that name, and can do without.
    await load({ secrets: ppkSecret('office', PPK) });
    await works({ authentication: { ...psk, ppk: { id: 'another', secret: { hex: PPK }, required: false } } });
    await scene.culvert.down();
    await load({});
    expect(await fails({ authentication: { ...psk, ...ppk('office') } })).toMatch(/post-quantum/);
  });

  it('a certificate, then user name and password, with a post-quantum key too', async () => {
    await load({
      local: local(),
      remote: [remote(), { auth: 'eap-mschapv2', eapId: '%any' }],
      connection: { ppk_id: 'office', ppk_required: 'yes' },
      secrets: { ...eapSecret('alice@example.com', PASSWORD), ...ppkSecret('office', PPK) },
    });
    const ppk = { id: 'office', secret: { hex: PPK } };
    await works({ gateway: byCertificate(), authentication: { ...certificate(), ppk, second: eap } });
    await scene.culvert.down();
    // The gateway does not let in who has done half of it.
    expect(await fails({ gateway: byCertificate(), authentication: { ...certificate(), ppk } })).toMatch(/refused/);
  });

  it('the two ends want different things: said in words', async () => {
    await load({
      local: local(),
      remote: [{ auth: 'eap-mschapv2', eapId: '%any' }],
      secrets: eapSecret('alice@example.com', PASSWORD),
    });
    expect(await fails({ gateway: byCertificate(), authentication: psk })).toMatch(/refused/);
    expect(await fails({ authentication: psk })).toMatch(/refused|certificate/);
    // The gateway has a certificate for gw.example; whoever we wanted is somebody else.
    const elsewhere = { ...byCertificate(), identity: 'other.example' };
    expect(await fails({ gateway: elsewhere, authentication: eap })).toMatch(/other\.example|refused/);
    await works({ gateway: byCertificate(), authentication: eap });
  });
});
