// The ICMP error that tells a sender on our side its packet does not fit: "fragmentation needed" with the next-hop MTU
// (RFC 792, RFC 1191 §4) or "packet too big" (RFC 4443 §3.2). It goes back into the TUN as if the far end had sent it: an
// address of ours as its source would be refused by the host's own stack as a martian.
//
//   |     Type      |     Code      |          Checksum             |
//   | IPv4: unused (16), next-hop MTU (16)   IPv6: MTU (32)          |
//   | as much of the packet as allowed                              |
import {
  flowFamily,
  flowHasTransport,
  flowProtocol,
  flowSourceHigh,
  flowSourceLow,
  flowTargetHigh,
  flowTargetLow,
  flowTotal,
  flowTransport,
} from './flow';
import { addSide, sideCount } from './output';
import { carve } from './region';
import { prependTunHeader, tunHeaderBytes } from './vnet';
import { finish, sum } from './wire/checksum';
import { IP4_CHECKSUM, IP4_HEADER, IP4_ID, IP4_PROTOCOL, IP4_SOURCE, IP4_TARGET, IP4_TOTAL, IP4_TTL, ip4Checksum } from './wire/ip4';
import { IP6_HEADER, IP6_HOPS, IP6_NEXT, IP6_PAYLOAD, IP6_SOURCE, IP6_TARGET } from './wire/ip6';
import { PROTOCOL_ICMP, PROTOCOL_ICMP6 } from './wire/protocol';

const ICMP_HEADER: u32 = 8;
const TTL: u32 = 64;
/** RFC 1812 §4.3.2.3: the whole error at most 576 bytes. RFC 4443 §3.2: at most the IPv6 minimum MTU. */
const MOST4: u32 = 576;
const MOST6: u32 = 1280;

const SLOTS: u32 = 32;
const SLOT_BYTES: u32 = 1344;
const HEADROOM: u32 = 16;

/** RFC 4443 §2.4(f): errors are limited by a token bucket; one token a millisecond. */
const TOKENS: f64 = 64;
let tokens: f64 = TOKENS;
let filled: f64 = 0;

let buffers: usize = 0;

export function initialiseTooBig(): void {
  buffers = carve(SLOTS * SLOT_BYTES);
}

function spend(now: f64): bool {
  if (now > filled) {
    tokens = min(TOKENS, tokens + (now - filled));
    filled = now;
  }
  if (tokens < 1) return false;
  tokens -= 1;
  return true;
}

/** RFC 1122 §3.2.2, RFC 4443 §2.4(e): never about an ICMP error, a later fragment, a group or a sender without an address. */
function mayAnswer(p: usize): bool {
  if (!flowHasTransport) return false;
  if (flowFamily == 4) {
    if (flowTargetLow >= 0xe0000000) return false; // multicast, reserved, broadcast
    if (flowSourceLow >= 0xe0000000 || flowSourceLow >> 24 == 0 || flowSourceLow >> 24 == 127) return false;
  } else {
    if (flowTargetHigh >> 56 == 0xff || flowSourceHigh >> 56 == 0xff) return false;
    if (flowSourceHigh == 0 && flowSourceLow <= 1) return false; // unspecified, loopback
  }
  if (flowProtocol == PROTOCOL_ICMP) {
    if (flowTransport >= flowTotal) return false;
    const type: u32 = load<u8>(p + flowTransport);
    // Only queries and their answers may be answered; errors and unknown types not.
    return type == 0 || type == 8 || (type >= 13 && type <= 18);
  }
  // ICMPv6 errors have types below 128 (RFC 4443 §2.1).
  if (flowProtocol == PROTOCOL_ICMP6) return flowTransport < flowTotal && load<u8>(p + flowTransport) >= 128;
  return true;
}

/** Answers the packet of the last readFlow, at p, which is longer than `mtu`. */
export function answerTooBig(p: usize, mtu: u32, now: f64): void {
  if (sideCount >= SLOTS || !mayAnswer(p) || !spend(now)) return;
  const at = buffers + sideCount * SLOT_BYTES + HEADROOM;
  const length = flowFamily == 4 ? write4(at, p, mtu) : write6(at, p, mtu);
  addSide(prependTunHeader(at), length + tunHeaderBytes, 0);
}

function write4(at: usize, p: usize, mtu: u32): u32 {
  const quoted = min(flowTotal, MOST4 - IP4_HEADER - ICMP_HEADER);
  const length = IP4_HEADER + ICMP_HEADER + quoted;
  memory.fill(at, 0, IP4_HEADER + ICMP_HEADER);
  store<u8>(at, 0x45);
  store<u8>(at, 0xc0, 1); // RFC 1812 §4.3.2.5: precedence of ICMP errors is 6 (internetwork control)
  store<u16>(at, bswap<u16>(<u16>length), IP4_TOTAL);
  store<u16>(at, 0, IP4_ID);
  store<u8>(at, <u8>TTL, IP4_TTL);
  store<u8>(at, <u8>PROTOCOL_ICMP, IP4_PROTOCOL);
  store<u32>(at, load<u32>(p, IP4_TARGET), IP4_SOURCE);
  store<u32>(at, load<u32>(p, IP4_SOURCE), IP4_TARGET);
  store<u16>(at, 0, IP4_CHECKSUM);
  ip4Checksum(at, IP4_HEADER);
  const icmp = at + IP4_HEADER;
  store<u8>(icmp, 3);
  store<u8>(icmp, 4, 1);
  store<u16>(icmp, bswap<u16>(<u16>min<u32>(mtu, 0xffff)), 6);
  memory.copy(icmp + ICMP_HEADER, p, quoted);
  store<u16>(icmp, finish(sum(icmp, ICMP_HEADER + quoted)), 2);
  return length;
}

function write6(at: usize, p: usize, mtu: u32): u32 {
  const quoted = min(flowTotal, MOST6 - IP6_HEADER - ICMP_HEADER);
  const payload = ICMP_HEADER + quoted;
  memory.fill(at, 0, IP6_HEADER + ICMP_HEADER);
  store<u8>(at, 0x60);
  store<u16>(at, bswap<u16>(<u16>payload), IP6_PAYLOAD);
  store<u8>(at, <u8>PROTOCOL_ICMP6, IP6_NEXT);
  store<u8>(at, <u8>TTL, IP6_HOPS);
  memory.copy(at + IP6_SOURCE, p + IP6_TARGET, 16);
  memory.copy(at + IP6_TARGET, p + IP6_SOURCE, 16);
  const icmp = at + IP6_HEADER;
  store<u8>(icmp, 2);
  store<u32>(icmp, bswap<u32>(mtu), 4);
  memory.copy(icmp + ICMP_HEADER, p, quoted);
  // The pseudo-header (RFC 8200 §8.1): both addresses, length, protocol.
  const pseudo = sum(at + IP6_SOURCE, 32) + <u64>bswap<u16>(<u16>payload) + <u64>bswap<u16>(<u16>PROTOCOL_ICMP6);
  store<u16>(icmp, finish(sum(icmp, payload) + pseudo), 2);
  return IP6_HEADER + payload;
}
