// Thousands of lives of a connection: rekeying of both kinds from both sides at overlapping times, deletes, limits, NATs that move, several
// CHILD SAs, over networks that lose, double, delay and reorder. Every one ends with both ends in agreement, or closed at both; and no
// packet is lost because of a rekeying.
//
// CULVERT_SEED=n runs that one life; CULVERT_SIM_RUNS=n runs so many (60 by itself, 10,000 in `npm run test:long`).
import { expect, test } from 'vitest';
import { lifeOf, live } from './life.ts';

const ONE = process.env.CULVERT_SEED;
const RUNS = Number(process.env.CULVERT_SIM_RUNS ?? 60);
const seeds = ONE ? [Number(ONE)] : Array.from({ length: RUNS }, (_, i) => i + 1);
const BLOCK = 30;
const blocks = Array.from({ length: Math.ceil(seeds.length / BLOCK) }, (_, i) =>
  seeds.slice(i * BLOCK, (i + 1) * BLOCK),
);

const outcomes = { lived: 0, failed: 0, refused: 0, ike: 0, children: 0 };

test.each(blocks.map((block) => [`${block[0]} to ${block.at(-1)}`, block] as const))(
  'lives %s',
  { timeout: 120_000 },
  (_, block) => {
    for (const seed of block)
      try {
        const { sim, outcome } = live(lifeOf(seed));
        outcomes[outcome]++;
        outcomes.ike += sim.client.rekeyed;
        outcomes.children += sim.client.installed.length - 1;
      } catch (error) {
        throw new Error(`CULVERT_SEED=${seed} repeats this: ${String(error)}`, { cause: error });
      }
  },
);

test('most lives go on to their end', ({ skip }) => {
  if (ONE) skip('CULVERT_SEED repeats one life only');
  const { lived, failed, refused, ike, children } = outcomes;
  console.log(
    `simulation: ${lived} connections lived, ${failed} failed cleanly, ${refused} never began; ${ike} IKE and ${children} CHILD SAs were replaced or added`,
  );
  expect(lived).toBeGreaterThan(0.9 * seeds.length);
  expect(ike).toBeGreaterThan(seeds.length);
});

test('a life can be repeated byte for byte', () => {
  const run = (): string[] => {
    const { sim } = live(lifeOf(11));
    return sim.wire.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  };
  expect(run()).toEqual(run());
});
