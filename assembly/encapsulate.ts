// Makes one datagram of one inner packet, at the end of OUT:
//
//                  ESP         delivery header   GRE              inner packet            padding, ICV
//   gre-transport  SPI seq IV  –                 4-16 bytes       header ‖ payload        yes
//   gre-tunnel     SPI seq IV  20 or 40 bytes    4-16 bytes       header ‖ payload        yes
//   esp-tunnel     SPI seq IV  –                 –                header ‖ payload        yes
//   gre-plain      –           –                 4-16 bytes       header ‖ payload        –
//
// The inner packet comes in two parts so that fragments and segments, whose headers are made anew, need no third copy. The
// cipher runs later over up to JOBS packets of one SA together; sequence number and IV are fixed here.
import { copy } from './copy';
import { transformSeal } from './crypto/transform';
import { ECN_MASK } from './ecn';
import { flowFamily, flowHash } from './flow';
import {
  AUX_OUTER_DF,
  AUX_SA_SHIFT,
  AUX_TUNNEL_SHIFT,
  DF_COPY,
  DF_SET,
  GRE_CHECKSUM,
  JOB_AAD,
  JOB_AAD_LENGTH,
  JOB_BYTES,
  JOB_DATA,
  JOB_ESN,
  JOB_LENGTH,
  JOB_NONCE,
  JOB_TAG,
  OUT,
  OUT_BYTES,
  OUT_DESC_COUNT,
  SHAPE_ESP_TUNNEL,
  SHAPE_GRE_PLAIN,
  SHAPE_GRE_TUNNEL,
  TUNNEL_COPY_DSCP,
  TUNNEL_DELIVERY_FAMILY,
  TUNNEL_DELIVERY_LOCAL,
  TUNNEL_DELIVERY_REMOTE,
  TUNNEL_GRE_FLAGS,
  TUNNEL_GRE_KEY,
  TUNNEL_OUTER_DF,
  TUNNEL_TTL,
} from './layout';
import { addOut, outCount } from './output';
import { carve } from './region';
import {
  lookAtSoftLimits,
  nextSequence,
  outboundSa,
  saAlignment,
  saContext,
  saEsn,
  saIcv,
  saIv,
  saSalt,
  saSpi,
  use,
} from './sa';
import { takeGreSequence, takeIdentification, tunnelBlock, tunnelShape } from './tunnel';
import { ESP_HEADER, ESP_SEQUENCE, espCiphertext, writeTrailer } from './wire/esp';
import { checksumGre, ETHERTYPE_IP4, ETHERTYPE_IP6, greLength, writeGre } from './wire/gre';
import {
  IP4_DF,
  IP4_FRAGMENT,
  IP4_HEADER,
  IP4_ID,
  IP4_PROTOCOL,
  IP4_SOURCE,
  IP4_TARGET,
  IP4_TOS,
  IP4_TOTAL,
  IP4_TTL,
  ip4Checksum,
} from './wire/ip4';
import { IP6_HEADER, IP6_HOPS, IP6_NEXT, IP6_PAYLOAD, IP6_SOURCE, IP6_TARGET } from './wire/ip6';
import { PROTOCOL_GRE, PROTOCOL_IP4, PROTOCOL_IP6, PROTOCOL_NONE } from './wire/protocol';

const JOBS: u32 = 64;
/** Per job: nonce (12 bytes) at 0, additional data (8 or 12) at 16. */
const SCRATCH_BYTES: u32 = 32;

let jobs: usize = 0;
let scratch: usize = 0;
let jobCount: u32 = 0;
let jobSa: usize = 0;
let cursor: usize = OUT;

export function initialiseEncapsulation(): void {
  jobs = carve(JOBS * JOB_BYTES);
  scratch = carve(JOBS * SCRATCH_BYTES);
}

export function startEncapsulation(): void {
  cursor = OUT;
  jobCount = 0;
}

/** Bytes in front of the inner packet, the ESP header aside. */
function innerOverhead(tunnel: u32): u32 {
  const block = tunnelBlock(tunnel);
  const shape = tunnelShape(tunnel);
  if (shape == SHAPE_ESP_TUNNEL) return 0;
  const gre = greLength(load<u32>(block, TUNNEL_GRE_FLAGS));
  if (shape != SHAPE_GRE_TUNNEL) return gre;
  return gre + (load<u32>(block, TUNNEL_DELIVERY_FAMILY) == 4 ? IP4_HEADER : IP6_HEADER);
}

/** Ciphertext bytes that an inner packet of `n` bytes becomes in this tunnel under this SA. */
export function ciphertextLength(tunnel: u32, sa: usize, n: u32): u32 {
  return espCiphertext(innerOverhead(tunnel) + n, saAlignment(sa));
}

