import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, it, vi } from 'vitest';
import { libc } from '../../main/native/libc.ts';
import { schedulePromptly } from '../../main/path/prompt.ts';
import { openSide } from './pair.ts';

it('asks for short turns and no greater share; a refusal is borne', () => {
  const asked: [number, number][] = [];
  const schedule = (nice: number, slice: number) => {
    asked.push([nice, slice]);
    return -1;
  };
  schedulePromptly({ schedule }, 7);
  expect(asked).toEqual([[7, 300_000]]);
});

it('is understood by this kernel, without privilege', () => {
  const nice = getPriority();
  // The default of a machine with two processors, so that the tests after this one do not notice.
  expect(libc().schedule(nice, 2_800_000)).toBe(0);
  expect(getPriority()).toBe(nice);
});

it('leaves the scheduling policy that an administrator chose', () => {
  const choose = (policy: string) => execFileSync('chrt', [`--${policy}`, '--pid', '0', String(process.pid)]);
  // proc_pid_stat(5): the 41st field, the 39th behind the name. SCHED_BATCH is 3.
  const policy = () => readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)!.split(' ')[38];
  choose('batch');
  try {
    expect(policy()).toBe('3');
    libc().schedule(getPriority(), 2_800_000);
    expect(policy()).toBe('3');
  } finally {
    choose('other');
  }
});

/** Threads of this process with turns of 0.3 ms; undefined: this kernel does not show turns, or does not know them. */
function prompt(): number | undefined {
  const slices = readdirSync('/proc/self/task').map((id) => {
    try {
      return /^se\.slice\s*:\s*(\d+)/m.exec(readFileSync(`/proc/self/task/${id}/sched`, 'utf8'))?.[1];
    } catch {
      // The thread has ended meanwhile, or there is no such file in this kernel.
      return undefined;
    }
  });
  return slices.some((slice) => slice !== undefined) ? slices.filter((slice) => slice === '300000').length : undefined;
}

it.skipIf(prompt() === undefined).each([
  ['workers', 2],
  ['single', 1],
] as const)('each thread of a data plane has asked for it: %s', async (threads, count) => {
  const before = prompt()!;
  const side = await openSide(threads, 4, false);
  try {
    await vi.waitFor(() => expect(prompt()).toBe(before + count));
  } finally {
    await side.close();
  }
});
