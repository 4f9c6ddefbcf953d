// Joins what a batch brings of one flow into super-packets for the TUN: one write instead of many. TCP segments that follow
// each other (virtio_net_hdr with GSO_TCPV4 or GSO_TCPV6), and UDP datagrams of one length, the last may be shorter
// (GSO_UDP_L4, where the TUN takes it). The reverse of segment.ts, and what a network card's receive offload does, with its
// rule: cutting the super-packet again must give the very packets back.
//
//   IN          …│ESP│IP TCP data1│pad ICV│ESP│IP UDP data│pad ICV│ESP│IP TCP data2│pad ICV│ESP│IP TCP data3│…
//   OUT_DESC    [0] vnet IP TCP data1 ─▶ [1] data2 ─▶ [2] data3   [1] vnet IP UDP data
//   PIECE_DESC         (linked by DESC_NEXT)
//
// Nothing is copied: a super-packet is a chain of pieces that stay where they were decrypted, and the write gathers them. So
// several flows grow at once, up to FLOWS, however their packets are mixed. A flow that is not the last one looked up is found by
// its key; two flows may share one, which costs them the merging, never the order: whatever has the key of a growing
// super-packet joins it or ends it, and so does everything that may belong to its flow without showing the ports (fragments). Of
// other flows the order does not matter.
//
// Where the caller has more at hand, what still grows at the end of a batch is kept back and goes on in the next one: its entry of OUT_DESC gets
// the length 0, and a new one, the first, then. That is for one batch only, and for what lies in IN: the caller leaves those
// bytes alone as long, and anything else is used anew.
//
// The TUN takes our word for a super-packet's checksum, so each packet's own is verified before (RFC 9293 §3.1, RFC 768).
import { count } from './counter';
import {
  flowFamily,
  flowFragmented,
  flowHasPorts,
  flowHasTransport,
  flowProtocol,
  flowSourceHigh,
  flowSourceLow,
  flowSourcePort,
  flowTargetHigh,
  flowTargetLow,
  flowTargetPort,
  flowTotal,
  flowTransport,
  flowWhole,
} from './flow';
import {
  COUNTER_IN_MERGED,
  DESC_AUX,
  DESC_BYTES,
  DESC_LENGTH,
  DESC_NEXT,
  DESC_OFFSET,
  IN,
  IN_BYTES,
  KEPT,
  OUT_DESC,
  PIECE_DESC,
  PIECE_DESC_COUNT,
  VNET_HEADER_BYTES,
} from './layout';
import { addOut, outCount } from './output';
import { carve } from './region';
import { GSO_TCP4, GSO_TCP6, GSO_UDP, prependTunHeader, tunHeaderBytes, tunTakesUso, writeGso } from './vnet';
import { fold, sum } from './wire/checksum';
import { IP4_HEADER, IP4_ID, IP4_SOURCE, IP4_TOTAL, ip4Checksum } from './wire/ip4';
import { IP6_HEADER, IP6_PAYLOAD, IP6_SOURCE } from './wire/ip6';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './wire/protocol';

const TCP_HEADER: u32 = 20;
const TCP_SEQUENCE: usize = 4;
const TCP_ACKNOWLEDGEMENT: usize = 8;
const TCP_OFFSET: usize = 12;
const TCP_FLAGS: usize = 13;
const TCP_WINDOW: usize = 14;
const TCP_CHECKSUM: u32 = 16;
const TCP_URGENT: usize = 18;
const TCP_OPTIONS: u32 = 20;
const PSH: u32 = 0x08;
const ACK: u32 = 0x10;

const UDP_HEADER: u32 = 8;
const UDP_LENGTH: usize = 4;
const UDP_CHECKSUM: u32 = 6;
/** UDP_MAX_SEGMENTS of older kernels. */
const DATAGRAMS: u32 = 64;

const LONGEST: u32 = 0xffff;

/** Super-packets that grow at once. One more ends the one that was begun so many beginnings before. */
const FLOWS: u32 = KEPT;
// Of each flow: its key (0: nothing grows) in `keys`, and in `flows` …
const PAIR: usize = 0; // of both addresses alone, for packets that do not show their ports
const AT: usize = 4; // the IP header of the first packet
const ENTRY: usize = 8; // its entry of OUT_DESC
const LAST: usize = 12; // the entry of OUT_DESC or PIECE_DESC that the next piece hangs on
const AUX: usize = 16;
const HEADERS: usize = 20; // length of IP and transport header together
const TOTAL: usize = 24; // … and of all
const SIZE: usize = 28; // payload of the first packet: no later one may be longer, and only the last shorter
const PACKETS: usize = 32;
const SEQUENCE: usize = 36; // TCP: of the next segment
const SECOND: usize = 40; // while it is kept back: the piece that its entry goes on in
const LASTING: usize = 44; // 1: it began in this batch, and all of it lies in IN
const FLOW_BYTES: u32 = 48;

