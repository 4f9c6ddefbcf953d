// Addresses asked over TCP of servers on loopback: the right questions, answers in pieces, servers that are silent or lie.
import { createServer, type Server, Socket, connect as tcp } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { askAddresses, queryFor, readAddresses } from '../../../main/net/dns/ask.ts';
import { formatAddress } from '../../../main/wire/address.ts';
import { isWireError } from '../../../main/wire/error.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
});

const random = (length: number): Uint8Array => new Uint8Array(length).fill(0x5a);
const record = (type: number, ...data: number[]): number[] => [
  0xc0,
  12,
  0,
  type,
  0,
  1,
  0,
  0,
  0,
  60,
  0,
  data.length,
  ...data,
];
const CNAME = record(5, 3, 0x77, 0x77, 0x77, 0xc0, 12);
const A = record(1, 192, 0, 2, 7);
const AAAA = record(28, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);

function answerTo(query: Uint8Array, ...records: number[][]): Buffer {
  const answer = Buffer.from([...query, ...records.flat()]);
  answer[2] = 0x81;
  answer[3] = 0x80;
  answer[7] = records.length;
  return answer;
}

async function server(
  host: string,
  answer: (query: Uint8Array, socket: Socket) => Buffer | undefined,
): Promise<number> {
  const listening = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const reply = answer(data.subarray(2), socket);
      if (!reply) return;
      socket.write(Buffer.of(reply.length >> 8));
      setImmediate(() => socket.write(Buffer.concat([Buffer.of(reply.length & 255), reply])));
    });
  });
  servers.push(listening);
  await new Promise<void>((resolve) => listening.listen(servers.length > 1 ? portOf(servers[0]!) : 0, host, resolve));
  return portOf(listening);
}
const portOf = (of: Server): number => (of.address() as { port: number }).port;

const ask = async (port: number, hosts: readonly string[]): Promise<string[]> => {
  const connect = async (address: Uint8Array): Promise<Socket> => {
    const socket = tcp(port, formatAddress(address));
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  };
  return (await askAddresses('vpn.example.com', hosts, connect, random)).map(formatAddress);
};

describe('asking for addresses', () => {
  test('gives those of both families, behind a CNAME too', async () => {
    const asked: string[] = [];
    const port = await server('127.0.71.1', (query) => {
      asked.push(Buffer.from(query).toString('hex'));
      return query.at(-3) === 28 ? answerTo(query, CNAME, AAAA) : answerTo(query, CNAME, A);
    });
    expect(await ask(port, ['127.0.71.1'])).toEqual(['2001:db8::7', '192.0.2.7']);
    expect(asked.sort()).toEqual(
      [1, 28].map((type) => Buffer.from(queryFor('vpn.example.com', type, random)).toString('hex')),
    );
  });

  test('goes on to the next server where one hangs up, answers another question, or cannot be connected to', async () => {
    const port = await server('127.0.71.1', (_, socket) => void socket.destroy());
    await server(
      '127.0.71.2',
      (query) => answerTo(Buffer.from(queryFor('other.example.com', 1, random)), A) ?? Buffer.from(query),
    );
    await server('127.0.71.3', (query) => (query.at(-3) === 28 ? answerTo(query) : answerTo(query, A)));
    expect(await ask(port, ['fe80::1%eth0', '127.0.71.9', '127.0.71.1', '127.0.71.2', '127.0.71.3'])).toEqual([
      '192.0.2.7',
    ]);
  });

  test('fails where nobody answers', async () => {
    const port = await server('127.0.71.1', (_, socket) => void socket.destroy());
    await expect(ask(port, ['127.0.71.1'])).rejects.toThrow(/hung up/);
    await expect(ask(port, [])).rejects.toThrow(/no name server/);
  });
});

