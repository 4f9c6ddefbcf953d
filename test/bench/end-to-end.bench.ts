// Whole tunnels, side by side in one run: iperf3 TCP in both directions and idle pings, for Culvert at both ends (GRE
// included), strongSwan's userspace ESP and the bare veth pair. Machines are noisy: the ratios are what counts, the figure
// of each is the median of its rounds, and the rounds take turns. CULVERT_BENCH_ROUNDS, CULVERT_BENCH_SECONDS.
import { mkdirSync, writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { culvertMissing } from '../live/culvert.ts';
import { cannotRunLive } from '../live/lab.ts';
import { live } from '../live/live.ts';
import { strongSwanMissing } from '../live/strongswan.ts';
import { bareLink, type Contender, culvert, strongSwan } from './contenders.ts';
import { iperf } from './iperf.ts';

const ROUNDS = Number(process.env.CULVERT_BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.CULVERT_BENCH_SECONDS ?? 5);

interface Row {
  name: string;
  up: number;
  down: number;
  cpuUp: number;
  cpuDown: number;
  /** Milliseconds, idle. */
  ping: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

async function ping(contender: Contender): Promise<number> {
  const { stdout } = await contender.lab.finish('cl', [
    'ping',
    '-n',
    '-q',
    '-c',
    '50',
    '-i',
    '0.02',
    contender.address,
  ]);
  const match = /= [\d.]+\/([\d.]+)\//.exec(stdout);
  if (!match) throw new Error(`ping ${contender.name}: ${stdout}`);
  return Number(match[1]);
}

async function measure(contenders: readonly Contender[]): Promise<Row[]> {
  const samples = contenders.map(
    () =>
      ({ up: [], down: [], cpuUp: [], cpuDown: [], ping: [] as number[] }) as Record<
        'up' | 'down' | 'cpuUp' | 'cpuDown' | 'ping',
        number[]
      >,
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, contender] of contenders.entries()) {
      const of = samples[index] as (typeof samples)[number];
      of.ping.push(await ping(contender));
      const up = await iperf(contender.lab, 'cl', 'gw', contender.address, 'up', SECONDS);
      const down = await iperf(contender.lab, 'cl', 'gw', contender.address, 'down', SECONDS);
      of.up.push(up.megabitsPerSecond);
      of.down.push(down.megabitsPerSecond);
      of.cpuUp.push(up.cpuPerGigabyte);
      of.cpuDown.push(down.cpuPerGigabyte);
    }
  }
  return contenders.map(({ name }, index) => {
    const of = samples[index] as (typeof samples)[number];
    return {
      name,
      up: median(of.up),
      down: median(of.down),
      cpuUp: median(of.cpuUp),
      cpuDown: median(of.cpuDown),
      ping: median(of.ping),
    };
  });
}

function print(title: string, rows: readonly Row[]): void {
  const best = (cipher: string): Row | undefined =>
    rows.find(({ name }) => name.includes('strongSwan') && name.includes(cipher));
  console.log(`\n${title} (medians of ${ROUNDS} rounds of ${SECONDS} s)`);
  console.log('                                        Mbit/s         × strongSwan    CPU s/GB       idle ping');
  console.log('                                        up     down    up     down     up     down    ms');
  for (const row of rows) {
    const base = best(row.name.includes('chacha') ? 'chacha' : 'aes');
    const ratio = (key: 'up' | 'down'): string => (base ? (row[key] / base[key]).toFixed(2) : '–');
    console.log(
      row.name.padEnd(40) +
        [
          row.up.toFixed(0).padEnd(7),
          row.down.toFixed(0).padEnd(8),
          ratio('up').padEnd(7),
          ratio('down').padEnd(9),
        ].join('') +
        [row.cpuUp.toFixed(2).padEnd(7), row.cpuDown.toFixed(2).padEnd(8), row.ping.toFixed(3)].join(''),
    );
  }
}

live('end to end', [cannotRunLive(), strongSwanMissing(), culvertMissing(), culvertMissing('gateway/run.js')], () => {
  for (const offloads of [true, false]) {
    it(`offloads of the link ${offloads ? 'on' : 'off'}`, async () => {
      const contenders: Contender[] = [];
      try {
        contenders.push(await bareLink({ offloads }));
        for (const esp of ['aes128gcm16', 'chacha20poly1305']) {
          contenders.push(await culvert({ offloads }, esp));
          contenders.push(await strongSwan({ offloads }, esp));
        }
        const rows = await measure(contenders);
        print(`Link with segmentation offloads ${offloads ? 'on' : 'off'}`, rows);
        mkdirSync('build/out/bench', { recursive: true });
        writeFileSync(
          `build/out/bench/end-to-end-${offloads ? 'offloads' : 'plain'}.json`,
          JSON.stringify(rows, null, 2),
        );
      } finally {
        for (const contender of contenders) await contender.close();
      }
    }, 900_000);
  }
});
