// The calling end of the contract over any transport: numbers calls, matches answers, hands events to listeners and checks
// what it hears. The unix socket (client.ts), the WebSocket and the desktop shell's message port each bring a channel.
// Needs nothing of Node or of the browser.
import {
  CALLS,
  type CallName,
  CONTRACT_VERSION,
  type ContractClient,
  ContractError,
  check,
  EVENTS,
  type EventName,
  type Events,
  isEventName,
} from './contract.ts';
import { EngineError, ipcError } from './error.ts';

/** A way to the engine that keeps messages whole and in order. */
export interface Channel {
  /** One message, JSON. False: the channel is closed. */
  send(message: string): boolean;
  close(): void;
}

export interface ContractProxy extends ContractClient {
  readonly closed: Promise<EngineError | undefined>;
  /** The transport calls this for each message that arrives … */
  hear(message: string): void;
  /** … and this once when it has ended, with the reason where it knows one. */
  ended(reason?: EngineError): void;
}

interface Waiting {
  readonly name: CallName;
  readonly resolve: (result: never) => void;
  readonly reject: (error: EngineError) => void;
}

type Listeners = { readonly [E in EventName]: Set<(data: Events[E]) => void> };

/** Nobody listens to anything yet. */
export const noListeners = (): Listeners => ({
  status: new Set(),
  traffic: new Set(),
  samples: new Set(),
  log: new Set(),
  profiles: new Set(),
  routes: new Set(),
  mtu: new Set(),
  pathTest: new Set(),
  settings: new Set(),
  network: new Set(),
});

export function createProxy(channel: Channel): ContractProxy {
  const waiting = new Map<number, Waiting>();
  const listeners = noListeners();
  let next = 1;
  let why: EngineError | undefined;
  let over = false;
  let closedHere = false;
  let resolveClosed: (reason: EngineError | undefined) => void = () => {};
  const closed = new Promise<EngineError | undefined>((resolve) => {
    resolveClosed = resolve;
  });

  const disconnected = (): EngineError =>
    why ??
    ipcError(
      'ipc/disconnected',
      'The engine went away before it answered.',
      'Look whether it still runs (`culvert status`), and at its log for the reason.',
    );

  const fail = (error: EngineError): void => {
    why = error;
    channel.close();
  };

  const deliver = <E extends EventName>(event: E, data: Events[E]): void => {
    for (const listener of listeners[event]) listener(data);
  };

  const onEvent = (event: unknown, data: unknown): void => {
    // An engine newer than we may have more events.
    if (!isEventName(event)) return;
    const problem = check<unknown>(EVENTS[event], data);
    if (problem) fail(misfit(`event ${event}`, problem.pointer, problem.message));
    else deliver(event, data as Events[typeof event]);
  };

  const onAnswer = (id: unknown, result: unknown, error: unknown): void => {
    const told = error === undefined ? undefined : readError(error);
    // Without a number it concerns the connection: the engine closes it next.
    if (typeof id !== 'number') {
      why = told;
      return;
    }
    const call = waiting.get(id);
    waiting.delete(id);
    if (!call) return;
    const problem = told ? null : check<unknown>(CALLS[call.name].result, result);
    if (told) call.reject(told);
    else if (problem) call.reject(misfit(`answer to ${call.name}`, problem.pointer, problem.message));
    else call.resolve(result as never);
  };

  return {
    hear(message) {
      if (over) return;
      const value = parse(message);
      if (typeof value !== 'object' || value === null) {
        fail(ipcError('ipc/bad-message', 'What answered is not an engine.', 'Check the path given with --socket.'));
        return;
      }
      const { event, data, id, result, error } = value as Readonly<Record<string, unknown>>;
      if (event !== undefined) onEvent(event, data);
      else onAnswer(id, result, error);
    },
    ended(reason) {
      if (over) return;
      over = true;
      why ??= reason;
      for (const { reject } of waiting.values()) reject(disconnected());
      waiting.clear();
      resolveClosed(closedHere ? undefined : disconnected());
    },
    call(name, params) {
      return new Promise((resolve, reject) => {
        if (over || closedHere) return reject(disconnected());
        const id = next++;
        waiting.set(id, { name, resolve, reject });
        if (channel.send(JSON.stringify({ id, call: name, params }))) return;
        waiting.delete(id);
        reject(disconnected());
      });
    },
    on(event, listener) {
      listeners[event].add(listener);
      return () => listeners[event].delete(listener);
    },
    closed,
    close() {
      closedHere = true;
      channel.close();
    },
  };
}

/** Says hello. Rejects with EngineError `ipc/contract-version`, or what the engine answers. */
export async function greet(client: Pick<ContractClient, 'call'>): Promise<'user' | 'administrator' | undefined> {
  const { contract, version, role } = await client.call('hello', { contract: CONTRACT_VERSION });
  if (contract === CONTRACT_VERSION) return role;
  throw ipcError(
    'ipc/contract-version',
    `The engine (version ${version}) speaks contract ${contract}, this program ${CONTRACT_VERSION}.`,
    'Use the two that were installed together; after an update, restart the engine.',
  );
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

function misfit(what: string, pointer: string, message: string): EngineError {
  return ipcError(
    'ipc/bad-message',
    `The engine's ${what} is not as this program expects (${pointer || 'the whole'} ${message}).`,
    'Use the two that were installed together; after an update, restart the engine.',
  );
}

/** An error as it came over the wire; whatever came instead, the result can be shown. */
export function readError(raw: unknown): EngineError {
  if (check(ContractError, raw) === null) return new EngineError(raw as ContractError);
  const { code, message, remedy } = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>;
  return new EngineError({
    code: typeof code === 'string' ? code : 'ipc/internal',
    message: typeof message === 'string' ? message : 'The engine reported an error that cannot be read.',
    remedy: typeof remedy === 'string' ? remedy : '',
  });
}
