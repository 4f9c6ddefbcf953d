// How each operating system is asked to start the engine with an administrator's rights. The engine gets a cleared
// environment and the Node runtime that lies beside the app, outside the asar, owned by root.
//   Linux    pkexec (clears the environment itself)
//   macOS    osascript's "with administrator privileges"
//   Windows  PowerShell's Start-Process -Verb RunAs (UAC)
import { spawn } from 'node:child_process';
import type { Launched } from './supervisor.ts';

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
      return { command: 'pkexec', args: [place.node, ...engine] };
    case 'darwin': {
      const line = ['/usr/bin/env', '-i', place.node, ...engine].map(quoteShell).join(' ');
      return {
        command: '/usr/bin/osascript',
        args: ['-e', `do shell script ${quoteAppleScript(line)} with administrator privileges`],
      };
    }
    case 'win32': {
      const list = engine.map((word) => quotePowerShell(`"${word}"`)).join(',');
      return {
        command: 'powershell.exe',
        args: [
          ...['-NoProfile', '-NonInteractive', '-WindowStyle', 'Hidden', '-Command'],
          `Start-Process -Verb RunAs -Wait -WindowStyle Hidden -FilePath ${quotePowerShell(place.node)} -ArgumentList ${list}`,
        ],
      };
    }
    default:
      return null;
  }
}

const quoteShell = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
const quoteAppleScript = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const quotePowerShell = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Its own standard error, the last of it, is the reason where it cannot start. */
export function launchProcess({ command, args }: CommandLine): Launched {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4096);
  });
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, said }));
    child.once('error', (error) => resolve({ code: null, said: error.message }));
  });
  child.unref();
  return { ended };
}
