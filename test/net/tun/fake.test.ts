// The in-memory TUN: what one end writes the other reads, packet boundaries kept, without blocking the event loop.
import { afterEach, expect, it } from 'vitest';
import { EAGAIN } from '../../../main/native/constants.ts';
import { libc } from '../../../main/native/libc.ts';
import { type InMemoryTun, inMemoryTunAdapter, openInMemoryTun } from '../../../main/net/tun/fake.ts';
import { parsePrefix } from '../../../main/wire/address.ts';

const calls = libc();
const tuns: InMemoryTun[] = [];
const make = () => {
  const tun = openInMemoryTun({ name: 'memory%d', mtu: 1400 });
  tuns.push(tun);
  return tun;
};
afterEach(async () => {
  for (const tun of tuns.splice(0)) await tun.close();
});

it('hands packets to the data plane with their boundaries', () => {
  const tun = make();
  expect(tun.send(Uint8Array.of(1, 2, 3))).toBe(true);
  expect(tun.send(Uint8Array.of(4, 5))).toBe(true);
  const buffer = new Uint8Array(100);
  expect(calls.readBytes(tun.fd, buffer)).toBe(3);
  expect([...buffer.subarray(0, 3)]).toEqual([1, 2, 3]);
  expect(calls.readBytes(tun.fd, buffer)).toBe(2);
  expect(calls.readBytes(tun.fd, buffer)).toBe(-1);
  expect(calls.errno()).toBe(EAGAIN);
});

it('calls back with every packet that the data plane writes, in order', async () => {
  const tun = make();
  const seen: number[] = [];
  const all = new Promise<void>((resolve) => {
    tun.onPacket((packet) => {
      expect(packet.length).toBe(1 + (packet[0]! % 7));
      if (seen.push(packet[0]!) === 600) resolve();
    });
  });
  for (let i = 0; i < 600; i++)
    expect(calls.writeBytes(tun.fd, new Uint8Array(1 + ((i & 255) % 7)).fill(i & 255))).toBeGreaterThan(0);
  await all;
  expect(seen).toEqual(Array.from({ length: 600 }, (_, i) => i & 255));
});

it('queues a bounded number of packets while the data plane is behind, delivers them in order, then drops', async () => {
  const tun = make();
  let accepted = 0;
  const packet = new Uint8Array(60_000);
  const number = new DataView(packet.buffer);
  while (accepted < 100_000) {
    number.setUint32(0, accepted);
    if (!tun.send(packet)) break;
    accepted++;
  }
  expect(accepted).toBeGreaterThan(500);
  expect(accepted).toBeLessThan(100_000);
  const buffer = new Uint8Array(65_536);
  let read = 0;
  while (read < accepted) {
    const length = calls.readBytes(tun.fd, buffer);
    if (length > 0) {
      expect(new DataView(buffer.buffer).getUint32(0)).toBe(read++);
      continue;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(read).toBe(accepted);
  expect(tun.send(packet)).toBe(true);
});

it('refuses packets once closed and closes twice without harm', async () => {
  const tun = make();
  await tun.close();
  await tun.close();
  expect(tun.send(Uint8Array.of(1))).toBe(false);
});

it('stands behind the adapter interface and remembers what was applied', async () => {
  const opened: InMemoryTun[] = [];
  const tun = await inMemoryTunAdapter((made) => opened.push(made)).open({ name: 'm%d', mtu: 1300, addresses: [] });
  if (tun instanceof Error) throw tun;
  tuns.push(...opened);
  const address = parsePrefix('10.88.0.2/24')!;
  expect(await tun.apply({ mtu: 1280, addresses: [address] })).toBeUndefined();
  expect(opened[0]?.mtu).toBe(1280);
  expect(opened[0]?.addresses).toEqual([address]);
  expect(tun.name).toMatch(/^m\d+$/);
});
