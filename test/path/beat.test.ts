// When a rehearsal is worth it: before the next packet of a steady stream, and at no other time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Beat } from '../../main/path/beat.ts';

/** The times at which `beat` asks for a rehearsal, of packets that come at `times` (ms), until a minute after the last. */
function rehearsals(times: readonly number[], beat = new Beat()): number[] {
  const at: number[] = [];
  for (const [index, time] of times.entries()) {
    beat.came(time);
    const wait = beat.wait(time);
    const next = times[index + 1] ?? time + 60_000;
    if (wait < 0 || time + wait >= next) continue;
    at.push(time + wait);
    beat.ready();
    expect(beat.wait(time + wait)).toBe(-1);
  }
  return at;
}

const steady = (count: number, period: number, jitter = () => 0) =>
  Array.from({ length: count }, (_, index) => 1000 + index * period + jitter());

it('asks one to two milliseconds before each packet of a beat, once it is sure of it', () => {
  const times = steady(10, 20);
  // Three gaps make sure: the fifth packet is the first that is expected, and one beyond the last.
  expect(rehearsals(times)).toEqual([4, 5, 6, 7, 8, 9, 10].map((index) => 1000 + index * 20 - 1));
});

it.each([5, 16.7, 20, 33.3, 100, 200, 1000])('keeps a beat of %d ms that is up to 0.3 ms off', (period) => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -0.3, max: 0.3, noNaN: true }), { minLength: 40, maxLength: 40 }), (off) => {
      const times = off.map((each, index) => 1000 + index * period + each);
      const at = rehearsals(times);
      const missed = times.slice(4).filter((time) => !at.some((each) => each <= time && time - each < 3.5));
      expect(missed).toEqual([]);
    }),
  );
});

it('outlives one packet lost, and one late', () => {
  const lost = steady(20, 20).filter((_, index) => index !== 10);
  const late = steady(20, 20).map((time, index) => (index === 10 ? time + 9 : time));
  for (const times of [lost, late]) {
    const at = rehearsals(times);
    for (const time of times.slice(13)) expect(at.some((each) => each < time && time - each <= 3)).toBe(true);
  }
});

it('takes packets close together for one: the answer in between, two packets for each frame', () => {
  const times = steady(20, 20).flatMap((time) => [time, time + 0.3, time + 1.2]);
  expect(rehearsals(times)).toHaveLength(17);
});

describe('asks for nothing', () => {
  it('of a busy tunnel', () => {
    expect(rehearsals(steady(10_000, 0.4))).toEqual([]);
    expect(rehearsals(steady(1000, 2.9))).toEqual([]);
  });

  it('of a beat too slow to matter', () => {
    expect(rehearsals(steady(20, 2000))).toEqual([]);
  });

  it('after the stream has ended, but once', () => {
    const beat = new Beat();
    rehearsals(steady(20, 20), beat);
    expect(beat.wait(1000 + 20 * 20)).toBe(-1);
    expect(beat.wait(1000 + 20 * 20 + 10_000)).toBe(-1);
  });

  it('of packets that come as they like, but now and then', () => {
    // Exponential gaps, mean 50 ms: the traffic of a person at work.
    let seed = 12345;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fff_ffff;
      return (seed + 1) / 0x8000_0001;
    };
    const times: number[] = [];
    for (let time = 0; times.length < 2000; time += -50 * Math.log(random())) times.push(time);
    expect(rehearsals(times).length).toBeLessThan(200);
  });
});

it('never asks more often than packets came', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 2000, noNaN: true }), { maxLength: 60 }), (gaps) => {
      let time = 0;
      const times = gaps.map((gap) => {
        time += gap;
        return time;
      });
      expect(rehearsals(times).length).toBeLessThanOrEqual(times.length);
    }),
  );
});
