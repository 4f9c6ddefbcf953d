// Whole tunnels, side by side in one run: iperf3 TCP in both directions, pings through the idle and the saturated tunnel, for
// Culvert at both ends (GRE included), OpenVPN, wireguard-go, strongSwan's userspace ESP and the bare veth pair. Machines are
// noisy: contenders take turns inside each round, a transfer that others disturbed is repeated, and ratios are what counts.
import { it } from 'vitest';
import { cannotRunLive } from '../live/lab.ts';
import { live } from '../live/live.ts';
import { everyTunnel, openAll } from './contenders/all.ts';
import type { Contender } from './contenders/contender.ts';
import { ping, strayPings, type Transfer, transfer } from './iperf.ts';
import { CALM, machine } from './machine.ts';
import { cipherOf, type Direction, isOurs, type Row, reachTable } from './reach.ts';
import { mark, print, save } from './report.ts';
import { ROUNDS, SECONDS } from './settings.ts';
import { figure, percentile, ratio, spread, table, withRange } from './table.ts';

const IDLE_PING_SECONDS = 2;
/** Seconds. The rarer, the colder is everything that a ping wakes: all processors' caches, and code that was never hot. */
const IDLE_PING_INTERVAL = 0.02;
/** Milliseconds between pings that keep no beat, which Culvert's workers could get ready for: 30 to 130, the same in each run. */
const STRAY_GAPS = Array.from({ length: 25 }, (_, index) => 30 + ((index * 61) % 101));
/** A disturbed transfer is tried so many times in all; the calmest counts. */
const ATTEMPTS = ROUNDS > 1 ? 2 : 1;

async function calmest(contender: Contender, direction: 'up' | 'down'): Promise<Transfer> {
  let best: Transfer | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const tried = await transfer(contender.lab, contender.address, direction, SECONDS);
    if (!best || tried.foreign < best.foreign) best = tried;
    if (best.foreign <= CALM) break;
  }
  return best as Transfer;
}

function directionOf(samples: readonly Transfer[]): Direction {
  const loaded = samples.flatMap((sample) => sample.loaded);
  return {
    throughput: spread(samples.map((sample) => sample.megabitsPerSecond)),
    cpu: spread(samples.map((sample) => sample.cpuPerGigabyte)),
    loadedMedian: percentile(loaded, 0.5),
    loaded99: percentile(loaded, 0.99),
    pings: loaded.length,
    pingsLost: samples.reduce((sum, sample) => sum + sample.lost, 0),
  };
}

async function measure(contenders: readonly Contender[]): Promise<Row[]> {
  const samples = contenders.map(() => ({
    up: [] as Transfer[],
    down: [] as Transfer[],
    idle: [] as number[][],
    stray: [] as number[][],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, contender] of contenders.entries()) {
      const of = samples[index] as (typeof samples)[number];
      const idle = await ping(contender.lab, contender.address, IDLE_PING_SECONDS, IDLE_PING_INTERVAL);
      of.idle.push(idle.times);
      of.stray.push(await strayPings(contender.lab, contender.address, STRAY_GAPS));
      of.up.push(await calmest(contender, 'up'));
      of.down.push(await calmest(contender, 'down'));
    }
  }
  return contenders.map(({ product, name }, index) => {
    const { up, down, idle, stray } = samples[index] as (typeof samples)[number];
    return {
      product,
      name,
      up: directionOf(up),
      down: directionOf(down),
      idlePing: spread(idle.map((times) => percentile(times, 0.5))),
      idle99: percentile(idle.flat(), 0.99),
      idleInterval: 1000 * IDLE_PING_INTERVAL,
      strayPing: spread(stray.map((times) => percentile(times, 0.5))),
      foreign: Math.max(...[...up, ...down].map((sample) => sample.foreign)),
    };
  });
}

function mainTable(rows: readonly Row[]): string {
  return table(
    [
      [
        '',
        'TCP Mbit/s',
        '',
        'CPU s/GB',
        '',
        `ping, idle: every ${1000 * IDLE_PING_INTERVAL} ms`,
        'at odd moments',
        'ping under load, median / p99, ms',
        '',
      ],
      ['', 'up', 'down', 'up', 'down', 'median / p99, ms', 'median, ms', 'up', 'down'],
    ],
    rows.map(({ name, up, down, idlePing, idle99, strayPing, foreign }) => [
      name,
      withRange(up.throughput),
      withRange(down.throughput),
      figure(up.cpu.median),
      figure(down.cpu.median),
      `${withRange(idlePing)} / ${figure(idle99)}`,
      withRange(strayPing),
      `${figure(up.loadedMedian)} / ${figure(up.loaded99)}`,
      `${figure(down.loadedMedian)} / ${figure(down.loaded99)}${mark(foreign)}`,
    ]),
  );
}

/** Everyone else against each of Culvert's ciphers: TCP up / down, then CPU seconds up / down. */
function ratioTable(rows: readonly Row[]): string {
  const ours = rows.filter(isOurs);
  const pair = (up: number, down: number): string => `${ratio(up)} / ${ratio(down)}`;
  return table(
    [
      ['Culvert against (above 1: ahead), up / down', ...ours.map(cipherOf), ...ours.map(cipherOf)],
      ['', ...ours.map(() => 'TCP'), ...ours.map(() => 'CPU')],
    ],
    rows
      .filter((row) => !isOurs(row))
      .map(({ name, up, down }) => [
        name,
        ...ours.map((mine) =>
          pair(mine.up.throughput.median / up.throughput.median, mine.down.throughput.median / down.throughput.median),
        ),
        ...ours.map((mine) => pair(up.cpu.median / mine.up.cpu.median, down.cpu.median / mine.down.cpu.median)),
      ]),
  );
}

live('end to end', [cannotRunLive()], () => {
  for (const offloads of [true, false]) {
    it(`offloads of the link ${offloads ? 'on' : 'off'}`, async () => {
      const opened: Contender[] = [];
      try {
        const finished = machine();
        const { contenders, absent } = await openAll(everyTunnel(), { offloads }, (one) => opened.push(one));
        const rows = await measure(contenders);
        const report = {
          benchmark: `end-to-end-${offloads ? 'offloads' : 'plain'}`,
          machine: finished(),
          rows,
          absent,
        };
        save(report);
        print(
          `End to end, segmentation offloads of the link ${offloads ? 'on' : 'off'}: medians (ranges) of ${ROUNDS} rounds of ${SECONDS} s`,
          report,
          mainTable(rows),
          '',
          ratioTable(rows),
          '',
          reachTable(rows),
          ...(rows.some(({ foreign }) => foreign > CALM)
            ? ['Others used the machine meanwhile, not all contenders alike: judge these goals by a run in calm.']
            : []),
          '',
          '! behind a row: the share of the processors that other programs used in its worst sample.',
        );
      } finally {
        for (const contender of opened) await contender.close();
      }
    }, 3_600_000);
  }
});
