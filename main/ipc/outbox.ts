// What waits to be sent to one client. Answers are always sent, each once, and bounded by the number of calls in progress.
// Events must not make a slow client cost memory: of `status` and `traffic` only the newest waits; of `log` a bounded
// number, and what is left out is counted and said.
import type { EventName, Events, LogEntry } from './contract.ts';
import { encodeLine } from './framing.ts';

export const MOST_LOG_WAITING = 512;

export interface Outbox {
  answer(line: string): void;
  event<E extends EventName>(name: E, data: Events[E]): void;
  /** Lines to write now, oldest answers first; empties the box. */
  take(): string;
  readonly empty: boolean;
}

export function createOutbox(): Outbox {
  let answers: string[] = [];
  let log: LogEntry[] = [];
  let leftOut = 0;
  let status: Events['status'] | undefined;
  let traffic: Events['traffic'] | undefined;

  const event = (name: EventName, data: Events[EventName]): string => encodeLine({ event: name, data });

  return {
    answer(line) {
      answers.push(line);
    },

    event(name, data) {
      // The compiler cannot see that `data` follows `name`.
      switch (name) {
        case 'status':
          status = data as Events['status'];
          break;
        case 'traffic':
          traffic = data as Events['traffic'];
          break;
        case 'log':
          log.push(data as LogEntry);
          if (log.length > MOST_LOG_WAITING) {
            log.shift();
            leftOut++;
          }
          break;
      }
    },

    take() {
      const lines = answers;
      if (leftOut > 0) {
        const time = log[0]?.time ?? 0;
        const text = `${leftOut} log entries left out here: this client reads too slowly`;
        lines.push(event('log', { time, level: 'warn', area: 'ipc', text }));
      }
      for (const entry of log) lines.push(event('log', entry));
      if (status) lines.push(event('status', status));
      if (traffic) lines.push(event('traffic', traffic));
      answers = [];
      log = [];
      leftOut = 0;
      status = undefined;
      traffic = undefined;
      return lines.join('');
    },

    get empty() {
      return answers.length === 0 && log.length === 0 && !status && !traffic;
    },
  };
}
