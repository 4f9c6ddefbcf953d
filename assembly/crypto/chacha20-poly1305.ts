// AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8) as ESP uses it (RFC 7634): 12-byte nonces, whole batches under one key.
//
// Block 0 of a packet gives its Poly1305 key, blocks 1 and up its keystream. Eight blocks are made at once, whosever they are,
// so that no length of packets leaves lanes of chacha20.ts empty but for the batch's last:
//
//   │ keys of packets 0 to 7 │ packet 0: blocks 1 to 8 │ 9 to 16 │ 17 …, packet 1: 1 … │ … │ keys of packets 8 to 15 │ …
//
// A batch of less than eight packets fills the lanes that its keys leave with the first blocks of packet 0, "ahead".
//
// Beside the making of keystream goes the hashing of ciphertext: of what was made before when sealing, of packets yet to be
// decrypted when opening, which happens only once their tags are known to be right.
//
// One-time keys are wiped when their batch is done: whoever has one can forge a packet with that nonce.
import { JOB_BYTES, JOB_DATA, JOB_LENGTH, JOB_NONCE, JOB_OK } from '../layout';
import { addMask } from './block';
import { CHACHA20_LANES, chacha20Blocks, chacha20Forget, chacha20Lane, chacha20Lanes } from './chacha20';
import { CHACHA20_ROWS_BYTES, chacha20Rows } from './chacha20-rows';
import { poly1305Forget } from './poly1305';
import { beginTexts, finishTexts, limitTexts } from './poly1305-texts';

export const CHACHA20_POLY1305_KEY_BYTES: i32 = 32;

/** Packets of one batch here. */
const GROUP: i32 = 64;
const BLOCK: i32 = 64;
/** Bytes of keystream that are made at once. */
const STEP: i32 = CHACHA20_LANES * BLOCK;

/** Poly1305's keys of a batch, r and s each. */
const ONE_TIME_KEY: i32 = 32;
@lazy
const KEYS: usize = memory.data(2048, 16);
@lazy
const ZERO: usize = memory.data(512, 16);
/** Keystream with keys, those blocks ahead included. */
@lazy
const HEAD: usize = memory.data(512, 16);
/** Keystream that goes to several packets, or to part of one. */
@lazy
const REST: usize = memory.data(512, 16);
/** Where it goes: address and length of each packet's part, u32 each. */
@lazy
const PARTS: usize = memory.data(64, 16);

export function chacha20Poly1305Install(ctx: usize, key: usize): void {
  memory.copy(ctx, key, CHACHA20_POLY1305_KEY_BYTES);
}

/** Whole blocks that `length` bytes take. */
@inline
function blocks(length: i32): i32 {
  return (length + BLOCK - 1) >> 6;
}

/** One-time keys of jobs `first` to `first` + 7, or to the last. Returns how many blocks of job 0 lie ahead, behind the keys. */
function makeKeys(key: usize, jobs: usize, first: i32, count: i32): i32 {
  const here = min(count - first, CHACHA20_LANES);
  for (let lane = 0; lane < here; lane++) {
    chacha20Lane(lane, load<u32>(jobs + JOB_BYTES * (first + lane), JOB_NONCE), 0);
  }
  let ahead = 0;
  if (first == 0 && here < CHACHA20_LANES) {
    ahead = min(CHACHA20_LANES - here, blocks(load<i32>(jobs, JOB_LENGTH)));
    for (let i = 0; i < ahead; i++) chacha20Lane(here + i, load<u32>(jobs, JOB_NONCE), 1 + i);
  }
  chacha20Blocks(key, here + ahead > 4, ZERO, HEAD);
  for (let lane = 0; lane < here; lane++) {
    const to = KEYS + ONE_TIME_KEY * (first + lane);
    const from = HEAD + BLOCK * lane;
    v128.store(to, v128.load(from, 0), 0);
    v128.store(to, v128.load(from, 16), 16);
    v128.store(from, i64x2.splat(0), 0);
    v128.store(from, i64x2.splat(0), 16);
  }
  return ahead;
}

