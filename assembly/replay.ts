// The anti-replay window (RFC 4303 §3.4.3) over 64-bit sequence numbers, extended ones inferred as App. A2.2 says.
// Checked before the ICV is verified and marked after, because only then is the number known to be true.
//
//   window ┌────────────────────┐
//        0 │ right  u64         │ highest number verified
//        8 │ size   u32         │ packets in the window, 64 to 4096
//       16 │ ring of 4096 bits  │ bit n & 4095 belongs to number n, for right - size < n <= right
//          └────────────────────┘
//
// The ring is as large as the largest window, so that bits are cleared, never shifted: no shift count can run over.
const RIGHT: usize = 0;
const SIZE: usize = 8;
const RING: usize = 16;
const RING_BITS: u64 = 4096;
const RING_BYTES: usize = 512;
export const REPLAY_BYTES: usize = RING + RING_BYTES;

export const REPLAY_NEW: i32 = 0;
export const REPLAY_OLD: i32 = 1;
export const REPLAY_DUPLICATE: i32 = 2;

export function replayStart(window: usize, size: u32): void {
  memory.fill(window, 0, REPLAY_BYTES);
  store<u32>(window, size, SIZE);
}

@inline
export function replayRight(window: usize): u64 {
  return load<u64>(window, RIGHT);
}

/**
 * The 64-bit number whose low half is `low`: the one nearest to the window (RFC 4303 App. A2.2). 0 where there is none
 * (before the first or after the last number); 0 itself is never sent.
 */
export function replayInfer(window: usize, low: u32): u64 {
  const right = load<u64>(window, RIGHT);
  const size = load<u32>(window, SIZE);
  const rightLow = <u32>right;
  const rightHigh = right >> 32;
  const bottom = rightLow - size + 1; // modulo 2^32
  if (rightLow >= size - 1) {
    // Case A: the window lies in one subspace.
    if (low >= bottom) return (rightHigh << 32) | <u64>low;
    return rightHigh == 0xffffffff ? 0 : ((rightHigh + 1) << 32) | <u64>low;
  }
  // Case B: the window spans two.
  if (low >= bottom) return rightHigh == 0 ? 0 : ((rightHigh - 1) << 32) | <u64>low;
  return (rightHigh << 32) | <u64>low;
}

export function replayCheck(window: usize, sequence: u64): i32 {
  if (sequence == 0) return REPLAY_OLD;
  const right = load<u64>(window, RIGHT);
  if (sequence > right) return REPLAY_NEW;
  if (right - sequence >= <u64>load<u32>(window, SIZE)) return REPLAY_OLD;
  const bit = <u32>sequence & <u32>(RING_BITS - 1);
  const word = load<u32>(window + ((bit >> 5) << 2), RING);
  return word & (<u32>1 << (bit & 31)) ? REPLAY_DUPLICATE : REPLAY_NEW;
}

/** Marks a verified number. Checks again: the same number may have been verified twice in one batch. */
export function replayMark(window: usize, sequence: u64): i32 {
  const state = replayCheck(window, sequence);
  if (state != REPLAY_NEW) return state;
  const right = load<u64>(window, RIGHT);
  if (sequence > right) {
    const ahead = sequence - right;
    if (ahead >= RING_BITS) memory.fill(window + RING, 0, RING_BYTES);
    else for (let n = right + 1; n < sequence; n++) clear(window, <u32>n);
    store<u64>(window, sequence, RIGHT);
  }
  const bit = <u32>sequence & <u32>(RING_BITS - 1);
  const word = window + ((bit >> 5) << 2);
  store<u32>(word, load<u32>(word, RING) | (<u32>1 << (bit & 31)), RING);
  return REPLAY_NEW;
}

@inline
function clear(window: usize, n: u32): void {
  const bit = n & <u32>(RING_BITS - 1);
  const word = window + ((bit >> 5) << 2);
  store<u32>(word, load<u32>(word, RING) & ~(<u32>1 << (bit & 31)), RING);
}
