// The gateway's TCP connections: who may keep one for how long, by a clock turned by hand.
import { expect, test } from 'vitest';
import { formatEndpoint } from '../../main/wire/address.ts';
import { settle } from './lab.ts';
import { streamScene as scene } from './stream-scene.ts';

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
  const { fd, remote } = connect(7);
  streams.proved(remote);
  clock.advance(3_600_000);
  await settle();
  expect(closed).toEqual([]);
  expect(streams.at(remote)).toMatchObject({ fd, stream: { remote } });
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
  for (const { fd, remote } of [client, other, strangers[8]!])
    expect(streams.at(remote)).toMatchObject({ fd, stream: { remote } });
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

test('one that has ended stays open as long as a tunnel sends into it, and is then let go of everywhere', async () => {
  const { streams, connect, closed, released } = scene();
  const [one, other] = [connect(7), connect(8)];
  for (const { remote } of [one, other]) streams.proved(remote);
  const endpoints = [one, other].map(({ remote }) => formatEndpoint(remote));
  await streams.ended(one.fd, new Set(endpoints));
  expect(closed).toEqual([]);
  expect(streams.byDescriptor(one.fd)).toMatchObject({ fd: one.fd, stream: { remote: one.remote } });
  // The client is back on another connection: nobody sends into the old one any more, and the other has not ended.
  await streams.collect(new Set());
  expect(released).toEqual([`receiver ${one.fd}`, `sender ${one.fd}`, `socket ${one.fd}`]);
  expect(streams.byDescriptor(one.fd)).toBeUndefined();
  expect(streams.byDescriptor(other.fd)).toMatchObject({ fd: other.fd, stream: { remote: other.remote } });
});

test('a client that is asked something later has proved itself already', async () => {
  const { streams, clock, connect, closed } = scene();
  const { remote } = connect(7);
  streams.proved(remote);
  streams.asked(remote);
  clock.advance(3_600_000);
  await settle();
  expect(closed).toEqual([]);
});

test('a client back from the same port leaves no descriptor open, and none is closed while a tunnel sends into it', async () => {
  const { streams, connect, closed, removed } = scene();
  const first = connect(7, 5000);
  streams.proved(first.remote);
  const inUse = new Set(['192.0.2.7:5000']);
  await streams.ended(first.fd, inUse);
  const second = connect(7, 5000);
  await streams.collect(inUse);
  expect(closed).toEqual([]);
  // The client shows itself on the new connection, and its tunnel has moved there.
  streams.proved(second.remote);
  await streams.collect(inUse);
  expect(closed).toEqual([first.fd]);
  expect(removed).toEqual([first.fd]);
  expect(streams.at(second.remote)?.fd).toBe(second.fd);
  // Another time it does not: the tunnel is taken down.
  await streams.ended(second.fd, inUse);
  connect(7, 5000);
  await streams.collect(new Set());
  expect(closed).toEqual([first.fd, second.fd]);
  streams.close();
  expect(closed).toEqual([first.fd, second.fd, second.fd + 1]);
});
