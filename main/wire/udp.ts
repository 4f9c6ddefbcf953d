// UDP (RFC 768), and what shares UDP port 4500 (RFC 3948 §2).
//
// +-------------------------------+-------------------------------+
// |          Source Port          |       Destination Port        |
// +-------------------------------+-------------------------------+
// |             Length            |           Checksum            |
// +-------------------------------+-------------------------------+
import type { Address } from './address.ts';
import { checksum, pseudoHeader } from './checksum.ts';
import { isWireError, WireError } from './error.ts';
import { bytes, dependent, derived, encode, impossible, struct, u16 } from './field.ts';
import { IpProtocol } from './ip.ts';
import { Reader } from './reader.ts';

export interface Udp {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 8;
const CHECKSUM_AT = 6;

const udp = struct('UDP header', {
  sourcePort: u16,
  destinationPort: u16,
  length: derived(u16, (whole: { payload: Uint8Array }) => HEADER_BYTES + whole.payload.length),
  checksum: u16,
  payload: dependent((number) =>
    number('length') < HEADER_BYTES
      ? impossible('length', 'a length of 8 or more')
      : bytes(number('length') - HEADER_BYTES),
  ),
});

/** The addresses are those of the IP header. A checksum of zero is none (RFC 768; RFC 3948 §2.1 asks that it be taken). */
export function decodeUdp(source: Address, destination: Address, input: Uint8Array): Udp | WireError {
  const wire = udp.decode(new Reader(input, 'UDP header'));
  if (isWireError(wire)) return wire;
  const { checksum: sent, ...datagram } = wire;
  const length = HEADER_BYTES + wire.payload.length;
  const sum = checksum(pseudoHeader(source, destination, IpProtocol.UDP, length), input.subarray(0, length));
  if (sent !== 0 && sum !== 0) return new WireError('checksum', 'UDP header', CHECKSUM_AT, 'a checksum that verifies');
  return datagram;
}

export function encodeUdp(source: Address, destination: Address, datagram: Udp): Uint8Array {
  const output = encode(udp, { ...datagram, checksum: 0 });
  const sum = checksum(pseudoHeader(source, destination, IpProtocol.UDP, output.length), output);
  // A sum of zero is sent as its other form, since zero says "none".
  new DataView(output.buffer).setUint16(CHECKSUM_AT, sum === 0 ? 0xffff : sum);
  return output;
}

/** What a datagram on port 4500 holds: four zero bytes mark IKE, a lone 0xff is a keepalive (RFC 3948 §2.2, §2.3). */
export type NattDatagram =
  | { readonly kind: 'ike'; readonly message: Uint8Array }
  | { readonly kind: 'esp'; readonly packet: Uint8Array }
  | { readonly kind: 'keepalive' };

export function decodeNatt(payload: Uint8Array): NattDatagram | WireError {
  if (payload.length === 1 && payload[0] === 0xff) return { kind: 'keepalive' };
  if (payload.length < 4) return new WireError('truncated', 'UDP encapsulation', payload.length, 'a marker or an SPI');
  return payload.subarray(0, 4).every((byte) => byte === 0)
    ? { kind: 'ike', message: payload.subarray(4) }
    : { kind: 'esp', packet: payload };
}
