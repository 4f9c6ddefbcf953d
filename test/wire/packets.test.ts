// IP, UDP, ICMP, GRE and ESP as the control plane reads and writes them, against packets that others made: the capture in
// RFC 7634 Appendix B, and scapy 2.5.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWireError, type WireError } from '../../main/wire/error.ts';
import { decodeEsp, encodeEsp } from '../../main/wire/esp.ts';
import { decodeGre, encodeGre, type Gre, GreProtocol } from '../../main/wire/gre.ts';
import { decodeIcmp, encodeIcmp, type Icmp } from '../../main/wire/icmp.ts';
import { decodeIp, encodeIp, type IpPacket, type Ipv4, type Ipv6 } from '../../main/wire/ip.ts';
import { decodeNatt, decodeUdp, encodeUdp, type Udp } from '../../main/wire/udp.ts';
import { hex, toHex } from '../crypto/hex.ts';

function good<T>(value: T | WireError): T {
  if (isWireError(value)) throw new Error(String(value));
  return value;
}

const ONE = hex('20010db8 00000000 00000000 00000001');
const TWO = hex('20010db8 00000000 00000000 00000002');

describe('RFC 7634 Appendix B', () => {
  test('ICMP echo in IPv4', () => {
    const bytes = hex(`45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f
      101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637`);
    const ip = good(decodeIp(bytes)) as Ipv4;
    expect(ip).toMatchObject({ version: 4, identification: 0xa6f2, ttl: 64, protocol: 1, dontFragment: false });
    expect(ip.source).toEqual(hex('c6336405'));
    const icmp = good(decodeIcmp(ip.source, ip.destination, ip.payload));
    expect(icmp).toMatchObject({ kind: 'echo-request', identifier: 0x3a08, sequence: 0 });
    expect(toHex(encodeIcmp(ip.source, ip.destination, icmp))).toBe(toHex(ip.payload));
    expect(toHex(encodeIp(ip))).toBe(toHex(bytes));
  });

  test('ESP in IPv4', () => {
    const bytes =
      hex(`4500008c234500004032de5bcb007199cb0071050102030400000005101112131415161724039428b97f417e3c13753a4f05
      087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b
      502773f6fb94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43`);
    const ip = good(decodeIp(bytes));
    const esp = good(decodeEsp(ip.payload));
    expect(esp).toMatchObject({ spi: 0x01020304, sequence: 5 });
    expect(toHex(encodeEsp(esp))).toBe(toHex(ip.payload));
    expect(toHex(encodeIp(ip))).toBe(toHex(bytes));
  });

  test('IKE in UDP', () => {
    const bytes =
      hex(`45000061234500004011dea7cb007199cb00710501f401f4004d0851c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e20250000
      00000900000045290000291011121314151617610394701f8d017f7c129248896b71bfe25236efd7cdc67066906315b2`);
    const ip = good(decodeIp(bytes));
    const udp = good(decodeUdp(ip.source, ip.destination, ip.payload));
    expect(udp).toMatchObject({ sourcePort: 500, destinationPort: 500 });
    expect(udp.payload).toHaveLength(69);
    expect(toHex(encodeUdp(ip.source, ip.destination, udp))).toBe(toHex(ip.payload));
  });
});

describe('scapy', () => {
  test('UDP in IPv6, with traffic class and flow label', () => {
    const text =
      '6b8123450009113d 20010db8000000000000000000000001 20010db8000000000000000000000002 1194 9c40 0009 f791 ff';
    const ip = good(decodeIp(hex(text))) as Ipv6;
    expect(ip).toMatchObject({ trafficClass: 0xb8, flowLabel: 0x12345, hopLimit: 61, protocol: 17, source: ONE });
    const udp = good(decodeUdp(ip.source, ip.destination, ip.payload));
    expect(udp).toEqual({ sourcePort: 4500, destinationPort: 40000, payload: hex('ff') });
    expect(toHex(encodeIp({ ...ip, payload: encodeUdp(ONE, TWO, udp) }))).toBe(toHex(hex(text)));
  });

  test('a fragment with options', () => {
    const text = '46b800200007200340114103c0000201c000020294040000667261676d656e74';
    const ip = good(decodeIp(hex(text)));
    expect(ip).toMatchObject({ tos: 0xb8, moreFragments: true, fragmentOffset: 24, options: hex('94040000') });
    expect(new TextDecoder().decode(ip.payload)).toBe('fragment');
    expect(toHex(encodeIp(ip))).toBe(text);
  });

  const icmps: readonly [string, Uint8Array, Uint8Array, string, Icmp][] = [
    [
      'echo in IPv6, of odd length',
      ONE,
      TWO,
      '80003ea7123400056f6464',
      { kind: 'echo-request', identifier: 0x1234, sequence: 5, data: hex('6f6464') },
    ],
    [
      'too big in IPv6',
      ONE,
      TWO,
      '020056f40000050071756f746564',
      { kind: 'too-big', mtu: 1280, packet: hex('71756f746564') },
    ],
    [
      'fragmentation needed',
      hex('c0000201'),
      hex('c0000202'),
      '030490350000057871756f74656421',
      { kind: 'too-big', mtu: 1400, packet: hex('71756f74656421') },
    ],
    [
      'time exceeded',
      hex('c0000201'),
      hex('c0000202'),
      '0b0083ff0000000071',
      { kind: 'time-exceeded', code: 0, packet: hex('71') },
    ],
  ];
  test.each(icmps)('ICMP: %s', (_, source, destination, text, message) => {
    expect(decodeIcmp(source, destination, hex(text))).toEqual(message);
    expect(toHex(encodeIcmp(source, destination, message))).toBe(text);
  });

  test('GRE with checksum, key and sequence number', () => {
    const text = `b000 0800 43f2 0000 01020304 00000007
      4500001f00010000400166db0a0000010a0000020800339a00010002616263`;
    const gre = good(decodeGre(hex(text)));
    expect(gre).toMatchObject({ protocol: GreProtocol.IPV4, checksum: true, key: 0x01020304, sequence: 7 });
    expect(good(decodeIp(gre.payload)).protocol).toBe(1);
    expect(toHex(encodeGre(gre))).toBe(toHex(hex(text)));
  });

  test('bare GRE', () => {
    const gre = good(decodeGre(hex('000086dd68656c6c6f')));
    expect(gre).toEqual({
      protocol: GreProtocol.IPV6,
      checksum: false,
      key: undefined,
      sequence: undefined,
      payload: hex('68656c6c6f'),
    });
    expect(toHex(encodeGre(gre))).toBe('000086dd68656c6c6f');
  });
});

