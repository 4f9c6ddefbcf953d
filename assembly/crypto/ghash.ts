// GHASH (NIST SP 800-38D §6.4): a polynomial in H over GF(2^128), eight blocks at once:
//
//   Y' = (Y + X1)·H^8 + X2·H^7 + … + X8·H
//
// with a single reduction. Leading zero blocks do not change a hash, so every text becomes a multiple of eight blocks.
//
// GCM counts bits from the left: byte i of a block holds x^8i (its top bit) to x^(8i+7). Multiplication goes nibble by
// nibble: the key holds, for every nibble c of the powers of H, a register-sized table of n·c for all sixteen n, and a
// swizzle looks sixteen nibbles up at once. The tables' addresses are public; the secret is in the index register.
// A nibble product has seven bits, kept at the top of its byte:
//
//        n        ·        c        =          n·c
//   │x0 x1 x2 x3│   │x0 x1 x2 x3│   │x0 x1 x2 x3 x4 x5 x6  0 │
//
// By Karatsuba, a byte (high + low·x^4)(high' + low'·x^4) takes three tables, for high', for high' + low' and for low':
//
//   high·high' + ((high + low)(high' + low') - high·high' - low·low')·x^4 + low·low'·x^8
//
//   key   byte 15 of H^8 │ high │ both │ low │   16 bytes each
//         byte 15 of H^7 │ high │ both │ low │
//         …
//         byte 15 of H^1
//         byte 14 of H^8 …                        to byte 0 of H^1
import { padBlock } from './block';
import { lookup } from './lookup';

const POWERS: i32 = 8;
const ROW_BYTES: i32 = 48;
const BYTE_BYTES: i32 = POWERS * ROW_BYTES;

/** Bytes of an installed hash key. */
export const GHASH_KEY_BYTES: i32 = 16 * BYTE_BYTES;

/** Eight blocks as nibbles: high, high + low, low, a byte each. */
@lazy
const NIBBLES: usize = memory.data(384, 16);
/** A block being padded, or a power of H. */
@lazy
const BLOCK: usize = memory.data(16, 16);

/** block · H (§6.3), bit by bit with masks, in place: for the powers of H only. */
export function ghashMultiplySlowly(block: usize, hHigh: u64, hLow: u64): void {
  let zHigh: u64 = 0;
  let zLow: u64 = 0;
  for (let half: usize = 0; half < 16; half += 8) {
    let bits = bswap<u64>(load<u64>(block + half));
    for (let i = 0; i < 64; i++) {
      const mask: u64 = 0 - (bits >> 63);
      bits <<= 1;
      zHigh ^= hHigh & mask;
      zLow ^= hLow & mask;
      const carry: u64 = 0 - (hLow & 1);
      hLow = (hLow >> 1) | (hHigh << 63);
      hHigh = (hHigh >> 1) ^ (carry & 0xe100000000000000);
    }
  }
  store<u64>(block, bswap<u64>(zHigh), 0);
  store<u64>(block, bswap<u64>(zLow), 8);
}

/** n·c for n = 0 … 15, as bytes. */
function products(c: u32): v128 {
  const n = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  let sum = i64x2.splat(0);
  for (let bit = 0; bit < 4; bit++) {
    const mask = i8x16.splat(<i8>-((c >>> bit) & 1));
    sum = v128.xor(sum, v128.and(i8x16.shl(n, bit + 1), mask));
  }
  return sum;
}

/** Prepares the powers of the 16-byte hash subkey at `h`. */
export function ghashInstall(ghash: usize, h: usize): void {
  const hHigh = bswap<u64>(load<u64>(h, 0));
  const hLow = bswap<u64>(load<u64>(h, 8));
  v128.store(BLOCK, v128.load(h));
  for (let power = POWERS - 1; power >= 0; power--) {
    for (let i = 0; i < 16; i++) {
      const byte: u32 = load<u8>(BLOCK + i);
      const row = ghash + (15 - i) * BYTE_BYTES + power * ROW_BYTES;
      v128.store(row, products(byte >>> 4), 0);
      v128.store(row, products((byte >>> 4) ^ (byte & 15)), 16);
      v128.store(row, products(byte & 15), 32);
    }
    ghashMultiplySlowly(BLOCK, hHigh, hLow);
  }
  v128.store(BLOCK, i64x2.splat(0));
}

/** Puts a block at its place (0 … 7) among the eight. */
@inline
function spread(place: i32, block: v128): void {
  const row = NIBBLES + place * ROW_BYTES;
  const nibble = i8x16.splat(15);
  const high = v128.and(i16x8.shr_u(block, 4), nibble);
  const low = v128.and(block, nibble);
  v128.store(row, high, 0);
  v128.store(row, v128.xor(high, low), 16);
  v128.store(row, low, 32);
}

