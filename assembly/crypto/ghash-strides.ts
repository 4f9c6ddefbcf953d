// GHASH (NIST SP 800-38D §6.4) of one long text in the sixteen lanes of ghash-lanes.ts: lane t has every sixteenth block,
//
//   lane 0    X1  X17  X33 …          Z1 = ((X1·H^16 + X17)·H^16 + X33)·H^16 …
//   lane 1    X2  X18  X34 …          Z2 = …
//   …
//   lane 15   X16 X32  X48 …          GHASH = Z1·H^16 + Z2·H^15 + … + Z16·H
//
// so a step there multiplies by H^16, which has tables of its own, and the end is a text of sixteen blocks for ghash.ts. A step for
// sixteen blocks costs little more than eight blocks do in ghash.ts. Leading blocks of zeros, which do not change a hash, fill
// the first row.
import { padBlock } from './block';
import { ghashMultiplySlowly, ghashSixteen } from './ghash';
import { GHASH_LANES_KEY_BYTES, ghashLanesBegin, ghashLanesEnd, ghashLanesInstall, ghashLanesStep } from './ghash-lanes';

/** Bytes of an installed hash key. */
export const GHASH_STRIDES_KEY_BYTES: i32 = GHASH_LANES_KEY_BYTES;

const ROW_BLOCKS: i32 = 16;
const ROW_BYTES: i32 = 256;
/** A row that does not lie in the text in one piece; and the lanes' sums. */
@lazy
const ROW: usize = memory.data(256, 16);
@lazy
const Z: usize = memory.data(256, 16);

/** Prepares the tables for the 16-byte hash subkey at `h`. */
export function ghashStridesInstall(strides: usize, h: usize): void {
  v128.store(Z, v128.load(h));
  for (let i = 0; i < 4; i++) ghashMultiplySlowly(Z, bswap<u64>(load<u64>(Z, 0)), bswap<u64>(load<u64>(Z, 8)));
  ghashLanesInstall(strides, Z);
  v128.store(Z, i64x2.splat(0));
}

/** Blocks of a text: aad, data, lengths. */
@inline
function blocksOf(length: i32): i32 {
  return 2 + ((length + 15) >> 4);
}

/** Whether this way is cheaper than ghashText for a text with so much data. */
@inline
export function ghashStridesWorth(aadLength: i32, length: i32): bool {
  return aadLength <= 16 && blocksOf(length) > ROW_BLOCKS;
}

/**
 * GHASH of aad ‖ pad ‖ data ‖ pad ‖ both lengths in bits (§7.1 step 5), into the 16 bytes at `out`. `ghash` holds H as ghashInstall
 * prepared it. Only where ghashStridesWorth says so.
 */
export function ghashStrides(
  strides: usize,
  ghash: usize,
  aad: usize,
  aadLength: i32,
  data: usize,
  length: i32,
  out: usize,
): void {
  const rows = (blocksOf(length) + ROW_BLOCKS - 1) / ROW_BLOCKS;
  // The first row: zeros, aad, and what of the data makes the rest whole rows.
  const before = ROW_BLOCKS * rows - blocksOf(length);
  let at = ROW;
  for (let i = 0; i < before; i++) {
    v128.store(at, i64x2.splat(0));
    at += 16;
  }
  if (aadLength == 16) v128.store(at, v128.load(aad));
  else padBlock(at, aad, aadLength);
  at += 16;
  for (const end = ROW + ROW_BYTES; at < end; at += 16) {
    v128.store(at, v128.load(data));
    data += 16;
  }
  ghashLanesBegin();
  ghashLanesStep(strides, ROW);
  for (let row = rows - 2; row > 0; row--) {
    ghashLanesStep(strides, data);
    data += ROW_BYTES;
  }
  ghashLanesEnd(Z);

  // The last row is added and not multiplied here: what is left of the data, and the lengths.
  at = Z;
  const left = length - 16 * (ROW_BLOCKS * (rows - 1) - before - 1);
  for (let whole = left >> 4; whole > 0; whole--) {
    v128.store(at, v128.xor(v128.load(at), v128.load(data)));
    at += 16;
    data += 16;
  }
  if (left & 15) {
    padBlock(ROW, data, left & 15);
    v128.store(at, v128.xor(v128.load(at), v128.load(ROW)));
    at += 16;
  }
  store<u64>(at, load<u64>(at) ^ bswap<u64>((<u64>aadLength) << 3));
  store<u64>(at, load<u64>(at, 8) ^ bswap<u64>((<u64>length) << 3), 8);
  v128.store(out, ghashSixteen(ghash, Z));
}

/** Forgets the last text's hash. */
export function ghashStridesForget(): void {
  memory.fill(ROW, 0, ROW_BYTES);
  memory.fill(Z, 0, ROW_BYTES);
}
