// ESP packets and IKE messages through a TCP connection over loopback (RFC 9329), between two real data planes: nothing lost,
// nothing cut, nothing overtaken; and streams that are not what they should be.
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { StreamSocket } from '../../main/net/socket/api.ts';
import { linuxSocketFactory } from '../../main/net/socket/linux.ts';
import type { PathEvent } from '../../main/path/command.ts';
import { address, install, openSide, packet4, type Side } from './pair.ts';

const streams = linuxSocketFactory().streams!;
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function side(threads: 'workers' | 'single'): Promise<Side> {
  const one = await openSide(threads);
  undo.push(() => one.close());
  return one;
}

/** Both ends of a new connection. */
async function connection(): Promise<[StreamSocket, StreamSocket]> {
  let accepted: (socket: StreamSocket) => void = () => {};
  const other = new Promise<StreamSocket>((resolve) => {
    accepted = resolve;
  });
  const listener = streams.listen({ address: address('127.0.0.1'), port: 0 }, accepted);
  if (listener instanceof Error) throw listener;
  const signal = AbortSignal.timeout(5000);
  const mine = await streams.connect({ remote: listener.local, mark: 0, signal });
  if (mine instanceof Error) throw mine;
  const theirs = await other;
  listener.close();
  undo.push(
    () => mine.close(),
    () => theirs.close(),
  );
  return [mine, theirs];
}

async function use(of: Side, stream: StreamSocket): Promise<void> {
  await of.plane.receive({ kind: 'addSocket', socket: stream });
  await of.plane.send({
    kind: 'setPeer',
    tunnel: 0,
    peer: { remote: stream.stream.remote, socket: stream.fd, encapsulation: 'tcp' },
  });
}

