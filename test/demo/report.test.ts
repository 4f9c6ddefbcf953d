import { describe, expect, test } from 'vitest';
import { parsePing } from '../../main/daemon/demo/namespaces.ts';
import { DEMO_USAGE, parseDemoOptions } from '../../main/daemon/demo/options.ts';
import {
  checkFigures,
  describeCounters,
  describePings,
  describeTransfer,
  summarisePings,
} from '../../main/daemon/demo/report.ts';
import { createUndo } from '../../main/daemon/demo/undo.ts';

describe('the command line', () => {
  test('nothing needs to be said', () => {
    expect(parseDemoOptions([])).toEqual({ shape: 'gre-tunnel', cipher: 'aes128gcm16', seconds: 2, loopback: false });
  });

  test('everything can be', () => {
    const args = ['--shape', 'esp-tunnel', '--cipher=chacha20poly1305', '--seconds', '5', '--loopback'];
    expect(parseDemoOptions(args)).toEqual({
      shape: 'esp-tunnel',
      cipher: 'chacha20poly1305',
      seconds: 5,
      loopback: true,
    });
  });

  test.each([
    [['--shape', 'gre'], 'There is no shape "gre"'],
    [['--cipher', 'rot13'], 'There is no cipher "rot13"'],
    [['--seconds', '0'], 'not a number of seconds'],
    [['--seconds', 'two'], 'not a number of seconds'],
    [['--lopback'], '--lopback'],
    [['more'], 'more'],
  ])('%j is a mistake, answered with the usage', (args, text) => {
    const result = parseDemoOptions(args);
    expect(result).toMatchObject({ wrong: true, text: expect.stringContaining(text) });
    expect(result).toMatchObject({ text: expect.stringContaining(DEMO_USAGE) });
  });

  test('help is no mistake', () => {
    expect(parseDemoOptions(['--help'])).toEqual({ text: DEMO_USAGE, wrong: false });
  });
});

describe('figures', () => {
  test('pings', () => {
    const pings = summarisePings([1, undefined, 3, 2]);
    expect(pings).toEqual({ sent: 4, received: 3, least: 1, average: 2, most: 3 });
    expect(describePings(pings)).toBe('3 of 4 answered, min/avg/max 1.00/2.00/3.00 ms');
    expect(describePings(summarisePings([undefined]))).toBe('1 sent, none answered');
  });

  test('what iputils and busybox print', () => {
    const iputils =
      '64 bytes from 10.88.0.1: icmp_seq=1 ttl=64 time=0.512 ms\n64 bytes from 10.88.0.1: icmp_seq=2 ttl=64 time=12 ms\n';
    expect(parsePing(iputils)).toMatchObject({ sent: 20, received: 2, least: 0.512, most: 12 });
    expect(parsePing('64 bytes from 10.88.0.1: seq=0 ttl=64 time=0.1 ms')).toMatchObject({ received: 1 });
  });

  test('a transfer', () => {
    const text = describeTransfer({ bytes: 25e6, seconds: 2, sentHash: 'abc', receivedHash: 'abc' });
    expect(text).toMatch(/^100 Mbit\/s \(25\.0 MB in 2\.0 s, SHA-256 equal/);
    expect(describeTransfer({ bytes: 1, seconds: 1, sentHash: 'a', receivedHash: 'b' })).toContain('DIFFERS');
  });

  test('counters: the zeros are left out, lines are not longer than a terminal', () => {
    const counters = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`counterNumber${i}`, i]));
    const lines = describeCounters(counters);
    expect(lines.join(', ')).not.toContain('counterNumber0 ');
    expect(lines.length).toBeGreaterThan(1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(102);
  });

  test('a lost ping, a wrong hash or no bytes fail the demo', () => {
    const good = summarisePings([1, 1]);
    const transfer = { bytes: 1, seconds: 1, sentHash: 'a', receivedHash: 'a' };
    expect(() => checkFigures(good, [transfer])).not.toThrow();
    expect(() => checkFigures(summarisePings([1, undefined]), [transfer])).toThrow('1 of 2 pings');
    expect(() => checkFigures(good, [transfer, { ...transfer, receivedHash: 'b' }])).toThrow('SHA-256 differs');
    expect(() => checkFigures(good, [{ ...transfer, bytes: 0 }])).toThrow('nothing was carried');
  });
});

describe('undo', () => {
  test('the newest first, each once, none stopping the others', async () => {
    const undo = createUndo();
    const done: string[] = [];
    undo.add('one', () => void done.push('one'));
    undo.add('two', () => {
      throw new Error('stuck');
    });
    undo.add('three', async () => {
      done.push('three');
    });
    expect(await undo.run()).toEqual(['two: stuck']);
    expect(await undo.run()).toEqual(['two: stuck']);
    expect(done).toEqual(['three', 'one']);
  });
});