/** Seals or opens up to GROUP jobs. */
function run(key: usize, jobs: usize, count: i32, sealing: bool): void {
  const end = jobs + JOB_BYTES * count;
  beginTexts(jobs, KEYS, !sealing);
  const ahead = makeKeys(key, jobs, 0, count);
  let keys = min(count, CHACHA20_LANES);
  if (!sealing) limitTexts(jobs + JOB_BYTES * keys, 0);

  // The packet whose keystream is next, what of it is left, and the next block of it.
  let job = jobs;
  let data: usize = load<u32>(job, JOB_DATA);
  let left = 0;
  let nonce: usize = 0;
  let counter: u32 = 0;
  let next = jobs;
  while (next < end || left > 0) {
    // Those that the next eight lanes may need, before they do.
    if (keys < count && next + JOB_BYTES * CHACHA20_LANES >= jobs + JOB_BYTES * keys) {
      makeKeys(key, jobs, keys, count);
      keys = min(keys + CHACHA20_LANES, count);
      if (!sealing) limitTexts(jobs + JOB_BYTES * keys, 0);
    }
    if (left >= STEP) {
      chacha20Lanes(nonce, counter);
      chacha20Blocks(key, true, data, data);
      data += STEP;
      left -= STEP;
      counter += CHACHA20_LANES;
    } else {
      let lane = 0;
      let part = PARTS;
      while (lane < CHACHA20_LANES) {
        if (left == 0) {
          if (next == jobs + JOB_BYTES * keys) break;
          job = next;
          next += JOB_BYTES;
          if (!sealing) {
            finishTexts(job);
            if (!load<u32>(job, JOB_OK)) continue;
          }
          data = load<u32>(job, JOB_DATA);
          left = load<i32>(job, JOB_LENGTH);
          nonce = load<u32>(job, JOB_NONCE);
          counter = 1;
          if (ahead > 0 && job == jobs) {
            const length = min(left, BLOCK * ahead);
            addMask(data, HEAD + BLOCK * count, length);
            data += length;
            left -= length;
            counter += ahead;
          }
          if (lane == 0 && left >= STEP) break;
          continue;
        }
        const lanes = min(blocks(left), CHACHA20_LANES - lane);
        const length = min(left, BLOCK * lanes);
        store<u32>(part, data, 0);
        store<u32>(part, length, 4);
        part += 8;
        for (const until = lane + lanes; lane < until; lane++) chacha20Lane(lane, nonce, counter++);
        data += length;
        left -= length;
      }
      if (lane > 0) {
        chacha20Blocks(key, lane > 4, ZERO, REST);
        let stream = REST;
        for (let at = PARTS; at < part; at += 8) {
          const length: i32 = load<u32>(at, 4);
          addMask(load<u32>(at, 0), stream, length);
          stream += BLOCK * blocks(length);
        }
      }
    }
    if (sealing) {
      if (left > 0) limitTexts(job, load<i32>(job, JOB_LENGTH) - left);
      else limitTexts(next, 0);
    }
  }
  finishTexts(end - JOB_BYTES);
  for (let i = 0; i < ONE_TIME_KEY * count; i += 16) v128.store(KEYS + i, i64x2.splat(0));
  poly1305Forget();
}

/** The most that chacha20Rows makes of a packet's keystream. */
const LONE_MOST: i32 = CHACHA20_ROWS_BYTES - BLOCK;
/** Its keystream, from block 0. */
@lazy
const LONE: usize = memory.data(CHACHA20_ROWS_BYTES, 16);

/** Seals or opens a short packet alone. */
function runLone(key: usize, job: usize, sealing: bool): void {
  const data: usize = load<u32>(job, JOB_DATA);
  const length = load<i32>(job, JOB_LENGTH);
  chacha20Rows(key, load<u32>(job, JOB_NONCE), LONE);
  if (sealing) addMask(data, LONE + BLOCK, length);
  beginTexts(job, LONE, !sealing);
  limitTexts(job + JOB_BYTES, 0);
  finishTexts(job);
  if (!sealing && load<u32>(job, JOB_OK)) addMask(data, LONE + BLOCK, length);
  for (let i = 0; i < CHACHA20_ROWS_BYTES; i += 16) v128.store(LONE + i, i64x2.splat(0));
  poly1305Forget();
}

@inline
function isLone(job: usize, count: i32): bool {
  return count == 1 && load<i32>(job, JOB_LENGTH) <= LONE_MOST;
}

export function chacha20Poly1305Seal(key: usize, jobs: usize, count: i32): void {
  if (isLone(jobs, count)) {
    runLone(key, jobs, true);
    return;
  }
  for (; count > 0; count -= GROUP) {
    run(key, jobs, min(count, GROUP), true);
    jobs += JOB_BYTES * GROUP;
  }
}

/** Each packet is decrypted, once its tag is known to be right, while those after it are authenticated. */
export function chacha20Poly1305Open(key: usize, jobs: usize, count: i32): void {
  if (isLone(jobs, count)) {
    runLone(key, jobs, false);
    return;
  }
  for (; count > 0; count -= GROUP) {
    run(key, jobs, min(count, GROUP), false);
    jobs += JOB_BYTES * GROUP;
  }
}

/** Forgets the last group's keystream. */
export function chacha20Poly1305Forget(): void {
  memory.fill(HEAD, 0, STEP);
  memory.fill(REST, 0, STEP);
  chacha20Forget();
}
