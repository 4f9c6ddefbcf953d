// What waits to be sent to one client. Answers are always sent, each once, and bounded by the number of calls in progress.
// Events must not make a slow client cost memory: of most only the newest waits (of `routes` and `mtu` the newest of each
// profile); of `samples` and `log` a bounded number, and what is left out of the log is counted and said. Answers and log
// entries keep their order among themselves.
import type { EventName, Events, LogEntry, TrafficSample } from './contract.ts';
import { encodeLine } from './framing.ts';

export const MOST_LOG_WAITING = 512;
/** Ten minutes: the whole series. */
export const MOST_SAMPLES_WAITING = 600;
/** Values that may wait at once: one an event, and one each for the routes and the MTU of so many profiles. */
export const MOST_LATEST = 64;

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
  /** By event, or by event and profile. */
  const latest = new Map<string, { readonly name: EventName; readonly data: Events[EventName] }>();
  let samples: TrafficSample[] = [];

  const event = (name: EventName, data: Events[EventName]): string => encodeLine({ event: name, data });

  const keep = (key: string, name: EventName, data: Events[EventName]): void => {
    // What was replaced moves to the end: the order of the values is the order of their newest changes.
    latest.delete(key);
    latest.set(key, { name, data });
    if (latest.size <= MOST_LATEST) return;
    for (const oldest of latest.keys()) {
      latest.delete(oldest);
      return;
    }
  };

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

    event(name: EventName, data: Events[EventName]) {
      // The compiler cannot see that `data` follows `name`.
      switch (name) {
        case 'log':
          items.push({ kind: 'log', entry: data as LogEntry });
          logs++;
          if (logs > MOST_LOG_WAITING) leaveOutOldest();
          break;
        case 'samples':
          samples = [...samples, ...(data as Events['samples'])].slice(-MOST_SAMPLES_WAITING);
          break;
        case 'routes':
        case 'mtu':
          keep(`${name} ${(data as Events['routes' | 'mtu']).profile}`, name, data);
          break;
        case 'status':
        case 'traffic':
        case 'profiles':
        case 'pathTest':
        case 'settings':
        case 'network':
          keep(name, name, data);
          break;
      }
    },

    take() {
      const lines = items.map(encode);
      for (const { name, data } of latest.values()) lines.push(event(name, data));
      if (samples.length > 0) lines.push(event('samples', samples));
      items = [];
      logs = 0;
      latest.clear();
      samples = [];
      return lines.join('');
    },

    get empty() {
      return items.length === 0 && latest.size === 0 && samples.length === 0;
    },
  };
}
