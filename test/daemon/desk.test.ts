// What the pages about routes and the MTU ask of the engine, over its socket, and what is locked.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../main/daemon/engine.ts';
import { openGreSequences } from '../../main/daemon/gre-sequences.ts';
import { createLog } from '../../main/daemon/log.ts';
import { openSettings } from '../../main/daemon/settings.ts';
import type { Events, PathTest, TunnelInfo } from '../../main/ipc/contract.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { openProfileStore } from '../../main/profile/store.ts';
import { SessionError, sessionFailure } from '../../main/session/failure.ts';
import { formatPrefix } from '../../main/wire/address.ts';
import { ADMINISTRATOR, closeLater, open, refusal, stored, USER } from './desk-scene.ts';
import { connected, type FakeSession, fakeSession, profileText, TUNNEL } from './fakes.ts';

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
    closeLater(() => rmSync(directory, { recursive: true, force: true }));
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
