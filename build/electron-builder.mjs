// How electron-builder (`npx electron-builder --config build/electron-builder.mjs`, Node 22.12 or later, after
// `npm run build`) packages the desktop app. The shell, its page and its icons go into the asar; the engine, which a Node
// runtime of its own runs with an administrator's rights, lies beside it (main/electron/main.ts: resources/engine). The
// runtime is the platform's official Node binary, put into build/engine-node/ by whoever makes the release.
import { readFileSync } from 'node:fs';

/** Packages that the engine runs with, and theirs. */
function needed() {
  const dependencies = (folder) =>
    Object.keys(
      JSON.parse(readFileSync(new URL(`../${folder}package.json`, import.meta.url), 'utf8')).dependencies ?? {},
    );
  const found = new Set(dependencies(''));
  for (const name of found) for (const more of dependencies(`node_modules/${name}/`)) found.add(more);
  return [...found].sort();
}

const config = {
  appId: 'org.culvert.desktop',
  productName: 'Culvert',
  directories: { output: 'build/packages' },
  extraMetadata: { main: 'build/out/main/electron/main.js' },
  asar: true,
  npmRebuild: false,
  files: [
    'package.json',
    'build/out/main/electron/**',
    'build/out/main/ipc/**',
    'build/out/main/words/**',
    'build/out/renderer/**',
    'build/out/icons/**',
    '!**/*.map',
  ],
  extraResources: [
    { from: 'build/engine-node', to: 'engine' },
    { from: 'build/out/main', to: 'engine/main', filter: ['**', '!electron/**', '!**/*.map'] },
    { from: 'build/out/assembly', to: 'engine/assembly' },
    { from: 'build/out', to: 'engine', filter: ['*.wasm'] },
    { from: 'build/out/renderer', to: 'engine/renderer' },
    { from: 'package.json', to: 'engine/package.json' },
    ...needed().map((name) => ({ from: `node_modules/${name}`, to: `engine/node_modules/${name}` })),
  ],
  fileAssociations: [
    { ext: 'culvert', name: 'Culvert profile', mimeType: 'application/vnd.culvert.profile+json', role: 'Viewer' },
  ],
  protocols: [{ name: 'Culvert', schemes: ['culvert'], role: 'Viewer' }],
  electronFuses: {
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableCookieEncryption: true,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
  },
  icon: 'build/out/icons/app-512.png',
  linux: { target: ['deb', 'AppImage'], category: 'Network' },
  mac: { target: ['dmg'], category: 'public.app-category.utilities', hardenedRuntime: true },
  win: { target: ['nsis'] },
  nsis: { oneClick: false, perMachine: true },
};

export default config;
