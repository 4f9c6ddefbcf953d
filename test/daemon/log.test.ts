// What of the log fits into a message.
import { expect, it } from 'vitest';
import { fitting } from '../../main/daemon/log.ts';
import type { LogEntry } from '../../main/ipc/contract.ts';

const entry = (time: number, text: string): LogEntry => ({ time, level: 'info', area: 'x', text });
const bytes = (entries: readonly LogEntry[]): number => Buffer.byteLength(JSON.stringify(entries));

it('is the newest that there is room for, by bytes', () => {
  const entries = Array.from({ length: 100 }, (_, i) => entry(i, i % 2 ? 'ü🦊'.repeat(20) : '\u0000'.repeat(20)));
  expect(fitting(entries, 1_000_000)).toEqual(entries);
  expect(fitting(entries, 0)).toEqual([]);
  const some = fitting(entries, 5000);
  expect(some).toEqual(entries.slice(-some.length));
  expect(bytes(some)).toBeLessThanOrEqual(5000);
  // One more would not have fitted.
  expect(bytes(entries.slice(-some.length - 1))).toBeGreaterThan(5000);
});

it('is nothing where the newest alone is too long', () => {
  expect(fitting([entry(1, 'short'), entry(2, 'x'.repeat(1000))], 500)).toEqual([]);
});
