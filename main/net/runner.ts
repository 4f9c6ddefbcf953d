// The one way this engine runs commands of the operating system and turns its kernel settings (sysctl). Everything under
// net/ takes a Runner, so that tests compare the transcript of what would have been done.
//
// Commands are started without a shell, with a cleared environment, and given ten seconds.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { NetError } from './error.ts';

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Runner {
  /** Runs `command` to its end. A NetError only where it could not be started or did not end in time. */
  run(command: string, args: readonly string[], input?: string): Promise<RunResult | NetError>;
  /** Value of a kernel setting, its path below /proc/sys without the slash in front; undefined where there is none. */
  readSetting(path: string): Promise<string | undefined>;
  writeSetting(path: string, value: string): Promise<NetError | undefined>;
}

const TIMEOUT = 10_000;
/** Administrators' tools live in sbin, which an engine started with a cleared environment would not find. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** English, with every letter: nmcli writes names of networks in the locale's own. */
const LC_ALL = 'C.UTF-8';

/** What a person would have typed. */
export function commandLine(command: string, args: readonly string[]): string {
  return [command, ...args].map((word) => (/^[\w./:@%+=,-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
}

export const systemRunner: Runner = {
  run: (command, args, input) =>
    new Promise((resolve) => {
      const operation = commandLine(command, args);
      const child = execFile(
        command,
        args,
        { encoding: 'utf8', timeout: TIMEOUT, env: { PATH, LC_ALL }, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          if (!error) return resolve({ exitCode: 0, stdout, stderr });
          if (typeof error.code === 'number') return resolve({ exitCode: error.code, stdout, stderr });
          resolve(
            error.code === 'ENOENT'
              ? new NetError({
                  code: 'command-missing',
                  message: `The command "${command}" is not on this machine.`,
                  operation,
                  errno: 'ENOENT',
                  remedy: `Install it (on Debian and Ubuntu, "ip" comes with the package iproute2), then connect again.`,
                })
              : error.killed
                ? new NetError({
                    code: 'command-failed',
                    message: `"${operation}" was ended after ${TIMEOUT / 1000} s without an answer (${error.signal ?? error.code ?? error.message}).`,
                    operation,
                    remedy: 'Run the command by hand as root to see where it hangs.',
                  })
                : new NetError({
                    code: 'command-failed',
                    message: `"${operation}" could not be run (${error.signal ?? error.code ?? error.message}).`,
                    operation,
                    remedy: 'Run the command by hand as root to see why.',
                  }),
          );
        },
      );
      // A command that ends without reading its input breaks the pipe; its exit code says why.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input ?? '');
    }),

  readSetting: (path) =>
    readFile(`/proc/sys/${path}`, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    ),

  writeSetting: (path, value) =>
    writeFile(`/proc/sys/${path}`, value).then(
      () => undefined,
      (error: NodeJS.ErrnoException) =>
        new NetError({
          code:
            error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS'
              ? 'no-permission'
              : 'system-call',
          message: `The kernel setting ${path} could not be set to ${value} (${error.code}).`,
          operation: `write /proc/sys/${path}`,
          ...(error.code ? { errno: error.code } : {}),
          remedy: 'Run the engine as root; in a container, /proc/sys must be writable.',
        }),
    ),
};

/** Runs a command that is expected to succeed; a failure becomes a NetError that quotes what the command said. */
export async function runOrError(
  runner: Runner,
  command: string,
  args: readonly string[],
  input?: string,
): Promise<string | NetError> {
  const result = await runner.run(command, args, input);
  if (result instanceof NetError) return result;
  if (result.exitCode === 0) return result.stdout;
  const operation = commandLine(command, args) + (input ? ` <<< ${JSON.stringify(input)}` : '');
  const said = result.stderr.trim().split('\n').slice(0, 3).join('; ') || `exit code ${result.exitCode}`;
  if (/Operation not permitted|Permission denied/.test(result.stderr))
    return new NetError({
      code: 'no-permission',
      message: `This process may not change the network: "${commandLine(command, args)}" said: ${said}.`,
      operation,
      errno: 'EPERM',
      remedy: 'Run the engine as root, or give it CAP_NET_ADMIN.',
    });
  return new NetError({
    code: 'command-failed',
    message: `"${commandLine(command, args)}" failed: ${said}.`,
    operation,
    remedy: 'Another network manager may have changed the same interface or table at the same moment: connect again.',
  });
}
