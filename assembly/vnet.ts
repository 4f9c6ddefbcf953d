// Do packets for the TUN carry a virtio_net_hdr in front? (A TUN opened with IFF_VNET_HDR.) The header itself:
//
//    0 flags u8 │ 1 gso_type u8 │ 2 hdr_len u16 │ 4 gso_size u16 │ 6 csum_start u16 │ 8 csum_offset u16   little-endian
import { VNET_HEADER_BYTES } from './layout';

export let tunHeaderBytes: u32 = 0;

export function configureVnet(on: u32): void {
  tunHeaderBytes = on ? VNET_HEADER_BYTES : 0;
}

/** Writes an empty header (no offload) in front of the packet at p and returns where it starts. */
// @ts-ignore: decorator
@inline
export function prependTunHeader(p: usize): usize {
  if (!tunHeaderBytes) return p;
  store<u64>(p - VNET_HEADER_BYTES, 0);
  store<u16>(p - 2, 0);
  return p - VNET_HEADER_BYTES;
}
