import { describe, expect, test } from 'vitest';
import type { Host } from '../../../main/gateway/host/host.ts';
import { FetchError, fetchHttp } from '../../../main/gateway/host/http/client.ts';
import { serveHttp } from '../../../main/gateway/host/http/server.ts';
import { plainPage } from '../../../main/gateway/page.ts';
import { parseAddress } from '../../../main/wire/address.ts';
import { linkedHosts, type Pair, PERFECT } from './link.ts';

const A = parseAddress('10.0.0.1')!;
const B = parseAddress('10.0.0.2')!;
const A6 = parseAddress('2001:db8::1')!;
const B6 = parseAddress('2001:db8::2')!;

/** Turns the clock until the promise has settled; nothing here waits for real time. */
async function during<T>(pair: Pair, promise: Promise<T>): Promise<T> {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  // Whoever called gets it below; until then it may fail unwatched.
  watched.catch(() => {});
  for (let i = 0; i < 200_000 && !settled; i++) {
    pair.clock.step();
    await Promise.resolve();
    await Promise.resolve();
  }
  return watched;
}

describe('ping', () => {
  test.each([
    ['IPv4', A, B],
    ['IPv6', A6, B6],
  ])('%s: is answered after the time that the link takes', async (_, a, b) => {
    const pair = linkedHosts(1, { ...PERFECT, delay: [7, 7] }, a, b);
    expect(await during(pair, pair.a.ping(b, 1200, 1000))).toBeCloseTo(14);
  });

  test('a lost one is undefined after the time-out, a late answer is nothing', async () => {
    const pair = linkedHosts(1, { ...PERFECT, delay: [80, 80] }, A, B);
    expect(await during(pair, pair.a.ping(B, 8, 100))).toBeUndefined();
    pair.clock.advance(1000);
    expect(await during(pair, pair.a.ping(B, 8, 1000))).toBeCloseTo(160);
  });

  test('what is not for the host, or is broken, or of another protocol, is counted', () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    pair.b.receive(new Uint8Array(3));
    void pair.a.ping(parseAddress('10.0.0.9')!, 8, 10);
    pair.clock.advance(20);
    expect(pair.b.counters).toMatchObject({ malformed: 1, notOurs: 1, delivered: 0, unknownProtocol: 0 });
  });
});

function serve(host: Host): void {
  serveHttp(host, 80, (path, client) =>
    path === '/'
      ? plainPage(200, `hello ${client}`)
      : path === '/long'
        ? plainPage(200, 'x'.repeat(300_000))
        : undefined,
  );
}

/** Sends these bytes as a client would, and returns what comes back until the end. */
async function raw(pair: Pair, request: string): Promise<string> {
  const connection = pair.a.connect(B, 80);
  let text = '';
  return during(
    pair,
    new Promise((resolve) => {
      connection.handlers = {
        onOpen: () => void connection.write(Buffer.from(request)),
        onData: (bytes) => {
          text += Buffer.from(bytes).toString('latin1');
        },
        onEnd: () => resolve(text),
        onClose: () => resolve(text),
      };
    }),
  );
}

describe('HTTP', () => {
  test('a page, a longer one, and one that is not there', async () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    serve(pair.b);
    const page = await during(pair, fetchHttp(pair.a, B, 80, '/', '10.0.0.2'));
    expect([page.status, Buffer.from(page.body).toString()]).toEqual([200, 'hello 10.0.0.1']);
    expect(page.fields.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await during(pair, fetchHttp(pair.a, B, 80, '/long', 'b'))).body.length).toBe(300_000);
    expect((await during(pair, fetchHttp(pair.a, B, 80, '/none', 'b'))).status).toBe(404);
  });

  test('over a bad link too', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const pair = linkedHosts(seed, { loss: 0.1, duplication: 0.1, damage: 0.05, delay: [1, 20] }, A, B);
      serve(pair.b);
      const page = await during(pair, fetchHttp(pair.a, B, 80, '/long', 'b'));
      expect(page.body.length, `seed ${seed}`).toBe(300_000);
    }
  });

  test.each([
    ['nonsense\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/1.1\r\nbad field\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['POST / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 405 [\s\S]*Allow: GET, HEAD\r\n/],
    ['HEAD / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 200 [\s\S]*Content-Length: 14\r\n[\s\S]*\r\n\r\n$/],
    [`GET / HTTP/1.1\r\n${'x'.repeat(9000)}`, /^HTTP\/1\.1 400 /],
  ])('%j', async (request, answer) => {
    const pair = linkedHosts(1, PERFECT, A, B);
    serve(pair.b);
    expect(await raw(pair, request)).toMatch(answer);
  });

  test.each([
    ['malformed', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['malformed', 'HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\n'],
    ['unsupported', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['truncated', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'],
    ['truncated', 'HTTP/1.1 200 OK\r\n'],
  ] as const)('the client says "%s" of %j', async (code, answer) => {
    const pair = linkedHosts(1, PERFECT, A, B);
    pair.b.listen(80, (connection) => {
      connection.handlers = {
        onOpen: () => {
          connection.write(Buffer.from(answer));
          connection.end();
        },
      };
    });
    const error = await during(pair, fetchHttp(pair.a, B, 80, '/', 'b')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FetchError);
    expect(error).toMatchObject({ code });
  });

  test('without a length the body ends with the connection', async () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    pair.b.listen(80, (connection) => {
      connection.handlers = {
        onOpen: () => {
          connection.write(Buffer.from('HTTP/1.0 200 OK\r\n\r\nall of it'));
          connection.end();
        },
      };
    });
    const page = await during(pair, fetchHttp(pair.a, B, 80, '/', 'b'));
    expect(Buffer.from(page.body).toString()).toBe('all of it');
  });

  test('nobody there: refused', async () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    await expect(during(pair, fetchHttp(pair.a, B, 81, '/', 'b'))).rejects.toMatchObject({ code: 'refused' });
  });
});
