// Between one WebSocket and one connection to the engine: frames ⇄ lines. Only whole, right calls of the contract go on to
// the engine. Whoever is slow slows the other side down: nothing is queued here beyond one bound each way, and the engine
// drops what is out of date for a client that does not read.
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { CALLS, checkStrict, isCallName } from './contract.ts';
import { EngineError, ipcError } from './error.ts';
import { createLineReader, decodeLine } from './framing.ts';

/** Bytes on their way to one side above which the other is not read. */
const MOST_WAITING = 512 * 1024;
/** Milliseconds between looks whether the browser has caught up: WebSockets have no event for it. */
const GLANCE = 20;

/** Resolves when the relay runs, or the page was told why it does not. */
export async function relay(page: WebSocket, open: () => Promise<Socket>): Promise<void> {
  page.pause();
  let engine: Socket;
  try {
    engine = await open();
  } catch (error) {
    const told = error instanceof EngineError ? error : ipcError('ipc/internal', String(error), 'Try again.');
    page.resume();
    page.send(JSON.stringify({ id: null, error: told.toContract() }));
    // "Try again later" (IANA's registry of close codes).
    page.close(1013);
    return;
  }
  if (page.readyState !== page.OPEN) {
    engine.destroy();
    return;
  }
  const reader = createLineReader();
  let looking: NodeJS.Timeout | undefined;

  const look = (): void => {
    looking = undefined;
    if (page.bufferedAmount < MOST_WAITING) engine.resume();
    else looking = setTimeout(look, GLANCE);
  };
  const end = (): void => {
    clearTimeout(looking);
    engine.destroy();
    if (page.readyState === page.OPEN) page.close(1001);
  };

  engine.on('data', (chunk: Buffer) => {
    const lines = reader.push(chunk);
    if (lines === 'too-long') return end();
    for (const line of lines) page.send(line);
    if (page.bufferedAmount < MOST_WAITING || looking) return;
    engine.pause();
    looking = setTimeout(look, GLANCE);
  });
  engine.on('drain', () => page.resume());
  // The reason is in `close`, which follows.
  engine.on('error', () => {});
  engine.on('close', end);

  page.on('message', (data: Buffer, isBinary: boolean) => {
    const wrong = isBinary ? { id: null, error: notText() } : wrongMessage(data.toString());
    if (wrong) {
      page.send(JSON.stringify({ id: wrong.id, error: wrong.error.toContract() }));
      if (wrong.id === null) end();
      return;
    }
    // As it was parsed, so that what is judged is what is sent.
    const written = engine.write(`${JSON.stringify(decodeLine(data.toString())?.value)}\n`);
    if (!written && engine.writableLength > MOST_WAITING) page.pause();
  });
  page.on('close', end);
  page.resume();
}

/** What the engine would refuse is refused here already; undefined: a right call. */
function wrongMessage(text: string): { readonly id: number | null; readonly error: EngineError } | undefined {
  const value = decodeLine(text)?.value;
  const notCall = { id: null, error: ipcError('ipc/bad-message', 'This is not a call.', 'Reload the page.') };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return notCall;
  const { id, call, params, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || Object.keys(rest).length > 0) return notCall;
  const reload = 'Reload the page: it is of another version than the engine.';
  if (!isCallName(call))
    return { id, error: ipcError('ipc/unknown-call', `There is no call ${JSON.stringify(call)}.`, reload) };
  const problem = checkStrict<unknown>(CALLS[call].params, params ?? {});
  return problem
    ? { id, error: ipcError('ipc/bad-params', `${call}: ${problem.pointer || 'params'}: ${problem.message}.`, reload) }
    : undefined;
}

const notText = (): EngineError => ipcError('ipc/bad-message', 'Messages are text.', 'Reload the page.');
