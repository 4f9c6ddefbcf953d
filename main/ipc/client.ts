// The other end of the contract: what the command line and the desktop shell speak to the engine with.
import { createConnection, type Socket } from 'node:net';
import { type CallName, type Calls, CONTRACT_VERSION, type EventName, type Events } from './contract.ts';
import { EngineError, ipcError } from './error.ts';
import { createLineReader, decodeLine, encodeLine } from './framing.ts';

export interface EngineClient {
  /** Rejects with EngineError: the engine's own, or `ipc/disconnected`. */
  call<K extends CallName>(name: K, params: Calls[K]['params']): Promise<Calls[K]['result']>;
  /** Hears an event after `call('subscribe', …)`. Returns how to stop. */
  on<E extends EventName>(event: E, listener: (data: Events[E]) => void): () => void;
  /** Resolves when the connection has ended, with the reason where the engine ended it. */
  readonly closed: Promise<EngineError | undefined>;
  close(): void;
}

type Listeners = { [E in EventName]: Set<(data: Events[E]) => void> };

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: EngineError) => void;
}

/** Rejects with EngineError: `ipc/not-running`, `ipc/no-permission`, `ipc/contract-version`. */
export async function connectEngine(path: string): Promise<EngineClient> {
  const socket = await open(path);
  const client = speak(socket);
  try {
    const { contract, version } = await client.call('hello', { contract: CONTRACT_VERSION });
    if (contract !== CONTRACT_VERSION)
      throw ipcError(
        'ipc/contract-version',
        `The engine (version ${version}) speaks contract ${contract}, this program ${CONTRACT_VERSION}.`,
        'Use the two that were installed together; after an update, restart the engine.',
      );
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

function open(path: string): Promise<Socket> {
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
  const waiting = new Map<number, Waiting>();
  const listeners: Listeners = { status: new Set(), traffic: new Set(), log: new Set() };
  let next = 1;
  let ended: EngineError | undefined;
  let closedByUs = false;

  const disconnected = (): EngineError =>
    ended ??
    ipcError(
      'ipc/disconnected',
      'The engine went away before it answered.',
      'Look whether it still runs (`culvert status`), and at its log for the reason.',
    );

  const closed = new Promise<EngineError | undefined>((resolve) => {
    socket.once('close', () => {
      for (const { reject } of waiting.values()) reject(disconnected());
      waiting.clear();
      resolve(closedByUs ? undefined : disconnected());
    });
  });
  // The reason is in `close`, which follows.
  socket.on('error', () => {});

  const fail = (error: EngineError): void => {
    ended = error;
    socket.destroy();
  };

  const deliver = <E extends EventName>(event: E, data: Events[E]): void => {
    for (const listener of listeners[event]) listener(data);
  };

  const hear = (line: string): void => {
    const message = decodeLine(line)?.value;
    if (typeof message !== 'object' || message === null) {
      fail(ipcError('ipc/bad-message', 'What answered is not an engine.', 'Check the path given with --socket.'));
      return;
    }
    if ('event' in message && 'data' in message) {
      if (isEventName(message.event)) deliver(message.event, message.data as Events[typeof message.event]);
      return;
    }
    const { id, result, error } = message as { id?: unknown; result?: unknown; error?: unknown };
    const told = error === undefined ? undefined : engineError(error);
    // Without a number it concerns the connection: the engine closes it next.
    if (typeof id !== 'number') {
      ended = told;
      return;
    }
    const call = waiting.get(id);
    waiting.delete(id);
    if (told) call?.reject(told);
    else call?.resolve(result as never);
  };

  socket.on('data', (chunk: Buffer) => {
    const lines = reader.push(chunk);
    if (lines === 'too-long')
      return fail(ipcError('ipc/bad-message', 'The engine sent too long a line.', 'Report this.'));
    for (const line of lines) hear(line);
  });

  return {
    call(name, params) {
      return new Promise((resolve, reject) => {
        if (socket.destroyed || !socket.writable) return reject(disconnected());
        const id = next++;
        waiting.set(id, { resolve, reject });
        socket.write(encodeLine({ id, call: name, params }));
      });
    },
    on(event, listener) {
      listeners[event].add(listener);
      return () => listeners[event].delete(listener);
    },
    closed,
    close() {
      closedByUs = true;
      socket.end();
      socket.destroySoon();
    },
  };
}

function isEventName(name: unknown): name is EventName {
  return name === 'status' || name === 'traffic' || name === 'log';
}

function engineError(raw: unknown): EngineError {
  const { code, message, remedy, data } = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<
    string,
    unknown
  >;
  return new EngineError({
    code: typeof code === 'string' ? code : 'ipc/internal',
    message: typeof message === 'string' ? message : 'The engine reported an error that cannot be read.',
    remedy: typeof remedy === 'string' ? remedy : '',
    ...(typeof data === 'object' && data !== null ? { data: data as NonNullable<EngineError['data']> } : {}),
  });
}
