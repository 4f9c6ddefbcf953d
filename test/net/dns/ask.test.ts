// Addresses asked over TCP of servers on loopback: the right questions, answers in pieces, servers that are silent or lie.
import { createServer, type Server, type Socket, connect as tcp } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
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

test('an answer cut anywhere is an error, and no bytes throw', () => {
  const whole = answerTo(queryFor('vpn.example.com', 1, random), CNAME, A);
  expect(readAddresses(whole)).toEqual([Uint8Array.of(192, 0, 2, 7)]);
  for (let length = 0; length < whole.length; length++)
    expect(isWireError(readAddresses(whole.subarray(0, length)))).toBe(true);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readAddresses(bytes)));
});
