// The commands and their options (commander). Each command is a function that returns its exit code.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_SOCKET } from '../ipc/place.ts';
import { down, up } from './connect.ts';
import { Exit, exitCodeOf } from './exit.ts';
import { type CliIo, errorText } from './io.ts';
import { importFile, list, remove } from './profiles.ts';
import { logs, status } from './show.ts';
import { ui } from './ui.ts';

export interface DaemonArguments {
  readonly socketPath: string;
  readonly profileDirectory: string;
  readonly foreground: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly json: boolean;
}

export interface ProgramOptions {
  readonly io: CliIo;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Starts the engine; resolves with an exit code, or undefined where the process goes on as the engine. */
  readonly daemon: (options: DaemonArguments) => Promise<number | undefined>;
}

function count(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('Expected a number from 0 to 99999.');
  return Number(text);
}

/** Runs one command line. undefined: the process goes on as the engine. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<number | undefined> {
  const { io, environment } = options;
  let code: number | undefined = Exit.OK;
  const defaultSocket = environment.CULVERT_SOCKET ?? DEFAULT_SOCKET;
  const defaultProfiles = environment.CULVERT_DIR ?? '/etc/culvert/profiles';

  const program = new Command('culvert')
    .description('A VPN client for gateways that speak GRE over IPsec, or plain IKEv2 IPsec.')
    .version(options.version)
    .showHelpAfterError('(`culvert help` lists the commands)')
    .configureOutput({
      writeOut: (text) => io.out(text.replace(/\n$/, '')),
      writeErr: (text) => io.err(text.replace(/\n$/, '')),
    })
    .exitOverride();

  const command = (usage: string, description: string): Command =>
    program
      .command(usage)
      .description(description)
      .addOption(new Option('--socket <path>', "the engine's socket").default(defaultSocket));

  const run = (work: () => Promise<number | undefined>) => async (): Promise<void> => {
    code = await work();
  };

  const daemonCommand = command('daemon', 'start the engine (as root)')
    .addOption(new Option('--profiles <directory>', 'where the profiles are').default(defaultProfiles))
    .option('--foreground', 'stay in the foreground and log to standard error', false)
    .addOption(
      new Option('--log-level <level>', 'how much to log').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .option('--json', 'log as JSON, one entry a line', false);
  daemonCommand.action(
    run(async () => {
      const given = daemonCommand.opts<{
        socket: string;
        profiles: string;
        foreground: boolean;
        logLevel: DaemonArguments['logLevel'];
        json: boolean;
      }>();
      return options.daemon({
        socketPath: given.socket,
        profileDirectory: given.profiles,
        foreground: given.foreground,
        logLevel: given.logLevel,
        json: given.json,
      });
    }),
  );

  const upCommand = command(
    'up <profile>',
    'connect with a stored profile, or import a profile file and connect with it',
  );
  upCommand.action((profile: string) => run(() => up(io, upCommand.opts<{ socket: string }>().socket, profile))());

  const downCommand = command('down', 'disconnect');
  downCommand.action(run(() => down(io, downCommand.opts<{ socket: string }>().socket)));

  const statusCommand = command('status', 'show what the engine is doing')
    .option('--json', 'print JSON', false)
    .option('--watch', 'go on printing changes until interrupted', false);
  statusCommand.action(
    run(() => {
      const { socket, json, watch } = statusCommand.opts<{ socket: string; json: boolean; watch: boolean }>();
      return status(io, socket, { json, watch });
    }),
  );

  const importCommand = command('import <file>', 'check a profile file and store it ("-": standard input)').option(
    '--replace',
    'replace a profile of the same name',
    false,
  );
  importCommand.action((file: string) =>
    run(() => {
      const { socket, replace } = importCommand.opts<{ socket: string; replace: boolean }>();
      return importFile(io, socket, file, replace);
    })(),
  );

  const listCommand = command('list', 'list the stored profiles').option('--json', 'print JSON', false);
  listCommand.action(
    run(() => {
      const { socket, json } = listCommand.opts<{ socket: string; json: boolean }>();
      return list(io, socket, json);
    }),
  );

  const removeCommand = command('remove <profile>', 'remove a stored profile');
  removeCommand.action((profile: string) =>
    run(() => remove(io, removeCommand.opts<{ socket: string }>().socket, profile))(),
  );

  const uiCommand = command('ui', 'show the interface in a browser, until interrupted')
    .option('--port <number>', 'port of 127.0.0.1 (0: a free one)', count, 0)
    .option('--no-open', 'print the address without opening a browser');
  uiCommand.action(
    run(() => {
      const { socket, port, open } = uiCommand.opts<{ socket: string; port: number; open: boolean }>();
      return ui(io, socket, { port, open });
    }),
  );

  const logsCommand = command('logs', "show the engine's log")
    .option('-f, --follow', 'go on printing new entries until interrupted', false)
    .option('-n, --lines <count>', 'how many of the newest entries', count, 100)
    .option('--json', 'print JSON, one entry a line', false);
  logsCommand.action(
    run(() => {
      const { socket, follow, lines, json } = logsCommand.opts<{
        socket: string;
        follow: boolean;
        lines: number;
        json: boolean;
      }>();
      return logs(io, socket, { follow, lines, json });
    }),
  );

  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Help and version end this way too, with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.OK : Exit.USAGE;
    io.err(errorText(error));
    return exitCodeOf(error);
  }
}
