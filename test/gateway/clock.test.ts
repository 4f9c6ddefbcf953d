// The real clock, on timers of vitest's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../main/gateway/clock.ts';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([0.5, 1000, 2 ** 31 - 1, 2 ** 31, 60 * DAY])('a timer of %d ms fires once, then', (wait) => {
  const fired: number[] = [];
  const start = systemClock.now();
  systemClock.setTimer(start + wait, () => fired.push(systemClock.now() - start));
  vi.advanceTimersByTime(Math.ceil(wait) - 1);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(2);
  vi.advanceTimersByTime(100 * DAY);
  expect(fired).toEqual([Math.ceil(wait)]);
});

test('a long timer can be cancelled at any time', () => {
  let fired = 0;
  const timer = systemClock.setTimer(systemClock.now() + 60 * DAY, () => fired++);
  vi.advanceTimersByTime(30 * DAY);
  timer.cancel();
  vi.advanceTimersByTime(100 * DAY);
  expect([fired, vi.getTimerCount()]).toEqual([0, 0]);
});
