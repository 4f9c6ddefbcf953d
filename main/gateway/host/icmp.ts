// ICMP echo (RFC 792; RFC 4443 §4 for IPv6), the only ICMP messages that the in-memory host speaks.
import type { Address } from '../../wire/address.ts';
import { WireError } from '../../wire/error.ts';
import { finishChecksum, pseudoHeaderSum, sumWords } from './checksum.ts';
import { ICMPV6 } from './ip.ts';

export interface Echo {
  readonly kind: 'request' | 'reply';
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

const HEADER = 8;
const TYPES = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;

/** undefined: a sound ICMP message that is not an echo. The addresses are those of the IP packet around it. */
export function decodeEcho(source: Address, destination: Address, bytes: Uint8Array): Echo | undefined | WireError {
  if (bytes.length < HEADER) return new WireError('truncated', 'ICMP', bytes.length, '8 bytes');
  if (finishChecksum(sumWords(bytes, baseSum(source, destination, bytes.length))) !== 0)
    return new WireError('checksum', 'ICMP', 2, 'a checksum that verifies');
  const types = TYPES[source.length === 4 ? 4 : 6];
  const kind = bytes[0] === types.request ? 'request' : bytes[0] === types.reply ? 'reply' : undefined;
  if (!kind || bytes[1] !== 0) return undefined;
  return {
    kind,
    identifier: bytes[4]! * 256 + bytes[5]!,
    sequence: bytes[6]! * 256 + bytes[7]!,
    data: bytes.subarray(HEADER),
  };
}

export function encodeEcho(source: Address, destination: Address, echo: Echo): Uint8Array {
  const bytes = new Uint8Array(HEADER + echo.data.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = TYPES[source.length === 4 ? 4 : 6][echo.kind];
  view.setUint16(4, echo.identifier);
  view.setUint16(6, echo.sequence);
  bytes.set(echo.data, HEADER);
  view.setUint16(2, finishChecksum(sumWords(bytes, baseSum(source, destination, bytes.length))));
  return bytes;
}

/** ICMPv6 covers a pseudo-header (RFC 4443 §2.3), ICMP for IPv4 does not. */
function baseSum(source: Address, destination: Address, length: number): number {
  return source.length === 4 ? 0 : pseudoHeaderSum(source, destination, ICMPV6, length);
}