/** The eight blocks in NIBBLES, times H^8 … H^1, added and reduced. */
function product8(ghash: usize): v128 {
  let highLow = i64x2.splat(0); // high·high', bytes 0 to 15 of the product, then 16 to 31
  let highHigh = highLow;
  let bothLow = highLow; // (high + low)(high' + low')
  let bothHigh = highLow;
  let lowLow = highLow; // low·low'
  let lowHigh = highLow;
  // Horner over the bytes of the powers of H, from byte 15: one byte up, plus the products of the next one.
  for (const end = ghash + GHASH_KEY_BYTES; ghash < end; ghash += BYTE_BYTES) {
    highHigh = up(highLow, highHigh);
    highLow = up(i64x2.splat(0), highLow);
    bothHigh = up(bothLow, bothHigh);
    bothLow = up(i64x2.splat(0), bothLow);
    lowHigh = up(lowLow, lowHigh);
    lowLow = up(i64x2.splat(0), lowLow);
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 0), v128.load(NIBBLES, 0)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 16), v128.load(NIBBLES, 16)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 32), v128.load(NIBBLES, 32)));
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 48), v128.load(NIBBLES, 48)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 64), v128.load(NIBBLES, 64)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 80), v128.load(NIBBLES, 80)));
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 96), v128.load(NIBBLES, 96)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 112), v128.load(NIBBLES, 112)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 128), v128.load(NIBBLES, 128)));
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 144), v128.load(NIBBLES, 144)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 160), v128.load(NIBBLES, 160)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 176), v128.load(NIBBLES, 176)));
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 192), v128.load(NIBBLES, 192)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 208), v128.load(NIBBLES, 208)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 224), v128.load(NIBBLES, 224)));
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 240), v128.load(NIBBLES, 240)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 256), v128.load(NIBBLES, 256)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 272), v128.load(NIBBLES, 272)));
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 288), v128.load(NIBBLES, 288)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 304), v128.load(NIBBLES, 304)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 320), v128.load(NIBBLES, 320)));
    highLow = v128.xor(highLow, lookup(v128.load(ghash, 336), v128.load(NIBBLES, 336)));
    bothLow = v128.xor(bothLow, lookup(v128.load(ghash, 352), v128.load(NIBBLES, 352)));
    lowLow = v128.xor(lowLow, lookup(v128.load(ghash, 368), v128.load(NIBBLES, 368)));
  }

  const middleLow = v128.xor(bothLow, v128.xor(highLow, lowLow));
  const middleHigh = v128.xor(bothHigh, v128.xor(highHigh, lowHigh));
  // Times x^4: half a byte stays, half goes one byte up. Times x^8: one byte up.
  const nibble = i8x16.splat(15);
  const onLow = v128.xor(lowLow, v128.andnot(i16x8.shl(middleLow, 4), nibble));
  const onHigh = v128.xor(lowHigh, v128.andnot(i16x8.shl(middleHigh, 4), nibble));
  const low = v128.xor(v128.xor(highLow, v128.and(i16x8.shr_u(middleLow, 4), nibble)), up(i64x2.splat(0), onLow));
  const high = v128.xor(v128.xor(highHigh, v128.and(i16x8.shr_u(middleHigh, 4), nibble)), up(onLow, onHigh));

  // Reduction: x^128 = x^7 + x^2 + x + 1, from the top word down.
  let w0 = bswap<u64>(i64x2.extract_lane(low, 0));
  let w1 = bswap<u64>(i64x2.extract_lane(low, 1));
  let w2 = bswap<u64>(i64x2.extract_lane(high, 0));
  const w3 = bswap<u64>(i64x2.extract_lane(high, 1));
  w2 ^= (w3 << 63) ^ (w3 << 62) ^ (w3 << 57);
  w1 ^= w3 ^ (w3 >> 1) ^ (w3 >> 2) ^ (w3 >> 7);
  w1 ^= (w2 << 63) ^ (w2 << 62) ^ (w2 << 57);
  w0 ^= w2 ^ (w2 >> 1) ^ (w2 >> 2) ^ (w2 >> 7);
  return i64x2.replace_lane(i64x2.splat(bswap<u64>(w0)), 1, bswap<u64>(w1));
}

/** The 32 bytes `low` ‖ `high` moved one byte up: the new high half. */
@inline
function up(low: v128, high: v128): v128 {
  return v128.shuffle<u8>(low, high, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/** Where the next block goes, and the hash so far. */
let place: i32 = 0;
@lazy
const Y: usize = memory.data(16, 16);

@inline
function absorb(ghash: usize, block: v128): void {
  if (place == 0) block = v128.xor(block, v128.load(Y));
  spread(place, block);
  if (++place == POWERS) {
    v128.store(Y, product8(ghash));
    place = 0;
  }
}

/** `length` bytes, the last block padded with zeros. */
function absorbBytes(ghash: usize, data: usize, length: i32): void {
  for (; length >= 16; length -= 16) {
    absorb(ghash, v128.load(data));
    data += 16;
  }
  if (length > 0) {
    padBlock(BLOCK, data, length);
    absorb(ghash, v128.load(BLOCK));
  }
}

/** GHASH of aad ‖ pad ‖ data ‖ pad ‖ both lengths in bits (§7.1 step 5), into the 16 bytes at `out`. */
export function ghashText(ghash: usize, aad: usize, aadLength: i32, data: usize, length: i32, out: usize): void {
  const blocks = ((aadLength + 15) >>> 4) + ((length + 15) >>> 4) + 1;
  v128.store(Y, i64x2.splat(0));
  place = 0;
  for (let i = -blocks & (POWERS - 1); i > 0; i--) spread(place++, i64x2.splat(0));
  absorbBytes(ghash, aad, aadLength);
  absorbBytes(ghash, data, length);
  store<u64>(BLOCK, bswap<u64>((<u64>aadLength) << 3), 0);
  store<u64>(BLOCK, bswap<u64>((<u64>length) << 3), 8);
  absorb(ghash, v128.load(BLOCK));
  v128.store(out, v128.load(Y));
}

/** GHASH of the sixteen blocks at `blocks`. */
export function ghashSixteen(ghash: usize, blocks: usize): v128 {
  for (let i = 0; i < POWERS; i++) spread(i, v128.load(blocks + 16 * i));
  const y = product8(ghash);
  spread(0, v128.xor(y, v128.load(blocks, 128)));
  for (let i = 1; i < POWERS; i++) spread(i, v128.load(blocks + 128 + 16 * i));
  return product8(ghash);
}

/** Forgets the last text's hash. */
export function ghashForget(): void {
  memory.fill(NIBBLES, 0, 384);
  v128.store(BLOCK, i64x2.splat(0));
  v128.store(Y, i64x2.splat(0));
}
