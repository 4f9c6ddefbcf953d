// The loopback server as a browser, and as somebody else's page or program, meets it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CONTRACT_VERSION, type LogEntry } from '../../main/ipc/contract.ts';
import { EngineError } from '../../main/ipc/error.ts';
import { createProxy } from '../../main/ipc/proxy.ts';
import { type Implementation, type IpcServer, serve } from '../../main/ipc/server.ts';
import { MOST_PAGES, serveWeb, type WebServer } from '../../main/ipc/web.ts';

let folder: string;
let engine: IpcServer;
let web: WebServer;
let sockets: WebSocket[];
const calls: string[] = [];
const implementation: Partial<Implementation> = {
  hello: async () => ({ version: 'test', contract: CONTRACT_VERSION, role: 'user' }),
  list: async () => {
    calls.push('list');
    return { profiles: [] };
  },
  connect: async () => {
    throw new EngineError({
      code: 'ike/refused-by-peer',
      message: 'Refused.',
      remedy: 'Check the secret.',
      data: { notify: 24 },
    });
  },
};

beforeEach(async () => {
  calls.length = 0;
  sockets = [];
  folder = mkdtempSync(join(tmpdir(), 'culvert-web-'));
  mkdirSync(join(folder, 'ui/assets'), { recursive: true });
  writeFileSync(join(folder, 'ui/index.html'), '<!doctype html><title>Culvert</title>');
  writeFileSync(join(folder, 'ui/assets/main.js'), 'export {};');
  writeFileSync(join(folder, 'ui/assets/main.css'), 'a{}');
  writeFileSync(join(folder, 'ui/main.js.map'), '{}');
  writeFileSync(join(folder, 'secret.txt'), 'not for the web');
  engine = await start();
  web = await serveWeb({ socketPath: join(folder, 'engine.sock'), folder: join(folder, 'ui'), port: 0 });
});
afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  await web.close();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = () =>
  serve({ path: join(folder, 'engine.sock'), implementation, current: () => undefined, onDefect: () => {} });

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}
/** By node:http, which lets a test name any Host and any path. */
const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port: web.port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    asking.on('error', reject);
    asking.end();
  });

const token = (): string => web.url.split('#token=')[1] ?? '';
const page = (changes: { origin?: string; host?: string; token?: string; path?: string } = {}): WebSocket => {
  const host = `127.0.0.1:${web.port}`;
  const socket = new WebSocket(
    `ws://${host}${changes.path ?? '/engine'}`,
    ['culvert', `culvert.token.${changes.token ?? token()}`],
    { headers: { origin: changes.origin ?? `http://${host}`, ...(changes.host ? { host: changes.host } : {}) } },
  );
  sockets.push(socket);
  return socket;
};
/** 'open', the close code of a handshake that was taken back, or the HTTP status of one that was refused. */
const outcome = (socket: WebSocket): Promise<string | number> =>
  new Promise((resolve) => {
    socket.once('unexpected-response', (_, response) => resolve(`HTTP ${response.statusCode}`));
    socket.once('error', () => {});
    socket.once('close', (code) => resolve(code));
    socket.once('message', () => resolve('open'));
    socket.once('open', () => socket.send('{"id":1,"call":"hello","params":{"contract":1}}'));
  });
const next = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString())));
  });

