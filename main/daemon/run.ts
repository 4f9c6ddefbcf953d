// The engine as a process: options in, signals, last words. `culvert daemon` calls it; it ends the process itself.
import { systemAdapters } from './adapters.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { RUN_DIRECTORY } from './lock-place.ts';
import { createLog, type LogLevel } from './log.ts';

export interface RunOptions {
  readonly socketPath: string;
  readonly profileDirectory: string;
  readonly logLevel: LogLevel;
  /** Log lines as JSON, for machines. */
  readonly json: boolean;
}

/** Milliseconds that undoing everything may take after a defect. */
const LAST_WORDS = 8_000;

/** Resolves once the engine listens; rejects with EngineError where it cannot start. */
export async function runDaemon(options: RunOptions): Promise<void> {
  // Whoever started us may stop reading our log; that ends nothing.
  process.stderr.on('error', () => {});
  const log = createLog({ level: options.logLevel, json: options.json, write: (line) => process.stderr.write(line) });
  const adapters = systemAdapters((text) => log.add({ level: 'warn', area: 'net', text }));
  let daemon: Daemon | undefined;
  let signals = 0;

  const end = async (code: number): Promise<never> => {
    await daemon?.stop();
    process.exit(code);
  };
  const forced = async (code: number): Promise<never> => {
    // Nobody waits for politeness any more, nor for what goes wrong, but routes must not stay behind.
    const late = setTimeout(() => process.exit(code), LAST_WORDS);
    await adapters.dns.close().catch(() => {});
    await adapters.routes.cleanUp().catch(() => []);
    clearTimeout(late);
    process.exit(code);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      signals++;
      log.add({ level: 'info', area: 'daemon', text: `${signal} received` });
      void (signals === 1 ? end(0) : forced(1));
    });
  const defect = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.add({ level: 'error', area: 'daemon', text: `a defect ends the engine: ${text}` });
    const late = setTimeout(() => void forced(70), LAST_WORDS);
    void end(70).finally(() => clearTimeout(late));
  };
  process.on('uncaughtException', defect);
  process.on('unhandledRejection', defect);

  daemon = await startDaemon({
    socketPath: options.socketPath,
    profileDirectory: options.profileDirectory,
    log,
    adapters,
    runDirectory: RUN_DIRECTORY,
  });
  if (signals > 0) await end(0);
}
