// What no page may do in this shell, whatever it is. The page is the built interface from our own files; it is sandboxed,
// reaches nothing of Node, and nothing of the network but by the engine.
import type Electron from 'electron';
import type { Preventable, ShellApp, ShellContents, ShellSession } from './modules.ts';

export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function webPreferences(preload: string): Electron.WebPreferences {
  return {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    spellcheck: false,
  };
}

export function secureSession(session: ShellSession): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.webRequest.onHeadersReceived((details, answer) =>
    answer({ responseHeaders: { ...details.responseHeaders, 'Content-Security-Policy': [POLICY] } }),
  );
}

/** Every page, also one that nobody meant to make: no navigation, no window, no webview. */
export function securePages(app: ShellApp): void {
  const deny = (event: Preventable): void => event.preventDefault();
  app.on('web-contents-created', (_event, contents: ShellContents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-navigate', deny);
    contents.on('will-redirect', deny);
    contents.on('will-attach-webview', deny);
  });
}
