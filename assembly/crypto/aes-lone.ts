// AES in GCM's counter mode for a packet that comes alone, as aes-counter.ts does it for batches. There, J0 and a packet's last
// blocks share groups of eight with other packets; alone each would have a group, and a pass through the rounds, to itself. Here
// J0 takes the last place of the last group, and all groups of the packet go through the rounds together:
//
//   │ blocks 2 to 9 │ 10 to 17 │ … │ last blocks, J0 in place 7 │
//
// J0 is the block that differs from itself by nothing: its DELTA is zero.
//
// When opening, the keystream is made before the tag is known, since J0 is needed for that; it stays in planes, and touches the
// packet only once the tag was right.
import { aesRoundCount, aesRounds, aesRowOrder, aesTranspose } from './aes';
import { AES_DELTA, AES_DELTA_GROUPS } from './aes-counter';
import { addMask } from './block';

const PLANES_BYTES: i32 = 128;
/** Blocks of a packet beside its J0. */
const MOST_BLOCKS: i32 = 8 * AES_DELTA_GROUPS - 1;
/** Bytes of the longest packet that can be done here. */
export const AES_LONE_MOST: i32 = 16 * MOST_BLOCKS;

/** Planes after round 1 of J0, in all eight places. */
@lazy
const START: usize = memory.data(128, 16);
@lazy
const STATES: usize = memory.data(PLANES_BYTES * AES_DELTA_GROUPS, 16);

/** Makes the keystream of a packet of `length` bytes, AES_LONE_MOST at most; returns CIPH_K(J0). */
export function aesLoneMake(key: usize, nonce: usize, length: i32): v128 {
  const j0 = aesRowOrder(i32x4(load<i32>(nonce, 0), load<i32>(nonce, 4), load<i32>(nonce, 8), 0x01000000));
  let bit = i8x16.splat(1);
  for (let i = 0; i < PLANES_BYTES; i += 16) {
    v128.store(START + i, v128.xor(i8x16.eq(v128.and(j0, bit), bit), v128.load(key + i)));
    bit = i8x16.add(bit, bit);
  }
  aesRounds(key, START, 1, 1, 1);
  const groups = groupsOf(length);
  const last = STATES + PLANES_BYTES * (groups - 1);
  let delta = key + AES_DELTA;
  for (let state = STATES; state < last; state += PLANES_BYTES) {
    addStart(state, delta, -1);
    delta += PLANES_BYTES;
  }
  addStart(last, delta, 0x7f);
  aesRounds(key, STATES, groups, 2, aesRoundCount(key));
  aesTranspose(last);
  return aesRowOrder(v128.load(last, 112));
}

/** Groups of the packet's blocks and J0. */
@inline
function groupsOf(length: i32): i32 {
  return (((length + 15) >> 4) + 8) >> 3;
}

/** State after round 1; `places` has a bit for every one that is not J0's. */
@inline
function addStart(state: usize, delta: usize, places: i32): void {
  const mask = i8x16.splat(<i8>places);
  for (let i = 0; i < PLANES_BYTES; i += 16) {
    v128.store(state + i, v128.xor(v128.load(START + i), v128.and(v128.load(delta + i), mask)));
  }
}

/** Adds what aesLoneMake made to the packet's data. */
export function aesLoneApply(data: usize, length: i32): void {
  // The last group is no longer in planes; without J0, it may have nothing.
  const last = STATES + PLANES_BYTES * (groupsOf(length) - 1);
  let state = STATES;
  for (; length >= PLANES_BYTES; length -= PLANES_BYTES) {
    aesTranspose(state);
    add(data, state, 0);
    add(data, state, 16);
    add(data, state, 32);
    add(data, state, 48);
    add(data, state, 64);
    add(data, state, 80);
    add(data, state, 96);
    add(data, state, 112);
    data += PLANES_BYTES;
    state += PLANES_BYTES;
  }
  if (length == 0) return;
  if (state != last) aesTranspose(state);
  for (let i = 0; i < length; i += 16) v128.store(state + i, aesRowOrder(v128.load(state + i)));
  addMask(data, state, length);
}

@inline
function add(data: usize, block: usize, at: i32): void {
  v128.store(data + at, v128.xor(v128.load(data + at), aesRowOrder(v128.load(block + at))));
}

/** Forgets the last packet's keystream. */
export function aesLoneForget(): void {
  memory.fill(START, 0, 128);
  memory.fill(STATES, 0, PLANES_BYTES * AES_DELTA_GROUPS);
}
