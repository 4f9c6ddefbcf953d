// What a worker does, turn by turn, with a loop and stages of the test's: in which order, and that it tidies up.
import { expect, it } from 'vitest';
import type { Outcome } from '../../main/path/loop.ts';
import { work } from '../../main/path/work.ts';

/** Each stage goes on for `turns` of its turns. `script` answers the loop's turns; time passes as it says. */
function worker(turns: number, script: (longest: number, log: readonly string[]) => Outcome, clock: () => number) {
  const log: string[] = [];
  let stages = 0;
  const openStage = () => {
    const number = ++stages;
    let left = turns;
    log.push(`open ${number}`);
    return {
      get goesOn() {
        return left > 0;
      },
      step: () => {
        left--;
        log.push('step');
      },
      close: () => log.push(`close ${number}`),
    };
  };
  const makeLoop = () => {
    log.push('loop');
    return {
      turn: (longest: number) => {
        const outcome = script(longest, log);
        log.push(`${outcome} ${longest}`);
        return outcome;
      },
    };
  };
  work(makeLoop, openStage, clock, () => log.push('rehearsed'));
  return log;
}

const steps = (log: readonly string[]) => log.filter((each) => each === 'step').length;

it('makes the real loop after a glance at the first stage, and rehearses on two, each closed', () => {
  const log = worker(
    20,
    (longest) => (longest === 0 ? 'nothing' : 'quit'),
    () => 0,
  );
  expect(log.slice(0, 18)).toEqual(['open 1', ...Array(16).fill('step'), 'loop']);
  expect(log.filter((each) => /open|close|loop|quit/.test(each))).toEqual([
    'open 1',
    'loop',
    'close 1',
    'open 2',
    'quit -1',
    'close 2',
  ]);
  expect(steps(log)).toBe(40);
  // Once, behind the last step and before the first wait.
  expect(log.slice(-3)).toEqual(['rehearsed', 'quit -1', 'close 2']);
  expect(log.indexOf('rehearsed')).toBe(log.length - 3);
});

it('rehearses only where a look found nothing to do', () => {
  let look = 0;
  const log = worker(
    30,
    (longest) => (longest < 0 ? 'quit' : look++ % 3 === 2 ? 'nothing' : 'worked'),
    () => 0,
  );
  const from = log.indexOf('loop');
  log.slice(from).forEach((each, index, rest) => {
    if (each === 'step') expect(rest[index - 1]).toBe('nothing 0');
  });
  expect(steps(log)).toBe(60);
});

it('stops at once when told to while it rehearses', () => {
  const log = worker(
    100,
    (_longest, so) => (steps(so) < 20 ? 'nothing' : 'quit'),
    () => 0,
  );
  expect(log.slice(-2)).toEqual(['quit 0', 'close 1']);
  expect(steps(log)).toBe(20);
});

it('works without a stage', () => {
  let turn = 0;
  const seen: number[] = [];
  const loop = {
    turn: (longest: number): Outcome => {
      seen.push(longest);
      return turn++ < 3 ? 'worked' : 'quit';
    },
  };
  work(
    () => loop,
    () => undefined,
    () => 0,
  );
  expect(seen).toEqual([-1, -1, -1, -1]);
});

it('closes the stage where the loop breaks', () => {
  const closed: string[] = [];
  const stage = { goesOn: false, step: () => {}, close: () => closed.push('closed') };
  const loop = {
    turn: (): Outcome => {
      throw new Error('the loop broke');
    },
  };
  expect(() =>
    work(
      () => loop,
      () => stage,
      () => 0,
    ),
  ).toThrow('the loop broke');
  expect(closed).toEqual(['closed', 'closed']);
});

it('rehearses right before the next packet of a beat, and waits for ever once it has ended', () => {
  let now = 0;
  let packets = 0;
  const waits: number[] = [];
  const log = worker(
    16,
    (longest) => {
      if (longest === 0 && packets === 0) return 'nothing';
      waits.push(longest);
      // A packet every 20 ms; after ten of them, none.
      const next = packets < 10 ? (packets + 1) * 20 : Number.POSITIVE_INFINITY;
      if (longest >= 0 && now + longest < next) {
        now += longest;
        return 'nothing';
      }
      if (next === Number.POSITIVE_INFINITY) return 'quit';
      now = next;
      packets++;
      return 'worked';
    },
    () => now,
  );
  const from = log.findIndex((each) => each.startsWith('worked'));
  // Twice for each packet but the first four: gaps must show the beat first. And once for the one that did not come.
  expect(steps(log.slice(from))).toBe(2 * 7);
  expect(waits.slice(0, 4)).toEqual([-1, -1, -1, -1]);
  expect(waits.slice(4, 8)).toEqual([19, -1, 19, -1]);
  expect(waits.at(-1)).toBe(-1);
});
