// Resident memory of each engine at the near end: as it starts, connected and idle, and after transfers both ways, twice: what
// the second pair adds is growth, what the first adds is buffers and compiled code being touched for the first time.
import { setTimeout as pause } from 'node:timers/promises';
import { it } from 'vitest';
import { Culvert } from '../live/culvert.ts';
import { cannotRunLive, Lab } from '../live/lab.ts';
import { live } from '../live/live.ts';
import { everyProduct, openAll } from './contenders/all.ts';
import { type Contender, pidOf } from './contenders/contender.ts';
import { culvert } from './contenders/culvert.ts';
import { transfer } from './iperf.ts';
import { machine, residentMebibytes } from './machine.ts';
import { print, save } from './report.ts';
import { SECONDS } from './settings.ts';
import { figure, table } from './table.ts';

/** Culvert's engine, both directions busy, MiB. */
const GOAL_MEBIBYTES = 120;
const SETTLE_MS = 1000;

interface Row {
  readonly product: string;
  readonly name: string;
  /** MiB; undefined: it has no such moment. */
  readonly started: number | undefined;
  readonly connected: number;
  readonly afterTransfer: number;
  readonly afterSecond: number;
  /** MiB that the second pair of transfers added, per gigabyte moved. */
  readonly growthPerGigabyte: number;
}

/** An engine that was started and not told to connect. */
async function startedOnly(): Promise<number> {
  const lab = new Lab();
  try {
    lab.namespace('cl');
    const client = await Culvert.start(lab, 'cl');
    await pause(SETTLE_MS);
    return residentMebibytes([pidOf(client.daemon)]);
  } finally {
    await lab.close();
  }
}

/** Gigabytes moved. */
async function bothWays({ lab, address }: Contender): Promise<number> {
  let bits = 0;
  for (const direction of ['up', 'down'] as const)
    bits += (await transfer(lab, address, direction, SECONDS)).megabitsPerSecond * 1e6 * SECONDS;
  await pause(SETTLE_MS);
  return bits / 8e9;
}

async function measure(contender: Contender): Promise<Row> {
  const { product, name, engine } = contender;
  const resident = (): number => residentMebibytes(engine);
  await pause(SETTLE_MS);
  const connected = resident();
  await bothWays(contender);
  const afterTransfer = resident();
  const gigabytes = await bothWays(contender);
  const afterSecond = resident();
  return {
    product,
    name,
    started: product === 'culvert' ? await startedOnly() : undefined,
    connected,
    afterTransfer,
    afterSecond,
    growthPerGigabyte: (afterSecond - afterTransfer) / gigabytes,
  };
}

live('memory', [cannotRunLive()], () => {
  it('resident memory of each engine', async () => {
    const opened: Contender[] = [];
    try {
      const finished = machine();
      const recipes = [...everyProduct(), culvert('chacha20poly1305')];
      const { contenders, absent } = await openAll(recipes, { offloads: true }, (one) => opened.push(one));
      const rows: Row[] = [];
      for (const contender of contenders) rows.push(await measure(contender));
      const report = { benchmark: 'memory', machine: finished(), rows, absent };
      save(report);
      const most = Math.max(...rows.filter(({ product }) => product === 'culvert').map((row) => row.afterSecond));
      print(
        `Resident memory of the engine at the near end, MiB; a transfer is ${SECONDS} s each way`,
        report,
        table(
          [['', 'started', 'connected, idle', 'after a transfer', 'after another', 'growth, MiB/GB']],
          rows.map((row) => [
            row.name,
            row.started === undefined ? '–' : figure(row.started),
            figure(row.connected),
            figure(row.afterTransfer),
            figure(row.afterSecond),
            figure(row.growthPerGigabyte),
          ]),
        ),
        '',
        `Goal: Culvert's engine under ${GOAL_MEBIBYTES} MiB: ${figure(most)}, ${most < GOAL_MEBIBYTES ? 'reached' : 'NOT reached'}`,
      );
    } finally {
      for (const contender of opened) await contender.close();
    }
  }, 900_000);
});
