// The desktop shell, put together from its parts: engine within reach, intent, tray, window, notifications, deep links,
// quitting. Gets Electron's modules handed in, so a double of them (test/electron/fake-electron.ts) can drive all of it.
import { join } from 'node:path';
import type { ContractClient, ContractError, EngineState, Settings } from '../ipc/contract.ts';
import { DEFAULT_SETTINGS } from '../ipc/contract.ts';
import { EngineError, ipcError } from '../ipc/error.ts';
import { createSpeaker, type Speaker } from '../words/say.ts';
import { errorWords } from '../words/told.ts';
import { type EngineSocket, serveBridge } from './bridge.ts';
import { type DeepLink, linkOfArguments, parseLink, plain, readProfile, SCHEME } from './deep-link.ts';
import { type Intent, intentFile, intentOf } from './intent.ts';
import type { ElectronModules } from './modules.ts';
import { type NetworkDeps, watchNetwork } from './network.ts';
import { noticeOf, noticeOfLoss } from './notifications.ts';
import { holdsConnection, quitChoice, quitQuestion } from './quit.ts';
import { securePages, secureSession } from './security.ts';
import { spokenError, spokenLanguage, spokenState } from './spoken.ts';
import { createSupervisor, type Launched, type Supervisor } from './supervisor.ts';
import { type TrayAction, type TrayIcon, type TrayItem, trayView } from './tray.ts';
import { createMainWindow, type MainWindow } from './window.ts';
import { fill, type Words, wordsFor } from './words.ts';

export interface ShellOptions {
  readonly electron: ElectronModules;
  readonly argv: readonly string[];
  readonly platform: NodeJS.Platform;
  /** The interface's index.html, the preload script, and the folder of the tray's icons. */
  readonly page: string;
  readonly preload: string;
  readonly icons: string;
  readonly connect: () => Promise<ContractClient>;
  readonly openSocket: () => Promise<EngineSocket>;
  readonly launch: (() => Launched) | null;
  /** How to begin or end being started at login where Electron cannot (Linux). */
  readonly autostart?: (wanted: boolean) => void;
  /** node:os's networkInterfaces; absent: changes of the network are not watched. */
  readonly interfaces?: NetworkDeps['interfaces'];
  readonly now: () => number;
  readonly after: (milliseconds: number, then: () => void) => () => void;
}

export interface Shell {
  readonly intent: Intent;
  readonly engine: EngineState | null;
  readonly supervisor: Supervisor;
  readonly window: MainWindow;
  perform(action: TrayAction): Promise<void>;
}

const EVENTS = ['status', 'profiles', 'settings'] as const;
/** Milliseconds after which an engine that disconnected is taken to go on. */
const STAYS = 3_000;
/** Links that wait for an engine. */
const MOST_PENDING = 3;
/** Errors that the tray's menu keeps. */
const MOST_ERRORS = 5;
/** Milliseconds for a polite disconnect before quitting anyway. */
const PARTING = 5_000;

