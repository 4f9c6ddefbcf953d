// An HTTP/1.1 server on the in-memory host: GET and HEAD of a few pages, one request a connection.

import { formatAddress } from '../../../wire/address.ts';
import { type Page, type PageSource, plainPage } from '../../page.ts';
import type { Host } from '../host.ts';
import type { TcpConnection } from '../tcp/connection.ts';
import { pump } from '../tcp/pump.ts';
import { encodeHead, HeadReader } from './message.ts';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
};

export function serveHttp(host: Host, port: number, pages: PageSource): { close(): void } {
  return host.listen(port, (connection, peer) => {
    const reader = new HeadReader();
    let answered = false;
    connection.handlers = {
      onData(bytes) {
        if (answered) return;
        const read = reader.add(bytes);
        if (read === undefined) return;
        answered = true;
        if (read === 'malformed') {
          answer(connection, 'GET', plainPage(400, 'This is not an HTTP/1.1 request.\n'));
          return;
        }
        const [, method, path] = /^([A-Z]+) (\/[^ ]*) HTTP\/1\.[01]$/.exec(read.head.startLine) ?? [];
        if (!method || !path) answer(connection, 'GET', plainPage(400, 'This is not an HTTP/1.1 request.\n'));
        else if (method !== 'GET' && method !== 'HEAD')
          answer(connection, method, plainPage(405, 'Only GET and HEAD are answered here.\n'));
        else
          answer(
            connection,
            method,
            pages(path, formatAddress(peer.address)) ?? plainPage(404, `There is nothing at ${path}.\n`),
          );
      },
      // A client that ends without a whole request gets nothing.
      onEnd: () => {
        if (!answered) connection.end();
      },
    };
  });
}

function answer(connection: TcpConnection, method: string, page: Page): void {
  const head = encodeHead(`HTTP/1.1 ${page.status} ${REASONS[page.status] ?? 'Unknown'}`, {
    'Content-Type': page.type,
    'Content-Length': page.body.length,
    ...(page.status === 405 ? { Allow: 'GET, HEAD' } : {}),
    Connection: 'close',
  });
  pump(connection, method === 'HEAD' ? head : Buffer.concat([head, page.body]), true);
}
