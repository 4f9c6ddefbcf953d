// The log's filter, and how what was kept joins what is heard.
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../../../main/ipc/contract.ts';
import { filterLog, joinLog, logText, NO_FILTER } from '../../../../renderer/views/diagnostics/log.ts';

const entry = (time: number, text: string, more: Partial<LogEntry> = {}): LogEntry => ({
  time,
  text,
  level: 'info',
  area: 'ike',
  ...more,
});
const a = entry(1, 'a');
const b = entry(2, 'b', { level: 'warn', area: 'net' });
const c = entry(3, 'c', { level: 'error' });
const d = entry(3, 'd', { level: 'debug' });

describe('filterLog', () => {
  const all = [a, b, c, d];
  it('lets everything through at first', () => {
    expect(filterLog(all, NO_FILTER)).toEqual(all);
  });
  it('takes a level and graver ones', () => {
    expect(filterLog(all, { ...NO_FILTER, level: 'info' })).toEqual([a, b, c]);
    expect(filterLog(all, { ...NO_FILTER, level: 'warn' })).toEqual([b, c]);
    expect(filterLog(all, { ...NO_FILTER, level: 'error' })).toEqual([c]);
  });
  it('takes an area, and a text whatever the case', () => {
    expect(filterLog(all, { ...NO_FILTER, area: 'net' })).toEqual([b]);
    expect(filterLog(all, { ...NO_FILTER, text: ' A ' })).toEqual([a]);
    expect(filterLog(all, { ...NO_FILTER, text: 'NET' })).toEqual([b]);
    expect(filterLog(all, { level: 'error', area: 'net', text: '' })).toEqual([]);
  });
});

describe('joinLog', () => {
  it('shows what was written while the kept entries were asked for once', () => {
    expect(joinLog([a, b], [b, c])).toEqual([a, b, c]);
    expect(joinLog([a, b, c], [a, b])).toEqual([a, b, c]);
    expect(joinLog([a], [{ ...a }])).toEqual([a]);
  });
  it('takes either alone', () => {
    expect(joinLog([], [a, b])).toEqual([a, b]);
    expect(joinLog([a, b], [])).toEqual([a, b]);
  });
  it('keeps different entries of one millisecond', () => {
    expect(joinLog([a, c], [d])).toEqual([a, c, d]);
    expect(joinLog([a, c], [c, d])).toEqual([a, c, d]);
  });
  it('drops what is older than the newest kept one', () => {
    expect(joinLog([c], [a, b])).toEqual([c]);
  });
});

describe('logText', () => {
  it('is a line an entry, in UTC', () => {
    expect(logText([a, c])).toBe('1970-01-01T00:00:00.001Z info  ike: a\n1970-01-01T00:00:00.003Z error ike: c');
  });
});
