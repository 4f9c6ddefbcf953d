// Real sockets on loopback: two servers that say who they are, and a forwarder that must ask the right one.
import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Forwarder, startForwarder } from '../../../main/net/dns/forwarder.ts';
import { NetError } from '../../../main/net/error.ts';
import { formatAddress } from '../../../main/wire/address.ts';

const INSIDE = '127.0.70.1';
const OUTSIDE = '127.0.70.2';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function query(name: string, id = 0x1234): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const header = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.of(0, 0, 1, 0, 1)]);
}

interface Seen {
  readonly port: number;
  readonly asked: Buffer[];
}

/** A server that answers with the query, the response bit set, and its own mark behind it. */
async function server(
  host: string,
  mark: string,
  port = 0,
  before: (socket: Socket, q: Buffer, to: number) => void = () => {},
): Promise<Seen> {
  const asked: Buffer[] = [];
  const udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.bind(port, host, resolve));
  const chosen = udp.address().port;
  const answer = (q: Buffer): Buffer => {
    asked.push(q);
    const a = Buffer.concat([q, Buffer.from(mark)]);
    a[2] = a[2]! | 0x80;
    return a;
  };
  udp.on('message', (q, from) => {
    before(udp, q, from.port);
    if (mark !== '') udp.send(answer(q), from.port, from.address);
    else asked.push(q);
  });
  const tcp: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const a = answer(data.subarray(2));
      const framed = Buffer.concat([Buffer.of(a.length >> 8, a.length & 255), a]);
      // In pieces: a stream has no borders.
      socket.write(framed.subarray(0, 1));
      socket.end(framed.subarray(1));
    });
  });
  await new Promise<void>((resolve) => tcp.listen(chosen, host, resolve));
  undo.push(() => new Promise((resolve) => udp.close(() => tcp.close(() => resolve()))));
  return { port: chosen, asked };
}

async function forwarder(
  serverPort: number,
  domains: string[],
  inside = [INSIDE],
  outside = [OUTSIDE],
  patience = 150,
): Promise<{ host: string; port: number; it: Forwarder }> {
  // A free port for both UDP and TCP on the forwarder's address: asked of the system.
  const probe = createSocket('udp4');
  await new Promise<void>((resolve) => probe.bind(0, '127.71.86.1', resolve));
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const started = await startForwarder({ domains, inside, outside }, { port, serverPort, patience });
  if (started instanceof NetError) throw started;
  undo.push(() => started.close());
  return { host: formatAddress(started.address), port, it: started };
}

function askUdp(at: { host: string; port: number }, message: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), 3000);
    socket.on('message', (answer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    });
    socket.send(message, at.port, at.host);
  });
}

function askTcp(at: { host: string; port: number }, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(at.port, at.host);
    let all = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (data) => {
      all = Buffer.concat([all, data]);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      socket.destroy();
      resolve(all.subarray(2));
    });
    const framed = Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
    socket.write(framed.subarray(0, 5));
    socket.write(framed.subarray(5));
  });
}

const markOf = (answer: Buffer, q: Buffer): string => answer.subarray(q.length).toString();