/** Can OUT take `packets` more datagrams for inner packets of at most `n` bytes? `slot` as for `encapsulate`. */
export function hasRoom(tunnel: u32, slot: u32, packets: u32, n: u32): bool {
  let each: u64 = innerOverhead(tunnel) + n + 15;
  if (tunnelShape(tunnel) != SHAPE_GRE_PLAIN) {
    const sa = outboundSa(slot);
    each = ESP_HEADER + saIv(sa) + ciphertextLength(tunnel, sa, n) + saIcv(sa);
  }
  return (
    outCount + packets <= <u32>OUT_DESC_COUNT && <u64>(cursor - OUT) + each * <u64>packets <= <u64>OUT_BYTES
  );
}

/** Outer TOS for an inner one: ECN as RFC 6040 §4.1 says, DSCP by the tunnel's choice. */
function outerTos(block: usize, tos: u32): u32 {
  return load<u32>(block, TUNNEL_COPY_DSCP) ? tos : tos & ECN_MASK;
}

/**
 * The outer header's DF for an inner packet, as RFC 4301 §8.1 lets it be chosen. `whole`: it may not be fragmented, by its own
 * DF or because it is IPv6; that is what "copy" copies, as Linux does.
 */
@inline
function outerDf(block: usize, whole: bool): u32 {
  const choice = load<u32>(block, TUNNEL_OUTER_DF);
  return choice == DF_SET || (choice == DF_COPY && whole) ? AUX_OUTER_DF : 0;
}

/**
 * Writes the delivery header for `n` bytes behind it; returns its length.
 *
 * DF goes outwards where the inner packet has it (RFC 2003 §3.1). With DF the datagram is atomic and its identification
 * means nothing (RFC 6864 §4.1): zero. Without, it is unique.
 */
function writeDelivery(p: usize, tunnel: u32, block: usize, n: u32, tos: u32, whole: bool): u32 {
  const ttl = load<u8>(block, TUNNEL_TTL);
  if (load<u32>(block, TUNNEL_DELIVERY_FAMILY) == 4) {
    store<u8>(p, 0x45);
    store<u8>(p, <u8>tos, IP4_TOS);
    store<u16>(p, bswap<u16>(<u16>(IP4_HEADER + n)), IP4_TOTAL);
    store<u16>(p, whole ? 0 : bswap<u16>(<u16>takeIdentification(tunnel)), IP4_ID);
    store<u16>(p, whole ? bswap<u16>(<u16>IP4_DF) : 0, IP4_FRAGMENT);
    store<u8>(p, ttl, IP4_TTL);
    store<u8>(p, <u8>PROTOCOL_GRE, IP4_PROTOCOL);
    store<u32>(p, load<u32>(block, TUNNEL_DELIVERY_LOCAL), IP4_SOURCE);
    store<u32>(p, load<u32>(block, TUNNEL_DELIVERY_REMOTE), IP4_TARGET);
    ip4Checksum(p, IP4_HEADER);
    return IP4_HEADER;
  }
  // RFC 6438 §3: the flow label tells flows apart that one tunnel carries; never zero, which would mean "none".
  const label = max<u32>(flowHash() >> 12, 1);
  store<u32>(p, bswap<u32>(0x60000000 | (tos << 20) | label));
  store<u16>(p, bswap<u16>(<u16>n), IP6_PAYLOAD);
  store<u8>(p, <u8>PROTOCOL_GRE, IP6_NEXT);
  store<u8>(p, ttl, IP6_HOPS);
  v128.store(p, v128.load(block, TUNNEL_DELIVERY_LOCAL), IP6_SOURCE);
  v128.store(p, v128.load(block, TUNNEL_DELIVERY_REMOTE), IP6_TARGET);
  return IP6_HEADER;
}

/** Writes GRE header and inner packet at p; returns their length. */
function writeGrePacket(
  p: usize,
  tunnel: u32,
  block: usize,
  header: usize,
  headerLength: u32,
  payload: usize,
  payloadLength: u32,
): u32 {
  const flags = load<u32>(block, TUNNEL_GRE_FLAGS);
  const length = greLength(flags);
  const etherType = flowFamily == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
  writeGre(p, flags, load<u32>(block, TUNNEL_GRE_KEY), takeGreSequence(tunnel), etherType);
  copy(p + length, header, headerLength);
  if (payloadLength) copy(p + length + headerLength, payload, payloadLength);
  const total = length + headerLength + payloadLength;
  if (flags & GRE_CHECKSUM) checksumGre(p, total);
  return total;
}

/**
 * Encapsulates header ‖ payload, one inner packet of the flow last read, for `tunnel` through the outbound SA in `slot`
 * (meaningless for plain GRE). Room, limits and sequence numbers are there: the caller asked.
 */
