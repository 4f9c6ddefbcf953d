import { expect, test } from 'vitest';
import { createTurns } from '../../main/net/in-turn.ts';

test('one at a time, in order, also after one that failed; who asked for that is told', async () => {
  const said: string[] = [];
  let open = () => {};
  const first = new Promise<void>((_, reject) => {
    open = () => reject(new Error('not ready'));
  });
  const inTurn = createTurns(first);
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      said.push(`${name} begins`);
      await Promise.resolve();
      said.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const asked = [work('a'), work('b', true), work('c')];
  await Promise.resolve();
  expect(said).toEqual([]);
  open();
  expect(await Promise.allSettled(asked)).toEqual([
    { status: 'fulfilled', value: 'a' },
    { status: 'rejected', reason: new Error('b') },
    { status: 'fulfilled', value: 'c' },
  ]);
  expect(said).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
