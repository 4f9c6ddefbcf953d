// ChaCha20 (RFC 8439 §2.3, §2.4), four blocks at once: word i of four consecutive blocks in the four lanes of x_i.
//
//        block:   n    n+1   n+2   n+3
//   x0         │ expa │ expa │ expa │ expa │
//   …
//   x12        │  n   │ n+1  │ n+2  │ n+3  │

/** Left rotation of every 32-bit lane. */
// @ts-ignore: decorator
@inline
function rotate(a: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(a, bits), i32x4.shr_u(a, 32 - bits));
}

/** 256 bytes of keystream into `out`: blocks `counter` to `counter + 3`. */
export function chacha20Blocks4(key: usize, nonce: usize, counter: u32, out: usize): void {
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
  let x12 = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  let x13 = v128.load32_splat(nonce, 0);
  let x14 = v128.load32_splat(nonce, 4);
  let x15 = v128.load32_splat(nonce, 8);

  for (let i = 0; i < 10; i++) {
    x0 = i32x4.add(x0, x4);
    x12 = rotate(v128.xor(x12, x0), 16);
    x8 = i32x4.add(x8, x12);
    x4 = rotate(v128.xor(x4, x8), 12);
    x0 = i32x4.add(x0, x4);
    x12 = rotate(v128.xor(x12, x0), 8);
    x8 = i32x4.add(x8, x12);
    x4 = rotate(v128.xor(x4, x8), 7);
    x1 = i32x4.add(x1, x5);
    x13 = rotate(v128.xor(x13, x1), 16);
    x9 = i32x4.add(x9, x13);
    x5 = rotate(v128.xor(x5, x9), 12);
    x1 = i32x4.add(x1, x5);
    x13 = rotate(v128.xor(x13, x1), 8);
    x9 = i32x4.add(x9, x13);
    x5 = rotate(v128.xor(x5, x9), 7);
    x2 = i32x4.add(x2, x6);
    x14 = rotate(v128.xor(x14, x2), 16);
    x10 = i32x4.add(x10, x14);
    x6 = rotate(v128.xor(x6, x10), 12);
    x2 = i32x4.add(x2, x6);
    x14 = rotate(v128.xor(x14, x2), 8);
    x10 = i32x4.add(x10, x14);
    x6 = rotate(v128.xor(x6, x10), 7);
    x3 = i32x4.add(x3, x7);
    x15 = rotate(v128.xor(x15, x3), 16);
    x11 = i32x4.add(x11, x15);
    x7 = rotate(v128.xor(x7, x11), 12);
    x3 = i32x4.add(x3, x7);
    x15 = rotate(v128.xor(x15, x3), 8);
    x11 = i32x4.add(x11, x15);
    x7 = rotate(v128.xor(x7, x11), 7);
    x0 = i32x4.add(x0, x5);
    x15 = rotate(v128.xor(x15, x0), 16);
    x10 = i32x4.add(x10, x15);
    x5 = rotate(v128.xor(x5, x10), 12);
    x0 = i32x4.add(x0, x5);
    x15 = rotate(v128.xor(x15, x0), 8);
    x10 = i32x4.add(x10, x15);
    x5 = rotate(v128.xor(x5, x10), 7);
    x1 = i32x4.add(x1, x6);
    x12 = rotate(v128.xor(x12, x1), 16);
    x11 = i32x4.add(x11, x12);
    x6 = rotate(v128.xor(x6, x11), 12);
    x1 = i32x4.add(x1, x6);
    x12 = rotate(v128.xor(x12, x1), 8);
    x11 = i32x4.add(x11, x12);
    x6 = rotate(v128.xor(x6, x11), 7);
    x2 = i32x4.add(x2, x7);
    x13 = rotate(v128.xor(x13, x2), 16);
    x8 = i32x4.add(x8, x13);
    x7 = rotate(v128.xor(x7, x8), 12);
    x2 = i32x4.add(x2, x7);
    x13 = rotate(v128.xor(x13, x2), 8);
    x8 = i32x4.add(x8, x13);
    x7 = rotate(v128.xor(x7, x8), 7);
    x3 = i32x4.add(x3, x4);
    x14 = rotate(v128.xor(x14, x3), 16);
    x9 = i32x4.add(x9, x14);
    x4 = rotate(v128.xor(x4, x9), 12);
    x3 = i32x4.add(x3, x4);
    x14 = rotate(v128.xor(x14, x3), 8);
    x9 = i32x4.add(x9, x14);
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
  x12 = i32x4.add(x12, i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3)));
  x13 = i32x4.add(x13, v128.load32_splat(nonce, 0));
  x14 = i32x4.add(x14, v128.load32_splat(nonce, 4));
  x15 = i32x4.add(x15, v128.load32_splat(nonce, 8));

  // Four words of four blocks, turned into four words in a row of each block.
  storeRows(out + 0, x0, x1, x2, x3);
  storeRows(out + 16, x4, x5, x6, x7);
  storeRows(out + 32, x8, x9, x10, x11);
  storeRows(out + 48, x12, x13, x14, x15);
}

// @ts-ignore: decorator
@inline
function storeRows(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const ab23 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cd23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(ab01, cd01, 0, 2), 0);
  v128.store(out, v128.shuffle<u64>(ab01, cd01, 1, 3), 64);
  v128.store(out, v128.shuffle<u64>(ab23, cd23, 0, 2), 128);
  v128.store(out, v128.shuffle<u64>(ab23, cd23, 1, 3), 192);
}
