import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { plot } from '../../build/bench-plot.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-plot-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const save = (name: string, value: unknown): void => writeFileSync(join(folder, `${name}.json`), JSON.stringify(value));
const way = (rate: number, cpu: number) => ({ throughput: { median: rate }, cpu: { median: cpu } });

test('nothing measured, nothing drawn', () => {
  expect(plot(folder)).toBeUndefined();
});

test('bars are ratios to the fastest OpenVPN, names are escaped, both colour schemes are there', () => {
  save('end-to-end-offloads', {
    machine: { date: '2026-01-02T03:04:05Z', cores: 2, processor: 'CPU', kernel: '6', node: 'v20', loadBefore: 0.5 },
    rows: [
      { product: 'bare', name: 'bare veth', up: way(18_000, 1), down: way(18_000, 1) },
      { product: 'culvert', name: 'Culvert <fast> & small', up: way(3000, 4), down: way(2400, 5) },
      { product: 'openvpn', name: 'OpenVPN, a', up: way(1000, 10), down: way(500, 12) },
      { product: 'openvpn', name: 'OpenVPN, b', up: way(500, 12), down: way(800, 10) },
    ],
  });
  const svg = plot(folder) as string;
  expect(svg).toContain('Culvert &lt;fast&gt; &amp; small');
  expect(svg).not.toContain('bare veth');
  expect([...svg.matchAll(/class="value">([^<]+)</g)].map(([, text]) => text)).toEqual([
    ...['3.00×', '3.00×', '1.00×', '0.63×', '0.50×', '1.00×'],
    ...['2.50×', '2.00×', '1.00×', '0.83×', '0.83×', '1.00×'],
  ]);
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).toContain('2026-01-02; 2 cores');
});

const values = (svg: string) => [...svg.matchAll(/class="value">([^<]+)</g)].map(([, text]) => text);

test('round trips are ratios to the quickest OpenVPN, where all were measured', () => {
  const row = (product: string, idle: number, up: number, down: number) => ({
    ...{ product, name: product, idlePing: { median: idle } },
    ...{ up: { ...way(1, 1), loaded99: up }, down: { ...way(1, 1), loaded99: down } },
  });
  save('end-to-end-plain', { rows: [row('culvert', 0.5, 4, 5), row('openvpn', 0.25, 10, 8)] });
  const svg = plot(folder) as string;
  expect(svg).toContain('Round trips');
  expect(values(svg).slice(-4)).toEqual(['0.50×', '2.00×', '1.00×', '1.00×']);
});

test('libraries: how many times as long each takes, of what a cipher has', () => {
  const row = (cipher: string, bytes: number, batch: number, ns: Readonly<Record<string, number>>) => ({
    ...{ cipher, bytes, batch, direction: 'seal', ns },
  });
  save('crypto', {
    rows: [
      row('chacha', 64, 1, { culvert: 1, libsodium: 999, noble: 999 }),
      row('chacha', 64, 64, { culvert: 10, node: 20, libsodium: 30, noble: 40 }),
      row('chacha', 1400, 64, { culvert: 100, node: 300, libsodium: 400, noble: 5000 }),
      row('aes', 64, 64, { culvert: 10, node: 20, noble: 60 }),
      row('aes', 1400, 64, { culvert: 100, node: 300, noble: 700 }),
    ],
  });
  const svg = plot(folder) as string;
  expect(svg).toContain('chacha: libsodium-wrappers');
  expect(svg).not.toContain('aes: libsodium-wrappers');
  expect(values(svg).slice(-6)).toEqual(['4.00×', '50.0×', '3.00×', '4.00×', '6.00×', '7.00×']);
});

test('memory and start-up are told in ours', () => {
  const spread = (median: number) => ({ median });
  save('memory', {
    rows: [
      { product: 'culvert', name: 'Culvert', connected: 100, afterSecond: 120 },
      { product: 'openvpn', name: 'OpenVPN', connected: 10, afterSecond: 12 },
    ],
  });
  save('start-up', {
    rows: [
      { product: 'culvert', name: 'culvert up', connected: spread(50), total: spread(500) },
      { product: 'strongswan', name: 'swanctl', connected: spread(25), total: spread(100) },
      { product: 'culvert', name: 'the demo', ready: { max: 0 }, connected: spread(5), total: spread(5) },
    ],
  });
  const svg = plot(folder) as string;
  expect(values(svg)).toEqual(['1.00×', '1.00×', '0.10×', '0.10×', '1.00×', '1.00×', '0.50×', '0.20×']);
  expect(svg).not.toContain('the demo');
});