describe.each(['workers', 'single'] as const)('a tunnel in TCP, %s', (threads) => {
  test('carries packets of every size in order, and IKE messages between them', async () => {
    const [left, right] = [await side(threads), await side(threads)];
    const [mine, theirs] = await connection();
    await install(left, right.socket, true, 'gre-tunnel', 'aes-gcm-16');
    await install(right, left.socket, false, 'gre-tunnel', 'aes-gcm-16');
    await use(left, mine);
    await use(right, theirs);

    const sent: Uint8Array[] = [];
    const messages: number[] = [];
    for (let i = 0; i < 600; i++) {
      const packet = packet4('10.88.0.2', '10.88.0.1', 20 + ((i * 37) % 1381), i & 255);
      packet[20] = i >> 8;
      packet[21] = i & 255;
      sent.push(packet);
      left.tun.send(packet);
      if (i % 50 === 0) {
        messages.push(i);
        const message = new Uint8Array(4 + 700);
        message[4] = i >> 8;
        message[5] = i & 255;
        await left.plane.send({ kind: 'sendMessage', socket: mine.fd, bytes: message });
      }
    }
    await right.received(600);
    expect(right.packets.map((packet) => Buffer.from(packet).toString('hex'))).toEqual(
      sent.map((packet) => Buffer.from(packet).toString('hex')),
    );
    const ike = () =>
      right.events.filter((event): event is Extract<PathEvent, { kind: 'ike' }> => event.kind === 'ike');
    await expect.poll(() => ike().length).toBe(messages.length);
    expect(ike().map((event) => event.bytes[0]! * 256 + event.bytes[1]!)).toEqual(messages);
    for (const event of ike()) {
      expect(event.bytes.length).toBe(700);
      expect(event.socket).toBe(theirs.fd);
      expect(event.from).toEqual(theirs.stream.remote);
    }
    // And back.
    right.tun.send(packet4('10.88.0.1', '10.88.0.2', 1400, 9));
    await left.received(1);
    expect([...left.packets[0]!]).toEqual([...packet4('10.88.0.1', '10.88.0.2', 1400, 9)]);
    const { io, counters } = left.plane.statistics();
    expect(io!.sendDropped).toBe(0);
    expect(io!.sent).toBe(600);
    expect(counters.outPackets).toBe(600);
  });

  test('waits for a reader that is slow, and loses nothing that the stream has taken', async () => {
    const left = await side(threads);
    const [mine, theirs] = await connection();
    const right = await side(threads);
    await install(left, right.socket, true, 'esp-tunnel', 'chacha20-poly1305');
    await install(right, left.socket, false, 'esp-tunnel', 'chacha20-poly1305');
    // Nobody reads yet: the connection fills up, and then the queue, which drops and counts.
    await left.plane.send({
      kind: 'setPeer',
      tunnel: 0,
      peer: { remote: mine.stream.remote, socket: mine.fd, encapsulation: 'tcp' },
    });
    const total = 12_000;
    let accepted = 0;
    for (let i = 0; i < total; i++) {
      if (left.tun.send(packet4('10.88.0.2', '10.88.0.1', 1300, i & 255))) accepted++;
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await right.plane.receive({ kind: 'addSocket', socket: theirs });
    const settled = (): boolean => {
      const { io, counters } = left.plane.statistics();
      // The TUN has a queue of its own: an empty one of the data plane's may be about to fill again.
      return io!.tunRead === accepted && io!.queued === 0 && counters.outPackets === io!.sent;
    };
    await expect.poll(settled, { timeout: 10_000 }).toBe(true);
    const { io } = left.plane.statistics();
    await right.received(io!.sent);
    expect(io!.sendDropped).toBe(0);
    expect(right.packets.length).toBe(io!.sent);
    expect(io!.sent + io!.queueDropped).toBe(io!.tunRead);
    expect(right.plane.statistics().counters.inReplayOld).toBe(0);
  });

  test('goes on over a new connection after the old one broke', async () => {
    const [left, right] = [await side(threads), await side(threads)];
    const [mine, theirs] = await connection();
    await install(left, right.socket, true, 'gre-tunnel', 'aes-gcm-16');
    await install(right, left.socket, false, 'gre-tunnel', 'aes-gcm-16');
    await use(left, mine);
    await use(right, theirs);
    left.tun.send(packet4('10.88.0.2', '10.88.0.1', 100, 1));
    await right.received(1);
    await right.plane.receive({ kind: 'removeSocket', fd: theirs.fd });
    theirs.close();
    const closed = await left.event('streamClosed');
    expect(closed.socket).toBe(mine.fd);
    const [again, other] = await connection();
    await use(left, again);
    // Whom the tunnel talks to now, the right one learns from the first good packet.
    await right.plane.receive({ kind: 'addSocket', socket: other });
    left.tun.send(packet4('10.88.0.2', '10.88.0.1', 100, 2));
    await right.received(2);
    const moved = await right.event('peerMoved');
    expect(moved.from).toEqual(other.stream.remote);
    expect(moved.socket).toBe(other.fd);
  });
});

describe('a stream', () => {
  async function written(pieces: readonly Uint8Array[]): Promise<Side> {
    const right = await side('workers');
    let accepted: (socket: StreamSocket) => void = () => {};
    const other = new Promise<StreamSocket>((resolve) => {
      accepted = resolve;
    });
    const listener = streams.listen({ address: address('127.0.0.1'), port: 0 }, accepted);
    if (listener instanceof Error) throw listener;
    const { connect } = await import('node:net');
    const client: Socket = connect(listener.local.port, '127.0.0.1');
    client.on('error', () => {});
    client.setNoDelay(true);
    const theirs = await other;
    listener.close();
    undo.push(
      () => theirs.close(),
      () => void client.destroy(),
    );
    await right.plane.receive({ kind: 'addSocket', socket: theirs });
    for (const piece of pieces) {
      client.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return right;
  }

  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const framed = (...payload: number[]): Uint8Array => Uint8Array.of(0, payload.length + 2, ...payload);
  const ike = (mark: number): Uint8Array => framed(0, 0, 0, 0, mark, mark, mark);
  const join = (...pieces: Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]));

  test('is understood however it is cut into pieces', async () => {
    const whole = join(text('IKETCP'), ike(1), framed(), framed(0xff), ike(2), ike(3));
    for (const size of [1, 3, 7, whole.length]) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      const right = await written(pieces);
      const seen = () => right.events.filter((event) => event.kind === 'ike').map((event) => event.bytes[0]);
      await expect.poll(seen).toEqual([1, 2, 3]);
      // The keepalive is counted, and nothing is wrong with the empty message (RFC 9329 §3, §6.6).
      await expect.poll(() => right.plane.statistics().counters.inKeepalives).toBe(1);
    }
  });

  test('of more messages than one batch takes is read to its end', async () => {
    const many = join(text('IKETCP'), ...Array.from({ length: 1500 }, () => framed(0xff)), ike(7));
    const right = await written([many]);
    await right.event('ike');
    // Published with the batch after the last.
    await expect.poll(() => right.plane.statistics().counters.inKeepalives).toBe(1500);
  });

  test.each([
    ['does not begin with IKETCP', text('GET / HTTP/1.1\r\n'), 'it is not IKE in TCP'],
    ['has an impossible length', join(text('IKETCP'), Uint8Array.of(0, 1, 5)), 'a length in it is impossible'],
    ['has a length of zero', join(text('IKETCP'), Uint8Array.of(0, 0)), 'a length in it is impossible'],
  ])('that %s is given up', async (_, bytes, reason) => {
    const right = await written([bytes]);
    expect(await right.event('streamClosed')).toMatchObject({ reason });
  });

  test('to a port where nobody listens is refused, with a remedy', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const failed = await streams.connect({
      remote: { address: address('127.0.0.1'), port },
      mark: 0,
      signal: AbortSignal.timeout(2000),
    });
    expect(failed).toMatchObject({ code: 'unreachable', errno: 'ECONNREFUSED' });
  });

  test('that is given up before it is connected is an error, not an exception', async () => {
    const given = new AbortController();
    given.abort();
    const attempt = streams.connect({
      remote: { address: address('127.0.0.1'), port: 1 },
      mark: 0,
      signal: given.signal,
    });
    expect(await attempt).toMatchObject({ code: 'unreachable' });
  });
});
