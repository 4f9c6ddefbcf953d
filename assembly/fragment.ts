// Cuts an IPv4 packet without DF that is too long for the tunnel, before it is encapsulated (RFC 791 §3.2), so that the
// far end reassembles nothing but what the inner destination would anyway.
import { COUNTER_OUT_FRAGMENTS } from './layout';
import { add } from './counter';
import { encapsulate } from './encapsulate';
import { flowTos } from './flow';
import { carve } from './region';
import { IP4_FRAGMENT, IP4_HEADER, IP4_MF, IP4_OFFSET, IP4_TOTAL, ip4Checksum, ip4Fragment, ip4HeaderLength } from './wire/ip4';

let header: usize = 0;

export function initialiseFragmentation(): void {
  header = carve(64);
}

/** Payload bytes of every fragment but the last. */
@inline
function chunk(headerLength: u32, mtu: u32): u32 {
  return (mtu - headerLength) & ~7;
}

/** How many fragments a packet of `total` bytes with the header at p becomes. */
export function fragmentCount(p: usize, total: u32, mtu: u32): u32 {
  const headerLength = ip4HeaderLength(p);
  const each = chunk(headerLength, mtu);
  return (total - headerLength + each - 1) / each;
}

/** The header for later fragments: only options whose copied flag is set (RFC 791 §3.1). Returns its length. */
function laterHeader(p: usize, headerLength: u32): u32 {
  memory.copy(header, p, IP4_HEADER);
  let to = IP4_HEADER;
  let at = IP4_HEADER;
  while (at < headerLength) {
    const kind: u32 = load<u8>(p + at);
    if (kind == 0) break;
    if (kind == 1) {
      at++;
      continue;
    }
    if (at + 2 > headerLength) break;
    const length: u32 = load<u8>(p + at, 1);
    if (length < 2 || at + length > headerLength) break;
    if (kind & 0x80) {
      memory.copy(header + to, p + at, length);
      to += length;
    }
    at += length;
  }
  while (to & 3) store<u8>(header + to++, 0);
  store<u8>(header, <u8>(0x40 | (to >> 2)));
  return to;
}

/** Encapsulates the packet of `total` bytes at p, of the flow last read, in fragments of at most `mtu` bytes. */
export function encapsulateFragments(tunnel: u32, slot: u32, p: usize, total: u32, mtu: u32): void {
  const fullLength = ip4HeaderLength(p);
  const each = chunk(fullLength, mtu);
  const whole = total - fullLength;
  // The packet may be a fragment itself: offsets add up, and MF stays on its last piece.
  const fragment = ip4Fragment(p);
  const base = fragment & IP4_OFFSET;
  let headerLength = fullLength;
  memory.copy(header, p, fullLength);
  let made: u32 = 0;
  for (let at: u32 = 0; at < whole; at += each, made++) {
    const n = min(each, whole - at);
    if (made == 1) headerLength = laterHeader(p, fullLength);
    const more = at + n < whole || (fragment & IP4_MF) != 0;
    store<u16>(header, bswap<u16>(<u16>(headerLength + n)), IP4_TOTAL);
    store<u16>(header, bswap<u16>(<u16>((base + (at >> 3)) | (more ? IP4_MF : 0))), IP4_FRAGMENT);
    ip4Checksum(header, headerLength);
    encapsulate(tunnel, slot, header, headerLength, p + fullLength + at, n, flowTos, false);
  }
  add(COUNTER_OUT_FRAGMENTS, made);
}
