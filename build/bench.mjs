// `npm run bench [crypto|end-to-end]`: every benchmark, or the named one. Each compares with its peers in one run, prints
// a table of ratios and writes build/out/bench/*.json.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, debianPackages, npmPackages, root } from './setup.mjs';

const wanted = process.argv[2];
npmPackages();
build();
const run = (script, ...args) =>
  spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
let status = 0;
if (!wanted || wanted === 'crypto') {
  status ||= run('test/bench/crypto.bench.mjs');
}
if (!wanted || wanted === 'end-to-end') {
  debianPackages();
  status ||= run(
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    'bench',
    '--disable-console-intercept',
    'end-to-end',
  );
}
process.exit(status);
