// The in-memory host's codecs against packets that scapy 2.5 built.
import { describe, expect, test } from 'vitest';
import { decodeEcho, type Echo, encodeEcho } from '../../../main/gateway/host/icmp.ts';
import { decodeIp, encodeIp, type IpPacket } from '../../../main/gateway/host/ip.ts';
import { decodeSegment, encodeSegment, type Segment } from '../../../main/gateway/host/tcp/segment.ts';
import { formatAddress } from '../../../main/wire/address.ts';
import { isWireError, type WireError } from '../../../main/wire/error.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

// IP(src='192.168.1.2', dst='192.168.1.1', id=0x1d3c, flags='DF') / ICMP(type=8, id=0x1234, seq=7) / b'abcdefghijk'
const PING4 = bytes('450000271d3c400040019a46c0a80102c0a8010108007fc4123400076162636465666768696a6b');
// IPv6(src='2001:db8::1', dst='2001:db8::2') / ICMPv6EchoRequest(id=0x1234, seq=7, data=b'abcdefghijk')
const PING6 = bytes(
  '6000000000133a4020010db800000000000000000000000120010db80000000000000000000000028000ac01123400076162636465666768696a6b',
);
// IP(…, id=1) / TCP(sport=40000, dport=80, seq=0xdeadbeef, flags='S', window=64240, options=[MSS 1460, SAckOK, Timestamp, NOP, WScale 7])
const SYN4 = bytes(
  '4500003c00010000400666b90a0000010a0000029c400050deadbeef00000000a002faf0fedb0000020405b40402080a000000010000000201030307',
);
// IPv6(…) / TCP(sport=80, dport=40000, seq=1, ack=2, flags='PA', window=500) / b'hello'
const DATA6 = bytes(
  '600000000019064020010db800000000000000000000000120010db800000000000000000000000200509c400000000100000002501801f471f9000068656c6c6f',
);

function ok<T>(value: T | WireError): T {
  if (isWireError(value)) throw new Error(value.toString());
  return value;
}
const ip = (packet: Uint8Array): IpPacket => ok(decodeIp(packet));

describe('IP', () => {
  test.each([
    ['IPv4', PING4, '192.168.1.2', 1],
    ['IPv6', PING6, '2001:db8::1', 58],
  ])('%s: a real packet', (_, packet, source, protocol) => {
    const decoded = ip(packet);
    expect([formatAddress(decoded.source), decoded.protocol, decoded.ttl]).toEqual([source, protocol, 64]);
    expect(Buffer.from(decoded.payload.subarray(8)).toString()).toBe('abcdefghijk');
  });

  test.each([
    ['IPv4', PING4],
    ['IPv6', PING6],
    ['IPv4 TCP', SYN4],
    ['IPv6 TCP', DATA6],
  ])('%s: encode writes every byte of a dirty buffer, and decodes to the same', (_, packet) => {
    const decoded = ip(packet);
    const clean = new Uint8Array(packet.length);
    const dirty = new Uint8Array(packet.length).fill(0xa5);
    expect(encodeIp(decoded, clean)).toBe(packet.length);
    encodeIp(decoded, dirty);
    expect(hex(dirty)).toBe(hex(clean));
    expect(ip(dirty)).toEqual(decoded);
  });

  test('IPv4 with DF and no identification is what scapy builds', () => {
    const same = PING4.slice();
    encodeIp(ip(PING4), same);
    // All but identification (0 for an atomic datagram, RFC 6864) and the checksum over it.
    expect(hex(same.subarray(6, 10))).toBe(hex(PING4.subarray(6, 10)));
    expect(hex(same.subarray(12))).toBe(hex(PING4.subarray(12)));
  });

  test.each([
    ['IPv4', PING4],
    ['IPv6', PING6],
  ])('%s: truncated at every length is an error', (_, packet) => {
    for (let length = 0; length < packet.length; length++)
      expect(isWireError(decodeIp(packet.subarray(0, length))), `length ${length}`).toBe(true);
  });

  test('link padding behind the packet is not payload', () => {
    const padded = new Uint8Array(PING4.length + 7).fill(9);
    padded.set(PING4);
    expect(ip(padded).payload.length).toBe(ip(PING4).payload.length);
  });

  test('a fragment, a wrong checksum and another version are refused', () => {
    const changed = (at: number, value: number): Uint8Array => {
      const copy = PING4.slice();
      copy[at] = value;
      return copy;
    };
    const resummed = (at: number, value: number): Uint8Array => {
      const copy = changed(at, value);
      copy.set([0, 0], 10);
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += copy[i]! * 256 + copy[i + 1]!;
      sum = (sum & 0xffff) + (sum >> 16);
      copy.set([(~sum >> 8) & 255, ~sum & 255], 10);
      return copy;
    };
    expect(decodeIp(resummed(6, 0x20))).toMatchObject({ code: 'value' });
    expect(decodeIp(resummed(7, 3))).toMatchObject({ code: 'value' });
    expect(decodeIp(changed(8, 63))).toMatchObject({ code: 'checksum' });
    expect(decodeIp(changed(0, 0x55))).toMatchObject({ code: 'version' });
    expect(decodeIp(resummed(0, 0x44))).toMatchObject({ code: 'length' });
  });
});

