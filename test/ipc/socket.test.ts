// Server and client over a real unix socket in a directory of its own.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import { CONTRACT_VERSION, type EventName, type LogEntry, type Status } from '../../main/ipc/contract.ts';
import { EngineError } from '../../main/ipc/error.ts';
import { groupIdOf } from '../../main/ipc/place.ts';
import { type Implementation, type IpcServer, MOST_CLIENTS, type ServeOptions, serve } from '../../main/ipc/server.ts';

let directory: string;
let path: string;
let closers: (() => unknown)[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-ipc-'));
  path = join(directory, 'run', 'engine.sock');
  closers = [];
});
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

const status = (pid = 1): Status => ({
  version: 'test',
  pid,
  engine: { state: 'disconnected', lastError: null },
  traffic: null,
});
const refused = new EngineError({
  code: 'ike/refused-by-peer',
  message: 'The gateway refused.',
  remedy: 'Check the secret.',
  data: { notify: 'AUTHENTICATION_FAILED', notifyType: 24 },
});

function implementation(changes: Partial<Implementation> = {}): Partial<Implementation> {
  return {
    hello: async () => ({ version: 'test', contract: CONTRACT_VERSION }),
    status: async () => status(),
    connect: async () => {
      throw refused;
    },
    disconnect: async () => ({}),
    import: async ({ text, replace }) => ({
      profile: { name: `${text.length} ${replace}`, gateway: 'gw', shape: 'gre-tunnel' },
      warnings: [],
    }),
    list: async () => ({ profiles: [] }),
    remove: async () => {
      throw new TypeError('a defect');
    },
    logs: async ({ lines }) => ({ entries: Array.from({ length: lines }, (_, time) => entry(time)) }),
    ...changes,
  };
}
const entry = (time: number): LogEntry => ({ time, level: 'info', area: 'test', text: 'x'.repeat(100) });

const defects: unknown[] = [];
async function start(changes: Partial<Implementation> = {}, options: Partial<ServeOptions> = {}): Promise<IpcServer> {
  defects.length = 0;
  const server = await serve({
    path,
    implementation: implementation(changes),
    current: () => undefined,
    onDefect: (error) => defects.push(error),
    ...options,
  });
  closers.push(() => server.close());
  return server;
}
async function client(): Promise<EngineClient> {
  const engine = await connectEngine(path);
  closers.push(() => engine.close());
  return engine;
}
/** A client without manners. */
async function raw(): Promise<Socket> {
  const socket = createConnection(path);
  closers.push(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}
const everything = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });

async function rejection(work: Promise<unknown>): Promise<EngineError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('calls', () => {
  it('carry parameters and results', async () => {
    await start();
    const engine = await client();
    expect(await engine.call('status', {})).toEqual(status());
    const text = `"\n\u2028 \u0000 ü 🦊 ${'x'.repeat(200_000)}`;
    const { profile } = await engine.call('import', { text, replace: true });
    expect(profile.name).toBe(`${text.length} true`);
  });

  it('are answered each with its own, whatever the order', async () => {
    const waiting: (() => void)[] = [];
    await start({
      logs: ({ lines }) => new Promise((resolve) => waiting.push(() => resolve({ entries: [entry(lines)] }))),
    });
    const engine = await client();
    const answers = [3, 1, 2].map((lines) => engine.call('logs', { lines }));
    // Another call's answer shows that all three have arrived.
    await engine.call('status', {});
    for (const answer of waiting.reverse()) answer();
    expect((await Promise.all(answers)).map(({ entries }) => entries[0]?.time)).toEqual([3, 1, 2]);
  });

  it('reject with code, message, remedy and data of the engine', async () => {
    await start();
    const error = await rejection((await client()).call('connect', { profile: 'office' }));
    expect(error.toContract()).toEqual(refused.toContract());
  });

  it('do not show a defect to the client, but to the engine', async () => {
    await start();
    const error = await rejection((await client()).call('remove', { profile: 'office' }));
    expect(error.code).toBe('ipc/internal');
    expect(error.message).not.toContain('a defect');
    expect(defects).toEqual([new TypeError('a defect')]);
  });

  it('go on while one waits, and thousands at once are all answered', async () => {
    await start({ connect: () => new Promise(() => {}) });
    const engine = await client();
    // Ends with the socket, after the test.
    engine.call('connect', { profile: 'office' }).catch(() => {});
    const answers = await Promise.all(Array.from({ length: 3000 }, () => engine.call('logs', { lines: 3 })));
    expect(answers.every(({ entries }) => entries.length === 3)).toBe(true);
  });
});

