// `npm run bench [crypto] [path] [end-to-end] [memory] [start-up] [interface] [plot]`: the named benchmarks, or all of them. Each compares
// with its peers in one run, prints a table and writes build/out/bench/<name>.json; a plot of what is there follows, in
// build/out/bench/benchmarks.svg. `plot` alone measures nothing and puts the plot into docs/. What the figures mean:
// docs/benchmarks.md. CULVERT_BENCH_ROUNDS=1 CULVERT_BENCH_SECONDS=2 takes a few minutes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plot } from './bench-plot.mjs';
import { benchPackages, build, npmPackages, root } from './setup.mjs';

const MEASURED = ['crypto', 'path', 'end-to-end', 'memory', 'start-up', 'interface'];
const given = process.argv.slice(2);
const unknown = given.filter((name) => ![...MEASURED, 'plot'].includes(name));
if (unknown.length) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${MEASURED.join(', ')}, and plot.`);
  process.exit(2);
}
const results = join(root, 'build/out/bench');

function draw(file) {
  const svg = plot(results);
  if (svg === undefined) {
    console.error(`Nothing to draw: ${results} holds no results of path or end-to-end. Run "npm run bench" first.`);
    return 1;
  }
  writeFileSync(file, svg);
  console.log(`drawn: ${file}`);
  return 0;
}

if (given.length === 1 && given[0] === 'plot') process.exit(draw(join(root, 'docs/benchmarks.svg')));

const wanted = given.length ? MEASURED.filter((name) => given.includes(name)) : MEASURED;
npmPackages();
build();
if (wanted.some((name) => name !== 'crypto' && name !== 'interface')) benchPackages();
mkdirSync(results, { recursive: true });
let status = 0;
for (const name of wanted) {
  const words =
    name === 'crypto'
      ? ['test/bench/crypto.bench.mjs', ...(process.env.CULVERT_BENCH_ROUNDS === '1' ? ['--quick'] : [])]
      : // One file at a time: nothing else may run meanwhile. The option would swallow a word that follows it.
        [
          ...['node_modules/vitest/vitest.mjs', 'run', '--project', 'bench', `test/bench/${name}.bench.ts`],
          '--disable-console-intercept',
        ];
  // One that fails does not keep the others from running.
  const ended = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
  status ||= ended.status ?? 1;
}
if (wanted.some((name) => name !== 'crypto')) draw(join(results, 'benchmarks.svg'));
process.exit(status);
