// What the page about profiles asks of the engine, over its socket.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGreSequences } from '../../main/daemon/gre-sequences.ts';
import { MOST_PROFILES } from '../../main/daemon/profiles.ts';
import type { Events } from '../../main/ipc/contract.ts';
import { EngineError } from '../../main/ipc/error.ts';
import { open, refusal, stored, USER } from './desk-scene.ts';
import { profileText, SECRET } from './fakes.ts';

describe('profiles', () => {
  it('are shown with details and no secret, renamed, and announced', async () => {
    const scene = await open();
    const { client } = scene;
    const heard: Events['profiles'][] = [];
    client.on('profiles', (now) => heard.push(now));
    await client.call('subscribe', { events: ['profiles'] });
    const { profiles } = await client.call('profiles', {});
    expect(profiles).toMatchObject([
      { name: 'office', method: 'psk', routes: { mode: 'split' }, locked: [], changed: [] },
    ]);
    expect(JSON.stringify(profiles)).not.toContain(SECRET);
    await client.call('rename', { profile: 'office', name: 'work' });
    await expect.poll(() => heard.at(-1)?.profiles.map(({ name }) => name)).toEqual(['work']);
    expect(stored(scene, 'work').name).toBe('work');
    await client.call('import', { text: profileText('office'), replace: false });
    await expect(client.call('rename', { profile: 'office', name: 'work' })).rejects.toMatchObject({
      code: 'profile/exists',
    });
    await client.call('connect', { profile: 'office' });
    await expect(client.call('rename', { profile: 'office', name: 'x' })).rejects.toMatchObject({
      code: 'daemon/in-use',
    });
  });

  it('in use are not replaced by other ones, whose routes would be shown as those of the tunnel', async () => {
    const scene = await open();
    const { client } = scene;
    await client.call('connect', { profile: 'office' });
    const heard: Events['routes'][] = [];
    client.on('routes', (view) => heard.push(view));
    await client.call('subscribe', { events: ['routes'] });
    const other = profileText('office', { routes: { include: ['172.16.0.0/12'] } });
    await expect(client.call('import', { text: other, replace: true })).rejects.toMatchObject({
      code: 'daemon/in-use',
      data: { profile: 'office' },
    });
    // The same again is no other.
    await client.call('import', { text: profileText('office'), replace: true });
    expect(stored(scene).routes).toEqual({ include: ['10.88.0.0/24'] });
    expect(heard.flatMap(({ entries }) => entries.map(({ prefix }) => prefix))).not.toContain('172.16.0.0/12');
    await client.call('disconnect', {});
    await client.call('import', { text: other, replace: true });
    expect(stored(scene).routes).toEqual({ include: ['172.16.0.0/12'] });
  });

  it('keep their GRE sequence number under another name, and take it with them when they go', async () => {
    const { client, profileDirectory } = await open();
    const numbers = openGreSequences(profileDirectory);
    numbers.save('office', 77);
    await client.call('rename', { profile: 'office', name: 'work' });
    expect([numbers.load('office'), numbers.load('work')]).toEqual([null, 77]);
    await client.call('remove', { profile: 'work' });
    expect(numbers.load('work')).toBe(null);
  });

  it('with mistakes are refused with each of them by kind and place, and not with thousands', async () => {
    const { client } = await open();
    const wrong = JSON.stringify({
      ...JSON.parse(profileText('wrong')),
      gatway: {},
      routes: { include: ['10.0.0.1/8'] },
    });
    await expect(client.call('preview', { text: wrong })).rejects.toMatchObject({
      code: 'profile/invalid',
      mistakes: expect.arrayContaining([
        expect.objectContaining({
          code: 'mistake.unknown-key',
          data: { place: '/gatway', hint: expect.objectContaining({ data: { meant: '/gateway' } }) },
          text: expect.stringContaining('Did you mean /gateway?'),
        }),
        expect.objectContaining({
          code: 'mistake.invalid',
          data: expect.objectContaining({ place: '/routes/include/0' }),
        }),
      ]),
    });
    const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, 1]));
    const many = JSON.stringify({ ...JSON.parse(profileText('wrong')), ...keys });
    const refused = await client.call('preview', { text: many }).catch((error: EngineError) => error);
    expect(refused).toBeInstanceOf(EngineError);
    if (!(refused instanceof EngineError)) return;
    expect(refused.mistakes).toHaveLength(50);
    expect(refused.message).toMatch(/^The profile has 5000 mistakes:[\s\S]*… and 4950 more\.$/);
  });

  it('are not kept without number', async () => {
    const { client, profileDirectory } = await open();
    for (let i = 1; i < MOST_PROFILES; i++)
      writeFileSync(join(profileDirectory, `p${i}.json`), i % 2 ? profileText(`p${i}`) : '{');
    const another = client.call('import', { text: profileText('another'), replace: true });
    await expect(another).rejects.toMatchObject({
      code: 'profile/too-many',
      data: { most: MOST_PROFILES },
    });
    // What is there can still be replaced and renamed.
    await client.call('import', {
      text: profileText('office', { mtu: { value: 1300 } }),
      replace: true,
    });
    await client.call('rename', { profile: 'office', name: 'work' });
    await client.call('remove', { profile: 'p1' });
    await client.call('import', { text: profileText('another'), replace: false });
  });

  it('are looked at before they are stored, also from a web address', async () => {
    const { client } = await open({ fetchProfile: async (url) => profileText(url.split('/').at(-1) ?? '') });
    const seen = await client.call('preview', { text: profileText('office') });
    expect(seen).toMatchObject({ exists: true, profile: { name: 'office' } });
    expect(await client.call('previewUrl', { url: 'https://example.com/home' })).toMatchObject({ exists: false });
    await client.call('importUrl', { url: 'https://example.com/home', replace: false });
    expect((await client.call('list', {})).profiles.map(({ name }) => name)).toEqual(['home', 'office']);
    // Agreed to one thing, and not to what is there by the time it is stored.
    const url = 'https://example.com/lab';
    const { digest } = await client.call('previewUrl', { url });
    await expect(
      client.call('importUrl', { url: 'https://example.com/other', replace: false, digest: digest! }),
    ).rejects.toMatchObject({ code: 'profile/changed-meanwhile' });
    await client.call('importUrl', { url, replace: false, digest: digest! });
    expect((await client.call('list', {})).profiles.map(({ name }) => name)).toEqual(['home', 'lab', 'office']);
    await expect(client.call('preview', { text: '{' })).rejects.toMatchObject({ code: 'profile/syntax' });
  });
});

