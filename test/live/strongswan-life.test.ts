// The life of a tunnel with strongSwan: a NAT in between, deletes from the gateway, liveness in both directions.
import { afterEach, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('strongSwan, the life of a tunnel', missing, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  it('crosses a NAT that changes ports, and says so', async () => {
    scene = await Scene.open({ nat: true });
    await scene.culvert.connect(scene.profile());
    const status = await scene.culvert.status();
    if (status.engine.state !== 'connected') throw new Error(status.engine.state);
    expect(status.engine.tunnel.behindNat.local).toBe(true);
    expect(status.engine.tunnel.encapsulation).toBe('udp');
    expect(await scene.ping(30, 1372 - 28)).toBe(30);
    await scene.transfer('up', 20_000_000);
    await scene.transfer('down', 20_000_000);
  });

  it('connects again when the gateway deletes the IKE SA', async () => {
    scene = await Scene.open();
    await scene.culvert.connect(scene.profile());
    expect(await scene.ping(3, 56)).toBe(3);
    const deleted = await scene.gateway.swanctl('--terminate', '--ike', 'road');
    expect(deleted.code).toBe(0);
    await scene.culvert.daemon.saw(/reconnecting/, 10_000);
    await scene.culvert.until(({ engine }) => engine.state === 'connected', 20_000);
    expect(await scene.ping(3, 56)).toBe(3);
  });

  it('connects again when the gateway deletes the CHILD SA', async () => {
    scene = await Scene.open();
    await scene.culvert.connect(scene.profile());
    const deleted = await scene.gateway.swanctl('--terminate', '--child', 'gre');
    expect(deleted.code).toBe(0);
    await scene.culvert.daemon.saw(/reconnecting/, 10_000);
    await scene.culvert.until(({ engine }) => engine.state === 'connected', 20_000);
    expect(await scene.ping(3, 56)).toBe(3);
  });

  it('answers the gateway’s liveness checks while idle', async () => {
    scene = await Scene.open({ dpdDelay: 1 });
    await scene.culvert.connect(scene.profile({ timing: { livenessSeconds: 600 } }));
    await scene.gateway.running.saw(/(sending DPD request[\s\S]*?parsed INFORMATIONAL response[\s\S]*?){3}/, 20_000);
    const status = await scene.culvert.status();
    expect(status.engine.state).toBe('connected');
  });

  it('notices a gateway that died without a word, and recovers when it is back', async () => {
    scene = await Scene.open();
    await scene.culvert.connect(scene.profile({ timing: { livenessSeconds: 2 } }));
    scene.lab.run('gw', 'ip', 'link', 'set', 'v0b', 'down');
    const status = await scene.culvert.until(({ engine }) => engine.state === 'reconnecting', 90_000);
    if (status.engine.state !== 'reconnecting') throw new Error(status.engine.state);
    expect(status.engine.because.code).toContain('no-response');
    scene.lab.run('gw', 'ip', 'link', 'set', 'v0b', 'up');
    await scene.culvert.until(({ engine }) => engine.state === 'connected', 60_000);
    expect(await scene.ping(3, 56)).toBe(3);
  });
});
