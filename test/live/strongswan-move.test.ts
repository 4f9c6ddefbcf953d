// The client changes its own network under a tunnel, and others change what is the tunnel's.
import { afterEach, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, type Running } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { INNER_GATEWAY, Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('strongSwan, a client that moves', missing, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  async function pinging(here: Scene): Promise<Running> {
    const running = here.lab.start('cl', ['ping', '-n', '-i', '0.02', INNER_GATEWAY]);
    await running.saw(/icmp_seq=20 /);
    return running;
  }

  /** Waits until `more` later pings were answered; returns how many were not, of how many. */
  async function goOn(running: Running, more = 60): Promise<{ sent: number; lost: number }> {
    const newest = () => Number([...running.output.matchAll(/icmp_seq=(\d+) ttl/g)].at(-1)?.[1]);
    const from = newest();
    const deadline = Date.now() + 30_000;
    while (newest() < from + more) {
      if (Date.now() > deadline) throw new Error(`nothing comes back any more after ping ${newest()}`);
      await new Promise((wake) => setTimeout(wake, 50));
    }
    await running.stop('SIGINT');
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(running.output) ?? [];
    return { sent: Number(sent), lost: Number(sent) - Number(received) };
  }

  it('its routes, its rule and its TUN’s address come back when somebody takes them away', async () => {
    scene = await Scene.open();
    const { lab, culvert } = scene;
    await culvert.connect(scene.profile());
    const running = await pinging(scene);
    lab.run('cl', 'ip', 'route', 'flush', 'table', '4750');
    let { sent, lost } = await goOn(running);
    console.log(`routes flushed: ${lost} of ${sent} pings lost`);
    expect(lost).toBeLessThan(50);

    const again = await pinging(scene);
    lab.run('cl', 'ip', 'rule', 'del', 'priority', '31750');
    lab.run('cl', 'ip', 'address', 'flush', 'dev', 'culvert0');
    ({ sent, lost } = await goOn(again));
    console.log(`rule and address removed: ${lost} of ${sent} pings lost`);
    expect(culvert.daemon.output).not.toContain('reconnecting');
  });

  it('it has another address: the tunnel follows', async () => {
    scene = await Scene.open();
    const { lab, culvert, gateway } = scene;
    await culvert.connect(scene.profile());
    const running = await pinging(scene);
    lab.run('cl', 'ip', 'address', 'add', '192.0.2.22/24', 'dev', 'v0a');
    lab.run('cl', 'ip', 'address', 'del', '192.0.2.2/24', 'dev', 'v0a');
    lab.run('cl', 'ip', 'address', 'add', '192.0.2.22/24', 'dev', 'v0a');
    const { sent, lost } = await goOn(running);
    const followed = !culvert.daemon.output.includes('reconnecting');
    console.log(`another address, ${followed ? 'MOBIKE' : 'connected anew'}: ${lost} of ${sent} pings lost`);
    expect((await gateway.swanctl('--list-sas')).stdout).toContain('192.0.2.22');
    // A liveness check would take half a minute to begin with.
    expect(lost).toBeLessThan(150);
  });
});
