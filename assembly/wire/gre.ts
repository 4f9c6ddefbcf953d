// The GRE header (RFC 2784 §2, RFC 2890 §2).
//
//   |C| |K|S| Reserved0       | Ver |         Protocol Type         |
//   |      Checksum (optional)      |       Reserved1 (Optional)    |
//   |                         Key (optional)                        |
//   |                 Sequence Number (optional)                    |
import { GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE } from '../layout';
import { finish, fold, sum } from './checksum';

export const GRE_HEADER: u32 = 4;
/** Bits 1, 4 and 5: must be zero from a sender that is not of RFC 1701 (RFC 2784 §2.3; bits 2 and 3 are RFC 2890's). */
const RESERVED: u32 = 0x4c00;
const VERSION: u32 = 0x0007;

export const ETHERTYPE_IP4: u32 = 0x0800;
export const ETHERTYPE_IP6: u32 = 0x86dd;

/** Length of a header with these flags. */
@inline
export function greLength(flags: u32): u32 {
  return GRE_HEADER + ((flags & GRE_CHECKSUM) >>> 13) + ((flags & GRE_KEY) >>> 11) + ((flags & GRE_SEQUENCE) >>> 10);
}

/** Writes a header at p, the checksum still zero; its payload follows. */
export function writeGre(p: usize, flags: u32, key: u32, sequence: u32, etherType: u32): void {
  store<u32>(p, bswap<u32>((flags << 16) | etherType));
  p += GRE_HEADER;
  if (flags & GRE_CHECKSUM) {
    store<u32>(p, 0);
    p += 4;
  }
  if (flags & GRE_KEY) {
    store<u32>(p, bswap<u32>(key));
    p += 4;
  }
  if (flags & GRE_SEQUENCE) store<u32>(p, bswap<u32>(sequence));
}

/** Fills in the checksum of header and payload, `n` bytes together (RFC 2784 §2.5). */
export function checksumGre(p: usize, n: u32): void {
  store<u16>(p, finish(sum(p, n)), GRE_HEADER);
}

export const GRE_OK: i32 = 0;
export const GRE_TOO_SHORT: i32 = 1;
export const GRE_BAD_VERSION: i32 = 2;
export const GRE_BAD_RESERVED: i32 = 3;
export const GRE_BAD_CHECKSUM: i32 = 4;

// What the last readGre found.
export let readFlags: u32 = 0;
export let readProtocol: u32 = 0;
export let readKey: u32 = 0;
export let readSequence: u32 = 0;
export let readLength: u32 = 0;

/** Reads and checks the header of the `n` bytes at p; GRE_OK, or what is wrong with it. */
export function readGre(p: usize, n: u32): i32 {
  if (n < GRE_HEADER) return GRE_TOO_SHORT;
  const word = bswap<u32>(load<u32>(p));
  const flags = word >> 16;
  if (flags & VERSION) return GRE_BAD_VERSION;
  if (flags & RESERVED) return GRE_BAD_RESERVED;
  readFlags = flags;
  readProtocol = word & 0xffff;
  readLength = greLength(flags);
  if (n < readLength) return GRE_TOO_SHORT;
  let at = p + GRE_HEADER;
  if (flags & GRE_CHECKSUM) {
    if (fold(sum(p, n)) != 0xffff) return GRE_BAD_CHECKSUM;
    at += 4;
  }
  if (flags & GRE_KEY) {
    readKey = bswap<u32>(load<u32>(at));
    at += 4;
  }
  if (flags & GRE_SEQUENCE) readSequence = bswap<u32>(load<u32>(at));
  return GRE_OK;
}
