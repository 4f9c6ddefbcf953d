// Traffic through the tunnel that is watched while something happens to its SAs.
import { expect } from 'vitest';
import type { Lab } from './lab.ts';

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
