// The desktop app packaged by electron-builder itself, around a stand-in for what it would download: a folder that looks like
// Electron's distribution as far as it is looked at (a program with the fuses' place in it, Info.plists, version), and a Node
// runtime for the engine. What comes out is the real configuration's, without the network.
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const notBuilt = existsSync(join(root, 'build/out/main/electron/main.js'))
  ? undefined
  : 'nothing is built (npm run build)';

export type Platform = 'linux' | 'darwin' | 'win32';

/** @electron/fuses: where Electron's fuses are, version 1, with the defaults of Electron 45. */
export const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
const FUSES = Buffer.concat([Buffer.from(SENTINEL), Buffer.from([1, 9]), Buffer.from('101101011')]);
/** A signed-nowhere Windows program with version information, which electron-builder rewrites. */
const WINDOWS_PROGRAM = join(root, 'node_modules/electron-winstaller/vendor/rcedit.exe');

function program(path: string, first: Uint8Array = Buffer.from('#!/bin/sh\nexit 0\n')): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.concat([first, FUSES]));
  chmodSync(path, 0o755);
}

const plist = (name: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict><key>CFBundleExecutable</key><string>${name}</string>` +
  `<key>CFBundleIdentifier</key><string>com.github.Electron</string></dict></plist>\n`;

function electronDist(folder: string, platform: Platform): void {
  const version = (
    JSON.parse(readFileSync(join(root, 'node_modules/electron/package.json'), 'utf8')) as { version: string }
  ).version;
  mkdirSync(join(folder, 'resources'), { recursive: true });
  writeFileSync(join(folder, 'version'), version);
  writeFileSync(join(folder, 'LICENSE'), 'Electron');
  if (platform === 'linux') for (const name of ['electron', 'chrome-sandbox']) program(join(folder, name));
  if (platform === 'win32') program(join(folder, 'electron.exe'), readFileSync(WINDOWS_PROGRAM));
  if (platform !== 'darwin') return;
  const contents = join(folder, 'Electron.app/Contents');
  program(join(contents, 'MacOS/Electron'));
  program(join(contents, 'Frameworks/Electron Framework.framework/Electron Framework'));
  writeFileSync(join(contents, 'Info.plist'), plist('Electron'));
  for (const kind of ['', ' (GPU)', ' (Plugin)', ' (Renderer)']) {
    const helper = join(contents, `Frameworks/Electron Helper${kind}.app/Contents`);
    program(join(helper, `MacOS/Electron Helper${kind}`));
    writeFileSync(join(helper, 'Info.plist'), plist(`Electron Helper${kind}`));
  }
}

/** The Node that runs this test, and for other platforms a word: theirs run nowhere here. */
function engineRuntime(folder: string, platform: Platform): void {
  const own = join(folder, `${platform}-${process.arch}`);
  mkdirSync(own, { recursive: true });
  if (platform === process.platform) {
    copyFileSync(process.execPath, join(own, 'node'));
    return;
  }
  writeFileSync(join(own, platform === 'win32' ? 'node.exe' : 'node'), 'a stand-in');
  const koffi = join(own, `node_modules/@koromix/koffi-${platform}-${process.arch}`);
  mkdirSync(koffi, { recursive: true });
  writeFileSync(join(koffi, 'koffi.node'), 'a stand-in');
}

const OPTION: Readonly<Record<Platform, string>> = { linux: '--linux', darwin: '--mac', win32: '--win' };
const PLACE: Readonly<Record<Platform, (folder: string) => string>> = {
  linux: (folder) => join(folder, 'linux-unpacked'),
  darwin: (folder) => join(folder, process.arch === 'arm64' ? 'mac-arm64' : 'mac', 'Culvert.app/Contents'),
  win32: (folder) => join(folder, process.arch === 'arm64' ? 'win-arm64-unpacked' : 'win-unpacked'),
};

export interface Packaged {
  /** The unpacked app; on macOS its Contents. */
  readonly app: string;
  readonly resources: string;
  readonly said: string;
}

/** `folder`: one of the test's own, which it removes. Rejects with what electron-builder said. */
export async function packageApp(folder: string, platform: Platform): Promise<Packaged> {
  const dist = join(folder, `dist-${platform}`);
  const output = join(folder, `out-${platform}`);
  const runtimes = join(folder, `runtimes-${platform}`);
  electronDist(dist, platform);
  engineRuntime(runtimes, platform);
  const cli = join(root, 'node_modules/electron-builder/cli.js');
  const config = [
    '--config',
    'build/electron-builder.mjs',
    `-c.electronDist=${dist}`,
    `-c.directories.output=${output}`,
  ];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [cli, '--dir', OPTION[platform], `--${process.arch}`, ...config],
    {
      cwd: root,
      // Without a network it must not try: what is downloaded would be found elsewhere than in this test.
      env: { ...process.env, CULVERT_ENGINE_NODE: runtimes, CSC_IDENTITY_AUTO_DISCOVERY: 'false' },
      timeout: 120_000,
    },
  );
  const app = PLACE[platform](output);
  return { app, resources: join(app, platform === 'darwin' ? 'Resources' : 'resources'), said: stdout + stderr };
}