/** undefined: another instance runs and was told; this one ends. Call before Electron is ready. */
export function createShell(options: ShellOptions): Shell | undefined {
  const { electron } = options;
  const { app } = electron;
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return undefined;
  }
  app.enableSandbox();
  securePages(app);
  app.setAsDefaultProtocolClient(SCHEME);
  app.setAppUserModelId('org.culvert.desktop');

  const folder = app.getPath('userData');
  const intents = intentFile(join(folder, 'intent.json'));
  let words: Words = wordsFor('system', app.getLocale());
  let speaker: Speaker = createSpeaker(spokenLanguage('system', app.getLocale()));
  let engine: EngineState | null = null;
  let blocked: readonly string[] = [];
  let profiles: readonly string[] = [];
  let settings: Settings = DEFAULT_SETTINGS;
  let asked: Intent['want'] | null = null;
  /** Process that the newest status came from: a new engine has another. */
  let enginePid: number | null = null;
  /** Newest first, each once in a row. */
  let errors: readonly ContractError[] = [];
  let ending = false;
  let askingToQuit = false;
  let draw = (): void => {};
  /** Interfaces that were tunnels of ours, beside those called as they are unless a profile says otherwise. */
  const tunnels = new Set<string>();
  const pending: DeepLink[] = [];
  let previewing = false;
  let startedOnce = false;

  const window = createMainWindow({
    electron,
    preload: options.preload,
    page: options.page,
    stateFile: join(folder, 'window.json'),
    ending: () => ending,
  });

  const remember = (error: ContractError): void => {
    errors = [error, ...errors].slice(0, MOST_ERRORS);
  };

  const onStatus = (next: EngineState, pid: number): void => {
    const before = engine;
    if (next.state === 'connected') tunnels.add(next.tunnel.interfaceName);
    const sameEngine = pid === enginePid;
    engine = next;
    enginePid = pid;
    const said = intentOf(next);
    if (said) intents.write(said);
    // A running engine was told to disconnect, by whomever. One that is being stopped looks the same, so it has to stay;
    // a new one begins so.
    if (sameEngine && holdsOrEnds(before) && next.state === 'disconnected' && next.lastError === null)
      options.after(STAYS, () => {
        if (pid === enginePid && engine?.state === 'disconnected' && supervisor.state.state === 'attached')
          intents.write({ want: 'down' });
      });
    // A question that nobody sees is never answered.
    const prompt = promptOf(next);
    if (prompt !== null && prompt !== (before ? promptOf(before) : null)) window.show();
    const error = errorOf(next);
    const known = [before ? errorOf(before) : null, errors[0]].map((one) => one?.message);
    if (error !== null && !known.includes(error.message)) remember(error);
    const notice = noticeOf(before, spokenState(next, speaker), asked, words);
    if (next.state === 'connected' || next.state === 'disconnected' || next.state === 'failed') asked = null;
    if (notice) electron.notify(notice, () => window.show());
    draw();
  };

  const startAtLogin = (wanted: boolean): void => {
    try {
      // Electron does it on macOS and Windows only.
      if (options.autostart) options.autostart(wanted);
      else app.setLoginItemSettings({ openAtLogin: wanted, args: ['--hidden'] });
    } catch (error) {
      if (!errors.some(({ code }) => code === START_AT_LOGIN)) remember(notAtLogin(error));
    }
  };

  const want = (intent: Intent, byPerson = true): void => {
    asked = byPerson ? intent.want : null;
    intents.write(intent);
  };

  /** Brings a new engine to what is wanted. */
  const onAttached = async (client: ContractClient): Promise<void> => {
    engine = null;
    client.on('status', (status) => {
      blocked = status.blocked ?? [];
      onStatus(status.engine, status.pid);
    });
    client.on('profiles', (list) => {
      profiles = list.profiles.map(({ name }) => name);
      draw();
    });
    client.on('settings', (next) => {
      settings = next;
      words = wordsFor(next.language, app.getLocale());
      speaker = createSpeaker(spokenLanguage(next.language, app.getLocale()));
      startAtLogin(next.startAtLogin);
      draw();
    });
    const wanted = intents.read();
    const { engine: found } = await client.call('status', {});
    await client.call('subscribe', { events: EVENTS });
    // Its event may come after the answer.
    settings = await client.call('settings', {});
    const first = !startedOnce;
    startedOnce = true;
    const idle = found.state === 'disconnected';
    const profile = !idle ? null : wanted.want === 'up' ? wanted.profile : first ? settings.connectAtStart : null;
    // The engine looks which network this is and may connect by itself; not where the person has been before this engine was,
    // nor where this shell connects.
    const known = !first || profile !== null;
    const arm = (): void => void unheard(client.call('notice', { event: 'network', known }));
    if (profile === null) arm();
    // After the engine was away nobody asked, so it is told that the tunnel is back.
    else void connect(client, profile, first).then(arm);
    while (pending.length > 0) await preview(pending.shift() as DeepLink);
  };

  const connect = async (client: ContractClient, profile: string, byPerson = true): Promise<void> => {
    const other = holdsConnection(engine);
    want({ want: 'up', profile }, byPerson);
    if (other !== null && other !== profile) {
      // Both ends of the change are asked for.
      asked = 'down';
      await unheard(client.call('disconnect', {}));
      want({ want: 'up', profile }, byPerson);
    }
    await unheard(client.call('connect', { profile }));
  };

  const supervisor = createSupervisor({
    connect: options.connect,
    launch: options.launch,
    now: options.now,
    after: options.after,
    onState: (state) => {
      if (state.state !== 'attached') {
        const lost = 'because' in state ? noticeOfLoss(engine, spokenError(state.because, speaker), words) : null;
        if (lost && !ending) electron.notify(lost, () => window.show());
        engine = null;
      }
      draw();
    },
    onAttached: (client) => void unheard(onAttached(client)),
  });

  /** One question at a time: any web page can make links, and as many as it likes. */
  const preview = async (link: DeepLink): Promise<void> => {
    const client = supervisor.client;
    if (!client) {
      if (pending.length < MOST_PENDING) pending.push(link);
      return;
    }
    if (previewing) return;
    previewing = true;
    try {
      await previewNow(client, link);
    } finally {
      previewing = false;
    }
  };
  const previewNow = async (client: ContractClient, link: DeepLink): Promise<void> => {
    try {
      const text = link.kind === 'file' ? textOf(link.path) : '';
      const seen =
        link.kind === 'file'
          ? await client.call('preview', { text })
          : await client.call('previewUrl', { url: link.url });
      const { profile, warnings, exists, digest } = seen;
      const routes = profile.routes.mode === 'full' ? '0.0.0.0/0, ::/0' : profile.routes.include.join(', ');
      const said = warnings.map((warning) => speaker.say(warning).text);
      const more = [...said, ...(exists ? [words.importReplace] : [])].join('\n');
      const button = await electron.ask({
        type: 'question',
        message: fill(words.importTitle, plain(profile.name, 63)),
        detail: fill(words.importDetail, plain(profile.gateway, 255), plain(routes, 500), plain(more, 2000)),
        buttons: [words.importButton, words.cancel],
        defaultId: 1,
        cancelId: 1,
        noLink: true,
      });
      if (button !== 0) return;
      if (link.kind === 'file') await client.call('import', { text, replace: exists });
      // What is stored is what the person saw, whatever the address has by now.
      else await client.call('importUrl', { url: link.url, replace: exists, ...(digest ? { digest } : {}) });
      window.show();
    } catch (error) {
      const known = error instanceof EngineError ? error : ipcError('ipc/internal', String(error), '');
      const { message, remedy } = spokenError(known.toContract(), speaker);
      await electron.ask({
        type: 'error',
        message: words.importFailed,
        detail: plain(`${message}\n${remedy}`, 2000),
        buttons: [words.ok],
      });
    }
  };

  const quit = async (): Promise<void> => {
    if (askingToQuit || ending) return;
    const profile = holdsConnection(engine);
    askingToQuit = true;
    try {
      const choice = profile === null ? 'quit' : quitChoice(await electron.ask(quitQuestion(profile, words)));
      if (choice === 'cancel') return;
      if (choice === 'disconnect') {
        want({ want: 'down' });
        const parting = new Promise<void>((resolve) => options.after(PARTING, resolve));
        await Promise.race([unheard(supervisor.client?.call('disconnect', {})), parting]);
      }
      ending = true;
      supervisor.close();
      app.quit();
    } finally {
      askingToQuit = false;
    }
  };

  const perform = async (action: TrayAction): Promise<void> => {
    switch (action.do) {
      case 'open':
        return window.show();
      case 'retry':
        return supervisor.retry();
      case 'quit':
        return quit();
      case 'disconnect':
        want({ want: 'down' });
        await unheard(supervisor.client?.call('disconnect', {}));
        return;
      case 'connect':
        if (supervisor.client) await connect(supervisor.client, action.profile);
        return;
    }
  };

  serveBridge({
    ipc: electron.ipc,
    page: options.page,
    open: options.openSocket,
    onCall: (name, params) => {
      if (name === 'disconnect') want({ want: 'down' });
      else if (name === 'connect') {
        const profile =
          typeof params === 'object' && params !== null && 'profile' in params ? params.profile : undefined;
        if (typeof profile === 'string') want({ want: 'up', profile });
      }
    },
  });

  app.on('second-instance', (_event, argv, folder) => {
    const link = linkOfArguments(argv, folder);
    if (link) void preview(link);
    else window.show();
  });
  for (const kind of ['open-url', 'open-file'] as const)
    app.on(kind, (event, target) => {
      event.preventDefault();
      const link = parseLink(target);
      if (link) void preview(link);
    });
  app.on('activate', () => window.show());
  // Without a listener Electron would quit.
  app.on('window-all-closed', () => {});
  app.on('before-quit', (event) => {
    if (ending) return;
    event.preventDefault();
    void quit();
  });
  for (const event of ['suspend', 'resume'] as const)
    electron.power.on(event, () => void unheard(supervisor.client?.call('notice', { event })));

  // The computer goes down, and nobody is there to answer a question.
  electron.power.on('shutdown', () => {
    ending = true;
    supervisor.close();
    app.quit();
  });

  if (options.interfaces)
    watchNetwork({
      interfaces: options.interfaces,
      after: options.after,
      own: (name) => name.startsWith('culvert') || tunnels.has(name),
      changed: () => void unheard(supervisor.client?.call('notice', { event: 'network' })),
    });

  void app.whenReady().then(() => {
    secureSession(electron.session);
    const icon = (name: TrayIcon): string => iconFile(options, name);
    const tray = electron.createTray(icon('busy'));
    tray.on('click', () => window.show());
    draw = () => {
      const { state } = supervisor;
      const view = trayView({
        supervisor: 'because' in state ? { ...state, because: spokenError(state.because, speaker) } : state,
        engine: engine && spokenState(engine, speaker),
        blocked,
        profiles,
        errors: errors.map((error) => spokenError(error, speaker).message),
        words,
      });
      tray.setImage(icon(view.icon));
      tray.setToolTip(view.tooltip);
      tray.setContextMenu(electron.buildMenu(view.items.map((item) => template(item, perform))));
    };
    const link = linkOfArguments(options.argv);
    if (link) void preview(link);
    if (!options.argv.includes('--hidden')) window.show();
    supervisor.start();
  });

  return {
    get intent() {
      return intents.read();
    },
    get engine() {
      return engine;
    },
    supervisor,
    window,
    perform,
  };
}

