// Cuts a super-packet (virtio_net_hdr) while it is encapsulated: what a network card does for the kernel. In IPv4,
// identifications count on; lengths and checksums are made anew.
//
//   GSO_TCPV4, GSO_TCPV6   segments: sequence numbers count on; FIN and PSH stay on the last, CWR on the first (RFC 3168 §6.1.2)
//   GSO_UDP_L4             datagrams of one length, the last may be shorter; without a checksum where the sender made none
import { encapsulate } from './encapsulate';
import { flowFamily, flowProtocol, flowTos, flowTotal, flowTransport, flowWhole, flowHasTransport, flowFragmented } from './flow';
import { encapsulateFragments } from './fragment';
import { carve } from './region';
import { GSO_TCP4, GSO_TCP6, GSO_UDP } from './vnet';
import { finish, sum } from './wire/checksum';
import { IP4_ID, IP4_SOURCE, IP4_TOTAL, ip4Checksum, ip4HeaderLength } from './wire/ip4';
import { IP6_HEADER, IP6_PAYLOAD, IP6_SOURCE } from './wire/ip6';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './wire/protocol';

const TCP_HEADER: u32 = 20;
const TCP_SEQUENCE: usize = 4;
const TCP_OFFSET: usize = 12;
const TCP_FLAGS: usize = 13;
const TCP_CHECKSUM: usize = 16;
const FIN: u32 = 0x01;
const PSH: u32 = 0x08;
const CWR: u32 = 0x80;

const UDP_HEADER: u32 = 8;
const UDP_LENGTH: usize = 4;
const UDP_CHECKSUM: usize = 6;

/** IP with options or extension headers, and TCP with options. */
const HEADER_BYTES: u32 = 256;
let header: usize = 0;

export function initialiseSegmentation(): void {
  header = carve(HEADER_BYTES);
}

/** Length of the headers of the super-packet last read, at p; 0 where it is none that `gso` promises. */
export function superHeader(p: usize, gso: u32): u32 {
  if (!flowHasTransport || flowFragmented) return 0;
  if (gso == GSO_UDP) return superDatagram(p);
  if (gso != (flowFamily == 4 ? GSO_TCP4 : GSO_TCP6) || flowProtocol != PROTOCOL_TCP) return 0;
  if (flowTransport + TCP_HEADER > flowTotal) return 0;
  const tcp = (<u32>load<u8>(p + flowTransport, TCP_OFFSET) >> 4) << 2;
  const length = flowTransport + tcp;
  return tcp < TCP_HEADER || length > flowTotal || length > HEADER_BYTES ? 0 : length;
}

function superDatagram(p: usize): u32 {
  const length = flowTransport + UDP_HEADER;
  if (flowProtocol != PROTOCOL_UDP || length > flowTotal || length > HEADER_BYTES) return 0;
  return <u32>bswap<u16>(load<u16>(p + flowTransport, UDP_LENGTH)) == flowTotal - flowTransport ? length : 0;
}

/** Encapsulates the TCP super-packet of the last readFlow, at p, in segments of `size` payload bytes. */
export function encapsulateSegments(tunnel: u32, slot: u32, p: usize, headerLength: u32, size: u32): void {
  const transport = flowTransport;
  const payload = p + headerLength;
  const whole = flowTotal - headerLength;
  const flags: u32 = load<u8>(p + transport, TCP_FLAGS);
  const sequence = bswap<u32>(load<u32>(p + transport, TCP_SEQUENCE));
  const id: u32 = bswap<u16>(load<u16>(p, IP4_ID));
  const tcp = header + transport;
  const tcpLength = headerLength - transport;
  memory.copy(header, p, headerLength);
  store<u16>(tcp, 0, TCP_CHECKSUM);
  const pseudo = pseudoHeader();
  let made: u32 = 0;
  for (let at: u32 = 0; at < whole; at += size, made++) {
    const n = min(size, whole - at);
    writeIp(headerLength + n, id + made);
    store<u32>(tcp, bswap<u32>(sequence + at), TCP_SEQUENCE);
    let kept = flags;
    if (at + n < whole) kept &= ~(FIN | PSH);
    if (made > 0) kept &= ~CWR;
    store<u8>(tcp, <u8>kept, TCP_FLAGS);
    store<u16>(tcp, 0, TCP_CHECKSUM);
    // Header length is a multiple of 4, so the sums of header and payload may simply be added.
    const total = pseudo + <u64>bswap<u16>(<u16>(tcpLength + n)) + sum(tcp, tcpLength) + sum(payload + at, n);
    store<u16>(tcp, finish(total), TCP_CHECKSUM);
    encapsulate(tunnel, slot, header, headerLength, payload + at, n, flowTos, flowWhole);
  }
}

/**
 * Encapsulates the super-datagram of the last readFlow, at p, in datagrams of `size` payload bytes; `summed`: with checksums. A
 * datagram over the tunnel's MTU goes in fragments, which the caller allows; nothing at p is then as it was.
 */
export function encapsulateDatagrams(
  tunnel: u32,
  slot: u32,
  p: usize,
  headerLength: u32,
  size: u32,
  summed: bool,
  mtu: u32,
): void {
  const payload = p + headerLength;
  const whole = flowTotal - headerLength;
  const id: u32 = bswap<u16>(load<u16>(p, IP4_ID));
  const udp = header + flowTransport;
  memory.copy(header, p, headerLength);
  const pseudo = pseudoHeader();
  let made: u32 = 0;
  for (let at: u32 = 0; at < whole; at += size, made++) {
    const n = min(size, whole - at);
    writeIp(headerLength + n, id + made);
    const length = bswap<u16>(<u16>(UDP_HEADER + n));
    store<u16>(udp, length, UDP_LENGTH);
    store<u16>(udp, 0, UDP_CHECKSUM);
    if (summed) {
      const checksum = finish(pseudo + <u64>length + sum(udp, UDP_HEADER) + sum(payload + at, n));
      // RFC 768: a computed zero is sent as all ones, since zero means "no checksum".
      store<u16>(udp, checksum == 0 ? 0xffff : checksum, UDP_CHECKSUM);
    }
    if (headerLength + n <= mtu) encapsulate(tunnel, slot, header, headerLength, payload + at, n, flowTos, flowWhole);
    else {
      // In one piece, over the end of the datagram before, which has left.
      memory.copy(payload + at - headerLength, header, headerLength);
      encapsulateFragments(tunnel, slot, payload + at - headerLength, headerLength + n, mtu);
    }
  }
}

/** Sum of addresses and protocol of the headers in `header`. */
function pseudoHeader(): u64 {
  const addresses = flowFamily == 4 ? sum(header + IP4_SOURCE, 8) : sum(header + IP6_SOURCE, 32);
  return addresses + <u64>bswap<u16>(<u16>flowProtocol);
}

/** Gives the IP header in `header` a total length, and in IPv4 an identification. */
@inline
function writeIp(total: u32, id: u32): void {
  if (flowFamily == 4) {
    store<u16>(header, bswap<u16>(<u16>total), IP4_TOTAL);
    store<u16>(header, bswap<u16>(<u16>id), IP4_ID);
    ip4Checksum(header, ip4HeaderLength(header));
  } else store<u16>(header, bswap<u16>(<u16>(total - IP6_HEADER)), IP6_PAYLOAD);
}
