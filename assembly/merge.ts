// Joins TCP segments of one flow that follow each other in a batch into super-packets for the TUN (virtio_net_hdr with
// GSO_TCPV4 or GSO_TCPV6): one write instead of many. The reverse of segment.ts, and what a network card's receive offload
// does, with its rule: cutting the super-packet again must give the very segments back.
//
//   IN before  …│ESP│IP TCP data1│pad ICV│ESP│IP TCP data2│pad ICV│ESP│IP TCP data3│…
//   IN after   …│vnet│IP TCP data1│data2│data3│
//
// In place: later payloads move left over what was opened already. That is sound only where inputs lie in IN in rising
// order (startMerging looks), and while nothing else that was handed out lies in between (everything handed out ends the
// merge). The TUN takes our word for a super-packet's checksum, so each segment's own is verified before (RFC 9293 §3.1).
import { count } from './counter';
import {
  flowFamily,
  flowFragmented,
  flowHasTransport,
  flowProtocol,
  flowTotal,
  flowTransport,
  flowWhole,
} from './flow';
import { COUNTER_IN_MERGED, DESC_BYTES, DESC_CAPACITY, DESC_LENGTH, DESC_OFFSET, IN, IN_BYTES, IN_DESC, OUT_DESC, VNET_HEADER_BYTES } from './layout';
import { addOut, outCount } from './output';
import { GSO_TCP4, GSO_TCP6, prependTunHeader, tunHeaderBytes, writeGso } from './vnet';
import { fold, sum } from './wire/checksum';
import { IP4_HEADER, IP4_SOURCE, IP4_TOTAL, ip4Checksum } from './wire/ip4';
import { IP6_HEADER, IP6_PAYLOAD, IP6_SOURCE } from './wire/ip6';
import { PROTOCOL_TCP } from './wire/protocol';

const TCP_HEADER: u32 = 20;
const TCP_SEQUENCE: usize = 4;
const TCP_ACKNOWLEDGEMENT: usize = 8;
const TCP_OFFSET: usize = 12;
const TCP_FLAGS: usize = 13;
const TCP_WINDOW: usize = 14;
const TCP_CHECKSUM: u32 = 16;
const TCP_OPTIONS: u32 = 20;
const PSH: u32 = 0x08;
const ACK: u32 = 0x10;

const LONGEST: u32 = 0xffff;

let allowed: bool = false;
/** Does a super-packet grow? Then the rest describes it. */
let growing: bool = false;
/** Its IP header, and its entry of OUT_DESC. */
let at: usize = 0;
let entry: usize = 0;
let aux: u32 = 0;
let family: u32 = 0;
/** Length of IP and TCP header together, and of all. */
let headers: u32 = 0;
let total: u32 = 0;
/** Payload of the first segment: no later one may be longer, and only the last shorter. */
let size: u32 = 0;
let segments: u32 = 0;
let nextSequence: u32 = 0;

/** Before a batch of `inputs`: may segments move in IN? */
export function startMerging(inputs: u32): void {
  growing = false;
  allowed = false;
  if (!tunHeaderBytes) return;
  let free: u32 = 0;
  for (let i: u32 = 0; i < inputs; i++) {
    const desc: usize = IN_DESC + i * DESC_BYTES;
    const start = load<u32>(desc, DESC_OFFSET);
    if (start < free) return;
    free = start + max(load<u32>(desc, DESC_CAPACITY), load<u32>(desc, DESC_LENGTH));
  }
  allowed = true;
}

/** Length of the headers of the packet last read, at p, where it is a segment that may be merged; else 0. */
function mergeable(p: usize): u32 {
  if (!allowed || p < <usize>IN || p >= <usize>(IN + IN_BYTES)) return 0;
  // DF: else the identifications of IPv4 would have to be kept (RFC 6864 §4.1).
  if (flowProtocol != PROTOCOL_TCP || !flowHasTransport || flowFragmented || !flowWhole) return 0;
  if (flowTransport != (flowFamily == 4 ? IP4_HEADER : IP6_HEADER)) return 0;
  if (flowTotal <= flowTransport + TCP_HEADER) return 0;
  const tcp = p + flowTransport;
  if ((<u32>load<u8>(tcp, TCP_FLAGS) & ~PSH) != ACK) return 0;
  const length = (<u32>load<u8>(tcp, TCP_OFFSET) >> 4) << 2;
  if (length < TCP_HEADER || flowTransport + length >= flowTotal) return 0;
  const n = flowTotal - flowTransport;
  return fold(pseudoSum(p, flowFamily, n) + sum(tcp, n)) == 0xffff ? flowTransport + length : 0;
}

