// GRE over ESP through strongSwan with the ciphers of older gateways: AES-CBC and AES-CTR with HMAC. Packets of exactly the
// MTU that our arithmetic promises pass whole, one byte more does not leave.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

/** By hand from DESIGN's formula: 1500 - 20 - 8 - 8 - IV - ICV, down to a multiple, - 2 - 4 - 20. */
const CIPHERS = [
  ['aes256-sha256', 1398],
  ['aes128-sha1', 1398],
  ['aes256-sha512', 1382],
  ['aes192-sha384', 1398],
  ['aes128ctr-sha256', 1414],
] as const;

live('strongSwan, AES-CBC and AES-CTR with HMAC', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({
      ikeProposals: 'aes256gcm16-prfsha256-ecp256,aes128-sha1-modp2048',
      espProposals: CIPHERS.map(([proposal]) => proposal).join(','),
    });
  });
  afterAll(async () => scene?.close());
  // A test that failed must not leave its tunnel to the next one.
  afterEach(async () => void (await scene.culvert.down()));

  for (const [proposal, mtu] of CIPHERS) {
    it(`${proposal}: 20 pings of ${mtu} bytes with DF set and 20 MB of TCP each way, intact`, async () => {
      await scene.culvert.connect(scene.profile({ proposals: { policy: 'legacy', esp: [proposal] } }));
      const status = await scene.culvert.status();
      if (status.engine.state !== 'connected') throw new Error(status.engine.state);
      expect(status.engine.tunnel.espProposal).toBe(proposal);
      expect(status.engine.tunnel.mtu.value).toBe(mtu);
      // IPv4 and ICMP headers are 28 bytes.
      expect(await scene.ping(20, mtu - 28)).toBe(20);
      expect(await scene.ping(3, 20)).toBe(3);
      expect(await scene.ping(1, mtu - 27)).toBe(0);
      const up = await scene.transfer('up', 20_000_000);
      const down = await scene.transfer('down', 20_000_000);
      console.log(`${proposal} through strongSwan: up ${up.toFixed(0)} Mbit/s, down ${down.toFixed(0)} Mbit/s`);
      const { traffic } = await scene.culvert.status();
      expect(traffic?.bytesOut).toBeGreaterThan(20_000_000);
      expect(traffic?.bytesIn).toBeGreaterThan(20_000_000);
      expect(traffic?.counters.inAuthFailed ?? 0).toBe(0);
    });
  }

  it('our defaults and a gateway with AES-CBC alone find each other', async () => {
    await scene.culvert.connect(scene.profile());
    const status = await scene.culvert.status();
    if (status.engine.state !== 'connected') throw new Error(status.engine.state);
    expect(status.engine.tunnel.espProposal).toBe('aes256-sha256');
    expect(await scene.ping(3, 1000)).toBe(3);
  });

  it('a gateway that knows SHA-1 alone, where the profile names it, and says that it is weak', async () => {
    const proposals = { policy: 'legacy', ike: ['aes128-sha1-modp2048'], esp: ['aes128-sha1'] };
    const up = await scene.culvert.up(scene.profile({ proposals }));
    expect(up.code, up.stderr).toBe(0);
    expect(up.stdout + up.stderr).toContain('SHA-1');
    expect(await scene.ping(3, 1000)).toBe(3);
  });
});
