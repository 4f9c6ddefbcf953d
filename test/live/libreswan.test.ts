// Libreswan over a Linux kernel's own ESP and GRE, in user-mode Linux: pre-shared keys, the shapes of tunnels, a NAT.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Certificates, type Issued } from './certificates.ts';
import { Culvert, culvertMissing } from './culvert.ts';
import { connected, guestLab, nat, ping, SECRET, transportProfile, tunnelProfile } from './guest-scene.ts';
import { cannotRunLive, type Lab } from './lab.ts';
import { type Connection, Libreswan, libreswanMissing } from './libreswan.ts';
import { live } from './live.ts';
import { losesNothing } from './traffic.ts';
import { umlMissing } from './uml.ts';

const missing = [cannotRunLive(), libreswanMissing(), umlMissing(), culvertMissing()];

const TRANSPORT: Connection = { type: 'transport', leftprotoport: 'gre', rightprotoport: 'gre' };
const TUNNEL: Connection = {
  ...{ type: 'tunnel', leftsubnet: '10.77.0.1/32', leftprotoport: 'gre', rightprotoport: 'gre' },
  ...{ rightaddresspool: '10.99.0.1-10.99.0.50', modecfgdns: '10.66.0.53' },
};
const PPK = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';

live('Libreswan', missing, () => {
  let lab: Lab;
  let gateway: Libreswan;
  let culvert: Culvert;
  let pki: Certificates;
  const clients: Record<string, Issued> = {};

  beforeAll(async () => {
    lab = guestLab();
    pki = Certificates.in(lab.directory);
    const own = (['rsa-3072', 'ecdsa-256', 'ecdsa-384'] as const).map((key) => {
      clients[key] = pki.issue({ file: `client-${key}`, key, names: ['email:alice@example.com'] });
      return pki.issue({ file: `gateway-${key}`, key, names: ['DNS:gw.example'] });
    });
    gateway = await Libreswan.start(lab, 'gw', {
      secrets: [`@gw.example %any : PSK "${SECRET}"`, `@gw.example %any : PPKS "lab-1" 0x${PPK}`],
      own,
      authorities: [pki.root],
      pki,
    });
    culvert = await Culvert.start(lab, 'cl');
  });
  afterAll(async () => lab?.close());
  afterEach(async () => {
    await culvert.down();
    nat(lab, false);
  });

  for (const [ike, esp, proposals] of [
    ['aes_gcm256-sha2_256;dh19', 'aes_gcm256', {}],
    ['chacha20_poly1305-sha2_512;dh31', 'chacha20_poly1305', { ike: ['chacha20poly1305-prfsha512-x25519'] }],
    ['aes256-sha2_384;dh20', 'aes256-sha2_512', { ike: ['aes256-sha384-ecp384'], esp: ['aes256-sha512'] }],
  ] as const) {
    it(`a pre-shared key, GRE in transport mode, ${ike}, ${esp}`, async () => {
      await gateway.load({ site: { ...TRANSPORT, ike, esp } });
      await culvert.connect(transportProfile({ proposals }));
      expect((await connected(culvert)).encapsulation).toBe('raw');
      expect(await ping(lab, '10.88.0.1')).toBe(5);
    });
  }

  it('GRE in tunnel mode, from an address that the gateway gives', async () => {
    await gateway.load({ road: TUNNEL });
    await culvert.connect(tunnelProfile());
    expect(await ping(lab, '10.89.0.1')).toBe(5);
  });

  // Not in transport mode: Libreswan takes the client's own address for a stranger's then (no RFC 7296 §2.23.1).
  it('GRE in tunnel mode through a NAT', async () => {
    nat(lab, true);
    await gateway.load({ road: TUNNEL });
    await culvert.connect(tunnelProfile());
    expect((await connected(culvert)).encapsulation).toBe('udp');
    expect(await ping(lab, '10.89.0.1')).toBe(5);
  });

  it('plain ESP, to a network behind the gateway', async () => {
    await gateway.load({
      net: { ...TUNNEL, leftsubnet: '10.66.0.0/24', leftprotoport: '0/0', rightprotoport: '0/0' },
    });
    const { gre: _gre, ...profile } = tunnelProfile({
      tunnel: { shape: 'esp-tunnel', remoteSelectors: ['10.66.0.0/24'] },
      routes: { include: ['10.66.0.0/24'] },
    });
    await culvert.connect(profile);
    expect(await ping(lab, '10.66.0.1')).toBe(5);
  });

  for (const [key, authby] of [
    ['rsa-3072', 'rsa-sha2'],
    ['ecdsa-256', 'ecdsa-sha2'],
    ['ecdsa-384', 'ecdsa-sha2'],
  ] as const) {
    it(`certificates, ${key}`, async () => {
      await gateway.load({
        site: { ...TRANSPORT, authby, leftcert: `gateway-${key}`, rightid: 'alice@example.com', rightca: '%same' },
      });
      const { certificate, key: secret } = clients[key]!;
      await culvert.connect(
        transportProfile({
          gateway: {
            host: '192.0.2.1',
            identity: 'gw.example',
            authentication: { method: 'certificate', authorities: [pki.root.certificate] },
          },
          authentication: { method: 'certificate', identity: 'alice@example.com', certificate, key: secret },
        }),
      );
      expect(await ping(lab, '10.88.0.1')).toBe(5);
    });
  }

  it('a post-quantum pre-shared key beside the other (RFC 8784)', async () => {
    const ppk = { id: 'lab-1', secret: { hex: PPK }, required: true };
    await gateway.load({ site: { ...TRANSPORT, ppk: 'insist' } });
    await culvert.connect(
      transportProfile({
        authentication: { method: 'psk', identity: 'alice@example.com', secret: SECRET, ppk },
      }),
    );
    expect(gateway.log).toMatch(/PPK/);
    expect(await ping(lab, '10.88.0.1')).toBe(5);
  });

  it('sent elsewhere in IKE_AUTH (RFC 5685)', async () => {
    await gateway.load({
      first: { ...TUNNEL, 'send-redirect': 'yes', 'redirect-to': '192.0.2.7' },
      second: { ...TUNNEL, left: '192.0.2.7' },
    });
    await culvert.connect(tunnelProfile());
    expect(gateway.log).toMatch(/"second".*established Child SA/);
    expect(await ping(lab, '10.89.0.1')).toBe(5);
  });

  it('sent elsewhere while the tunnel is up', async () => {
    await gateway.load({ third: TUNNEL, fourth: { ...TUNNEL, left: '192.0.2.7' } });
    await culvert.connect(tunnelProfile());
    await gateway.whack('--name', 'third', '--redirect-to', '192.0.2.7');
    await gateway.guest.running.saw(/"fourth".*established Child SA/, 30_000);
    await culvert.until(({ engine }) => engine.state === 'connected', 30_000);
    expect(await ping(lab, '10.89.0.1')).toBe(5);
  });

  it('new keys under traffic, from either side', async () => {
    await gateway.load({ site: TRANSPORT });
    // Drawn up to a tenth shorter, and counted anew from each replacement.
    await culvert.connect(transportProfile({ timing: { rekeySeconds: 6, ikeRekeySeconds: 6 } }));
    const [from, said] = [gateway.log.length, culvert.daemon.output.length];
    const saw = async (pattern: RegExp): Promise<void> =>
      void (await gateway.guest.running.saw(new RegExp(`^[\\s\\S]{${from}}[\\s\\S]*${pattern.source}`)));
    const count = await losesNothing(lab, '10.88.0.1', async () => {
      await gateway.whack('--rekey-child', '--name', 'site');
      await saw(/initiator rekeyed Child SA/);
      await gateway.whack('--rekey-ike', '--name', 'site');
      await saw(/initiator rekeyed IKE SA/);
      await Promise.all([saw(/responder rekeyed Child SA/), saw(/responder rekeyed IKE SA/)]);
    });
    console.log(`${count} pings across rekeyings of both kinds by Libreswan and by us: none lost`);
    expect(culvert.daemon.output.slice(said)).not.toContain('reconnecting');
  });
});
