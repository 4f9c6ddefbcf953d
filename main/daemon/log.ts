// The engine's log: pino writes it, the newest entries are kept for `culvert logs`, and whoever listens hears each.
// Secrets do not belong in it and nobody puts them there; should one slip in, it is blotted out.
import { pino } from 'pino';
import type { LogEntry } from '../ipc/contract.ts';
import type { SessionLog } from '../session/deps.ts';

export type LogLevel = LogEntry['level'];
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface EngineLog {
  /** Everything above the level is dropped. */
  add(entry: SessionLog): void;
  /** The newest entries, oldest first. */
  newest(lines: number): readonly LogEntry[];
  onEntry(listener: (entry: LogEntry) => void): void;
  /** From now on this profile's secret is blotted out wherever it appears, in plain, hexadecimal or base64; its last one no more. */
  hide(profile: string, secret: Uint8Array): void;
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
    hide(profile, secret) {
      hidden.delete(profile);
      if (secret.length < LEAST_SECRET) return;
      const bytes = Buffer.from(secret);
      hidden.set(
        profile,
        (['utf8', 'hex', 'base64'] as const).map((form) => bytes.toString(form)),
      );
      const [oldest] = hidden.keys();
      if (hidden.size > MOST_HIDDEN && oldest !== undefined) hidden.delete(oldest);
    },
    forget(profile) {
      hidden.delete(profile);
    },
  };
}

/** One line for people. Control characters, which a peer may have sent, would reach the terminal: they are shown as "?". */
export function formatEntry({ time, level, area, text }: LogEntry): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  const safe = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => (c === '\n' ? '\n    ' : '?'));
  return `${new Date(time).toISOString()} ${level.padEnd(5)} ${area}: ${safe}`;
}
