// The interface as a person uses it (day.ts), in Debian's Chromium, against the real engine and the real gateway.
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { live } from '../live/live.ts';
import { dayOfWork } from './day.ts';
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

  test('is usable soon after launch', async () => {
    await scene.browser.url(scene.url);
    await scene.browser.$('h1').waitForDisplayed();
    const usable = Number(await scene.browser.execute('return performance.now()'));
    await scene.shows('disconnected');
    console.log(`e2e: first heading seen ${Math.round(usable)} ms after navigation`);
    // The aim is 1 s; on a machine that does other things too, only a defect takes three times as long.
    expect(usable).toBeLessThan(3000);
  });

  dayOfWork(() => scene, { restores: false, takesFiles: true });
});
