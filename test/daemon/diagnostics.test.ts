import { describe, expect, it } from 'vitest';
import type { Events } from '../../main/ipc/contract.ts';
import { open } from './desk-scene.ts';
import { failed, SECRET } from './fakes.ts';

describe('diagnosis', () => {
  it('names cause and remedy, and hands out a report without secrets', async () => {
    const scene = await open({ resolve: () => [Uint8Array.of(192, 0, 2, 1)] });
    const { client } = scene;
    await client.call('connect', { profile: 'office' });
    scene.log.add({ level: 'error', area: 'test', text: `a slip: ${SECRET} and psk = hunter2 and ${'ab'.repeat(20)}` });
    const { checks, drops } = await client.call('checks', {});
    expect(checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['connection', 'tun', 'clock', 'dns', 'gateway-reachable', 'mtu-black-hole', 'drops']),
    );
    expect(checks.find(({ id }) => id === 'connection')).toMatchObject({ verdict: 'pass' });
    expect(drops).toMatchObject([{ name: 'inReplayOld', packets: 3 }]);
    const report = await client.call('report', {});
    const secret = Buffer.from(SECRET);
    for (const text of [report.text, report.json]) {
      for (const form of [SECRET, secret.toString('hex'), secret.toString('base64'), 'hunter2', 'ab'.repeat(20)])
        expect(text).not.toContain(form);
      expect(text).toContain('a slip');
      expect(text).toContain('192.0.2.1');
    }
    expect(JSON.parse(report.json)).toMatchObject({ culvertReport: 1, profile: { name: 'office' } });
  });

  it('remembers why the last connection failed', async () => {
    const { client } = await open({ script: failed });
    await expect(client.call('connect', { profile: 'office' })).rejects.toMatchObject({ code: 'ike/refused-by-peer' });
    await client.call('disconnect', {});
    const { checks, lastError } = await client.call('checks', {});
    expect(lastError).toMatchObject({ code: 'ike/refused-by-peer' });
    expect(checks.find(({ id }) => id === 'dns')).toMatchObject({ verdict: 'skipped' });
  });

  it('filters the log', async () => {
    const scene = await open();
    for (const text of ['Apple', 'pear', 'apple pie']) scene.log.add({ level: 'warn', area: 'fruit', text });
    const { entries } = await scene.client.call('logs', {
      lines: 1,
      filter: { level: 'warn', area: 'fruit', text: 'APPLE' },
    });
    expect(entries.map(({ text }) => text)).toEqual(['apple pie']);
    const heard: string[] = [];
    scene.client.on('log', ({ text }) => heard.push(text));
    await scene.client.call('subscribe', { events: ['log'], log: { level: 'error' } });
    scene.log.add({ level: 'info', area: 'fruit', text: 'quiet' });
    scene.log.add({ level: 'error', area: 'fruit', text: 'loud' });
    await expect.poll(() => heard).toEqual(['loud']);
  });
});

it('publishes the series of a connection', async () => {
  const { client } = await open();
  await client.call('connect', { profile: 'office' });
  const points: Events['samples'][number][] = [];
  client.on('samples', (some) => points.push(...some));
  await client.call('subscribe', { events: ['samples'] });
  await expect.poll(() => points.length, { timeout: 4_000 }).toBeGreaterThan(0);
  expect(points[0]).toMatchObject({ bytesIn: 0, packetsOut: 0 });
  expect(points[0]?.seconds).toBeGreaterThan(0.5);
  expect((await client.call('samples', {})).samples).toEqual(points);
});
