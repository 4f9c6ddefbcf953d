// The engine's end of the contract: a unix socket that root and one group may open. Everything a client sends is checked;
// a client that sends too much, reads too slowly or goes away costs bounded memory and disturbs nobody else.
import { createServer, type Server, type Socket } from 'node:net';
import { errorWords } from '../words/told.ts';
import {
  CALLS,
  CAPABILITIES,
  type CallName,
  checkStrict,
  type EventName,
  type Events,
  isCallName,
  type LogFilter,
  type Params,
  type Result,
  type Role,
} from './contract.ts';
import { EngineError, ipcError } from './error.ts';
import { createLineReader, decodeLine, encodeLine, MOST_LINE_BYTES } from './framing.ts';
import { passes } from './log-filter.ts';
import { createOutbox } from './outbox.ts';
import { listenOnPath, type SocketAccess } from './place.ts';

/** Who is at the other end. */
export interface Caller {
  readonly role: Role;
  /** The kernel's word for the process at the other end; null: it does not say. */
  readonly uid: number | null;
}

/** Every call of the contract but `subscribe`, which the server does itself. Throws EngineError for the caller to read. */
export type Implementation = {
  readonly [K in Exclude<CallName, 'subscribe'>]: (params: Params<K>, caller: Caller) => Promise<Result<K>>;
};

export interface ServeOptions extends SocketAccess {
  readonly path: string;
  /** A call that is missing answers `engine/unsupported`. */
  readonly implementation: Partial<Implementation>;
  /** The event that a new subscriber gets at once; undefined: none. */
  readonly current: <E extends EventName>(
    event: E,
    caller: Caller,
  ) => Events[E] | undefined | Promise<Events[E] | undefined>;
  /** By the connection's peer credentials. Absent: everybody is a user whom nobody knows. */
  readonly identify?: (socket: Socket) => Caller;
  /** A defect in an implementation: something that was thrown and is not an EngineError. */
  readonly onDefect: (error: unknown) => void;
}

export interface IpcServer {
  readonly path: string;
  /** Sends an event to everybody who subscribed to it; with `to`, to those whom it answers true for. */
  publish<E extends EventName>(event: E, data: Events[E], to?: (caller: Caller) => boolean): void;
  readonly clients: number;
  /** Who is connected; somebody with two connections is in it twice. */
  readonly callers: readonly Caller[];
  /** Stops listening, sends what waits, and closes every connection. */
  close(): Promise<void>;
}

export const MOST_CLIENTS = 64;
/** Connections that are being told why they are refused; above that the kernel's word has to do. */
const MOST_REFUSED = 16;
const MOST_CALLS_AT_ONCE = 32;
/** Bytes that the kernel has not taken yet, above which nothing more is handed to it. */
const MOST_UNSENT = 256 * 1024;
/** Milliseconds that a client has to read its last answers when the engine ends, or why it is refused. */
const PATIENCE_ON_CLOSE = 500;

/** Rejects with EngineError: `ipc/already-running`, `ipc/no-permission`, `ipc/socket`. */
export async function serve(options: ServeOptions): Promise<IpcServer> {
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    const connection = openConnection(socket, options, () => connections.delete(connection));
    if (connections.size >= MOST_CLIENTS) {
      connection.refuse(ipcError('ipc/busy', `${MOST_CLIENTS} clients are connected already.`, 'Close some of them.'));
      return;
    }
    connections.add(connection);
  });
  server.maxConnections = MOST_CLIENTS + MOST_REFUSED;
  await listenOnPath(server, options.path, options);
  // Accepting can fail later (no descriptors left); clients then have to try again, the engine goes on.
  server.on('error', options.onDefect);

  return {
    path: options.path,
    publish(event, data, to) {
      for (const connection of connections) if (!to || to(connection.caller)) connection.publish(event, data);
    },
    get clients() {
      return connections.size;
    },
    get callers() {
      return [...connections].map(({ caller }) => caller);
    },
    async close() {
      const stopped = closeServer(server);
      await Promise.all([...connections].map((connection) => connection.close()));
      await stopped;
    },
  };
}

function closeServer(server: Server): Promise<void> {
  // Node removes the socket's file, too.
  return new Promise((resolve) => server.close(() => resolve()));
}

interface Connection {
  readonly caller: Caller;
  publish<E extends EventName>(event: E, data: Events[E]): void;
  /** Says why, and closes. */
  refuse(error: EngineError): void;
  close(): Promise<void>;
}

