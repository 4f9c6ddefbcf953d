// No flow is reordered on its way, whatever is queued, batched, sent in bursts, parked, or let go first.
import { afterEach, expect, it } from 'vitest';
import { FLOWS, flowOf } from '../../main/path/flow.ts';
import { install, openSide, packet4, packet6, type Side, SPI, saParams } from './pair.ts';

const sides: Side[] = [];
afterEach(async () => {
  await Promise.all(sides.splice(0).map((side) => side.close()));
});

/** A packet of flow `flow` (by its protocol or family) that carries its number. */
function numbered(up: boolean, flow: number, number: number, length: number): Uint8Array {
  const [from, to] = up ? ['10.88.0.2', '10.88.0.1'] : ['10.88.0.1', '10.88.0.2'];
  const packet =
    flow === 3
      ? packet6(up ? 'fd00::2' : 'fd00::1', up ? 'fd00::1' : 'fd00::2', length)
      : packet4(from, to, length, flow);
  if (flow < 3) {
    // Protocol 1, 6 and 253: ICMP, TCP with ports of its own, and neither. The header's checksum follows.
    const protocol = [1, 6, 253][flow]!;
    let sum = ((packet[10]! << 8) | packet[11]!) + 253 - protocol;
    sum = (sum & 0xffff) + (sum >>> 16);
    packet[9] = protocol;
    packet.set([sum >> 8, sum & 0xff], 10);
    packet.fill(0x11, 20, 24);
  }
  new DataView(packet.buffer).setUint32(44, number);
  packet[48] = flow;
  return packet;
}

function numbersOf(packets: readonly Uint8Array[], flow: number): number[] {
  return packets
    .filter((packet) => packet[48] === flow)
    .map((packet) => new DataView(packet.buffer, packet.byteOffset).getUint32(44));
}

it.each([false, true])('four flows each way at once, small packets and large, bursts %s', async (gro) => {
  const [left, right] = [await openSide('workers', 4, gro), await openSide('workers', 4, gro)];
  sides.push(left, right);
  await install(left, right.socket, true, 'gre-tunnel', 'chacha20-poly1305');
  // The keys of the first packets come late: they are parked, and those behind them must stay behind.
  await install(right, left.socket, false, 'gre-tunnel', 'chacha20-poly1305');
  await right.plane.receive({ kind: 'removeInbound', slot: 0 });
  await right.plane.receive({ kind: 'expect', spi: SPI.responder });
  const EACH = 300;
  const lengths = [60, 60, 1400, 60, 600, 1400, 1400];
  for (let i = 0; i < EACH; i++) {
    for (let flow = 0; flow < 4; flow++) {
      left.tun.send(numbered(true, flow, i, lengths[(i * 3 + flow) % lengths.length]!));
      right.tun.send(numbered(false, flow, i, lengths[(i * 5 + flow) % lengths.length]!));
    }
    if (i === 10) {
      const params = { ...saParams(SPI.responder, 'chacha20-poly1305'), replayWindow: 1024 };
      await right.plane.receive({ kind: 'installInbound', slot: 1, params });
    }
    // A queue that stands for long, on a machine busy with other things, is shortened by CoDel: not what this is about.
    if (i % 30 === 29) await Promise.all([left.received(4 * (i + 1)), right.received(4 * (i + 1))]);
  }
  await Promise.all([left.received(4 * EACH), right.received(4 * EACH)]);
  const all = Array.from({ length: EACH }, (_, i) => i);
  for (const side of [left, right])
    for (let flow = 0; flow < 4; flow++) expect(numbersOf(side.packets, flow), `flow ${flow}`).toEqual(all);
});

it('gives every packet of a flow one number: fragments of a datagram too, and other flows mostly others', () => {
  const udp = (from: number, to: number, more = 0) => {
    const packet = packet4('10.88.0.2', '10.88.0.1', 60);
    packet[9] = 17;
    packet[6] = more;
    packet.set([from >> 8, from & 255, to >> 8, to & 255], 20);
    return packet;
  };
  const number = (packet: Uint8Array) => {
    const at = new Uint8Array(packet.length + 7);
    at.set(packet, 7);
    return flowOf(at, 7, packet.length);
  };
  expect(number(udp(0x1234, 0x5678, 0x20))).toBe(number(udp(53, 53)));
  const tcp = (port: number) => {
    const packet = udp(port, 443);
    packet[9] = 6;
    packet[6] = 0x40;
    return packet;
  };
  const numbers = new Set(Array.from({ length: 200 }, (_, i) => number(tcp(30_000 + i))));
  expect(numbers.size).toBeGreaterThan(150);
  for (const one of numbers) expect(one).toBeLessThan(FLOWS);
  expect(number(new Uint8Array(10))).toBe(0);
});
