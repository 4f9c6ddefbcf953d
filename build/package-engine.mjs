// Puts the engine beside the packaged app: resources/engine, with its Node runtime, its packages and koffi's binary for that
// platform, and fails where anything of that is missing. electron-builder calls it (`afterPack`) before it signs and makes installers.
//
// Not by electron-builder's extraResources: what those name is left out of the asar, and shell and engine share files; and a file
// that is not there only makes it warn.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A folder with a folder for each platform: linux-x64/node, win32-x64/node.exe, … Elsewhere for tests. */
const runtimes = () => process.env.CULVERT_ENGINE_NODE ?? join(root, 'build/engine-node');

/** electron-builder's Arch enum. */
const ARCHITECTURES = ['ia32', 'x64', 'armv7l', 'arm64', 'universal'];

/** Packages that the engine runs with, and theirs. */
export function packagesNeeded() {
  const dependencies = (folder) =>
    Object.keys(JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).dependencies ?? {});
  const found = new Set(dependencies('.'));
  for (const name of found) for (const more of dependencies(`node_modules/${name}`)) found.add(more);
  return [...found].sort();
}

/** What of a package nobody runs: types, maps, manuals, tests, and what koffi is made from. */
const IDLE = /\.(?:map|md|[cm]?ts|cc|hh|c|h|S|asm|inc|cmake)$|CMakeLists\.txt$/;
const IDLE_FOLDERS = new Set(['test', 'tests', 'docs', 'doc', 'example', 'examples', 'benchmark', 'benchmarks']);

/** Beside the runtime, where it is not this machine's platform; else here. */
function copyPackage(name, engine, beside) {
  const from = [beside, root].map((folder) => join(folder, 'node_modules', name)).find((path) => existsSync(path));
  if (!from) return;
  const koffi = name === 'koffi' ? ['lib', 'vendor', 'cnoke.cjs'] : [];
  cpSync(from, join(engine, 'node_modules', name), {
    recursive: true,
    filter: (path) => {
      const [first] = relative(from, path).split(/[\\/]/);
      if (IDLE_FOLDERS.has(basename(path)) || koffi.includes(first) || first.startsWith('musl_')) return false;
      return !IDLE.test(path);
    },
  });
}

/** What the folder with the app's resources lacks, as paths below it. */
export function missingIn(resources, platform, architecture) {
  const engine = (path) => join('engine', path);
  const wanted = [
    'app.asar',
    engine(platform === 'win32' ? 'node.exe' : 'node'),
    engine('package.json'),
    engine('core.wasm'),
    engine('core-relaxed.wasm'),
    engine('assembly/layout.js'),
    engine('main/cli/culvert.js'),
    engine('main/daemon/run.js'),
    engine('renderer/index.html'),
    engine(`node_modules/@koromix/koffi-${platform}-${architecture}`),
    ...(platform === 'linux' ? ['service/culvert.service', 'service/org.culvert.engine.policy'] : []),
  ];
  return wanted.filter((path) => !existsSync(join(resources, path)));
}

/** Fills resources/engine. Throws an Error that names what is missing. */
export function packEngine(resources, platform, architecture) {
  const engine = join(resources, 'engine');
  const out = join(root, 'build/out');
  mkdirSync(engine, { recursive: true });
  const beside = join(runtimes(), `${platform}-${architecture}`);
  const runtime = join(beside, platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(runtime)) {
    cpSync(runtime, join(engine, basename(runtime)));
    chmodSync(join(engine, basename(runtime)), 0o755);
  }
  const shell = join(out, 'main/electron');
  for (const part of ['main', 'assembly', 'renderer'])
    cpSync(join(out, part), join(engine, part), {
      recursive: true,
      filter: (path) => path !== shell && !path.endsWith('.map'),
    });
  for (const name of readdirSync(out).filter((file) => file.endsWith('.wasm')))
    cpSync(join(out, name), join(engine, name));
  cpSync(join(root, 'package.json'), join(engine, 'package.json'));
  for (const name of [...packagesNeeded(), `@koromix/koffi-${platform}-${architecture}`])
    copyPackage(name, engine, beside);
  if (platform === 'linux')
    for (const name of ['culvert.service', 'org.culvert.engine.policy'])
      cpSync(join(root, 'build/service', name), join(resources, 'service', name));
  const missing = missingIn(resources, platform, architecture);
  if (missing.length > 0)
    throw new Error(
      `The package for ${platform} ${architecture} lacks ${missing.join(', ')}. Run \`npm run build\`, and put the official Node runtime and, ` +
        `for another platform than this one, node_modules/@koromix/koffi-${platform}-${architecture} into ${beside}.`,
    );
}

/** electron-builder's hook. */
export default async function afterPack({ appOutDir, electronPlatformName, arch, packager }) {
  const resources =
    electronPlatformName === 'darwin'
      ? join(appOutDir, `${packager.appInfo.productFilename}.app`, 'Contents/Resources')
      : join(appOutDir, 'resources');
  packEngine(resources, electronPlatformName, ARCHITECTURES[arch]);
}
