// The Internet checksum (RFC 1071) and its incremental update (RFC 1624). Sums are taken over the bytes as little-endian
// 16-bit words, which RFC 1071 §2(B) allows: the result is right when stored little-endian, too.

/** Folds a sum of words to 16 bits. */
export function fold(sum: u64): u32 {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  let low = <u32>sum;
  low = (low & 0xffff) + (low >> 16);
  return (low & 0xffff) + (low >> 16);
}

/** The one's complement sum of `n` bytes, not folded, not complemented; `n` may be odd (a zero byte is thought behind). */
export function sum(at: usize, n: usize): u64 {
  let total: u64 = 0;
  if (n >= 16) {
    // 32-bit lanes cannot overflow: each step adds at most 2 * 0xffff, and packets have at most 65,536 / 16 steps.
    let lanes = i32x4.splat(0);
    do {
      lanes = i32x4.add(lanes, i32x4.extadd_pairwise_i16x8_u(v128.load(at)));
      at += 16;
      n -= 16;
    } while (n >= 16);
    total =
      <u64>(<u32>i32x4.extract_lane(lanes, 0)) +
      <u64>(<u32>i32x4.extract_lane(lanes, 1)) +
      <u64>(<u32>i32x4.extract_lane(lanes, 2)) +
      <u64>(<u32>i32x4.extract_lane(lanes, 3));
  }
  for (; n >= 4; n -= 4, at += 4) total += load<u32>(at);
  if (n & 2) {
    total += load<u16>(at);
    at += 2;
  }
  if (n & 1) total += load<u8>(at);
  return total;
}

/** The checksum field for a sum: its complement. */
@inline
export function finish(total: u64): u16 {
  return <u16>~fold(total);
}

/**
 * Updates the checksum field at `field` after one 16-bit word changed from `before` to `after`, all as loaded
 * little-endian. HC' = ~(~HC + ~m + m') (RFC 1624 §3, equation 3): the form that never makes a wrong zero.
 */
export function update(field: usize, before: u16, after: u16): void {
  const total = <u64>(~load<u16>(field) & 0xffff) + <u64>(~before & 0xffff) + <u64>after;
  store<u16>(field, <u16>~fold(total));
}
