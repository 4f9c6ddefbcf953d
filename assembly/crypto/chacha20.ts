// ChaCha20 (RFC 8439 §2.3), four blocks at once: word i of the four blocks in the four lanes of x_i. The blocks may be
// anyone's: counters and nonces come lane by lane, only the key is common.
//
//   lanes    0  │ counter a │ counter b │ counter c │ counter d │   x12
//           16  │ nonce word 0 of a, b, c, d                    │   x13
//           32  │ nonce word 1                                  │   x14
//           48  │ nonce word 2                                  │   x15
//
// ChaCha20 here is vector instructions, Poly1305 is 64-bit multiplications that wait for one another; a processor does both
// at once if they come mixed. So every double round also absorbs two blocks of whatever text Poly1305 has been offered.
import { POLY1305_BLOCKS, POLY1305_R, POLY1305_TEXT } from './poly1305';

export const CHACHA20_LANES_BYTES: i32 = 64;

/** Sets lane 0 … 3 of `lanes`. */
@inline
export function chacha20Lane(lanes: usize, lane: i32, nonce: usize, counter: u32): void {
  const at = lanes + 4 * lane;
  store<u32>(at, counter, 0);
  store<u32>(at, load<u32>(nonce, 0), 16);
  store<u32>(at, load<u32>(nonce, 4), 32);
  store<u32>(at, load<u32>(nonce, 8), 48);
}

/** Sets all lanes: `counter` to `counter + 3` of one nonce. */
@inline
export function chacha20Lanes(lanes: usize, nonce: usize, counter: u32): void {
  v128.store(lanes, i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3)), 0);
  v128.store(lanes, v128.load32_splat(nonce, 0), 16);
  v128.store(lanes, v128.load32_splat(nonce, 4), 32);
  v128.store(lanes, v128.load32_splat(nonce, 8), 48);
}

@inline
function rotate(a: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(a, bits), i32x4.shr_u(a, 32 - bits));
}

/** The bytes of words rotated by 16 and by 8 bits. Masks lie in memory: V8 makes constants anew where they are used. */
@lazy
const ROTATED: usize = memory.data<u8>(
  [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14],
  16,
);

/** With relaxed SIMD one instruction; without, `mask` is not used. */
@inline
function rotate16(a: v128, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i8x16.relaxed_swizzle(a, mask)
    : v128.shuffle<u16>(a, a, 1, 0, 3, 2, 5, 4, 7, 6);
}

@inline
function rotate8(a: v128, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(a, mask) : rotate(a, 8);
}

/**
 * 256 bytes: `to` becomes `from` XOR the keystream of the four lanes' blocks, one after the other. Beside it, up to twenty
 * blocks of what `poly` has been offered are absorbed; nobody may write them meanwhile.
 */