describe('a profile that uses a token of this computer', () => {
  const text = (label: string) =>
    profileText('card', {
      gateway: { host: 'vpn.example.com', authentication: { method: 'certificate' } },
      authentication: { method: 'certificate', passphrase: '0000', storedKey: { store: 'card', label } },
    });

  it('is an administrator’s to import; a user may give the same again, and no other', async () => {
    const scene = await open();
    const user = await scene.become(USER);
    await expect(user.call('import', { text: text('alice'), replace: false })).rejects.toMatchObject(refusal);
    expect(existsSync(join(scene.profileDirectory, 'card.json'))).toBe(false);
    await scene.client.call('import', { text: text('alice'), replace: false });
    await user.call('import', { text: text('alice'), replace: true });
    await expect(user.call('import', { text: text('root'), replace: true })).rejects.toMatchObject(refusal);
    expect(stored(scene, 'card').authentication).toMatchObject({ storedKey: { label: 'alice' } });
    const twice = profileText('office', {
      authentication: {
        method: 'psk',
        secret: SECRET,
        second: { method: 'certificate', passphrase: '0000', storedKey: { store: 'card', label: 'alice' } },
      },
    });
    await expect(user.call('import', { text: twice, replace: true })).rejects.toMatchObject(refusal);
  });
});

it('a damaged key is told at import and in the preview', async () => {
  const { client } = await open();
  const text = profileText('cert', {
    gateway: { host: 'vpn.example.com', authentication: { method: 'certificate' } },
    authentication: {
      method: 'certificate',
      certificate: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
      key: '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n',
    },
  });
  const told = { code: 'profile/secret', data: { pointer: '/authentication/certificate', problems: 2 } };
  await expect(client.call('import', { text, replace: false })).rejects.toMatchObject(told);
  await expect(client.call('preview', { text })).rejects.toMatchObject(told);
});