describe('refused', () => {
  const udp4 = hex('45000061234500004011dea7cb007199cb007105');
  const changed = (bytes: Uint8Array, offset: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    copy[offset] = value;
    return copy;
  };

  test('IPv4', () => {
    const packet = Uint8Array.of(...udp4, ...new Uint8Array(77));
    expect(isWireError(decodeIp(packet))).toBe(false);
    expect(decodeIp(changed(packet, 0, 0x55))).toMatchObject({ code: 'version' });
    expect(decodeIp(changed(packet, 0, 0x44))).toMatchObject({ code: 'length' });
    expect(decodeIp(changed(packet, 0, 0x4f))).toMatchObject({ code: 'checksum' });
    expect(decodeIp(changed(packet, 3, 0x13))).toMatchObject({ code: 'length' });
    expect(decodeIp(changed(packet, 8, 0x41))).toMatchObject({ code: 'checksum' });
    for (let length = 0; length < packet.length; length++)
      expect(decodeIp(packet.subarray(0, length))).toMatchObject({ code: 'truncated' });
    expect(decodeIp(Uint8Array.of(...packet, 1, 2, 3))).toEqual(decodeIp(packet));
  });

  test('IPv6, at every length', () => {
    const packet = Uint8Array.of(...hex('6000000000053bff'), ...ONE, ...TWO, 1, 2, 3, 4, 5);
    expect(isWireError(decodeIp(packet))).toBe(false);
    for (let length = 1; length < packet.length; length++)
      expect(decodeIp(packet.subarray(0, length))).toMatchObject({ code: 'truncated' });
  });

  test('UDP', () => {
    const bytes = encodeUdp(ONE, TWO, { sourcePort: 1, destinationPort: 2, payload: hex('0102030405') });
    for (let length = 0; length < bytes.length; length++)
      expect(decodeUdp(ONE, TWO, bytes.subarray(0, length))).toMatchObject({ code: 'truncated' });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = changed(bytes, bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)));
      expect(isWireError(decodeUdp(ONE, TWO, bad))).toBe(true);
    }
    expect(decodeUdp(ONE, TWO, changed(bytes, 5, 7))).toMatchObject({ code: 'length' });
    // No checksum: taken, whatever is inside.
    const none = changed(changed(changed(bytes, 6, 0), 7, 0), 9, 0xff);
    expect(decodeUdp(ONE, TWO, none)).toMatchObject({ sourcePort: 1 });
  });

  test('UDP whose sum is zero is sent with the other zero', () => {
    // ~(sum) of this payload would be 0, which means "no checksum".
    const blank = encodeUdp(ONE, TWO, { sourcePort: 1, destinationPort: 2, payload: hex('0000') });
    const payload = blank.slice(6, 8);
    const bytes = encodeUdp(ONE, TWO, { sourcePort: 1, destinationPort: 2, payload });
    expect(toHex(bytes.subarray(6, 8))).toBe('ffff');
    expect(decodeUdp(ONE, TWO, bytes)).toMatchObject({ payload });
  });

  test('ICMP', () => {
    const bytes = encodeIcmp(ONE, TWO, { kind: 'echo-reply', identifier: 1, sequence: 2, data: hex('ff') });
    for (let length = 0; length < bytes.length; length++)
      expect(isWireError(decodeIcmp(ONE, TWO, bytes.subarray(0, length)))).toBe(true);
    expect(decodeIcmp(ONE, ONE, bytes)).toMatchObject({ code: 'checksum' });
    expect(() => encodeIcmp(ONE, TWO, { kind: 'echo-reply', identifier: 65536, sequence: 0, data: hex('') })).toThrow();
  });

  test('GRE: another version, reserved bits, a bad checksum, and every short length', () => {
    for (const bit of [0x4000, 0x0800, 0x0400])
      expect(decodeGre(hex(`${bit.toString(16).padStart(4, '0')}0800`))).toMatchObject({ code: 'value' });
    // Bits 6 to 12 are ignored (RFC 2784 §2.3).
    expect(decodeGre(hex('03f80800'))).toMatchObject({ protocol: 0x0800 });
    expect(decodeGre(hex('00010800'))).toMatchObject({ code: 'version' });
    const whole = encodeGre({ protocol: 0x0800, checksum: true, key: 1, sequence: 2, payload: hex('') });
    for (let length = 0; length < whole.length; length++)
      expect(decodeGre(whole.subarray(0, length))).toMatchObject({ code: 'truncated' });
    expect(decodeGre(changed(whole, 15, 3))).toMatchObject({ code: 'checksum', offset: 4 });
  });

  test('ESP: an SPI of zero, and short headers', () => {
    expect(decodeEsp(hex('0000000000000001'))).toMatchObject({ code: 'value' });
    for (let length = 0; length < 8; length++)
      expect(isWireError(decodeEsp(new Uint8Array(length).fill(1)))).toBe(true);
  });
});

