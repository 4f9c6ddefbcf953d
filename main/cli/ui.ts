// `culvert ui`: the interface in a browser, on a machine without the desktop app. Runs until it is interrupted.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveWeb } from '../ipc/web.ts';
import { Exit } from './exit.ts';
import { type CliIo, interruption, withEngine } from './io.ts';

export interface UiOptions {
  readonly port: number;
  /** Open the person's browser. */
  readonly open: boolean;
  /** For tests: where the built interface is. */
  readonly folder?: string;
}

export async function ui(io: CliIo, socketPath: string, options: UiOptions): Promise<number> {
  // Says at once, in the terminal, why there is no engine to talk to.
  await withEngine(io, socketPath, async () => {});
  const web = await serveWeb({ socketPath, port: options.port, folder: options.folder ?? builtInterface() });
  io.out(web.url);
  io.err('The interface is at this address, for you alone: it holds the key of this start. Ctrl-C ends it.');
  const forget = options.open ? openBrowser(web.url, io) : () => {};
  await interruption(io.interrupted);
  forget();
  await web.close();
  return Exit.OK;
}

/** build/out/renderer, from the compiled form (build/out/main/cli) or from the source (main/cli). */
function builtInterface(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = join(here, '../../renderer');
  return existsSync(join(beside, 'index.html')) && beside.includes('out')
    ? beside
    : join(here, '../../build/out/renderer');
}

/**
 * The command lines of all programs can be read by everybody on this computer, so the browser gets the name of a file that
 * only this person can read, and that leads to the address. Returns how to remove it.
 */
function openBrowser(url: string, io: CliIo): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-ui-'));
  const file = join(folder, 'open.html');
  writeFileSync(file, `<!doctype html><meta http-equiv="refresh" content="0; url=${url}"><title>Culvert</title>\n`, {
    mode: 0o600,
  });
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', file]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', file]
        : ['xdg-open', file];
  const child = spawn(command as string, args, { detached: true, stdio: 'ignore' });
  child.once('error', () => io.err('No browser could be opened: open the address yourself.'));
  child.unref();
  return () => rmSync(folder, { recursive: true, force: true });
}
