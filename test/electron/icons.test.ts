// The icons that the shell asks for by name: there, of their size, readable as PNG, distinct, and for macOS black only.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawIcons, rasterise } from '../../build/icons.mjs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-icons-'));
  drawIcons(folder);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Width, height and RGBA rows of a PNG as png() writes it. */
function read(name: string) {
  const file = readFileSync(join(folder, name));
  expect(file.subarray(1, 4).toString('latin1')).toBe('PNG');
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const rows = inflateSync(file.subarray(41, 41 + file.readUInt32BE(33)));
  expect(rows).toHaveLength(height * (width * 4 + 1));
  const pixels = Array.from({ length: width * height }, (_, i) => {
    const at = Math.floor(i / width) * (width * 4 + 1) + 1 + (i % width) * 4;
    return [...rows.subarray(at, at + 4)] as [number, number, number, number];
  });
  return { width, height, pixels };
}

const STATES = ['off', 'busy', 'on', 'problem'];

test.each(STATES)('tray-%s in both sizes and as a template', (state) => {
  for (const [suffix, size] of [
    ['', 16],
    ['@2x', 32],
  ] as const) {
    const plain = read(`tray-${state}${suffix}.png`);
    expect(plain).toMatchObject({ width: size, height: size });
    expect(plain.pixels[0]![3], 'the corner is clear').toBe(0);
    const template = read(`tray-${state}Template${suffix}.png`);
    expect(template.pixels.every(([r, g, b]) => r + g + b === 0)).toBe(true);
    expect(template.pixels.map(([, , , alpha]) => alpha)).toEqual(plain.pixels.map(([, , , alpha]) => alpha));
    expect(template.pixels.some(([, , , alpha]) => alpha === 255)).toBe(true);
  }
});

test('the states differ in shape, not in colour alone', () => {
  const shapes = STATES.map((state) =>
    read(`tray-${state}Template.png`)
      .pixels.map(([, , , alpha]) => alpha)
      .join(),
  );
  expect(new Set(shapes).size).toBe(STATES.length);
});

test('the app’s icon has its colours and a clear corner', () => {
  const { width, pixels } = read('app-512.png');
  expect(width).toBe(512);
  expect(pixels[0]![3]).toBe(0);
  expect(pixels[4 * 512 + 256]).toEqual([0x0b, 0x6b, 0x68, 255]);
});

test('what it cannot draw it refuses', () => {
  const svg = (inner: string): string => `<svg viewBox="0 0 16 16">${inner}</svg>`;
  expect(() => rasterise(svg('<text x="1">a</text>'), 16, '#000000')).toThrow(/<text>/);
  expect(() => rasterise(svg('<path d="M0 0C1 1 2 2 3 3" />'), 16, '#000000')).toThrow(/command C/);
});
