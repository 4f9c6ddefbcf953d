// One engine per network namespace: two would take each other's routes for leftovers. A file in the run directory names
// the process that holds it; the file of a process that is gone is taken over.
import { linkSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../ipc/error.ts';

export const RUN_DIRECTORY = '/run/culvert';

export interface Lock {
  release(): void;
}

const errnoOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** "4026531840": the kernel's number for this process's network namespace. */
function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return /\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0];
  } catch {
    return undefined;
  }
}

/** Start time in clock ticks since boot (proc(5), field 22): a pid that was used again has another. */
function startOf(pid: number | 'self'): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Throws EngineError `daemon/already-running`. undefined: nothing to lock with (no right to, not Linux). */
export function lockNamespace(directory = RUN_DIRECTORY): Lock | undefined {
  const namespace = namespaceOf('self');
  if (namespace === undefined) return undefined;
  const path = join(directory, `engine-${namespace}.lock`);
  const beside = `${path}.${process.pid}`;
  const content = `${process.pid} ${startOf('self')}\n`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    writeFileSync(beside, content, { mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM' || errnoOf(error) === 'EROFS') return undefined;
    throw error;
  }
  try {
    take(path, beside);
  } finally {
    rmSync(beside, { force: true });
  }
  return {
    release() {
      if (holder(path) === content) rmSync(path, { force: true });
    },
  };
}

function holder(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Puts `beside` in the lock's place, whole and only where there is none. */
function take(path: string, beside: string): void {
  for (let tries = 0; tries < 3; tries++) {
    try {
      linkSync(beside, path);
      return;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    const [pid, start] = (holder(path) ?? '').trim().split(' ');
    if (pid && start && startOf(Number(pid)) === start)
      throw new EngineError({
        code: 'daemon/already-running',
        message: `An engine is running already in this network namespace (process ${pid}).`,
        remedy: 'Use that one (`culvert status`), or stop it first: two would remove each other’s routes.',
        data: { pid: Number(pid) },
      });
    rmSync(path, { force: true });
  }
  throw new EngineError({
    code: 'daemon/already-running',
    message: 'Several engines are starting at the same moment.',
    remedy: 'Start one.',
  });
}
