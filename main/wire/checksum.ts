// The Internet checksum (RFC 1071) of control-plane packets, and the pseudo-headers of UDP and ICMPv6. The packet path has
// its own in assembly/.
import type { Address } from './address.ts';

/** Sum of big-endian 16-bit words, an odd last byte padded with zero; not folded. Stays exact below 2^53. */
function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
  return total;
}

/** The checksum of pieces one after another, each but the last of even length: 0 where one inside them is right. */
export function checksum(...pieces: readonly Uint8Array[]): number {
  let total = pieces.reduce((before, piece) => before + sum(piece), 0);
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000);
  return 0xffff - total;
}

/** What UDP (RFC 768, RFC 8200 §8.1) and ICMPv6 (RFC 4443 §2.3) put in front; `length` of header and payload in bytes. */
export function pseudoHeader(source: Address, destination: Address, protocol: number, length: number): Uint8Array {
  const bytes = new Uint8Array(source.length + destination.length + 8);
  bytes.set(source);
  bytes.set(destination, source.length);
  const view = new DataView(bytes.buffer, source.length + destination.length);
  view.setUint32(0, length);
  view.setUint32(4, protocol);
  return bytes;
}
