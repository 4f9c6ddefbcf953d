// AES in GCM's counter mode (NIST SP 800-38D §6.5 with 96-bit IVs) for batches of packets under one key, eight blocks at
// a time. Block n of a packet is its nonce followed by n, big-endian: 1 for the tag (J0), 2 and up for the data.
//
// Two things make it cheaper than eight blocks at a time would be by themselves.
//
// Round 1 is done once per packet. As long as n is below 256, blocks of a packet differ in byte 15 alone, and that byte
// reaches one column of round 1, by a way that depends on the key only:
//
//   state after round 1 of (nonce, n)  =  state after round 1 of (nonce, 1)  +  DELTA(n)
//
// so the key context holds the planes of DELTA for n = 2 … 9, 10 … 17 and so on, and the planes of a packet are those of its
// J0, one bit of each byte spread over all eight. This also saves transposing the blocks on the way in.
//
// What a packet has left after groups of eight goes to a pool that fills its eight places from several packets.
import {
  AES_KEY_BYTES,
  aesEncrypt8,
  aesInstall,
  aesRoundCount,
  aesRounds,
  aesRowOrder,
  aesToBlocks,
  aesToPlanes,
  aesTranspose,
  aesWhiten,
} from './aes';
import { addMask } from './block';

/** Groups of eight blocks that DELTA covers: 1536 bytes of data. Longer packets end in the pool. */
export const AES_DELTA_GROUPS: i32 = 12;
/** Where they lie in a key. */
export const AES_DELTA: usize = AES_KEY_BYTES;
const PLANES_BYTES: i32 = 128;

/** Bytes of an installed key. */
export const AES_COUNTER_KEY_BYTES: i32 = AES_KEY_BYTES + AES_DELTA_GROUPS * 128;

/** Groups of blocks or planes in work: as many as go through the rounds together. */
const GROUPS: i32 = 4;
@lazy
const STATES: usize = memory.data(512, 16);
/** Planes after round 1 of the J0 of eight packets, a packet in each bit, and of eight more. */
@lazy
const STARTS: usize = memory.data(256, 16);
/** Those of one packet, in all bits. */
@lazy
const START: usize = memory.data(128, 16);

/** The pool: counter blocks, then where each one's keystream goes: u32 address, u32 length (1 … 16). */
@lazy
const POOL: usize = memory.data(512, 16);
@lazy
const POOL_TARGETS: usize = memory.data(256, 16);
const POOL_BLOCKS: i32 = 8 * GROUPS;
let pooled: i32 = 0;

export function aesCounterInstall(key: usize, secret: usize, secretLength: i32): void {
  aesInstall(key, secret, secretLength);
  firstRound(key, START, 1, 0);
  for (let group = 0; group < AES_DELTA_GROUPS; group++) {
    const delta = key + AES_DELTA + group * PLANES_BYTES;
    firstRound(key, delta, 2 + 8 * group, 1);
    for (let i = 0; i < 128; i += 16) v128.store(delta + i, v128.xor(v128.load(delta + i), v128.load(START + i)));
  }
  memory.fill(START, 0, 128);
}

/** Planes after round 1 of eight blocks that are zero but for byte 15: `counter`, and `step` more from block to block. */
function firstRound(key: usize, planes: usize, counter: i32, step: i32): void {
  memory.fill(planes, 0, 128);
  for (let i = 0; i < 8; i++) store<u8>(planes + 16 * i, counter + i * step, 15);
  aesToPlanes(planes);
  aesWhiten(key, planes);
  aesRounds(key, planes, 1, 1, 1);
}

/** The hash subkey, H = CIPH_K(0^128) (SP 800-38D §7.1 step 1), into the 16 bytes at `h`. */
export function aesCounterSubkey(key: usize, h: usize): void {
  memory.fill(STATES, 0, 128);
  aesEncrypt8(key, STATES, 1);
  v128.store(h, v128.load(STATES));
  memory.fill(STATES, 0, 128);
}

