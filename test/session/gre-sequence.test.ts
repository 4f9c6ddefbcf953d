import { describe, expect, it } from 'vitest';
import { createGreNumbers, type GreSequenceStore, STEP } from '../../main/session/gre-sequence.ts';

function memoryStore(start?: number): GreSequenceStore & { value: number | null; saves: number } {
  const store = {
    value: start ?? null,
    saves: 0,
    load: () => store.value,
    save: (_profile: string, next: number) => {
      store.value = next;
      store.saves++;
    },
  };
  return store;
}

const silent = (): void => {};

describe('GRE sequence numbers over restarts', () => {
  it('start at 0 where nothing is stored, and are reserved before they are used', () => {
    const store = memoryStore();
    expect(createGreNumbers('office', store, silent).take()).toBe(0);
    expect(store.value).toBe(STEP);
  });

  it('after a crash the next run starts behind everything that was reserved', () => {
    const store = memoryStore();
    const first = createGreNumbers('office', store, silent);
    first.take();
    for (let used = 0; used < 5 * STEP; used += STEP / 4) {
      first.used(used);
      // Whenever the crash comes, no number used so far is at or above what the store has.
      expect(store.value).toBeGreaterThan(used);
      expect(createGreNumbers('office', store, silent).take()).toBeGreaterThan(used);
      store.value = (store.value as number) - STEP;
    }
  });

  it('a proper end gives the rest of the reservation back', () => {
    const store = memoryStore();
    const numbers = createGreNumbers('office', store, silent);
    numbers.take();
    numbers.used(1000);
    numbers.settle(2024);
    expect(store.value).toBe(2024);
    expect(numbers.take()).toBe(2024);
  });

  it('numbers of a dead worker are unknown: all that was reserved counts as used', () => {
    const store = memoryStore();
    const numbers = createGreNumbers('office', store, silent);
    numbers.take();
    numbers.lost();
    expect(numbers.take()).toBe(STEP);
  });

  it('wrap at 2^32', () => {
    const store = memoryStore(2 ** 32 - 10);
    const numbers = createGreNumbers('office', store, silent);
    expect(numbers.take()).toBe(2 ** 32 - 10);
    expect(store.value).toBe(STEP - 10);
    const saves = store.saves;
    numbers.used(2 ** 32 - 5);
    numbers.used(5);
    expect(store.saves).toBe(saves);
    numbers.used(STEP / 2 + 5);
    expect(store.value).toBe(STEP / 2 + 5 + STEP);
  });

  it('are not stored at every look', () => {
    const store = memoryStore();
    const numbers = createGreNumbers('office', store, silent);
    numbers.take();
    for (let used = 0; used < STEP / 2; used += 100_000) numbers.used(used);
    expect(store.saves).toBe(1);
  });

  it('a store that fails is said, and stops nothing', () => {
    const said: string[] = [];
    const store: GreSequenceStore = {
      load: () => null,
      save: () => {
        throw new Error('ENOSPC');
      },
    };
    const numbers = createGreNumbers('office', store, ({ text }) => said.push(text));
    expect(numbers.take()).toBe(0);
    expect(said.join()).toContain('ENOSPC');
  });

  it('without a store they still go on over reconnections', () => {
    const numbers = createGreNumbers('office', undefined, silent);
    expect(numbers.take()).toBe(0);
    numbers.settle(77);
    expect(numbers.take()).toBe(77);
  });
});