describe('an answer', () => {
  /** Asks one server, whose answers come in exactly these pieces; nothing at all: it is silent. */
  function told(answer: (query: Buffer) => readonly Buffer[]): Promise<readonly string[]> {
    const connect = async (): Promise<Socket> => {
      const socket = new Socket();
      const write = (bytes: Uint8Array): boolean => {
        for (const piece of answer(Buffer.from(bytes.subarray(2)))) queueMicrotask(() => socket.emit('data', piece));
        return true;
      };
      return Object.assign(socket, { write });
    };
    return askAddresses('vpn.example.com', ['192.0.2.53'], connect, random).then((all) => all.map(formatAddress));
  }
  const framed = (reply: Buffer): Buffer => Buffer.concat([Buffer.of(reply.length >> 8, reply.length & 255), reply]);
  const only4 = (query: Buffer): Buffer => (query.at(-3) === 28 ? answerTo(query) : answerTo(query, A));

  test('is read however it is cut into pieces', async () => {
    const bytewise = (query: Buffer): Buffer[] => [...framed(only4(query))].map((byte) => Buffer.of(byte));
    expect(await told(bytewise)).toEqual(['192.0.2.7']);
  });

  test.each<[string, (answer: Buffer) => void]>([
    ['has another ID', (answer) => answer.writeUInt16BE(0x1234, 0)],
    ['is a query', (answer) => answer.writeUInt8(0x01, 2)],
    ['is to another question', (answer) => answer.write('w', 14)],
  ])('that %s is none', async (_, change) => {
    const changed = (query: Buffer): Buffer => {
      const answer = only4(query);
      change(answer);
      return answer;
    };
    await expect(told((query) => [framed(changed(query))])).rejects.toThrow(/something else/);
  });

  test('that there is no such name is an answer; that the server failed is none', async () => {
    const withCode = (code: number) => (query: Buffer) => {
      const answer = answerTo(query);
      answer[3] = 0x80 | code;
      return [framed(answer)];
    };
    expect(await told(withCode(3))).toEqual([]);
    for (const code of [1, 2, 5]) await expect(told(withCode(code))).rejects.toThrow(/RCODE/);
  });

  test('that does not come is waited for as long as a server has', async () => {
    const silence = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(silence.signal);
    try {
      const asking = told(() => []);
      const failed = expect(asking).rejects.toThrow(/in time/);
      await new Promise((resolve) => setImmediate(resolve));
      expect(timeout).toHaveBeenCalledWith(3_000);
      silence.abort();
      await failed;
    } finally {
      timeout.mockRestore();
    }
  });
});

test('what is no address of its type is passed over', () => {
  const query = queryFor('vpn.example.com', 1, random);
  expect(readAddresses(answerTo(query, record(1, 1, 2, 3), record(28, 1, 2, 3, 4), A))).toEqual([
    Uint8Array.of(192, 0, 2, 7),
  ]);
});

test('a label longer than 63 bytes is no label (RFC 1035 §4.1.4)', () => {
  const query = queryFor('vpn.example.com', 1, random);
  const long = [0x40, ...new Uint8Array(64).fill(0x61), 0, ...A.slice(2)];
  expect(isWireError(readAddresses(answerTo(query, long)))).toBe(true);
  expect(isWireError(readAddresses(answerTo(query, [0x3f, ...long.slice(2)])))).toBe(false);
});

test.each(['vpn..example.com', `${'a'.repeat(64)}.example.com`, ''])('%j is asked of nobody', (name) => {
  expect(() => queryFor(name, 1, random)).toThrow(RangeError);
});

test('an answer cut anywhere is an error, and no bytes throw', () => {
  const whole = answerTo(queryFor('vpn.example.com', 1, random), CNAME, A);
  expect(readAddresses(whole)).toEqual([Uint8Array.of(192, 0, 2, 7)]);
  for (let length = 0; length < whole.length; length++)
    expect(isWireError(readAddresses(whole.subarray(0, length)))).toBe(true);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readAddresses(bytes)));
});
