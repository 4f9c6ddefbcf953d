// What a data plane worker may leave lying: its young generation is small.
import type { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { startDataPlane } from '../../main/path/start.ts';

const started: Worker[] = [];
vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class Seen extends actual.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      started.push(this);
    }
  }
  return { ...actual, Worker: Seen };
});

afterEach(() => {
  started.length = 0;
});

it.each(['workers', 'single'] as const)('keeps the young generation of each worker small (%s)', async (threads) => {
  const plane = await startDataPlane({ threads, onEvent: () => {} });
  try {
    expect(started.map((worker) => worker.resourceLimits?.maxYoungGenerationSizeMb)).toEqual(
      threads === 'single' ? [3] : [3, 3],
    );
  } finally {
    await plane.close();
  }
});
