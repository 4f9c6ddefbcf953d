// Builds everything that runs: assembly/ → build/out/core.wasm and core-relaxed.wasm (asc), main/ → build/out/main (tsc),
// renderer/ → build/out/renderer (vite), icons → build/out/icons.
// Steps whose inputs did not change since the last build are left out, so every script may call this first.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'build', 'out');
mkdirSync(out, { recursive: true });

/** Newest modification time below `path`, in milliseconds; 0 where nothing is there. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function step(name, inputs, output, run) {
  const sources = [...inputs, 'package.json', 'build/build.mjs'];
  if (newest(join(out, output)) > Math.max(...sources.map((input) => newest(join(root, input))))) return;
  const started = performance.now();
  run();
  console.error(`built ${name} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const node = (script, ...args) =>
  execFileSync(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: root, stdio: 'inherit' });

/** No runtime and no garbage collector: every byte the core touches is laid out in assembly/layout.ts. */
function asc(name, ...features) {
  node(
    'assemblyscript/bin/asc.js',
    'assembly/index.ts',
    '--outFile',
    `build/out/${name}.wasm`,
    '--textFile',
    `build/out/${name}.wat`,
    '--runtime',
    'stub',
    '--importMemory',
    // MEMORY_PAGES of assembly/layout.ts.
    '--initialMemory',
    '242',
    '--maximumMemory',
    '242',
    // asc's static data starts at HEAP of assembly/layout.ts; the core's own records follow at __heap_base.
    '--memoryBase',
    '262144',
    ...features.flatMap((feature) => ['--enable', feature]),
    '-O3',
    '--noAssert',
    '--use',
    'abort=',
  );
}

step('core.wasm', ['assembly'], 'core.wasm', () => asc('core', 'simd'));
// The same for engines with relaxed SIMD (main/core/load.ts chooses).
step('core-relaxed.wasm', ['assembly'], 'core-relaxed.wasm', () => asc('core-relaxed', 'simd', 'relaxed-simd'));
step('main', ['main', 'assembly/layout.ts', 'tsconfig.json', 'tsconfig.build.json'], '.built', () => {
  node('typescript/bin/tsc', '-p', 'tsconfig.build.json');
  chmodSync(join(out, 'main/cli/culvert.js'), 0o755);
  execFileSync('touch', [join(out, '.built')]);
});
step('renderer', ['renderer', 'main/ipc', 'main/words', 'build/renderer.mjs'], 'renderer', () => {
  node('../build/renderer.mjs');
});
step('icons', ['build/icons', 'build/icons.mjs', 'renderer/public/icon.svg'], 'icons', () =>
  node('../build/icons.mjs'),
);
