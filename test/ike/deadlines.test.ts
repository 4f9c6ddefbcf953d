import { expect, test } from 'vitest';
import { Deadlines } from '../../main/ike/deadlines.ts';
import { seededNumbers } from '../sim/random.ts';

test('says the same as a list that is searched through each time', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const number = seededNumbers(seed);
    const deadlines = new Deadlines();
    const plain = new Map<string, number>();
    for (let step = 0; step < 500; step++) {
      const name = `${Math.floor(number() * 12)}`;
      const at = number() < 0.3 ? null : Math.floor(number() * 40);
      deadlines.set(name, at);
      if (at === null) plain.delete(name);
      else plain.set(name, at);
      if (number() < 0.5) continue;
      expect(deadlines.earliest, `seed ${seed}`).toBe(plain.size > 0 ? Math.min(...plain.values()) : null);
      const now = Math.floor(number() * 40);
      const due = [...plain].filter(([, then]) => then <= now).map(([one]) => one);
      expect([...deadlines.due(now)].sort(), `seed ${seed}`).toEqual(due.sort());
    }
  }
});