test('UDP port 4500 tells IKE, ESP and keepalives apart (RFC 3948 §2)', () => {
  expect(decodeNatt(hex('ff'))).toEqual({ kind: 'keepalive' });
  expect(decodeNatt(hex('00000000 0102'))).toEqual({ kind: 'ike', message: hex('0102') });
  expect(decodeNatt(hex('00000001 0102'))).toEqual({ kind: 'esp', packet: hex('000000010102') });
  expect(decodeNatt(hex('ffff'))).toMatchObject({ code: 'truncated' });
  expect(decodeNatt(hex(''))).toMatchObject({ code: 'truncated' });
});

describe('round trips', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const payload = fc.uint8Array({ maxLength: 60 });
  const u16 = fc.nat(0xffff);
  const packets: fc.Arbitrary<IpPacket> = fc.oneof(
    fc.record({
      version: fc.constant(4 as const),
      tos: fc.nat(255),
      identification: u16,
      dontFragment: fc.boolean(),
      moreFragments: fc.boolean(),
      fragmentOffset: fc.nat(0x1fff).map((units) => units * 8),
      ttl: fc.nat(255),
      protocol: fc.nat(255),
      source: bytes(4),
      destination: bytes(4),
      options: fc.nat(10).chain((words) => bytes(words * 4)),
      payload,
    }),
    fc.record({
      version: fc.constant(6 as const),
      trafficClass: fc.nat(255),
      flowLabel: fc.nat(0xfffff),
      protocol: fc.nat(255),
      hopLimit: fc.nat(255),
      source: bytes(16),
      destination: bytes(16),
      payload,
    }),
  );
  test('IP', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        expect(decodeIp(encodeIp(packet))).toEqual(packet);
      }),
    );
  });

  const datagrams: fc.Arbitrary<Udp> = fc.record({ sourcePort: u16, destinationPort: u16, payload });
  test('UDP', () => {
    fc.assert(
      fc.property(datagrams, (udp) => {
        expect(decodeUdp(ONE, TWO, encodeUdp(ONE, TWO, udp))).toEqual(udp);
      }),
    );
  });

  const maybe = fc.option(fc.nat(0xffffffff), { nil: undefined });
  const gres: fc.Arbitrary<Gre> = fc.record({
    protocol: u16,
    checksum: fc.boolean(),
    key: maybe,
    sequence: maybe,
    payload,
  });
  test('GRE', () => {
    fc.assert(
      fc.property(gres, (gre) => {
        expect(decodeGre(encodeGre(gre))).toEqual(gre);
      }),
    );
  });

  test('any bytes are read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (input) => {
        decodeIp(input);
        decodeUdp(ONE, TWO, input);
        decodeIcmp(ONE, TWO, input);
        decodeGre(input);
        decodeEsp(input);
        decodeNatt(input);
      }),
      { numRuns: 2000 },
    );
  });

  test('misuse throws', () => {
    const v4: Ipv4 = {
      version: 4,
      tos: 0,
      identification: 0,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol: 1,
      source: hex('0a000001'),
      destination: hex('0a000002'),
      options: hex(''),
      payload: hex(''),
    };
    expect(encodeIp(v4)).toHaveLength(20);
    expect(() => encodeIp({ ...v4, options: hex('010203') })).toThrow(RangeError);
    expect(() => encodeIp({ ...v4, options: new Uint8Array(44) })).toThrow(RangeError);
    expect(() => encodeIp({ ...v4, fragmentOffset: 4 })).toThrow(RangeError);
    expect(() => encodeIp({ ...v4, payload: new Uint8Array(65516) })).toThrow(RangeError);
    expect(() => encodeIp({ ...v4, source: ONE })).toThrow(RangeError);
    expect(() => encodeUdp(ONE, TWO, { sourcePort: 1, destinationPort: 2, payload: new Uint8Array(65528) })).toThrow();
  });
});
