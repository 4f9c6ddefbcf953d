import { expect, it } from 'vitest';
import { CoDel, INTERVAL_MS, TARGET_MS } from '../../main/path/codel.ts';

/** Times at which a packet a millisecond, each having waited `sojourn(now)`, is dropped. */
function drops(codel: CoDel, from: number, to: number, sojourn: (now: number) => number, last = false): number[] {
  const at: number[] = [];
  for (let now = from; now < to; now++) if (codel.congested(sojourn(now), now, last)) at.push(now);
  return at;
}

it('bears a burst, however long its packets wait, for an interval', () => {
  const codel = new CoDel();
  expect(drops(codel, 1, INTERVAL_MS + 1, () => 500)).toEqual([]);
  expect(codel.congested(TARGET_MS - 1, INTERVAL_MS + 1, false)).toBe(false);
  // The clock starts anew with the next long wait.
  expect(drops(codel, INTERVAL_MS + 2, 2 * INTERVAL_MS + 2, () => 500)).toEqual([]);
});

it('drops more and more often while the wait stays long (RFC 8289 §5.4)', () => {
  const at = drops(new CoDel(), 1, 600, () => TARGET_MS);
  // One at once, then INTERVAL / √count after the one before; packets come on whole milliseconds.
  const expected = [101];
  let next = 101 + INTERVAL_MS;
  for (let count = 2; next < 600; count++) {
    expected.push(Math.ceil(next));
    next += INTERVAL_MS / Math.sqrt(count);
  }
  expect(at).toEqual(expected);
});

it('stops at the first short wait, and remembers its rate for a while (§5.6)', () => {
  const codel = new CoDel();
  const first = drops(codel, 1, 1000, () => 20);
  expect(codel.congested(0, 1000, false)).toBe(false);
  const again = drops(codel, 1001, 1300, () => 20);
  const fresh = drops(new CoDel(), 1001, 1300, () => 20);
  expect(first.length).toBeGreaterThan(10);
  expect(again[0]).toBe(fresh[0]);
  expect(again.length).toBeGreaterThan(fresh.length);
});

it('never drops the last packet of a queue (§5.5)', () => {
  expect(drops(new CoDel(), 1, 2000, () => 1000, true)).toEqual([]);
});

it('keeps a standing queue near the target: senders that halve their rate at a loss, a link of one packet a millisecond', () => {
  // An additive-increase, multiplicative-decrease sender in front of a first-in-first-out queue, 20 ms round trip.
  const simulate = (controlled: boolean) => {
    const codel = new CoDel();
    const queue: number[] = [];
    const waits: number[] = [];
    let window = 10;
    let credit = 0;
    let lossAt = -1;
    for (let now = 1; now < 20_000; now++) {
      if (now === lossAt) window = Math.max(2, window / 2);
      const roundTrip = 20 + queue.length;
      credit += window / roundTrip;
      window += 1 / roundTrip;
      for (; credit >= 1; credit--) if (queue.length < 1000) queue.push(now);
      const came = queue.shift();
      if (came === undefined) continue;
      if (now > 10_000) waits.push(now - came);
      if (controlled && codel.congested(now - came, now, queue.length === 0) && lossAt < now) lossAt = now + roundTrip;
    }
    return waits.sort((a, b) => a - b)[Math.floor(waits.length * 0.9)]!;
  };
  expect(simulate(false)).toBeGreaterThan(100);
  expect(simulate(true)).toBeLessThan(4 * TARGET_MS);
});