let keys: usize = 0;
let flows: usize = 0;
/** Slots in use, the next to be used, and the one that was looked up last. */
let growing: u32 = 0;
let next: u32 = 0;
let latest: u32 = 0;
let pieces: u32 = 0;

export function initialiseMerging(): void {
  keys = carve(FLOWS * 4);
  flows = carve(FLOWS * FLOW_BYTES);
}

/** Before a batch. */
export function startMerging(): void {
  if (!growing) {
    pieces = 0;
    return;
  }
  for (let slot: u32 = 0; slot < FLOWS; slot++) if (load<u32>(keys + (slot << 2))) goOn(flowAt(slot));
}

/** Gives what was kept back an entry of this batch. */
function goOn(flow: usize): void {
  const before = load<u32>(flow, ENTRY);
  const entry: usize = OUT_DESC + outCount * DESC_BYTES;
  const first = load<u32>(flow, HEADERS) + load<u32>(flow, SIZE);
  addOut(<usize>load<u32>(flow, AT) - tunHeaderBytes, first + tunHeaderBytes, load<u32>(flow, AUX));
  store<u32>(entry, load<u32>(flow, SECOND), DESC_NEXT);
  if (load<u32>(flow, LAST) == before) store<u32>(flow, <u32>entry, LAST);
  store<u32>(flow, <u32>entry, ENTRY);
  store<u32>(flow, 0, LASTING);
}

/** Of both addresses of the packet last read. */
@inline
function pairOf(): u32 {
  const mixed = flowSourceHigh ^ rotl<u64>(flowTargetHigh, 31) ^ flowSourceLow ^ rotl<u64>(flowTargetLow, 15);
  return <u32>mixed ^ <u32>(mixed >> 32);
}

/** Of addresses, ports and protocol; never 0. */
@inline
function keyOf(pair: u32): u32 {
  const mixed = pair ^ (((flowSourcePort << 16) | flowTargetPort) * 0x9e3779b1) ^ flowProtocol;
  return mixed | 1;
}

/** The slot in which something with this key grows; -1: none. */
@inline
function find(key: u32): i32 {
  if (load<u32>(keys + (latest << 2)) == key) return latest;
  for (let slot: u32 = 0; slot < FLOWS; slot++) if (load<u32>(keys + (slot << 2)) == key) return slot;
  return -1;
}

@inline
function flowAt(slot: u32): usize {
  return flows + slot * FLOW_BYTES;
}

/** Length of the headers of the packet last read, at p, where it is one that may be merged; else 0. */
function mergeable(p: usize): u32 {
  if (!flowHasPorts || flowFragmented) return 0;
  if (flowTransport != (flowFamily == 4 ? IP4_HEADER : IP6_HEADER)) return 0;
  const n = flowTotal - flowTransport;
  const transport = p + flowTransport;
  let header = UDP_HEADER;
  if (flowProtocol == PROTOCOL_TCP) {
    if (n <= TCP_HEADER || (<u32>load<u8>(transport, TCP_FLAGS) & ~PSH) != ACK) return 0;
    header = (<u32>load<u8>(transport, TCP_OFFSET) >> 4) << 2;
    if (header < TCP_HEADER || header >= n) return 0;
  } else {
    if (flowProtocol != PROTOCOL_UDP || !tunTakesUso || n <= UDP_HEADER) return 0;
    // A zero checksum is none: there is nothing to vouch for, and a super-packet's segments would get one.
    if (<u32>bswap<u16>(load<u16>(transport, UDP_LENGTH)) != n || load<u16>(transport, UDP_CHECKSUM) == 0) return 0;
  }
  if (fold(pseudoSum(p, flowFamily, flowProtocol, n) + sum(transport, n)) != 0xffff) return 0;
  // Cutting makes the IP header's checksum anew, too: one that is wrong must stay so.
  return flowFamily == 6 || fold(sum(p, IP4_HEADER)) == 0xffff ? flowTransport + header : 0;
}

function pseudoSum(p: usize, family: u32, protocol: u32, n: u32): u64 {
  const addresses = family == 4 ? sum(p + IP4_SOURCE, 8) : sum(p + IP6_SOURCE, 32);
  return addresses + <u64>bswap<u16>(<u16>protocol) + <u64>bswap<u16>(<u16>n);
}

