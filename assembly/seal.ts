// Inner packets → datagrams (RFC 4303 §3.3, RFC 2784). For each input, in order:
//
//   1. read addresses and lengths            outBadInner
//   2. choose the tunnel by its selectors    outNoTunnel
//   3. with a virtio_net_hdr: cut a super-packet (segment.ts), or complete its checksum (vnet.ts)
//      lower the MSS of a SYN
//   4. too long: ICMP or fragments           outTooBig
//   5. the active SA, its limits             outNoSa, outHardLimit, outSequenceExhausted
//   6. room in OUT                           none: stop here, the caller sends and comes again
//   7. encapsulate (encapsulate.ts), encrypt in batches of one SA
import { add, count } from './counter';
import {
  ciphertextLength,
  encapsulate,
  encapsulateDummy,
  hasRoom,
  sealJobs,
  startEncapsulation,
} from './encapsulate';
import { flowTos, flowTotal, flowWhole, readFlow } from './flow';
import { encapsulateFragments, fragmentCount } from './fragment';
import {
  AUX_VNET,
  COUNTER_OUT_BAD_INNER,
  COUNTER_OUT_BYTES,
  COUNTER_OUT_CUT,
  COUNTER_OUT_DUMMIES,
  COUNTER_OUT_HARD_LIMIT,
  COUNTER_OUT_MSS_CLAMPED,
  COUNTER_OUT_NO_ROOM,
  COUNTER_OUT_NO_SA,
  COUNTER_OUT_NO_TUNNEL,
  COUNTER_OUT_PACKETS,
  COUNTER_OUT_SEQUENCE_EXHAUSTED,
  COUNTER_OUT_TOO_BIG,
  DESC_AUX,
  DESC_BYTES,
  DESC_LENGTH,
  DESC_OFFSET,
  IN_DESC,
  SHAPE_GRE_PLAIN,
  TUNNEL_MTU,
  VNET_HEADER_BYTES,
} from './layout';
import { clampMss } from './mss';
import { outCount, startOutputs, writeResult } from './output';
import { outboundSa, sequencesLeft, withinLimits } from './sa';
import { encapsulateDatagrams, encapsulateSegments, superHeader } from './segment';
import { answerTooBig } from './too-big';
import { chooseTunnel, tunnelActive, tunnelBlock, tunnelShape, tunnelUsed } from './tunnel';
import { completeChecksum, GSO_NONE, GSO_UDP, gsoSize, gsoType, needsChecksum } from './vnet';

/** Why the tunnel cannot send `packets` more packets of at most `n` bytes, as a counter; -1 where it can. */
function obstacle(tunnel: u32, packets: u32, n: u32): i32 {
  if (tunnelShape(tunnel) == SHAPE_GRE_PLAIN) return -1;
  const slot = tunnelActive(tunnel);
  if (slot < 0) return COUNTER_OUT_NO_SA;
  const sa = outboundSa(slot);
  if (sequencesLeft(sa) < packets) return COUNTER_OUT_SEQUENCE_EXHAUSTED;
  const bytes = <u64>packets * <u64>ciphertextLength(tunnel, sa, n);
  return withinLimits(sa, packets, bytes) ? -1 : COUNTER_OUT_HARD_LIMIT;
}

const UDP_HEADER: u32 = 8;
const UDP_CHECKSUM: usize = 6;

const DONE: bool = true;
const NO_ROOM: bool = false;

/**
 * Nothing of the packet was sent for want of room: come again, unless OUT is empty, in which case it never fits.
 */
function noRoom(): bool {
  if (outCount > 0) return NO_ROOM;
  count(COUNTER_OUT_NO_ROOM);
  return DONE;
}

function drop(counter: u32): bool {
  count(counter);
  return DONE;
}

