import { describe, expect, test } from 'vitest';
import { LEAST_BETWEEN, Reauthentication } from '../../main/ike/reauthentication.ts';
import type { LifetimePolicy } from '../../main/ike/timing.ts';

const HOUR = 3_600_000;
const none = (length: number): Uint8Array => new Uint8Array(length);
const every = (reauth: number): LifetimePolicy => ({ child: 0, ike: 0, reauth, jitter: 0.1 });

describe('our own lifetime', () => {
  test('none: never', () => {
    const it = new Reauthentication('initiator', undefined, none, 0);
    expect(it.at).toBeNull();
    expect(it.isDue(Number.MAX_VALUE)).toBe(false);
  });

  test('it is due once, and says how long the old authentication lasts', () => {
    const it = new Reauthentication('initiator', every(HOUR), none, 1000);
    expect(it.at).toBe(1000 + HOUR);
    expect(it.isDue(999 + HOUR)).toBe(false);
    expect(it.isDue(1000 + HOUR)).toBe(true);
    // A tenth more, see limitOf.
    expect(it.ask(undefined, 1000 + HOUR)).toBe(HOUR / 10);
    expect(it.at).toBeNull();
  });
});

describe("the gateway's AUTH_LIFETIME (RFC 4478)", () => {
  test('a while before its end', () => {
    const it = new Reauthentication('initiator', undefined, none, 0);
    it.limit(HOUR, 0);
    expect(it.at).toBe(0.9 * HOUR);
    expect(it.ask(undefined, 0.9 * HOUR)).toBe(0.1 * HOUR);
  });

  test('the sooner of the two ends counts', () => {
    const ours = new Reauthentication('initiator', every(HOUR), none, 0);
    ours.limit(2 * HOUR, 0);
    expect(ours.at).toBe(HOUR);
    const theirs = new Reauthentication('initiator', every(HOUR), none, 0);
    theirs.limit(HOUR / 2, 0);
    expect(theirs.at).toBe(0.45 * HOUR);
    // Said again, later: the first one is not undone.
    theirs.limit(HOUR, 0);
    expect(theirs.at).toBe(0.45 * HOUR);
  });

  test('only who began the connection begins another', () => {
    const it = new Reauthentication('responder', undefined, none, 0);
    it.limit(HOUR, 0);
    expect(it.at).toBeNull();
  });

  test.each([0, 1000, 30_000])('%i ms: what has just been done is left alone for a minute', (time) => {
    const it = new Reauthentication('initiator', undefined, none, 5000);
    it.limit(time, 5000);
    expect(it.at).toBe(5000 + LEAST_BETWEEN);
    expect(it.ask(undefined, 5000 + LEAST_BETWEEN)).toBe(0);
  });

  test('a gateway that says 1 s again and again is followed once a minute', () => {
    const it = new Reauthentication('initiator', undefined, none, 0);
    const asked: number[] = [];
    for (let now = 0; now <= 10 * LEAST_BETWEEN; now += 1000) {
      it.limit(1000, now);
      if (!it.isDue(now)) continue;
      asked.push(now);
      it.ask(undefined, now);
    }
    expect(asked).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) * LEAST_BETWEEN));
  });

  test('an old authentication is renewed at once where the gateway wants that', () => {
    const it = new Reauthentication('initiator', undefined, none, 0);
    it.limit(0, HOUR);
    expect(it.at).toBe(HOUR);
  });
});

test('asked for another reason: until the CHILD SA ends, or now', () => {
  expect(new Reauthentication('initiator', undefined, none, 0).ask(5000, 1000)).toBe(4000);
  expect(new Reauthentication('initiator', undefined, none, 0).ask(undefined, 1000)).toBe(0);
});
