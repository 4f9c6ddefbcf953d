// Where the fields of an IPv4 header lie (RFC 791 §3.1).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   |Version|  IHL  |Type of Service|          Total Length         |
//   |         Identification        |0|D|M|    Fragment Offset      |
//   |  Time to Live |    Protocol   |        Header Checksum        |
//   |                         Source Address                        |
//   |                      Destination Address                      |
//   |                    Options                    |    Padding    |
import { finish, sum } from './checksum';

export const IP4_TOS: usize = 1;
export const IP4_TOTAL: usize = 2;
export const IP4_ID: usize = 4;
export const IP4_FRAGMENT: usize = 6;
export const IP4_TTL: usize = 8;
export const IP4_PROTOCOL: usize = 9;
export const IP4_CHECKSUM: usize = 10;
export const IP4_SOURCE: usize = 12;
export const IP4_TARGET: usize = 16;
export const IP4_HEADER: u32 = 20;

export const IP4_DF: u32 = 0x4000;
export const IP4_MF: u32 = 0x2000;
export const IP4_OFFSET: u32 = 0x1fff;

/** Header length in bytes, as IHL says. */
@inline
export function ip4HeaderLength(p: usize): u32 {
  return (<u32>load<u8>(p) & 15) << 2;
}

/** Flags and fragment offset (in units of 8 bytes), as one number. */
@inline
export function ip4Fragment(p: usize): u32 {
  return bswap<u16>(load<u16>(p, IP4_FRAGMENT));
}

@inline
export function ip4Total(p: usize): u32 {
  return bswap<u16>(load<u16>(p, IP4_TOTAL));
}

export function ip4Checksum(p: usize, headerLength: u32): void {
  store<u16>(p, 0, IP4_CHECKSUM);
  store<u16>(p, finish(sum(p, headerLength)), IP4_CHECKSUM);
}

/** Is `n` bytes at p an IPv4 header with lengths that agree? */
export function ip4Valid(p: usize, n: u32): bool {
  if (n < IP4_HEADER || load<u8>(p) >> 4 != 4) return false;
  const header = ip4HeaderLength(p);
  const total = ip4Total(p);
  return header >= IP4_HEADER && header <= total && total <= n;
}
