// The interface for a browser on this computer: `culvert ui`. One HTTP server on 127.0.0.1 gives out the pages and relays
// the contract over a WebSocket to the engine's local socket, opened with the rights of the person who runs the command, so
// a page can do what that person can, and no more.
//
//   browser ──ws──▶ here ──unix socket──▶ engine
//
// Other pages of the same browser, and other people of the same computer, are kept out by three things: the Host of every
// request must be this server's (a page of evil.example whose name is made to resolve to 127.0.0.1 shows its own), the
// Origin of a WebSocket must be this server's, and the WebSocket must bring the token of this launch, 256 random bits that
// stand in the fragment of the address, which browsers send to nobody.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { openEngineSocket } from './client.ts';
import { ipcError } from './error.ts';
import { MOST_LINE_BYTES } from './framing.ts';
import { relay } from './relay.ts';
import { readStaticFiles } from './static.ts';

export const WEB_ADDRESS = '127.0.0.1';
/** Where the WebSocket is. */
export const WEB_PATH = '/engine';
/** Subprotocols: this one is agreed on; the other brings the token: `culvert.token.<64 hexadecimal digits>`. */
export const WEB_PROTOCOL = 'culvert';
export const TOKEN_PROTOCOL = 'culvert.token.';
const TOKEN_BYTES = 32;
export const MOST_PAGES = 16;
/** WebSockets without the token that are being told so. */
const MOST_STRANGERS = 16;
/** Milliseconds that such a one has to hear it. */
const PATIENCE = 1_000;

export interface WebOptions {
  /** The engine's socket. */
  readonly socketPath: string;
  /** Folder of the built interface. */
  readonly folder: string;
  /** 0: whatever is free. */
  readonly port: number;
  readonly random?: (length: number) => Uint8Array;
  /** Opens the engine's socket; for tests. */
  readonly open?: (path: string) => Promise<Socket>;
}

export interface WebServer {
  readonly port: number;
  /** With the token: for the person's own browser only. */
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects with EngineError `ipc/web`: no interface there, or the port is taken. */
export async function serveWeb(options: WebOptions): Promise<WebServer> {
  const files = readStaticFiles(options.folder);
  const token = Buffer.from((options.random ?? randomBytes)(TOKEN_BYTES)).toString('hex');
  const open = options.open ?? openEngineSocket;
  let hosts: readonly string[] = [];
  let policy = '';

  const server = createServer((request, response) => {
    if (!hosts.includes(request.headers.host ?? '')) return refuse(response, 403, 'This is not the address.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'GET only.');
    const file = files.get(pathOf(request));
    if (!file) return refuse(response, 404, 'There is no such page.');
    response.writeHead(200, {
      ...headers(policy),
      'content-type': file.type,
      'content-length': file.bytes.length,
    });
    response.end(request.method === 'HEAD' ? undefined : file.bytes);
  });
  // Slow or silent connections of other programs of this computer must not pile up.
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 64;

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_LINE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(WEB_PROTOCOL) ? WEB_PROTOCOL : false),
  });
  const pages = new Set<WebSocket>();
  const strangers = new Set<WebSocket>();
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => {});
    const origin = request.headers.origin ?? '';
    const known = hosts.includes(request.headers.host ?? '') && origin === `http://${request.headers.host}`;
    if (!known || pathOf(request) !== WEB_PATH) return turnAway(stream, known ? 404 : 403);
    const ours = bringsToken(request, token);
    // Those without the token take no place from those with it.
    const group = ours ? pages : strangers;
    if (group.size >= (ours ? MOST_PAGES : MOST_STRANGERS)) return turnAway(stream, 503);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      group.add(socket);
      socket.on('close', () => group.delete(socket));
      socket.on('error', () => {});
      if (ours) void relay(socket, () => open(options.socketPath));
      else sendAway(socket);
    });
  });

  function sendAway(socket: WebSocket): void {
    const timer = setTimeout(() => socket.terminate(), PATIENCE);
    socket.on('close', () => clearTimeout(timer));
    // A browser shows the page why only after the handshake: 1008 is a violation of policy (RFC 6455 §7.4.1).
    socket.close(1008, 'This address is of an earlier start of culvert ui, or is not whole. Start it again.');
  }

  const port = await listen(server, options.port);
  hosts = [`${WEB_ADDRESS}:${port}`, `localhost:${port}`];
  policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ${hosts.map((host) => `ws://${host}`).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

  return {
    port,
    url: `http://${hosts[0]}/#token=${token}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function headers(policy: string): Record<string, string> {
  return {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), usb=()',
    'cache-control': 'no-store',
  };
}

/** Without the query. */
const pathOf = (request: IncomingMessage): string => (request.url ?? '').split('?')[0] ?? '';

function bringsToken(request: IncomingMessage, token: string): boolean {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const brought = offered.find((name) => name.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length) ?? '';
  const given = Buffer.from(brought);
  const right = Buffer.from(token);
  return given.length === right.length && timingSafeEqual(given, right);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...headers("default-src 'none'"), 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

function turnAway(stream: Duplex, status: 403 | 404 | 503): void {
  stream.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  // Upgraded requests are out of the HTTP server's care and of its timeouts.
  const timer = setTimeout(() => stream.destroy(), PATIENCE);
  stream.on('close', () => clearTimeout(timer));
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        ipcError(
          'ipc/web',
          `The port ${port} of ${WEB_ADDRESS} cannot be used (${error.code ?? error.message}).`,
          'Name another with --port, or leave it out to take a free one.',
          { port },
        ),
      ),
    );
    server.listen(port, WEB_ADDRESS, () => resolve((server.address() as AddressInfo).port));
  });
}
