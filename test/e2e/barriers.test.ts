// Barriers in every scene (scenes.mjs): each page in each state, each dialog, before the contract's in-memory engine. What
// axe-core sees (WCAG 2.2 A and AA, and its best practices), in both themes and in the language with the longest words; and
// what it cannot see: reflow (1.4.10), text spacing (1.4.12). The pictures on the way are kept in build/out/screenshots.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { live } from '../live/live.ts';
import { openStage, SCENES, type Stage } from './stage.mjs';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const AXE = readFileSync(at('node_modules/axe-core/axe.min.js'), 'utf8');
const PICTURES = at('build/out/screenshots');

const missing = [
  existsSync('/usr/bin/chromium') ? undefined : 'browser tests need Debian’s chromium',
  existsSync(at('build/out/renderer/index.html')) ? undefined : 'the interface is not built (npm run build)',
];

/** One line for each element, to be read in the test's report. */
const violations = (options: object): string =>
  `axe.run(document, ${JSON.stringify({ resultTypes: ['violations'], ...options })}).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`;
/** What depends on colours, and so on the theme. */
const COLOURS = { runOnly: ['color-contrast', 'link-in-text-block'] };

/** What is wider than the window, or than the page that scrolls in it. */
const TOO_WIDE = `[document.documentElement, ...document.querySelectorAll('main, .modal')]
  .filter((one) => one.scrollWidth > one.clientWidth)
  .flatMap((one) => [...one.querySelectorAll('*')]
    .filter((inner) => inner.getBoundingClientRect().right > innerWidth + 1 && !inner.closest('.only-heard'))
    .slice(-1).map((inner) => one.localName + ' holds ' + inner.outerHTML.slice(0, 200)))`;

/** Text that is cut off without an ellipsis: what a person cannot read any more. */
const CUT = `[...document.querySelectorAll('h1, h2, h3, p, dt, dd, li, td, th, label, button, a, .badge, .tab-short')]
  .filter((one) => !one.closest('.only-heard, .skip, .log') && one.checkVisibility())
  .filter((one) => {
    const { overflowX, textOverflow } = getComputedStyle(one);
    return overflowX !== 'visible' && textOverflow !== 'ellipsis' &&
      (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1);
  })
  .map((one) => one.outerHTML.slice(0, 200))`;

/** The distances of WCAG 2.2, 1.4.12, on everything. */
const SPACED = `(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }');
  document.adoptedStyleSheets = [sheet];
})()`;

const names = Object.keys(SCENES).filter((name) => process.env.CULVERT_LONG === '1' || !SCENES[name]?.alike);
/** Browsers at once: as many as machines for continuous integration have processors. */
const STAGES = 2;

live('every scene of the interface', missing, () => {
  const stages: Stage[] = [];
  const free: Stage[] = [];
  const waiting: ((stage: Stage) => void)[] = [];
  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    for (let i = 0; i < STAGES; i++) stages.push(await openStage());
    free.push(...stages);
  });
  afterAll(async () => {
    for (const stage of stages) await stage.close();
  });

  const onStage = async (work: (stage: Stage) => Promise<void>): Promise<void> => {
    const stage = free.pop() ?? (await new Promise<Stage>((resolve) => waiting.push(resolve)));
    try {
      await work(stage);
    } finally {
      const next = waiting.shift();
      if (next) next(stage);
      else free.push(stage);
    }
  };

  test.concurrent.for(names)('%s has no barrier', (name, { expect }) =>
    onStage(async (stage) => {
      const { browser } = stage;
      const picture = async (what: string): Promise<void> =>
        writeFileSync(`${PICTURES}/${name}-${what}.png`, await browser.shoot());
      await browser.look(1440, 900, { still: true });
      await stage.play(name);
      await picture('1440-light');
      await browser.run(AXE);
      expect(await browser.run(violations({})), 'light').toEqual([]);
      expect(await browser.run(TOO_WIDE), '1440 pixels').toEqual([]);
      await browser.look(1440, 900, { scheme: 'dark', still: true });
      expect(await browser.run(violations(COLOURS)), 'dark').toEqual([]);

      await browser.look(360, 780, { scheme: 'dark', still: true });
      await stage.play(name, { language: 'de' });
      await picture('360-dark-de');
      await browser.run(AXE);
      expect(await browser.run(violations({})), 'German, dark, narrow').toEqual([]);
      // 1280 pixels at a zoom of 400 % (1.4.10), with more room around letters and words (1.4.12).
      await browser.look(1280, 1024, { zoom: 4, still: true });
      if (SCENES[name]?.floats) await stage.play(name, { language: 'de' });
      expect(await browser.run(TOO_WIDE), 'German, 320 pixels').toEqual([]);
      await browser.run(SPACED);
      await browser.settle();
      expect(await browser.run(TOO_WIDE), 'German, 320 pixels, spaced').toEqual([]);
      expect(await browser.run(CUT), 'German, 320 pixels, spaced').toEqual([]);
    }),
  );

  test('nothing was complained of on the console', () => {
    // That the engine does not answer is the subject of some scenes.
    const complaints = stages.flatMap(({ browser }) => browser.complaints);
    expect(complaints.filter((text) => !/WebSocket connection/.test(text ?? ''))).toEqual([]);
  });
});
