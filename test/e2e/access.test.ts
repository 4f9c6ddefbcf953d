// Every page as axe-core sees it (WCAG 2.2 A and AA, and its best practices), with the tunnel up and real figures in the
// plots, in both themes, wide and narrow.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { live } from '../live/live.ts';
import { missing, Scene } from './scene.ts';

const PAGES = ['connection', 'profiles', 'routes', 'mtu', 'diagnostics', 'settings'];
const AXE = readFileSync(fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url)), 'utf8');

/** What is wrong, one line for each element, to be read in the test's report. */
const RUN = `const done = arguments[0];
  axe.run().then(
    ({ violations }) => done(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html))),
    (error) => done(['axe failed: ' + error]),
  );`;

live('the interface under axe-core', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.connected();
    await scene.browser.setTimeout({ script: 30_000 });
    await scene.browser.$('.plot canvas').waitForExist();
  });
  afterAll(async () => {
    await scene?.close();
  });

  const violations = (): Promise<string[]> => scene.browser.executeAsync(RUN);

  test('axe would find a picture without a name', async () => {
    await scene.browser.execute(AXE);
    await scene.browser.execute(`document.querySelector('.plot').removeAttribute('aria-label')`);
    expect(await violations()).toEqual([expect.stringMatching(/^role-img-alt/)]);
    await scene.browser.refresh();
    await scene.browser.$('main .card').waitForDisplayed();
  });

  test.each([
    ['light', 1440],
    ['dark', 1440],
    ['light', 500],
    ['dark', 500],
  ])('no page has a violation, %s, %i pixels wide', async (theme, width) => {
    await scene.browser.setWindowSize(width, 900);
    await scene.go('settings');
    // By the page's own choice: the engine keeps it, and every page follows.
    await scene.browser.$(`//label[normalize-space(.)="${theme === 'dark' ? 'Dark' : 'Light'}"]`).click();
    await scene.browser.$(`html[data-theme="${theme}"]`).waitForExist();
    for (const page of PAGES) {
      await scene.go(page);
      await scene.browser.$('main .card').waitForDisplayed();
      await scene.browser.execute(AXE);
      expect(await violations(), page).toEqual([]);
      // The page scrolls, not the window: the navigation stays where it is.
      const beyond = 'return document.documentElement.scrollHeight - innerHeight';
      expect(await scene.browser.execute(beyond), page).toBeLessThanOrEqual(0);
    }
  });
});
