// Poly1305 (RFC 8439 §2.5): a polynomial in r modulo 2^130 - 5, in four limbs of 32 bits and a little more.
//
//   state    0   h0 … h3   u64 each; h0 below 2^32 + 5·2^30, h1 and h2 below 2^32, h3 below 2^34
//           32   r0 … r3   u64 each, clamped, below 2^28
//           64   s1 … s3   u64 each, 5/4 of r1 … r3: 2^128 = 2^130 / 4, and r1, r2, r3 are multiples of 4, so what passes
//                          2^128 comes back times 5/4
//           88   text      u32, where the next block lies
//           92   blocks    u32, how many of them have not been absorbed
//           96   s         16 bytes
//
// With a block and its bit 2^128 added, h0 stays below 2^33 + 5·2^30, h1 and h2 below 2^33 and h3 below 2^34 + 2^33. So the
// largest sum, h0·r0 + h1·s3 + h2·s2 + h3·s1, stays below 2^58·(13 + 5/4·(8 + 8 + 24)) = 63·2^58 < 2^64.
//
// One text at a time is under way. Its state lies in memory, where ChaCha20's rounds can take it along (chacha20.ts).

@lazy
const POLY: usize = memory.data(112, 16);
const R: usize = 32;
const S: usize = 64;
const TEXT: usize = 88;
const BLOCKS: usize = 92;
const PAD: usize = 96;

const LIMB: u64 = 0xffffffff;
/** 2^128 in h3: the bit on top of every block (§2.5.1). */
const TOP: u64 = 0x100000000;

/** `key` is the 32-byte one-time key: r, then s. */
export function poly1305Begin(key: usize): void {
  v128.store(POLY, i64x2.splat(0), 0);
  v128.store(POLY, i64x2.splat(0), 16);
  const r1: u64 = load<u32>(key, 4) & 0x0ffffffc;
  const r2: u64 = load<u32>(key, 8) & 0x0ffffffc;
  const r3: u64 = load<u32>(key, 12) & 0x0ffffffc;
  store<u64>(POLY, load<u32>(key, 0) & 0x0fffffff, R);
  store<u64>(POLY, r1, R + 8);
  store<u64>(POLY, r2, R + 16);
  store<u64>(POLY, r3, R + 24);
  store<u64>(POLY, r1 + (r1 >> 2), S);
  store<u64>(POLY, r2 + (r2 >> 2), S + 8);
  store<u64>(POLY, r3 + (r3 >> 2), S + 16);
  store<u64>(POLY, 0, TEXT);
  v128.store(POLY, v128.load(key, 16), PAD);
}

/** Leaves `blocks` whole blocks at `text` to be absorbed, here or beside ChaCha20. What was offered before is absorbed. */
export function poly1305Offer(text: usize, blocks: i32): void {
  store<u32>(POLY, text, TEXT);
  store<u32>(POLY, blocks, BLOCKS);
}

/** Offers the `blocks` blocks that follow what was offered last. */
export function poly1305OfferMore(blocks: i32): void {
  store<u32>(POLY, load<u32>(POLY, BLOCKS) + blocks, BLOCKS);
}

/** Blocks that were offered and have not been absorbed. */
export function poly1305Left(): i32 {
  return load<i32>(POLY, BLOCKS);
}

/** Where they begin. */
export function poly1305Next(): usize {
  return load<u32>(POLY, TEXT);
}

