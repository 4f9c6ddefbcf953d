// The shell, driven through a double of Electron against the contract's in-memory engine: tray, window, quitting, deep
// links, notifications, intent across crashes, security.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EngineSocket } from '../../main/electron/bridge.ts';
import { createShell, type Shell, type ShellOptions } from '../../main/electron/shell.ts';
import type { EngineState } from '../../main/ipc/contract.ts';
import { ipcError } from '../../main/ipc/error.ts';
import { createFakeEngine, FAKE_ERROR, type FakeEngine, fakeStates } from '../../main/ipc/fake.ts';
import { FakeElectron, preventable } from './fake-electron.ts';

let folder: string;
let electron: FakeElectron;
let engine: FakeEngine | undefined;
let now: number;
let timers: { readonly at: number; readonly run: () => void }[];
const PAGE = '/opt/culvert/renderer/index.html';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-shell-'));
  electron = new FakeElectron(folder);
  engine = createFakeEngine();
  now = 1_000_000;
  timers = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets promises settle: everything here is in memory. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 60; i++) await Promise.resolve();
};
async function pass(milliseconds: number): Promise<void> {
  const until = now + milliseconds;
  for (;;) {
    const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
    if (!due) break;
    timers = timers.filter((timer) => timer !== due);
    now = due.at;
    due.run();
    await settle();
  }
  now = until;
}