function openConnection(socket: Socket, options: ServeOptions, onClosed: () => void): Connection {
  const reader = createLineReader();
  const outbox = createOutbox();
  /** Calls heard but not begun. */
  const queue: string[] = [];
  const caller: Caller = options.identify?.(socket) ?? { role: 'user', uid: null };
  let subscribed = new Set<EventName>();
  let logFilter: LogFilter | undefined;
  let calls = 0;
  let closing = false;

  const full = (): boolean => socket.writableLength >= MOST_UNSENT;

  const flush = (): void => {
    // A client that does not read has its answers and newest events wait here, not in the socket's own queue.
    while (!outbox.empty && !socket.destroyed && !full()) socket.write(outbox.take());
    // Begin no more than can be answered, and hear no more than can be begun.
    while (!closing && queue.length > 0 && calls < MOST_CALLS_AT_ONCE && !full()) begin(queue.shift() as string);
    if (closing) return;
    if (queue.length > 0 || full()) socket.pause();
    else socket.resume();
  };

  const begin = (line: string): void => {
    const request = readRequest(decodeLine(line)?.value);
    if (request) void run(request.id, request.call, request.params);
    else
      refuse(
        ipcError('ipc/bad-message', 'The line is not a call.', 'Send { "id": 1, "call": "status", "params": {} }.'),
      );
  };

  const answer = (message: { readonly id: number | null } & Record<string, unknown>): void => {
    const line = encodeLine(message);
    const fits = Buffer.byteLength(line) <= MOST_LINE_BYTES;
    // The other end would hang up on it, and ask again.
    if (!fits) options.onDefect(new RangeError(`an answer of ${line.length} characters`));
    outbox.answer(fits ? line : encodeLine({ id: message.id, error: defect().toContract() }));
    flush();
  };

  const refuse = (error: EngineError): void => {
    if (closing) return;
    closing = true;
    outbox.answer(encodeLine({ id: null, error: error.toContract() }));
    endSoon();
  };

  /** Says what is left to say, and is gone soon, whether the other end reads and closes or not. */
  const endSoon = (): void => {
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), PATIENCE_ON_CLOSE);
    socket.once('close', () => clearTimeout(timer));
    socket.end(outbox.take());
  };

  const run = async (id: number, name: string, params: unknown): Promise<void> => {
    calls++;
    try {
      answer({ id, result: await perform(name, params) });
    } catch (error) {
      if (!(error instanceof EngineError)) options.onDefect(error);
      const told = error instanceof EngineError ? error : defect();
      answer({ id, error: told.toContract() });
    } finally {
      calls--;
      flush();
    }
  };

  const perform = async (name: string, params: unknown): Promise<unknown> => {
    if (!isCallName(name))
      throw ipcError(
        'ipc/unknown-call',
        `The engine has no call ${JSON.stringify(name)}.`,
        'Client and engine are of different versions: use those that were installed together.',
      );
    if (name === 'subscribe') {
      const { events, log } = checked('subscribe', params);
      subscribed = new Set(events);
      logFilter = log;
      // After the answer, so that a client knows its subscription before the first event.
      queueMicrotask(() => {
        for (const event of subscribed) void sendCurrent(event);
      });
      return {};
    }
    return dispatch(options.implementation, name, params, caller);
  };

  const sendCurrent = async <E extends EventName>(event: E): Promise<void> => {
    try {
      const data = options.current(event, caller);
      // At once where it is known at once: nothing that happens later may overtake it.
      const known = data instanceof Promise ? await data : data;
      if (known !== undefined) publish(event, known);
    } catch (error) {
      if (!(error instanceof EngineError)) options.onDefect(error);
    }
  };

  const publish = <E extends EventName>(event: E, data: Events[E]): void => {
    if (closing || !subscribed.has(event)) return;
    if (event === 'log' && !passes(data as Events['log'], logFilter)) return;
    outbox.event(event, data);
    flush();
  };

  socket.on('data', (chunk: Buffer) => {
    if (closing) return;
    const lines = reader.push(chunk);
    if (lines === 'too-long')
      return refuse(ipcError('ipc/bad-message', 'The line is too long.', 'Send one JSON message a line.'));
    queue.push(...lines);
    flush();
  });
  socket.on('drain', flush);
  // A client that vanishes (EPIPE, ECONNRESET) is not the engine's error; `close` follows.
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    closing = true;
    queue.length = 0;
    onClosed();
  });

  return {
    caller,
    publish,
    refuse,
    close: () =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        closing = true;
        socket.once('close', () => resolve());
        endSoon();
      }),
  };
}

/** The line of a call: its number, its name and its parameters, which are checked by the call's own shape. */
function readRequest(
  value: unknown,
): { readonly id: number; readonly call: string; readonly params: unknown } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { id, call, params, ...rest } = value as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(id) || (id as number) < 0 || typeof call !== 'string' || call.length > 64) return undefined;
  return Object.keys(rest).length > 0 ? undefined : { id: id as number, call, params };
}

async function dispatch<K extends Exclude<CallName, 'subscribe'>>(
  implementation: Partial<Implementation>,
  name: K,
  params: unknown,
  caller: Caller,
): Promise<Result<K>> {
  const { needs } = CALLS[name];
  if (!CAPABILITIES[caller.role].includes(needs)) throw notAllowed(name);
  const given = checked(name, params);
  const perform = implementation[name];
  if (perform) return perform(given, caller);
  throw new EngineError({
    code: 'engine/unsupported',
    message: `This engine cannot do ${name} yet.`,
    remedy: errorWords('engine/unsupported').remedy,
    data: { call: name },
  });
}

const defect = (): EngineError =>
  ipcError(
    'ipc/internal',
    'Something in the engine itself went wrong.',
    'Try again. If it happens again, report it with the output of `culvert logs`.',
  );

function notAllowed(name: CallName): EngineError {
  return ipcError(
    'ipc/not-allowed',
    `Only an administrator may do this (${name}).`,
    'Ask your administrator, or run the command with sudo.',
    { call: name },
  );
}

function checked<K extends CallName>(name: K, params: unknown): Params<K> {
  const given = params ?? {};
  const problem = checkStrict<unknown>(CALLS[name].params, given);
  if (!problem) return given as Params<K>;
  throw ipcError(
    'ipc/bad-params',
    `The parameters of ${name} are not right: ${problem.pointer || 'params'}: ${problem.message}.`,
    'Client and engine are of different versions: use those that were installed together.',
    { call: name, pointer: problem.pointer },
  );
}