export function chacha20Blocks4(key: usize, lanes: usize, from: usize, to: usize, poly: usize): void {
  let h0 = load<u64>(poly, 0);
  let h1 = load<u64>(poly, 8);
  let h2 = load<u64>(poly, 16);
  let h3 = load<u64>(poly, 24);
  let h4 = load<u64>(poly, 32);
  const r0 = load<u64>(poly, POLY1305_R);
  const r1 = load<u64>(poly, POLY1305_R + 8);
  const r2 = load<u64>(poly, POLY1305_R + 16);
  const r3 = load<u64>(poly, POLY1305_R + 24);
  const s1 = r1 + (r1 >> 2);
  const s2 = r2 + (r2 >> 2);
  const s3 = r3 + (r3 >> 2);
  let text: usize = load<u32>(poly, POLY1305_TEXT);
  let blocks: i32 = load<u32>(poly, POLY1305_BLOCKS);
  const by16 = v128.load(ROTATED, 0);
  const by8 = v128.load(ROTATED, 16);

  let x0 = i32x4.splat(0x61707865);
  let x1 = i32x4.splat(0x3320646e);
  let x2 = i32x4.splat(0x79622d32);
  let x3 = i32x4.splat(0x6b206574);
  let x4 = v128.load32_splat(key, 0);
  let x5 = v128.load32_splat(key, 4);
  let x6 = v128.load32_splat(key, 8);
  let x7 = v128.load32_splat(key, 12);
  let x8 = v128.load32_splat(key, 16);
  let x9 = v128.load32_splat(key, 20);
  let x10 = v128.load32_splat(key, 24);
  let x11 = v128.load32_splat(key, 28);
  let x12 = v128.load(lanes, 0);
  let x13 = v128.load(lanes, 16);
  let x14 = v128.load(lanes, 32);
  let x15 = v128.load(lanes, 48);

  for (let i = 0; i < 10; i++) {
    // Column rounds, the four quarter rounds step by step together.
    x0 = i32x4.add(x0, x4);
    x1 = i32x4.add(x1, x5);
    x2 = i32x4.add(x2, x6);
    x3 = i32x4.add(x3, x7);
    x12 = rotate16(v128.xor(x12, x0), by16);
    x13 = rotate16(v128.xor(x13, x1), by16);
    x14 = rotate16(v128.xor(x14, x2), by16);
    x15 = rotate16(v128.xor(x15, x3), by16);
    x8 = i32x4.add(x8, x12);
    x9 = i32x4.add(x9, x13);
    x10 = i32x4.add(x10, x14);
    x11 = i32x4.add(x11, x15);
    x4 = rotate(v128.xor(x4, x8), 12);
    x5 = rotate(v128.xor(x5, x9), 12);
    x6 = rotate(v128.xor(x6, x10), 12);
    x7 = rotate(v128.xor(x7, x11), 12);
    x0 = i32x4.add(x0, x4);
    x1 = i32x4.add(x1, x5);
    x2 = i32x4.add(x2, x6);
    x3 = i32x4.add(x3, x7);
    x12 = rotate8(v128.xor(x12, x0), by8);
    x13 = rotate8(v128.xor(x13, x1), by8);
    x14 = rotate8(v128.xor(x14, x2), by8);
    x15 = rotate8(v128.xor(x15, x3), by8);
    x8 = i32x4.add(x8, x12);
    x9 = i32x4.add(x9, x13);
    x10 = i32x4.add(x10, x14);
    x11 = i32x4.add(x11, x15);
    x4 = rotate(v128.xor(x4, x8), 7);
    x5 = rotate(v128.xor(x5, x9), 7);
    x6 = rotate(v128.xor(x6, x10), 7);
    x7 = rotate(v128.xor(x7, x11), 7);
    // Poly1305, as in poly1305Absorb.
    if (blocks >= 2) {
      h0 += <u64>load<u32>(text, 0);
      h1 += <u64>load<u32>(text, 4);
      h2 += <u64>load<u32>(text, 8);
      h3 += <u64>load<u32>(text, 12);
      h4 += 1;
      const d0 = h0 * r0 + h1 * s3 + h2 * s2 + h3 * s1;
      const d1 = h0 * r1 + h1 * r0 + h2 * s3 + h3 * s2 + h4 * s1;
      const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s3 + h4 * s2;
      const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s3;
      h4 = h4 * r0 + (d3 >> 32);
      h0 = (d0 & 0xffffffff) + (h4 >> 2) * 5;
      h1 = (d1 & 0xffffffff) + (d0 >> 32);
      h2 = (d2 & 0xffffffff) + (d1 >> 32);
      h3 = (d3 & 0xffffffff) + (d2 >> 32);
      h4 &= 3;
      h0 += <u64>load<u32>(text, 16);
      h1 += <u64>load<u32>(text, 20);
      h2 += <u64>load<u32>(text, 24);
      h3 += <u64>load<u32>(text, 28);
      h4 += 1;
      const e0 = h0 * r0 + h1 * s3 + h2 * s2 + h3 * s1;
      const e1 = h0 * r1 + h1 * r0 + h2 * s3 + h3 * s2 + h4 * s1;
      const e2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s3 + h4 * s2;
      const e3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s3;
      h4 = h4 * r0 + (e3 >> 32);
      h0 = (e0 & 0xffffffff) + (h4 >> 2) * 5;
      h1 = (e1 & 0xffffffff) + (e0 >> 32);
      h2 = (e2 & 0xffffffff) + (e1 >> 32);
      h3 = (e3 & 0xffffffff) + (e2 >> 32);
      h4 &= 3;
      text += 32;
      blocks -= 2;
    }
    // Diagonal rounds.
    x0 = i32x4.add(x0, x5);
    x1 = i32x4.add(x1, x6);
    x2 = i32x4.add(x2, x7);
    x3 = i32x4.add(x3, x4);
    x15 = rotate16(v128.xor(x15, x0), by16);
    x12 = rotate16(v128.xor(x12, x1), by16);
    x13 = rotate16(v128.xor(x13, x2), by16);
    x14 = rotate16(v128.xor(x14, x3), by16);
    x10 = i32x4.add(x10, x15);
    x11 = i32x4.add(x11, x12);
    x8 = i32x4.add(x8, x13);
    x9 = i32x4.add(x9, x14);
    x5 = rotate(v128.xor(x5, x10), 12);
    x6 = rotate(v128.xor(x6, x11), 12);
    x7 = rotate(v128.xor(x7, x8), 12);
    x4 = rotate(v128.xor(x4, x9), 12);
    x0 = i32x4.add(x0, x5);
    x1 = i32x4.add(x1, x6);
    x2 = i32x4.add(x2, x7);
    x3 = i32x4.add(x3, x4);
    x15 = rotate8(v128.xor(x15, x0), by8);
    x12 = rotate8(v128.xor(x12, x1), by8);
    x13 = rotate8(v128.xor(x13, x2), by8);
    x14 = rotate8(v128.xor(x14, x3), by8);
    x10 = i32x4.add(x10, x15);
    x11 = i32x4.add(x11, x12);
    x8 = i32x4.add(x8, x13);
    x9 = i32x4.add(x9, x14);
    x5 = rotate(v128.xor(x5, x10), 7);
    x6 = rotate(v128.xor(x6, x11), 7);
    x7 = rotate(v128.xor(x7, x8), 7);
    x4 = rotate(v128.xor(x4, x9), 7);
  }

  x0 = i32x4.add(x0, i32x4.splat(0x61707865));
  x1 = i32x4.add(x1, i32x4.splat(0x3320646e));
  x2 = i32x4.add(x2, i32x4.splat(0x79622d32));
  x3 = i32x4.add(x3, i32x4.splat(0x6b206574));
  x4 = i32x4.add(x4, v128.load32_splat(key, 0));
  x5 = i32x4.add(x5, v128.load32_splat(key, 4));
  x6 = i32x4.add(x6, v128.load32_splat(key, 8));
  x7 = i32x4.add(x7, v128.load32_splat(key, 12));
  x8 = i32x4.add(x8, v128.load32_splat(key, 16));
  x9 = i32x4.add(x9, v128.load32_splat(key, 20));
  x10 = i32x4.add(x10, v128.load32_splat(key, 24));
  x11 = i32x4.add(x11, v128.load32_splat(key, 28));
  x12 = i32x4.add(x12, v128.load(lanes, 0));
  x13 = i32x4.add(x13, v128.load(lanes, 16));
  x14 = i32x4.add(x14, v128.load(lanes, 32));
  x15 = i32x4.add(x15, v128.load(lanes, 48));

  store<u64>(poly, h0, 0);
  store<u64>(poly, h1, 8);
  store<u64>(poly, h2, 16);
  store<u64>(poly, h3, 24);
  store<u64>(poly, h4, 32);
  store<u32>(poly, text, POLY1305_TEXT);
  store<u32>(poly, blocks, POLY1305_BLOCKS);

  // Four words of four blocks become four words in a row of each block.
  addRows(from + 0, to + 0, x0, x1, x2, x3);
  addRows(from + 16, to + 16, x4, x5, x6, x7);
  addRows(from + 32, to + 32, x8, x9, x10, x11);
  addRows(from + 48, to + 48, x12, x13, x14, x15);
}

@inline
function addRows(from: usize, to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const ab23 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cd23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.xor(v128.load(from, 0), v128.shuffle<u64>(ab01, cd01, 0, 2)), 0);
  v128.store(to, v128.xor(v128.load(from, 64), v128.shuffle<u64>(ab01, cd01, 1, 3)), 64);
  v128.store(to, v128.xor(v128.load(from, 128), v128.shuffle<u64>(ab23, cd23, 0, 2)), 128);
  v128.store(to, v128.xor(v128.load(from, 192), v128.shuffle<u64>(ab23, cd23, 1, 3)), 192);
}