describe('ICMP echo', () => {
  test.each([
    ['IPv4', PING4],
    ['IPv6', PING6],
  ])('%s: a real request, and encoding gives the same bytes', (_, packet) => {
    const { source, destination, payload } = ip(packet);
    const echo = ok(decodeEcho(source, destination, payload)) as Echo;
    expect(echo).toMatchObject({ kind: 'request', identifier: 0x1234, sequence: 7 });
    expect(hex(encodeEcho(source, destination, echo))).toBe(hex(payload));
    const reply = encodeEcho(destination, source, { ...echo, kind: 'reply' });
    expect(ok(decodeEcho(destination, source, reply))).toMatchObject({ kind: 'reply', sequence: 7 });
  });

  test('every flipped bit is noticed, every truncation is an error', () => {
    const { source, destination, payload } = ip(PING6);
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const copy = payload.slice();
      copy[bit >> 3] = copy[bit >> 3]! ^ (1 << (bit & 7));
      expect(isWireError(decodeEcho(source, destination, copy)), `bit ${bit}`).toBe(true);
    }
    for (let length = 0; length < payload.length; length++)
      expect(isWireError(decodeEcho(source, destination, payload.subarray(0, length)))).toBe(true);
  });
});

describe('TCP', () => {
  test('a SYN with all the options that Linux sends', () => {
    const { source, destination, payload } = ip(SYN4);
    expect(ok(decodeSegment(source, destination, payload))).toMatchObject({
      sourcePort: 40_000,
      destinationPort: 80,
      sequence: 0xdeadbeef,
      flags: 2,
      window: 64_240,
      mss: 1460,
      windowScale: 7,
      payload: new Uint8Array(0),
    });
  });

  test('a segment with data over IPv6, and encoding gives the same bytes', () => {
    const { source, destination, payload } = ip(DATA6);
    const segment: Segment = ok(decodeSegment(source, destination, payload));
    expect(segment).toMatchObject({ sequence: 1, acknowledgement: 2, flags: 0x18, window: 500 });
    expect(Buffer.from(segment.payload).toString()).toBe('hello');
    expect(hex(encodeSegment(source, destination, segment))).toBe(hex(payload));
  });

  test('options survive a round trip', () => {
    const { source, destination, payload } = ip(SYN4);
    const segment = ok(decodeSegment(source, destination, payload));
    const again = encodeSegment(source, destination, segment);
    expect(again.length).toBe(28);
    expect(ok(decodeSegment(source, destination, again))).toEqual(segment);
  });

  test('truncated at every length, and options that do not end, are errors', () => {
    const { source, destination, payload } = ip(SYN4);
    for (let length = 0; length < payload.length; length++)
      expect(isWireError(decodeSegment(source, destination, payload.subarray(0, length))), `${length}`).toBe(true);
    // An MSS option of length 0 and one that reaches past the header, checksums right.
    for (const bad of [
      [2, 0, 0, 0],
      [2, 9, 0, 0],
      [1, 1, 1, 2],
    ]) {
      const segment = ok(decodeSegment(source, destination, payload));
      const encoded = encodeSegment(source, destination, { ...segment, windowScale: undefined });
      const sum = (at: number): number => encoded[at]! * 256 + encoded[at + 1]!;
      const before = sum(20) + sum(22);
      encoded.set(bad, 20);
      let checksum = (~sum(16) & 0xffff) - before + sum(20) + sum(22);
      while (checksum < 0) checksum += 0xffff;
      while (checksum > 0xffff) checksum -= 0xffff;
      encoded.set([(~checksum >> 8) & 255, ~checksum & 255], 16);
      expect(decodeSegment(source, destination, encoded), String(bad)).toMatchObject({ code: 'length' });
    }
  });
});
