// What a command may do to the world around it; tests hand in their own.
import type { EngineClient } from '../ipc/client.ts';
import { EngineError, sideBySide } from '../ipc/error.ts';
import { printable } from './text.ts';

export interface CliIo {
  /** One or more lines, without the last newline. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard output is a terminal. */
  readonly isTerminal: boolean;
  readonly now: () => number;
  readonly connect: (socketPath: string) => Promise<EngineClient>;
  /** Asks the person for a secret, unseen; null: they do not want to, or there is nobody. Without it: nobody is there. */
  readonly askSecret?: (question: string, signal: AbortSignal) => Promise<string | null>;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly interrupted: AbortSignal;
}

/** Message and remedy, as every command prints them. */
/** What to type, where the engine's advice is said in words for every interface. */
const COMMANDS: Readonly<Record<string, string>> = {
  'daemon/busy': '`culvert down`',
  'daemon/in-use': '`culvert down`',
  'daemon/stopping': '`sudo culvert daemon`',
  'profile/too-many': '`culvert list`, then `culvert remove PROFILE`',
};

export function errorText(error: unknown): string {
  if (!(error instanceof EngineError))
    return `culvert: something in this program itself went wrong: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const remedy = error.remedy ? `\n${sentence(error.remedy)}` : '';
  const compared = sideBySide(error);
  const command = COMMANDS[error.code];
  const hint = command ? `\nHere: ${command}` : '';
  return printable(`culvert: ${error.message}${remedy}${hint}${compared ? `\n\n${compared}` : ''}`);
}

/** Remedies come from every layer, some as half sentences. */
function sentence(text: string): string {
  const ended = /[.!?:)]$/.test(text) ? text : `${text}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}

/** Connects, works, and closes the connection however the work ends. */
export async function withEngine<T>(
  io: CliIo,
  socketPath: string,
  work: (engine: EngineClient) => Promise<T>,
): Promise<T> {
  const engine = await io.connect(socketPath);
  try {
    return await work(engine);
  } finally {
    engine.close();
  }
}

/** Resolves when interrupted. */
export function interruption(signal: AbortSignal): Promise<'interrupted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('interrupted');
    signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
}
