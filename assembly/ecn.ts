// Explicit Congestion Notification across the tunnel, normal mode (RFC 6040). Ingress copies the inner field outwards
// (§4.1); egress follows the table of §4.2:
//
//              outer  Not-ECT   ECT(0)    ECT(1)    CE
//     inner Not-ECT   Not-ECT   Not-ECT   Not-ECT   drop
//            ECT(0)   ECT(0)    ECT(0)    ECT(1)    CE
//            ECT(1)   ECT(1)    ECT(1)    ECT(1)    CE
//                CE   CE        CE        CE        CE
import { update } from './wire/checksum';
import { ip6TrafficClass } from './wire/ip6';

export const NOT_ECT: u32 = 0;
export const ECT1: u32 = 1;
export const ECT0: u32 = 2;
export const CE: u32 = 3;
export const ECN_MASK: u32 = 3;

/** The field for the packet that goes on, or -1: drop it. */
export function combineEcn(outer: u32, inner: u32): i32 {
  if (inner == NOT_ECT) return outer == CE ? -1 : NOT_ECT;
  if (outer == CE || inner == CE) return CE;
  return outer == ECT1 ? ECT1 : inner;
}

/** Writes the field into the IP header at p and keeps an IPv4 checksum right. */
export function setEcn(p: usize, family: u32, ecn: u32): void {
  if (family == 4) {
    const before = load<u16>(p);
    const after = <u16>((<u32>before & 0xfcff) | (ecn << 8));
    if (before == after) return;
    store<u16>(p, after);
    update(p + 10, before, after);
  } else {
    const traffic = (ip6TrafficClass(p) & 0xfc) | ecn;
    store<u8>(p, <u8>((<u32>load<u8>(p) & 0xf0) | (traffic >> 4)));
    store<u8>(p, <u8>((<u32>load<u8>(p, 1) & 0x0f) | ((traffic & 15) << 4)), 1);
  }
}
