// Styles that do not know left from right: where text runs from the right, the page is turned round by `dir` alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../../renderer');
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(css|tsx)$/.test(entry.name))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .sort();

/** What is meant physically, and why. */
const MEANT: Readonly<Record<string, string>> = {
  'theme/base.css: direction: ltr': 'addresses, codes and the engine’s words run from the left in every language',
  'views/connection/connection.css: direction: ltr': 'time runs from the left',
  'views/mtu/mtu.css: direction: ltr': 'a packet runs from its first byte on, as it is drawn everywhere',
};

const SIDES = /^(?:(?:scroll-)?(?:margin|padding)-|border-)?(?:left|right)\b|^border-(?:top|bottom)-(?:left|right)/;
const SAID = /^(?:float|clear|text-align|direction|justify-content|caption-side|resize|transform-origin)$/;
const SHORT = /^(?:margin|padding|inset|border-(?:width|style|color|radius)|scroll-(?:margin|padding))$/;

/** Values of a shorthand, with what is in brackets in one piece. */
const values = (text: string): readonly string[] => text.match(/(?:[^\s(]|\([^)]*(?:\([^)]*\))*[^)]*\))+/g) ?? [];

/** The declarations of a style sheet that name a side. */
function physical(css: string): readonly string[] {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split(/[{};]/)
    .map((piece) => piece.trim().split(/:\s*([\s\S]*)/, 2) as [string, string?])
    .flatMap(([property, value = '']) => {
      const told = `${property}: ${value}`;
      if (SIDES.test(property)) return [told];
      if (SAID.test(property) && /\b(?:left|right|ltr|rtl)\b/.test(value)) return [told];
      if (property === 'transform' && /translateX|scaleX|translate\(|skew/.test(value)) return [told];
      const [top, right, bottom, left] = SHORT.test(property) ? values(value) : [];
      const sided =
        left !== undefined && (property === 'border-radius' ? top !== right || bottom !== left : right !== left);
      return sided ? [told] : [];
    });
}

/** Styles in the code: `style={{ marginLeft: … }}`. */
const inCode = (text: string): readonly string[] =>
  [...text.matchAll(/style=\{\{([^}]*)\}\}/g)].flatMap(([, style = '']) =>
    [...style.matchAll(/\b(\w*(?:[lL]eft|[rR]ight))\s*:/g)].map(([, name]) => `style ${name}`),
  );

describe('styles', () => {
  it('are read', () => {
    expect(files.filter((file) => file.endsWith('.css')).length).toBeGreaterThan(8);
    expect(physical('a { margin-left: 1px; padding: 1px 2px 3px 0; margin: 0 auto 1px auto; left: 0 }')).toEqual([
      'margin-left: 1px',
      'padding: 1px 2px 3px 0',
      'left: 0',
    ]);
    expect(physical('a { text-align: right; border-radius: 1px 2px 3px 4px; padding: calc(1px + (2px)) 0 }')).toEqual([
      'text-align: right',
      'border-radius: 1px 2px 3px 4px',
    ]);
    expect(inCode('<p style={{ marginLeft: 2, blockSize: 3 }} />')).toEqual(['style marginLeft']);
  });

  it.each(files)('%s names no side', (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const found = (file.endsWith('.css') ? physical(text) : inCode(text)).map((what) => `${file}: ${what}`);
    expect(found.filter((what) => !(what in MEANT))).toEqual([]);
  });

  it('have no exception that is not there', () => {
    const all = files
      .filter((file) => file.endsWith('.css'))
      .flatMap((file) => physical(readFileSync(join(root, file), 'utf8')).map((what) => `${file}: ${what}`));
    expect(Object.keys(MEANT).filter((what) => !all.includes(what))).toEqual([]);
  });
});
