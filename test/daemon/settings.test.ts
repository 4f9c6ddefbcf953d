// What the page of settings asks of the engine, over its socket.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Events } from '../../main/ipc/contract.ts';
import { fakeAttachment } from '../../main/net/attachment/fake.ts';
import { open, USER } from './desk-scene.ts';

describe('settings', () => {
  it('belong to each person, outlive the connection, and are theirs alone to hear of', async () => {
    const scene = await open();
    const alice = await scene.become(USER);
    const bob = await scene.become({ role: 'user', uid: 1001 });
    const heard: string[] = [];
    bob.on('settings', ({ theme }) => heard.push(theme));
    await bob.call('subscribe', { events: ['settings'] });
    await alice.call('setSettings', { theme: 'dark', connectAtStart: 'office' });
    expect(await alice.call('settings', {})).toMatchObject({
      theme: 'dark',
      language: 'system',
      connectAtStart: 'office',
    });
    expect(await bob.call('settings', {})).toMatchObject({ theme: 'system', connectAtStart: null });
    await bob.call('setSettings', { theme: 'light' });
    await expect.poll(() => heard).toEqual(['system', 'light']);
    const file = join(scene.directory, 'settings', '1000.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ theme: 'dark' });
  });

  it('connect by themselves on networks that are not trusted, and show which one this is', async () => {
    const attachment = fakeAttachment({ kind: 'wifi', name: 'home', secured: true });
    const scene = await open({ attachment });
    const { client } = scene;
    const networks: Events['network'][] = [];
    client.on('network', (network) => networks.push(network));
    await client.call('subscribe', { events: ['network'] });
    const autoConnect = { enabled: true, profile: 'office', trusted: [{ kind: 'wifi', name: 'home' }] } as const;
    await client.call('setSettings', { autoConnect });
    await client.call('notice', { event: 'network' });
    await expect.poll(() => networks).toEqual([{ kind: 'wifi', name: 'home', secured: true }]);
    attachment.join({ kind: 'offline' });
    await client.call('notice', { event: 'network' });
    await expect.poll(() => networks.length).toBe(2);
    expect(scene.sessions).toEqual([]);
    attachment.join({ kind: 'wifi', name: 'café', secured: true });
    await client.call('notice', { event: 'network' });
    await expect.poll(async () => (await client.call('status', {})).engine.state).toBe('connected');
    expect(networks.at(-1)).toEqual({ kind: 'wifi', name: 'café', secured: true });
    expect(scene.lines.join('')).toContain('the network "café" is not trusted: connecting with "office"');
    await client.call('notice', { event: 'resume' });
    expect(scene.session.retries).toBe(1);
  });
});
