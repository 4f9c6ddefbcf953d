import { expect, it } from 'vitest';
import { markCongestion } from '../../main/path/congestion.ts';
import { packet4, packet6 } from './pair.ts';

/** 0: the IPv4 header's checksum verifies. */
function checksum(packet: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

it.each([1, 2, 3])('marks IPv4 with ECN %i and keeps the checksum right', (ecn) => {
  for (let seed = 0; seed < 256; seed++) {
    const packet = packet4('10.88.0.2', '10.88.0.1', 60, seed, 0xb8 | ecn);
    const all = new Uint8Array(100);
    all.set(packet, 33);
    expect(markCongestion(all, 33)).toBe(true);
    const marked = all.slice(33, 93);
    expect(marked[1]).toBe(0xbb);
    expect(checksum(marked)).toBe(0);
    expect(marked).toEqual(packet4('10.88.0.2', '10.88.0.1', 60, seed, 0xbb));
  }
});

it.each([1, 2, 3])('marks IPv6 with ECN %i and leaves class and label alone', (ecn) => {
  const packet = packet6('fd00::2', 'fd00::1', 60);
  packet.set([0x6b, 0x80 | (ecn << 4) | 0x0c, 0x12, 0x34]);
  expect(markCongestion(packet, 0)).toBe(true);
  expect([...packet.slice(0, 4)]).toEqual([0x6b, 0xbc, 0x12, 0x34]);
});

it('leaves alone what is not ECN-capable, and what is no IP packet', () => {
  for (const packet of [
    packet4('10.88.0.2', '10.88.0.1', 60, 1, 0xb8),
    packet6('fd00::2', 'fd00::1', 60),
    new Uint8Array(60),
  ]) {
    const before = packet.slice();
    expect(markCongestion(packet, 0)).toBe(false);
    expect(packet).toEqual(before);
  }
});
