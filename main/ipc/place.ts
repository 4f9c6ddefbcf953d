// Where the engine's socket is and who may open it: a directory 0750 and a socket 0660, owned by root and the group
// `culvert` (by root alone where there is no such group). A socket that a dead engine left is recognised and replaced.
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { createConnection, type Server } from 'node:net';
import { dirname } from 'node:path';
import { ipcError } from './error.ts';

export const DEFAULT_SOCKET = '/run/culvert/culvert.sock';
export const GROUP = 'culvert';

export interface SocketAccess {
  /** Group that may open the socket; undefined: only the owner. */
  readonly groupId?: number | undefined;
}

/** The kernel's limit for a unix socket's path, without the final zero (unix(7)). */
const MOST_PATH_BYTES = 107;

/** Number of a group by /etc/group; undefined where there is none. */
export function groupIdOf(name: string, file = '/etc/group'): number | undefined {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`));
    const id = Number(line?.split(':')[2]);
    return line && Number.isInteger(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

const errnoOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

export async function listenOnPath(server: Server, path: string, access: SocketAccess): Promise<void> {
  if (Buffer.byteLength(path) > MOST_PATH_BYTES)
    throw ipcError(
      'ipc/socket',
      `The socket's path is longer than ${MOST_PATH_BYTES} bytes: ${path}`,
      'Use a shorter one.',
    );
  makeDirectory(dirname(path), access);
  try {
    await listen(server, path);
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw socketError(path, error);
    await removeStale(path);
    await listen(server, path).catch((again: unknown) => {
      throw errnoOf(again) === 'EADDRINUSE' ? alreadyRunning(path) : socketError(path, again);
    });
  }
  try {
    if (access.groupId !== undefined) chownSync(path, -1, access.groupId);
    chmodSync(path, access.groupId === undefined ? 0o600 : 0o660);
  } catch (error) {
    server.close();
    throw socketError(path, error);
  }
}

function makeDirectory(directory: string, access: SocketAccess): void {
  try {
    // A directory that was there before is somebody's own choice, and its rights are left alone; but ours is ours.
    const made = mkdirSync(directory, { recursive: true, mode: 0o750 }) !== undefined;
    if (!made && directory !== dirname(DEFAULT_SOCKET)) return;
    chmodSync(directory, 0o750);
    if (access.groupId !== undefined) chownSync(directory, -1, access.groupId);
  } catch (error) {
    throw socketError(directory, error);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // bind makes the file: nobody else may open it before its group and mode are set.
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

/** Removes the file where nobody answers on it. */
async function removeStale(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw socketError(path, error);
  }
  if (!isSocket)
    throw ipcError(
      'ipc/socket',
      `${path} exists and is not a socket.`,
      'Remove it, or name another path with --socket.',
    );
  const answered = await new Promise<boolean>((resolve, reject) => {
    const probe = createConnection(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = errnoOf(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      else if (code === 'EAGAIN') resolve(true);
      else reject(socketError(path, error));
    });
  });
  if (answered) throw alreadyRunning(path);
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw socketError(path, error);
  }
}

function alreadyRunning(path: string): Error {
  return ipcError(
    'ipc/already-running',
    `An engine is running already: it listens on ${path}.`,
    'Use that one (`culvert status`), or stop it first.',
    { path },
  );
}

function socketError(path: string, error: unknown): Error {
  const code = errnoOf(error);
  return code === 'EACCES' || code === 'EPERM'
    ? ipcError(
        'ipc/no-permission',
        `This user may not make the socket ${path} (${code}).`,
        'Run the engine as root, or name another path with --socket.',
        { path },
      )
    : ipcError(
        'ipc/socket',
        `The socket ${path} cannot be made (${code}).`,
        'Check the directory, or name another path with --socket.',
        { path },
      );
}
