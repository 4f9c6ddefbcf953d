// Electron's modules in memory, as far as the shell uses them (main/electron/modules.ts): what the shell did can be read, and
// what the person or the system does can be played.
import type Electron from 'electron';
import type {
  ElectronModules,
  Preventable,
  ShellApp,
  ShellContents,
  ShellMenu,
  ShellMessageEvent,
  ShellTray,
  ShellWindow,
} from '../../main/electron/modules.ts';

type Listener = (...args: never[]) => void;

class Emitter {
  private readonly listeners = new Map<string, Listener[]>();
  on(event: string, listener: Listener): unknown {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
    return this;
  }
  emit(event: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(event) ?? []) (listener as (...args: unknown[]) => void)(...args);
  }
  count(event: string): number {
    return this.listeners.get(event)?.length ?? 0;
  }
}

export function preventable(): Preventable & { readonly prevented: boolean } {
  const state = {
    prevented: false,
    preventDefault() {
      state.prevented = true;
    },
  };
  return state;
}

export class FakeContents extends Emitter implements ShellContents {
  static next = 1;
  readonly id = FakeContents.next++;
  readonly sent: unknown[] = [];
  open: (() => { action: 'deny' }) | undefined;
  destroyed = false;
  send(_channel: string, message: unknown): void {
    this.sent.push(message);
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  setWindowOpenHandler(handler: () => { action: 'deny' }): void {
    this.open = handler;
  }
}

export class FakeWindow extends Emitter implements ShellWindow {
  readonly webContents = new FakeContents();
  visible = false;
  maximized = false;
  minimized = false;
  focused = 0;
  loaded: string | undefined;
  bounds = { x: 10, y: 20, width: 900, height: 700 };
  readonly options: Electron.BrowserWindowConstructorOptions;
  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super();
    this.options = options;
  }
  async loadFile(path: string): Promise<void> {
    this.loaded = path;
    this.emit('ready-to-show');
  }
  show(): void {
    this.visible = true;
  }
  hide(): void {
    this.visible = false;
  }
  focus(): void {
    this.focused++;
  }
  isMinimized = (): boolean => this.minimized;
  isMaximized = (): boolean => this.maximized;
  isVisible = (): boolean => this.visible;
  isDestroyed = (): boolean => false;
  maximize(): void {
    this.maximized = true;
  }
  restore(): void {
    this.minimized = false;
  }
  getNormalBounds = (): Electron.Rectangle => this.bounds;
}

export class FakeTray extends Emitter implements ShellTray {
  image: string;
  tooltip = '';
  menu: Electron.MenuItemConstructorOptions[] = [];
  private readonly menus: Map<ShellMenu, Electron.MenuItemConstructorOptions[]>;
  constructor(image: string, menus: Map<ShellMenu, Electron.MenuItemConstructorOptions[]>) {
    super();
    this.image = image;
    this.menus = menus;
  }
  setImage(image: string): void {
    this.image = image;
  }
  setToolTip(text: string): void {
    this.tooltip = text;
  }
  setContextMenu(menu: ShellMenu | null): void {
    this.menu = menu ? (this.menus.get(menu) ?? []) : [];
  }
  destroy(): void {}
  get labels(): readonly string[] {
    return this.menu.map(({ label, type }) => label ?? `(${type})`);
  }
  press(label: string): void {
    const item = this.menu.find((each) => each.label === label);
    if (!item?.click) throw new Error(`nothing to press called ${label}: ${this.labels.join(' | ')}`);
    (item.click as () => void)();
  }
}

export class FakeApp extends Emitter implements ShellApp {
  alone = true;
  quits = 0;
  sandboxed = false;
  readonly protocols: string[] = [];
  loginItem: unknown;
  private readonly folder: string;
  constructor(folder: string) {
    super();
    this.folder = folder;
  }
  quit(): void {
    const event = preventable();
    this.emit('before-quit', event);
    if (!event.prevented) this.quits++;
  }
  exit(): void {
    this.quits++;
  }
  getPath = (): string => this.folder;
  getLocale = (): string => 'en-GB';
  requestSingleInstanceLock = (): boolean => this.alone;
  setAsDefaultProtocolClient(scheme: string): boolean {
    this.protocols.push(scheme);
    return true;
  }
  setLoginItemSettings(settings: Electron.Settings): void {
    this.loginItem = settings;
  }
  setAppUserModelId(): void {}
  enableSandbox(): void {
    this.sandboxed = true;
  }
  whenReady = async (): Promise<void> => {};
}

export class FakeElectron implements ElectronModules {
  readonly app: FakeApp;
  readonly ipcEvents = new Emitter();
  readonly ipc: ElectronModules['ipc'] = {
    on: (channel: string, listener: (event: ShellMessageEvent, message: unknown) => void) =>
      this.ipcEvents.on(channel, listener as Listener),
  };
  readonly power = new Emitter();
  readonly windows: FakeWindow[] = [];
  readonly trays: FakeTray[] = [];
  readonly notices: { readonly title: string; readonly body: string; readonly clicked: () => void }[] = [];
  readonly questions: Electron.MessageBoxOptions[] = [];
  /** Buttons that the person will press, in order; without one: the cancelling one. */
  readonly answers: number[] = [];
  permission: ((contents: unknown, permission: string, answer: (granted: boolean) => void) => void) | null = null;
  check: (() => boolean) | null = null;
  headers: Record<string, string[]> | undefined;
  private readonly menus = new Map<ShellMenu, Electron.MenuItemConstructorOptions[]>();

  constructor(folder: string) {
    this.app = new FakeApp(folder);
  }
  readonly session: ElectronModules['session'] = {
    setPermissionRequestHandler: (handler) => {
      this.permission = handler;
    },
    setPermissionCheckHandler: (handler) => {
      this.check = handler;
    },
    webRequest: {
      onHeadersReceived: (listener) =>
        listener({ responseHeaders: { a: ['b'] } }, ({ responseHeaders }) => {
          this.headers = responseHeaders;
        }),
    },
  };
  createWindow(options: Electron.BrowserWindowConstructorOptions): FakeWindow {
    const window = new FakeWindow(options);
    this.windows.push(window);
    this.app.emit('web-contents-created', {}, window.webContents);
    return window;
  }
  createTray(image: string): FakeTray {
    const tray = new FakeTray(image, this.menus);
    this.trays.push(tray);
    return tray;
  }
  buildMenu(template: Electron.MenuItemConstructorOptions[]): ShellMenu {
    // Opaque to the shell: only its identity is used.
    const menu = Object.create(null) as ShellMenu;
    this.menus.set(menu, template);
    return menu;
  }
  notify(options: { readonly title: string; readonly body: string }, clicked: () => void): void {
    this.notices.push({ ...options, clicked });
  }
  async ask(options: Electron.MessageBoxOptions): Promise<number> {
    this.questions.push(options);
    return this.answers.shift() ?? options.cancelId ?? 0;
  }
  workAreas = (): readonly Electron.Rectangle[] => [{ x: 0, y: 0, width: 1920, height: 1080 }];
  get tray(): FakeTray {
    return this.trays[0]!;
  }
  /** A message from a page. */
  fromPage(window: FakeWindow, url: string, message: unknown, parent: unknown = null): void {
    this.ipcEvents.emit('culvert', { sender: window.webContents, senderFrame: { url, parent } }, message);
  }
}
