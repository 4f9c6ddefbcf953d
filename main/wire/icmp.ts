// ICMP (RFC 792) and ICMPv6 (RFC 4443): echo, and the errors that say why packets do not arrive.
//
// +---------------+---------------+-------------------------------+
// |     Type      |     Code      |           Checksum            |
// +---------------+---------------+-------------------------------+
// |      identifier and sequence number, or MTU, or unused        |
// +---------------------------------------------------------------+
// ~      data, or as much of the packet at fault as fits          ~
// +---------------------------------------------------------------+
import type { Address } from './address.ts';
import { checksum, pseudoHeader } from './checksum.ts';
import { isWireError, WireError } from './error.ts';
import { decode, encode, rest, struct, u8, u16, u32 } from './field.ts';
import { IpProtocol } from './ip.ts';

export type Icmp =
  | {
      readonly kind: 'echo-request' | 'echo-reply';
      readonly identifier: number;
      readonly sequence: number;
      readonly data: Uint8Array;
    }
  /** `mtu` of the next link in bytes; 0 from routers older than RFC 1191. `packet`: the start of the one at fault. */
  | { readonly kind: 'too-big'; readonly mtu: number; readonly packet: Uint8Array }
  /** `code` as in RFC 792 or RFC 4443 §3.1: they differ. */
  | { readonly kind: 'unreachable'; readonly code: number; readonly packet: Uint8Array }
  | { readonly kind: 'time-exceeded'; readonly code: number; readonly packet: Uint8Array }
  | {
      readonly kind: 'other';
      readonly type: number;
      readonly code: number;
      readonly word: number;
      readonly data: Uint8Array;
    };

const CHECKSUM_AT = 2;
const icmp = struct('ICMP header', { type: u8, code: u8, checksum: u16, word: u32, data: rest });

/** Fragmentation needed and DF set (RFC 1191 §4). */
const FRAGMENTATION_NEEDED = 4;
const TYPES = {
  4: { request: 8, reply: 0, unreachable: 3, exceeded: 11 },
  6: { request: 128, reply: 129, unreachable: 1, exceeded: 3, tooBig: 2 },
} as const;

/** The addresses are those of the IP header; their family says which ICMP it is. */
export function decodeIcmp(source: Address, destination: Address, input: Uint8Array): Icmp | WireError {
  const wire = decode(icmp, input);
  if (isWireError(wire)) return wire;
  if (checksum(...covered(source, destination, input)) !== 0)
    return new WireError('checksum', 'ICMP header', CHECKSUM_AT, 'a checksum that verifies');
  const { type, code, word, data } = wire;
  const types = TYPES[source.length === 4 ? 4 : 6];
  switch (type) {
    case types.request:
    case types.reply:
      return {
        kind: type === types.request ? 'echo-request' : 'echo-reply',
        identifier: word >>> 16,
        sequence: word & 0xffff,
        data,
      };
    case types.unreachable:
      return source.length === 4 && code === FRAGMENTATION_NEEDED
        ? { kind: 'too-big', mtu: word & 0xffff, packet: data }
        : { kind: 'unreachable', code, packet: data };
    case types.exceeded:
      return { kind: 'time-exceeded', code, packet: data };
    case TYPES[6].tooBig:
      if (source.length === 16) return { kind: 'too-big', mtu: word, packet: data };
      return { kind: 'other', type, code, word, data };
    default:
      return { kind: 'other', type, code, word, data };
  }
}

export function encodeIcmp(source: Address, destination: Address, message: Icmp): Uint8Array {
  const output = encode(icmp, { ...wireOf(source.length === 4 ? 4 : 6, message), checksum: 0 });
  new DataView(output.buffer).setUint16(CHECKSUM_AT, checksum(...covered(source, destination, output)));
  return output;
}

function wireOf(version: 4 | 6, message: Icmp): { type: number; code: number; word: number; data: Uint8Array } {
  const types = TYPES[version];
  switch (message.kind) {
    case 'echo-request':
    case 'echo-reply': {
      const { identifier, sequence, data } = message;
      if (identifier > 0xffff || sequence > 0xffff) throw new RangeError('an echo has 16-bit numbers');
      const type = message.kind === 'echo-request' ? types.request : types.reply;
      return { type, code: 0, word: identifier * 0x10000 + sequence, data };
    }
    case 'too-big':
      if (version === 6) return { type: TYPES[6].tooBig, code: 0, word: message.mtu, data: message.packet };
      if (message.mtu > 0xffff) throw new RangeError('the MTU of an IPv4 link has 16 bits here');
      return { type: types.unreachable, code: FRAGMENTATION_NEEDED, word: message.mtu, data: message.packet };
    case 'unreachable':
      return { type: types.unreachable, code: message.code, word: 0, data: message.packet };
    case 'time-exceeded':
      return { type: types.exceeded, code: message.code, word: 0, data: message.packet };
    case 'other':
      return message;
  }
}

/** ICMPv6 has a pseudo-header under its checksum (RFC 4443 §2.3), ICMP has not. */
const covered = (source: Address, destination: Address, message: Uint8Array): Uint8Array[] =>
  source.length === 4 ? [message] : [pseudoHeader(source, destination, IpProtocol.ICMPV6, message.length), message];
