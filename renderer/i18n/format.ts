// Numbers, dates, durations, bytes and rates as the language writes them.
import { numberFormat } from '../../main/words/told.ts';

export interface Format {
  number(value: number): string;
  /** `ratio` 0…1 → "12.5 %". */
  /** To a tenth of a percent; "<0.1%" for what is less and not none. */
  percent(ratio: number): string;
  /** Powers of 1000, three significant digits. */
  bytes(value: number): string;
  /** Bits per second. */
  rate(bitsPerSecond: number): string;
  milliseconds(value: number): string;
  /** The two largest units: "2 h 13 min", "41 s". `ms` in milliseconds. */
  duration(ms: number): string;
  /** A running clock: "2:13:05". `ms` in milliseconds. */
  clock(ms: number): string;
  /** Unix time in milliseconds → date and time. */
  dateTime(time: number): string;
  /** Unix time in milliseconds → time of day with seconds. */
  time(time: number): string;
  list(items: readonly string[]): string;
}

const BYTES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;
const RATES = ['bit', 'kilobit', 'megabit', 'gigabit', 'terabit'] as const;

/** `isolate`: what is done to what is written, so that it stands as one piece in a sentence of another direction. */
export function createFormat(locale: string, isolate = (text: string): string => text): Format {
  const plain = numberFormat(locale);
  const ratio = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const unit = (name: string, digits: Intl.NumberFormatOptions = { maximumFractionDigits: 0 }): Intl.NumberFormat =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short', ...digits });
  const three: Intl.NumberFormatOptions = { maximumSignificantDigits: 3 };
  const bytes = BYTES.map((name, power) => unit(name, power ? three : { maximumFractionDigits: 0 }));
  const rates = RATES.map((name) => unit(`${name}-per-second`, three));
  const parts = {
    day: unit('day'),
    hour: unit('hour'),
    minute: unit('minute'),
    second: unit('second'),
  };
  const ms = unit('millisecond', three);
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
  const list = new Intl.ListFormat(locale, { type: 'conjunction' });
  const joined = new Intl.ListFormat(locale, { style: 'narrow', type: 'unit' });

  return {
    number: (value) => isolate(plain.format(value)),
    percent: (value) => isolate(value > 0 && value < 0.001 ? `<${ratio.format(0.001)}` : ratio.format(value)),
    bytes: (value) => isolate(scaled(value, bytes)),
    rate: (value) => isolate(scaled(value, rates)),
    milliseconds: (value) => isolate(ms.format(value)),
    duration(value) {
      const seconds = Math.max(0, Math.floor(value / 1000));
      const amounts: readonly [Intl.NumberFormat, number][] = [
        [parts.day, Math.floor(seconds / 86_400)],
        [parts.hour, Math.floor(seconds / 3600) % 24],
        [parts.minute, Math.floor(seconds / 60) % 60],
        [parts.second, seconds % 60],
      ];
      const first = amounts.findIndex(([, amount]) => amount > 0);
      if (first < 0) return isolate(parts.second.format(0));
      const two = amounts.slice(first, first + 2);
      return isolate(
        joined.format(two.flatMap(([format, amount], i) => (i && !amount ? [] : [format.format(amount)]))),
      );
    },
    clock(value) {
      const seconds = Math.max(0, Math.floor(value / 1000));
      const two = (n: number): string => String(n).padStart(2, '0');
      const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
      return isolate(`${Math.floor(seconds / 3600)}:${rest}`);
    },
    dateTime: (value) => isolate(dateTime.format(value)),
    time: (value) => isolate(time.format(value)),
    list: (items) => list.format(items.map(isolate)),
  };
}

function scaled(value: number, units: readonly Intl.NumberFormat[]): string {
  let power = 0;
  let amount = value;
  // 999.5 would be written as 1,000 of the unit.
  while (Math.abs(amount) >= 999.5 && power < units.length - 1) {
    amount /= 1000;
    power++;
  }
  return units[power]?.format(amount) ?? '';
}
