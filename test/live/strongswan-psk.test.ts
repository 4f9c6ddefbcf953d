// GRE over ESP through strongSwan with a pre-shared key: both AEADs, each key exchange, IKE ciphers and PRFs.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('strongSwan, PSK, GRE in ESP tunnel mode', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({
      ikeProposals:
        'aes256gcm16-prfsha256-ecp256,aes128gcm16-prfsha384-ecp384,chacha20poly1305-prfsha512-curve25519,' +
        'aes256-sha256-modp2048,aes128-sha384-ecp256,aes192-sha512-ecp256',
    });
  });
  afterAll(async () => scene?.close());

  for (const cipher of ['aes128gcm16', 'aes256gcm16', 'chacha20poly1305']) {
    it(`${cipher}: 30 pings of 1,372 bytes with DF set and 100 MB of TCP each way, intact`, async () => {
      await scene.culvert.connect(scene.profile({ proposals: { esp: [cipher] } }));
      expect(scene.gateway.log).toMatch(/CHILD_SA gre\{\d+\} established/);
      const status = await scene.culvert.status();
      if (status.engine.state !== 'connected') throw new Error(status.engine.state);
      // 1,372 bytes of ICMP payload make a packet of 1,400; the replies come in fragments, as the far GRE endpoint's
      // MTU is smaller than ours.
      expect(status.engine.tunnel.mtu.value).toBe(1414);
      expect(await scene.ping(30, 1372)).toBe(30);
      const up = await scene.transfer('up', 100_000_000);
      const down = await scene.transfer('down', 100_000_000);
      console.log(`${cipher} through strongSwan: up ${up.toFixed(0)} Mbit/s, down ${down.toFixed(0)} Mbit/s`);
      const { traffic } = await scene.culvert.status();
      expect(traffic?.bytesOut).toBeGreaterThan(100_000_000);
      expect(traffic?.bytesIn).toBeGreaterThan(100_000_000);
      expect((await scene.culvert.down()).code).toBe(0);
      // The gateway was told: it keeps no SA of ours.
      expect((await scene.gateway.swanctl('--list-sas')).stdout).toBe('');
    });
  }

  for (const proposal of [
    'aes256gcm16-prfsha256-ecp256',
    'aes128gcm16-prfsha384-ecp384',
    'chacha20poly1305-prfsha512-x25519',
    'aes256-sha256-modp2048',
    'aes128-sha384-ecp256',
    'aes192-sha512-ecp256',
  ]) {
    it(`IKE ${proposal}`, async () => {
      await scene.culvert.connect(scene.profile({ proposals: { ike: [proposal] } }));
      expect(await scene.ping(5, 56)).toBe(5);
      const status = await scene.culvert.status();
      if (status.engine.state !== 'connected') throw new Error(status.engine.state);
      expect(status.engine.tunnel.ikeProposal).toContain(proposal.split('-')[0]);
      expect((await scene.culvert.down()).code).toBe(0);
    });
  }

  it('plain ESP without GRE, to a network behind the gateway', async () => {
    const { gre, ...profile } = scene.profile({
      tunnel: { shape: 'esp-tunnel', remoteSelectors: ['10.66.0.0/24'] },
      routes: { include: ['10.66.0.0/24'] },
    });
    expect(gre).toBeInstanceOf(Object);
    await scene.culvert.connect(profile);
    expect(await scene.ping(5, 1372, '10.66.0.1')).toBe(5);
    await scene.transfer('down', 10_000_000, '10.66.0.1');
    expect((await scene.culvert.down()).code).toBe(0);
  });

  it('a key, a checksum and sequence numbers in the GRE header', async () => {
    const keyed = await Scene.open({ gre: ['--key', '305419896', '--checksum', '--sequence'] });
    try {
      await keyed.culvert.connect(
        keyed.profile({
          gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1', key: 305419896, checksum: true, sequence: true },
        }),
      );
      expect(await keyed.ping(30, 1200)).toBe(30);
      await keyed.transfer('up', 5_000_000);
      await keyed.transfer('down', 5_000_000);
      expect(keyed.grePeer.output).not.toContain('dropped');
    } finally {
      await keyed.close();
    }
  });

  it('delivery packets that the far end fragmented before ESP are reassembled', async () => {
    // The far GRE endpoint thinks that 1,414 bytes fit; with GRE around them they do not pass charon's ipsec0 whole.
    const large = await Scene.open({ gre: ['--mtu', '1414'] });
    try {
      await large.culvert.connect(large.profile());
      expect(await large.ping(30, 1372)).toBe(30);
      await large.transfer('down', 10_000_000);
      const { traffic } = await large.culvert.status();
      expect(traffic?.counters.fragReassembled).toBeGreaterThanOrEqual(30);
    } finally {
      await large.close();
    }
  });

  it('a full tunnel (0.0.0.0/0) does not swallow its own packets', async () => {
    await scene.culvert.connect(scene.profile({ routes: { include: ['0.0.0.0/0'] } }));
    expect(await scene.ping(5, 1000)).toBe(5);
    await scene.transfer('down', 5_000_000);
    expect((await scene.culvert.down()).code).toBe(0);
  });
});
