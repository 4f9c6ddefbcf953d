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
