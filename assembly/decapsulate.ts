// From what ESP carried to the inner packet: delivery header (gre-tunnel), GRE, inner packet. Each step checks lengths
// first, then meaning, and drops with a counter of its own.
//
//   ESP payload ─┬─ esp-tunnel ────────────────────────────────────────────▶ inner: selectors, ECN, MSS ─▶ OUT_DESC
//                ├─ gre-transport ──────────────────────────▶ GRE ─────────▶
//                └─ gre-tunnel ─▶ delivery ─┬─ whole ───────▶ GRE ─────────▶
//                                           └─ fragment ─▶ pool ─ complete ─▶ GRE (never for a later fragment alone)
import { add, count } from './counter';
import { combineEcn, ECN_MASK, setEcn } from './ecn';
import { flowFamily, flowTos, flowTotal, readFlow } from './flow';
import {
  AUX_INBOUND_SHIFT,
  AUX_TUNNEL_SHIFT,
  COUNTER_IN_BAD_DELIVERY,
  COUNTER_IN_BAD_INNER,
  COUNTER_IN_BAD_NEXT_HEADER,
  COUNTER_IN_BYTES,
  COUNTER_IN_DELIVERY_ADDRESS,
  COUNTER_IN_DELIVERY_PROTOCOL,
  COUNTER_IN_ECN,
  COUNTER_IN_GRE_CHECKSUM,
  COUNTER_IN_GRE_KEEPALIVE,
  COUNTER_IN_GRE_KEY,
  COUNTER_IN_GRE_PROTOCOL,
  COUNTER_IN_GRE_RESERVED,
  COUNTER_IN_GRE_SEQUENCE,
  COUNTER_IN_GRE_TOO_SHORT,
  COUNTER_IN_GRE_VERSION,
  COUNTER_IN_INNER_ADDRESS,
  COUNTER_IN_MSS_CLAMPED,
  COUNTER_IN_NO_ROOM,
  COUNTER_IN_PACKETS,
  GRE_KEY,
  GRE_SEQUENCE,
  SHAPE_ESP_TUNNEL,
  SHAPE_GRE_TRANSPORT,
  TUNNEL_DELIVERY_FAMILY,
  TUNNEL_DELIVERY_LOCAL,
  TUNNEL_DELIVERY_REMOTE,
  TUNNEL_GRE_FLAGS,
  TUNNEL_GRE_KEY,
} from './layout';
import { offer } from './merge';
import { clampMss } from './mss';
import { addOut } from './output';
import { reassemble, reassembledAt, reassembledEcn, reassembledLength } from './reassembly';
import { acceptGreSequence, admits, tunnelBlock, tunnelShape } from './tunnel';
import { tunHeaderBytes } from './vnet';
import {
  ETHERTYPE_IP4,
  ETHERTYPE_IP6,
  GRE_BAD_CHECKSUM,
  GRE_BAD_RESERVED,
  GRE_BAD_VERSION,
  GRE_OK,
  GRE_TOO_SHORT,
  readFlags,
  readGre,
  readKey,
  readLength,
  readProtocol,
  readSequence,
} from './wire/gre';
import {
  IP4_HEADER,
  IP4_ID,
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
  ip6FragmentOffset,
  ip6Payload,
  ip6TrafficClass,
  ip6Valid,
  walk,
  walkFragment,
  walkKnown,
  walkOffset,
  walkProtocol,
} from './wire/ip6';
import { PROTOCOL_GRE, PROTOCOL_IP4, PROTOCOL_IP6 } from './wire/protocol';

// Where the packet now being opened came from.
/** First byte that belongs to it, and the byte behind the last one: the TUN's header must find room between. */
let roomStart: usize = 0;
let roomEnd: usize = 0;
let tunnel: u32 = 0;
/** Inbound SA slot; 0 for plain GRE. */
let slot: u32 = 0;
let time: f64 = 0;

/** Says what the next decapsulateEsp or decapsulateGre works on. */
export function startDecapsulation(ofTunnel: u32, inbound: u32, start: usize, end: usize, now: f64): void {
  tunnel = ofTunnel;
  slot = inbound;
  roomStart = start;
  roomEnd = end;
  time = now;
}

