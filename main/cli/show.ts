// `culvert status` and `culvert logs`: what the engine is doing, once or from now on.
import type { LogEntry, Status, TrafficStatistics } from '../ipc/contract.ts';
import { Exit } from './exit.ts';
import { type CliIo, interruption, withEngine } from './io.ts';
import { logText, statusText, trafficText } from './text.ts';

export interface StatusOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

export async function status(io: CliIo, socketPath: string, options: StatusOptions): Promise<number> {
  return withEngine(io, socketPath, async (engine) => {
    const show = (now: Status): void =>
      io.out(
        options.json ? (options.watch ? JSON.stringify(now) : JSON.stringify(now, null, 2)) : statusText(now, io.now()),
      );
    if (!options.watch) {
      show(await engine.call('status', {}));
      return Exit.OK;
    }
    engine.on('status', show);
    engine.on('traffic', (traffic: TrafficStatistics) => {
      if (options.json) io.out(JSON.stringify({ traffic }));
      else if (io.isTerminal) io.out(`  ${trafficText(traffic)}`);
    });
    await engine.call('subscribe', { events: ['status', 'traffic'] });
    return until(io, engine.closed);
  });
}

export interface LogsOptions {
  readonly follow: boolean;
  readonly lines: number;
  readonly json: boolean;
}

export async function logs(io: CliIo, socketPath: string, options: LogsOptions): Promise<number> {
  return withEngine(io, socketPath, async (engine) => {
    const show = (entry: LogEntry): void => io.out(options.json ? JSON.stringify(entry) : logText(entry));
    // Follow first, then ask for what was before: nothing falls in between, and what is in both is shown once.
    let early: string[] | null = [];
    engine.on('log', (entry) => {
      if (early) early.push(JSON.stringify(entry));
      else show(entry);
    });
    if (options.follow) await engine.call('subscribe', { events: ['log'] });
    const { entries } = await engine.call('logs', { lines: options.lines });
    for (const entry of entries) show(entry);
    if (!options.follow) return Exit.OK;
    const known = new Set(entries.map((entry) => JSON.stringify(entry)));
    for (const line of early) if (options.lines > 0 && !known.has(line)) show(JSON.parse(line) as LogEntry);
    early = null;
    return until(io, engine.closed);
  });
}

/** Goes on until interrupted, which is a good end, or until the engine goes, which is not. */
async function until(io: CliIo, closed: Promise<Error | undefined>): Promise<number> {
  const end = await Promise.race([closed, interruption(io.interrupted)]);
  if (end === 'interrupted') return Exit.OK;
  if (end) throw end;
  return Exit.OK;
}
