// The interface as a person uses it (day.ts), in Debian's Chromium, against the real engine and the real gateway.
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
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

  test('is usable after launch, and shows the state', async () => {
    await scene.browser.url(scene.url);
    await scene.browser.$('h1').waitForDisplayed();
    // How soon is measured, not tested: `npm run bench interface`.
    await scene.shows('disconnected');
  });

  dayOfWork(() => scene, { restores: false, takesFiles: true });
});