/** `n` verified bytes at p, padding removed, that ESP's next header calls `next`; `ecn` from the outer header. */
export function decapsulateEsp(p: usize, n: u32, next: u32, ecn: u32): void {
  const shape = tunnelShape(tunnel);
  if (shape == SHAPE_GRE_TRANSPORT) {
    if (next != PROTOCOL_GRE) count(COUNTER_IN_BAD_NEXT_HEADER);
    else decapsulateGre(p, n, ecn);
    return;
  }
  if (next != PROTOCOL_IP4 && next != PROTOCOL_IP6) {
    count(COUNTER_IN_BAD_NEXT_HEADER);
    return;
  }
  const family: u32 = next == PROTOCOL_IP4 ? 4 : 6;
  if (shape == SHAPE_ESP_TUNNEL) deliver(p, n, family, ecn);
  else if (family == 4) readDelivery4(p, n, ecn);
  else readDelivery6(p, n, ecn);
}

function same16(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8);
}

function readDelivery4(p: usize, n: u32, outerEcn: u32): void {
  const block = tunnelBlock(tunnel);
  if (!ip4Valid(p, n)) {
    count(COUNTER_IN_BAD_DELIVERY);
    return;
  }
  // Arriving, our remote is the source and our local the destination.
  if (
    load<u32>(block, TUNNEL_DELIVERY_FAMILY) != 4 ||
    load<u32>(p, IP4_SOURCE) != load<u32>(block, TUNNEL_DELIVERY_REMOTE) ||
    load<u32>(p, IP4_TARGET) != load<u32>(block, TUNNEL_DELIVERY_LOCAL)
  ) {
    count(COUNTER_IN_DELIVERY_ADDRESS);
    return;
  }
  if (load<u8>(p, IP4_PROTOCOL) != <u8>PROTOCOL_GRE) {
    count(COUNTER_IN_DELIVERY_PROTOCOL);
    return;
  }
  const ecn = combineEcn(outerEcn, load<u8>(p, IP4_TOS) & ECN_MASK);
  if (ecn < 0) {
    count(COUNTER_IN_ECN);
    return;
  }
  const header = ip4HeaderLength(p);
  const payload = ip4Total(p) - header;
  const fragment = ip4Fragment(p);
  if (fragment & (IP4_OFFSET | IP4_MF)) {
    const id: u32 = load<u16>(p, IP4_ID);
    const offset = (fragment & IP4_OFFSET) << 3;
    const more = (fragment & IP4_MF) != 0;
    if (reassemble(tunnel, 4, id, offset, more, p + header, payload, 0xffff - IP4_HEADER, ecn, time)) readReassembled();
    return;
  }
  decapsulateGre(p + header, payload, ecn);
}

function readDelivery6(p: usize, n: u32, outerEcn: u32): void {
  const block = tunnelBlock(tunnel);
  if (!ip6Valid(p, n)) {
    count(COUNTER_IN_BAD_DELIVERY);
    return;
  }
  if (
    load<u32>(block, TUNNEL_DELIVERY_FAMILY) != 6 ||
    !same16(p + IP6_SOURCE, block + TUNNEL_DELIVERY_REMOTE) ||
    !same16(p + IP6_TARGET, block + TUNNEL_DELIVERY_LOCAL)
  ) {
    count(COUNTER_IN_DELIVERY_ADDRESS);
    return;
  }
  // Destination options are usual here: Linux adds a tunnel encapsulation limit (RFC 2473 §4.1.1).
  const total = IP6_HEADER + ip6Payload(p);
  walk(p, total);
  if (!walkKnown && !walkFragment) {
    count(COUNTER_IN_BAD_DELIVERY);
    return;
  }
  // In a first fragment GRE may lie behind further headers; in a later one only the next header is named (RFC 8200 §4.5).
  if (walkProtocol != PROTOCOL_GRE) {
    count(COUNTER_IN_DELIVERY_PROTOCOL);
    return;
  }
  const ecn = combineEcn(outerEcn, ip6TrafficClass(p) & ECN_MASK);
  if (ecn < 0) {
    count(COUNTER_IN_ECN);
    return;
  }
  if (walkFragment) {
    const f = p + walkFragment;
    const offset = ip6FragmentOffset(f);
    const more = ip6FragmentMore(f);
    // Offset 0 and nothing more: an atomic fragment, complete by itself (RFC 6946 §4).
    if (offset != 0 || more) {
      const start = walkFragment + 8;
      const id = load<u32>(f, 4);
      // Offsets count from behind the fragment header, so GRE must follow it at once.
      if (walkOffset != start) count(COUNTER_IN_BAD_DELIVERY);
      else if (reassemble(tunnel, 6, id, offset, more, p + start, total - start, 0xffff, ecn, time)) readReassembled();
      return;
    }
  }
  decapsulateGre(p + walkOffset, total - walkOffset, ecn);
}

