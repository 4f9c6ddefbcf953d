import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { libc } from '../../main/native/libc.ts';
import { schedulePromptly } from '../../main/path/prompt.ts';

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
