// A gateway that is restarted: with a goodbye, without one, and one that comes back only after a while. The tunnel comes back
// by itself; how long that took is printed.
import { afterEach, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { INNER_GATEWAY, Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('a gateway that is restarted', missing, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  /** Pings all the while; seconds from the last answer before `work` to the first one after it. */
  async function outage(of: Scene, work: () => Promise<void>, seconds: number): Promise<number> {
    const running = of.lab.start('cl', ['ping', '-n', '-D', '-i', '0.1', '-W', '1', INNER_GATEWAY]);
    const answers = (): number[] =>
      [...running.output.matchAll(/^\[(\d+\.\d+)\] .* icmp_seq=/gm)].map(([, at]) => Number(at));
    await running.saw(/icmp_seq=3 /);
    await work();
    const before = answers().at(-1)!;
    const count = answers().length;
    await running.saw(new RegExp(`(icmp_seq=[\\s\\S]*?){${count + 1}}`), seconds * 1000);
    const after = answers()[count]!;
    await running.stop('SIGINT');
    return after - before;
  }

  it('with a goodbye', async () => {
    scene = await Scene.open();
    const { gateway, culvert } = scene;
    await culvert.connect(scene.profile());
    const took = await outage(
      scene,
      async () => {
        await gateway.stop();
        await culvert.daemon.saw(/reconnecting/, 10_000);
        await gateway.restart();
      },
      30,
    );
    console.log(`the gateway restarted with a goodbye: no traffic for ${took.toFixed(1)} s`);
    expect((await culvert.status()).engine.state).toBe('connected');
  });

  it('without a word, back at once', async () => {
    scene = await Scene.open();
    const { gateway, culvert } = scene;
    await culvert.connect(scene.profile({ timing: { livenessSeconds: 3, connectSeconds: 6 } }));
    const took = await outage(
      scene,
      async () => {
        await gateway.kill();
        await gateway.restart();
      },
      60,
    );
    console.log(`the gateway crashed and was back at once: no traffic for ${took.toFixed(1)} s`);
    expect(culvert.daemon.output).toMatch(/reconnecting/);
    expect((await culvert.status()).engine.state).toBe('connected');
  });
});
