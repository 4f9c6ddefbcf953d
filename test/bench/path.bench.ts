// The data plane alone, packets per second: TUN → seal → UDP → loopback → open → TUN, with socket pairs in place of the TUNs
// (path-rig.mjs). Peers in the same run: node:crypto with one system call a packet (path-node.mjs), and the bare socket pair,
// which is what feeding and draining cost by themselves.
//
//   one core    everything, feeding included, pinned to one processor; one thread for both directions
//   two cores   one worker for each direction, wherever the kernel puts them; feeding has a thread of its own
//   offloads    bursts of 44 TCP segments with a virtio header into the TUN and out of it, and UDP GRO on the socket
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';
import { culvertMissing } from '../live/culvert.ts';
import { cannotRunLive, Lab } from '../live/lab.ts';
import { live } from '../live/live.ts';
import { countCpu, machine } from './machine.ts';
import { mark, print, save } from './report.ts';
import { ROUNDS, SECONDS } from './settings.ts';
import { figure, ratio, type Spread, spread, table } from './table.ts';

const RIG = fileURLToPath(new URL('./path-rig.mjs', import.meta.url));
const SIZES = [64, 576, 1400] as const;
const CIPHERS = ['aes-gcm-16', 'chacha20-poly1305'] as const;
const MILLISECONDS = Math.min(1000, SECONDS * 100);
const WARM_UP_MILLISECONDS = 200;

interface Task {
  readonly path: 'culvert' | 'node' | 'bare';
  readonly cipher?: (typeof CIPHERS)[number];
  readonly size: (typeof SIZES)[number];
}

interface Seen {
  readonly packets: number;
  readonly lost: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Rig {
  readonly cores: 1 | 2;
  readonly offloads: boolean;
  run(task: Task, milliseconds: number): Promise<Seen>;
}

function startRig(lab: Lab, cores: 1 | 2, offloads: boolean): Rig {
  const pinned = cores === 1 ? ['taskset', '-c', '0'] : [];
  const options = JSON.stringify({ threads: cores === 1 ? 'single' : 'workers', offloads });
  const child = spawn('ip', ['netns', 'exec', lab.name('cl'), ...pinned, process.execPath, RIG, options], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => waiting?.resolve(line));
  child.on('close', () => waiting?.reject(new Error(`the rig ended: ${said}`)));
  return {
    cores,
    offloads,
    run: async (task, milliseconds) => {
      const line = await new Promise<string>((resolve, reject) => {
        waiting = { resolve, reject };
        child.stdin.write(`${JSON.stringify({ ...task, milliseconds })}\n`);
      });
      return JSON.parse(line) as Seen;
    },
  };
}

interface Row extends Task {
  readonly cores: 1 | 2;
  readonly offloads: boolean;
  readonly packetsPerSecond: Spread;
  /** Inner bytes, 10^9 bits a second. */
  readonly gigabitsPerSecond: number;
  /** CPU time of the whole process, both ends and feeding included. */
  readonly cpuNanosecondsPerPacket: Spread;
  readonly lost: number;
  readonly foreign: number;
}

interface Cell {
  readonly rig: Rig;
  readonly task: Task;
  readonly seen: Seen[];
  readonly foreign: number[];
}

function cellsOf(rig: Rig): Cell[] {
  const tasks: Task[] = SIZES.flatMap((size) => [
    { path: 'bare' as const, size },
    ...CIPHERS.flatMap((cipher): Task[] => [
      { path: 'culvert', cipher, size },
      // It has one thread and knows no bursts.
      ...(rig.cores === 1 && !rig.offloads ? [{ path: 'node' as const, cipher, size }] : []),
    ]),
  ]);
  return tasks.map((task) => ({ rig, task, seen: [], foreign: [] }));
}

function rowOf({ rig: { cores, offloads }, task, seen, foreign }: Cell): Row {
  const rate = spread(seen.map(({ packets, seconds }) => packets / seconds));
  return {
    ...task,
    cores,
    offloads,
    packetsPerSecond: rate,
    gigabitsPerSecond: (rate.median * 8 * task.size) / 1e9,
    cpuNanosecondsPerPacket: spread(seen.map(({ cpuSeconds, packets }) => (1e9 * cpuSeconds) / packets)),
    lost: seen.reduce((sum, { lost }) => sum + lost, 0),
    foreign: Math.max(...foreign),
  };
}

const NAMES = { culvert: 'Culvert', node: 'node:crypto, packet by packet', bare: 'bare socket pair' } as const;

function tableOf(rows: readonly Row[]): string {
  const lines = new Map<string, Row[]>();
  for (const row of rows) {
    const name = `${NAMES[row.path]}${row.cipher ? `, ${row.cipher}` : ''}; ${row.cores === 1 ? 'one core' : 'two cores'}${row.offloads ? ', offloads' : ''}`;
    lines.set(name, [...(lines.get(name) ?? []), row]);
  }
  const peer = (row: Row): Row | undefined =>
    rows.find(({ path, cipher, size }) => path === 'node' && cipher === row.cipher && size === row.size);
  return table(
    [
      ['', ...SIZES.flatMap((size) => [`${size} B`, '', '', ''])],
      ['', ...SIZES.flatMap(() => ['packets/s', 'Gbit/s', 'CPU ns', '× node'])],
    ],
    [...lines].map(([name, of]) => {
      const cells = of.flatMap((row) => {
        const other = row.path === 'culvert' ? peer(row) : undefined;
        return [
          figure(row.packetsPerSecond.median),
          figure(row.gigabitsPerSecond),
          figure(row.cpuNanosecondsPerPacket.median),
          other ? ratio(row.packetsPerSecond.median / other.packetsPerSecond.median) : '–',
        ];
      });
      const foreign = mark(Math.max(...of.map((row) => row.foreign)));
      const lost = of.reduce((sum, row) => sum + row.lost, 0);
      return [name, ...cells, `${lost ? ` lost ${lost}` : ''}${foreign}`];
    }),
  );
}

live('path', [cannotRunLive(), culvertMissing('path/worker.js')], () => {
  it('packets per second', async () => {
    const lab = new Lab();
    try {
      const finished = machine();
      for (const namespace of ['cl', 'gw']) lab.namespace(namespace);
      const rigs = ([1, 2] as const).flatMap((cores) =>
        [false, true].map((offloads) => startRig(lab, cores, offloads)),
      );
      const cells = rigs.flatMap(cellsOf);
      for (const { rig, task } of cells) await rig.run(task, WARM_UP_MILLISECONDS);
      for (let round = 0; round < ROUNDS; round++) {
        for (const { rig, task, seen, foreign } of cells) {
          const count = countCpu([lab]);
          seen.push(await rig.run(task, MILLISECONDS));
          foreign.push(count().foreign);
        }
      }
      const rows = cells.map(rowOf);
      const report = { benchmark: 'path', machine: finished(), rows };
      save(report);
      print(
        `The data plane alone: medians of ${ROUNDS} rounds of ${MILLISECONDS} ms; × node: against node:crypto on one core`,
        report,
        tableOf(rows),
      );
    } finally {
      await lab.close();
    }
  }, 900_000);
});