function readReassembled(): void {
  // The pool keeps room in front of its payload; `roomEnd` is only asked where there is none.
  roomStart = reassembledAt - 32;
  roomEnd = reassembledAt + reassembledLength;
  decapsulateGre(reassembledAt, reassembledLength, reassembledEcn);
}

function greFault(fault: i32): u32 {
  if (fault == GRE_BAD_VERSION) return COUNTER_IN_GRE_VERSION;
  if (fault == GRE_BAD_RESERVED) return COUNTER_IN_GRE_RESERVED;
  if (fault == GRE_BAD_CHECKSUM) return COUNTER_IN_GRE_CHECKSUM;
  return COUNTER_IN_GRE_TOO_SHORT;
}

/** `n` bytes at p that should be GRE; `ecn` of the delivery header, or of the outer one where that is the same. */
export function decapsulateGre(p: usize, n: u32, ecn: u32): void {
  const fault = readGre(p, n);
  if (fault != GRE_OK) {
    count(greFault(fault));
    return;
  }
  const block = tunnelBlock(tunnel);
  // RFC 2890 §2.1: the key names the tunnel; a packet without one is another tunnel's, and the reverse.
  if (
    (readFlags & GRE_KEY) != (load<u32>(block, TUNNEL_GRE_FLAGS) & GRE_KEY) ||
    (readFlags & GRE_KEY && readKey != load<u32>(block, TUNNEL_GRE_KEY))
  ) {
    count(COUNTER_IN_GRE_KEY);
    return;
  }
  if (readFlags & GRE_SEQUENCE && !acceptGreSequence(tunnel, readSequence)) {
    count(COUNTER_IN_GRE_SEQUENCE);
    return;
  }
  if (readProtocol == ETHERTYPE_IP4) deliver(p + readLength, n - readLength, 4, ecn);
  else if (readProtocol == ETHERTYPE_IP6) deliver(p + readLength, n - readLength, 6, ecn);
  else if (readProtocol == 0) count(COUNTER_IN_GRE_KEEPALIVE);
  else count(COUNTER_IN_GRE_PROTOCOL);
}

/** The inner packet, of the family that the header in front of it named. */
function deliver(p: usize, n: u32, family: u32, ecn: u32): void {
  // Bytes behind the packet are traffic flow confidentiality padding (RFC 4303 §2.7): cut off.
  if (!readFlow(p, n) || flowFamily != family) {
    count(COUNTER_IN_BAD_INNER);
    return;
  }
  if (!admits(tunnel)) {
    count(COUNTER_IN_INNER_ADDRESS);
    return;
  }
  const total = flowTotal;
  const field = combineEcn(ecn, flowTos & ECN_MASK);
  if (field < 0) {
    count(COUNTER_IN_ECN);
    return;
  }
  if (p - roomStart < <usize>tunHeaderBytes) {
    // Only plain GRE without an outer header is that short in front.
    const to = roomStart + tunHeaderBytes;
    if (to + total > roomEnd) {
      count(COUNTER_IN_NO_ROOM);
      return;
    }
    memory.copy(to, p, total);
    p = to;
  }
  setEcn(p, family, field);
  if (clampMss(p, tunnelBlock(tunnel))) count(COUNTER_IN_MSS_CLAMPED);
  count(COUNTER_IN_PACKETS);
  add(COUNTER_IN_BYTES, total);
  const aux = (tunnel << AUX_TUNNEL_SHIFT) | (slot << AUX_INBOUND_SHIFT);
  if (tunHeaderBytes) offer(p, total, aux);
  else addOut(p, total, aux);
}
