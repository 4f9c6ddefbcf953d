// The Internet checksum (RFC 1071) and the pseudo-headers that TCP and ICMPv6 put under it.
import type { Address } from '../../wire/address.ts';

/** Sum of big-endian 16-bit words, an odd last byte padded with zero, added to `sum`; not yet folded. */
export function sumWords(bytes: Uint8Array, sum = 0): number {
  const even = bytes.length & ~1;
  let total = sum;
  // 2^32 words of 2^16 stay below 2^53: no carry is lost in a packet.
  for (let i = 0; i < even; i += 2) total += bytes[i]! * 256 + bytes[i + 1]!;
  if (even < bytes.length) total += bytes[even]! * 256;
  return total;
}

/** One's complement of the folded sum: what goes into the header; 0 where the header's own checksum is summed and right. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return 0xffff - folded;
}

/** RFC 9293 §3.1 for IPv4, RFC 8200 §8.1 for IPv6: both sums are the same function of addresses, protocol and length. */
export function pseudoHeaderSum(source: Address, destination: Address, protocol: number, length: number): number {
  return sumWords(destination, sumWords(source)) + protocol + Math.floor(length / 0x10000) + (length % 0x10000);
}
