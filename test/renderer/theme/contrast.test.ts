// The colours of both themes against WCAG 2.2 AA: 4.5 for text (1.4.3), 3 for what shows a control or a state (1.4.11).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(join(import.meta.dirname, '../../../renderer/theme/tokens.css'), 'utf8');
type Colours = Readonly<Record<string, string>>;

function coloursOf(block: string): Colours {
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]),
  );
}
const block = (start: string): string => {
  const at = css.indexOf(start);
  expect(at, start).toBeGreaterThanOrEqual(0);
  return css.slice(at, css.indexOf('}', at));
};
const light = coloursOf(block(':root {'));
const dark = { ...light, ...coloursOf(block(':root[data-theme="dark"]')) };

/** Relative luminance (WCAG 2.2, definitions). */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a = '', b = ''): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ['bg', 'surface', 'surface-2', 'surface-hover'];
const SOFT = ['ok', 'busy', 'warn', 'bad'];
const TEXT: readonly (readonly [string, string])[] = [
  ...GROUNDS.flatMap((ground) => [['text', ground] as const, ['text-2', ground] as const]),
  ...SOFT.flatMap((tone) => [
    [tone, 'surface'] as const,
    [tone, `${tone}-soft`] as const,
    ['text', `${tone}-soft`] as const,
    ['text-2', `${tone}-soft`] as const,
  ]),
  ['accent', 'surface'],
  ['accent', 'accent-soft'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
];
const SHAPES: readonly (readonly [string, string])[] = [
  ...GROUNDS.flatMap((ground) => [['focus', ground] as const]),
  ['line-strong', 'surface'],
  ['line-strong', 'surface-2'],
  ['plot-in', 'surface'],
  ['plot-out', 'surface'],
  ['plot-latency', 'surface'],
];

describe.each([
  ['light', light],
  ['dark', dark],
])('%s', (_, colours) => {
  it.each(TEXT)('%s on %s can be read', (text, ground) => {
    expect(contrast(colours[text], colours[ground])).toBeGreaterThanOrEqual(4.5);
  });
  it.each(SHAPES)('%s on %s can be seen', (shape, ground) => {
    expect(contrast(colours[shape], colours[ground])).toBeGreaterThanOrEqual(3);
  });
});

describe('the system setting', () => {
  it('has the same dark colours as the setting of the app', () => {
    expect(coloursOf(block(':root:not([data-theme])'))).toEqual(coloursOf(block(':root[data-theme="dark"]')));
  });

  it('has black on white at 21', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });
});
