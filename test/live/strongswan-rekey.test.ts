// New keys under traffic with strongSwan: CHILD and IKE SAs, rekeyed by the gateway and by us, and nothing is lost. With
// strongSwan 6 every one of them takes an ML-KEM exchange beside the classic one (RFC 9370).
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwan6Missing, strongSwanMissing } from './strongswan.ts';
import { INNER_GATEWAY, Scene } from './strongswan-gateway.ts';
import { losesNothing } from './traffic.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

for (const [version, lacking, ike, esp] of [
  [5, undefined, 'aes256gcm16-prfsha256-ecp256', 'aes256gcm16-ecp256'],
  [6, strongSwan6Missing(), 'aes256gcm16-prfsha256-x25519-ke1_mlkem768', 'aes256gcm16-x25519-ke1_mlkem768'],
] as const) {
  live(`strongSwan ${version}, new keys under traffic`, [...missing, lacking], () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open({ version, ikeProposals: ike, espProposals: esp });
    });
    afterAll(async () => scene?.close());
    afterEach(async () => void (await scene.culvert.down()));

    /** The SPIs of the IKE SA, or of the CHILD SAs, that the gateway has now. */
    async function spis(of: 'ike' | 'child'): Promise<string> {
      const { stdout } = await scene.gateway.swanctl('--list-sas');
      const pattern = of === 'ike' ? /[0-9a-f]{16}_i\*? [0-9a-f]{16}_r/g : /(?:in|out) +[0-9a-f]{8}/g;
      return [...stdout.matchAll(pattern)].join(' ');
    }

    async function changes(of: 'ike' | 'child', before: string): Promise<string> {
      const deadline = Date.now() + 15_000;
      for (;;) {
        const now = await spis(of);
        if (now !== '' && now !== before) return now;
        if (Date.now() > deadline) throw new Error(`nothing was rekeyed:\n${scene.gateway.log}`);
      }
    }

    for (const [what, name, command] of [
      ['child', 'a CHILD SA', ['--rekey', '--child', 'gre']],
      ['ike', 'the IKE SA', ['--rekey', '--ike', 'road']],
    ] as const) {
      it(`the gateway rekeys ${name}, three times`, async () => {
        await scene.culvert.connect(scene.profile({ proposals: { ike: [ike], esp: [esp] } }));
        const count = await losesNothing(scene.lab, INNER_GATEWAY, async () => {
          for (let time = 0; time < 3; time++) {
            const before = await spis(what);
            const ran = await scene.gateway.swanctl(...command);
            expect(ran.code, ran.stdout + ran.stderr).toBe(0);
            await changes(what, before);
          }
        });
        console.log(`${count} pings across three rekeyings of ${name} by strongSwan ${version}: none lost`);
        expect(scene.culvert.daemon.output).not.toContain('reconnecting');
      });
    }

    it('we rekey both, again and again', async () => {
      // Times are drawn up to a tenth shorter: they come at 4.5 to 5 seconds, and at 5.4 to 6.
      await scene.culvert.connect(
        scene.profile({ proposals: { ike: [ike], esp: [esp] }, timing: { rekeySeconds: 5, ikeRekeySeconds: 6 } }),
      );
      const count = await losesNothing(scene.lab, INNER_GATEWAY, async () => {
        const [child, ikeSa] = [await spis('child'), await spis('ike')];
        const [second] = await Promise.all([changes('child', child), changes('ike', ikeSa)]);
        await changes('child', second);
      });
      console.log(`${count} pings across three rekeyings of ours, with strongSwan ${version}: none lost`);
      expect(scene.culvert.daemon.output).not.toContain('reconnecting');
      // One of each is in use; strongSwan keeps what was replaced for five seconds more. New keys come as the first ones did.
      const { stdout } = await scene.gateway.swanctl('--list-sas');
      expect(stdout.match(/, INSTALLED, .*/g)).toHaveLength(1);
      expect(stdout.match(/^road: .*, ESTABLISHED, /gm)).toHaveLength(1);
      if (version === 6) expect(stdout.match(/KE1_ML_KEM_768/g)?.length).toBeGreaterThanOrEqual(2);
    });

    it('both at once, and everything goes on', async () => {
      await scene.culvert.connect(
        scene.profile({ proposals: { ike: [ike], esp: [esp] }, timing: { rekeySeconds: 5, ikeRekeySeconds: 5 } }),
      );
      await losesNothing(scene.lab, INNER_GATEWAY, async () => {
        const before = [await spis('child'), await spis('ike')];
        await new Promise((wake) => setTimeout(wake, 4000));
        for (let time = 0; time < 4; time++) {
          await Promise.all([
            scene.gateway.swanctl('--rekey', '--child', 'gre'),
            scene.gateway.swanctl('--rekey', '--ike', 'road'),
          ]);
        }
        await Promise.all([changes('child', before[0]!), changes('ike', before[1]!)]);
      });
      expect(scene.culvert.daemon.output).not.toContain('reconnecting');
    });
  });
}
