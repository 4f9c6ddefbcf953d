// The interface's engine over the contract's in-memory one, which can go away and come back as another.

import { ipcError } from '../../main/ipc/error.ts';
import { createFakeEngine, type FakeEngine, type FakeOptions } from '../../main/ipc/fake.ts';
import { createLink, type Link } from '../../renderer/client/link.ts';
import { createEngine, type Engine } from '../../renderer/store/engine.ts';
import { settle, type TestClock, testClock } from './clock.ts';

export interface Setting {
  readonly clock: TestClock;
  readonly link: Link;
  readonly engine: Engine;
  /** The engine that runs, or ran last. */
  readonly fake: FakeEngine;
  /** Kills the engine: it is not reachable from now on. */
  kill(): Promise<void>;
  /** Starts another one. */
  start(options?: FakeOptions): FakeEngine;
}

export async function setUp(options: FakeOptions & { readonly down?: boolean } = {}): Promise<Setting> {
  const clock = testClock();
  let fake = createFakeEngine({ now: clock.now(), ...options });
  let up = options.down !== true;
  const link = createLink(async () => {
    if (!up) throw ipcError('ipc/disconnected', 'The engine is not reachable.', 'It is asked again.');
    return fake.connect();
  }, clock);
  const engine = createEngine({ link });
  await settle();
  return {
    clock,
    link,
    engine,
    get fake() {
      return fake;
    },
    async kill() {
      up = false;
      fake.crash();
      await settle();
    },
    start(next = {}) {
      fake = createFakeEngine({ now: clock.now(), ...next });
      up = true;
      return fake;
    },
  };
}
