// What the packet path wants to know about an inner packet, read once: addresses as numbers, protocol, ports. Selectors,
// MSS clamping, flow labels and ICMP errors all look here. The values are those of the last readFlow.
import {
  IP4_DF,
  IP4_HEADER,
  IP4_MF,
  IP4_OFFSET,
  IP4_PROTOCOL,
  IP4_SOURCE,
  IP4_TARGET,
  IP4_TOS,
  ip4Fragment,
  ip4HeaderLength,
  ip4Total,
  ip4Valid,
} from './wire/ip4';
import {
  IP6_HEADER,
  IP6_SOURCE,
  IP6_TARGET,
  ip6FragmentMore,
  ip6Payload,
  ip6TrafficClass,
  ip6Valid,
  walk,
  walkFragment,
  walkKnown,
  walkOffset,
  walkProtocol,
} from './wire/ip6';
import {
  PROTOCOL_DCCP,
  PROTOCOL_ICMP,
  PROTOCOL_ICMP6,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  PROTOCOL_UDP_LITE,
} from './wire/protocol';

/** 4 or 6. */
export let flowFamily: u32 = 0;
/** Addresses: high and low half; IPv4 is in the low half alone. */
export let flowSourceHigh: u64 = 0;
export let flowSourceLow: u64 = 0;
export let flowTargetHigh: u64 = 0;
export let flowTargetLow: u64 = 0;
/** Type of service or traffic class. */
export let flowTos: u32 = 0;
/** Bytes that the packet's own headers say it has. */
export let flowTotal: u32 = 0;
export let flowProtocol: u32 = 0;
/** Offset of the transport header; meaningful where flowHasTransport. */
export let flowTransport: u32 = 0;
/** False for fragments but the first, and behind extension headers that could not be walked. */
export let flowHasTransport: bool = false;
/** Is part of a fragmented packet (first fragments too). */
export let flowFragmented: bool = false;
/** Must not be fragmented: DF, or IPv6. */
export let flowWhole: bool = false;
/** Ports, host order; ICMP: type and code as both (RFC 7296 §3.13.1). Meaningful where flowHasPorts. */
export let flowSourcePort: u32 = 0;
export let flowTargetPort: u32 = 0;
export let flowHasPorts: bool = false;

@inline
function readFlow4(p: usize): void {
  flowFamily = 4;
  flowSourceHigh = 0;
  flowTargetHigh = 0;
  flowSourceLow = <u64>bswap<u32>(load<u32>(p, IP4_SOURCE));
  flowTargetLow = <u64>bswap<u32>(load<u32>(p, IP4_TARGET));
  flowTos = load<u8>(p, IP4_TOS);
  flowTotal = ip4Total(p);
  flowProtocol = load<u8>(p, IP4_PROTOCOL);
  flowTransport = ip4HeaderLength(p);
  const fragment = ip4Fragment(p);
  flowHasTransport = (fragment & IP4_OFFSET) == 0;
  flowFragmented = (fragment & (IP4_OFFSET | IP4_MF)) != 0;
  flowWhole = (fragment & IP4_DF) != 0;
}

@inline
function readFlow6(p: usize): void {
  flowFamily = 6;
  flowSourceHigh = bswap<u64>(load<u64>(p, IP6_SOURCE));
  flowSourceLow = bswap<u64>(load<u64>(p, IP6_SOURCE + 8));
  flowTargetHigh = bswap<u64>(load<u64>(p, IP6_TARGET));
  flowTargetLow = bswap<u64>(load<u64>(p, IP6_TARGET + 8));
  flowTos = ip6TrafficClass(p);
  flowTotal = IP6_HEADER + ip6Payload(p);
  walk(p, flowTotal);
  flowProtocol = walkProtocol;
  flowTransport = walkOffset;
  flowHasTransport = walkKnown;
  // An "atomic" fragment header (offset 0, nothing more) leaves the packet whole (RFC 6946).
  flowFragmented = walkFragment != 0 && (!walkKnown || ip6FragmentMore(p + walkFragment));
  flowWhole = true;
}

/** Reads the packet in the `n` bytes at p; false where it is no IP packet or its lengths disagree. */
export function readFlow(p: usize, n: u32): bool {
  if (n < IP4_HEADER) return false;
  if (load<u8>(p) >> 4 == 4) {
    if (!ip4Valid(p, n)) return false;
    readFlow4(p);
  } else {
    if (!ip6Valid(p, n)) return false;
    readFlow6(p);
  }
  flowHasPorts = false;
  if (!flowHasTransport || flowTransport + 4 > flowTotal) return true;
  const protocol = flowProtocol;
  const word = bswap<u32>(load<u32>(p + flowTransport));
  if (
    protocol == PROTOCOL_TCP ||
    protocol == PROTOCOL_UDP ||
    protocol == PROTOCOL_SCTP ||
    protocol == PROTOCOL_DCCP ||
    protocol == PROTOCOL_UDP_LITE
  ) {
    flowSourcePort = word >> 16;
    flowTargetPort = word & 0xffff;
    flowHasPorts = true;
  } else if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6) {
    flowSourcePort = word >> 16;
    flowTargetPort = word >> 16;
    flowHasPorts = true;
  }
  return true;
}

/**
 * A number that all packets of a flow share, for load balancing on the way (RFC 6438 §3): of addresses, protocol and
 * ports, or without ports where fragments would otherwise part (RFC 6437 §3).
 */
export function flowHash(): u32 {
  let h = (flowSourceHigh ^ rotl<u64>(flowTargetHigh, 32)) * 0x9e3779b97f4a7c15;
  h = (rotl<u64>(h, 29) ^ flowSourceLow ^ rotl<u64>(flowTargetLow, 32)) * 0xbf58476d1ce4e5b9;
  h ^= <u64>flowProtocol;
  if (flowHasPorts && !flowFragmented) h ^= ((<u64>flowSourcePort << 16) | <u64>flowTargetPort) << 16;
  h = (h ^ (h >> 31)) * 0x94d049bb133111eb;
  return <u32>(h >> 32);
}
