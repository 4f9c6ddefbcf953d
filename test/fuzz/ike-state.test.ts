// The state machines against a hostile peer that has the keys. CULVERT_SEED: that run alone; CULVERT_HOSTILE_RUNS: how many (200 by
// itself, 12,000 with CULVERT_LONG); CULVERT_HOSTILE_FIRST: from which seed on.
import { expect, test } from 'vitest';
import { type HostileRun, hostileRun } from './ike-state.ts';

const ONE = process.env.CULVERT_SEED;
const RUNS = Number(process.env.CULVERT_HOSTILE_RUNS ?? (process.env.CULVERT_LONG ? 12_000 : 200));
const FIRST = Number(process.env.CULVERT_HOSTILE_FIRST ?? 1);

test(
  `${RUNS} hostile peers: no end throws, hangs, or takes what was not agreed on`,
  async () => {
    const runs: HostileRun[] = [];
    for (let seed = ONE ? Number(ONE) : FIRST; runs.length < RUNS; seed++) {
      try {
        runs.push(hostileRun(seed));
      } catch (error) {
        throw new Error(`CULVERT_SEED=${seed} repeats this`, { cause: error });
      }
      if (ONE) return;
      // The reporter wants to be heard.
      if (runs.length % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const count = (which: (run: HostileRun) => boolean): number => runs.filter(which).length;
    const sum = (of: (run: HostileRun) => number): number => runs.reduce((total, run) => total + of(run), 0);
    console.log(
      `hostile peers, seeds ${FIRST} to ${FIRST + runs.length - 1}: ${sum((run) => run.spoilt)} messages spoilt, ${sum((run) => run.injected)} unasked, ` +
        `${count((run) => run.everEstablished)} victims got established, ${count((run) => run.was === 'established')} stayed so, ` +
        `${sum((run) => run.installed)} CHILD SAs, ${sum((run) => run.rekeyed)} IKE SAs rekeyed, at most ${Math.max(...runs.map((run) => run.mostEffects))} effects`,
    );
    // Both roles, every depth.
    expect(count((run) => run.victim === 'client')).toBeGreaterThan(runs.length / 4);
    expect(count((run) => run.victim === 'gateway')).toBeGreaterThan(runs.length / 4);
    expect(count((run) => run.everEstablished)).toBeGreaterThan(runs.length / 4);
    expect(count((run) => !run.everEstablished)).toBeGreaterThan(runs.length / 20);
    expect(sum((run) => run.spoilt)).toBeGreaterThan(runs.length / 2);
    expect(sum((run) => run.injected)).toBeGreaterThan(2 * runs.length);
    expect(sum((run) => run.rekeyed)).toBeGreaterThan(runs.length / 10);
  },
  60_000 + RUNS * 500,
);