/** h = (h + block)·r, for one block, or two in a row. */
@inline
export function poly1305Blocks(text: usize, two: bool): void {
  const r0 = load<u64>(POLY, R);
  const r1 = load<u64>(POLY, R + 8);
  const r2 = load<u64>(POLY, R + 16);
  const r3 = load<u64>(POLY, R + 24);
  const s1 = load<u64>(POLY, S);
  const s2 = load<u64>(POLY, S + 8);
  const s3 = load<u64>(POLY, S + 16);
  let h0 = load<u64>(POLY, 0) + <u64>load<u32>(text, 0);
  let h1 = load<u64>(POLY, 8) + <u64>load<u32>(text, 4);
  let h2 = load<u64>(POLY, 16) + <u64>load<u32>(text, 8);
  let h3 = load<u64>(POLY, 24) + (<u64>load<u32>(text, 12) + TOP);
  const d0 = h0 * r0 + h1 * s3 + h2 * s2 + h3 * s1;
  const d1 = h0 * r1 + h1 * r0 + h2 * s3 + h3 * s2 + (d0 >> 32);
  const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s3 + (d1 >> 32);
  const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + (d2 >> 32);
  h0 = (d0 & LIMB) + (d3 >> 34) * 5;
  h1 = d1 & LIMB;
  h2 = d2 & LIMB;
  h3 = d3 & (4 * TOP - 1);
  if (two) {
    h0 += <u64>load<u32>(text, 16);
    h1 += <u64>load<u32>(text, 20);
    h2 += <u64>load<u32>(text, 24);
    h3 += <u64>load<u32>(text, 28) + TOP;
    const e0 = h0 * r0 + h1 * s3 + h2 * s2 + h3 * s1;
    const e1 = h0 * r1 + h1 * r0 + h2 * s3 + h3 * s2 + (e0 >> 32);
    const e2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s3 + (e1 >> 32);
    const e3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + (e2 >> 32);
    h0 = (e0 & LIMB) + (e3 >> 34) * 5;
    h1 = e1 & LIMB;
    h2 = e2 & LIMB;
    h3 = e3 & (4 * TOP - 1);
  }
  store<u64>(POLY, h0, 0);
  store<u64>(POLY, h1, 8);
  store<u64>(POLY, h2, 16);
  store<u64>(POLY, h3, 24);
}

/** The same for one block, as a call. */
export function poly1305Block(text: usize): void {
  poly1305Blocks(text, false);
}

/** Absorbs what has been offered and is left of it, where that is one block at most. */
@inline
export function poly1305AbsorbLast(): void {
  if (load<u32>(POLY, BLOCKS)) poly1305Block(load<u32>(POLY, TEXT));
}

/** Absorbs what has been offered and is left. */
export function poly1305Absorb(): void {
  let text: usize = load<u32>(POLY, TEXT);
  let blocks = load<i32>(POLY, BLOCKS);
  for (; blocks >= 2; blocks -= 2) {
    poly1305Blocks(text, true);
    text += 32;
  }
  if (blocks > 0) poly1305Block(text);
  store<u32>(POLY, 0, BLOCKS);
}

/** tag = (h mod 2^130 - 5) + s mod 2^128 (§2.5.1), as 16 little-endian bytes. */
export function poly1305Finish(): v128 {
  // h = top·2^128 + high·2^64 + low. Comparisons are carries.
  const h1 = load<u64>(POLY, 8) << 32;
  const h2 = load<u64>(POLY, 16);
  const h3 = load<u64>(POLY, 24);
  const low = load<u64>(POLY, 0) + h1;
  const middle = h2 + <u64>(low < h1);
  const high = middle + (h3 << 32);
  const top = (h3 >> 32) + <u64>(high < middle);
  // h + 5 reaches 2^130 exactly when h is 2^130 - 5 or more; its low 128 bits are then h - (2^130 - 5).
  const low5 = low + 5;
  const carry = <u64>(low5 < low);
  const high5 = high + carry;
  const reduced: u64 = 0 - ((top + <u64>(high5 < carry)) >> 2);
  const s = load<u64>(POLY, PAD);
  const tag = (low ^ ((low ^ low5) & reduced)) + s;
  const tagHigh = (high ^ ((high ^ high5) & reduced)) + load<u64>(POLY, PAD + 8) + <u64>(tag < s);
  return i64x2.replace_lane(i64x2.splat(tag), 1, tagHigh);
}

/** Forgets the key and the hash. */
export function poly1305Forget(): void {
  for (let i: usize = 0; i < 112; i += 16) v128.store(POLY + i, i64x2.splat(0));
}
