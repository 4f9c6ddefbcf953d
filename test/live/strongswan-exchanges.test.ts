// Every key exchange that strongSwan and we both have, and ML-KEM beside one of them with strongSwan 6 (RFC 9370).
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwan6Missing, strongSwanMissing } from './strongswan.ts';
import { Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

/** strongSwan's word, ours, and the group's number. */
const GROUPS = [
  // First what our defaults are to end with: strongSwan goes by its own order.
  ['ecp256', 'ecp256', 19],
  ['modp2048', 'modp2048', 14],
  ['modp3072', 'modp3072', 15],
  ['modp4096', 'modp4096', 16],
  ['ecp384', 'ecp384', 20],
  ['ecp521', 'ecp521', 21],
  ['curve25519', 'x25519', 31],
  ['curve448', 'x448', 32],
] as const;

async function proposalOf(scene: Scene): Promise<string> {
  const { engine } = await scene.culvert.status();
  if (engine.state !== 'connected') throw new Error(engine.state);
  return engine.tunnel.ikeProposal;
}

live('strongSwan, key exchanges', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({ ikeProposals: GROUPS.map(([word]) => `aes256gcm16-prfsha256-${word}`).join(',') });
  });
  afterAll(async () => scene?.close());
  afterEach(async () => void (await scene.culvert.down()));

  for (const [, word, number] of GROUPS) {
    it(`group ${number}, ${word}`, async () => {
      await scene.culvert.connect(scene.profile({ proposals: { ike: [`aes256gcm16-prfsha256-${word}`] } }));
      expect(await proposalOf(scene)).toBe(`aes256gcm16-prfsha256-${word}`);
      expect(await scene.ping(3, 500)).toBe(3);
    });
  }

  it('our defaults, with a gateway that knows none of the additional ones', async () => {
    await scene.culvert.connect(scene.profile());
    expect(await proposalOf(scene)).toBe('aes256gcm16-prfsha256-ecp256');
  });
});

live('strongSwan, an old gateway', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({
      ikeProposals: 'aes128-sha1-modp1024,aes128-sha256-modp1536',
      espProposals: 'aes128-sha1',
    });
  });
  afterAll(async () => scene?.close());
  afterEach(async () => void (await scene.culvert.down()));

  it('is met by the legacy policy, and what is weak is said', async () => {
    await scene.culvert.connect(scene.profile({ proposals: { policy: 'legacy' } }));
    const { engine } = await scene.culvert.status();
    if (engine.state !== 'connected') throw new Error(engine.state);
    expect(engine.tunnel.ikeProposal).toBe('aes128-sha1-modp1024');
    expect(engine.tunnel.espProposal).toBe('aes128-sha1');
    expect(engine.tunnel.warnings.filter(({ code }) => code === 'tunnel.weak')).toHaveLength(3);
    expect(await scene.ping(3, 500)).toBe(3);
  });

  it('is refused by default, with what we offered and what it told', async () => {
    const up = await scene.culvert.up(scene.profile());
    expect(up.code).not.toBe(0);
    expect(up.stderr).toMatch(/we offered +they accept/);
    expect(up.stderr).toMatch(/key-exchange +ecp256 x25519 ecp384 modp2048 +not told/);
    const { engine } = await scene.culvert.status();
    expect(engine).toMatchObject({ state: 'failed', error: { code: 'ike/no-ike-proposal' } });
  });
});

live('strongSwan 6, hybrid key exchanges', [...missing, strongSwan6Missing()], () => {
  let scene: Scene;
  const HYBRIDS = [
    'x25519-ke1_mlkem768',
    'ecp256-ke1_mlkem768',
    'ecp384-ke1_mlkem1024',
    'x25519-ke1_mlkem768-ke2_ecp384',
  ];
  beforeAll(async () => {
    scene = await Scene.open({
      version: 6,
      ikeProposals: HYBRIDS.map((words) => `aes256gcm16-prfsha256-${words}`).join(','),
    });
  });
  afterAll(async () => scene?.close());
  afterEach(async () => void (await scene.culvert.down()));

  for (const words of HYBRIDS) {
    it(words, async () => {
      await scene.culvert.connect(scene.profile({ proposals: { ike: [`aes256gcm16-prfsha256-${words}`] } }));
      expect(await proposalOf(scene)).toBe(`aes256gcm16-prfsha256-${words}`);
      const { stdout } = await scene.gateway.swanctl('--list-sas');
      expect(stdout).toMatch(/KE1_ML_KEM/);
      expect(await scene.ping(10, 1000)).toBe(10);
    });
  }

  it('our defaults choose one', async () => {
    await scene.culvert.connect(scene.profile());
    expect(await proposalOf(scene)).toContain('mlkem768');
    await scene.transfer('up', 5_000_000);
    await scene.transfer('down', 5_000_000);
  });
});
