// What waits to be sent to one client. Answers are always sent, each once, and bounded by the number of calls in progress.
// Events must not make a slow client cost memory: of `status` and `traffic` only the newest waits; of `log` a bounded
// number, and what is left out is counted and said. Answers and log entries keep their order among themselves.
import type { EventName, Events, LogEntry } from './contract.ts';
import { encodeLine } from './framing.ts';

export const MOST_LOG_WAITING = 512;

export interface Outbox {
  answer(line: string): void;
  event<E extends EventName>(name: E, data: Events[E]): void;
  /** Lines to write now; empties the box. */
  take(): string;
  readonly empty: boolean;
}

type Item =
  | { readonly kind: 'answer'; readonly line: string }
  | { readonly kind: 'log'; readonly entry: LogEntry }
  /** So many log entries were here. */
  | { readonly kind: 'gap'; count: number; readonly time: number };

export function createOutbox(): Outbox {
  let items: Item[] = [];
  let logs = 0;
  let status: Events['status'] | undefined;
  let traffic: Events['traffic'] | undefined;

  const event = (name: EventName, data: Events[EventName]): string => encodeLine({ event: name, data });

  /** The oldest entry gives way to a note, which counts on for those after it. */
  const leaveOutOldest = (): void => {
    const at = items.findIndex((item) => item.kind === 'log');
    const item = items[at];
    if (item?.kind !== 'log') return;
    const gap = items.find((other) => other.kind === 'gap');
    if (gap?.kind === 'gap') {
      gap.count++;
      items.splice(at, 1);
    } else {
      items[at] = { kind: 'gap', count: 1, time: item.entry.time };
    }
    logs--;
  };

  const encode = (item: Item): string => {
    switch (item.kind) {
      case 'answer':
        return item.line;
      case 'log':
        return event('log', item.entry);
      case 'gap': {
        const text = `${item.count} log entries left out here: this client reads too slowly`;
        return event('log', { time: item.time, level: 'warn', area: 'ipc', text });
      }
    }
  };

  return {
    answer(line) {
      items.push({ kind: 'answer', line });
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
          items.push({ kind: 'log', entry: data as LogEntry });
          logs++;
          if (logs > MOST_LOG_WAITING) leaveOutOldest();
          break;
      }
    },

    take() {
      const lines = items.map(encode);
      if (status) lines.push(event('status', status));
      if (traffic) lines.push(event('traffic', traffic));
      items = [];
      logs = 0;
      status = undefined;
      traffic = undefined;
      return lines.join('');
    },

    get empty() {
      return items.length === 0 && !status && !traffic;
    },
  };
}
