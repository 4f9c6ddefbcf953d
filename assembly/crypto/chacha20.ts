// ChaCha20 (RFC 8439 §2.3), eight blocks at once, or four. Word i of four blocks lies in the four lanes of a register, and four
// more blocks go beside them: within a quarter round every instruction waits for the one before, and a processor fills that
// waiting with the other quarter rounds, if there are enough. The blocks may be anyone's: counters and nonces come lane by
// lane, only the key is common.
//
//   lanes    0  │ counter a │ counter b │ counter c │ counter d │   x12           64   the same of blocks e, f, g, h
//           16  │ nonce word 0 of a, b, c, d                    │   x13
//           32  │ nonce word 1                                  │   x14
//           48  │ nonce word 2                                  │   x15
//
// 32 words do not fit into sixteen registers: each pair of quarter rounds takes its eight words from memory and puts them back.
// That costs less than what V8 makes of 32 variables.
//
// ChaCha20 here is vector instructions, Poly1305 is 64-bit multiplications that wait for one another; a processor does both
// at once if they come mixed, in portions that take no longer than a round. So every round also absorbs two blocks of whatever texts
// wait for Poly1305, or begins or finishes one (poly1305-texts.ts).
import { poly1305Blocks, poly1305Left, poly1305Next, poly1305Offer } from './poly1305';
import { advanceTexts } from './poly1305-texts';

/** Blocks that chacha20Blocks makes at once. */
export const CHACHA20_LANES: i32 = 8;

@lazy
const LANES: usize = memory.data(128, 16);
/** Offset of what the second four blocks have. */
const SECOND_LANES: usize = 64;
/** x0 … x15 of the first four blocks, and of the second. */
@lazy
const X: usize = memory.data(512, 16);
const SECOND: usize = 256;

/** Gives lane 0 … 7 a block. */
@inline
export function chacha20Lane(lane: i32, nonce: usize, counter: u32): void {
  const at = LANES + 64 * (lane >> 2) + 4 * (lane & 3);
  store<u32>(at, counter, 0);
  store<u32>(at, load<u32>(nonce, 0), 16);
  store<u32>(at, load<u32>(nonce, 4), 32);
  store<u32>(at, load<u32>(nonce, 8), 48);
}

/** Gives all lanes theirs: `counter` to `counter + 7` of one nonce. */
@inline
export function chacha20Lanes(nonce: usize, counter: u32): void {
  const first = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  const nonce0 = v128.load32_splat(nonce, 0);
  const nonce1 = v128.load32_splat(nonce, 4);
  const nonce2 = v128.load32_splat(nonce, 8);
  v128.store(LANES, first, 0);
  v128.store(LANES, nonce0, 16);
  v128.store(LANES, nonce1, 32);
  v128.store(LANES, nonce2, 48);
  v128.store(LANES, i32x4.add(first, i32x4.splat(4)), 64);
  v128.store(LANES, nonce0, 80);
  v128.store(LANES, nonce1, 96);
  v128.store(LANES, nonce2, 112);
}

@inline
export function rotate(a: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(a, bits), i32x4.shr_u(a, 32 - bits));
}

/** The bytes of words rotated by 16 and by 8 bits. Masks lie in memory: V8 makes constants anew where they are used. */
@lazy
export const CHACHA20_ROTATED: usize = memory.data<u8>(
  [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14],
  16,
);

/** With relaxed SIMD one instruction; without, `mask` is not used. */
@inline
export function rotate16(a: v128, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i8x16.relaxed_swizzle(a, mask)
    : v128.shuffle<u16>(a, a, 1, 0, 3, 2, 5, 4, 7, 6);
}

@inline
export function rotate8(a: v128, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(a, mask) : rotate(a, 8);
}

/** Two quarter rounds (§2.1) side by side, on words a, b, c, d and e, f, g, h. */
@inline
function quarterRounds(
  x: usize,
  a: i32,
  b: i32,
  c: i32,
  d: i32,
  e: i32,
  f: i32,
  g: i32,
  h: i32,
  by16: v128,
  by8: v128,
): void {
  let xa = v128.load(x + 16 * a);
  let xb = v128.load(x + 16 * b);
  let xc = v128.load(x + 16 * c);
  let xd = v128.load(x + 16 * d);
  let xe = v128.load(x + 16 * e);
  let xf = v128.load(x + 16 * f);
  let xg = v128.load(x + 16 * g);
  let xh = v128.load(x + 16 * h);
  xa = i32x4.add(xa, xb);
  xe = i32x4.add(xe, xf);
  xd = rotate16(v128.xor(xd, xa), by16);
  xh = rotate16(v128.xor(xh, xe), by16);
  xc = i32x4.add(xc, xd);
  xg = i32x4.add(xg, xh);
  xb = rotate(v128.xor(xb, xc), 12);
  xf = rotate(v128.xor(xf, xg), 12);
  xa = i32x4.add(xa, xb);
  xe = i32x4.add(xe, xf);
  xd = rotate8(v128.xor(xd, xa), by8);
  xh = rotate8(v128.xor(xh, xe), by8);
  xc = i32x4.add(xc, xd);
  xg = i32x4.add(xg, xh);
  xb = rotate(v128.xor(xb, xc), 7);
  xf = rotate(v128.xor(xf, xg), 7);
  v128.store(x + 16 * a, xa);
  v128.store(x + 16 * b, xb);
  v128.store(x + 16 * c, xc);
  v128.store(x + 16 * d, xd);
  v128.store(x + 16 * e, xe);
  v128.store(x + 16 * f, xf);
  v128.store(x + 16 * g, xg);
  v128.store(x + 16 * h, xh);
}

