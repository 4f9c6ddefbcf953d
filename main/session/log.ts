// A line of the log, as a session writes it.
import type { LogEntry } from '../ipc/contract.ts';

export interface SessionLog {
  readonly level: LogEntry['level'];
  readonly area: string;
  readonly text: string;
}
