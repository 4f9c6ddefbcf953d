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
import { AES_KEY_BYTES, aesEncrypt8, aesInstall, aesOutputOrder, aesRoundCount, aesRounds, aesTranspose } from './aes';
import { addMask } from './block';

/** Groups of eight blocks that DELTA covers: 1536 bytes of data. Longer packets end in the pool. */
const DELTA_GROUPS: i32 = 12;
const DELTA: usize = AES_KEY_BYTES;
const PLANES_BYTES: i32 = 128;

/** Bytes of an installed key. */
export const AES_COUNTER_KEY_BYTES: i32 = AES_KEY_BYTES + DELTA_GROUPS * 128;

// @ts-ignore: decorator
@lazy
const ZERO: usize = memory.data(128, 16);
/** Eight blocks or planes in work. */
// @ts-ignore: decorator
@lazy
const STATE: usize = memory.data(128, 16);
/** The J0 of up to sixteen packets. */
// @ts-ignore: decorator
@lazy
const NONCES: usize = memory.data(256, 16);
/** Planes after round 1 of the first eight of them, a packet in each bit, and of the other eight. */
// @ts-ignore: decorator
@lazy
const STARTS: usize = memory.data(256, 16);
/** Those of one packet, in all bits. */
// @ts-ignore: decorator
@lazy
const START: usize = memory.data(128, 16);

/** The pool: counter blocks, then where each one's keystream goes: u32 address, u32 length (1 … 16). */
// @ts-ignore: decorator
@lazy
const POOL: usize = memory.data(128, 16);
// @ts-ignore: decorator
@lazy
const POOL_TARGETS: usize = memory.data(64, 16);
let pooled: i32 = 0;

export function aesCounterInstall(key: usize, secret: usize, secretLength: i32): void {
  aesInstall(key, secret, secretLength);
  memory.fill(STATE, 0, 128);
  for (let i = 0; i < 8; i++) store<u8>(STATE + 16 * i, 1, 15);
  aesTranspose(STATE);
  aesRounds(key, STATE, key, START, 1, 1);
  for (let group = 0; group < DELTA_GROUPS; group++) {
    const delta = key + DELTA + group * PLANES_BYTES;
    memory.fill(STATE, 0, 128);
    for (let i = 0; i < 8; i++) store<u8>(STATE + 16 * i, 2 + 8 * group + i, 15);
    aesTranspose(STATE);
    aesRounds(key, STATE, key, delta, 1, 1);
    for (let i = 0; i < 128; i += 16) v128.store(delta + i, v128.xor(v128.load(delta + i), v128.load(START + i)));
  }
  memory.fill(START, 0, 128);
  memory.fill(STATE, 0, 128);
}

/** The hash subkey, H = CIPH_K(0^128) (§7.1 step 1), into the 16 bytes at `h`. */
export function aesCounterSubkey(key: usize, h: usize): void {
  memory.fill(STATE, 0, 128);
  aesEncrypt8(key, STATE);
  v128.store(h, v128.load(STATE));
  memory.fill(STATE, 0, 128);
}

// @ts-ignore: decorator
@inline
function storeBlock(block: usize, nonce: usize, counter: u32): void {
  store<u64>(block, load<u64>(nonce, 0), 0);
  store<u32>(block, load<u32>(nonce, 8), 8);
  store<u32>(block, bswap<u32>(counter), 12);
}

/** Places a packet (0 … 15) in the group that aesCounterBegin begins. */
export function aesCounterNonce(place: i32, nonce: usize): void {
  storeBlock(NONCES + 16 * place, nonce, 1);
}

/** Begins a group of `count` (up to sixteen) packets; leaves CIPH_K(J0) of place i in the 16 bytes at `masks` + 16·i. */
export function aesCounterBegin(key: usize, masks: usize, count: i32): void {
  const order = aesOutputOrder(key);
  for (let first = 0; first < count; first += 8) {
    const starts = STARTS + 16 * first;
    const out = masks + 16 * first;
    aesTranspose(NONCES + 16 * first);
    aesRounds(key, NONCES + 16 * first, key, starts, 1, 1);
    aesRounds(key, starts, ZERO, out, 2, aesRoundCount(key));
    aesTranspose(out);
    for (let i = 0; i < 128; i += 16) v128.store(out + i, i8x16.swizzle(v128.load(out + i), order));
  }
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
    const order = aesOutputOrder(key);
    const rounds = aesRoundCount(key);
    let delta = key + DELTA;
    for (const end = delta + DELTA_GROUPS * PLANES_BYTES; length >= 128 && delta < end; delta += PLANES_BYTES) {
      aesRounds(key, START, delta, STATE, 2, rounds);
      aesTranspose(STATE);
      for (let i = 0; i < 128; i += 16) {
        const mask = i8x16.swizzle(v128.load(STATE + i), order);
        v128.store(data + i, v128.xor(v128.load(data + i), mask));
      }
      data += 128;
      length -= 128;
      counter += 8;
    }
  }
  while (length > 0) {
    storeBlock(POOL + 16 * pooled, nonce, counter++);
    store<u32>(POOL_TARGETS + 8 * pooled, data, 0);
    store<u32>(POOL_TARGETS + 8 * pooled, min(length, 16), 4);
    data += 16;
    length -= 16;
    if (++pooled == 8) aesCounterFlush(key);
  }
}

/** Finishes what is in the pool. */
export function aesCounterFlush(key: usize): void {
  if (pooled == 0) return;
  aesEncrypt8(key, POOL);
  for (let i = 0; i < pooled; i++) {
    const data: usize = load<u32>(POOL_TARGETS + 8 * i, 0);
    const length: i32 = load<u32>(POOL_TARGETS + 8 * i, 4);
    addMask(data, POOL + 16 * i, length);
  }
  pooled = 0;
}
