// `culvert daemon`: the engine in this process (--foreground), or in one of its own that goes on after we end.
import { spawn } from 'node:child_process';
import { connectEngine } from '../ipc/client.ts';
import { EngineError } from '../ipc/error.ts';
import { Exit } from './exit.ts';
import type { CliIo } from './io.ts';
import type { DaemonArguments } from './program.ts';

/** Milliseconds that a new engine has to come up. */
const PATIENCE = 15_000;
const GLANCE = 50;

export async function startEngine(options: DaemonArguments, io: CliIo): Promise<number | undefined> {
  if (options.foreground) {
    // Loaded only here: the other commands start faster without the engine's code.
    const { runDaemon } = await import('../daemon/run.ts');
    await runDaemon(options);
    return undefined;
  }
  return startDetached(options, io);
}

/** Starts `culvert daemon --foreground` in a session of its own, and waits until it listens or has said why not. */
async function startDetached(options: DaemonArguments, io: CliIo): Promise<number> {
  const entry = process.argv[1];
  if (!entry) throw new RangeError('no program to start');
  const child = spawn(
    process.execPath,
    [
      ...[entry, 'daemon', '--foreground', '--log-level', options.logLevel],
      ...['--socket', options.socketPath, '--profiles', options.profileDirectory],
    ],
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-16_384);
  });
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? Exit.FAILED));
    child.once('error', () => resolve(Exit.FAILED));
  });
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const code = await Promise.race([ended, pause(GLANCE)]);
    if (code !== undefined) {
      io.err(said.trimEnd());
      return code;
    }
    if (await listens(options.socketPath, child.pid)) break;
    if (Date.now() > deadline) {
      child.kill('SIGTERM');
      throw new EngineError({
        code: 'daemon/slow-start',
        message: `The engine did not come up within ${PATIENCE / 1000} s. It said:\n${said.trimEnd()}`,
        remedy: 'Start it with --foreground to see what it is doing.',
      });
    }
  }
  child.stderr.destroy();
  child.unref();
  io.out(
    `The engine runs (process ${child.pid}) and listens on ${options.socketPath}. \`culvert logs -f\` shows its log.`,
  );
  return Exit.OK;
}

const pause = (milliseconds: number): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(undefined), milliseconds);
  });

/** Whether it is this very engine that answers, not another that was there before. */
async function listens(path: string, pid: number | undefined): Promise<boolean> {
  try {
    const engine = await connectEngine(path);
    try {
      return (await engine.call('status', {})).pid === pid;
    } finally {
      engine.close();
    }
  } catch {
    return false;
  }
}
