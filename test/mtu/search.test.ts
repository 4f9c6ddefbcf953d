import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPathSearch, MAX_PROBES } from '../../main/mtu/search.ts';

/** Probes until the search is done. `loses`: whether the n-th probe is lost whatever its size. */
function run(least: number, most: number, path: number, loses: (n: number) => boolean = () => false) {
  const search = createPathSearch({ least, most });
  let count = 0;
  let progress = -1;
  for (let size = search.next; size !== null; size = search.next) {
    expect(search.progress).toBeGreaterThanOrEqual(progress);
    progress = search.progress;
    search.tell(size <= path && !loses(count) ? 'arrived' : 'lost');
    if (++count > 200) throw new Error('it does not end');
  }
  expect(search.progress).toBe(1);
  return { works: search.works, fails: search.fails, count };
}

it('finds every path MTU to the byte', () => {
  fc.assert(
    fc.property(fc.integer({ min: 576, max: 1500 }), (path) => {
      const { works, fails } = run(576, 1500, path);
      expect(works).toBe(path);
      expect(fails).toBe(path === 1500 ? null : path + 1);
    }),
  );
});

it('needs two probes where nothing is wrong', () => {
  expect(run(1280, 1500, 1500)).toEqual({ works: 1500, fails: null, count: 2 });
  expect(run(1280, 1280, 1500)).toEqual({ works: 1280, fails: null, count: 1 });
});

it('believes in no loss before it was repeated', () => {
  // Two of three probes vanish, but never MAX_PROBES in a row.
  const { works } = run(576, 1500, 1437, (n) => n % MAX_PROBES !== MAX_PROBES - 1);
  expect(works).toBe(1437);
});

it('gives up where nothing arrives, and believes its own link at once', () => {
  expect(run(576, 1500, 0)).toEqual({ works: null, fails: 576, count: MAX_PROBES });
  const search = createPathSearch({ least: 576, most: 9000 });
  search.tell('arrived');
  expect(search.next).toBe(9000);
  search.tell('refused');
  expect(search.fails).toBe(9000);
});
