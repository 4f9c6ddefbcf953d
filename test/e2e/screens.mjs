// Pictures of every page in its states, at three widths, light and dark: build/out/screenshots. Run after `npm run build`:
//   node test/e2e/screens.mjs [--only <beginning of names>] [--widths 360,900,1440] [--schemes light,dark] [--language de]
//     [--pseudo rtl] [--forced-colors] [--list]
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStage, SCENES } from './stage.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const out = join(root, 'build/out/screenshots');
const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const only = option('only', '');
const widths = option('widths', '360,900,1440').split(',').map(Number);
const schemes = option('schemes', 'light,dark').split(',');
const language = option('language', 'en');
const pseudo = option('pseudo', undefined);
const forced = process.argv.includes('--forced-colors');
export const HEIGHTS = { 360: 780, 900: 700, 1440: 900 };
const suffix = `${language === 'en' ? '' : `-${language}`}${pseudo ? `-${pseudo}` : ''}${forced ? '-forced' : ''}`;

const names = Object.keys(SCENES).filter((name) => name.startsWith(only));
if (process.argv.includes('--list')) {
  console.log(names.join('\n'));
  process.exit(0);
}
const stage = await openStage();
const { browser } = stage;
mkdirSync(out, { recursive: true });
let shot = 0;
let wrong = 0;
try {
  for (const name of names) {
    await stage.play(name, { language, pseudo });
    for (const scheme of schemes)
      for (const width of widths) {
        await browser.look(width, HEIGHTS[width] ?? 800, { scheme, forced });
        await browser.settle();
        await stage.show(name);
        const wide = await browser.run(
          `document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll('main')].some((m) => m.scrollWidth > m.clientWidth)`,
        );
        if (wide) {
          console.error(`${name} at ${width}: wider than the window`);
          wrong++;
        }
        writeFileSync(join(out, `${name}-${width}-${scheme}${suffix}.png`), await browser.shoot());
        shot++;
      }
  }
} finally {
  await stage.close();
}
// That the engine does not answer is the subject of some scenes.
const complaints = [...new Set(browser.complaints)].filter((text) => !/WebSocket connection/.test(text));
for (const complaint of complaints) console.error(`complaint: ${complaint}`);
console.log(`${shot} pictures in build/out/screenshots`);
process.exit(wrong || complaints.length ? 1 : 0);