@inline
function columnRound(x: usize, by16: v128, by8: v128): void {
  quarterRounds(x, 0, 4, 8, 12, 1, 5, 9, 13, by16, by8);
  quarterRounds(x, 2, 6, 10, 14, 3, 7, 11, 15, by16, by8);
}

@inline
function diagonalRound(x: usize, by16: v128, by8: v128): void {
  quarterRounds(x, 0, 5, 10, 15, 1, 6, 11, 12, by16, by8);
  quarterRounds(x, 2, 7, 8, 13, 3, 4, 9, 14, by16, by8);
}

@inline
function begin(x: usize, key: usize, lanes: usize): void {
  v128.store(x, i32x4.splat(0x61707865), 0);
  v128.store(x, i32x4.splat(0x3320646e), 16);
  v128.store(x, i32x4.splat(0x79622d32), 32);
  v128.store(x, i32x4.splat(0x6b206574), 48);
  v128.store(x, v128.load32_splat(key, 0), 64);
  v128.store(x, v128.load32_splat(key, 4), 80);
  v128.store(x, v128.load32_splat(key, 8), 96);
  v128.store(x, v128.load32_splat(key, 12), 112);
  v128.store(x, v128.load32_splat(key, 16), 128);
  v128.store(x, v128.load32_splat(key, 20), 144);
  v128.store(x, v128.load32_splat(key, 24), 160);
  v128.store(x, v128.load32_splat(key, 28), 176);
  v128.store(x, v128.load(lanes, 0), 192);
  v128.store(x, v128.load(lanes, 16), 208);
  v128.store(x, v128.load(lanes, 32), 224);
  v128.store(x, v128.load(lanes, 48), 240);
}

/** Four words of four blocks become four words in a row of each block. */
@inline
function addRows(from: usize, to: usize, x: usize, a: v128, b: v128, c: v128, d: v128): void {
  a = i32x4.add(a, v128.load(x, 0));
  b = i32x4.add(b, v128.load(x, 16));
  c = i32x4.add(c, v128.load(x, 32));
  d = i32x4.add(d, v128.load(x, 48));
  const ab01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const ab23 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cd23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.xor(v128.load(from, 0), v128.shuffle<u64>(ab01, cd01, 0, 2)), 0);
  v128.store(to, v128.xor(v128.load(from, 64), v128.shuffle<u64>(ab01, cd01, 1, 3)), 64);
  v128.store(to, v128.xor(v128.load(from, 128), v128.shuffle<u64>(ab23, cd23, 0, 2)), 128);
  v128.store(to, v128.xor(v128.load(from, 192), v128.shuffle<u64>(ab23, cd23, 1, 3)), 192);
}

@inline
function finish(x: usize, key: usize, lanes: usize, from: usize, to: usize): void {
  addRows(
    from,
    to,
    x,
    i32x4.splat(0x61707865),
    i32x4.splat(0x3320646e),
    i32x4.splat(0x79622d32),
    i32x4.splat(0x6b206574),
  );
  addRows(
    from + 16,
    to + 16,
    x + 64,
    v128.load32_splat(key, 0),
    v128.load32_splat(key, 4),
    v128.load32_splat(key, 8),
    v128.load32_splat(key, 12),
  );
  addRows(
    from + 32,
    to + 32,
    x + 128,
    v128.load32_splat(key, 16),
    v128.load32_splat(key, 20),
    v128.load32_splat(key, 24),
    v128.load32_splat(key, 28),
  );
  addRows(
    from + 48,
    to + 48,
    x + 192,
    v128.load(lanes, 0),
    v128.load(lanes, 16),
    v128.load(lanes, 32),
    v128.load(lanes, 48),
  );
}

/**
 * `to` becomes `from` XOR the keystream of the lanes' blocks, one after the other: 512 bytes for all `eight` lanes, or 256 for
 * the first four. Beside it, up to forty blocks of the texts that wait for Poly1305 are absorbed; nobody may write those meanwhile.
 */
export function chacha20Blocks(key: usize, eight: bool, from: usize, to: usize): void {
  const by16 = v128.load(CHACHA20_ROTATED, 0);
  const by8 = v128.load(CHACHA20_ROTATED, 16);
  let text = poly1305Next();
  let blocks = poly1305Left();
  let more = true;
  begin(X, key, LANES);
  if (eight) begin(X + SECOND, key, LANES + SECOND_LANES);
  for (let i = 0; i < 10; i++) {
    columnRound(X, by16, by8);
    if (eight) columnRound(X + SECOND, by16, by8);
    if (blocks >= 2) {
      poly1305Blocks(text, true);
      text += 32;
      blocks -= 2;
    } else if (more) {
      poly1305Offer(text, blocks);
      more = advanceTexts();
      text = poly1305Next();
      blocks = poly1305Left();
    }
    diagonalRound(X, by16, by8);
    if (eight) diagonalRound(X + SECOND, by16, by8);
    if (blocks >= 2) {
      poly1305Blocks(text, true);
      text += 32;
      blocks -= 2;
    } else if (more) {
      poly1305Offer(text, blocks);
      more = advanceTexts();
      text = poly1305Next();
      blocks = poly1305Left();
    }
  }
  poly1305Offer(text, blocks);
  finish(X, key, LANES, from, to);
  if (eight) finish(X + SECOND, key, LANES + SECOND_LANES, from + 256, to + 256);
}

/** Forgets the last blocks: with the keystream they were added to, they give the key away. */
export function chacha20Forget(): void {
  memory.fill(X, 0, 512);
}
