// How long a person waits: each engine from its start until it can be told to connect, from there to connected (Culvert: the
// whole command `culvert up`, with Node's own start; strongSwan: `swanctl --initiate`; wireguard-go: configuration and the
// first ping, which makes the handshake), and Culvert's demo from its start to its end. OpenVPN connects as it starts.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { it } from 'vitest';
import { cannotRunLive } from '../live/lab.ts';
import { live } from '../live/live.ts';
import { everyProduct } from './contenders/all.ts';
import { timed } from './contenders/contender.ts';
import { machine } from './machine.ts';
import { print, save } from './report.ts';
import { ROUNDS } from './settings.ts';
import { type Spread, spread, table, withRange } from './table.ts';

const DEMO = fileURLToPath(new URL('../../build/out/main/daemon/demo/demo.js', import.meta.url));

interface Row {
  readonly product: string;
  readonly name: string;
  /** Milliseconds. */
  readonly ready: Spread;
  readonly connected: Spread;
  readonly total: Spread;
}

interface Samples {
  readonly product: string;
  readonly name: string;
  readonly ready: number[];
  readonly connected: number[];
}

/** The built demo, as `npm run demo` runs it after it has built. */
const demo = (): Promise<unknown> =>
  promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    `const { demo } = await import(${JSON.stringify(DEMO)}); process.exit(await demo([]));`,
  ]);

live('start-up', [cannotRunLive()], () => {
  it('from start to connected', async () => {
    const finished = machine();
    const absent: { name: string; reason: string }[] = [];
    const recipes = everyProduct().filter(({ name, missing }) => {
      if (missing !== undefined) absent.push({ name, reason: missing });
      return missing === undefined;
    });
    const demoSamples: Samples = { product: 'demo', name: 'Culvert, the whole demo', ready: [], connected: [] };
    const samples = recipes.map(({ product, name }): Samples => ({ product, name, ready: [], connected: [] }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, recipe] of recipes.entries()) {
        const of = samples[index] as Samples;
        const contender = await recipe.open({ offloads: true });
        try {
          if (!contender.started) throw new Error(`${recipe.name} does not say how long it took`);
          of.ready.push(contender.started.ready);
          of.connected.push(contender.started.connected);
        } finally {
          await contender.close();
        }
      }
      demoSamples.ready.push(0);
      demoSamples.connected.push(await timed(demo));
    }
    const rows = [...samples, demoSamples].map(
      ({ product, name, ready, connected }): Row => ({
        product,
        name,
        ready: spread(ready),
        connected: spread(connected),
        total: spread(ready.map((value, i) => value + (connected[i] as number))),
      }),
    );
    const report = { benchmark: 'start-up', machine: finished(), rows, absent };
    save(report);
    print(
      `Start-up, ms: medians (ranges) of ${ROUNDS} rounds`,
      report,
      table(
        [['', 'engine ready', 'then connected', 'together']],
        rows.map((row) => [
          row.name,
          row.ready.max === 0 ? '–' : withRange(row.ready),
          withRange(row.connected),
          withRange(row.total),
        ]),
      ),
    );
  }, 900_000);
});
