// What the pages of the interface ask of the engine, over its socket: profiles, routes, MTU, diagnosis, settings.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../main/daemon/engine.ts';
import { openGreSequences } from '../../main/daemon/gre-sequences.ts';
import { createLog } from '../../main/daemon/log.ts';
import { MOST_PROFILES } from '../../main/daemon/profiles.ts';
import { openSettings } from '../../main/daemon/settings.ts';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import type { Events, PathTest, TunnelInfo } from '../../main/ipc/contract.ts';
import { EngineError } from '../../main/ipc/error.ts';
import type { Caller } from '../../main/ipc/server.ts';
import { fakeAttachment } from '../../main/net/attachment/fake.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { openProfileStore } from '../../main/profile/store.ts';
import { SessionError, sessionFailure } from '../../main/session/failure.ts';
import { formatPrefix } from '../../main/wire/address.ts';
import {
  connected,
  type FakeSession,
  failed,
  fakeSession,
  openScene,
  profileText,
  type Scene,
  type SceneOptions,
  SECRET,
  TUNNEL,
} from './fakes.ts';

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

type Open = Scene & { readonly client: EngineClient; become(caller: Caller): Promise<EngineClient> };
const ADMINISTRATOR: Caller = { role: 'administrator', uid: 0 };
const USER: Caller = { role: 'user', uid: 1000 };

async function open(options: SceneOptions = {}): Promise<Open> {
  let caller = ADMINISTRATOR;
  const scene = await openScene({ script: connected, identify: () => caller, ...options });
  closers.push(() => scene.close());
  const become = async (next: Caller): Promise<EngineClient> => {
    caller = next;
    const client = await connectEngine(scene.socketPath);
    closers.push(() => client.close());
    return client;
  };
  const client = await become(ADMINISTRATOR);
  await client.call('import', { text: profileText('office'), replace: false });
  return Object.defineProperties({ client, become }, Object.getOwnPropertyDescriptors(scene)) as Open;
}
const stored = (scene: Scene, name = 'office'): Record<string, unknown> =>
  JSON.parse(readFileSync(join(scene.profileDirectory, `${name}.json`), 'utf8')) as Record<string, unknown>;
const refusal = { code: 'ipc/not-allowed' };