describe('the server believes nobody', () => {
  it.each<[name: string, line: string, code: string]>([
    ['an unknown call', '{"id":1,"call":"format","params":{}}', 'ipc/unknown-call'],
    ['a call of every object', '{"id":1,"call":"constructor","params":{}}', 'ipc/unknown-call'],
    ['__proto__', '{"id":1,"call":"__proto__","params":{}}', 'ipc/unknown-call'],
    ['parameters of another type', '{"id":1,"call":"connect","params":{"profile":7}}', 'ipc/bad-params'],
    ['no parameters', '{"id":1,"call":"connect"}', 'ipc/bad-params'],
    ['parameters too many', '{"id":1,"call":"status","params":{"x":1}}', 'ipc/bad-params'],
    ['parameters that are a list', '{"id":1,"call":"status","params":[]}', 'ipc/bad-params'],
    ['a name without end', `{"id":1,"call":"connect","params":{"profile":"${'x'.repeat(300)}"}}`, 'ipc/bad-params'],
    ['an unknown event', '{"id":1,"call":"subscribe","params":{"events":["keys"]}}', 'ipc/bad-params'],
    ['lines below zero', '{"id":1,"call":"logs","params":{"lines":-1}}', 'ipc/bad-params'],
    ['something that is not JSON', 'GET / HTTP/1.1', 'ipc/bad-message'],
    ['JSON that is not a call', '[1,2,3]', 'ipc/bad-message'],
    ['a call without a number', '{"call":"status","params":{}}', 'ipc/bad-message'],
    ['a call with more in it', '{"id":1,"call":"status","params":{},"as":"root"}', 'ipc/bad-message'],
  ])('%s', async (_name, line, code) => {
    let called = 0;
    const count = async (): Promise<never> => {
      called++;
      throw refused;
    };
    await start({ status: count, connect: count, logs: count });
    const socket = await raw();
    const answer = new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    socket.write(`${line}\n`);
    expect(JSON.parse(await answer)).toMatchObject({ error: { code } });
    expect(called).toBe(0);
    expect(defects).toEqual([]);
    // The others are not disturbed.
    expect((await client().then((engine) => engine.call('list', {}))).profiles).toEqual([]);
  });

  it('hangs up on a line without end', async () => {
    const server = await start();
    const socket = await raw();
    const answer = everything(socket);
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i < 4; i++) socket.write(piece);
    expect(JSON.parse(await answer)).toMatchObject({ id: null, error: { code: 'ipc/bad-message' } });
    await expect.poll(() => server.clients).toBe(0);
  });

  it('takes no more clients than it can bear', async () => {
    const server = await start();
    const all = await Promise.all(Array.from({ length: MOST_CLIENTS }, () => client()));
    expect(server.clients).toBe(MOST_CLIENTS);
    expect((await rejection(connectEngine(path))).code).toBe('ipc/busy');
    all[0]?.close();
    await expect.poll(() => server.clients).toBe(MOST_CLIENTS - 1);
    expect(await (await client()).call('status', {})).toEqual(status());
  });

  it('does not let those whom it refuses stay', async () => {
    const server = await start();
    await Promise.all(Array.from({ length: MOST_CLIENTS }, () => client()));
    // They neither read nor close: each holds its end open for as long as it may.
    const stubborn = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = createConnection({ path, allowHalfOpen: true });
        closers.push(() => socket.destroy());
        socket.on('error', () => {});
        const ended = new Promise<void>((resolve) => socket.once('end', () => resolve()));
        const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
        await new Promise((resolve) => socket.once('connect', resolve));
        return { socket, over: Promise.race([ended, gone]), gone };
      }),
    );
    for (const { socket } of stubborn) socket.resume();
    await Promise.all(stubborn.map(({ over }) => over));
    // Writing shows whether anybody is there.
    const writing = setInterval(() => {
      for (const { socket } of stubborn) if (!socket.destroyed) socket.write('\n');
    }, 50);
    closers.push(() => clearInterval(writing));
    await Promise.all(stubborn.map(({ gone }) => gone));
    expect(server.clients).toBe(MOST_CLIENTS);
  });

  it('begins only so many calls of one client, and lets the rest wait in its own socket', async () => {
    let begun = 0;
    await start({
      connect: () => {
        begun++;
        return new Promise(() => {});
      },
    });
    const socket = await raw();
    // 4 MB, more than the kernel keeps between the two.
    const line = `${JSON.stringify({ id: 1, call: 'connect', params: { profile: 'office' } })}\n`;
    socket.write(line.repeat(Math.ceil(4_000_000 / line.length)));
    await expect.poll(() => begun).toBeGreaterThan(0);
    // Somebody else is served all the while; after that nothing more can be under way.
    const other = await client();
    for (let i = 0; i < 20; i++) await other.call('status', {});
    expect(begun).toBe(32);
    expect(socket.writableLength).toBeGreaterThan(0);
  });

  it('stops reading from a client that does not read its answers', async () => {
    let called = 0;
    await start({
      logs: async () => {
        called++;
        return { entries: Array.from({ length: 100 }, (_, time) => entry(time)) };
      },
    });
    const socket = await raw();
    socket.pause();
    const calls = 5_000;
    for (let id = 0; id < calls; id++) socket.write(`${JSON.stringify({ id, call: 'logs', params: { lines: 1 } })}\n`);
    // Each answer is some 15 kB: without a bound they would be 75 MB.
    let before = -1;
    await expect
      .poll(
        () => {
          const still = called === before;
          before = called;
          return still && called > 0;
        },
        { interval: 100, timeout: 10_000 },
      )
      .toBe(true);
    expect(called).toBeLessThan(1000);
    // And goes on when it reads.
    let lines = 0;
    socket.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x0a) lines++;
    });
    socket.resume();
    await expect.poll(() => lines, { timeout: 20_000 }).toBe(calls);
  });
});

