// The interface as a person waits for it and watches it: from launch until it can be used, sixty updates of statistics a
// second against none in the same browser, and how much there is to load. Debian's Chromium without a screen or a graphics
// processor, before the contract's in-memory engine.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { it } from 'vitest';
import { openStage } from '../e2e/stage.mjs';
import { A_SECOND, type Cost, watch } from '../e2e/updates.ts';
import { live } from '../live/live.ts';
import { machine } from './machine.ts';
import { print, save } from './report.ts';
import { ROUNDS, SECONDS } from './settings.ts';
import { figure, percentile, type Spread, spread, table, withRange } from './table.ts';

const PAGE = fileURLToPath(new URL('../../build/out/renderer/', import.meta.url));
const missing = [
  existsSync('/usr/bin/chromium') ? undefined : 'the interface is measured in Debian’s chromium',
  existsSync(join(PAGE, 'index.html')) ? undefined : 'the interface is not built (npm run build)',
];

interface Row {
  readonly name: string;
  readonly unit: string;
  readonly value: Spread;
}

/** Frames that the screen would have shown and the page did not: 16.7 ms each. */
function dropped(frames: readonly number[]): number {
  const due = 1000 / A_SECOND;
  return frames.reduce((sum, time) => sum + Math.max(0, Math.round(time / due) - 1), 0);
}

const USABLE = `new Promise((resolve) => {
  const look = () => document.querySelector('[data-state=connected] .button:not([disabled])') ? resolve(performance.now()) : requestAnimationFrame(look);
  look();
})`;

function sizes(): readonly Row[] {
  const files = readdirSync(PAGE, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(js|css|html|svg)$/.test(name),
  );
  const of = (kind: string, measure: (bytes: Buffer) => number): Spread => {
    const matching = files.filter((name) => name.endsWith(kind)).map((name) => readFileSync(join(PAGE, name)));
    return spread([matching.reduce((sum, bytes) => sum + measure(bytes), 0) / 1024]);
  };
  return ['.js', '.css'].flatMap((kind) => [
    { name: `bundle ${kind}`, unit: 'KiB', value: of(kind, (bytes) => bytes.length) },
    { name: `bundle ${kind}, gzip`, unit: 'KiB', value: of(kind, (bytes) => gzipSync(bytes).length) },
    { name: `bundle ${kind}, brotli`, unit: 'KiB', value: of(kind, (bytes) => brotliCompressSync(bytes).length) },
  ]);
}

live('interface', missing, () => {
  it('launch, frames and sizes', async () => {
    const finished = machine();
    const launch: number[] = [];
    const page: number[] = [];
    const idle: Cost[] = [];
    const busy: Cost[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      const stage = await openStage();
      try {
        await stage.browser.look(1440, 900);
        await stage.play('connection-connected', { until: USABLE });
        launch.push(performance.now() - began);
        page.push(stage.usable ?? Number.NaN);
        idle.push(await watch(stage, 0, SECONDS));
        busy.push(await watch(stage, A_SECOND, SECONDS));
      } finally {
        await stage.close();
      }
    }
    const both = (name: string, unit: string, of: (cost: Cost) => number): Row[] => [
      { name: `${name}, 60 updates/s`, unit, value: spread(busy.map(of)) },
      { name: `${name}, no updates`, unit, value: spread(idle.map(of)) },
    ];
    const rows: Row[] = [
      { name: 'browser started to page usable', unit: 'ms', value: spread(launch) },
      { name: 'page asked for to page usable', unit: 'ms', value: spread(page) },
      ...both('frames dropped', '%', ({ frames }) => (100 * dropped(frames)) / (frames.length + dropped(frames))),
      ...both('frame to frame, median', 'ms', ({ frames }) => percentile(frames, 0.5)),
      ...both('frame to frame, 99 %', 'ms', ({ frames }) => percentile(frames, 0.99)),
      ...both('long tasks', 'in all', ({ longTasks }) => longTasks),
      {
        name: 'main thread, an update',
        unit: 'ms',
        value: spread(busy.map(({ worked, updates }) => worked / updates)),
      },
      { name: 'layouts, an update', unit: '', value: spread(busy.map(({ layouts, updates }) => layouts / updates)) },
      { name: 'updates not shown', unit: 'runs', value: spread(busy.map(({ shown }) => (shown ? 0 : 1))) },
      ...sizes(),
    ];
    const report = { benchmark: 'interface', machine: finished(), rows };
    save(report);
    const reached = (ok: boolean): string => (ok ? 'reached' : 'NOT reached');
    const usable = spread(launch).median;
    const lost = spread(busy.map(({ frames }) => dropped(frames))).median;
    print(
      `Interface: medians (ranges) of ${ROUNDS} rounds of ${SECONDS} s`,
      report,
      table(
        [['', '', 'unit']],
        rows.map(({ name, unit, value }) => [name, withRange(value), unit]),
      ),
      '',
      `usable within 1 s of launch: ${reached(usable < 1000)} (${figure(usable)} ms, the browser's own start included)`,
      `60 updates a second without a frame dropped: ${reached(lost === 0)} (${figure(lost)} in ${SECONDS} s)`,
    );
  }, 900_000);
});