describe('routes', () => {
  it('are added, changed and removed, in the stored profile and in the tunnel that is up', async () => {
    const scene = await open();
    const { client } = scene;
    await client.call('connect', { profile: 'office' });
    const heard: Events['routes'][] = [];
    client.on('routes', (view) => heard.push(view));
    await client.call('subscribe', { events: ['routes'] });
    const added = await client.call('addRoute', { profile: 'office', prefix: ' 172.16.0.0/12', kind: 'include' });
    expect(added.entries).toMatchObject([
      { prefix: '10.88.0.0/24', kind: 'include', origin: 'profile', way: 'tunnel' },
      { prefix: '172.16.0.0/12', kind: 'include', origin: 'user', way: 'tunnel', lock: null },
    ]);
    expect(added).toMatchObject({ mode: 'split', changed: true, live: true });
    expect(scene.session.given.at(-1)?.routes.include.map(formatPrefix)).toEqual(['10.88.0.0/24', '172.16.0.0/12']);
    expect(stored(scene).overrides).toEqual({ routes: { include: ['10.88.0.0/24', '172.16.0.0/12'] } });
    expect(stored(scene).routes).toEqual({ include: ['10.88.0.0/24'] });
    await expect.poll(() => heard.at(-1)?.entries.length).toBe(2);

    const from = { prefix: '172.16.0.0/12', kind: 'include' } as const;
    await client.call('editRoute', { profile: 'office', from, to: { prefix: '10.88.0.128/25', kind: 'exclude' } });
    expect(stored(scene).overrides).toEqual({ routes: { exclude: ['10.88.0.128/25'] } });
    const full = await client.call('setRouteMode', { profile: 'office', mode: 'full' });
    // Networks that the computer of the test is attached to are listed too.
    const listed = full.entries.filter(({ origin }) => origin !== 'lan');
    expect(listed.map(({ prefix, active }) => [prefix, active])).toEqual([
      ['10.88.0.0/24', false],
      ['0.0.0.0/0', true],
      ['::/0', true],
      ['10.88.0.128/25', true],
    ]);
    await client.call('removeRoute', { profile: 'office', prefix: '10.88.0.128/25', kind: 'exclude' });
    const back = await client.call('resetRoutes', { profile: 'office' });
    expect(back).toMatchObject({ mode: 'split', changed: false });
    expect(stored(scene).overrides).toBeUndefined();
    expect(scene.session.given).toHaveLength(5);
  });

  it('say what was meant by host bits, and that a network covers the gateway', async () => {
    const { client } = await open();
    const text = profileText('lab').replace('vpn.example.com', '192.0.2.9');
    await client.call('import', { text, replace: false });
    const judge = (prefix: string, kind: 'include' | 'exclude' = 'include') =>
      client.call('checkRoute', { profile: 'lab', prefix, kind });
    expect((await judge('192.0.2.9/24')).problems).toMatchObject([
      { code: 'routes/not-a-network', data: { meant: '192.0.2.0/24' } },
    ]);
    const covering = await judge('192.0.2.0/24');
    expect(covering).toMatchObject({
      prefix: '192.0.2.0/24',
      problems: [{ severity: 'warning', code: 'routes/covers-gateway', data: { gateway: '192.0.2.9' } }],
    });
    expect((await judge('192.0.3.0/24')).problems).toEqual([]);
    const codes = (await judge('192.0.2.0/24', 'exclude')).problems.map(({ code }) => code);
    expect(codes).not.toContain('routes/covers-gateway');
  });

  it('are judged field by field while they are typed', async () => {
    const { client } = await open();
    const judge = async (prefix: string, kind: 'include' | 'exclude' = 'include') => {
      const answer = await client.call('checkRoute', { profile: 'office', prefix, kind });
      return [answer.prefix, ...answer.problems.map(({ code, severity }) => `${severity} ${code}`)];
    };
    expect(await judge('')).toEqual([null, 'error routes/empty']);
    expect(await judge('10.0.0.0/33')).toEqual([null, 'error routes/syntax']);
    expect(await judge('10.0.0.1/8')).toEqual([null, 'error routes/not-a-network']);
    expect(await judge('10.88.0.0/24')).toEqual([null, 'error routes/duplicate']);
    expect(await judge('10.88.0.0/24', 'exclude')).toEqual([null, 'error routes/conflict']);
    expect(await judge('0.0.0.0/0')).toEqual([null, 'error routes/everything']);
    expect(await judge('10.88.0.7')).toEqual(['10.88.0.7/32', 'warning routes/covered']);
    expect(await judge('192.168.0.0/16', 'exclude')).toEqual(['192.168.0.0/16', 'warning routes/no-effect']);
    expect(await judge('2001:db8::/32')).toEqual(['2001:db8::/32']);
    const wrong = client.call('addRoute', { profile: 'office', prefix: '10.0.0.1/8', kind: 'include' });
    await expect(wrong).rejects.toMatchObject({ code: 'routes/not-a-network', data: { field: 'prefix' } });
    const absent = client.call('removeRoute', { profile: 'office', prefix: '10.1.0.0/16', kind: 'include' });
    await expect(absent).rejects.toMatchObject({ code: 'routes/not-found' });
  });

  it('reach a connection that begins while they are being stored', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'culvert-desk-'));
    closers.push(() => rmSync(directory, { recursive: true, force: true }));
    const real = openProfileStore(directory);
    await real.save(parseProfile(profileText('office')), false);
    let saving: () => void = () => {};
    let release: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      saving = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sessions: FakeSession[] = [];
    const { implementation } = createEngine({
      version: 'test',
      store: {
        ...real,
        save: async (parsed, replace) => {
          saving();
          await released;
          return real.save(parsed, replace);
        },
      },
      log: createLog({ level: 'info', json: false, write: () => {} }),
      createSession: (profile) => {
        const session = fakeSession(profile);
        session.on(({ state }) => state === 'connecting' && connected(session));
        sessions.push(session);
        return session;
      },
      ready: Promise.resolve(),
      publish: () => {},
      settings: openSettings(join(directory, 'settings')),
      clock: { now: () => 0, wall: () => 0 },
      greSequences: openGreSequences(directory),
      resolveHost: async () => [],
      fetchProfile: () => Promise.reject(new Error('nothing is fetched here')),
      askPort: () => Promise.reject(new Error('nobody is asked here')),
    });
    const route = { profile: 'office', prefix: '172.16.0.0/16', kind: 'include' } as const;
    const edit = implementation.addRoute(route, ADMINISTRATOR);
    await begun;
    const connecting = implementation.connect({ profile: 'office' }, ADMINISTRATOR);
    // Time enough to read the old one, for an engine that would.
    for (let i = 0; i < 20; i++) await real.load('office');
    release();
    await Promise.all([edit, connecting]);
    expect(sessions.map(({ profile }) => profile.routes.include.map(formatPrefix))).toEqual([
      ['10.88.0.0/24', '172.16.0.0/16'],
    ]);
  });

  it('are not stored where the system refuses them', async () => {
    const scene = await open();
    await scene.client.call('connect', { profile: 'office' });
    scene.session.refuse = new SessionError(sessionFailure('session/data-plane', 'No.', 'Try again.'));
    const refused = scene.client.call('addRoute', { profile: 'office', prefix: '172.16.0.0/12', kind: 'include' });
    await expect(refused).rejects.toMatchObject({ code: 'session/data-plane', remedy: 'Try again.' });
    expect(stored(scene).overrides).toBeUndefined();
  });

  it('say where an address or a name goes', async () => {
    const tunnel: TunnelInfo = {
      ...TUNNEL,
      routes: { include: ['10.0.0.0/8'], exclude: ['10.9.0.0/16'], blocked: ['2001:db8::/32'], gateway: [] },
    };
    const { client } = await open({
      script: (session) => session.go({ state: 'connected', profile: 'office', tunnel }),
      resolve: (name) => (name === 'intranet.example' ? [Uint8Array.of(10, 9, 1, 1), Uint8Array.of(10, 1, 1, 1)] : []),
    });
    const where = async (target: string) =>
      (await client.call('routeLookup', { target })).answers.map(({ address, way, rule }) => [
        address,
        way,
        rule?.prefix,
      ]);
    await expect(client.call('routeLookup', { target: '10.1.2.3' })).rejects.toMatchObject({
      code: 'routes/no-profile',
    });
    expect(await client.call('routeLookup', { target: '10.88.0.9', profile: 'office' })).toMatchObject({ live: false });
    await client.call('connect', { profile: 'office' });
    expect(await where('10.1.2.3')).toEqual([['10.1.2.3', 'tunnel', '10.0.0.0/8']]);
    expect(await where('203.0.113.9')).toEqual([['203.0.113.9', 'direct', undefined]]);
    expect(await where('2001:db8::1')).toEqual([['2001:db8::1', 'blocked', '2001:db8::/32']]);
    expect(await where('intranet.example')).toEqual([
      ['10.9.1.1', 'direct', '10.9.0.0/16'],
      ['10.1.1.1', 'tunnel', '10.0.0.0/8'],
    ]);
    await expect(where('nowhere.example')).rejects.toMatchObject({
      code: 'routes/unresolved',
      data: { field: 'target', target: 'nowhere.example' },
    });
    await expect(where('300.1.1.1')).rejects.toMatchObject({ code: 'routes/target' });
  });
});

