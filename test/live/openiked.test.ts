// OpenIKED over a Linux kernel's own ESP and GRE, in user-mode Linux.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Certificates } from './certificates.ts';
import { Culvert, culvertMissing } from './culvert.ts';
import { connected, guestLab, nat, ping, SECRET, transportProfile, tunnelProfile } from './guest-scene.ts';
import { cannotRunLive, type Lab } from './lab.ts';
import { live } from './live.ts';
import { Openiked, openikedMissing } from './openiked.ts';
import { losesNothing } from './traffic.ts';
import { umlMissing } from './uml.ts';

const missing = [cannotRunLive(), openikedMissing(), umlMissing(), culvertMissing()];

/** Two policies, told apart by the client's identity: GRE in transport mode, and in tunnel mode from a pool. */
const ALGORITHMS = `ikesa enc aes-256-gcm prf hmac-sha2-256 group ecp256 \\
  childsa enc aes-256 auth hmac-sha2-512 group ecp256`;
const policies = (authentication: string, more = ''): string => `
ikev2 "road" passive tunnel esp proto gre from 10.77.0.1 to dynamic local 192.0.2.1 peer any \\
  ${ALGORITHMS} srcid gw.example dstid bob@example.com ${more} ${authentication} config address 10.99.0.0/24
ikev2 "site" passive transport esp proto gre from 192.0.2.1 to 198.51.100.2 local 192.0.2.1 peer any \\
  ${ALGORITHMS} srcid gw.example dstid alice@example.com ${more} ${authentication}
`;

live('OpenIKED', missing, () => {
  let lab: Lab;
  let gateway: Openiked;
  let culvert: Culvert;
  let pki: Certificates;

  beforeAll(async () => {
    lab = guestLab();
    pki = Certificates.in(lab.directory);
    gateway = await Openiked.start(lab, 'gw', {
      configuration: policies(`psk "${SECRET}"`),
      own: pki.issue({ file: 'gateway', key: 'ecdsa-256', names: ['DNS:gw.example'] }),
      authorities: [pki.root],
    });
    culvert = await Culvert.start(lab, 'cl');
  });
  afterAll(async () => lab?.close());
  afterEach(async () => {
    await culvert.down();
    nat(lab, false);
  });

  it('a pre-shared key, GRE in transport mode', async () => {
    await culvert.connect(transportProfile());
    expect((await connected(culvert)).encapsulation).toBe('raw');
    expect(await ping(lab, '10.88.0.1')).toBe(5);
  });

  for (const through of ['no NAT', 'a NAT'] as const) {
    it(`GRE in tunnel mode through ${through}, from an address that the gateway gives`, async () => {
      nat(lab, through === 'a NAT');
      await culvert.connect(
        tunnelProfile({ authentication: { method: 'psk', identity: 'bob@example.com', secret: SECRET } }),
      );
      expect((await connected(culvert)).encapsulation).toBe('udp');
      // It gives a random one.
      const [assigned] = [...gateway.log.matchAll(/assigned address (\S+)/g)].slice(-1);
      await gateway.guest.must(`ip tunnel change gre2 mode gre local 10.77.0.1 remote ${assigned?.[1]}`);
      expect(await ping(lab, '10.89.0.1')).toBe(5);
    });
  }

  it('certificates', async () => {
    await gateway.load(policies('ecdsa256'));
    const alice = pki.issue({ file: 'alice', key: 'ecdsa-256', names: ['email:alice@example.com'] });
    await culvert.connect(
      transportProfile({
        gateway: {
          host: '192.0.2.1',
          identity: 'gw.example',
          authentication: { method: 'certificate', authorities: [pki.root.certificate] },
        },
        authentication: {
          method: 'certificate',
          identity: 'alice@example.com',
          certificate: alice.certificate,
          key: alice.key,
        },
      }),
    );
    expect(await ping(lab, '10.88.0.1')).toBe(5);
  });

  for (const [who, lifetimes, timing, signs] of [
    ['the gateway', 'ikelifetime 8 lifetime 7', {}, [/rekeying CHILD SA old/, /rekeyed as new IKESA/]],
    // Ours are drawn up to a tenth shorter, and counted anew from each replacement.
    [
      'Culvert',
      '',
      { rekeySeconds: 6, ikeRekeySeconds: 7 },
      [/send CREATE_CHILD_SA res[\s\S]*deleted 1 SPI/, /send CREATE_CHILD_SA res[\s\S]*received delete/],
    ],
  ] as const) {
    it(`new keys under traffic, by ${who}`, async () => {
      await gateway.load(policies(`psk "${SECRET}"`, lifetimes));
      const from = gateway.log.length;
      await culvert.connect(transportProfile({ timing }));
      // As the one who begins, OpenIKED removes the old SA before it has even told us.
      const most = who === 'Culvert' ? 0 : 4;
      const count = await losesNothing(
        lab,
        '10.88.0.1',
        async () => {
          for (const sign of signs) {
            await gateway.guest.running.saw(new RegExp(`^[\\s\\S]{${from}}[\\s\\S]*${sign.source}`));
          }
        },
        most,
      );
      console.log(`${count} pings across rekeyings of both kinds by ${who}, with OpenIKED`);
      expect(culvert.daemon.output).not.toContain('reconnecting');
    });
  }
});
