import { describe, expect, it } from 'vitest';
import type { LogEntry, Status } from '../../main/ipc/contract.ts';
import { createOutbox, MOST_LOG_WAITING } from '../../main/ipc/outbox.ts';

const status = (pid: number): Status => ({
  version: '1',
  pid,
  engine: { state: 'disconnected', lastError: null },
  traffic: null,
});
const log = (time: number): LogEntry => ({ time, level: 'info', area: 'test', text: `entry ${time}` });
const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

describe('the outbox of one client', () => {
  it('keeps only the newest state, and every answer', () => {
    const box = createOutbox();
    expect(box.empty).toBe(true);
    for (let i = 0; i < 100; i++) {
      box.event('status', status(i));
      if (i % 10 === 0) box.answer(`${JSON.stringify({ id: i, result: {} })}\n`);
    }
    expect(box.empty).toBe(false);
    const lines = linesOf(box.take());
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toEqual({ event: 'status', data: status(99) });
    expect(box.empty).toBe(true);
    expect(box.take()).toBe('');
  });

  it('keeps answers and log entries in their order', () => {
    const box = createOutbox();
    box.event('log', log(1));
    box.answer('{"id":1}\n');
    box.event('log', log(2));
    expect(linesOf(box.take())).toEqual([{ event: 'log', data: log(1) }, { id: 1 }, { event: 'log', data: log(2) }]);
  });

  it('leaves out the oldest log entries, and says how many where they were', () => {
    const box = createOutbox();
    const extra = 1000;
    for (let i = 0; i < MOST_LOG_WAITING + extra; i++) box.event('log', log(i));
    const lines = linesOf(box.take()) as { data: LogEntry }[];
    expect(lines).toHaveLength(MOST_LOG_WAITING + 1);
    expect(lines[0]?.data.text).toMatch(new RegExp(`^${extra} log entries left out`));
    expect(lines[1]?.data).toEqual(log(extra));
    expect(lines.at(-1)?.data).toEqual(log(MOST_LOG_WAITING + extra - 1));
  });
});
