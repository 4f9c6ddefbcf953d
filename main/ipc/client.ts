// The other end of the contract on the engine's local socket: what the command line and the desktop shell speak with.
import { createConnection, type Socket } from 'node:net';
import { type EngineError, ipcError } from './error.ts';
import { createLineReader } from './framing.ts';
import { type ContractProxy, createProxy, greet } from './proxy.ts';

/** Rejects with EngineError: the engine's own, or `ipc/disconnected`. */
export type EngineClient = Pick<ContractProxy, 'call' | 'on' | 'closed' | 'close'>;

/** Rejects with EngineError: `ipc/not-running`, `ipc/no-permission`, `ipc/contract-version`. */
export async function connectEngine(path: string): Promise<EngineClient> {
  const client = speak(await openEngineSocket(path));
  try {
    await greet(client);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** The bare connection, for who relays messages. Rejects as connectEngine does. */
export function openEngineSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      switch (error.code) {
        case 'EACCES':
        case 'EPERM':
          return reject(
            ipcError(
              'ipc/no-permission',
              `You may not speak to the engine: ${path} is for root and the group "culvert".`,
              'Join the group (sudo usermod -aG culvert "$USER", then log in again), or run this command with sudo.',
              { path },
            ),
          );
        case 'ENOENT':
        case 'ECONNREFUSED':
        case 'ENOTDIR':
          return reject(
            ipcError(
              'ipc/not-running',
              `The engine is not running: nobody listens on ${path}.`,
              'Start it with `sudo culvert daemon` (or name its socket with --socket).',
              { path },
            ),
          );
        default:
          return reject(
            ipcError(
              'ipc/socket',
              `The engine's socket ${path} cannot be opened (${error.code ?? error.message}).`,
              'Check that this is the socket of the engine.',
              { path },
            ),
          );
      }
    });
  });
}

function speak(socket: Socket): EngineClient {
  const reader = createLineReader();
  let ended: EngineError | undefined;
  const proxy = createProxy({
    send(message) {
      if (socket.destroyed || !socket.writable) return false;
      socket.write(`${message}\n`);
      return true;
    },
    close() {
      socket.end();
      socket.destroySoon();
    },
  });
  socket.once('close', () => proxy.ended(ended));
  // The reason is in `close`, which follows.
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    const lines = reader.push(chunk);
    if (lines === 'too-long') {
      ended = ipcError('ipc/bad-message', 'The engine sent too long a line.', 'Report this.');
      socket.destroy();
      return;
    }
    for (const line of lines) proxy.hear(line);
  });
  return proxy;
}