describe('the MTU', () => {
  it('is shown with its arithmetic, and set', async () => {
    const scene = await open();
    const { client } = scene;
    const view = await client.call('mtu', { profile: 'office' });
    expect(view).toMatchObject({ mode: 'automatic', live: false, path: 1500, pathSource: 'profile' });
    expect(view.parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(1500);
    expect(view.parts.at(-1)).toMatchObject({ kind: 'payload', bytes: view.value });
    const fixed = await client.call('setMtu', { profile: 'office', choice: { mode: 'fixed', value: 1300 } });
    expect(fixed).toMatchObject({ mode: 'fixed', value: 1300, computed: view.value, mss4: 1260 });
    expect(stored(scene).overrides).toEqual({ mtu: { value: 1300 } });
    const tested = await client.call('setMtu', { profile: 'office', choice: { mode: 'automatic', path: 1460 } });
    expect(tested).toMatchObject({ mode: 'automatic', path: 1460, pathSource: 'tested' });
    expect(stored(scene).overrides).toEqual({ mtu: { path: 1460 } });
    await expect(
      client.call('setMtu', { profile: 'office', choice: { mode: 'fixed', value: 1460 } }),
    ).rejects.toMatchObject({ code: 'profile/conflict' });
  });

  it('is tested along the path, with progress, and nothing is changed', async () => {
    const scene = await open();
    const { client } = scene;
    await expect(client.call('pathTest', {})).rejects.toMatchObject({ code: 'daemon/not-connected' });
    await client.call('connect', { profile: 'office' });
    const seen: PathTest[] = [];
    client.on('pathTest', (test) => seen.push(test));
    await client.call('subscribe', { events: ['pathTest'] });
    scene.session.path = (size) => (size <= 1437 ? { kind: 'arrived', milliseconds: 8 } : { kind: 'lost' });
    const result = await client.call('pathTest', {});
    expect(result).toMatchObject({ path: 1437, assumed: 1500, roundTrip: 8 });
    expect(result.probes.find(({ size }) => size === 1438)).toMatchObject({ arrived: false, tries: 3 });
    expect(result.profile).toBe('office');
    expect(result.verdict).toMatchObject({ code: 'path.smaller', data: { path: 1437, assumed: 1500 } });
    expect(seen[0]).toEqual({ state: 'idle', last: null });
    await expect.poll(() => seen.at(-1)).toEqual({ state: 'idle', last: result });
    expect(scene.session.given).toEqual([]);
  });

  it('a test ends when it is cancelled', async () => {
    const scene = await open();
    await scene.client.call('connect', { profile: 'office' });
    const path = scene.session;
    let probing = false;
    path.probe = () => {
      probing = true;
      return new Promise(() => {});
    };
    const testing = scene.client.call('pathTest', {});
    const ended = expect(testing).rejects.toMatchObject({ code: 'daemon/test-cancelled' });
    await expect.poll(() => probing).toBe(true);
    await expect(scene.client.call('pathTest', {})).rejects.toMatchObject({ code: 'daemon/testing' });
    await scene.client.call('cancelPathTest', {});
    await ended;
  });
});

describe('what is locked', () => {
  it('is changed by administrators only', async () => {
    const scene = await open();
    await scene.client.call('lock', { profile: 'office', locked: ['/routes', '/mtu/value'], by: 'Example Ltd' });
    const user = await scene.become(USER);
    expect(await user.call('hello', { contract: 1 })).toMatchObject({ role: 'user' });
    const add = { profile: 'office', prefix: '172.16.0.0/12', kind: 'include' } as const;
    const before = stored(scene);
    const attempts = await Promise.allSettled([
      user.call('addRoute', add),
      user.call('setRouteMode', { profile: 'office', mode: 'full' }),
      user.call('setRouteOptions', { profile: 'office', allowLan: false }),
      user.call('resetRoutes', { profile: 'office' }),
      user.call('setMtu', { profile: 'office', choice: { mode: 'fixed', value: 1300 } }),
      user.call('remove', { profile: 'office' }),
      user.call('import', { text: profileText('office'), replace: true }),
      user.call('lock', { profile: 'office', locked: [], by: null }),
    ]);
    expect(attempts).toHaveLength(8);
    for (const attempt of attempts) expect(attempt).toMatchObject({ status: 'rejected', reason: refusal });
    expect(stored(scene)).toEqual(before);
    const routes = await user.call('routes', { profile: 'office' });
    expect(routes.modeLock).toEqual({ pointer: '/routes', by: 'Example Ltd' });
    expect(routes.entries[0]?.lock).toEqual({ pointer: '/routes', by: 'Example Ltd' });
    expect((await user.call('checkRoute', add)).problems[0]).toMatchObject({ field: 'kind', code: 'ipc/not-allowed' });
    await user.call('connect', { profile: 'office' });
    await user.call('disconnect', {});
    await scene.client.call('lock', { profile: 'office', locked: [], by: null });
    await user.call('addRoute', add);
  });
});

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