describe('the pages', () => {
  it('come with their types and a policy that forbids everything foreign or inline', async () => {
    const index = await get('/');
    expect(index).toMatchObject({ status: 200, body: '<!doctype html><title>Culvert</title>' });
    expect(index.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(index.headers['x-content-type-options']).toBe('nosniff');
    expect(index.headers['referrer-policy']).toBe('no-referrer');
    const policy = String(index.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`ws://127.0.0.1:${web.port}`);
    expect(policy).not.toMatch(/unsafe|\*/);
    expect((await get('/assets/main.js?v=1')).headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect((await get('/assets/main.css')).headers['content-type']).toBe('text/css; charset=utf-8');
    expect(await get('/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  it('are all there is: no path leads elsewhere', async () => {
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/../../secret.txt',
      '//etc/passwd',
      '/main.js.map',
    ])
      expect((await get(path)).status, path).toBe(404);
    expect((await get('/', {}, 'POST')).status).toBe(405);
  });

  it('are not for another host name that leads here', async () => {
    expect((await get('/', { host: 'evil.example' })).status).toBe(403);
    expect((await get('/', { host: `evil.example:${web.port}` })).status).toBe(403);
    expect((await get('/', { host: `localhost:${web.port}` })).status).toBe(200);
  });
});

describe('the WebSocket', () => {
  it('wants token, origin, host and path to be right', async () => {
    expect(token()).toMatch(/^[0-9a-f]{64}$/);
    expect(await outcome(page())).toBe('open');
    expect(await outcome(page({ token: '0'.repeat(64) }))).toBe(1008);
    expect(await outcome(page({ token: token().slice(1) }))).toBe(1008);
    expect(await outcome(page({ token: '' }))).toBe(1008);
    expect(await outcome(page({ origin: 'http://evil.example' }))).toBe('HTTP 403');
    expect(await outcome(page({ origin: `https://127.0.0.1:${web.port}` }))).toBe('HTTP 403');
    expect(await outcome(page({ origin: 'null' }))).toBe('HTTP 403');
    expect(await outcome(page({ host: 'evil.example', origin: 'http://evil.example' }))).toBe('HTTP 403');
    expect(await outcome(page({ path: '/other' }))).toBe('HTTP 404');
  });

  it('keeps no place for those without a token, who do not go when told to', async () => {
    // By hand: a WebSocket of a library would answer the close.
    const stranger = (): Promise<{ readonly socket: Socket; readonly gone: Promise<void>; readonly status: string }> =>
      new Promise((resolve) => {
        const host = `127.0.0.1:${web.port}`;
        const socket = createConnection(web.port, '127.0.0.1');
        strangers.push(socket);
        socket.on('error', () => {});
        const gone = new Promise<void>((closed) => socket.once('close', () => closed()));
        socket.once('data', (chunk: Buffer) => resolve({ socket, gone, status: chunk.toString().slice(9, 12) }));
        socket.write(
          `GET /engine HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: culvert\r\n\r\n',
        );
      });
    const strangers: Socket[] = [];
    const met = await Promise.all(Array.from({ length: MOST_PAGES + 4 }, stranger));
    expect(met.filter(({ status }) => status === '503')).toHaveLength(4);
    // The person's own pages find room all the while.
    expect(await Promise.all(Array.from({ length: MOST_PAGES }, () => outcome(page())))).toEqual(
      Array(MOST_PAGES).fill('open'),
    );
    expect(await outcome(page())).toBe('HTTP 503');
    // They do not go by themselves: without the server's doing this would not end.
    await Promise.all(met.map(({ gone }) => gone));
    for (const socket of strangers) socket.destroy();
  });

  it('does not keep a connection that it turned away open', async () => {
    const socket = createConnection({ port: web.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const answer = new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    socket.write('GET /engine HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1.1 403 /);
    // Writing shows whether anybody is there.
    const writing = setInterval(() => socket.write('x'), 50);
    await gone;
    clearInterval(writing);
  });

  it('gives every start a token of its own', async () => {
    const first = token();
    await web.close();
    web = await serveWeb({ socketPath: join(folder, 'engine.sock'), folder: join(folder, 'ui'), port: 0 });
    expect(token()).not.toBe(first);
    expect(await outcome(page({ token: first }))).toBe(1008);
  });

  it('carries calls, errors with code and data, and events', async () => {
    const socket = page();
    const proxy = createProxy({
      send: (message) => {
        socket.send(message);
        return true;
      },
      close: () => socket.close(),
    });
    socket.on('message', (data: Buffer) => proxy.hear(data.toString()));
    socket.on('close', () => proxy.ended());
    await new Promise((resolve) => socket.once('open', resolve));
    await expect(proxy.call('list', {})).resolves.toEqual({ profiles: [] });
    await expect(proxy.call('connect', { profile: 'a' })).rejects.toMatchObject({
      code: 'ike/refused-by-peer',
      remedy: 'Check the secret.',
      data: { notify: 24 },
    });
    const heard = new Promise<LogEntry>((resolve) => proxy.on('log', resolve));
    await proxy.call('subscribe', { events: ['log'] });
    engine.publish('log', { time: 1, level: 'info', area: 'test', text: 'two\nlines' });
    await expect(heard).resolves.toMatchObject({ text: 'two\nlines' });
  });

  it('lets only right calls through to the engine', async () => {
    const socket = page();
    await new Promise((resolve) => socket.once('open', resolve));
    for (const [message, code] of [
      ['{"id":1,"call":"format","params":{}}', 'ipc/unknown-call'],
      ['{"id":2,"call":"list","params":{"extra":1}}', 'ipc/bad-params'],
      ['{"id":3,"call":"connect","params":{"profile":7}}', 'ipc/bad-params'],
      ['{"id":4,"call":"hasOwnProperty","params":{}}', 'ipc/unknown-call'],
    ] as const) {
      const answer = next(socket);
      socket.send(message);
      expect(await answer, message).toMatchObject({ id: Number(message[6]), error: { code } });
    }
    expect(calls).toEqual([]);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.send('not a call\n{"id":9,"call":"list"}');
    await ended;
    expect(calls).toEqual([]);
  });

  it('says why there is no engine, and works again when it is back', async () => {
    await engine.close();
    const socket = page();
    const told = next(socket);
    expect(await told).toMatchObject({ id: null, error: { code: 'ipc/not-running' } });
    await new Promise((resolve) => socket.once('close', resolve));
    engine = await start();
    expect(await outcome(page())).toBe('open');
  });

  it('ends with the engine', async () => {
    const socket = page();
    await new Promise((resolve) => socket.once('open', resolve));
    const answer = next(socket);
    socket.send('{"id":1,"call":"list"}');
    await answer;
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await engine.close();
    expect(await ended).toBe(1001);
  });
});