describe('events', () => {
  it('come to those who subscribed, the present state at once', async () => {
    const server = await start({}, { current: (event) => (event === 'status' ? (status(42) as never) : undefined) });
    const [one, two] = [await client(), await client()];
    const heard: unknown[] = [];
    one.on('status', (now) => heard.push(now.pid));
    one.on('log', (line) => heard.push(line.text.length));
    two.on('status', () => heard.push('two'));
    await one.call('subscribe', { events: ['status', 'log'] });
    await one.call('status', {});
    server.publish('status', status(43));
    server.publish('log', entry(1));
    await expect.poll(() => heard).toEqual(expect.arrayContaining([42, 43, 100]));
    await two.call('status', {});
    expect(heard).not.toContain('two');
    await one.call('subscribe', { events: [] });
    server.publish('status', status(44));
    await one.call('status', {});
    expect(heard).toHaveLength(3);
  });

  it('do not fill memory for one who does not read: the newest state comes, not all', async () => {
    const server = await start();
    const socket = await raw();
    socket.write('{"id":1,"call":"subscribe","params":{"events":["status","log"]}}\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    const large: Status = { ...status(), version: 'v'.repeat(10_000) };
    const times = 20_000;
    for (let pid = 1; pid <= times; pid++) {
      server.publish('status', { ...large, pid });
      if (pid % 4 === 0) server.publish('log', entry(pid));
    }
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.resume();
    await expect.poll(() => text.includes(`"pid":${times}`), { timeout: 10_000 }).toBe(true);
    // 200 MB were published; what was kept is what the kernel took and the newest.
    expect(text.length).toBeLessThan(4_000_000);
    await expect.poll(() => text).toMatch(/log entries left out here/);
  });
});

describe('ends', () => {
  it('a client that goes during a call disturbs nobody', async () => {
    let finish: (result: Record<string, never>) => void = () => {};
    const server = await start({
      disconnect: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const socket = await raw();
    socket.write('{"id":1,"call":"disconnect","params":{}}\n');
    await (await client()).call('status', {});
    socket.destroy();
    await expect.poll(() => server.clients).toBe(1);
    finish({});
    expect(await (await client()).call('status', {})).toEqual(status());
    expect(defects).toEqual([]);
  });

  it('a server that goes rejects what waits, and says that it ended', async () => {
    const server = await start({ connect: () => new Promise(() => {}) });
    const engine = await client();
    const waiting = rejection(engine.call('connect', { profile: 'office' }));
    await server.close();
    expect((await waiting).code).toBe('ipc/disconnected');
    expect((await engine.closed)?.code).toBe('ipc/disconnected');
    expect((await rejection(engine.call('status', {}))).code).toBe('ipc/disconnected');
    expect(existsSync(path)).toBe(false);
  });

  it('a server is not held up by a client that does not read', async () => {
    const server = await start();
    const socket = await raw();
    socket.pause();
    for (let id = 0; id < 500; id++) socket.write(`{"id":${id},"call":"logs","params":{"lines":1000}}\n`);
    await (await client()).call('status', {});
    // It would wait for ever, and the test with it, for a client that never takes its answers.
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('closing by ourselves is no error', async () => {
    await start();
    const engine = await client();
    engine.close();
    expect(await engine.closed).toBeUndefined();
  });
});

describe('the place of the socket', () => {
  const mode = (place: string): string => (statSync(place).mode & 0o7777).toString(8);
  const isRoot = process.getuid?.() === 0;

  it('is for the owner alone without a group', async () => {
    await start();
    expect([mode(path), mode(join(directory, 'run'))]).toEqual(['600', '750']);
  });

  it('is for the group where there is one', async () => {
    const groupId = isRoot ? 54321 : (process.getgid?.() ?? 0);
    await start({}, { groupId });
    expect([mode(path), mode(join(directory, 'run'))]).toEqual(['660', '750']);
    expect(statSync(path).gid).toBe(groupId);
    expect(statSync(join(directory, 'run')).gid).toBe(groupId);
  });

  it('leaves a directory that was there as it is', async () => {
    mkdirSync(join(directory, 'run'), { mode: 0o711 });
    chmodSync(join(directory, 'run'), 0o711);
    await start({}, { groupId: process.getgid?.() ?? 0 });
    expect(mode(join(directory, 'run'))).toBe('711');
  });

  it('takes the place of a socket whose engine was killed', async () => {
    mkdirSync(join(directory, 'run'));
    const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', code], { stdio: 'ignore' })).toThrow();
    expect(statSync(path).isSocket()).toBe(true);
    await start();
    expect(await (await client()).call('status', {})).toEqual(status());
  });

  it('refuses a second engine, and leaves the first alone', async () => {
    await start();
    expect((await rejection(start())).code).toBe('ipc/already-running');
    expect(await (await client()).call('status', {})).toEqual(status());
  });

  it('does not remove what is not a socket', async () => {
    mkdirSync(join(directory, 'run'));
    writeFileSync(path, 'important');
    expect((await rejection(start())).code).toBe('ipc/socket');
    expect(existsSync(path)).toBe(true);
  });

  it('has a path that the kernel takes', async () => {
    path = join(directory, 'x'.repeat(120));
    expect(await rejection(start())).toMatchObject({ code: 'ipc/socket', message: expect.stringContaining('107') });
  });

  it('knows groups by /etc/group', () => {
    const file = join(directory, 'group');
    writeFileSync(file, 'root:x:0:\nculvertish:x:7:\nculvert:x:123:alice\nbroken:x::\n');
    expect(groupIdOf('culvert', file)).toBe(123);
    expect(groupIdOf('nobody-of-this-name', file)).toBeUndefined();
    expect(groupIdOf('culvert', join(directory, 'nothing'))).toBeUndefined();
  });
});

describe('the client', () => {
  it('says how to start an engine that does not run', async () => {
    expect(await rejection(connectEngine(path))).toMatchObject({
      code: 'ipc/not-running',
      remedy: expect.stringContaining('culvert daemon'),
    });
  });

  it('refuses an engine of another contract', async () => {
    await start({ hello: async () => ({ version: '9.9', contract: CONTRACT_VERSION + 1 }) });
    expect(await rejection(connectEngine(path))).toMatchObject({
      code: 'ipc/contract-version',
      message: expect.stringContaining('9.9'),
    });
  });

  it.each(['hello, who is there?\n', '[]\n', '42\n', 'null\n', '{"id":1,"error":"no"}\n', '{"id":1,"error":{}}\n', ''])(
    'is not confused by something else that answers %j',
    async (answer) => {
      mkdirSync(join(directory, 'run'));
      const other = createServer((socket) => socket.resume().end(answer));
      await new Promise<void>((resolve) => other.listen(path, resolve));
      closers.push(() => new Promise((resolve) => other.close(resolve)));
      expect((await rejection(connectEngine(path))).code).toMatch(/^ipc\//);
    },
  );

  it('ignores events that it does not know, and answers to nobody', async () => {
    mkdirSync(join(directory, 'run'));
    const other = createServer((socket) =>
      socket.write(
        `{"event":"surprise","data":1}\n{"id":99,"result":1}\n{"id":1,"result":{"version":"x","contract":${CONTRACT_VERSION}}}\n`,
      ),
    );
    await new Promise<void>((resolve) => other.listen(path, resolve));
    const engine = await connectEngine(path);
    engine.close();
    other.close();
    const names: EventName[] = ['status', 'traffic', 'log'];
    expect(names.map((name) => typeof engine.on(name, () => {}))).toEqual(['function', 'function', 'function']);
  });
});
