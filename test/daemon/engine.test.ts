// The engine behind its socket, with sessions that do what the test says.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lockNamespace } from '../../main/daemon/lock.ts';
import { hasLock } from '../../main/daemon/lock-place.ts';
import { createLog } from '../../main/daemon/log.ts';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import type { EngineState } from '../../main/ipc/contract.ts';
import { EngineError } from '../../main/ipc/error.ts';
import { fakeAttachment } from '../../main/net/attachment/fake.ts';
import {
  connected,
  failed,
  openScene,
  profileText,
  REFUSED,
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

async function open(options: SceneOptions = {}): Promise<Scene & { readonly client: EngineClient }> {
  const scene = await openScene(options);
  closers.push(() => scene.close());
  const client = await connectEngine(scene.socketPath);
  closers.push(() => client.close());
  for (const name of ['office', 'home']) await client.call('import', { text: profileText(name), replace: false });
  return Object.defineProperties({ client }, Object.getOwnPropertyDescriptors(scene)) as Scene & {
    readonly client: EngineClient;
  };
}

async function rejection(work: Promise<unknown>): Promise<EngineError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
const engineState = async (client: EngineClient): Promise<EngineState> => (await client.call('status', {})).engine;

describe('connecting', () => {
  it('resolves with the tunnel once it is up', async () => {
    const scene = await open();
    const connecting = scene.client.call('connect', { profile: 'office' });
    await expect.poll(() => scene.sessions.length).toBe(1);
    expect(await engineState(scene.client)).toMatchObject({ state: 'connecting', step: 'resolve' });
    connected(scene.session);
    expect(await connecting).toEqual({ tunnel: TUNNEL });
    expect(Buffer.from(scene.session.profile.authentication.secret).toString()).toBe(SECRET);
    expect(await scene.client.call('status', {})).toMatchObject({
      pid: process.pid,
      engine: { state: 'connected', profile: 'office' },
      traffic: { bytesIn: 1234567 },
    });
  });

  it('rejects with the session’s own reason, which stays to be seen', async () => {
    const scene = await open({ script: failed });
    const error = await rejection(scene.client.call('connect', { profile: 'office' }));
    expect(error.toContract()).toEqual(REFUSED);
    expect(await engineState(scene.client)).toEqual({ state: 'failed', profile: 'office', error: REFUSED });
    // And the next try is a new session, after the old one is gone.
    const again = rejection(scene.client.call('connect', { profile: 'office' }));
    expect((await again).code).toBe('ike/refused-by-peer');
    expect(scene.sessions.map(({ stops }) => stops)).toEqual([1, 0]);
  });

  it('tells the log what is weak in the profile, also in one that an older version stored', async () => {
    const scene = await open({ script: connected });
    const text = profileText('old', { proposals: { ike: ['aes128-sha1-modp2048'] } });
    expect((await rejection(scene.client.call('import', { text, replace: false }))).code).toBe('profile/conflict');
    writeFileSync(join(scene.profileDirectory, 'old.json'), text);
    await scene.client.call('connect', { profile: 'old' });
    const { entries } = await scene.client.call('logs', { lines: 100 });
    expect(entries.filter(({ level }) => level === 'warn').map((entry) => entry.text)).toEqual([
      expect.stringMatching(/profile "old": WEAK: .*SHA-1/),
    ]);
  });

  it('is one at a time: the same profile joins, another is refused', async () => {
    const scene = await open();
    const one = scene.client.call('connect', { profile: 'office' });
    const two = scene.client.call('connect', { profile: 'office' });
    expect(await rejection(scene.client.call('connect', { profile: 'home' }))).toMatchObject({
      code: 'daemon/busy',
      message: expect.stringContaining('“office”'),
      data: { profile: 'office' },
    });
    connected(scene.session);
    expect(await one).toEqual(await two);
    expect(await scene.client.call('connect', { profile: 'office' })).toEqual({ tunnel: TUNNEL });
    expect((await rejection(scene.client.call('connect', { profile: 'home' }))).code).toBe('daemon/busy');
    expect(scene.sessions).toHaveLength(1);
  });

  it('is ended by disconnect while it is on its way', async () => {
    const scene = await open();
    const connecting = rejection(scene.client.call('connect', { profile: 'office' }));
    await expect.poll(() => scene.sessions.length).toBe(1);
    await scene.client.call('disconnect', {});
    expect((await connecting).code).toBe('daemon/cancelled');
    expect(await engineState(scene.client)).toEqual({ state: 'disconnected', lastError: null });
  });

  it('waits for the last connection to be gone', async () => {
    const scene = await open({ stopsAtOnce: false });
    const first = scene.client.call('connect', { profile: 'office' });
    await expect.poll(() => scene.sessions.length).toBe(1);
    const old = scene.session;
    connected(old);
    await first;
    const ending = scene.client.call('disconnect', {});
    await expect.poll(() => old.state.state).toBe('disconnecting');
    const second = scene.client.call('connect', { profile: 'home' });
    await engineState(scene.client);
    expect(scene.sessions).toHaveLength(1);
    old.letStop();
    await ending;
    await expect.poll(() => scene.sessions.length).toBe(2);
    connected(scene.session);
    await second;
    expect(await engineState(scene.client)).toMatchObject({ state: 'connected', profile: 'home' });
  });

  it('does not begin after a disconnect that came while it waited', async () => {
    const scene = await open({ stopsAtOnce: false });
    const first = scene.client.call('connect', { profile: 'office' });
    await expect.poll(() => scene.sessions.length).toBe(1);
    const old = scene.session;
    connected(old);
    await first;
    const endings = [scene.client.call('disconnect', {})];
    await expect.poll(() => old.state.state).toBe('disconnecting');
    const second = rejection(scene.client.call('connect', { profile: 'home' }));
    const third = rejection(scene.client.call('connect', { profile: 'office' }));
    endings.push(scene.client.call('disconnect', {}));
    await engineState(scene.client);
    old.letStop();
    await Promise.all(endings);
    expect([(await second).code, (await third).code]).toEqual(['daemon/cancelled', 'daemon/cancelled']);
    expect(scene.sessions).toHaveLength(1);
    expect((await engineState(scene.client)).state).toBe('disconnected');
    // It is over with that: the next one is wanted.
    const next = scene.client.call('connect', { profile: 'home' });
    await expect.poll(() => scene.sessions.length).toBe(2);
    connected(scene.session);
    await next;
  });

  it('does not listen to a session that is over', async () => {
    const scene = await open();
    const first = rejection(scene.client.call('connect', { profile: 'office' }));
    await expect.poll(() => scene.sessions.length).toBe(1);
    failed(scene.session);
    await first;
    const old = scene.session;
    let settled = false;
    const second = scene.client.call('connect', { profile: 'home' }).finally(() => {
      settled = true;
    });
    await expect.poll(() => scene.sessions.length).toBe(2);
    connected(old);
    expect(await engineState(scene.client)).toMatchObject({ state: 'connecting', profile: 'home' });
    expect(settled).toBe(false);
    connected(scene.session);
    await second;
  });

  it('goes on waiting through a reconnection', async () => {
    const scene = await open();
    const connecting = scene.client.call('connect', { profile: 'office' });
    await expect.poll(() => scene.sessions.length).toBe(1);
    scene.session.go({ state: 'reconnecting', profile: 'office', because: REFUSED, attempt: 2, retryAt: 0 });
    connected(scene.session);
    expect(await connecting).toEqual({ tunnel: TUNNEL });
  });

  it('tries a connection that holds still again without letting go of it, and tells where it holds still once more', async () => {
    const scene = await open();
    const connecting = scene.client.call('connect', { profile: 'office' });
    await expect.poll(() => scene.sessions.length).toBe(1);
    connected(scene.session);
    await connecting;
    const held = {
      state: 'reconnecting',
      profile: 'office',
      because: REFUSED,
      attempt: 2,
      retryAt: 0,
      held: true,
    } as const;
    scene.session.go(held);
    const again = scene.client.call('connect', { profile: 'office' });
    await expect.poll(() => scene.session.state.state).toBe('connecting');
    expect(scene.session.stops).toBe(0);
    scene.session.go(held);
    expect(await rejection(again)).toMatchObject({ code: REFUSED.code });
    expect(scene.sessions).toHaveLength(1);
  });

  it('does not begin with a profile that is not there', async () => {
    const scene = await open();
    expect(await rejection(scene.client.call('connect', { profile: 'ofice' }))).toMatchObject({
      code: 'profile/not-found',
      message: expect.stringContaining('Did you mean "office"?'),
    });
    expect((await rejection(scene.client.call('connect', { profile: '../office' }))).code).toBe('profile/name');
    expect(scene.sessions).toHaveLength(0);
  });

  it('tells subscribers every state, and traffic', async () => {
    const scene = await open();
    const states: string[] = [];
    scene.client.on('status', ({ engine }) => states.push(engine.state));
    await scene.client.call('subscribe', { events: ['status', 'traffic'] });
    const traffic = new Promise((resolve) => scene.client.on('traffic', resolve));
    const connecting = scene.client.call('connect', { profile: 'office' });
    await expect.poll(() => states).toContain('connecting');
    connected(scene.session);
    await connecting;
    expect(await traffic).toMatchObject({ packetsIn: 1000, counters: { inReplayOld: 3 } });
    await scene.client.call('disconnect', {});
    await expect.poll(() => states.at(-1)).toBe('disconnected');
    expect(states).toEqual(expect.arrayContaining(['disconnected', 'connecting', 'connected']));
  });
});

describe('profiles', () => {
  it('are imported, listed, replaced and removed', async () => {
    const { client } = await open();
    expect((await client.call('list', {})).profiles).toEqual([
      { name: 'home', gateway: 'vpn.example.com', shape: 'gre-tunnel' },
      { name: 'office', gateway: 'vpn.example.com', shape: 'gre-tunnel' },
    ]);
    const text = profileText('office', {
      gateway: { host: 'new.example' },
      authentication: { method: 'psk', secret: 'short' },
    });
    expect((await rejection(client.call('import', { text, replace: false }))).code).toBe('profile/exists');
    const { warnings } = await client.call('import', { text, replace: true });
    expect(warnings).toMatchObject([{ code: 'profile.shortSecret', data: { bytes: 5 } }]);
    await client.call('remove', { profile: 'home' });
    expect((await client.call('list', {})).profiles.map(({ gateway }) => gateway)).toEqual(['new.example']);
  });

  it('with mistakes are refused with all of them', async () => {
    const { client } = await open();
    const text = profileText('bad').replace('"routes"', '"rotes"').replace('"gre-tunnel"', '"gre"');
    const error = await rejection(client.call('import', { text, replace: false }));
    expect(error.code).toBe('profile/invalid');
    expect(error.message).toMatch(/\/tunnel\/shape[\s\S]*\/rotes: .*Did you mean \/routes\?/);
    expect(error.data).toEqual({ pointer: '/tunnel/shape', problems: 2 });
  });

  it('cannot make the engine open a file', async () => {
    const scene = await open();
    const file = join(scene.directory, 'shadow');
    writeFileSync(file, SECRET);
    const text = profileText('thief', { authentication: { method: 'psk', secret: { file } } });
    expect((await rejection(scene.client.call('import', { text, replace: false }))).code).toBe('profile/secret');
  });

  it('in use are not removed', async () => {
    const scene = await open({ script: connected });
    await scene.client.call('connect', { profile: 'office' });
    expect((await rejection(scene.client.call('remove', { profile: 'office' }))).code).toBe('daemon/in-use');
    await scene.client.call('remove', { profile: 'home' });
    await scene.client.call('disconnect', {});
    await scene.client.call('remove', { profile: 'office' });
  });

  it('that somebody broke are left out of the list, and logged', async () => {
    const scene = await open();
    writeFileSync(join(scene.profileDirectory, 'home.json'), '{');
    expect((await scene.client.call('list', {})).profiles.map(({ name }) => name)).toEqual(['office']);
    expect(scene.lines.join('')).toMatch(/"home" cannot be used/);
  });
});

describe('the daemon', () => {
  it('removes at its start what a killed one left, and says what', async () => {
    const scene = await open({ leftover: ['table 51820 with 3 routes'] });
    expect(scene.lines.join('')).toMatch(/removed, left by an earlier run: table 51820 with 3 routes/);
    expect(scene.lines.at(0)).toMatch(/removed/);
  });

  it('ends its session and undoes its routes when it stops', async () => {
    const scene = await open({ script: connected });
    await scene.client.call('connect', { profile: 'office' });
    await Promise.all([scene.daemon.stop(), scene.daemon.stop()]);
    expect(scene.session.stops).toBe(1);
    expect(existsSync(scene.socketPath)).toBe(false);
    expect(readdirSync(join(scene.directory, 'run'))).toEqual([]);
    expect((await rejection(scene.client.call('status', {}))).code).toBe('ipc/disconnected');
  });

  it('does not run twice in one network namespace, whatever the socket', async () => {
    const scene = await open();
    expect(() => lockNamespace(join(scene.directory, 'run'))).toThrow(/running already in this network namespace/);
    await scene.daemon.stop();
    const lock = lockNamespace(join(scene.directory, 'run'));
    expect(readdirSync(join(scene.directory, 'run'))).toHaveLength(1);
    lock?.release();
    expect(readdirSync(join(scene.directory, 'run'))).toEqual([]);
  });

  it('takes over the lock that a killed engine left, whatever is in it', async () => {
    const { directory } = await open();
    const place = join(directory, 'other');
    for (const content of ['999999999 1\n', `${process.pid}\n`, 'nonsense', '']) {
      const lock = lockNamespace(place);
      const [file] = readdirSync(place);
      lock?.release();
      expect(readdirSync(place)).toEqual([]);
      // A second time means nothing, and takes nobody else's away.
      writeFileSync(join(place, file!), content);
      lock?.release();
      expect(readdirSync(place)).toEqual([file]);
      expect(hasLock(place)).toBe(true);
      const next = lockNamespace(place);
      expect(readFileSync(join(place, file!), 'utf8')).toBe(`${process.pid}\n`);
      expect(() => lockNamespace(place)).toThrow(new RegExp(`\\(process ${process.pid}\\)`));
      next?.release();
      expect(readdirSync(place)).toEqual([]);
      expect(hasLock(place)).toBe(false);
    }
  });

  it('that may not run leaves the other one’s socket alone', async () => {
    const scene = await open();
    await expect(openScene({ directory: scene.directory })).rejects.toMatchObject({ code: 'daemon/already-running' });
    expect((await scene.client.call('status', {})).engine.state).toBe('disconnected');
    expect(existsSync(scene.socketPath)).toBe(true);
  });

  it('that cannot start leaves nothing that would keep its process alive, nor its lock', async () => {
    const scene = await open();
    let watched = 0;
    const monitor = {
      watch: () => {
        watched++;
        return { close: () => void watched-- };
      },
    };
    const attachment = fakeAttachment();
    const impossible = { monitor, attachment, socketPath: '/dev/null/engine.sock' };
    await expect(openScene(impossible)).rejects.toMatchObject({ code: 'ipc/socket' });
    await expect(openScene({ ...impossible, directory: scene.directory })).rejects.toMatchObject({
      code: 'daemon/already-running',
    });
    expect(watched).toBe(0);
  });

  it('removes routes that were left though the name servers cannot be put back, and says both', async () => {
    const scene = await open({ leftover: ['table 51820 with 3 routes'], namesFail: 'resolv.conf is read-only' });
    expect(scene.lines.join('')).toMatch(/left failed: resolv.conf is read-only/);
    expect(scene.lines.join('')).toMatch(/removed, left by an earlier run: table 51820 with 3 routes/);
  });

  it('keeps its newest log entries, and no secret', async () => {
    const scene = await open();
    scene.log.add({
      level: 'info',
      area: 'test',
      text: `the secret is ${SECRET}, or ${Buffer.from(SECRET).toString('base64')}`,
    });
    const { entries } = await scene.client.call('logs', { lines: 1 });
    expect(entries).toMatchObject([{ level: 'info', area: 'test', text: 'the secret is [hidden], or [hidden]' }]);
    expect(scene.lines.join('')).not.toContain(SECRET);
    expect((await scene.client.call('logs', { lines: 0 })).entries).toEqual([]);
    const heard = new Promise((resolve) => scene.client.on('log', resolve));
    await scene.client.call('subscribe', { events: ['log'] });
    scene.log.add({ level: 'warn', area: 'test', text: 'now' });
    expect(await heard).toMatchObject({ level: 'warn', text: 'now' });
  });
});

describe('the log', () => {
  it('is bounded, obeys its level, and gives no control characters to a terminal', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', json: false, write: (line) => lines.push(line) });
    log.add({ level: 'debug', area: 'a', text: 'not this' });
    for (let i = 0; i < 3000; i++) log.add({ level: 'info', area: 'a', text: `${i}` });
    expect(log.newest(100_000)).toHaveLength(2000);
    expect(log.newest(1)[0]?.text).toBe('2999');
    log.add({ level: 'error', area: 'a', text: `\u001b[2J${'x'.repeat(10_000)}` });
    expect(lines.at(-1)).toContain('?[2J');
    expect(lines.at(-1)!.length).toBeLessThan(4200);
  });

  it('hides the secrets of stored profiles only, each while it is stored', async () => {
    const { client, log } = await open();
    const text = (name: string, secret: string): string =>
      profileText(name, { authentication: { method: 'psk', secret } });
    const last = (line: string): string | undefined => {
      log.add({ level: 'info', area: 'test', text: line });
      return log.newest(1)[0]?.text;
    };
    await client.call('preview', { text: text('probe', 'disconnected') });
    expect(last('disconnected')).toBe('disconnected');
    expect((await rejection(client.call('import', { text: text('office', 'connecting'), replace: false }))).code).toBe(
      'profile/exists',
    );
    expect(last('connecting')).toBe('connecting');
    await client.call('import', { text: text('lab', 'first secret'), replace: false });
    expect(last('first secret')).toBe('[hidden]');
    await client.call('import', { text: text('lab', 'second secret'), replace: true });
    expect(last('first secret, second secret')).toBe('first secret, [hidden]');
    await client.call('rename', { profile: 'lab', name: 'attic' });
    expect(last('second secret')).toBe('[hidden]');
    await client.call('remove', { profile: 'attic' });
    expect(last('second secret')).toBe('second secret');
  });

  it('hides a bounded number of secrets', () => {
    const log = createLog({ level: 'info', json: false, write: () => {} });
    for (let i = 0; i < 1000; i++) log.hide(`p${i}`, Buffer.from(`secret number ${i}.`));
    expect(log.clean('secret number 0.')).toBe('secret number 0.');
    expect(log.clean('secret number 999. secret number 800.')).toBe('[hidden] [hidden]');
  });

  it('hides several secrets of a profile, a private key also line by line', () => {
    const log = createLog({ level: 'info', json: false, write: () => {} });
    const key =
      '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\nCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n';
    log.hide('office', Buffer.from(key), Buffer.from('open sesame'));
    expect(log.clean('"MIGHAgEAMBMGByqGSM49AgEG" and open sesame')).toBe('"[hidden]" and [hidden]');
    expect(log.clean('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----');
  });

  it('is JSON where machines read it', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'debug', json: true, write: (line) => lines.push(line) });
    log.add({ level: 'warn', area: 'net', text: 'a "quoted"\nline' });
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', area: 'net', text: 'a "quoted"\nline' });
    expect(lines[0]!.match(/\n/g)).toHaveLength(1);
  });
});
