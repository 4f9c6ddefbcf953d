// IPv4 (RFC 791) and IPv6 (RFC 8200) headers of the control plane: diagnosis and tests. Extension headers are not walked:
// they are the start of the payload, and `protocol` names the first.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-------+-------+---------------+-------------------------------+
// |Version|  IHL  |Type of Service|          Total Length         |
// +-------+-------+---------------+-----+-------------------------+
// |         Identification        |Flags|      Fragment Offset    |
// +---------------+---------------+-----+-------------------------+
// |  Time to Live |    Protocol   |         Header Checksum       |
// +---------------+---------------+-------------------------------+
// |                       Source Address                          |
// |                    Destination Address                        |
// ~                    Options, padded to 32 bits                 ~
// +---------------------------------------------------------------+
//
// +-------+---------------+---------------------------------------+
// |Version| Traffic Class |           Flow Label                  |
// +-------+---------------+-------+---------------+---------------+
// |         Payload Length        |  Next Header  |   Hop Limit   |
// +-------------------------------+---------------+---------------+
// ~                  Source Address, Destination Address          ~
// +---------------------------------------------------------------+
import type { Address } from './address.ts';
import { checksum } from './checksum.ts';
import { isWireError, WireError } from './error.ts';
import { bytes, dependent, derived, encode, type Field, impossible, struct, u8, u16, u32 } from './field.ts';
import { Reader } from './reader.ts';

/** IANA protocol numbers that this house meets. */
export const IpProtocol = { ICMP: 1, TCP: 6, UDP: 17, GRE: 47, ESP: 50, ICMPV6: 58, NONE: 59 } as const;

export interface Ipv4 {
  readonly version: 4;
  readonly tos: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  /** A multiple of 4 bytes, at most 40. */
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

export interface Ipv6 {
  readonly version: 6;
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly protocol: number;
  readonly hopLimit: number;
  readonly source: Address;
  readonly destination: Address;
  readonly payload: Uint8Array;
}

export type IpPacket = Ipv4 | Ipv6;

const DF = 0x4000;
const MF = 0x2000;
const CHECKSUM_AT = 10;

interface WireV4 {
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

const headerBytes = (head: number): number => (head & 15) * 4;

/** A view that may not be shorter than nothing. */
const counted = (count: number, what: string): Field<Uint8Array> =>
  count < 0 ? impossible('length', `${what}, ${-count} bytes more`) : bytes(count);

const ipv4 = struct('IPv4 header', {
  head: derived(u8, (whole: WireV4) => 0x40 | (5 + whole.options.length / 4)),
  tos: u8,
  total: derived(u16, (whole: WireV4) => 20 + whole.options.length + whole.payload.length),
  identification: u16,
  fragment: u16,
  ttl: u8,
  protocol: u8,
  checksum: u16,
  source: bytes(4),
  destination: bytes(4),
  options: dependent((number) => counted(headerBytes(number('head')) - 20, 'a header of 20 bytes')),
  payload: dependent((number) => counted(number('total') - headerBytes(number('head')), 'a total with its header')),
});

const ipv6 = struct('IPv6 header', {
  head: u32,
  length: derived(u16, (whole: { payload: Uint8Array }) => whole.payload.length),
  protocol: u8,
  hopLimit: u8,
  source: bytes(16),
  destination: bytes(16),
  payload: dependent((number) => bytes(number('length'))),
});

/** Fields are views of `input`. Bytes behind the packet's own length are ignored: links pad. */
export function decodeIp(input: Uint8Array): IpPacket | WireError {
  switch ((input[0] ?? 0x40) >> 4) {
    case 4:
      return decode4(input);
    case 6:
      return decode6(input);
    default:
      return new WireError('version', 'IP header', 0, 'version 4 or 6');
  }
}

function decode4(input: Uint8Array): Ipv4 | WireError {
  const wire = ipv4.decode(new Reader(input, 'IPv4 header'));
  if (isWireError(wire)) return wire;
  if (checksum(input.subarray(0, 20 + wire.options.length)) !== 0)
    return new WireError('checksum', 'IPv4 header', CHECKSUM_AT, 'a header checksum that verifies');
  const { fragment, checksum: _, ...others } = wire;
  return {
    version: 4,
    ...others,
    dontFragment: (fragment & DF) !== 0,
    moreFragments: (fragment & MF) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
  };
}

function decode6(input: Uint8Array): Ipv6 | WireError {
  const wire = ipv6.decode(new Reader(input, 'IPv6 header'));
  if (isWireError(wire)) return wire;
  const { head, ...others } = wire;
  return { version: 6, trafficClass: (head >>> 20) & 0xff, flowLabel: head & 0xfffff, ...others };
}

/** Lengths and checksum are computed. Values that do not fit throw. */
export function encodeIp(packet: IpPacket): Uint8Array {
  if (packet.version === 6) {
    const { trafficClass, flowLabel } = packet;
    if (trafficClass > 0xff || flowLabel > 0xfffff)
      throw new RangeError('the traffic class or flow label does not fit');
    return encode(ipv6, { ...packet, head: 0x60000000 + trafficClass * 0x100000 + flowLabel });
  }
  const { options, fragmentOffset } = packet;
  if (options.length % 4 || options.length > 40) throw new RangeError('IPv4 options are at most ten 32-bit words');
  if (fragmentOffset % 8 || fragmentOffset > 0xfff8)
    throw new RangeError('a fragment offset is 13 bits of 8 bytes each');
  const fragment = (packet.dontFragment ? DF : 0) | (packet.moreFragments ? MF : 0) | (fragmentOffset / 8);
  const output = encode(ipv4, { ...packet, fragment, checksum: 0 });
  new DataView(output.buffer).setUint16(CHECKSUM_AT, checksum(output.subarray(0, 20 + options.length)));
  return output;
}