describe('the forwarder', () => {
  test('asks the tunnel’s servers for its domains alone, and the others for the rest', async () => {
    const inside = await server(INSIDE, 'inside');
    const outside = await server(OUTSIDE, 'outside', inside.port);
    const at = await forwarder(inside.port, ['example.test']);
    for (const [name, mark] of [
      ['example.test', 'inside'],
      ['WWW.Example.Test', 'inside'],
      ['mail.eng.example.test', 'inside'],
      ['otherexample.test', 'outside'],
      ['ple.test', 'outside'],
      ['test', 'outside'],
    ] as const) {
      const q = query(name);
      expect([name, markOf(await askUdp(at, q), q)]).toEqual([name, mark]);
      expect([name, markOf(await askTcp(at, q), q)]).toEqual([name, mark]);
    }
    expect(inside.asked.length + outside.asked.length).toBe(12);
  });

  test('never asks the others for a name of the tunnel, though its servers say nothing', async () => {
    const inside = await server(INSIDE, '');
    const outside = await server(OUTSIDE, 'outside', inside.port);
    const at = await forwarder(inside.port, ['example.test']);
    const q = query('www.example.test');
    const answer = await askUdp(at, q);
    expect(answer[3]! & 0x0f).toBe(2);
    expect(inside.asked).toHaveLength(1);
    expect(outside.asked).toHaveLength(0);
  });

  test('asks the next server where the first is silent', async () => {
    const first = await server('127.0.70.3', '');
    await server(INSIDE, 'second', first.port);
    const at = await forwarder(first.port, ['example.test'], ['127.0.70.3', INSIDE]);
    const q = query('www.example.test');
    expect(markOf(await askUdp(at, q), q)).toBe('second');
  });

  test('takes no answer with another ID or another question', async () => {
    const inside = await server(INSIDE, 'true', 0, (socket, q, to) => {
      const forged = Buffer.from(q);
      forged[2] = forged[2]! | 0x80;
      forged[0] = forged[0]! ^ 1;
      socket.send(Buffer.concat([forged, Buffer.from('forged')]), to, '127.0.0.1');
      const other = Buffer.from(query('www.example.tesu'));
      other[2] = other[2]! | 0x80;
      socket.send(Buffer.concat([other, Buffer.from('forged')]), to, '127.0.0.1');
      // The query itself come back is no answer either.
      socket.send(Buffer.concat([q, Buffer.from('forged')]), to, '127.0.0.1');
    });
    const at = await forwarder(inside.port, ['example.test']);
    const q = query('www.example.test');
    expect(markOf(await askUdp(at, q), q)).toBe('true');
  });

  test('asks the next server where the first hangs up on TCP', async () => {
    const rude: Server = createServer((socket) => void socket.destroy());
    await new Promise<void>((resolve) => rude.listen(0, '127.0.70.3', resolve));
    undo.push(() => new Promise((resolve) => rude.close(() => resolve())));
    const { port } = rude.address() as { port: number };
    await server(INSIDE, 'second', port);
    const at = await forwarder(port, ['example.test'], ['127.0.70.3', INSIDE]);
    const q = query('www.example.test');
    expect(markOf(await askTcp(at, q), q)).toBe('second');
  });

  test('answers several queries of one connection', async () => {
    const inside = await server(INSIDE, 'inside');
    const at = await forwarder(inside.port, ['example.test']);
    const queries = [query('a.example.test', 1), query('b.example.test', 2), query('c.example.test', 3)];
    const socket = connect(at.port, at.host);
    const ids = await new Promise<number[]>((resolve, reject) => {
      const seen: number[] = [];
      let all = Buffer.alloc(0);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`hung up after ${seen.length} answers`)));
      socket.on('data', (data) => {
        all = Buffer.concat([all, data]);
        for (; all.length >= 2 && all.length >= 2 + all.readUInt16BE(0); all = all.subarray(2 + all.readUInt16BE(0)))
          seen.push(all.readUInt16BE(2));
        if (seen.length === queries.length) resolve(seen);
      });
      socket.write(Buffer.concat(queries.flatMap((q) => [Buffer.of(q.length >> 8, q.length & 255), q])));
    });
    socket.destroy();
    expect(ids.sort()).toEqual([1, 2, 3]);
  });

  test('follows other settings from the next query on', async () => {
    const inside = await server(INSIDE, 'inside');
    await server(OUTSIDE, 'outside', inside.port);
    const at = await forwarder(inside.port, ['example.test']);
    at.it.update({ domains: ['other.test'], inside: [INSIDE], outside: [OUTSIDE] });
    for (const [name, mark] of [
      ['www.example.test', 'outside'],
      ['www.other.test', 'inside'],
    ] as const) {
      const q = query(name);
      expect(markOf(await askUdp(at, q), q)).toBe(mark);
    }
  });

  test('keeps 64 connections at most', async () => {
    const inside = await server(INSIDE, 'inside');
    const at = await forwarder(inside.port, ['example.test']);
    const open = Array.from({ length: 64 }, () => connect(at.port, at.host));
    await Promise.all(open.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    const one = connect(at.port, at.host);
    one.on('error', () => {});
    await new Promise((resolve) => one.once('close', resolve));
    expect(open.some((socket) => socket.destroyed)).toBe(false);
    for (const socket of open) socket.destroy();
  });

  test('asks 512 questions at once at most', async () => {
    const inside = await server(INSIDE, '');
    const at = await forwarder(inside.port, ['example.test'], [INSIDE], [OUTSIDE], 60_000);
    const socket = createSocket('udp4');
    for (let id = 0; id < 640; id++) {
      await new Promise((resolve) => socket.send(query('www.example.test', id), at.port, at.host, resolve));
      // Each has been taken before the next is sent: no buffer of the system is filled.
      for (let turns = 0; inside.asked.length <= Math.min(id, 511) && turns < 1000; turns++)
        await new Promise((resolve) => setImmediate(resolve));
    }
    for (let turns = 0; inside.asked.length === 512 && turns < 1000; turns++)
      await new Promise((resolve) => setImmediate(resolve));
    socket.close();
    expect(inside.asked).toHaveLength(512);
  });

  test('says nothing to what is no query', async () => {
    const inside = await server(INSIDE, 'inside');
    const at = await forwarder(inside.port, ['example.test']);
    const response = query('www.example.test');
    response[2] = 0x81;
    const socket = createSocket('udp4');
    for (const bad of [response, Buffer.of(1, 2, 3)]) socket.send(bad, at.port, at.host);
    // The good one behind them is answered, so they have been looked at.
    const q = query('www.example.test');
    await askUdp(at, q);
    socket.close();
    expect(inside.asked).toHaveLength(1);
  });

  test('takes the next address where the first is taken, and gives its own back', async () => {
    const inside = await server(INSIDE, 'inside');
    const one = await forwarder(inside.port, ['example.test']);
    const two = await startForwarder({ domains: [], inside: [], outside: [] }, { port: one.port });
    if (two instanceof NetError) throw two;
    expect(formatAddress(two.address)).toBe('127.71.86.2');
    await two.close();
    await one.it.close();
    const again = await startForwarder({ domains: [], inside: [], outside: [] }, { port: one.port });
    if (again instanceof NetError) throw again;
    expect(formatAddress(again.address)).toBe('127.71.86.1');
    await again.close();
  });
});
