// Serves the built renderer on 127.0.0.1 with the contract's in-memory engine behind its WebSocket, under the policy that
// the real server sends. For looking at pages in states that a real engine reaches only by accident.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws:; img-src 'self' data:; font-src 'self'";

/**
 * `engine`: of createFakeEngine. `up` false: the WebSocket refuses, as while the engine restarts; 'silent': it does not
 * answer.
 */
export async function serveFake(engine) {
  const { EVENT_NAMES } = await import(join(root, 'build/out/main/ipc/contract.js'));
  let up = true;
  const silent = new Set();
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    try {
      const name = path === '/' ? '/index.html' : path;
      const body = readFileSync(join(root, 'build/out/renderer', name));
      response.writeHead(200, {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'culvert' });
  server.on('upgrade', (request, stream, head) => {
    if (up === 'silent') return silent.add(stream);
    if (!up) return stream.destroy();
    sockets.handleUpgrade(request, stream, head, (socket) => relay(engine().connect(), socket, EVENT_NAMES));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    setUp(value) {
      up = value;
      for (const stream of silent) stream.destroy();
      silent.clear();
      if (up !== true) for (const socket of sockets.clients) socket.terminate();
    },
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}

function relay(client, socket, events) {
  const send = (message) => socket.readyState === 1 && socket.send(JSON.stringify(message));
  for (const event of events) client.on(event, (data) => send({ event, data }));
  socket.on('message', (bytes) => {
    const { id, call, params } = JSON.parse(bytes.toString());
    client.call(call, params).then(
      (result) => send({ id, result }),
      ({ code, message, remedy, data }) => send({ id, error: { code, message, remedy, ...(data ? { data } : {}) } }),
    );
  });
  socket.on('close', () => client.close());
  client.closed.then(() => socket.terminate());
}
