// A day of work without a mouse: everything is reached with Tab and the arrows, and pressed with Enter or Space, against the
// real engine and the real gateway; and what a screen reader hears of it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { live } from '../live/live.ts';
import { missing, Scene } from './scene.ts';

live('the interface by keyboard alone', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open();
    await scene.browser.url(scene.url);
    await scene.shows('disconnected');
  });
  afterAll(async () => {
    await scene?.close();
  });

  const table = (): string => scene.lab.run('cl', 'ip', 'route', 'show', 'table', '4750');
  const dialog = () => scene.browser.$('[role="dialog"]');
  const inDialog = async (): Promise<boolean> =>
    Boolean(await scene.browser.execute(`return document.activeElement.closest('[role="dialog"]') !== null`));
  /** What the polite region holds: the last thing that was said. */
  const heard = async (): Promise<string> =>
    String(
      await scene.browser.execute(`return document.querySelector('[role="status"][aria-live]').textContent.trim()`),
    );
  /** A page of the navigation, by its link. */
  const open = async (page: string): Promise<void> => {
    await scene.tabTo(page);
    await scene.browser.keys('Enter');
    await scene.browser.waitUntil(async () => (await scene.browser.$('h1').getText()) === page);
  };

  test('skips the navigation', async () => {
    await scene.browser.keys('Tab');
    expect(await scene.focused()).toBe('Skip to the page');
    await scene.browser.keys('Enter');
    await scene.browser.keys('Tab');
    expect(await scene.focused()).toBe('Import a profile');
  });

  test('imports a profile as a text', async () => {
    await scene.browser.keys('Enter');
    await scene.browser.waitUntil(async () => (await scene.browser.$('h1').getText()) === 'Profiles');
    await scene.tabTo('Import a profile');
    await scene.browser.keys('Enter');
    await dialog().waitForExist();
    await scene.browser.waitUntil(inDialog);
    await scene.tabTo('File');
    await scene.browser.keys(['ArrowRight']);
    await scene.browser.keys(['ArrowRight']);
    expect(await scene.focused()).toBe('Text');
    await scene.tabTo('Content of the profile');
    await scene.browser.keys([...scene.profile()]);
    await scene.tabTo('Check');
    await scene.browser.keys('Enter');
    await scene.browser.$('[role="dialog"] .facts').waitForExist();
    await scene.tabTo('Store');
    expect(await inDialog()).toBe(true);
    await scene.browser.keys('Enter');
    await dialog().waitForExist({ reverse: true });
    await scene.browser.$('//main//h2[normalize-space(.)="office"]').waitForExist();
  });

  test('connects, and says so', async () => {
    await open('Connection');
    await scene.tabTo('Connect');
    await scene.browser.keys('Enter');
    await scene.shows('connected');
    await scene.browser.waitUntil(async () => (await heard()) === 'Connected to office.');
    // The button is another one now and still has the focus.
    expect(await scene.focused()).toBe('Disconnect');
  });

  test('adds a route, and comes back to where it was', async () => {
    const add = 'Add a network that goes through the tunnel';
    await open('Routes');
    await scene.tabTo(add);
    await scene.browser.keys('Enter');
    await dialog().waitForExist();
    await scene.browser.waitUntil(async () => (await scene.focused()) === 'Network or address');
    await scene.browser.keys('Escape');
    await dialog().waitForExist({ reverse: true });
    await scene.browser.waitUntil(async () => (await scene.focused()) === add);
    await scene.browser.keys('Enter');
    await scene.browser.waitUntil(async () => (await scene.focused()) === 'Network or address');
    await scene.browser.keys([...'10.66.0.0/24']);
    await scene.browser.keys('Enter');
    await dialog().waitForExist({ reverse: true });
    await scene.browser.waitUntil(() => table().includes('10.66.0.0/24'));
    await scene.browser.waitUntil(async () => (await scene.focused()) === add);
    await scene.browser.waitUntil(async () => (await heard()).includes('10.66.0.0/24'));
  });

  test('removes it, and is not thrown to the top of the page', async () => {
    await scene.tabTo('Remove 10.66.0.0/24');
    await scene.browser.keys('Space');
    await scene.browser.waitUntil(() => !table().includes('10.66.0.0/24'));
    await scene.browser.waitUntil(async () => (await scene.focused()) === 'Add a network that goes through the tunnel');
  });

  test('chooses between everything and the networks listed with the arrows', async () => {
    await scene.tabTo('Only the networks listed');
    await scene.browser.keys(['ArrowUp']);
    await scene.browser.waitUntil(() => table().includes('default'));
    await scene.browser.keys(['ArrowDown']);
    await scene.browser.waitUntil(() => !table().includes('default'));
  });

  test('disconnects', async () => {
    await open('Connection');
    await scene.tabTo('Disconnect');
    await scene.browser.keys('Space');
    await scene.shows('disconnected');
    await scene.browser.waitUntil(async () => (await heard()) === 'Disconnected.');
    expect(await scene.focused()).toBe('Connect');
    expect(table()).toBe('');
  });
});
