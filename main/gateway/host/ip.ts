// IP packets of the in-memory host: IPv4 (RFC 791) and IPv6 without extension headers (RFC 8200). The host never makes
// fragments (its packets fit its MTU and say DF) and takes none.
import type { Address } from '../../wire/address.ts';
import { WireError } from '../../wire/error.ts';
import { finishChecksum, sumWords } from './checksum.ts';

export const ICMP = 1;
export const TCP = 6;
export const ICMPV6 = 58;

const HEADER4 = 20;
const HEADER6 = 40;
const DF = 0x4000;

export interface IpPacket {
  readonly source: Address;
  /** Of the same family as `source`. */
  readonly destination: Address;
  readonly protocol: number;
  readonly ttl: number;
  readonly payload: Uint8Array;
}

/** Views of `bytes`, not copies. Bytes behind the length that the header gives are ignored (link padding). */
export function decodeIp(bytes: Uint8Array): IpPacket | WireError {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return decode4(bytes);
  if (version === 6) return decode6(bytes);
  return bytes.length === 0
    ? new WireError('truncated', 'IP header', 0, 'a packet')
    : new WireError('version', 'IP header', 0, 'version 4 or 6');
}

function decode4(bytes: Uint8Array): IpPacket | WireError {
  if (bytes.length < HEADER4) return new WireError('truncated', 'IPv4 header', bytes.length, '20 bytes');
  const headerLength = (bytes[0]! & 15) * 4;
  if (headerLength < HEADER4) return new WireError('length', 'IPv4 header', 0, 'a header of 20 bytes or more');
  const total = bytes[2]! * 256 + bytes[3]!;
  if (total < headerLength) return new WireError('length', 'IPv4 header', 2, 'a total length that holds the header');
  if (total > bytes.length) return new WireError('truncated', 'IPv4 packet', bytes.length, `${total} bytes`);
  if (finishChecksum(sumWords(bytes.subarray(0, headerLength))) !== 0)
    return new WireError('checksum', 'IPv4 header', 10, 'a header checksum that verifies');
  // More fragments, or an offset: everything of this word but DF and the reserved bit.
  if (((bytes[6]! * 256 + bytes[7]!) & 0x3fff) !== 0)
    return new WireError('value', 'IPv4 header', 6, 'a whole packet, not a fragment');
  return {
    source: bytes.subarray(12, 16),
    destination: bytes.subarray(16, 20),
    protocol: bytes[9]!,
    ttl: bytes[8]!,
    payload: bytes.subarray(headerLength, total),
  };
}

function decode6(bytes: Uint8Array): IpPacket | WireError {
  if (bytes.length < HEADER6) return new WireError('truncated', 'IPv6 header', bytes.length, '40 bytes');
  const length = bytes[4]! * 256 + bytes[5]!;
  if (HEADER6 + length > bytes.length)
    return new WireError('truncated', 'IPv6 packet', bytes.length, `${HEADER6 + length} bytes`);
  return {
    source: bytes.subarray(8, 24),
    destination: bytes.subarray(24, 40),
    protocol: bytes[6]!,
    ttl: bytes[7]!,
    payload: bytes.subarray(HEADER6, HEADER6 + length),
  };
}

/** Writes header and payload at the start of `out`, every byte of it, and returns how many bytes that is. */
export function encodeIp(packet: IpPacket, out: Uint8Array): number {
  const { source, destination, payload } = packet;
  if (source.length !== destination.length) throw new TypeError('source and destination are of different families');
  const header = source.length === 4 ? HEADER4 : HEADER6;
  const total = header + payload.length;
  if (total > out.length || payload.length > 65_535 - (header === HEADER4 ? HEADER4 : 0))
    throw new RangeError(`${total} bytes of packet do not fit`);
  out.set(payload, header);
  if (header === HEADER4) {
    out[0] = 0x45;
    out[1] = 0;
    put16(out, 2, total);
    // An atomic datagram's identification means nothing (RFC 6864 §4.1).
    put16(out, 4, 0);
    put16(out, 6, DF);
    out[8] = packet.ttl;
    out[9] = packet.protocol;
    put16(out, 10, 0);
    out.set(source, 12);
    out.set(destination, 16);
    put16(out, 10, finishChecksum(sumWords(out.subarray(0, HEADER4))));
  } else {
    out[0] = 0x60;
    out.fill(0, 1, 4);
    put16(out, 4, payload.length);
    out[6] = packet.protocol;
    out[7] = packet.ttl;
    out.set(source, 8);
    out.set(destination, 24);
  }
  return total;
}

function put16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 8;
  bytes[offset + 1] = value & 255;
}
