// How each operating system is asked to start the engine with an administrator's rights. The engine gets a cleared
// environment and the Node runtime that lies beside the app, outside the asar, owned by root.
//   Linux    pkexec (clears the environment itself; build/service/org.culvert.engine.policy says what it asks)
//   macOS    osascript's "with administrator privileges"
//   Windows  PowerShell, ProcessStartInfo's verb "runas" (UAC)
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Ended, Launched } from './supervisor.ts';

export interface EnginePlace {
  /** Node runtime and the engine's program, absolute. */
  readonly node: string;
  readonly program: string;
  readonly socketPath: string;
}

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

/** null: this operating system has no engine. */
export function elevated(platform: NodeJS.Platform, place: EnginePlace): CommandLine | null {
  const engine = [place.program, 'daemon', '--foreground', '--socket', place.socketPath];
  switch (platform) {
    case 'linux':
      return { command: 'pkexec', args: ['--disable-internal-agent', place.node, ...engine] };
    case 'darwin': {
      const line = ['/usr/bin/env', '-i', place.node, ...engine].map(quoteShell).join(' ');
      return {
        command: '/usr/bin/osascript',
        args: ['-e', `do shell script ${quoteAppleScript(line)} with administrator privileges`],
      };
    }
    case 'win32': {
      const list = engine.map(quoteWindows).join(' ');
      const script = [
        '$i=New-Object System.Diagnostics.ProcessStartInfo',
        `$i.FileName=${quotePowerShell(place.node)}`,
        `$i.Arguments=${quotePowerShell(list)}`,
        "$i.Verb='runas'",
        '$i.UseShellExecute=$true',
        "$i.WindowStyle='Hidden'",
        'try{$p=[System.Diagnostics.Process]::Start($i);$p.WaitForExit();exit $p.ExitCode}',
      ].join(';');
      // ERROR_CANCELLED: the person said no to UAC. The message that comes with it is in the system's language.
      const refused = `catch{if($_.Exception.InnerException.NativeErrorCode -eq 1223){exit ${DISMISSED}};throw}`;
      return {
        command: POWERSHELL,
        args: ['-NoProfile', '-NonInteractive', '-WindowStyle', 'Hidden', '-Command', script + refused],
      };
    }
    default:
      return null;
  }
}

/** In full: what runs as administrator is not looked for in PATH, nor in the folder of the app. */
const POWERSHELL = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';

const quoteShell = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
const quoteAppleScript = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const quotePowerShell = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** As CommandLineToArgvW takes it apart: backslashes count only before a quotation mark. */
const quoteWindows = (word: string): string => `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;

/** What PowerShell's script and pkexec (pkexec(1)) end with where the person closed the question. */
const DISMISSED = 126;
/** pkexec: not authorised, or nobody could be asked. */
const NOT_AUTHORISED = 127;

/** What kept the engine from starting, as far as the one who starts it says so; undefined: the engine itself ended. */
export function refusalOf(command: string, code: number | null, said: string, errno?: string): Ended['refusal'] {
  if (errno === 'ENOENT') return 'no-way';
  if (command.endsWith('osascript')) return /\(-128\)/.test(said) ? 'dismissed' : undefined;
  if (command === 'pkexec' && code === NOT_AUTHORISED)
    // Without an agent nobody can be asked: no desktop, or one that has none.
    return /authentication agent|Error getting authority/i.test(said) ? 'no-way' : 'not-authorised';
  return code === DISMISSED ? 'dismissed' : undefined;
}

/** Its own standard error, the last of it, is the reason where it cannot start. */
export function launchProcess({ command, args }: CommandLine): Launched {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4096);
  });
  const ended = new Promise<Ended>((resolve) => {
    const end = (code: number | null, errno?: string): void =>
      resolve({ code, said, refusal: refusalOf(command, code, said, errno) });
    child.once('close', (code) => end(code));
    child.once('error', (error: NodeJS.ErrnoException) => {
      said = error.message;
      end(null, error.code);
    });
  });
  child.unref();
  return { ended };
}

/**
 * The first of these files, or of the folders that they lie in, that somebody else than root may change, or that is not there: it must
 * not be run as root. undefined: none. (Unix; Windows' Program Files are its own business.)
 */
export function changeableByOthers(
  paths: readonly string[],
  stat: (path: string) => { readonly uid: number; readonly mode: number } = statSync,
): string | undefined {
  for (const path of paths)
    for (let at = path; ; at = dirname(at)) {
      const found = lookAt(at, stat);
      if (!found) return at;
      const { uid, mode } = found;
      // A folder with the sticky bit (as /tmp) lets nobody replace what is another's.
      const shared = (mode & 0o022) !== 0 && !((mode & 0o1000) !== 0 && at !== path);
      if (uid !== 0 || shared) return at;
      if (at === dirname(at)) break;
    }
  return undefined;
}

/** undefined: it is not there, or may not be looked at. */
function lookAt<T>(path: string, stat: (path: string) => T): T | undefined {
  try {
    return stat(path);
  } catch {
    return undefined;
  }
}
