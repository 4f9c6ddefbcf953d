// Which log entries somebody wants to see. The engine filters, so that what nobody reads is not sent.
import type { LogEntry, LogFilter } from './contract.ts';

const GRAVITY: Readonly<Record<LogEntry['level'], number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Every condition of the filter that is given holds. */
export function passes(entry: LogEntry, filter: LogFilter | undefined): boolean {
  if (!filter) return true;
  if (filter.level !== undefined && GRAVITY[entry.level] < GRAVITY[filter.level]) return false;
  if (filter.area !== undefined && filter.area !== entry.area) return false;
  return filter.text === undefined || entry.text.toLowerCase().includes(filter.text.toLowerCase());
}
