// Poly1305 (RFC 8439 §2.5): a polynomial in r modulo 2^130 - 5, in limbs of 32 bits with lazy carries.
//
//   state    0   h0 … h3   u64 each, below 2^33.2: carries still to be made
//           32   h4        u64, below 4
//           40   r0 … r3   u64 each, clamped, below 2^28
//           72   s         16 bytes
//           88   text      u32, where the next block lies
//           92   blocks    u32, how many of them have not been absorbed
//
// One pass of carries after each block, every limb at once, is enough. With the text added, h0 stays below 1.41e10 and
// h1, h2, h3 below 1.25e10; r below 2.69e8, s = 5/4·r below 3.36e8; so the largest sum, d0 = h0·r0 + h1·s3 + h2·s2 + h3·s1,
// stays below 1.65e19 < 2^64, and its carry below 3.84e9, which gives the bounds on h again.

export const POLY1305_BYTES: i32 = 96;
export const POLY1305_R: usize = 40;
export const POLY1305_TEXT: usize = 88;
export const POLY1305_BLOCKS: usize = 92;
const S: usize = 72;

/** `key` is the 32-byte one-time key: r, then s. */
export function poly1305Begin(poly: usize, key: usize): void {
  v128.store(poly, i64x2.splat(0), 0);
  v128.store(poly, i64x2.splat(0), 16);
  store<u64>(poly, 0, 32);
  store<u64>(poly, load<u32>(key, 0) & 0x0fffffff, POLY1305_R);
  store<u64>(poly, load<u32>(key, 4) & 0x0ffffffc, POLY1305_R + 8);
  store<u64>(poly, load<u32>(key, 8) & 0x0ffffffc, POLY1305_R + 16);
  store<u64>(poly, load<u32>(key, 12) & 0x0ffffffc, POLY1305_R + 24);
  v128.store(poly, v128.load(key, 16), S);
  store<u64>(poly, 0, POLY1305_TEXT);
}

/** Leaves `blocks` whole blocks at `text` to be absorbed, here or beside ChaCha20 (chacha20Blocks4). */
export function poly1305Offer(poly: usize, text: usize, blocks: i32): void {
  store<u32>(poly, text, POLY1305_TEXT);
  store<u32>(poly, blocks, POLY1305_BLOCKS);
}

/** Absorbs what has been offered and is left, each block with the bit 2^128 on top (§2.5.1). */
export function poly1305Absorb(poly: usize): void {
  let text: usize = load<u32>(poly, POLY1305_TEXT);
  const end = text + 16 * load<u32>(poly, POLY1305_BLOCKS);
  store<u32>(poly, 0, POLY1305_BLOCKS);
  let h0 = load<u64>(poly, 0);
  let h1 = load<u64>(poly, 8);
  let h2 = load<u64>(poly, 16);
  let h3 = load<u64>(poly, 24);
  let h4 = load<u64>(poly, 32);
  const r0 = load<u64>(poly, POLY1305_R);
  const r1 = load<u64>(poly, POLY1305_R + 8);
  const r2 = load<u64>(poly, POLY1305_R + 16);
  const r3 = load<u64>(poly, POLY1305_R + 24);
  // 2^128 = 2^130 / 4, and r1, r2, r3 are multiples of 4: what passes 2^128 comes back times 5/4.
  const s1 = r1 + (r1 >> 2);
  const s2 = r2 + (r2 >> 2);
  const s3 = r3 + (r3 >> 2);

  for (; text < end; text += 16) {
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
  }

  store<u64>(poly, h0, 0);
  store<u64>(poly, h1, 8);
  store<u64>(poly, h2, 16);
  store<u64>(poly, h3, 24);
  store<u64>(poly, h4, 32);
}

/** tag = (h mod 2^130 - 5) + s mod 2^128 (§2.5.1), as 16 little-endian bytes. */
export function poly1305Finish(poly: usize): v128 {
  return finish(
    load<u64>(poly, 0),
    load<u64>(poly, 8),
    load<u64>(poly, 16),
    load<u64>(poly, 24),
    load<u64>(poly, 32),
    poly + S,
  );
}

@inline
function finish(h0: u64, h1: u64, h2: u64, h3: u64, h4: u64, s: usize): v128 {
  h1 += h0 >> 32;
  h2 += h1 >> 32;
  h3 += h2 >> 32;
  h4 += h3 >> 32;
  h0 = (h0 & 0xffffffff) + (h4 >> 2) * 5;
  h1 = (h1 & 0xffffffff) + (h0 >> 32);
  h2 = (h2 & 0xffffffff) + (h1 >> 32);
  h3 = (h3 & 0xffffffff) + (h2 >> 32);
  h4 = (h4 & 3) + (h3 >> 32);
  // h + 5 reaches 2^130 exactly when h is 2^130 - 5 or more; its low 128 bits are then h - (2^130 - 5).
  const g0 = (h0 & 0xffffffff) + 5;
  const g1 = (h1 & 0xffffffff) + (g0 >> 32);
  const g2 = (h2 & 0xffffffff) + (g1 >> 32);
  const g3 = (h3 & 0xffffffff) + (g2 >> 32);
  const g4 = h4 + (g3 >> 32);
  const reduced: u64 = 0 - (g4 >> 2);

  h0 = ((h0 ^ ((h0 ^ g0) & reduced)) & 0xffffffff) + <u64>load<u32>(s, 0);
  h1 = ((h1 ^ ((h1 ^ g1) & reduced)) & 0xffffffff) + <u64>load<u32>(s, 4) + (h0 >> 32);
  h2 = ((h2 ^ ((h2 ^ g2) & reduced)) & 0xffffffff) + <u64>load<u32>(s, 8) + (h1 >> 32);
  h3 = ((h3 ^ ((h3 ^ g3) & reduced)) & 0xffffffff) + <u64>load<u32>(s, 12) + (h2 >> 32);
  return i32x4.replace_lane(
    i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(<u32>h0), 1, <u32>h1), 2, <u32>h2),
    3,
    <u32>h3,
  );
}

/** The tag of `blocks` whole blocks at `text` under the 32-byte one-time `key`, in one go: nothing is left in memory. */
export function poly1305Tag(key: usize, text: usize, blocks: i32): v128 {
  const end = text + 16 * blocks;
  let h0: u64 = 0;
  let h1: u64 = 0;
  let h2: u64 = 0;
  let h3: u64 = 0;
  let h4: u64 = 0;
  const r0: u64 = load<u32>(key, 0) & 0x0fffffff;
  const r1: u64 = load<u32>(key, 4) & 0x0ffffffc;
  const r2: u64 = load<u32>(key, 8) & 0x0ffffffc;
  const r3: u64 = load<u32>(key, 12) & 0x0ffffffc;
  const s1 = r1 + (r1 >> 2);
  const s2 = r2 + (r2 >> 2);
  const s3 = r3 + (r3 >> 2);

  for (; text < end; text += 16) {
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
  }

  return finish(h0, h1, h2, h3, h4, key + 16);
}
