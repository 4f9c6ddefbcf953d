// One iperf3 TCP transfer between the two namespaces of a lab, with the CPU time that everything on the way used, and pings
// through the same tunnel while it is saturated.
import type { Lab } from '../live/lab.ts';
import { countCpu } from './machine.ts';

export interface Transfer {
  readonly megabitsPerSecond: number;
  /** CPU seconds (all processors, user and system, without foreign programs) per gigabyte moved. */
  readonly cpuPerGigabyte: number;
  /** Share of the processors that others used. */
  readonly foreign: number;
  /** Round trips under load, milliseconds. */
  readonly loaded: readonly number[];
  /** Of the pings under load, how many were never answered. */
  readonly lost: number;
}

/** Pings every 10 ms, without waiting for answers: with -f or an adaptive interval a slow tunnel would be asked less often. */
const PING_INTERVAL = 0.01;

/** Round trips of one ping run, milliseconds, and how many had no answer. */
export async function ping(
  lab: Lab,
  address: string,
  seconds: number,
  interval: number = PING_INTERVAL,
): Promise<{ times: number[]; lost: number }> {
  const count = Math.max(1, Math.round(seconds / interval));
  const { stdout, stderr } = await lab.finish(
    'cl',
    ['ping', '-n', '-c', String(count), '-i', String(interval), '-W', '2', address],
    (seconds + 20) * 1000,
  );
  const times = [...stdout.matchAll(/time=([\d.]+) ms/g)].map(([, text]) => Number(text));
  if (times.length === 0) throw new Error(`ping ${address}: no answer\n${stdout}${stderr}`);
  return { times, lost: count - times.length };
}

/** The same of pings that keep no beat: each by itself, `gaps` (milliseconds) apart. */
export async function strayPings(lab: Lab, address: string, gaps: readonly number[]): Promise<number[]> {
  const script = gaps.map((gap) => `sleep ${gap / 1000}; ping -n -c 1 -W 2 ${address}`).join('; ');
  const { stdout, stderr } = await lab.finish('cl', ['sh', '-c', script], 20_000 + gaps.length * 2000);
  const times = [...stdout.matchAll(/time=([\d.]+) ms/g)].map(([, text]) => Number(text));
  if (times.length === 0) throw new Error(`ping ${address}: no answer\n${stdout}${stderr}`);
  return times;
}

export async function transfer(
  lab: Lab,
  address: string,
  direction: 'up' | 'down',
  seconds: number,
): Promise<Transfer> {
  const listening = lab.start('gw', ['iperf3', '-s', '-1', '-B', address, '--forceflush']);
  await listening.saw(/listening on/);
  const count = countCpu([lab]);
  const running = lab.finish(
    'cl',
    ['iperf3', '-c', address, '-t', String(seconds), '-J', ...(direction === 'down' ? ['-R'] : [])],
    (seconds + 20) * 1000,
  );
  const loaded = await ping(lab, address, seconds);
  const ran = await running;
  const used = count();
  await listening.stop();
  if (ran.code !== 0) throw new Error(`iperf3: ${ran.stdout}${ran.stderr}`);
  const { end } = JSON.parse(ran.stdout) as {
    end: { sum_received: { bits_per_second: number; bytes: number } };
  };
  return {
    megabitsPerSecond: end.sum_received.bits_per_second / 1e6,
    cpuPerGigabyte: used.cpuSeconds / (end.sum_received.bytes / 1e9),
    foreign: used.foreign,
    loaded: loaded.times,
    lost: loaded.lost,
  };
}
