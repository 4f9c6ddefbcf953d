// Where the fields of an IPv6 header lie, and a bounded walk over its extension headers (RFC 8200 §3, §4).
//
//   |Version| Traffic Class |           Flow Label                  |
//   |         Payload Length        |  Next Header  |   Hop Limit   |
//   |                 Source Address (16 bytes)                     |
//   |               Destination Address (16 bytes)                  |
import { PROTOCOL_AH, PROTOCOL_FRAGMENT, PROTOCOL_HOP_BY_HOP, PROTOCOL_OPTIONS, PROTOCOL_ROUTING } from './protocol';

export const IP6_PAYLOAD: usize = 4;
export const IP6_NEXT: usize = 6;
export const IP6_HOPS: usize = 7;
export const IP6_SOURCE: usize = 8;
export const IP6_TARGET: usize = 24;
export const IP6_HEADER: u32 = 40;

const MOST_HEADERS: i32 = 8;

@inline
export function ip6Payload(p: usize): u32 {
  return bswap<u16>(load<u16>(p, IP6_PAYLOAD));
}

/** Is `n` bytes at p an IPv6 header whose payload is there? Jumbograms are not. */
export function ip6Valid(p: usize, n: u32): bool {
  return n >= IP6_HEADER && load<u8>(p) >> 4 == 6 && IP6_HEADER + ip6Payload(p) <= n;
}

@inline
export function ip6TrafficClass(p: usize): u32 {
  return ((<u32>load<u8>(p) << 4) | (<u32>load<u8>(p, 1) >> 4)) & 0xff;
}

// What the last walk found. `walkKnown` is false where the chain is cut short, too long, or a fragment other than the
// first hides what follows.
/** Protocol behind the extension headers. */
export let walkProtocol: u32 = 0;
/** Its offset from the start of the IPv6 header. */
export let walkOffset: u32 = 0;
export let walkKnown: bool = false;
/** Offset of the fragment header, or 0. */
export let walkFragment: u32 = 0;

/** Walks the extension headers of the packet at p, `total` bytes long with its IPv6 header. */
export function walk(p: usize, total: u32): void {
  let next: u32 = load<u8>(p, IP6_NEXT);
  let at = IP6_HEADER;
  walkFragment = 0;
  walkKnown = false;
  for (let i = 0; i < MOST_HEADERS; i++) {
    walkProtocol = next;
    walkOffset = at;
    let length: u32 = 8;
    if (next == PROTOCOL_HOP_BY_HOP || next == PROTOCOL_OPTIONS || next == PROTOCOL_ROUTING) {
      if (at + 8 > total) return;
      length = (<u32>load<u8>(p + at, 1) + 1) << 3;
    } else if (next == PROTOCOL_AH) {
      if (at + 8 > total) return;
      length = (<u32>load<u8>(p + at, 1) + 2) << 2; // RFC 4302 §2.2
    } else if (next == PROTOCOL_FRAGMENT) {
      if (at + 8 > total || walkFragment) return;
      walkFragment = at;
      if (ip6FragmentOffset(p + at)) {
        // RFC 8200 §4.5: of a later fragment only the next header of the first header behind it is known.
        walkProtocol = load<u8>(p + at);
        walkOffset = at + 8;
        return;
      }
    } else {
      walkKnown = true;
      return;
    }
    next = load<u8>(p + at);
    at += length;
    if (at > total) return;
  }
}

// The fragment header (RFC 8200 §4.5): { next, 0, offset (13 bits), 0 (2 bits), M, identification (4 bytes) }.

/** In bytes. */
@inline
export function ip6FragmentOffset(f: usize): u32 {
  return <u32>bswap<u16>(load<u16>(f, 2)) & 0xfff8;
}

@inline
export function ip6FragmentMore(f: usize): bool {
  return (load<u8>(f, 3) & 1) != 0;
}
