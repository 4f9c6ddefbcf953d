// The gateway's TCP connections: who may keep one for how long, by a clock turned by hand.
import { expect, test } from 'vitest';
import { Streams } from '../../main/gateway/streams.ts';
import type { StreamSocket } from '../../main/net/socket/api.ts';
import type { DataPlane } from '../../main/path/command.ts';
import type { Endpoint } from '../../main/wire/address.ts';
import { settle } from './lab.ts';
import { VirtualClock } from './virtual-clock.ts';

function scene() {
  const clock = new VirtualClock();
  const removed: number[] = [];
  const unused = () => {
    throw new Error('not of these tests');
  };
  const plane: DataPlane = {
    send: async () => {},
    receive: async (command) => {
      if (command.kind === 'removeSocket') removed.push(command.fd);
    },
    configure: unused,
    attachTun: unused,
    statistics: unused,
    close: unused,
  };
  const streams = new Streams(plane, clock, () => {});
  const closed: number[] = [];
  let fd = 0;
  const connect = (last: number): { readonly fd: number; readonly remote: Endpoint } => {
    const number = ++fd;
    const remote: Endpoint = { address: Uint8Array.of(192, 0, 2, last), port: 40_000 + number };
    const socket: StreamSocket = {
      fd: number,
      kind: 'tcp',
      local: { address: Uint8Array.of(192, 0, 2, 1), port: 4500 },
      stream: { remote, expectsPrefix: true },
      close: () => void closed.push(number),
    };
    streams.accept(socket);
    return { fd: number, remote };
  };
  return { streams, clock, connect, closed, removed };
}

test('a silent connection is closed after ten seconds, at the data plane first', async () => {
  const { clock, connect, closed, removed } = scene();
  const { fd } = connect(7);
  clock.advance(9_999);
  await settle();
  expect(closed).toEqual([]);
  clock.advance(1);
  await settle();
  expect(removed).toEqual([fd]);
  expect(closed).toEqual([fd]);
  expect(clock.pending).toBe(0);
});

test('one over which a client has authenticated stays', async () => {
  const { streams, clock, connect, closed } = scene();
  const { remote } = connect(7);
  streams.proved(remote);
  clock.advance(3_600_000);
  await settle();
  expect(closed).toEqual([]);
  expect(streams.at(remote)).toBeDefined();
});

test('one whose user is asked for a password has more time, not all of it', async () => {
  const { streams, clock, connect, closed } = scene();
  const { fd, remote } = connect(7);
  streams.asked(remote);
  clock.advance(120_000);
  await settle();
  expect(closed).toEqual([]);
  clock.advance(20_000);
  await settle();
  expect(closed).toEqual([fd]);
});

test('an address keeps eight strangers: the oldest goes for a ninth, and a client of that address stays', async () => {
  const { streams, connect, closed } = scene();
  const client = connect(7);
  streams.proved(client.remote);
  const strangers = Array.from({ length: 9 }, () => connect(7));
  const other = connect(8);
  await settle();
  expect(closed).toEqual([strangers[0]!.fd]);
  for (const { remote } of [client, other, strangers[8]!]) expect(streams.at(remote)).toBeDefined();
});

test('strangers of many addresses keep nobody out; clients are not closed for anybody', async () => {
  const { streams, connect, closed } = scene();
  for (let last = 2; last < 66; last++) connect(last);
  const client = connect(200);
  await settle();
  expect(closed).toEqual([1]);
  streams.proved(client.remote);
  for (let last = 2; last < 66; last++) connect(last);
  await settle();
  expect(closed).not.toContain(client.fd);
  expect(closed).toHaveLength(65);
});

test('64 clients are all there is room for', async () => {
  const { streams, connect, closed } = scene();
  for (let last = 2; last < 66; last++) streams.proved(connect(last).remote);
  const { fd } = connect(200);
  await settle();
  expect(closed).toEqual([fd]);
});
