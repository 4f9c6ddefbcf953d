// One iperf3 measurement between two namespaces, with the CPU time that everything on the way used.
import { readFileSync } from 'node:fs';
import type { Lab } from '../live/lab.ts';

export interface Measured {
  readonly megabitsPerSecond: number;
  /** CPU seconds (all processors, user and system) per gigabyte moved. */
  readonly cpuPerGigabyte: number;
}

/** Busy jiffies (1/100 s) of all processors so far. */
function busy(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] as string).split(/\s+/).map(Number);
  // user nice system idle iowait irq softirq steal
  return [0, 1, 2, 5, 6].reduce((sum, index) => sum + (fields[index] ?? 0), 0);
}

export async function iperf(
  lab: Lab,
  client: string,
  server: string,
  address: string,
  direction: 'up' | 'down',
  seconds: number,
): Promise<Measured> {
  const listening = lab.start(server, ['iperf3', '-s', '-1', '-B', address, '--forceflush']);
  await listening.saw(/listening on/);
  const before = busy();
  const ran = await lab.finish(
    client,
    ['iperf3', '-c', address, '-t', String(seconds), '-J', ...(direction === 'down' ? ['-R'] : [])],
    (seconds + 20) * 1000,
  );
  const used = (busy() - before) / 100;
  await listening.stop();
  if (ran.code !== 0) throw new Error(`iperf3: ${ran.stdout}${ran.stderr}`);
  const { end } = JSON.parse(ran.stdout) as {
    end: { sum_received: { bits_per_second: number; bytes: number } };
  };
  return {
    megabitsPerSecond: end.sum_received.bits_per_second / 1e6,
    cpuPerGigabyte: used / (end.sum_received.bytes / 1e9),
  };
}
