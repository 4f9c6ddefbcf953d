// Cuts a TCP super-packet (virtio_net_hdr with GSO_TCPV4 or GSO_TCPV6) into segments while it is encapsulated: what a
// network card does for the kernel. Sequence numbers and, in IPv4, identifications count on; FIN and PSH stay on the last
// segment, CWR on the first (RFC 3168 §6.1.2); lengths and checksums are made anew.
import { encapsulate } from './encapsulate';
import { flowFamily, flowProtocol, flowTos, flowTotal, flowTransport, flowWhole, flowHasTransport, flowFragmented } from './flow';
import { carve } from './region';
import { GSO_TCP4, GSO_TCP6 } from './vnet';
import { finish, sum } from './wire/checksum';
import { IP4_ID, IP4_SOURCE, IP4_TOTAL, ip4Checksum } from './wire/ip4';
import { IP6_HEADER, IP6_PAYLOAD, IP6_SOURCE } from './wire/ip6';
import { PROTOCOL_TCP } from './wire/protocol';

const TCP_HEADER: u32 = 20;
const TCP_SEQUENCE: usize = 4;
const TCP_OFFSET: usize = 12;
const TCP_FLAGS: usize = 13;
const TCP_CHECKSUM: usize = 16;
const FIN: u32 = 0x01;
const PSH: u32 = 0x08;
const CWR: u32 = 0x80;

/** IP with options or extension headers, and TCP with options. */
const HEADER_BYTES: u32 = 256;
let header: usize = 0;

export function initialiseSegmentation(): void {
  header = carve(HEADER_BYTES);
}

/** Length of the headers of the super-packet last read, at p; 0 where it is none that `gso` promises. */
export function superHeader(p: usize, gso: u32): u32 {
  if (gso != (flowFamily == 4 ? GSO_TCP4 : GSO_TCP6)) return 0;
  if (flowProtocol != PROTOCOL_TCP || !flowHasTransport || flowFragmented) return 0;
  if (flowTransport + TCP_HEADER > flowTotal) return 0;
  const tcp = (<u32>load<u8>(p + flowTransport, TCP_OFFSET) >> 4) << 2;
  const length = flowTransport + tcp;
  return tcp < TCP_HEADER || length > flowTotal || length > HEADER_BYTES ? 0 : length;
}

/** Encapsulates the super-packet of the last readFlow, at p, in segments of `size` payload bytes. */
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
  const addresses =
    flowFamily == 4 ? sum(header + IP4_SOURCE, 8) : sum(header + IP6_SOURCE, 32);
  const pseudo = addresses + <u64>bswap<u16>(<u16>PROTOCOL_TCP);
  let made: u32 = 0;
  for (let at: u32 = 0; at < whole; at += size, made++) {
    const n = min(size, whole - at);
    if (flowFamily == 4) {
      store<u16>(header, bswap<u16>(<u16>(headerLength + n)), IP4_TOTAL);
      store<u16>(header, bswap<u16>(<u16>(id + made)), IP4_ID);
      ip4Checksum(header, transport);
    } else store<u16>(header, bswap<u16>(<u16>(headerLength - IP6_HEADER + n)), IP6_PAYLOAD);
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
