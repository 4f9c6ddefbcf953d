// AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8) as ESP uses it (RFC 7634): 12-byte nonces, whole batches under one key.
//
// Block 0 of a packet gives its Poly1305 key, blocks 1 and up its keystream. A packet's first four blocks, its head, are made
// before anything else; two packets of up to 64 bytes share one run of four blocks for theirs.
//
//   heads    256 bytes a packet: │ Poly1305 key, 32 │ – │ keystream of bytes 0 to 191 (or to 63) │
//
// Sealing then goes head, ciphertext, tag; opening goes head, tag and, only where it is right, plaintext.
import {
  JOB_AAD,
  JOB_AAD_LENGTH,
  JOB_BYTES,
  JOB_DATA,
  JOB_LENGTH,
  JOB_NONCE,
  JOB_OK,
  JOB_TAG,
} from '../layout';
import { addMask, padBlock } from './block';
import { chacha20Blocks4, chacha20Lane, chacha20Lanes } from './chacha20';
import { equalTags } from './constant-time';
import { poly1305Absorb, poly1305Begin, poly1305Finish, poly1305Offer } from './poly1305';

export const CHACHA20_POLY1305_KEY_BYTES: i32 = 32;

/** Packets whose heads are made together. */
const GROUP: i32 = 16;
const HEAD_BYTES: i32 = 256;

// @ts-ignore: decorator
@lazy
const HEADS: usize = memory.data(4096, 16);
/** The four blocks of one packet, and those of two short ones. */
// @ts-ignore: decorator
@lazy
const LANES: usize = memory.data(64, 16);
// @ts-ignore: decorator
@lazy
const SHARED_LANES: usize = memory.data(64, 16);
// @ts-ignore: decorator
@lazy
const ZERO: usize = memory.data(256, 16);
/** The last keystream of a packet. */
// @ts-ignore: decorator
@lazy
const REST: usize = memory.data(256, 16);
// @ts-ignore: decorator
@lazy
const POLY: usize = memory.data(96, 16);
/** A last block with its padding, the lengths, or a tag. */
// @ts-ignore: decorator
@lazy
const LAST: usize = memory.data(16, 16);

export function chacha20Poly1305Install(ctx: usize, key: usize): void {
  memory.copy(ctx, key, CHACHA20_POLY1305_KEY_BYTES);
}

function makeHeads(key: usize, jobs: usize, count: i32): void {
  let waiting = -1; // a short packet that has taken lanes 0 and 1 of SHARED_LANES
  for (let i = 0; i < count; i++) {
    const job = jobs + JOB_BYTES * i;
    const nonce = load<u32>(job, JOB_NONCE);
    const head = HEADS + HEAD_BYTES * i;
    if (load<i32>(job, JOB_LENGTH) > 64) {
      chacha20Lanes(LANES, nonce, 0);
      chacha20Blocks4(key, LANES, ZERO, head, POLY);
    } else if (waiting < 0) {
      chacha20Lane(SHARED_LANES, 0, nonce, 0);
      chacha20Lane(SHARED_LANES, 1, nonce, 1);
      waiting = i;
    } else {
      chacha20Lane(SHARED_LANES, 2, nonce, 0);
      chacha20Lane(SHARED_LANES, 3, nonce, 1);
      chacha20Blocks4(key, SHARED_LANES, ZERO, HEADS + HEAD_BYTES * waiting, POLY);
      for (let j = 0; j < 128; j += 16) v128.store(head + j, v128.load(HEADS + HEAD_BYTES * waiting + 128 + j));
      waiting = -1;
    }
  }
  if (waiting >= 0) chacha20Blocks4(key, SHARED_LANES, ZERO, HEADS + HEAD_BYTES * waiting, POLY);
}

/** The keystream from block 1 on, over the data (§2.4). */
function cipher(key: usize, job: usize, head: usize): void {
  const nonce = load<u32>(job, JOB_NONCE);
  let data: usize = load<u32>(job, JOB_DATA);
  let length = load<i32>(job, JOB_LENGTH);
  addMask(data, head + 64, min(length, 192));
  data += 192;
  length -= 192;
  let counter: u32 = 4;
  for (; length >= 256; length -= 256) {
    chacha20Lanes(LANES, nonce, counter);
    chacha20Blocks4(key, LANES, data, data, POLY);
    data += 256;
    counter += 4;
  }
  if (length > 0) {
    chacha20Lanes(LANES, nonce, counter);
    chacha20Blocks4(key, LANES, ZERO, REST, POLY);
    addMask(data, REST, length);
  }
}

/** Data ‖ pad16 (§2.8), the last block of it. */
function absorbRest(data: usize, length: i32): void {
  const rest = length & 15;
  if (rest == 0) return;
  padBlock(LAST, data + (length - rest), rest);
  poly1305Offer(POLY, LAST, 1);
  poly1305Absorb(POLY);
}

/** Begins the tag of a job, over aad ‖ pad16 ‖ ciphertext ‖ pad16 ‖ lengths (§2.8), and offers its ciphertext. */
function beginTag(job: usize, head: usize): void {
  const aad = load<u32>(job, JOB_AAD);
  const aadLength = load<i32>(job, JOB_AAD_LENGTH);
  poly1305Begin(POLY, head);
  if (aadLength >= 16) {
    poly1305Offer(POLY, aad, aadLength >> 4);
    poly1305Absorb(POLY);
  }
  absorbRest(aad, aadLength);
  poly1305Offer(POLY, load<u32>(job, JOB_DATA), load<i32>(job, JOB_LENGTH) >> 4);
}

/** The tag that beginTag began, into LAST. */
function finishTag(job: usize): void {
  const length = load<i32>(job, JOB_LENGTH);
  poly1305Absorb(POLY);
  absorbRest(load<u32>(job, JOB_DATA), length);
  store<u64>(LAST, load<i32>(job, JOB_AAD_LENGTH), 0);
  store<u64>(LAST, length, 8);
  poly1305Offer(POLY, LAST, 1);
  poly1305Absorb(POLY);
  v128.store(LAST, poly1305Finish(POLY));
}

/** Each packet is encrypted while the one before it is authenticated. */
export function chacha20Poly1305Seal(key: usize, jobs: usize, count: i32): void {
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    makeHeads(key, jobs, here);
    for (let i = 0; i < here; i++) {
      cipher(key, jobs, HEADS + HEAD_BYTES * i);
      if (i > 0) sealTag(jobs - JOB_BYTES);
      beginTag(jobs, HEADS + HEAD_BYTES * i);
      jobs += JOB_BYTES;
    }
    sealTag(jobs - JOB_BYTES);
  }
}

function sealTag(job: usize): void {
  finishTag(job);
  v128.store(load<u32>(job, JOB_TAG), v128.load(LAST));
}

/** Each packet is decrypted, once its tag is known to be right, while the one after it is authenticated. */
export function chacha20Poly1305Open(key: usize, jobs: usize, count: i32): void {
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    makeHeads(key, jobs, here);
    beginTag(jobs, HEADS);
    verifyTag(jobs);
    for (let i = 0; i < here; i++) {
      const next = jobs + JOB_BYTES;
      if (i + 1 < here) beginTag(next, HEADS + HEAD_BYTES * (i + 1));
      if (load<u32>(jobs, JOB_OK)) cipher(key, jobs, HEADS + HEAD_BYTES * i);
      if (i + 1 < here) verifyTag(next);
      jobs = next;
    }
  }
}

function verifyTag(job: usize): void {
  finishTag(job);
  store<u32>(job, equalTags(LAST, load<u32>(job, JOB_TAG)), JOB_OK);
}
