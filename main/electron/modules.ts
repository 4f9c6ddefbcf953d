// What the shell needs of Electron, as an interface that Electron's own modules fit (main.ts hands them in, and the compiler
// judges) and that test/electron/fake-electron.ts implements. Nothing here exists at run time.
import type Electron from 'electron';

export interface ShellApp
  extends Pick<
    Electron.App,
    | 'quit'
    | 'exit'
    | 'getPath'
    | 'getLocale'
    | 'requestSingleInstanceLock'
    | 'setAsDefaultProtocolClient'
    | 'setLoginItemSettings'
    | 'setAppUserModelId'
    | 'enableSandbox'
    | 'whenReady'
  > {
  on(event: 'second-instance', listener: (event: unknown, argv: string[], folder: string) => void): unknown;
  on(event: 'open-url' | 'open-file', listener: (event: Preventable, target: string) => void): unknown;
  on(event: 'before-quit', listener: (event: Preventable) => void): unknown;
  on(event: 'window-all-closed' | 'activate', listener: () => void): unknown;
  on(event: 'web-contents-created', listener: (event: unknown, contents: ShellContents) => void): unknown;
}

export interface Preventable {
  preventDefault(): void;
}

export interface ShellContents extends Pick<Electron.WebContents, 'send' | 'isDestroyed'> {
  readonly id: number;
  setWindowOpenHandler(handler: () => { action: 'deny' }): void;
  on(event: 'will-navigate' | 'will-redirect', listener: (event: Preventable) => void): unknown;
  on(event: 'will-attach-webview', listener: (event: Preventable) => void): unknown;
  on(event: 'destroyed', listener: () => void): unknown;
}

export interface ShellSession {
  setPermissionRequestHandler(
    handler: ((contents: unknown, permission: string, answer: (granted: boolean) => void) => void) | null,
  ): void;
  setPermissionCheckHandler(handler: (() => boolean) | null): void;
  readonly webRequest: {
    onHeadersReceived(
      listener: (
        details: { responseHeaders?: Record<string, string[]> },
        answer: (response: { responseHeaders?: Record<string, string[]> }) => void,
      ) => void,
    ): void;
  };
}

export interface ShellWindow
  extends Pick<
    Electron.BrowserWindow,
    'show' | 'hide' | 'focus' | 'isMinimized' | 'isMaximized' | 'maximize' | 'restore' | 'isVisible' | 'isDestroyed'
  > {
  readonly webContents: ShellContents;
  loadFile(path: string, options?: { hash?: string }): Promise<void>;
  getNormalBounds(): Electron.Rectangle;
  on(event: 'close', listener: (event: Preventable) => void): unknown;
  on(event: 'resize' | 'move' | 'ready-to-show', listener: () => void): unknown;
}

export interface ShellTray extends Pick<Electron.Tray, 'setToolTip' | 'destroy'> {
  setImage(image: string): void;
  setContextMenu(menu: ShellMenu | null): void;
  on(event: 'click', listener: () => void): unknown;
}

/** Opaque: made from a template, given to the tray. */
export type ShellMenu = Electron.Menu;

export interface ShellMessageEvent {
  readonly sender: ShellContents;
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** Everything of Electron that the shell is handed. */
export interface ElectronModules {
  readonly app: ShellApp;
  readonly session: ShellSession;
  readonly ipc: {
    on(channel: string, listener: (event: ShellMessageEvent, message: unknown) => void): unknown;
  };
  readonly power: { on(event: 'suspend' | 'resume' | 'shutdown', listener: () => void): unknown };
  createWindow(options: Electron.BrowserWindowConstructorOptions): ShellWindow;
  createTray(image: string): ShellTray;
  buildMenu(template: Electron.MenuItemConstructorOptions[]): ShellMenu;
  /** Shows it; `clicked` when the person presses it. */
  notify(options: { readonly title: string; readonly body: string }, clicked: () => void): void;
  /** Index of the button pressed. */
  ask(options: Electron.MessageBoxOptions): Promise<number>;
  /** Work areas of the screens that are there. */
  workAreas(): readonly Electron.Rectangle[];
}