export function encapsulate(
  tunnel: u32,
  slot: u32,
  header: usize,
  headerLength: u32,
  payload: usize,
  payloadLength: u32,
  innerTos: u32,
  whole: bool,
): void {
  const block = tunnelBlock(tunnel);
  const shape = tunnelShape(tunnel);
  const tos = outerTos(block, innerTos);
  const start = cursor;
  let aux = tos | (tunnel << AUX_TUNNEL_SHIFT) | outerDf(block, whole);
  if (shape == SHAPE_GRE_PLAIN) {
    const length = writeGrePacket(start, tunnel, block, header, headerLength, payload, payloadLength);
    addOut(start, length, aux);
    cursor = start + ((length + 15) & ~15);
    return;
  }
  const sa = outboundSa(slot);
  const body = start + ESP_HEADER + saIv(sa);
  let length: u32 = 0;
  let next = flowFamily == 4 ? PROTOCOL_IP4 : PROTOCOL_IP6;
  if (shape == SHAPE_ESP_TUNNEL) {
    copy(body, header, headerLength);
    if (payloadLength) copy(body + headerLength, payload, payloadLength);
    length = headerLength + payloadLength;
  } else if (shape == SHAPE_GRE_TUNNEL) {
    next = load<u32>(block, TUNNEL_DELIVERY_FAMILY) == 4 ? PROTOCOL_IP4 : PROTOCOL_IP6;
    const delivered = greLength(load<u32>(block, TUNNEL_GRE_FLAGS)) + headerLength + payloadLength;
    length = writeDelivery(body, tunnel, block, delivered, tos, whole);
    length += writeGrePacket(body + length, tunnel, block, header, headerLength, payload, payloadLength);
  } else {
    next = PROTOCOL_GRE;
    length = writeGrePacket(body, tunnel, block, header, headerLength, payload, payloadLength);
  }
  aux |= slot << AUX_SA_SHIFT;
  addOut(start, finishEsp(start, sa, length, next), aux);
}

/** A dummy packet of `n` zero bytes (RFC 4303 §2.6: what is inside has no meaning). */
export function encapsulateDummy(tunnel: u32, slot: u32, n: u32): void {
  const start = cursor;
  const sa = outboundSa(slot);
  memory.fill(start + ESP_HEADER + saIv(sa), 0, n);
  // Nothing inside has a DF to copy; a dummy is as long as we please and fits the path.
  const aux = (tunnel << AUX_TUNNEL_SHIFT) | (slot << AUX_SA_SHIFT) | outerDf(tunnelBlock(tunnel), true);
  addOut(start, finishEsp(start, sa, n, PROTOCOL_NONE), aux);
}

/** ESP header, IV and trailer around `n` bytes of payload, and a job for the cipher; returns the datagram's length. */
function finishEsp(start: usize, sa: usize, n: u32, next: u32): u32 {
  if (jobCount == JOBS || jobSa != sa) sealJobs();
  jobSa = sa;
  const ciphertext = espCiphertext(n, saAlignment(sa));
  const ivLength = saIv(sa);
  const body = <u32>start + ESP_HEADER + ivLength;
  writeTrailer(body, n, ciphertext, next);
  const sequence = nextSequence(sa);
  use(sa, ciphertext);
  const spi = bswap<u32>(saSpi(sa));
  const low = bswap<u32>(<u32>sequence);
  const high = bswap<u32>(<u32>(sequence >> 32));
  store<u32>(start, spi);
  store<u32>(start, low, ESP_SEQUENCE);
  // The IV is the sequence number in 64 bits: it never repeats while the SA lives (RFC 4106 §3.1, RFC 7634 §2, RFC 3686 §3.1).
  // With AES-CBC it is the nonce of which the IV is made (crypto/aes-cbc.ts).
  const iv = bswap<u64>(sequence);
  if (ivLength) store<u64>(body - 8, iv);
  if (ivLength > 8) store<u64>(body - 16, 0);

  const notes = scratch + jobCount * SCRATCH_BYTES;
  store<u32>(notes, saSalt(sa));
  store<u64>(notes, iv, 4);
  // Additional data: SPI and sequence number, the high half between them with ESN (RFC 4106 §5, RFC 7634 §2.1).
  store<u32>(notes, spi, 16);
  let additional: u32 = 8;
  if (saEsn(sa)) {
    store<u32>(notes, high, 20);
    store<u32>(notes, low, 24);
    additional = 12;
  } else store<u32>(notes, low, 20);

  const job = jobs + jobCount * JOB_BYTES;
  store<u32>(job, body, JOB_DATA);
  store<u32>(job, ciphertext, JOB_LENGTH);
  store<u32>(job, <u32>notes + 16, JOB_AAD);
  store<u32>(job, additional, JOB_AAD_LENGTH);
  store<u32>(job, <u32>notes, JOB_NONCE);
  store<u32>(job, body + ciphertext, JOB_TAG);
  store<u32>(job, saEsn(sa) ? <u32>notes + 20 : 0, JOB_ESN);
  jobCount++;
  const length = body + ciphertext + saIcv(sa) - <u32>start;
  // Packed without gaps: datagrams of one length are then segments of one UDP_SEGMENT message.
  cursor = start + length;
  return length;
}

/** Encrypts what waits. Until then OUT holds plaintext, so every entry of the ABI ends here. */
export function sealJobs(): void {
  if (!jobCount) return;
  transformSeal(saContext(jobSa), jobs, jobCount);
  jobCount = 0;
  lookAtSoftLimits(jobSa);
}
