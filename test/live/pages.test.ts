// What the pages change, in a real kernel: routes and MTU of a tunnel that is up, and the test of a path that loses large
// packets without a word. One strongSwan gateway, driven through the engine's socket as an interface would.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import type { PathTest } from '../../main/ipc/contract.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('the pages against a real gateway and kernel', missing, () => {
  let scene: Scene;
  let engine: EngineClient;
  const profile = (): string => String(scene.profile().name);
  beforeAll(async () => {
    scene = await Scene.open();
    await scene.culvert.connect(scene.profile());
    engine = await connectEngine(join(scene.lab.directory, 'cl.sock'));
  });
  afterAll(async () => {
    engine?.close();
    await scene?.close();
  });
  const table = (): string => scene.lab.run('cl', 'ip', 'route', 'show', 'table', '4750');

  it('a route takes effect at once, and goes again', async () => {
    await engine.call('addRoute', { profile: profile(), prefix: '10.123.0.0/16', kind: 'include' });
    expect(table()).toMatch(/^10\.123\.0\.0\/16 dev culvert/m);
    const { answers } = await engine.call('routeLookup', { target: '10.123.4.5' });
    expect(answers).toMatchObject([{ way: 'tunnel', rule: { prefix: '10.123.0.0/16', origin: 'user' } }]);
    expect(scene.lab.run('cl', 'ip', 'route', 'get', '10.123.4.5')).toContain('dev culvert');
    await engine.call('addRoute', { profile: profile(), prefix: '10.123.9.0/24', kind: 'exclude' });
    expect(table()).toMatch(/^throw 10\.123\.9\.0\/24/m);
    await engine.call('setRouteMode', { profile: profile(), mode: 'full' });
    expect(table()).toMatch(/^(default|0\.0\.0\.0\/0) dev culvert/m);
    expect(await scene.ping(3, 56)).toBe(3);
    await engine.call('resetRoutes', { profile: profile() });
    expect(table()).not.toContain('10.123.');
    expect(await scene.ping(3, 56)).toBe(3);
  });

  it('another MTU takes effect at once', async () => {
    const { engine: state } = await engine.call('status', {});
    if (state.state !== 'connected') throw new Error(state.state);
    const link = (): string => scene.lab.run('cl', 'ip', 'link', 'show', state.tunnel.interfaceName);
    expect(link()).toContain(' mtu 1414 ');
    const view = await engine.call('setMtu', { profile: profile(), choice: { mode: 'fixed', value: 1300 } });
    expect(view).toMatchObject({ live: true, mode: 'fixed', value: 1300, computed: 1414, mss4: 1260 });
    expect(link()).toContain(' mtu 1300 ');
    expect(await scene.ping(3, 1272)).toBe(3);
    const back = await engine.call('setMtu', { profile: profile(), choice: { mode: 'automatic' } });
    expect(back).toMatchObject({ value: 1414, mode: 'automatic' });
    expect(link()).toContain(' mtu 1414 ');
  });

  it('the test of the path finds what a black hole lets through, and disturbs nothing', async () => {
    expect(await engine.call('pathTest', {})).toMatchObject({ path: 1500, assumed: 1500, mtu: 1414 });
    // The hole judges what is on the wire: a burst that a veth hands over whole would look too large to it.
    scene.lab.cutBursts('cl', 'v0a');
    scene.lab.run('gw', 'nft', 'add', 'table', 'ip', 'hole');
    scene.lab.run('gw', 'nft', 'add chain ip hole pre { type filter hook prerouting priority -300; }');
    scene.lab.run('gw', 'nft', 'add rule ip hole pre ip daddr 192.0.2.1 meta length > 1437 drop');
    const seen: PathTest[] = [];
    const stop = engine.on('pathTest', (test) => seen.push(test));
    await engine.call('subscribe', { events: ['pathTest', 'samples'] });
    const before = (await engine.call('status', {})).engine;
    const result = await engine.call('pathTest', {});
    stop();
    expect(result.path).toBe(1437);
    expect(result.roundTrip).toBeLessThan(500);
    expect(seen.some((test) => test.state === 'running' && test.progress > 0.5)).toBe(true);
    // The same connection, with the same MTU: it was only looked at.
    expect((await engine.call('status', {})).engine).toEqual(before);
    const { checks } = await engine.call('checks', {});
    expect(checks.find(({ id }) => id === 'mtu-black-hole')).toMatchObject({ verdict: 'fail', data: { works: 1437 } });
    await engine.call('setMtu', { profile: profile(), choice: { mode: 'automatic', path: 1437 } });
    const mtu = await engine.call('mtu', { profile: profile() });
    expect(mtu).toMatchObject({ path: 1437, pathSource: 'tested', live: true });
    expect(await scene.ping(3, mtu.value - 28)).toBe(3);
    const { samples } = await engine.call('samples', {});
    expect(samples.length).toBeGreaterThan(2);
    expect(samples.some(({ latency }) => latency !== null && latency < 1000)).toBe(true);
  });

  it('loss on the way is seen', async () => {
    scene.lab.run('cl', 'nft', 'add', 'table', 'ip', 'loss');
    scene.lab.run('cl', 'nft', 'add chain ip loss pre { type filter hook prerouting priority -300; }');
    scene.lab.run('cl', 'nft', 'add rule ip loss pre udp sport 4500 meta length > 200 numgen inc mod 4 0 drop');
    expect(await scene.ping(100, 500)).toBe(75);
    await expect
      .poll(async () => (await engine.call('samples', {})).samples.some(({ loss }) => loss !== null && loss > 0.15), {
        timeout: 5_000,
      })
      .toBe(true);
    // All 25 of them. The receiver counts when packets come, a few times a second: a small one lets it see the last losses.
    await expect
      .poll(
        async () => {
          await scene.ping(1, 56);
          const { traffic } = await engine.call('status', {});
          return (traffic?.received?.due ?? 0) - (traffic?.received?.arrived ?? 0);
        },
        { timeout: 5_000 },
      )
      .toBeGreaterThanOrEqual(25);
    scene.lab.run('cl', 'nft', 'delete', 'table', 'ip', 'loss');
  });
});
