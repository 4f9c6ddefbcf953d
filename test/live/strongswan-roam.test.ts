// The way to the gateway changes under a tunnel: the NAT gives us another address, or we have another one ourselves.
import { afterEach, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { INNER_GATEWAY, Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('strongSwan, another way to the gateway', missing, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  it('the NAT maps us to another address and port under traffic', async () => {
    scene = await Scene.open({ nat: true });
    const { lab, culvert, gateway } = scene;
    // Its userspace ESP goes on to the old mapping until IKE comes from the new one: our liveness check brings that.
    await culvert.connect(scene.profile({ timing: { livenessSeconds: 2 } }));
    const running = lab.start('cl', ['ping', '-n', '-i', '0.05', INNER_GATEWAY]);
    await running.saw(/icmp_seq=20 /);
    // A masquerade forgets its mappings with its address.
    lab.run('nat', 'ip', 'address', 'add', '192.0.2.10/24', 'dev', 'v1a');
    lab.run('nat', 'ip', 'address', 'del', '192.0.2.9/24', 'dev', 'v1a');
    lab.run('nat', 'ip', 'address', 'add', '192.0.2.10/24', 'dev', 'v1a');
    const from = Number([...running.output.matchAll(/icmp_seq=(\d+) /g)].at(-1)?.[1]);
    await running.saw(new RegExp(`icmp_seq=${from + 60} `), 20_000);
    await running.stop('SIGINT');
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(running.output) ?? [];
    console.log(`another mapping by the NAT: ${Number(sent) - Number(received)} of ${sent} pings lost`);
    expect((await gateway.swanctl('--list-sas')).stdout).toContain('192.0.2.10');
    // It was the same tunnel all the while.
    expect(culvert.daemon.output).not.toContain('reconnecting');
    expect(Number(sent) - Number(received)).toBeLessThan(160);
  });
});
