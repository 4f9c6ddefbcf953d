// GHASH (NIST SP 800-38D §6.4) of up to sixteen texts at once, under one H: text t in byte lane t of every register.
//
//   register j   │ byte j of text 0's Y │ byte j of text 1's Y │ … │ byte j of text 15's Y │      j = 0 … 15
//
// Multiplication by H is linear: it is the sum, over the 32 nibbles of Y, of table lookups, one per byte of the result, with
// the reduction already in the tables. A nibble of all sixteen texts looks up in one swizzle; the tables' addresses are
// public. That is 512 swizzles for sixteen blocks, where ghash.ts takes 768.
//
//   key   bytes 0 to 5 of the result:     nibble 0 of Y: │ 6 tables of 16 bytes │, nibble 1, … nibble 31
//         bytes 6 to 11 of the result:    the same
//         bytes 12 to 15 of the result:   the same with 4 tables
//
// for six sums, the tables of a nibble and its index register are what fits into fifteen registers.
//
// Shorter texts start later, after blocks of zeros, which do not change a hash. Every text here has aad of at most one
// block.
import { JOB_AAD, JOB_AAD_LENGTH, JOB_BYTES, JOB_DATA, JOB_LENGTH } from '../layout';
import { padBlock } from './block';
import { lookup } from './lookup';

export const GHASH_LANES: i32 = 16;
const SIX_BYTES: i32 = 32 * 96;
const FOUR_BYTES: i32 = 32 * 64;
/** Bytes of an installed hash key. */
export const GHASH_LANES_KEY_BYTES: i32 = 2 * SIX_BYTES + FOUR_BYTES;

/** The next block of each text, in rows; then in byte lanes; then its sum with Y in nibbles: byte j's high, byte j's low. */
@lazy
const ROWS: usize = memory.data(256, 16);
@lazy
const COLUMNS: usize = memory.data(256, 16);
@lazy
const NIBBLES: usize = memory.data(512, 16);
/** The hashes so far, in byte lanes. */
@lazy
const Y: usize = memory.data(256, 16);

/** What a text does not hold in one piece: aad padded, then its last partial block, if any, and the lengths. */
const EDGE_BYTES: i32 = 48;
@lazy
const EDGES: usize = memory.data(768, 16);
@lazy
const ZERO: usize = memory.data(16, 16);

/** Where each text's next block is, how far the one after it, how many of them until the text's next part, and which part. */
const CURSOR_BYTES: i32 = 16;
const NEXT: usize = 0;
const STRIDE: usize = 4;
const LEFT: usize = 8;
const PART: usize = 12;
@lazy
const CURSORS: usize = memory.data(256, 16);
const PART_ZEROS: i32 = 0;
const PART_AAD: i32 = 1;
const PART_DATA: i32 = 2;
const PART_END: i32 = 3;

/** Prepares the tables for the 16-byte hash subkey at `h`. */
export function ghashLanesInstall(lanes: usize, h: usize): void {
  // high ‖ low = x^d · H, for d = 0 … 127 (§6.3, Algorithm 1: V).
  let high = bswap<u64>(load<u64>(h, 0));
  let low = bswap<u64>(load<u64>(h, 8));
  for (let nibble = 0; nibble < 32; nibble++) {
    for (let bit = 3; bit >= 0; bit--) {
      store<u64>(ROWS + 16 * bit, bswap<u64>(high), 0);
      store<u64>(ROWS + 16 * bit, bswap<u64>(low), 8);
      const carry: u64 = 0 - (low & 1);
      low = (low >> 1) | (high << 63);
      high = (high >> 1) ^ (carry & 0xe100000000000000);
    }
    for (let byte = 0; byte < 16; byte++) {
      const table =
        byte < 12
          ? lanes + (byte / 6) * SIX_BYTES + nibble * 96 + (byte % 6) * 16
          : lanes + 2 * SIX_BYTES + nibble * 64 + (byte - 12) * 16;
      let sum = v128.and(v128.load8_splat(ROWS + byte), i8x16(0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1));
      sum = v128.xor(
        sum,
        v128.and(v128.load8_splat(ROWS + byte, 16), i8x16(0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1)),
      );
      sum = v128.xor(
        sum,
        v128.and(v128.load8_splat(ROWS + byte, 32), i8x16(0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1)),
      );
      sum = v128.xor(
        sum,
        v128.and(v128.load8_splat(ROWS + byte, 48), i8x16(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1)),
      );
      v128.store(table, sum);
    }
  }
  memory.fill(ROWS, 0, 256);
}

