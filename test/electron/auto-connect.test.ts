// The shell, with a double of Electron, in front of the real engine on its socket: which network this is decides whether a
// tunnel comes up by itself. Only the network's name and the session are played.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createShell, type Shell } from '../../main/electron/shell.ts';
import { connectEngine, openEngineSocket } from '../../main/ipc/client.ts';
import { fakeAttachment } from '../../main/net/attachment/fake.ts';
import { connected, openScene, profileText, type Scene } from '../daemon/fakes.ts';
import { FakeElectron } from './fake-electron.ts';

const attachment = fakeAttachment();
let folder: string;
let scene: Scene;
let electron: FakeElectron;
let shell: Shell;

function start(): Shell {
  electron = new FakeElectron(folder);
  return createShell({
    electron,
    argv: ['culvert', '--hidden'],
    platform: 'linux',
    page: '/opt/culvert/index.html',
    preload: '/opt/culvert/preload.cjs',
    icons: '/icons',
    connect: () => connectEngine(scene.socketPath),
    openSocket: () => openEngineSocket(scene.socketPath),
    launch: null,
    now: Date.now,
    after: (milliseconds, then) => {
      const timer = setTimeout(then, milliseconds);
      return () => clearTimeout(timer);
    },
  })!;
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-auto-'));
  attachment.join({ kind: 'wifi', name: 'Home', secured: true });
  scene = await openScene({ script: connected, attachment });
  const client = await connectEngine(scene.socketPath);
  await client.call('import', { text: profileText('office'), replace: false });
  await client.call('setSettings', {
    autoConnect: { enabled: true, profile: 'office', trusted: [{ kind: 'wifi', name: 'Home' }] },
  });
  client.close();
  shell = start();
  await expect.poll(() => electron.tray?.labels).toContain('Connect: office');
});
afterEach(async () => {
  shell.supervisor.close();
  await scene.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the shell sends when this computer's addresses have changed. */
const notice = () => shell.supervisor.client!.call('notice', { event: 'network' });

test('a trusted network leaves it down, another brings it up, and the person is told', async () => {
  expect(scene.sessions).toHaveLength(0);
  attachment.join({ kind: 'wifi', name: 'Café', secured: false });
  await notice();
  await expect.poll(() => electron.tray.tooltip).toBe('Culvert: Connected to office');
  expect(electron.notices.map(({ title }) => title)).toEqual(['Connected to office']);
  expect(shell.intent).toEqual({ want: 'up', profile: 'office' });
});

test('who disconnects on it is left alone there, until they are somewhere else', async () => {
  attachment.join({ kind: 'wifi', name: 'Café', secured: false });
  await notice();
  await expect.poll(() => electron.tray.labels).toContain('Disconnect');
  electron.tray.press('Disconnect');
  await expect.poll(() => electron.tray.tooltip).toBe('Culvert: Not connected');
  attachment.join({ kind: 'offline' });
  await notice();
  attachment.join({ kind: 'wifi', name: 'Café', secured: false });
  await notice();
  const reads = attachment.reads;
  await notice();
  await expect.poll(() => attachment.reads).toBeGreaterThan(reads);
  expect(scene.sessions).toHaveLength(1);
  attachment.join({ kind: 'unknown', because: 'name-hidden' });
  await notice();
  await expect.poll(() => electron.tray.tooltip).toBe('Culvert: Connected to office');
});

test('the shell that finds itself on an untrusted network at its start connects', async () => {
  shell.supervisor.close();
  attachment.join({ kind: 'wifi', name: 'Home', secured: false });
  shell = start();
  await expect.poll(() => electron.tray?.tooltip).toBe('Culvert: Connected to office');
});
