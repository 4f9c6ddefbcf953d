// Makes docs/screenshot.png, the picture at the top of the README, from the pictures that screens.mjs took of the
// connected state: light and dark, side by side. After `npm run build`:
//   node test/e2e/screens.mjs --only connection-connected && node test/e2e/readme-picture.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './browser.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const WIDTH = 900;
const HEIGHT = 700;
const GAP = 24;
/** A README is to load fast. */
const MOST = 300_000;

const picture = (scheme) => {
  const file = join(root, `build/out/screenshots/connection-connected-${WIDTH}-${scheme}.png`);
  return `<img width="${WIDTH}" height="${HEIGHT}" src="data:image/png;base64,${readFileSync(file, 'base64')}">`;
};
const style = `body { margin: 0; display: flex; gap: ${GAP}px; } img { border-radius: 12px; }`;

const browser = await openBrowser();
try {
  await browser.look(2 * WIDTH + GAP, HEIGHT);
  // Round corners and the gap let the reader's own background through.
  await browser.send('Emulation.setDefaultBackgroundColorOverride', { color: { r: 0, g: 0, b: 0, a: 0 } });
  await browser.run(`(async () => {
    document.head.innerHTML = ${JSON.stringify(`<style>${style}</style>`)};
    document.body.innerHTML = ${JSON.stringify(picture('light') + picture('dark'))};
    await Promise.all([...document.images].map((image) => image.decode()));
  })()`);
  await browser.settle();
  const png = await browser.shoot();
  if (png.length >= MOST) throw new Error(`docs/screenshot.png would have ${png.length} bytes; the most is ${MOST}`);
  writeFileSync(join(root, 'docs/screenshot.png'), png);
  console.log(`docs/screenshot.png: ${png.length} bytes`);
} finally {
  await browser.close();
}
