// `npm test`: sets up what is missing, then runs everything: checks, unit and simulation, live. Prints as its last line
// `N passed, N failed, N skipped`. `--long` raises the counts of the seeded suites.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { laterPeers } from './peers.mjs';
import { build, debianPackages, npmPackages, root } from './setup.mjs';

const long = process.argv.includes('--long');
const env = {
  ...process.env,
  ...(long ? { CULVERT_SIM_RUNS: process.env.CULVERT_SIM_RUNS ?? '10000', CULVERT_LONG: '1' } : {}),
};
const total = { passed: 0, failed: 0, skipped: 0 };
const reasons = new Map();
const started = performance.now();
const elapsed = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;

function heading(text) {
  console.log(`\n== ${text} (${elapsed()})`);
}

function check(name, script, ...args) {
  const result = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, env, stdio: 'inherit' });
  const ok = result.status === 0;
  total[ok ? 'passed' : 'failed']++;
  console.log(`${ok ? 'ok' : 'FAILED'}: ${name}`);
}

function vitest(project, minutes) {
  const counts = join(root, 'build/out/counts', `${project}.json`);
  rmSync(counts, { force: true });
  const result = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=./test/reporter.ts',
    ],
    {
      cwd: root,
      env: { ...env, CULVERT_COUNTS: counts },
      stdio: 'inherit',
      timeout: minutes * 60_000,
      killSignal: 'SIGKILL',
    },
  );
  if (!existsSync(counts)) {
    console.log(`FAILED: ${project} ended without a result${result.error ? ` (${result.error.message})` : ''}`);
    total.failed++;
    return;
  }
  const ran = JSON.parse(readFileSync(counts, 'utf8'));
  for (const key of Object.keys(total)) total[key] += ran[key];
  for (const [reason, count] of Object.entries(ran.reasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  if (result.status !== 0 && ran.failed === 0) total.failed++;
}

npmPackages();
debianPackages();
laterPeers();
heading('build');
build();
heading('checks');
check('types', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit');
check('types of the renderer', 'node_modules/typescript/bin/tsc', '-p', 'test/renderer');
check('Biome', 'node_modules/@biomejs/biome/bin/biome', 'check', '.');
check('import directions', 'build/import-direction.mjs');
heading('unit and simulation');
vitest('unit', long ? 120 : 10);
heading('the packet core in its other builds');
vitest('core-plain', 5);
vitest('core-accelerated', 5);
heading('live');
vitest('live', long ? 60 : 15);
vitest('live-alone', long ? 60 : 10);
heading('browser');
vitest('e2e', 7);

heading('result');
for (const [reason, count] of reasons) console.log(`skipped ${count}: ${reason}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
