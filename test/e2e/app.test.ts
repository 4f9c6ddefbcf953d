// The interface as a person uses it, in Debian's Chromium, against the real engine and the real gateway; what it claims is
// compared with the kernel of the namespace. The tests follow one another like a day of work.
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { live } from '../live/live.ts';
import { missing, Scene } from './scene.ts';

live('the interface in Chromium', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open();
  });
  afterAll(async () => {
    await scene?.close();
  });

  // What the person would have seen.
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || !scene?.browser) return;
    await scene.browser.saveScreenshot(fileURLToPath(new URL('../../build/out/e2e-failure.png', import.meta.url)));
  });

  const table = (): string => scene.lab.run('cl', 'ip', 'route', 'show', 'table', '4750');

  test('is usable soon after launch', async () => {
    await scene.browser.url(scene.url);
    await scene.browser.$('h1').waitForDisplayed();
    const usable = Number(await scene.browser.execute('return performance.now()'));
    await scene.shows('disconnected');
    console.log(`e2e: first heading seen ${Math.round(usable)} ms after navigation`);
    // The aim is 1 s; on a machine that does other things too, only a defect takes three times as long.
    expect(usable).toBeLessThan(3000);
  });

  test('imports a profile by drag and drop', async () => {
    await scene.drop('office.json', scene.profile());
    await scene.press('Store');
    await scene.browser.$('[role="dialog"]').waitForExist({ reverse: true });
    await scene.go('profiles');
    await scene.browser.$('//main//*[normalize-space(text())="office"]').waitForExist();
  });

  test('connects, and the traffic counters rise', async () => {
    await scene.go('connection');
    await scene.press('Connect');
    await scene.shows('connected');
    expect(table()).toContain('10.88.0.0/24');
    const packets = (): Promise<string> => scene.browser.$('.statistics .figure dd.small').getText();
    const before = Number.parseInt(await packets(), 10);
    scene.lab.run('cl', 'ping', '-n', '-c', '20', '-i', '0.01', '-W', '2', '10.88.0.1');
    await scene.browser.waitUntil(async () => Number.parseInt(await packets(), 10) >= before + 20, {
      timeout: 10_000,
    });
  });

  test('adds a split route, which the kernel then has', async () => {
    await scene.go('routes');
    await scene.browser.$('button[aria-label="Add a network that goes through the tunnel"]').click();
    const field = scene.browser.$('[role="dialog"] input[type="text"]');
    await field.waitForDisplayed();
    await field.setValue('10.66.0.0/24');
    await scene.press('Add');
    await scene.browser.waitUntil(() => table().includes('10.66.0.0/24'), { timeout: 10_000 });
  });

  test('changes the MTU, which the interface then has', async () => {
    await scene.go('mtu');
    await scene.browser.$('//label[contains(., "Fixed value")]').click();
    const field = scene.browser.$('main form input[type="text"]');
    await field.waitForDisplayed();
    await field.click();
    await scene.browser.keys(['Control', 'a']);
    await scene.browser.keys([...'1300']);
    await scene.press('Apply');
    await scene.browser.waitUntil(() => scene.lab.run('cl', 'ip', '-o', 'link').includes('mtu 1300'), {
      timeout: 10_000,
    });
  });

  test('tests the path', async () => {
    await scene.press('Test the path');
    await scene.browser.$('//button[normalize-space(.)="Test again"]').waitForExist({ timeout: 30_000 });
    expect(await scene.browser.$('main').getText()).toMatch(/Packets of 1,?500 bytes arrive/);
  });

  test('shows and survives the engine’s end and restart', async () => {
    await scene.go('connection');
    await scene.culvert.daemon.stop('SIGKILL');
    await scene.shows('unreachable');
    await scene.culvert.restart();
    await scene.shows('disconnected');
    await scene.press('Connect');
    await scene.shows('connected');
  });

  test('disconnects, and the routes are gone', async () => {
    await scene.press('Disconnect');
    await scene.shows('disconnected');
    expect(table()).toBe('');
  });

  test('says what is wrong when the secret is', async () => {
    const authentication = { method: 'psk', identity: 'alice@example.com', secret: 'not the secret' };
    await scene.go('profiles');
    await scene.drop('office.json', scene.profile({ authentication }));
    await scene.press('Replace');
    await scene.browser.$('[role="dialog"]').waitForExist({ reverse: true });
    await scene.go('connection');
    await scene.press('Connect');
    await scene.shows('failed');
    expect(await scene.browser.$('.state-card').getText()).toMatch(/shared key|secret|identity|did not accept/i);
  });
});