/** Does the packet at p, with `header` bytes of headers, continue the flow's super-packet? */
function continues(flow: usize, p: usize, header: u32, payload: u32, aux: u32): bool {
  if (header != load<u32>(flow, HEADERS) || aux != load<u32>(flow, AUX)) return false;
  if (payload > load<u32>(flow, SIZE) || load<u32>(flow, TOTAL) + payload > LONGEST) return false;
  const at = <usize>load<u32>(flow, AT);
  // Version, IHL, TOS; or version, class and half of the label.
  if (load<u16>(p) != load<u16>(at)) return false;
  if (flowFamily == 4) {
    // Flags and offset; TTL and protocol; addresses.
    if (load<u32>(p, 6) != load<u32>(at, 6) || load<u64>(p, IP4_SOURCE) != load<u64>(at, IP4_SOURCE)) return false;
    // Without DF the identification means something (RFC 6864 §4.1): it must be the one that cutting would give. (Linux sends the
    // datagrams of a UDP_SEGMENT message so.)
    const id: u32 = bswap<u16>(load<u16>(at, IP4_ID));
    if (!flowWhole && <u32>bswap<u16>(load<u16>(p, IP4_ID)) != ((id + load<u32>(flow, PACKETS)) & 0xffff)) return false;
  } else {
    // The label's other half; next header and hop limit; addresses.
    if (load<u16>(p, 2) != load<u16>(at, 2) || load<u16>(p, 6) != load<u16>(at, 6)) return false;
    for (let i: usize = 8; i < 40; i += 8) if (load<u64>(p + i) != load<u64>(at + i)) return false;
  }
  const mine = at + flowTransport;
  const its = p + flowTransport;
  if (load<u32>(its) != load<u32>(mine)) return false;
  if (flowProtocol == PROTOCOL_UDP) return load<u32>(flow, PACKETS) < DATAGRAMS;
  if (bswap<u32>(load<u32>(its, TCP_SEQUENCE)) != load<u32>(flow, SEQUENCE)) return false;
  if (load<u32>(its, TCP_ACKNOWLEDGEMENT) != load<u32>(mine, TCP_ACKNOWLEDGEMENT)) return false;
  if (load<u16>(its, TCP_WINDOW) != load<u16>(mine, TCP_WINDOW)) return false;
  // Beside the length of the header, reserved bits: one is AccECN's (RFC 9768). A pointer means nothing without URG, but stays.
  if (load<u8>(its, TCP_OFFSET) != load<u8>(mine, TCP_OFFSET)) return false;
  if (load<u16>(its, TCP_URGENT) != load<u16>(mine, TCP_URGENT)) return false;
  for (let i = TCP_OPTIONS; i < header - flowTransport; i += 4)
    if (load<u32>(its + i) != load<u32>(mine + i)) return false;
  return true;
}

/** Hands the packet last read, at p, to the TUN, by itself or as part of a super-packet. */
export function offer(p: usize, n: u32, aux: u32): void {
  const header = mergeable(p);
  if (!header) {
    if (growing) endRelated();
    addOut(prependTunHeader(p), n + tunHeaderBytes, aux);
    return;
  }
  const payload = n - header;
  const push = flowProtocol == PROTOCOL_TCP ? <u32>load<u8>(p + flowTransport, TCP_FLAGS) & PSH : 0;
  const pair = pairOf();
  const key = keyOf(pair);
  const slot = find(key);
  if (slot >= 0) {
    latest = slot;
    const flow = flowAt(slot);
    if (pieces < <u32>PIECE_DESC_COUNT && continues(flow, p, header, payload, aux)) {
      join(flow, p + header, payload);
      if (push) store<u8>(<usize>load<u32>(flow, AT) + flowTransport, <u8>(PSH | ACK), TCP_FLAGS);
      if (push || payload < load<u32>(flow, SIZE)) end(slot);
      return;
    }
    end(slot);
  }
  const entry: usize = OUT_DESC + outCount * DESC_BYTES;
  addOut(prependTunHeader(p), n + tunHeaderBytes, aux);
  if (!push) begin(p, entry, key, pair, header, payload, aux);
}

