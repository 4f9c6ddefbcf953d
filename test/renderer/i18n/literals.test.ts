// No view contains text: every word that a person reads or hears comes from the tables.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'vite';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../../renderer');

/** Attributes that are read or heard. */
const SPOKEN = new Set([
  'aria-label',
  'aria-description',
  'title',
  'alt',
  'placeholder',
  'label',
  'hint',
  'text',
  'name',
]);

const sources = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(join(folder, entry.name))
      : entry.name.endsWith('.tsx')
        ? [join(folder, entry.name)]
        : [],
  );

/** Texts of at least two letters in a row that stand in JSX. */
function literalsIn(name: string, code: string): readonly string[] {
  const found: string[] = [];
  const { program } = parseSync(name, code, { lang: 'tsx' });
  const word = (text: string): void => {
    if (/\p{L}{2,}/u.test(text)) found.push(text.trim());
  };
  new Visitor({
    JSXText: ({ value }) => word(value),
    JSXExpressionContainer: ({ expression }) => {
      if (expression.type === 'Literal' && typeof expression.value === 'string') word(expression.value);
    },
    JSXAttribute: ({ name: attribute, value }) => {
      const spoken = attribute.type === 'JSXIdentifier' && SPOKEN.has(attribute.name);
      // Names of icons and of slots are not read by anybody.
      if (spoken && attribute.name !== 'name' && value?.type === 'Literal') word(String(value.value));
    },
  }).visit(program);
  return found;
}

describe('views', () => {
  it('finds text where there is some', () => {
    expect(
      literalsIn('a.tsx', `const a = <p title="Hello">World {'there'} {t('x.y')} <b className="big" /></p>;`),
    ).toEqual(expect.arrayContaining(['Hello', 'World', 'there']));
    expect(literalsIn('a.tsx', `const a = <p className="big">{t('x.y')} · {' '}</p>;`)).toEqual([]);
  });

  it.each(sources(ROOT).map((path) => path.slice(ROOT.length + 1)))('%s has none', (path) => {
    expect(literalsIn(path, readFileSync(join(ROOT, path), 'utf8'))).toEqual([]);
  });
});
