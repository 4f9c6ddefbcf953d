// Traffic through the tunnel that is watched while something happens to its SAs.
import { expect } from 'vitest';
import type { Lab } from './lab.ts';

/**
 * Pings `count` times; returns how many were answered. ping itself waits no longer for its last ones than twice the longest round
 * trip so far, which is nothing on a busy machine: where only the last ones are missing they are sent again.
 */
export async function answered(lab: Lab, count: number, options: readonly string[], address: string): Promise<number> {
  let [left, got] = [count, 0];
  while (left > 0) {
    const { stdout, stderr } = await lab.finish('cl', [
      'ping',
      '-n',
      '-W',
      '2',
      '-c',
      String(left),
      ...options,
      address,
    ]);
    if (!stdout.includes(' received')) throw new Error(`ping: ${stdout}${stderr}`);
    const sequences = new Set(
      [...stdout.matchAll(/bytes from .*icmp_seq=(\d+) /g)].map(([, number]) => Number(number)),
    );
    if (sequences.size === 0) return got;
    got += sequences.size;
    left -= Math.max(...sequences);
  }
  return got;
}

/**
 * Pings `address` a hundred times a second while `work` runs and until thirty more are answered: not one may be lost (or `most`,
 * with a peer that loses some by itself), nor arrive twice. Returns how many there were.
 */
export async function losesNothing(lab: Lab, address: string, work: () => Promise<void>, most = 0): Promise<number> {
  const running = lab.start('cl', ['ping', '-n', '-i', '0.01', '-s', '600', address]);
  const last = (): number => Number([...running.output.matchAll(/icmp_seq=(\d+) /g)].at(-1)?.[1] ?? 0);
  await running.saw(/icmp_seq=10 /);
  await work();
  await running.saw(new RegExp(`icmp_seq=${last() + 30} `));
  await running.stop('SIGINT');
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(running.output) ?? [];
  // The last ones may still be on their way when ping is ended.
  const missing = Array.from({ length: last() }, (_, i) => i + 1).filter(
    (sequence) => !running.output.includes(`icmp_seq=${sequence} `),
  );
  expect(missing.length, `${sent} sent, ${received} received; missing ${missing}`).toBeLessThanOrEqual(most);
  expect(running.output).not.toContain('DUP!');
  return Number(received);
}
