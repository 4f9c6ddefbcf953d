// The engine's log: pino writes it, the newest entries are kept for `culvert logs`, and whoever listens hears each.
// Secrets do not belong in it and nobody puts them there; should one slip in, it is blotted out.
import { pino } from 'pino';
import type { LogEntry } from '../ipc/contract.ts';
import type { SessionLog } from '../session/log.ts';

export type LogLevel = LogEntry['level'];
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface EngineLog {
  /** Everything above the level is dropped. */
  add(entry: SessionLog): void;
  /** The newest entries, oldest first. */
  newest(lines: number): readonly LogEntry[];
  onEntry(listener: (entry: LogEntry) => void): void;
  /**
   * From now on this profile's secrets are blotted out wherever they appear, in plain, hexadecimal or base64, those of several lines
   * also line by line; its last ones no more.
   */
  hide(profile: string, ...secrets: readonly Uint8Array[]): void;
  /** The profile is gone, and its secret is a word like others. */
  forget(profile: string): void;
  /** Without the secrets that are hidden. */
  clean(text: string): string;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Where lines go besides memory: JSON for machines, else for people. */
  readonly write: (line: string) => void;
  readonly json: boolean;
}

const MOST_ENTRIES = 2000;
const MOST_TEXT = 4000;
/** Shorter ones would blot out half the log. */
const LEAST_SECRET = 6;
/** Of a secret of several lines; shorter ones are no more than words. */
const LEAST_LINE = 16;
/** Profiles whose secrets are hidden, above what is ever stored; the one hidden longest ago goes first. */
const MOST_HIDDEN = 256;

export function createLog(options: LogOptions): EngineLog {
  const entries: LogEntry[] = [];
  const listeners: ((entry: LogEntry) => void)[] = [];
  const hidden = new Map<string, readonly string[]>();

  const keep = (line: string): void => {
    const { time, level, area, text } = JSON.parse(line) as LogEntry;
    const entry: LogEntry = { time, level, area, text };
    entries.push(entry);
    if (entries.length > MOST_ENTRIES) entries.shift();
    options.write(options.json ? line : `${formatEntry(entry)}\n`);
    for (const listener of listeners) listener(entry);
  };

  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'text',
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['secret', 'key', 'password', '*.secret', '*.key', '*.password'], censor: '[hidden]' },
    },
    { write: keep },
  );

  const blotted = (text: string): string => {
    let cleaned = text;
    for (const secret of [...hidden.values()].flat()) cleaned = cleaned.replaceAll(secret, '[hidden]');
    return cleaned;
  };
  const clean = (text: string): string => {
    const cleaned = blotted(text);
    return cleaned.length > MOST_TEXT ? `${cleaned.slice(0, MOST_TEXT)}…` : cleaned;
  };

  return {
    add: ({ level, area, text }) => logger[level]({ area }, clean(text)),
    clean: blotted,
    newest: (lines) => (lines > 0 ? entries.slice(-lines) : []),
    onEntry: (listener) => {
      listeners.push(listener);
    },
    hide(profile, ...secrets) {
      hidden.delete(profile);
      const forms = secrets.flatMap((secret) => (secret.length < LEAST_SECRET ? [] : formsOf(Buffer.from(secret))));
      if (forms.length === 0) return;
      hidden.set(profile, forms);
      const [oldest] = hidden.keys();
      if (hidden.size > MOST_HIDDEN && oldest !== undefined) hidden.delete(oldest);
    },
    forget(profile) {
      hidden.delete(profile);
    },
  };
}

/** The newest of these entries that take no more than `most` bytes as JSON: a message of the contract is bounded. */
export function fitting(entries: readonly LogEntry[], most: number): readonly LogEntry[] {
  let left = most;
  let first = entries.length;
  while (first > 0) {
    left -= Buffer.byteLength(JSON.stringify(entries[first - 1])) + 1;
    if (left < 0) break;
    first--;
  }
  return entries.slice(first);
}

/** One line for people. Control characters, which a peer may have sent, would reach the terminal: they are shown as "?". */
export function formatEntry({ time, level, area, text }: LogEntry): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  const safe = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => (c === '\n' ? '\n    ' : '?'));
  return `${new Date(time).toISOString()} ${level.padEnd(5)} ${area}: ${safe}`;
}

function formsOf(secret: Buffer): readonly string[] {
  const text = secret.toString('utf8');
  // A private key in PEM: a line of it is enough to be hidden, its frame is none of it.
  const lines = text.split(/\r?\n/).filter((line) => line.length >= LEAST_LINE && !line.startsWith('-----'));
  return [text, secret.toString('hex'), secret.toString('base64'), ...(lines.length > 1 ? lines : [])];
}
