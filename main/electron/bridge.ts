// Relays the contract between the page and the engine's socket, one connection a channel. Only our own page's top frame is
// heard. Messages stay text: the engine checks them, with the rights of the person who runs this shell.
import { pathToFileURL } from 'node:url';
import type { ContractError } from '../ipc/contract.ts';
import { EngineError, ipcError } from '../ipc/error.ts';
import { createLineReader } from '../ipc/framing.ts';
import type { ElectronModules, ShellContents, ShellMessageEvent } from './modules.ts';

export const CHANNEL = 'culvert';
const MOST_CHANNELS = 16;
/** Characters of one message from the page: a profile's text, with room. */
const LONGEST_MESSAGE = 2 * 1024 * 1024;

/** The engine's end, as node:net's Socket. */
export interface EngineSocket {
  write(text: string): unknown;
  destroy(): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
}

export type FromPage =
  | { readonly kind: 'open'; readonly id: number }
  | { readonly kind: 'send'; readonly id: number; readonly message: string }
  | { readonly kind: 'close'; readonly id: number };

export type ToPage =
  | { readonly kind: 'opened'; readonly id: number }
  | { readonly kind: 'heard'; readonly id: number; readonly message: string }
  | { readonly kind: 'closed'; readonly id: number; readonly reason: ContractError };

export interface BridgeOptions {
  readonly ipc: ElectronModules['ipc'];
  /** The page's file. */
  readonly page: string;
  readonly open: () => Promise<EngineSocket>;
  /** A call that the page made, by name: the person asks for it. */
  readonly onCall: (name: string, params: unknown) => void;
}

export function serveBridge(options: BridgeOptions): void {
  const own = pathToFileURL(options.page).href;
  const channels = new Map<string, EngineSocket | 'opening'>();
  const watched = new Set<number>();

  const tell = (to: ShellContents, message: ToPage): void => {
    if (!to.isDestroyed()) to.send(CHANNEL, message);
  };
  const end = (key: string): void => {
    const socket = channels.get(key);
    channels.delete(key);
    if (socket && socket !== 'opening') socket.destroy();
  };
  const closed = (from: ShellContents, key: string, id: number, reason: EngineError): void => {
    if (!channels.delete(key)) return;
    tell(from, { kind: 'closed', id, reason: reason.toContract() });
  };

  const open = async (from: ShellContents, id: number): Promise<void> => {
    const key = `${from.id}/${id}`;
    const mine = [...channels.keys()].filter((other) => other.startsWith(`${from.id}/`)).length;
    if (channels.has(key) || mine >= MOST_CHANNELS) return;
    channels.set(key, 'opening');
    if (!watched.has(from.id)) {
      watched.add(from.id);
      from.on('destroyed', () => {
        watched.delete(from.id);
        for (const other of channels.keys()) if (other.startsWith(`${from.id}/`)) end(other);
      });
    }
    try {
      const socket = await options.open();
      // The page closed it meanwhile.
      if (!channels.has(key)) return void socket.destroy();
      channels.set(key, socket);
      const reader = createLineReader();
      socket.on('error', () => {});
      socket.on('close', () => closed(from, key, id, gone()));
      socket.on('data', (chunk) => {
        const lines = reader.push(chunk);
        if (lines === 'too-long') return void socket.destroy();
        for (const message of lines) tell(from, { kind: 'heard', id, message });
      });
      tell(from, { kind: 'opened', id });
    } catch (error) {
      closed(from, key, id, error instanceof EngineError ? error : gone());
    }
  };

  const send = (from: ShellContents, id: number, message: string): void => {
    const socket = channels.get(`${from.id}/${id}`);
    if (!socket || socket === 'opening' || message.length > LONGEST_MESSAGE || message.includes('\n')) return;
    const asked = callOf(message);
    if (asked) options.onCall(asked.call, asked.params);
    socket.write(`${message}\n`);
  };

  options.ipc.on(CHANNEL, (event: ShellMessageEvent, raw: unknown) => {
    const frame = event.senderFrame;
    if (!frame || frame.parent !== null || frame.url.split('#')[0] !== own) return;
    const message = fromPage(raw);
    if (!message) return;
    switch (message.kind) {
      case 'open':
        return void open(event.sender, message.id);
      case 'send':
        return send(event.sender, message.id, message.message);
      case 'close':
        return end(`${event.sender.id}/${message.id}`);
    }
  });
}

function fromPage(raw: unknown): FromPage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { kind, id, message } = raw as Readonly<Record<string, unknown>>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return undefined;
  if (kind === 'open' || kind === 'close') return { kind, id };
  return kind === 'send' && typeof message === 'string' ? { kind, id, message } : undefined;
}

function callOf(message: string): { readonly call: string; readonly params: unknown } | undefined {
  try {
    const { call, params } = JSON.parse(message) as { call?: unknown; params?: unknown };
    return typeof call === 'string' ? { call, params } : undefined;
  } catch {
    return undefined;
  }
}

const gone = (): EngineError =>
  ipcError('ipc/disconnected', 'The engine went away.', 'It is started again; its log says why it ended.');
