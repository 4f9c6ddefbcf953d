// The end of every test of a session: it stops by itself, nothing was done out of order, and nothing is left behind.
import { expect } from 'vitest';
import type { Session } from '../../../main/session/deps.ts';
import type { World } from './world.ts';

export async function stopClean({
  world,
  session,
}: {
  readonly world: World;
  readonly session: Session;
}): Promise<void> {
  let stopped = false;
  void session.stop().then(() => {
    stopped = true;
  });
  await world.clock.advance(10_000);
  expect(stopped).toBe(true);
  expect(world.violations).toEqual([]);
  expect(world.remains()).toEqual([]);
}