async function start(more: Partial<ShellOptions> = {}): Promise<Shell> {
  const shell = createShell({
    electron,
    argv: ['culvert'],
    platform: 'linux',
    page: PAGE,
    preload: '/opt/culvert/preload.cjs',
    icons: '/icons',
    connect: async () => {
      if (!engine) throw ipcError('ipc/not-running', 'Nobody listens.', 'Start it.');
      return engine.connect();
    },
    openSocket: async () => {
      throw ipcError('ipc/not-running', 'Nobody listens.', 'Start it.');
    },
    launch: null,
    now: () => now,
    after: (milliseconds, then) => {
      const timer = { at: now + milliseconds, run: then };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    ...more,
  });
  await settle();
  return shell!;
}
const profileName = (): string => {
  const label = electron.tray.labels.find((each) => each.startsWith('Connect: '));
  return label!.slice('Connect: '.length);
};

describe('tray', () => {
  test.each(['disconnected', 'connecting', 'connected', 'reconnecting', 'disconnecting', 'failed'] as const)(
    '%s: icon, tooltip and menu say so',
    async (state) => {
      await start();
      engine!.setState(fakeStates(now)[state]);
      await settle();
      const { image, tooltip, labels } = electron.tray;
      expect({ image, tooltip, labels }).toMatchSnapshot();
    },
  );

  test('another profile is one press away, and nobody is told of what they asked for', async () => {
    const shell = await start();
    electron.tray.press('Connect: office');
    await settle();
    electron.tray.press('Change to: lab');
    await settle();
    expect(engine!.state).toMatchObject({ state: 'connected', profile: 'lab' });
    expect(shell.intent).toEqual({ want: 'up', profile: 'lab' });
    await pass(10_000);
    expect(shell.intent).toEqual({ want: 'up', profile: 'lab' });
    expect(electron.notices).toEqual([]);
    expect(electron.tray.labels).toContain('Change to: office');
  });

  test('an ampersand in a name is no mark of a key', async () => {
    await start();
    const error = { ...FAKE_ERROR, message: 'AT&T refused\nit' };
    engine!.setState({ state: 'failed', profile: 'office', error });
    await settle();
    expect(electron.tray.labels[0]).toBe('Could not connect to office: AT&&T refused it');
  });

  test('connects and disconnects', async () => {
    const shell = await start();
    const name = profileName();
    electron.tray.press(`Connect: ${name}`);
    await settle();
    expect(engine!.state).toMatchObject({ state: 'connected', profile: name });
    expect(electron.tray.tooltip).toBe(`Culvert: Connected to ${name}`);
    expect(shell.intent).toEqual({ want: 'up', profile: name });
    electron.tray.press('Disconnect');
    await settle();
    expect(engine!.state.state).toBe('disconnected');
    expect(shell.intent).toEqual({ want: 'down' });
    expect(electron.notices).toEqual([]);
  });

  test('never says connected without an engine', async () => {
    await start();
    engine!.setState(fakeStates(now).connected);
    await settle();
    const dead = engine!;
    engine = undefined;
    dead.crash();
    await settle();
    expect(electron.tray.tooltip).toMatch(/not reachable/);
    expect(electron.tray.image).toBe('/icons/tray-problem.png');
    expect(electron.tray.labels).toContain('Try again');
  });

  test('macOS gets template images', async () => {
    await start({ platform: 'darwin' });
    expect(electron.tray.image).toBe('/icons/tray-offTemplate.png');
  });
});

describe('intent', () => {
  test('is applied again to the engine that follows a crash, and to the shell that follows', async () => {
    await start();
    const name = profileName();
    electron.tray.press(`Connect: ${name}`);
    await settle();
    const dead = engine!;
    engine = undefined;
    dead.crash();
    await settle();
    await pass(2_000);
    engine = createFakeEngine();
    await pass(20_000);
    expect(engine.state).toMatchObject({ state: 'connected', profile: name });
    expect(JSON.parse(readFileSync(join(folder, 'intent.json'), 'utf8'))).toEqual({ want: 'up', profile: name });

    engine = createFakeEngine();
    electron = new FakeElectron(folder);
    await start();
    expect(engine.state).toMatchObject({ state: 'connected', profile: name });
  });

  test('down stays down', async () => {
    await start();
    engine!.crash();
    await pass(1_000);
    expect(engine!.calls.map((call) => call.name)).not.toContain('connect');
    expect(electron.tray.tooltip).toBe('Culvert: Not connected');
  });

  test('a file that was damaged connects nothing', async () => {
    writeFileSync(join(folder, 'intent.json'), '{"want":"up"');
    const shell = await start();
    expect(shell.intent).toEqual({ want: 'down' });
  });
});

describe('supervisor', () => {
  test('starts an engine where none listens', async () => {
    engine = undefined;
    const launch = vi.fn(() => {
      engine = createFakeEngine();
      return { ended: new Promise<never>(() => {}) };
    });
    await start({ launch });
    await pass(500);
    expect(launch).toHaveBeenCalledTimes(1);
    expect(electron.tray.tooltip).toBe('Culvert: Not connected');
  });

  test('an administrator who says no is not asked again until the person wants it', async () => {
    engine = undefined;
    const launch = vi.fn(() => ({ ended: Promise.resolve({ code: 126, said: '', refusal: 'dismissed' as const }) }));
    await start({ launch });
    await pass(60_000);
    expect(launch).toHaveBeenCalledTimes(1);
    expect(electron.tray.tooltip).toMatch(/an administrator must allow it/);
    electron.tray.press('Try again');
    await settle();
    expect(launch).toHaveBeenCalledTimes(2);
  });

  test('an engine that ends again and again is not started for ever', async () => {
    engine = undefined;
    const launch = vi.fn(() => {
      engine = createFakeEngine();
      let end: (how: { code: number; said: string }) => void = () => {};
      const ended = new Promise<{ code: number; said: string }>((resolve) => {
        end = resolve;
      });
      const started = engine;
      timers.push({
        at: now + 1000,
        run: () => {
          engine = undefined;
          started.crash();
          end({ code: 1, said: '' });
        },
      });
      return { ended };
    });
    await start({ launch });
    await pass(50_000);
    expect(launch).toHaveBeenCalledTimes(3);
    expect(electron.tray.tooltip).toMatch(/ended 3 times within a minute/);
  });

  test('somebody who may not speak to the engine is told, not asked again and again', async () => {
    const connect = vi.fn(async () => {
      throw ipcError('ipc/no-permission', 'You may not.', 'Join the group.');
    });
    await start({ connect });
    await pass(60_000);
    expect(connect).toHaveBeenCalledTimes(1);
  });
});

describe('window, quitting, instances', () => {
  test('closing leaves the tray; showing again brings it back', async () => {
    const shell = await start();
    const window = electron.windows[0]!;
    expect(window).toMatchObject({ visible: true, loaded: PAGE });
    const close = preventable();
    window.emit('close', close);
    expect(close.prevented).toBe(true);
    expect(window.visible).toBe(false);
    expect(JSON.parse(readFileSync(join(folder, 'window.json'), 'utf8'))).toEqual({
      ...window.bounds,
      maximized: false,
    });
    await shell.perform({ do: 'open' });
    expect(window.visible).toBe(true);
    expect(electron.windows).toHaveLength(1);
  });

  test('a question brings the window up, once', async () => {
    await start({ argv: ['culvert', '--hidden'] });
    expect(electron.windows.some(({ visible }) => visible)).toBe(false);
    const prompt = { id: 'p1', kind: 'code', text: '', username: 'alice', gateway: 'gw', refused: false } as const;
    const asking = { state: 'connecting', profile: 'office', step: 'auth', attempt: 1, prompt } as const;
    engine!.setState(asking);
    await settle();
    const window = electron.windows[0]!;
    expect(window.visible).toBe(true);
    // Put away, it stays so until there is another question.
    // Also where its place cannot be remembered.
    mkdirSync(join(folder, 'window.json'));
    const close = preventable();
    window.emit('close', close);
    expect(close.prevented).toBe(true);
    engine!.setState({ ...asking, step: 'tun' });
    await settle();
    expect(window.visible).toBe(false);
    engine!.setState({ ...asking, prompt: { ...prompt, id: 'p2' } });
    await settle();
    expect(window.visible).toBe(true);
  });

  test('it comes back where it was, unless that screen is gone', async () => {
    writeFileSync(
      join(folder, 'window.json'),
      JSON.stringify({ x: 50, y: 60, width: 700, height: 600, maximized: true }),
    );
    await start();
    expect(electron.windows[0]!.options).toMatchObject({ x: 50, y: 60, width: 700, height: 600 });
    expect(electron.windows[0]!.maximized).toBe(true);
    writeFileSync(join(folder, 'window.json'), JSON.stringify({ x: 5000, y: 60, width: 700, height: 600 }));
    electron = new FakeElectron(folder);
    await start();
    expect(electron.windows[0]!.options.x).toBeUndefined();
  });

  test('quits at once when nothing is connected', async () => {
    await start();
    electron.app.quit();
    await settle();
    expect(electron.questions).toEqual([]);
    expect(electron.app.quits).toBe(1);
  });

  test.each([
    ['disconnect and quit', 0, 1, 'disconnected'],
    ['quit and stay connected', 1, 1, 'connected'],
    ['cancel', 2, 0, 'connected'],
  ])('connected, it asks: %s', async (_, answer, quits, state) => {
    await start();
    electron.tray.press(`Connect: ${profileName()}`);
    await settle();
    electron.answers.push(answer);
    electron.tray.press('Quit Culvert');
    await settle();
    expect(electron.questions).toHaveLength(1);
    expect(electron.app.quits).toBe(quits);
    expect(engine!.state.state).toBe(state);
  });

  test('goes down with the computer, and asks nobody', async () => {
    const shell = await start();
    electron.tray.press(`Connect: ${profileName()}`);
    await settle();
    electron.power.emit('shutdown');
    await settle();
    expect(electron.questions).toEqual([]);
    expect(electron.app.quits).toBe(1);
    // And after the restart it is up again.
    expect(shell.intent).toEqual({ want: 'up', profile: 'office' });
  });

  test('a second instance ends; the first shows its window', async () => {
    await start({ argv: ['culvert', '--hidden'] });
    expect(electron.windows).toHaveLength(0);
    electron.app.emit('second-instance', {}, ['culvert']);
    expect(electron.windows[0]!.visible).toBe(true);
    const second = new FakeElectron(folder);
    second.app.alone = false;
    electron = second;
    expect(await start()).toBeUndefined();
    expect(second.app.quits).toBe(1);
    expect(second.trays).toEqual([]);
  });
});

describe('deep links', () => {
  const URL_LINK = 'culvert://import?url=https%3A%2F%2Fvpn.example%2Fprofile.json';

  test('a link leads to a preview; nothing is imported or connected unless accepted', async () => {
    await start();
    electron.app.emit('second-instance', {}, ['culvert', URL_LINK]);
    await settle();
    expect(electron.questions).toHaveLength(1);
    const names = engine!.calls.map((call) => call.name);
    expect(names).toContain('previewUrl');
    expect(names).not.toContain('importUrl');
    electron.answers.push(0);
    const event = preventable();
    electron.app.emit('open-url', event, URL_LINK);
    await settle();
    expect(event.prevented).toBe(true);
    const { params } = engine!.calls.find(({ name }) => name === 'importUrl')!;
    expect(params).toMatchObject({ replace: false, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(engine!.calls.map((call) => call.name)).not.toContain('connect');
  });

  test('waits for the engine', async () => {
    const late = engine;
    engine = undefined;
    await start({ argv: ['culvert', URL_LINK] });
    expect(electron.questions).toEqual([]);
    engine = late;
    await pass(10_000);
    expect(electron.questions).toHaveLength(1);
  });

  test.each([
    'culvert://connect?profile=office',
    'culvert://import',
    'culvert://import/../connect?url=https://vpn.example/p',
    'culvert://import/x?url=https://vpn.example/p',
    'culvert:import?url=https://vpn.example/p',
    'culvert://user@import?url=https://vpn.example/p',
    'culvert://import?url=https://vpn.example/p&url=https://other.example/p',
    'culvert://import?url=javascript:alert(1)',
    'culvert://import?url=https://192.168.1.1/p',
    'culvert://import?url=https://0x7f.1/p',
    'culvert://import?url=https://[::1]/p',
    'culvert://import?url=https://localhost/p',
    'culvert://import?url=https://LOCALHOST./p',
    'culvert://import?url=https://printer/p',
    'culvert://import?url=https://nas.local/p',
    'culvert://import?url=https://git.internal/p',
    'https://vpn.example/office.culvert',
    'file://server/share/office.culvert',
    'data:text/plain,x.culvert',
    '/etc/passwd',
    '/tmp/x.culvert\0.txt',
    'culvert://import?url=http%3A%2F%2Fvpn.example%2Fp.json',
    'culvert://import?url=https%3A%2F%2Fuser%3Apw%40vpn.example%2F',
    'culvert://import?url=file%3A%2F%2F%2Fetc%2Fshadow',
    `culvert://import?url=https://vpn.example/${'a'.repeat(3000)}`,
  ])('%s is not followed', async (link) => {
    await start();
    electron.app.emit('open-url', preventable(), link);
    electron.app.emit('second-instance', {}, ['culvert', '--new-window', link], '/home/alice');
    await settle();
    expect(electron.questions).toEqual([]);
    expect(engine!.calls.map((call) => call.name)).not.toContain('previewUrl');
    expect(engine!.calls.map((call) => call.name)).not.toContain('preview');
  });

  test('a file is read by its path, its URL, or from where the second instance was started', async () => {
    await start();
    const path = join(folder, 'my profile.culvert');
    writeFileSync(path, '{"name":"new"}');
    const second = (...argv: string[]) => electron.app.emit('second-instance', {}, ['culvert', ...argv], folder);
    for (const word of [path, pathToFileURL(path).href, 'my profile.culvert']) {
      second(word);
      await settle();
      expect(electron.questions.at(-1)?.message, word).toBe('Import the profile “new”?');
    }
    expect(electron.questions).toHaveLength(3);
  });

  test('what is no file, or too long for a profile, is not read', async () => {
    await start();
    const pipe = join(folder, 'pipe.culvert');
    execFileSync('mkfifo', [pipe]);
    const long = join(folder, 'long.culvert');
    writeFileSync(long, 'x'.repeat(256 * 1024 + 1));
    symlinkSync('/dev/zero', join(folder, 'zero.culvert'));
    for (const [path, words] of [
      [pipe, 'is not a file'],
      [join(folder, 'zero.culvert'), 'is not a file'],
      [long, 'too large for a profile'],
      [join(folder, 'none.culvert'), 'ENOENT'],
    ] as const) {
      electron.app.emit('open-file', preventable(), path);
      await settle();
      expect(electron.questions.at(-1)?.detail, path).toContain(words);
    }
    expect(engine!.calls.map((call) => call.name)).not.toContain('preview');
  });

  test('many links are one question', async () => {
    const late = engine;
    engine = undefined;
    await start();
    const path = (i: number): string => join(folder, `${i}.culvert`);
    for (let i = 0; i < 20; i++) {
      writeFileSync(path(i), `{"name":"p${i}"}`);
      electron.app.emit('open-file', preventable(), path(i));
    }
    engine = late;
    await pass(10_000);
    expect(electron.questions).toHaveLength(3);
    let answer: (button: number) => void = () => {};
    electron.ask = (options) => {
      electron.questions.push(options);
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    for (let i = 0; i < 20; i++) electron.app.emit('open-file', preventable(), path(i));
    await settle();
    expect(electron.questions).toHaveLength(4);
    answer(1);
    await settle();
    electron.app.emit('open-file', preventable(), path(0));
    await settle();
    expect(electron.questions).toHaveLength(5);
  });
});

describe('notifications', () => {
  test('tell that the engine is gone, and that the tunnel is back', async () => {
    await start({ argv: ['culvert', '--hidden'] });
    electron.tray.press('Connect: office');
    await settle();
    const dead = engine!;
    engine = createFakeEngine();
    dead.crash();
    await settle();
    expect(electron.notices.map(({ title }) => title)).toEqual(['The engine stopped while office was connected']);
    await pass(20_000);
    expect(electron.notices.map(({ title }) => title).slice(1)).toEqual(['Connected to office']);
  });

  test('tell when a lost connection waits for the person', async () => {
    await start();
    const { reconnecting } = fakeStates(now);
    engine!.setState(fakeStates(now).connected);
    engine!.setState(reconnecting);
    engine!.setState({ ...reconnecting, held: true } as EngineState);
    engine!.setState({ ...reconnecting, held: true } as EngineState);
    engine!.setState(reconnecting);
    await settle();
    expect(electron.notices.map(({ title }) => title.split(':')[0])).toEqual([
      'Connected to office',
      'Reconnecting to office',
      'office needs you before it is tried again',
    ]);
  });

  test('say nothing of an engine that had nothing to hold', async () => {
    await start();
    engine!.crash();
    await settle();
    await pass(5_000);
    expect(electron.notices).toEqual([]);
  });

  test('tell what nobody asked for, once, and lead to the window', async () => {
    await start({ argv: ['culvert', '--hidden'] });
    electron.tray.press(`Connect: ${profileName()}`);
    await settle();
    const states = fakeStates(now);
    engine!.setState(states.reconnecting);
    engine!.setState(states.reconnecting);
    await settle();
    expect(electron.notices).toHaveLength(1);
    engine!.setState(states.connected);
    await settle();
    expect(electron.notices).toHaveLength(2);
    engine!.setState({ state: 'failed', profile: 'office', error: FAKE_ERROR });
    await settle();
    expect(electron.notices.at(-1)?.title).toContain(FAKE_ERROR.message);
    electron.notices[0]!.clicked();
    expect(electron.windows[0]!.visible).toBe(true);
  });
});

describe('security', () => {
  test('the page is sandboxed and isolated, and may go nowhere', async () => {
    await start();
    const window = electron.windows[0]!;
    expect(electron.app.sandboxed).toBe(true);
    expect(window.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    });
    expect(window.webContents.open?.()).toEqual({ action: 'deny' });
    for (const event of ['will-navigate', 'will-redirect', 'will-attach-webview']) {
      const tried = preventable();
      window.webContents.emit(event, tried);
      expect(tried.prevented, event).toBe(true);
    }
    const granted: boolean[] = [];
    electron.permission?.({}, 'geolocation', (answer) => granted.push(answer));
    expect(granted).toEqual([false]);
    expect(electron.check?.()).toBe(false);
    expect(electron.headers?.['Content-Security-Policy']?.[0]).toMatch(/default-src 'none'.*connect-src 'none'/);
    expect(electron.headers?.a).toEqual(['b']);
  });

  test('only our own page’s top frame reaches the engine', async () => {
    const written: string[] = [];
    const socket: EngineSocket = { write: (text) => written.push(text), destroy: () => {}, on: () => {} };
    const openSocket = vi.fn(async () => socket);
    const shell = await start({ openSocket });
    const window = electron.windows[0]!;
    const own = `${pathToFileURL(PAGE).href}#/routes`;
    electron.fromPage(window, 'https://evil.example/', { kind: 'open', id: 1 });
    electron.fromPage(window, own, { kind: 'open', id: 1 }, {});
    electron.fromPage(window, own, { kind: 'open', id: 'x' });
    await settle();
    expect(openSocket).not.toHaveBeenCalled();
    electron.fromPage(window, own, { kind: 'open', id: 1 });
    await settle();
    expect(window.webContents.sent).toEqual([{ kind: 'opened', id: 1 }]);
    electron.fromPage(window, own, { kind: 'send', id: 1, message: '{"id":1,"call":"status"}\n{"id":2}' });
    expect(written).toEqual([]);
    const connect = '{"id":1,"call":"connect","params":{"profile":"office"}}';
    electron.fromPage(window, own, { kind: 'send', id: 1, message: connect });
    expect(written).toEqual([`${connect}\n`]);
    expect(shell.intent).toEqual({ want: 'up', profile: 'office' });
  });

  test('a page hears why there is no engine', async () => {
    await start();
    const window = electron.windows[0]!;
    electron.fromPage(window, pathToFileURL(PAGE).href, { kind: 'open', id: 7 });
    await settle();
    expect(window.webContents.sent).toMatchObject([{ kind: 'closed', id: 7, reason: { code: 'ipc/not-running' } }]);
  });
});

test('sleep and login reach engine and system', async () => {
  await start();
  electron.power.emit('suspend');
  await settle();
  expect(engine!.calls).toContainEqual({ name: 'notice', params: { event: 'suspend' } });
  await engine!.connect().call('setSettings', { startAtLogin: true });
  await settle();
  expect(electron.app.loginItem).toMatchObject({ openAtLogin: true });
});

test('a system that does not let it start at login is told of, and ends nothing', async () => {
  await start({
    autostart: (wanted) => {
      if (wanted) throw new Error('EACCES: permission denied');
    },
  });
  const client = engine!.connect();
  await client.call('setSettings', { startAtLogin: true, language: 'de' });
  await settle();
  const lines = electron.tray.labels.filter((label) => label.includes('Anmeldung'));
  expect(lines).toEqual([expect.stringContaining('Culvert kann nicht bei der Anmeldung gestartet werden.')]);
  await client.call('setSettings', { theme: 'dark' });
  await settle();
  expect(electron.tray.labels.filter((label) => label.includes('Anmeldung'))).toHaveLength(1);
});

test('a full disk keeps nobody from connecting, and leaves no older wish behind', async () => {
  const file = join(folder, 'intent.json');
  const shell = await start();
  await shell.perform({ do: 'connect', profile: profileName() });
  await settle();
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ want: 'up' });
  // Nothing can be written beside it any more.
  mkdirSync(`${file}.new`);
  await shell.perform({ do: 'disconnect' });
  await settle();
  expect(engine!.state).toMatchObject({ state: 'disconnected' });
  expect(shell.intent).toEqual({ want: 'down' });
  expect(existsSync(file)).toBe(false);
});

test('another network reaches the engine; the tunnel’s own address does not count', async () => {
  const at = (address: string) => ({
    ...{ address, netmask: '255.255.255.0', mac: '02:00:00:00:00:01', internal: false },
    ...{ family: 'IPv4' as const, cidr: `${address}/24` },
  });
  let interfaces: Record<string, ReturnType<typeof at>[]> = { eth0: [at('192.0.2.7')] };
  await start({ interfaces: () => interfaces });
  // The first is the shell's own: here I am.
  const told = () => engine!.calls.filter(({ name }) => name === 'notice').length - 1;
  interfaces = { ...interfaces, culvert0: [at('10.88.0.2')] };
  await pass(12_000);
  expect(told()).toBe(0);
  interfaces = { eth0: [at('198.51.100.7')] };
  await pass(12_000);
  expect(engine!.calls).toContainEqual({ name: 'notice', params: { event: 'network' } });
  expect(told()).toBe(1);
});

describe('the engine is told that a shell is there', () => {
  const notices = () => engine!.calls.filter(({ name }) => name === 'notice').map(({ params }) => params);

  test('as news at the start, not after the engine was away', async () => {
    await start();
    expect(notices()).toEqual([{ event: 'network', known: false }]);
    engine!.crash();
    engine = createFakeEngine();
    await settle();
    await pass(20_000);
    expect(notices()).toEqual([{ event: 'network', known: true }]);
  });

  test('after its own connection, which is no news to it', async () => {
    await engine!.connect().call('setSettings', { connectAtStart: 'office' });
    await start();
    expect(engine!.calls.map(({ name }) => name).slice(-2)).toEqual(['connect', 'notice']);
    expect(notices()).toEqual([{ event: 'network', known: true }]);
  });
});

test('a disconnect that somebody else asked for ends the wish; an engine that goes away with it does not', async () => {
  const shell = await start();
  const name = profileName();
  electron.tray.press(`Connect: ${name}`);
  await settle();
  const dead = engine!;
  dead.setState({ state: 'disconnected', lastError: null });
  await settle();
  engine = undefined;
  dead.crash();
  await settle();
  await pass(4_000);
  expect(shell.intent).toEqual({ want: 'up', profile: name });
  engine = createFakeEngine();
  await pass(20_000);
  expect(engine.state.state).toBe('connected');
  await engine.connect().call('disconnect', {});
  await pass(4_000);
  expect(shell.intent).toEqual({ want: 'down' });
});

test('connects at start, though the settings come late', async () => {
  await engine!.connect().call('setSettings', { connectAtStart: 'office' });
  await start();
  expect(engine!.state).toMatchObject({ state: 'connected', profile: 'office' });
});

test('the tray keeps the last five errors', async () => {
  await start();
  for (let i = 1; i <= 6; i++) {
    engine!.setState({ state: 'failed', profile: 'office', error: { ...FAKE_ERROR, message: `error ${i}` } });
    await settle();
  }
  engine!.setState({ state: 'disconnected', lastError: null });
  await settle();
  const errors = electron.tray.labels.filter((label) => label.startsWith('Last error: '));
  expect(errors).toEqual([6, 5, 4, 3, 2].map((i) => `Last error: error ${i}`));
});

test('tray and notifications tell the engine’s errors in the person’s language', async () => {
  await engine!.connect().call('setSettings', { language: 'de' });
  await start();
  engine!.setState(fakeStates(0).connected);
  await settle();
  engine!.setState(fakeStates(0).reconnecting);
  await settle();
  expect(electron.tray.labels.join()).toContain('Das Gateway antwortet nicht.');
  expect(electron.tray.labels.join()).not.toContain('No answer');
  expect(electron.notices.at(-1)).toMatchObject({
    title: expect.stringContaining('Das Gateway antwortet nicht.'),
    body: expect.stringContaining('Versuchen Sie ein anderes Netz'),
  });
  // What was said before is said in the language of now.
  await engine!.connect().call('setSettings', { language: 'fr' });
  await settle();
  expect(electron.tray.labels.join()).toContain('La passerelle ne répond pas.');
});
