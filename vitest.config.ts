import { defineConfig } from 'vitest/config';

// `unit` needs no privilege and no built worker; `live` needs root, network namespaces and the peers' packages.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/live/**', 'test/e2e/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'live',
          include: ['test/live/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'bench', include: ['test/bench/**/*.bench.ts'], testTimeout: 900_000, fileParallelism: false } },
    ],
  },
});
