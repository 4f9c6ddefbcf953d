import { describe, expect, test } from 'vitest';
import type { TcpConnection, TcpFailure } from '../../../../main/gateway/host/tcp/connection.ts';
import { pump } from '../../../../main/gateway/host/tcp/pump.ts';
import { parseAddress } from '../../../../main/wire/address.ts';
import { type Faults, linkedHosts, type Pair, PERFECT, seeded, seededBytes } from '../link.ts';

const A = parseAddress('10.0.0.1')!;
const B = parseAddress('10.0.0.2')!;
const RUNS = Number(process.env.CULVERT_SIM_RUNS ?? 60);

interface Ended {
  received: Uint8Array[];
  opened: boolean;
  ended: boolean;
  closed: boolean;
  failure: TcpFailure | undefined;
}

function watch(connection: TcpConnection): Ended {
  const seen: Ended = { received: [], opened: false, ended: false, closed: false, failure: undefined };
  connection.handlers = {
    onOpen: () => {
      seen.opened = true;
    },
    onData: (bytes) => {
      seen.received.push(bytes.slice());
    },
    onEnd: () => {
      seen.ended = true;
    },
    onClose: (failure) => {
      seen.closed = true;
      seen.failure = failure;
    },
  };
  return seen;
}

const ADVERSE: Faults = { loss: 0.05, duplication: 0.05, damage: 0.02, delay: [1, 12] };

/** Both ends send `length` bytes to each other and end; returns what each received. */
function exchange(pair: Pair, up: Uint8Array, down: Uint8Array) {
  const seen: { server?: Ended; client?: Ended } = {};
  pair.b.listen(80, (connection) => {
    seen.server = watch(connection);
    pump(connection, down, true);
  });
  const client = pair.a.connect(pair.b.addresses[0]!, 80);
  seen.client = watch(client);
  pump(client, up, true);
  const done = pair.clock.runUntil(() => seen.client!.closed && seen.server?.closed === true, 600_000);
  return { done, client: seen.client, server: seen.server };
}

describe('a connection over a link that works', () => {
  test('carries bytes both ways and closes in order, leaving no timer behind', () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    const bytes = seededBytes(seeded(7))(200_000);
    const { done, client, server } = exchange(pair, bytes, bytes.subarray(0, 70_000));
    expect(done).toBe(true);
    expect(Buffer.concat(server!.received).equals(bytes)).toBe(true);
    expect(Buffer.concat(client.received).equals(bytes.subarray(0, 70_000))).toBe(true);
    expect([client.failure, server!.failure]).toEqual([undefined, undefined]);
    pair.clock.advance(60_000);
    expect(pair.clock.pending).toBe(0);
  });

  test('never sends more than MTU, and fills it', () => {
    for (const mtu of [576, 1280, 1414]) {
      const pair = linkedHosts(1, PERFECT, A, B, mtu);
      let longest = 0;
      pair.filter = (packet) => {
        longest = Math.max(longest, packet.length);
        return true;
      };
      exchange(pair, new Uint8Array(20_000), new Uint8Array(0));
      expect(longest).toBe(mtu);
    }
  });

  test('without a listener it is refused', () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    const seen = watch(pair.a.connect(B, 81));
    pair.clock.advance(10);
    expect(seen).toMatchObject({ opened: false, closed: true, failure: 'refused' });
  });

  test('abort resets the other end', () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    let server: Ended | undefined;
    pair.b.listen(80, (connection) => {
      server = watch(connection);
    });
    const connection = pair.a.connect(B, 80);
    const client = watch(connection);
    pair.clock.advance(20);
    expect(client.opened).toBe(true);
    connection.abort();
    pair.clock.advance(20);
    expect(client.failure).toBe('aborted');
    expect(server!.failure).toBe('reset');
  });

  test('half closed: the other direction goes on', () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    let server: TcpConnection | undefined;
    let serverSeen: Ended | undefined;
    pair.b.listen(80, (connection) => {
      server = connection;
      serverSeen = watch(connection);
    });
    const client = pair.a.connect(B, 80);
    const clientSeen = watch(client);
    client.end();
    pair.clock.advance(50);
    expect(serverSeen!.ended).toBe(true);
    expect(client.state).toBe('fin-wait-2');
    server!.write(Buffer.from('still here'));
    pair.clock.advance(50);
    expect(Buffer.concat(clientSeen.received).toString()).toBe('still here');
    server!.end();
    pair.clock.advance(60_000);
    expect([clientSeen.closed, serverSeen!.closed]).toEqual([true, true]);
  });

  test('a paused reader shuts the window, the sender probes it, and resume opens it', () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    let server: TcpConnection | undefined;
    let seen: Ended | undefined;
    pair.b.listen(80, (connection) => {
      server = connection;
      seen = watch(connection);
      connection.pause();
    });
    const bytes = seededBytes(seeded(3))(600_000);
    const client = pair.a.connect(B, 80);
    watch(client);
    pump(client, bytes, true);
    pair.clock.advance(2000);
    expect(seen!.received).toEqual([]);
    const before = pair.packets;
    pair.clock.advance(20_000);
    // Probes and their answers only, with back-off.
    expect(pair.packets - before).toBeGreaterThan(2);
    expect(pair.packets - before).toBeLessThan(40);
    // The window update is lost: a probe must find the opening.
    pair.filter = (_, from) => from === 'a';
    server!.resume();
    pair.clock.advance(5);
    pair.filter = () => true;
    expect(pair.clock.runUntil(() => seen!.ended, 120_000)).toBe(true);
    expect(Buffer.concat(seen!.received).equals(bytes)).toBe(true);
  });
});

