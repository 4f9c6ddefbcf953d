// The same day of work (day.ts) in the desktop shell: Electron itself, driven by @wdio/electron-service, against the real
// engine and the real gateway. Needs what most machines lack, and says which; nothing of it is imported before it is found.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, test } from 'vitest';
import { live } from '../live/live.ts';
import { dayOfWork } from './day.ts';
import { type Browser, missingForInterface, Scene } from './scene.ts';

const SERVICE = '@wdio/electron-service';
const MAIN = fileURLToPath(new URL('../../build/out/main/electron/main.js', import.meta.url));
const ELECTRON = fileURLToPath(new URL('../../node_modules/electron/', import.meta.url));

/** As electron's own install script leaves it: path.txt names the program below dist. */
function binary(): string | undefined {
  const named = join(ELECTRON, 'path.txt');
  if (!existsSync(named)) return undefined;
  const path = join(ELECTRON, 'dist', readFileSync(named, 'utf8').trim());
  return existsSync(path) ? path : undefined;
}

function oldNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 12);
}

const serviceInstalled = (): boolean =>
  (createRequire(import.meta.url).resolve.paths(SERVICE) ?? []).some((folder) => existsSync(join(folder, SERVICE)));

const missing = [
  oldNode() ? `${SERVICE} needs Node 22.12 or later` : undefined,
  binary() ? undefined : 'no Electron binary (npx install-electron downloads it)',
  serviceInstalled() ? undefined : `${SERVICE} is not installed (npm i --no-save ${SERVICE}@10.2.0)`,
  process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY
    ? undefined
    : 'Electron needs a display (xvfb-run)',
  ...missingForInterface,
];

/** The part of the service that is used here. */
interface Service {
  startWdioSession(capabilities: readonly object[]): Promise<Browser>;
  cleanupWdioSession(browser: Browser): Promise<void>;
}
function isService(module: unknown): module is Service {
  return (
    typeof module === 'object' && module !== null && 'startWdioSession' in module && 'cleanupWdioSession' in module
  );
}
async function service(): Promise<Service> {
  const module: unknown = await import(/* @vite-ignore */ SERVICE);
  if (!isService(module)) throw new TypeError(`${SERVICE} has another interface than version 10.2.0`);
  return module;
}

live('the interface in the desktop shell', missing, () => {
  let scene: Scene;
  beforeAll(async () => {
    const { startWdioSession } = await service();
    scene = await Scene.open((socket, folder) =>
      startWdioSession([
        {
          browserName: 'electron',
          'wdio:enforceWebDriverClassic': true,
          'wdio:electronServiceOptions': {
            appEntryPoint: MAIN,
            // Chromium's own sandbox cannot run as root, which the namespaces need.
            appArgs: ['--no-sandbox', '--lang=en', `--socket=${socket}`, `--user-data-dir=${folder}`],
          },
        },
      ]),
    );
  });
  afterAll(async () => {
    // A window that is gone already is as good.
    if (scene?.browser) await (await service()).cleanupWdioSession(scene.browser).catch(() => {});
    await scene?.close();
  });

  test('shows its window', async () => {
    await scene.browser.$('h1').waitForDisplayed();
    await scene.shows('disconnected');
  });

  dayOfWork(() => scene, { restores: true, takesFiles: false });
});
