// What a TUN opened with IFF_VNET_HDR puts in front of every packet: a virtio_net_hdr, with which the kernel leaves us the
// work of a network card. Partial checksums are completed here; super-packets are cut in segment.ts.
//
//    0 flags u8 │ 1 gso_type u8 │ 2 hdr_len u16 │ 4 gso_size u16 │ 6 csum_start u16 │ 8 csum_offset u16   little-endian
import { VNET_HEADER_BYTES } from './layout';
import { fold, sum } from './wire/checksum';

const NEEDS_CSUM: u32 = 1;

export const GSO_NONE: u32 = 0;
export const GSO_TCP4: u32 = 1;
export const GSO_TCP6: u32 = 4;
/** VIRTIO_NET_HDR_GSO_UDP_L4: a datagram to be cut into datagrams, of either family. (3 is UFO: one to be fragmented.) */
export const GSO_UDP: u32 = 5;
/** The segments' CWR flag: only the first may carry it. */
const GSO_ECN: u32 = 0x80;

/** Offset of the checksum field in a UDP header, which tells UDP from TCP here. */
const UDP_CHECKSUM: u32 = 6;

/** Bytes in front of every packet for the TUN: VNET_HEADER_BYTES or 0. */
export let tunHeaderBytes: u32 = 0;

/** May GSO_UDP be written to it? */
export let tunTakesUso: bool = false;

export function configureVnet(on: u32, uso: u32): void {
  tunHeaderBytes = on ? VNET_HEADER_BYTES : 0;
  tunTakesUso = on != 0 && uso != 0;
}

/** Writes an empty header (no offload) in front of the packet at p and returns where it starts. */
@inline
export function prependTunHeader(p: usize): usize {
  if (!tunHeaderBytes) return p;
  store<u64>(p - VNET_HEADER_BYTES, 0);
  store<u16>(p - 2, 0);
  return p - VNET_HEADER_BYTES;
}

/** GSO_* of the header at h, without the ECN bit. */
@inline
export function gsoType(h: usize): u32 {
  return <u32>load<u8>(h, 1) & ~GSO_ECN;
}

/** Payload bytes of every segment but the last. */
@inline
export function gsoSize(h: usize): u32 {
  return load<u16>(h, 4);
}

/** Does the header at h leave the checksum to us? */
@inline
export function needsChecksum(h: usize): bool {
  return (<u32>load<u8>(h) & NEEDS_CSUM) != 0;
}

/**
 * Completes the checksum of the `n` bytes at p, whose header is at h: the field holds the pseudo-header's sum already.
 * Clears the flag, so that a packet which is given again is not summed twice. False where the header points outside.
 */
export function completeChecksum(h: usize, p: usize, n: u32): bool {
  if (!needsChecksum(h)) return true;
  const start: u32 = load<u16>(h, 6);
  const offset: u32 = load<u16>(h, 8);
  if (start + offset + 2 > n) return false;
  let value = ~fold(sum(p + start, n - start)) & 0xffff;
  // RFC 768: a computed zero is sent as all ones, since zero means "no checksum".
  if (value == 0 && offset == UDP_CHECKSUM) value = 0xffff;
  store<u16>(p + start + offset, <u16>value);
  store<u8>(h, <u8>(<u32>load<u8>(h) & ~NEEDS_CSUM));
  return true;
}

/** Writes the header of a super-packet whose checksum is partial. */
export function writeGso(h: usize, type: u32, headers: u32, size: u32, checksumStart: u32, checksumOffset: u32): void {
  store<u8>(h, <u8>NEEDS_CSUM);
  store<u8>(h, <u8>type, 1);
  store<u16>(h, <u16>headers, 2);
  store<u16>(h, <u16>size, 4);
  store<u16>(h, <u16>checksumStart, 6);
  store<u16>(h, <u16>checksumOffset, 8);
}