describe('a connection over a link that fails', () => {
  test('a peer that falls silent ends it with timed-out', () => {
    const pair = linkedHosts(1, PERFECT, A, B);
    pair.b.listen(80, watch);
    const connection = pair.a.connect(B, 80);
    const seen = watch(connection);
    pair.clock.advance(20);
    pair.filter = () => false;
    connection.write(Buffer.from('anyone?'));
    expect(pair.clock.runUntil(() => seen.closed, 400_000)).toBe(true);
    expect(seen.failure).toBe('timed-out');
  });

  test('a SYN that nobody answers ends with timed-out', () => {
    const pair = linkedHosts(1, { ...PERFECT, loss: 1 }, A, B);
    const seen = watch(pair.a.connect(B, 80));
    expect(pair.clock.runUntil(() => seen.closed, 600_000)).toBe(true);
    expect(seen.failure).toBe('timed-out');
  });

  test('one lost segment is resent after three duplicates, not after a time-out', () => {
    const pair = linkedHosts(1, { ...PERFECT, delay: [5, 5] }, A, B);
    let data = 0;
    pair.filter = (packet, from) => !(from === 'a' && packet.length > 1000 && ++data === 12);
    const start = pair.clock.now();
    let ended = 0;
    let server: Ended | undefined;
    pair.b.listen(80, (connection) => {
      server = watch(connection);
      connection.handlers.onEnd = () => {
        ended = pair.clock.now();
      };
    });
    const bytes = seededBytes(seeded(9))(100_000);
    const client = pair.a.connect(B, 80);
    watch(client);
    pump(client, bytes, true);
    pair.clock.advance(5000);
    expect(data).toBeGreaterThan(70);
    expect(Buffer.concat(server!.received).equals(bytes)).toBe(true);
    expect(ended - start).toBeLessThan(190);
  });

  test(`${RUNS} seeds of loss, duplication, reordering and damage: the stream stays whole`, () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = seeded(seed);
      const up = seededBytes(random)(Math.floor(random() * 60_000));
      const down = seededBytes(random)(Math.floor(random() * 60_000));
      const { done, client, server } = exchange(linkedHosts(seed, ADVERSE, A, B, 600), up, down);
      const context = `seed ${seed}`;
      expect(done, context).toBe(true);
      expect(Buffer.concat(server!.received).equals(up), context).toBe(true);
      expect(Buffer.concat(client.received).equals(down), context).toBe(true);
      expect([client.failure, server!.failure], context).toEqual([undefined, undefined]);
    }
  });
});