@inline
function storeBlock(block: usize, nonce: usize, counter: u32): void {
  store<u64>(block, load<u64>(nonce, 0), 0);
  store<u32>(block, load<u32>(nonce, 8), 8);
  store<u32>(block, bswap<u32>(counter), 12);
}

/** Places a packet (0 … 15) in the group that aesCounterBegin begins. */
export function aesCounterNonce(place: i32, nonce: usize): void {
  storeBlock(STARTS + 16 * place, nonce, 1);
}

/** Begins a group of `count` (up to sixteen) packets; leaves CIPH_K(J0) of place i in the 16 bytes at `masks` + 16·i. */
export function aesCounterBegin(key: usize, masks: usize, count: i32): void {
  const groups = (count + 7) >> 3;
  const bytes = PLANES_BYTES * groups;
  for (let i = 0; i < bytes; i += PLANES_BYTES) {
    aesToPlanes(STARTS + i);
    aesWhiten(key, STARTS + i);
  }
  aesRounds(key, STARTS, groups, 1, 1);
  for (let i = 0; i < bytes; i += 16) v128.store(masks + i, v128.load(STARTS + i));
  aesRounds(key, masks, groups, 2, aesRoundCount(key));
  for (let i = 0; i < bytes; i += PLANES_BYTES) aesToBlocks(masks + i);
}

/** Adds the keystream from block 2 on to the data of the packet at `place`. The end of it may wait for aesCounterFlush. */
export function aesCounterApply(key: usize, place: i32, nonce: usize, data: usize, length: i32): void {
  let counter: u32 = 2;
  if (length >= 128) {
    const bit = i8x16.splat(<i8>(<i32>1 << (place & 7)));
    const starts = STARTS + 16 * (place & 8);
    for (let i = 0; i < 128; i += 16) {
      v128.store(START + i, i8x16.eq(v128.and(v128.load(starts + i), bit), bit));
    }
    const rounds = aesRoundCount(key);
    let groups = min(length >> 7, AES_DELTA_GROUPS);
    let delta = key + AES_DELTA;
    counter += 8 * groups;
    length -= 128 * groups;
    for (; groups > 0; groups -= GROUPS) {
      const bytes = PLANES_BYTES * min(groups, GROUPS);
      for (let i = 0; i < bytes; i += 16) {
        v128.store(STATES + i, v128.xor(v128.load(START + (i & 127)), v128.load(delta + i)));
      }
      aesRounds(key, STATES, min(groups, GROUPS), 2, rounds);
      for (let i = 0; i < bytes; i += 16) {
        if ((i & 127) == 0) aesTranspose(STATES + i);
        v128.store(data + i, v128.xor(v128.load(data + i), aesRowOrder(v128.load(STATES + i))));
      }
      data += bytes;
      delta += bytes;
    }
  }
  while (length > 0) {
    storeBlock(POOL + 16 * pooled, nonce, counter++);
    store<u32>(POOL_TARGETS + 8 * pooled, data, 0);
    store<u32>(POOL_TARGETS + 8 * pooled, min(length, 16), 4);
    data += 16;
    length -= 16;
    if (++pooled == POOL_BLOCKS) aesCounterFlush(key);
  }
}

/** Finishes what is in the pool. */
export function aesCounterFlush(key: usize): void {
  if (pooled == 0) return;
  aesEncrypt8(key, POOL, (pooled + 7) >> 3);
  for (let i = 0; i < pooled; i++) {
    const data: usize = load<u32>(POOL_TARGETS + 8 * i, 0);
    const length: i32 = load<u32>(POOL_TARGETS + 8 * i, 4);
    addMask(data, POOL + 16 * i, length);
  }
  pooled = 0;
}

/** Forgets the last batch: its keystream, and what lies behind round 1 of known blocks, which gives the key away. */
export function aesCounterForget(): void {
  memory.fill(STATES, 0, 512);
  memory.fill(STARTS, 0, 256);
  memory.fill(START, 0, 128);
  memory.fill(POOL, 0, 512);
}
