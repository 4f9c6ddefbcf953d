// The data plane end to end without privilege: in-memory TUN → worker → UDP on loopback → worker → in-memory TUN.
import { afterEach, describe, expect, it } from 'vitest';
import type { DataPlaneOptions, EspCipher, Shape } from '../../main/path/command.ts';
import { install, openSide, packet4, packet6, type Side, SPI } from './pair.ts';

const sides: Side[] = [];
afterEach(async () => {
  await Promise.all(sides.splice(0).map((side) => side.close()));
});

async function pair(threads: readonly [Threads, Threads], family: 4 | 6 = 4, gro = false) {
  const made = await Promise.all(threads.map((one) => openSide(one, family, gro)));
  sides.push(...made);
  return made as [Side, Side];
}

type Threads = NonNullable<DataPlaneOptions['threads']>;
/** Each way once from one thread to two, and once from two to one. */
const ENDS: readonly (readonly [Threads, Threads])[] = [
  ['workers', 'single'],
  ['single', 'workers'],
];

const SHAPES: readonly Shape[] = ['gre-transport', 'gre-tunnel', 'esp-tunnel'];
const CIPHERS: readonly EspCipher[] = ['aes-gcm-16', 'chacha20-poly1305'];
const cases = SHAPES.flatMap((shape, i) =>
  CIPHERS.map((cipher, j) => ({ threads: ENDS[(i + j) % 2]!, shape, cipher })),
);

describe('packets cross both ways', () => {
  it.each(cases)('$shape, $cipher, $threads', async ({ threads, shape, cipher }) => {
    const [left, right] = await pair(threads);
    await install(left, right.socket, true, shape, cipher);
    await install(right, left.socket, false, shape, cipher);
    const there = [20, 21, 577, 1399, 1400].map((length, i) => packet4('10.88.0.2', '10.88.0.1', length, i));
    there.push(packet6('fd00::2', 'fd00::1', 1400));
    const back = there.map((_, i) => packet4('10.88.0.1', '10.88.0.2', 100 + i, i));
    for (const packet of there) expect(left.tun.send(packet)).toBe(true);
    await right.received(there.length);
    for (const packet of back) expect(right.tun.send(packet)).toBe(true);
    await left.received(back.length);
    // Each flow in its order; IPv4 and IPv6 are two.
    const family = (packets: readonly Uint8Array[], version: number) =>
      packets.filter(([first]) => first! >> 4 === version);
    for (const version of [4, 6]) expect(family(right.packets, version)).toEqual(family(there, version));
    expect(left.packets).toEqual(back);

    expect(await right.event('firstInbound')).toMatchObject({ slot: 0, spi: SPI.responder });
    expect(right.events.filter((event) => event.kind === 'firstInbound')).toHaveLength(1);
    expect(left.events.filter((event) => event.kind === 'peerMoved')).toEqual([]);
    // An acknowledged command makes the worker publish.
    await left.plane.send({
      kind: 'setPeer',
      tunnel: 0,
      peer: { remote: right.socket.local, socket: left.socket.fd, encapsulation: 'udp' },
    });
    const statistics = left.plane.statistics();
    expect(statistics.counters.outPackets).toBe(there.length);
    expect(statistics.counters.outBytes).toBe(there.reduce((sum, packet) => sum + packet.length, 0));
    expect(statistics.counters.inPackets).toBe(back.length);
    expect(statistics.io).toMatchObject({ sendDropped: 0, noPeer: 0, tunDropped: 0, noTun: 0, ikeDropped: 0 });
    for (const time of [statistics.lastInbound, statistics.lastOutbound]) {
      expect(time).toBeGreaterThan(performance.now() - 20_000);
      expect(time).toBeLessThanOrEqual(performance.now());
    }
    if (shape !== 'esp-tunnel') expect(statistics.greNextSequence?.[0]).toBe(there.length);
  });

  it('over IPv6 outside', async () => {
    const [left, right] = await pair(ENDS[0]!, 6);
    await install(left, right.socket, true, 'gre-tunnel', 'chacha20-poly1305');
    await install(right, left.socket, false, 'gre-tunnel', 'chacha20-poly1305');
    const packet = packet4('10.88.0.2', '10.88.0.1', 1400);
    left.tun.send(packet);
    await right.received(1);
    expect(right.packets).toEqual([packet]);
  });
});
