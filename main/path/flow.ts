// Which flow a packet belongs to, as a small number, so that a flow with little to say need not wait behind one with much
// (the idea of RFC 8290, with two queues instead of one for each flow). Packets of one flow always get one number; several
// flows may share it.

export const FLOWS = 1024;
const TCP = 6;
const ICMP = 1;
const ICMP6 = 58;

/**
 * Of the inner packet of `length` bytes at `offset`: addresses, what is TCP, what is ICMP and what is neither, and TCP's
 * ports. Not UDP's, because the fragments of a datagram do not all have them.
 */
export function flowOf(bytes: Uint8Array, offset: number, length: number): number {
  const six = bytes[offset]! >> 4 === 6;
  if (length < (six ? 40 : 20)) return 0;
  const protocol = bytes[offset + (six ? 6 : 9)]!;
  let hash = protocol === TCP || protocol === ICMP || protocol === ICMP6 ? protocol : 0;
  const end = offset + (six ? 40 : 20);
  for (let at = offset + (six ? 8 : 12); at < end; at += 2) hash = mix(hash, (bytes[at]! << 8) | bytes[at + 1]!);
  // A header of 20 bytes and no fragment: the ports stand where they are looked for.
  const whole = six || (bytes[offset] === 0x45 && ((bytes[offset + 6]! & 0x3f) | bytes[offset + 7]!) === 0);
  if (protocol === TCP && whole && length >= end - offset + 4)
    hash = mix(mix(hash, (bytes[end]! << 8) | bytes[end + 1]!), (bytes[end + 2]! << 8) | bytes[end + 3]!);
  return (hash ^ (hash >>> 16)) & (FLOWS - 1);
}

function mix(hash: number, value: number): number {
  return Math.imul(hash ^ value, 0x9e3779b1) ^ (hash >>> 15);
}