/** The packet last read, at p, begins a super-packet. */
function begin(p: usize, entry: usize, key: u32, pair: u32, header: u32, payload: u32, aux: u32): void {
  const slot = next;
  next = (next + 1) & (FLOWS - 1);
  if (load<u32>(keys + (slot << 2))) end(slot);
  store<u32>(keys + (slot << 2), key);
  growing++;
  latest = slot;
  const flow = flowAt(slot);
  store<u32>(flow, pair, PAIR);
  store<u32>(flow, <u32>p, AT);
  store<u32>(flow, <u32>entry, ENTRY);
  store<u32>(flow, <u32>entry, LAST);
  store<u32>(flow, aux, AUX);
  store<u32>(flow, header, HEADERS);
  store<u32>(flow, header + payload, TOTAL);
  store<u32>(flow, payload, SIZE);
  store<u32>(flow, 1, PACKETS);
  store<u32>(flow, lasts(p), LASTING);
  if (flowProtocol == PROTOCOL_TCP)
    store<u32>(flow, bswap<u32>(load<u32>(p + flowTransport, TCP_SEQUENCE)) + payload, SEQUENCE);
}

/** Do the bytes at p stay until the next batch is done? */
@inline
function lasts(p: usize): u32 {
  return p - IN < <usize>IN_BYTES ? 1 : 0;
}

/** Hangs `n` bytes of payload on the flow's super-packet. */
@inline
function join(flow: usize, payload: usize, n: u32): void {
  const piece: usize = PIECE_DESC + pieces++ * DESC_BYTES;
  store<u32>(piece, <u32>payload, DESC_OFFSET);
  store<u32>(piece, 0, DESC_NEXT);
  store<u32>(piece, n, DESC_LENGTH);
  store<u32>(piece, 0, DESC_AUX);
  // Numbers count from 1, so that 0 ends the chain.
  store<u32>(<usize>load<u32>(flow, LAST), pieces, DESC_NEXT);
  store<u32>(flow, <u32>piece, LAST);
  store<u32>(flow, load<u32>(flow, TOTAL) + n, TOTAL);
  store<u32>(flow, load<u32>(flow, SEQUENCE) + n, SEQUENCE);
  store<u32>(flow, load<u32>(flow, PACKETS) + 1, PACKETS);
  if (!lasts(payload)) store<u32>(flow, 0, LASTING);
  count(COUNTER_IN_MERGED);
}

/** Ends what the packet last read, which goes by itself, must not overtake nor be overtaken by. */
function endRelated(): void {
  const pair = pairOf();
  if (flowHasPorts && !flowFragmented) {
    const slot = find(keyOf(pair));
    if (slot >= 0) end(slot);
  } else if (flowFragmented || !flowHasTransport)
    for (let slot: u32 = 0; slot < FLOWS; slot++)
      if (load<u32>(keys + (slot << 2)) && load<u32>(flowAt(slot), PAIR) == pair) end(slot);
}

/** Nothing more joins the super-packet: completes its headers. */
function end(slot: u32): void {
  store<u32>(keys + (slot << 2), 0);
  growing--;
  const flow = flowAt(slot);
  if (load<u32>(flow, PACKETS) == 1) return;
  const at = <usize>load<u32>(flow, AT);
  const total = load<u32>(flow, TOTAL);
  const headers = load<u32>(flow, HEADERS);
  const family: u32 = load<u8>(at) >> 4;
  const transport = family == 4 ? IP4_HEADER : IP6_HEADER;
  const n = total - transport;
  const udp = headers - transport == UDP_HEADER;
  if (family == 4) {
    store<u16>(at, bswap<u16>(<u16>total), IP4_TOTAL);
    ip4Checksum(at, IP4_HEADER);
  } else store<u16>(at, bswap<u16>(<u16>(total - IP6_HEADER)), IP6_PAYLOAD);
  if (udp) store<u16>(at + transport, bswap<u16>(<u16>n), UDP_LENGTH);
  // A partial checksum: the pseudo-header's sum, not complemented; the kernel does the rest, or never needs it.
  const partial = <u16>fold(pseudoSum(at, family, udp ? PROTOCOL_UDP : PROTOCOL_TCP, n));
  const field = udp ? UDP_CHECKSUM : TCP_CHECKSUM;
  store<u16>(at + transport + field, partial);
  const type = udp ? GSO_UDP : family == 4 ? GSO_TCP4 : GSO_TCP6;
  writeGso(at - VNET_HEADER_BYTES, type, headers, load<u32>(flow, SIZE), transport, field);
}

/** After a batch. `keep`: what began in it may go on in the next one. Returns how many do. */
export function finishMerging(keep: bool): u32 {
  if (!growing) return 0;
  for (let slot: u32 = 0; slot < FLOWS; slot++) {
    if (!load<u32>(keys + (slot << 2))) continue;
    const flow = flowAt(slot);
    if (keep && load<u32>(flow, LASTING)) {
      const entry = <usize>load<u32>(flow, ENTRY);
      store<u32>(flow, load<u32>(entry, DESC_NEXT), SECOND);
      store<u32>(entry, 0, DESC_LENGTH);
    } else end(slot);
  }
  return growing;
}