/** DONE: sealed or dropped. NO_ROOM: to be given again. */
function sealInput(entry: usize, now: f64): bool {
  let p = <usize>load<u32>(entry, DESC_OFFSET);
  let n = load<u32>(entry, DESC_LENGTH);
  let vnet: usize = 0;
  if (load<u32>(entry, DESC_AUX) & AUX_VNET) {
    if (n < <u32>VNET_HEADER_BYTES) return drop(COUNTER_OUT_BAD_INNER);
    vnet = p;
    p += VNET_HEADER_BYTES;
    n -= VNET_HEADER_BYTES;
  }
  if (!readFlow(p, n) || flowTotal != n) return drop(COUNTER_OUT_BAD_INNER);
  const tunnel = chooseTunnel();
  if (tunnel < 0) return drop(COUNTER_OUT_NO_TUNNEL);
  const block = tunnelBlock(tunnel);
  const mtu = load<u32>(block, TUNNEL_MTU);
  if (vnet) {
    const gso = gsoType(vnet);
    if (gso != GSO_NONE) {
      const header = superHeader(p, gso);
      const size = gsoSize(vnet);
      if (header == 0 || size == 0) return drop(COUNTER_OUT_BAD_INNER);
      if (header + size < n)
        return gso == GSO_UDP
          ? sealDatagrams(tunnel, vnet, p, header, size, mtu, now)
          : sealSegments(tunnel, p, header, size, mtu, now);
    }
    if (!completeChecksum(vnet, p, n)) return drop(COUNTER_OUT_BAD_INNER);
  }
  if (clampMss(p, block)) count(COUNTER_OUT_MSS_CLAMPED);
  const fits = n <= mtu;
  if (!fits && flowWhole) {
    answerTooBig(p, mtu, now);
    return drop(COUNTER_OUT_TOO_BIG);
  }
  const packets: u32 = fits ? 1 : fragmentCount(p, n, mtu);
  const longest = min(n, mtu);
  const reason = obstacle(tunnel, packets, longest);
  if (reason >= 0) return drop(reason);
  const slot = tunnelActive(tunnel);
  if (!hasRoom(tunnel, slot, packets, longest)) return noRoom();
  if (fits) encapsulate(tunnel, slot, p, n, 0, 0, flowTos, flowWhole);
  else encapsulateFragments(tunnel, slot, p, n, mtu);
  count(COUNTER_OUT_PACKETS);
  add(COUNTER_OUT_BYTES, n);
  return DONE;
}

/** The same for a TCP super-packet of `header` bytes and more than one segment of `size` bytes. */
function sealSegments(tunnel: u32, p: usize, header: u32, size: u32, mtu: u32, now: f64): bool {
  if (header + size > mtu) {
    if (flowWhole || mtu <= header) {
      answerTooBig(p, mtu, now);
      return drop(COUNTER_OUT_TOO_BIG);
    }
    // Where fragments would be allowed, shorter segments are better.
    size = mtu - header;
  }
  const payload = flowTotal - header;
  const packets = (payload + size - 1) / size;
  const reason = obstacle(tunnel, packets, header + size);
  if (reason >= 0) return drop(reason);
  const slot = tunnelActive(tunnel);
  if (!hasRoom(tunnel, slot, packets, header + size)) return noRoom();
  encapsulateSegments(tunnel, slot, p, header, size);
  countSuper(packets, header, payload);
  return DONE;
}

/** The same for a UDP super-datagram: its datagrams' borders mean something, so one that is too long goes in fragments. */
function sealDatagrams(tunnel: u32, vnet: usize, p: usize, header: u32, size: u32, mtu: u32, now: f64): bool {
  const longest = header + size;
  const fits = longest <= mtu;
  if (!fits && flowWhole) {
    answerTooBig(p, mtu, now);
    return drop(COUNTER_OUT_TOO_BIG);
  }
  // Without the flag, zero is the sender's wish for no checksum (RFC 768, RFC 6936); its parts get none either.
  const summed = needsChecksum(vnet) || load<u16>(p + header - UDP_HEADER, UDP_CHECKSUM) != 0;
  const payload = flowTotal - header;
  const datagrams = (payload + size - 1) / size;
  const packets = fits ? datagrams : datagrams * fragmentCount(p, longest, mtu);
  const each = min(longest, mtu);
  const reason = obstacle(tunnel, packets, each);
  if (reason >= 0) return drop(reason);
  const slot = tunnelActive(tunnel);
  if (!hasRoom(tunnel, slot, packets, each)) return noRoom();
  encapsulateDatagrams(tunnel, slot, p, header, size, summed, mtu);
  countSuper(datagrams, header, payload);
  return DONE;
}

function countSuper(packets: u32, header: u32, payload: u32): void {
  add(COUNTER_OUT_PACKETS, packets);
  add(COUNTER_OUT_CUT, packets - 1);
  add(COUNTER_OUT_BYTES, packets * header + payload);
}

export function seal(inputs: u32, now: f64): void {
  startOutputs();
  startEncapsulation();
  let consumed: u32 = 0;
  while (consumed < inputs && sealInput(IN_DESC + consumed * DESC_BYTES, now)) consumed++;
  sealJobs();
  writeResult(consumed);
}

/** Appends a dummy packet of `n` payload bytes to OUT_DESC; false: dropped and counted. */
export function sealDummy(tunnel: u32, n: u32): bool {
  const slot = tunnelUsed(tunnel) ? tunnelActive(tunnel) : -1;
  if (slot < 0) {
    count(COUNTER_OUT_NO_SA);
    return false;
  }
  const reason = obstacle(tunnel, 1, n);
  if (reason >= 0) {
    count(reason);
    return false;
  }
  if (!hasRoom(tunnel, slot, 1, n)) {
    count(COUNTER_OUT_NO_ROOM);
    return false;
  }
  encapsulateDummy(tunnel, slot, n);
  sealJobs();
  count(COUNTER_OUT_DUMMIES);
  writeResult(0);
  return true;
}
