// The log as the page has it: what the engine kept, then what comes; filtered here, so that a filter takes no time.
import type { LogEntry, LogLevel } from '../../../main/ipc/contract.ts';

export interface Filter {
  /** This level or a graver one. */
  readonly level: LogLevel;
  /** null: all. */
  readonly area: string | null;
  readonly text: string;
}

export const NO_FILTER: Filter = { level: 'debug', area: null, text: '' };
/** As many rows as a browser draws without effort. */
export const SHOWN = 1000;

const GRAVITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function filterLog(entries: readonly LogEntry[], filter: Filter): readonly LogEntry[] {
  const text = filter.text.trim().toLowerCase();
  return entries.filter(
    (entry) =>
      GRAVITY[entry.level] >= GRAVITY[filter.level] &&
      (filter.area === null || entry.area === filter.area) &&
      (!text || entry.text.toLowerCase().includes(text) || entry.area.toLowerCase().includes(text)),
  );
}

const same = (a: LogEntry, b: LogEntry): boolean =>
  a.time === b.time && a.text === b.text && a.area === b.area && a.level === b.level;

/**
 * The kept entries, then the events that are not among them. An entry that was written while the kept ones were asked for
 * is in both: the end of `kept` is then the beginning of `heard`.
 */
export function joinLog(kept: readonly LogEntry[], heard: readonly LogEntry[]): readonly LogEntry[] {
  const first = heard[0];
  if (!first || !kept.length) return kept.length ? kept : heard;
  const newest = kept.at(-1)?.time ?? 0;
  // Where the newest kept entry is among the events: what follows it is new.
  for (let i = heard.length - 1; i >= 0; i--) {
    const entry = heard[i] as LogEntry;
    if (same(entry, kept.at(-1) as LogEntry)) return [...kept, ...heard.slice(i + 1)];
    if (entry.time < newest) return [...kept, ...heard.slice(i + 1)];
  }
  return [...kept, ...heard];
}

/** One entry a line, for a mail. Times in UTC, so that two computers' logs can be laid side by side. */
export function logText(entries: readonly LogEntry[]): string {
  return entries
    .map(({ time, level, area, text }) => `${new Date(time).toISOString()} ${level.padEnd(5)} ${area}: ${text}`)
    .join('\n');
}