@inline
function interleaveLow(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

@inline
function interleaveHigh(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Transposes 16 × 16 bytes: rows i and i + 8 interleaved, four times over. */
function transpose(from: usize, to: usize): void {
  const a0 = v128.load(from, 0);
  const a1 = v128.load(from, 16);
  const a2 = v128.load(from, 32);
  const a3 = v128.load(from, 48);
  const a4 = v128.load(from, 64);
  const a5 = v128.load(from, 80);
  const a6 = v128.load(from, 96);
  const a7 = v128.load(from, 112);
  const a8 = v128.load(from, 128);
  const a9 = v128.load(from, 144);
  const a10 = v128.load(from, 160);
  const a11 = v128.load(from, 176);
  const a12 = v128.load(from, 192);
  const a13 = v128.load(from, 208);
  const a14 = v128.load(from, 224);
  const a15 = v128.load(from, 240);
  const b0 = interleaveLow(a0, a8);
  const b1 = interleaveHigh(a0, a8);
  const b2 = interleaveLow(a1, a9);
  const b3 = interleaveHigh(a1, a9);
  const b4 = interleaveLow(a2, a10);
  const b5 = interleaveHigh(a2, a10);
  const b6 = interleaveLow(a3, a11);
  const b7 = interleaveHigh(a3, a11);
  const b8 = interleaveLow(a4, a12);
  const b9 = interleaveHigh(a4, a12);
  const b10 = interleaveLow(a5, a13);
  const b11 = interleaveHigh(a5, a13);
  const b12 = interleaveLow(a6, a14);
  const b13 = interleaveHigh(a6, a14);
  const b14 = interleaveLow(a7, a15);
  const b15 = interleaveHigh(a7, a15);
  const c0 = interleaveLow(b0, b8);
  const c1 = interleaveHigh(b0, b8);
  const c2 = interleaveLow(b1, b9);
  const c3 = interleaveHigh(b1, b9);
  const c4 = interleaveLow(b2, b10);
  const c5 = interleaveHigh(b2, b10);
  const c6 = interleaveLow(b3, b11);
  const c7 = interleaveHigh(b3, b11);
  const c8 = interleaveLow(b4, b12);
  const c9 = interleaveHigh(b4, b12);
  const c10 = interleaveLow(b5, b13);
  const c11 = interleaveHigh(b5, b13);
  const c12 = interleaveLow(b6, b14);
  const c13 = interleaveHigh(b6, b14);
  const c14 = interleaveLow(b7, b15);
  const c15 = interleaveHigh(b7, b15);
  const d0 = interleaveLow(c0, c8);
  const d1 = interleaveHigh(c0, c8);
  const d2 = interleaveLow(c1, c9);
  const d3 = interleaveHigh(c1, c9);
  const d4 = interleaveLow(c2, c10);
  const d5 = interleaveHigh(c2, c10);
  const d6 = interleaveLow(c3, c11);
  const d7 = interleaveHigh(c3, c11);
  const d8 = interleaveLow(c4, c12);
  const d9 = interleaveHigh(c4, c12);
  const d10 = interleaveLow(c5, c13);
  const d11 = interleaveHigh(c5, c13);
  const d12 = interleaveLow(c6, c14);
  const d13 = interleaveHigh(c6, c14);
  const d14 = interleaveLow(c7, c15);
  const d15 = interleaveHigh(c7, c15);
  const e0 = interleaveLow(d0, d8);
  const e1 = interleaveHigh(d0, d8);
  const e2 = interleaveLow(d1, d9);
  const e3 = interleaveHigh(d1, d9);
  const e4 = interleaveLow(d2, d10);
  const e5 = interleaveHigh(d2, d10);
  const e6 = interleaveLow(d3, d11);
  const e7 = interleaveHigh(d3, d11);
  const e8 = interleaveLow(d4, d12);
  const e9 = interleaveHigh(d4, d12);
  const e10 = interleaveLow(d5, d13);
  const e11 = interleaveHigh(d5, d13);
  const e12 = interleaveLow(d6, d14);
  const e13 = interleaveHigh(d6, d14);
  const e14 = interleaveLow(d7, d15);
  const e15 = interleaveHigh(d7, d15);
  v128.store(to, e0, 0);
  v128.store(to, e1, 16);
  v128.store(to, e2, 32);
  v128.store(to, e3, 48);
  v128.store(to, e4, 64);
  v128.store(to, e5, 80);
  v128.store(to, e6, 96);
  v128.store(to, e7, 112);
  v128.store(to, e8, 128);
  v128.store(to, e9, 144);
  v128.store(to, e10, 160);
  v128.store(to, e11, 176);
  v128.store(to, e12, 192);
  v128.store(to, e13, 208);
  v128.store(to, e14, 224);
  v128.store(to, e15, 240);
}

/** Y becomes 0 in every lane. */
export function ghashLanesBegin(): void {
  for (let i = 0; i < 256; i += 16) v128.store(Y + i, i64x2.splat(0));
}

/** Y in rows, 256 bytes at `out`. */
export function ghashLanesEnd(out: usize): void {
  transpose(Y, out);
}

/** Y = (Y + block) · H in every lane, the blocks lying at `rows`, 256 bytes. */
export function ghashLanesStep(lanes: usize, rows: usize): void {
  transpose(rows, COLUMNS);
  const mask = i8x16.splat(15);
  for (let j = 0; j < 16; j++) {
    const byte = v128.xor(v128.load(COLUMNS + 16 * j), v128.load(Y + 16 * j));
    v128.store(NIBBLES + 32 * j, v128.and(i16x8.shr_u(byte, 4), mask), 0);
    v128.store(NIBBLES + 32 * j, v128.and(byte, mask), 16);
  }
  for (let sums = Y; sums < Y + 192; sums += 96) {
    let y0 = i64x2.splat(0);
    let y1 = i64x2.splat(0);
    let y2 = i64x2.splat(0);
    let y3 = i64x2.splat(0);
    let y4 = i64x2.splat(0);
    let y5 = i64x2.splat(0);
    for (let nibble = NIBBLES; nibble < NIBBLES + 512; nibble += 16) {
      const n = v128.load(nibble);
      y0 = v128.xor(y0, lookup(v128.load(lanes, 0), n));
      y1 = v128.xor(y1, lookup(v128.load(lanes, 16), n));
      y2 = v128.xor(y2, lookup(v128.load(lanes, 32), n));
      y3 = v128.xor(y3, lookup(v128.load(lanes, 48), n));
      y4 = v128.xor(y4, lookup(v128.load(lanes, 64), n));
      y5 = v128.xor(y5, lookup(v128.load(lanes, 80), n));
      lanes += 96;
    }
    v128.store(sums, y0, 0);
    v128.store(sums, y1, 16);
    v128.store(sums, y2, 32);
    v128.store(sums, y3, 48);
    v128.store(sums, y4, 64);
    v128.store(sums, y5, 80);
  }
  let y12 = i64x2.splat(0);
  let y13 = i64x2.splat(0);
  let y14 = i64x2.splat(0);
  let y15 = i64x2.splat(0);
  for (let nibble = NIBBLES; nibble < NIBBLES + 512; nibble += 16) {
    const n = v128.load(nibble);
    y12 = v128.xor(y12, lookup(v128.load(lanes, 0), n));
    y13 = v128.xor(y13, lookup(v128.load(lanes, 16), n));
    y14 = v128.xor(y14, lookup(v128.load(lanes, 32), n));
    y15 = v128.xor(y15, lookup(v128.load(lanes, 48), n));
    lanes += 64;
  }
  v128.store(Y, y12, 192);
  v128.store(Y, y13, 208);
  v128.store(Y, y14, 224);
  v128.store(Y, y15, 240);
}

/** Points a text's cursor at its next part that has any blocks; past its end at zeros. */
function advance(job: usize, edge: usize, cursor: usize): void {
  const length = load<i32>(job, JOB_LENGTH);
  for (;;) {
    const part = load<i32>(cursor, PART) + 1;
    store<i32>(cursor, part, PART);
    let left = 1;
    if (part == PART_AAD) store<u32>(cursor, edge, NEXT);
    else if (part == PART_DATA) {
      store<u32>(cursor, load<u32>(job, JOB_DATA), NEXT);
      left = length >> 4;
    } else {
      store<u32>(cursor, edge + (length & 15 ? 16 : 32), NEXT);
      left = length & 15 ? 2 : 1;
    }
    if (left > 0) {
      store<i32>(cursor, 16, STRIDE);
      store<i32>(cursor, left, LEFT);
      return;
    }
  }
}

/** Blocks of a job's text: aad, data, lengths. */
@inline
function blocksOf(job: usize): i32 {
  return 2 + ((load<i32>(job, JOB_LENGTH) + 15) >> 4);
}

/** What a text costs by itself: in strides (ghash-strides.ts) or, if short, eight blocks at a time (ghash.ts). ns, or as many of them. */
@inline
function costAlone(blocks: i32): i32 {
  return blocks > GHASH_LANES ? 200 + 7 * blocks : 150 * ((blocks + 7) >> 3);
}

/** What a block of all lanes costs. */
const COST_STEP: i32 = 130;

/** Whether going in lanes is cheaper than one by one. */
export function ghashLanesWorth(jobs: usize, count: i32): bool {
  let longest = 0;
  let alone = 0;
  for (let i = 0; i < count; i++) {
    const job = jobs + JOB_BYTES * i;
    if (load<i32>(job, JOB_AAD_LENGTH) > 16) return false;
    const blocks = blocksOf(job);
    longest = max(longest, blocks);
    alone += costAlone(blocks);
  }
  return alone > COST_STEP * longest;
}

/** GHASH of up to sixteen jobs (aad, data, lengths as in ghashText), 16 bytes each at `out` (room for sixteen). */
export function ghashLanes(lanes: usize, jobs: usize, count: i32, out: usize): void {
  let longest = 0;
  for (let i = 0; i < count; i++) longest = max(longest, blocksOf(jobs + JOB_BYTES * i));
  ghashLanesBegin();
  for (let i = 0; i < GHASH_LANES; i++) {
    const cursor = CURSORS + CURSOR_BYTES * i;
    const job = jobs + JOB_BYTES * i;
    store<u32>(cursor, ZERO, NEXT);
    store<i32>(cursor, 0, STRIDE);
    store<i32>(cursor, longest, LEFT);
    store<i32>(cursor, PART_ZEROS, PART);
    if (i >= count) continue;
    const edge = EDGES + EDGE_BYTES * i;
    const aadLength = load<i32>(job, JOB_AAD_LENGTH);
    const length = load<i32>(job, JOB_LENGTH);
    if (aadLength == 16) v128.store(edge, v128.load(load<u32>(job, JOB_AAD)));
    else padBlock(edge, load<u32>(job, JOB_AAD), aadLength);
    padBlock(edge + 16, load<u32>(job, JOB_DATA) + (length & ~15), length & 15);
    store<u64>(edge, bswap<u64>((<u64>aadLength) << 3), 32);
    store<u64>(edge, bswap<u64>((<u64>length) << 3), 40);
    const late = longest - blocksOf(job);
    store<i32>(cursor, late, LEFT);
    if (late == 0) advance(job, edge, cursor);
  }

  for (let done = 0; done < longest; ) {
    let run = longest - done;
    for (let i = 0; i < GHASH_LANES; i++) run = min(run, load<i32>(CURSORS + CURSOR_BYTES * i, LEFT));
    done += run;
    for (let k = run; k > 0; k--) {
      for (let i = 0; i < GHASH_LANES; i++) {
        const cursor = CURSORS + CURSOR_BYTES * i;
        const next = load<u32>(cursor, NEXT);
        v128.store(ROWS + 16 * i, v128.load(next));
        store<u32>(cursor, next + load<u32>(cursor, STRIDE), NEXT);
      }
      ghashLanesStep(lanes, ROWS);
    }
    for (let i = 0; i < count; i++) {
      const cursor = CURSORS + CURSOR_BYTES * i;
      const left = load<i32>(cursor, LEFT) - run;
      store<i32>(cursor, left, LEFT);
      if (left == 0 && load<i32>(cursor, PART) < PART_END) advance(jobs + JOB_BYTES * i, EDGES + EDGE_BYTES * i, cursor);
    }
  }
  ghashLanesEnd(out);
}

/** Forgets the last texts' hashes. */
export function ghashLanesForget(): void {
  memory.fill(ROWS, 0, 256);
  memory.fill(COLUMNS, 0, 256);
  memory.fill(NIBBLES, 0, 512);
  memory.fill(Y, 0, 256);
  memory.fill(EDGES, 0, 768);
}
