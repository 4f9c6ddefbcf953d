// Congestion Experienced on an inner packet that can carry it (RFC 3168 §5), in place of dropping it. For the few packets
// that CoDel picks; what seal and open do with ECN is in assembly/ecn.ts.

const CE = 3;

/** Marks the IP packet at `offset`. False: it is not ECN-capable (or no IP packet), so dropping is all there is. */
export function markCongestion(bytes: Uint8Array, offset: number): boolean {
  const first = bytes[offset]!;
  if (first >> 4 === 4) {
    const tos = bytes[offset + 1]!;
    if ((tos & CE) === 0) return false;
    bytes[offset + 1] = tos | CE;
    // RFC 1624 §3: HC' = ~(~HC + ~m + m'), for the word of version, IHL and TOS.
    const before = (first << 8) | tos;
    const after = before | CE;
    let sum = (~((bytes[offset + 10]! << 8) | bytes[offset + 11]!) & 0xffff) + (~before & 0xffff) + after;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    bytes[offset + 10] = (~sum >> 8) & 0xff;
    bytes[offset + 11] = ~sum & 0xff;
    return true;
  }
  if (first >> 4 !== 6) return false;
  // The traffic class lies across two bytes; its last two bits are ECN.
  const second = bytes[offset + 1]!;
  if ((second & 0x30) === 0) return false;
  bytes[offset + 1] = second | (CE << 4);
  return true;
}
