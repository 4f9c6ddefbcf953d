// One engine per network namespace: two would take each other's routes for leftovers. A file in the run directory is locked
// by the kernel (flock(2)), which lets go of it when the engine ends, however it does: nobody has to judge whether the one before
// still lives. The file says who holds it; one that is still there, and that nobody holds, was left by an engine that was killed.
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import { EngineError } from '../ipc/error.ts';
import { LOCK_EX, LOCK_NB } from '../native/constants.ts';
import { libc } from '../native/libc.ts';
import { lockPath, namespaceOf, RUN_DIRECTORY } from './lock-place.ts';

export interface Lock {
  release(): void;
}

const errnoOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Throws EngineError `daemon/already-running`. undefined: nothing to lock with (no right to, not Linux). */
export function lockNamespace(directory = RUN_DIRECTORY): Lock | undefined {
  const namespace = namespaceOf();
  if (namespace === undefined) return undefined;
  const path = lockPath(directory, namespace);
  let fd: number;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    fd = take(path);
  } catch (error) {
    if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM' || errnoOf(error) === 'EROFS') return undefined;
    throw error;
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`, 0);
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      // First the name, while it is still ours: whoever opened the file before that finds it gone, and tries again.
      rmSync(path, { force: true });
      closeSync(fd);
    },
  };
}

/** The descriptor of the file at `path`, locked. */
function take(path: string): number {
  for (;;) {
    const fd = openSync(path, 'a+', 0o600);
    try {
      if (libc().flock(fd, LOCK_EX | LOCK_NB) < 0) throw held(path, libc().errno());
      if (isAt(path, fd)) return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    // Its holder has let go of it, and of its name, between our opening and our locking it.
    closeSync(fd);
  }
}

function isAt(path: string, fd: number): boolean {
  const [ours, there] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

function held(path: string, errno: number): Error {
  if (errno !== constants.errno.EAGAIN) return new Error(`flock ${path}: error ${errno}`);
  const pid = Number.parseInt(readFileSync(path, { encoding: 'utf8', flag: 'a+' }), 10);
  const who = pid > 0 ? ` (process ${pid})` : '';
  return new EngineError({
    code: 'daemon/already-running',
    message: `An engine is running already in this network namespace${who}.`,
    remedy: 'Use that one (`culvert status`), or stop it first: two would remove each other’s routes.',
    ...(pid > 0 ? { data: { pid } } : {}),
  });
}