/** Throws EngineError. */
function textOf(path: string): string {
  try {
    return readProfile(path);
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: String(error) };
    throw new EngineError({ code: 'profile/unreadable', message, remedy: REMEDY, data: { path } });
  }
}
const REMEDY = errorWords('profile/unreadable').remedy;

/**
 * Waits for a call whose failure is told elsewhere: why it failed is in the engine's status, which notifications and tray show; where
 * the engine goes away, the supervisor hears of it.
 */
const unheard = async (call: Promise<unknown> | undefined): Promise<void> => {
  await call?.catch(() => {});
};

const START_AT_LOGIN = 'shell/start-at-login';
const notAtLogin = (error: unknown): ContractError => ({
  code: START_AT_LOGIN,
  message: `Culvert cannot be started at login (${error instanceof Error ? error.message : error}).`,
  remedy: errorWords(START_AT_LOGIN).remedy,
});

const holdsOrEnds = (engine: EngineState | null): boolean =>
  holdsConnection(engine) !== null || engine?.state === 'disconnecting';

/** The open question's name. */
const promptOf = (engine: EngineState): string | null =>
  engine.state === 'connecting' || engine.state === 'connected' ? (engine.prompt?.id ?? null) : null;

function errorOf(engine: EngineState): ContractError | null {
  switch (engine.state) {
    case 'failed':
      return engine.error;
    case 'reconnecting':
      return engine.because;
    case 'disconnected':
      return engine.lastError;
    case 'connecting':
    case 'connected':
    case 'disconnecting':
      return null;
  }
}

function template(item: TrayItem, perform: (action: TrayAction) => Promise<void>) {
  if ('separator' in item) return { type: 'separator' as const };
  const { action } = item;
  return {
    // A single one would mark the letter after it.
    label: item.label.replaceAll('&', '&&'),
    enabled: action !== null,
    ...(item.checked === undefined ? {} : { type: 'checkbox' as const, checked: item.checked }),
    ...(action ? { click: () => void perform(action) } : {}),
  };
}

/** macOS takes the file's name as the sign of a template image, which it colours itself. */
const iconFile = ({ icons, platform }: Pick<ShellOptions, 'icons' | 'platform'>, name: TrayIcon): string =>
  join(icons, platform === 'darwin' ? `tray-${name}Template.png` : `tray-${name}.png`);
