// The gateway dies under way and comes back: what the page says of it, and that the tunnel carries packets again.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { live } from '../live/live.ts';
import { missing, Scene } from './scene.ts';

live('the interface while the gateway is away', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.connected();
  });
  afterAll(async () => {
    await scene?.close();
  });

  const page = (): Promise<string> => scene.browser.$('body').getText();
  const lost = '.state-card[data-state="reconnecting"], .state-card[data-state="blocked"]';

  test('says that it reconnects, and why, and then that it is connected', async () => {
    scene.lab.run('cl', 'ping', '-n', '-c', '1', '-W', '2', '10.88.0.1');
    await scene.gateway.stop('SIGKILL');
    // Liveness after a second, then the retransmissions of RFC 7296 §2.4 until patience ends.
    await scene.browser.$(lost).waitForExist({ timeout: 60_000 });
    const told = await page();
    // It is tried again by itself.
    expect(told).toMatch(/Attempt \d/);
    expect(told).toMatch(/connection to office lost/i);
    expect(told).toMatch(/gateway.* does not answer/i);
    expect(told).toContain('Stop and disconnect');
    await scene.startGateway();
    await scene.shows('connected', 60_000);
    expect(await page()).toContain('Connected to office');
    scene.lab.run('cl', 'ping', '-n', '-c', '3', '-W', '2', '10.88.0.1');
  }, 150_000);
});
