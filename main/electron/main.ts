// Electron's entry: hands its modules to the shell. Everything that can be decided without Electron is in shell.ts and below.
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, dialog, ipcMain, Menu, Notification, powerMonitor, screen, session, Tray } from 'electron';
import { connectEngine, openEngineSocket } from '../ipc/client.ts';
import { DEFAULT_SOCKET } from '../ipc/place.ts';
import { autostart, autostartFile } from './autostart.ts';
import type { CommandLine } from './elevate.ts';
import { changeableByOthers, elevated, launchProcess } from './elevate.ts';
import type { ElectronModules } from './modules.ts';
import { createShell } from './shell.ts';
import type { Launched } from './supervisor.ts';

const here = dirname(fileURLToPath(import.meta.url));
/** build/out, also inside the package's asar. */
const out = join(here, '../..');

const electron: ElectronModules = {
  app,
  get session() {
    return session.defaultSession;
  },
  ipc: ipcMain,
  get power() {
    return powerMonitor;
  },
  createWindow: (options) => new BrowserWindow(options),
  createTray: (image) => new Tray(image),
  buildMenu: (template) => Menu.buildFromTemplate(template),
  notify(options, clicked) {
    const notification = new Notification(options);
    notification.on('click', clicked);
    notification.show();
  },
  ask: async (options) => (await dialog.showMessageBox(options)).response,
  workAreas: () => screen.getAllDisplays().map(({ workArea }) => workArea),
};

const resources = process.resourcesPath ?? out;
const windows = process.platform === 'win32';
/** Another engine's socket, for tests; an installed app speaks to its own engine only. */
const otherSocket = app.isPackaged ? '' : app.commandLine.getSwitchValue('socket');
const socketPath = otherSocket || (windows ? '\\\\.\\pipe\\culvert' : DEFAULT_SOCKET);
const node = join(resources, 'engine', windows ? 'node.exe' : 'node');
const program = join(resources, 'engine/main/cli/culvert.js');
const command = existsSync(node) ? elevated(process.platform, { node, program, socketPath }) : null;

/** Not as root what another user, or a program that this person runs, could have changed. */
function launch(line: CommandLine): Launched {
  const changeable = windows ? undefined : changeableByOthers([node, program]);
  return changeable === undefined
    ? launchProcess(line)
    : { ended: Promise.resolve({ code: null, said: changeable, refusal: 'not-safe' }) };
}

const startFile = (): string => autostartFile(app.getPath('appData'));
/** An AppImage is mounted anew each time: the file itself has to be named. */
const started = (): string => process.env.APPIMAGE ?? process.execPath;

createShell({
  electron,
  argv: process.argv,
  platform: process.platform,
  page: join(out, 'renderer/index.html'),
  preload: join(here, 'preload.cjs'),
  icons: join(out, 'icons'),
  connect: () => connectEngine(socketPath),
  openSocket: () => openEngineSocket(socketPath),
  launch: command ? () => launch(command) : null,
  ...(process.platform === 'linux' ? { autostart: (wanted) => autostart(startFile(), started(), wanted) } : {}),
  interfaces: networkInterfaces,
  now: Date.now,
  after: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
});
