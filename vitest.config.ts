import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// The packet core's tests, for the builds and ways of AES that `unit` leaves to what is chosen at start-up on this machine
// (main/core/load.ts, main/core/accelerator.ts).
const coreTests = [
  'test/assembly/crypto/{aead,alone}.test.ts',
  'test/assembly/crypto/primitives.test.ts',
  'test/core/{accelerator,core,published,shapes}.test.ts',
];

// Live tests that measure times and rates, or use what this machine has once (its loopback ports, a screen): one file at a time.
const liveAlone = ['test/live/{demo,electron-shell,net-path,net-system,pages,path-load,path-slow-link}.test.ts'];

const setupFiles = ['test/bytes.ts'];

// `unit` needs no privilege and no built worker; `live` and `live-alone` need root, network namespaces and the
// peers' packages.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/live/**', 'test/e2e/**'],
          setupFiles,
          testTimeout: 30_000,
          // By itself vitest leaves one processor alone, which on two is half of them.
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: 'core-plain',
          include: coreTests,
          setupFiles,
          testTimeout: 30_000,
          env: { CULVERT_CORE: 'plain', CULVERT_AES_ACCELERATOR: 'off' },
        },
      },
      {
        test: {
          name: 'core-accelerated',
          include: coreTests,
          setupFiles,
          testTimeout: 30_000,
          env: { CULVERT_CORE: 'auto', CULVERT_AES_ACCELERATOR: 'on' },
        },
      },
      {
        test: {
          name: 'live',
          include: ['test/live/**/*.test.ts'],
          setupFiles,
          exclude: liveAlone,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file has namespaces of its own and waits for its peers most of the time.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'live-alone',
          include: liveAlone,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'bench', include: ['test/bench/**/*.bench.ts'], testTimeout: 900_000, fileParallelism: false } },
    ],
  },
});