function pseudoSum(p: usize, ofFamily: u32, n: u32): u64 {
  const addresses = ofFamily == 4 ? sum(p + IP4_SOURCE, 8) : sum(p + IP6_SOURCE, 32);
  return addresses + <u64>bswap<u16>(<u16>PROTOCOL_TCP) + <u64>bswap<u16>(<u16>n);
}

/** Does the segment at p, with `header` bytes of headers, continue the super-packet? */
function continues(p: usize, header: u32, payload: u32, itsAux: u32): bool {
  if (header != headers || flowFamily != family || itsAux != aux) return false;
  if (payload > size || total + payload > LONGEST || p < at + total) return false;
  if (family == 4) {
    // Version, IHL, TOS; flags and offset; TTL and protocol; addresses.
    if (load<u16>(p) != load<u16>(at) || load<u32>(p, 6) != load<u32>(at, 6)) return false;
    if (load<u64>(p, IP4_SOURCE) != load<u64>(at, IP4_SOURCE)) return false;
  } else {
    // Version, class, label; next header and hop limit; addresses.
    if (load<u32>(p) != load<u32>(at) || load<u16>(p, 6) != load<u16>(at, 6)) return false;
    for (let i: usize = 8; i < 40; i += 8) if (load<u64>(p + i) != load<u64>(at + i)) return false;
  }
  const mine = at + flowTransport;
  const tcp = p + flowTransport;
  if (load<u32>(tcp) != load<u32>(mine)) return false;
  if (bswap<u32>(load<u32>(tcp, TCP_SEQUENCE)) != nextSequence) return false;
  if (load<u32>(tcp, TCP_ACKNOWLEDGEMENT) != load<u32>(mine, TCP_ACKNOWLEDGEMENT)) return false;
  if (load<u16>(tcp, TCP_WINDOW) != load<u16>(mine, TCP_WINDOW)) return false;
  for (let i = TCP_OPTIONS; i < header - flowTransport; i += 4)
    if (load<u32>(tcp + i) != load<u32>(mine + i)) return false;
  return true;
}

/** Hands the packet last read, at p, to the TUN, by itself or as part of a super-packet. */
export function offer(p: usize, n: u32, itsAux: u32): void {
  const header = mergeable(p);
  if (!header) {
    finishMerging();
    addOut(prependTunHeader(p), n + tunHeaderBytes, itsAux);
    return;
  }
  const payload = n - header;
  const push = load<u8>(p + flowTransport, TCP_FLAGS) & PSH;
  if (growing && continues(p, header, payload, itsAux)) {
    if (push) store<u8>(at + flowTransport, <u8>(PSH | ACK), TCP_FLAGS);
    memory.copy(at + total, p + header, payload);
    total += payload;
    nextSequence += payload;
    segments++;
    count(COUNTER_IN_MERGED);
    if (push || payload < size) finishMerging();
    return;
  }
  finishMerging();
  entry = OUT_DESC + outCount * DESC_BYTES;
  addOut(prependTunHeader(p), n + tunHeaderBytes, itsAux);
  if (push) return;
  growing = true;
  at = p;
  aux = itsAux;
  family = flowFamily;
  headers = header;
  total = n;
  size = payload;
  segments = 1;
  nextSequence = bswap<u32>(load<u32>(p + flowTransport, TCP_SEQUENCE)) + payload;
}

/** Nothing more joins the super-packet: completes its headers. */
export function finishMerging(): void {
  if (!growing) return;
  growing = false;
  if (segments == 1) return;
  const transport = family == 4 ? IP4_HEADER : IP6_HEADER;
  if (family == 4) {
    store<u16>(at, bswap<u16>(<u16>total), IP4_TOTAL);
    ip4Checksum(at, IP4_HEADER);
  } else store<u16>(at, bswap<u16>(<u16>(total - IP6_HEADER)), IP6_PAYLOAD);
  // A partial checksum: the pseudo-header's sum, not complemented; the kernel does the rest, or never needs it.
  store<u16>(at + transport, <u16>fold(pseudoSum(at, family, total - transport)), TCP_CHECKSUM);
  writeGso(at - VNET_HEADER_BYTES, family == 4 ? GSO_TCP4 : GSO_TCP6, headers, size, transport, TCP_CHECKSUM);
  store<u32>(entry, total + VNET_HEADER_BYTES, DESC_LENGTH);
}
