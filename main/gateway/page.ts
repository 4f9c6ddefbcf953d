// The page behind the gateway, and the HTTP server that serves it where the kernel's own stack is behind the TUN. The
// in-memory host serves the same page through host/http.
import { createServer, type Server } from 'node:http';
import { type Address, formatAddress } from '../wire/address.ts';

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

/** The page at `path` for whoever asks from `client` (an address as text); undefined: there is none. */
export type PageSource = (path: string, client: string) => Page | undefined;

export function plainPage(status: number, text: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: Buffer.from(text) };
}

/** One page at "/". */
export function welcomePages(gateway: string): PageSource {
  return (path, client) =>
    path === '/'
      ? plainPage(
          200,
          [
            'This page comes from the far side of the tunnel.',
            '',
            `  gateway  ${gateway}`,
            `  you      ${client}`,
            '',
            'It crossed the network between you and the gateway inside ESP, encrypted and authenticated.',
            '',
          ].join('\n'),
        )
      : undefined;
}

/** Listens on each of these addresses; rejects with the system's error where it cannot. */
export async function servePages(
  pages: PageSource,
  addresses: readonly Address[],
  port: number,
): Promise<{ close(): Promise<void> }> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  };
  try {
    for (const address of addresses) servers.push(await listen(pages, formatAddress(address), port));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

function listen(pages: PageSource, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    const page =
      request.method === 'GET' || request.method === 'HEAD'
        ? (pages(request.url ?? '/', request.socket.remoteAddress ?? 'unknown') ??
          plainPage(404, `There is nothing at ${request.url}.\n`))
        : plainPage(405, 'Only GET and HEAD are answered here.\n');
    response.writeHead(page.status, { 'Content-Type': page.type, 'Content-Length': page.body.length });
    response.end(request.method === 'HEAD' ? undefined : page.body);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve(server);
    });
  });
}
