// AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8) as ESP uses it (RFC 7634): 12-byte nonces, whole batches under one key.
//
// Block 0 of a packet gives its Poly1305 key, blocks 1 and up its keystream. A packet's first four blocks, its head, are made
// before anything else; two packets of up to 64 bytes share one run of four blocks for theirs.
//
//   heads    256 bytes a packet: │ Poly1305 key, 32 │ – │ keystream of bytes 0 to 191 (or to 63) │
//
// Sealing then goes head, ciphertext, tag; opening goes head, tag and, only where it is right, plaintext. Packets that are
// all head have no more rounds of ChaCha20 beside which their tag could be made; it is made in one go (shortTag).
//
// One-time keys are wiped when their group is done.
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
import { poly1305Absorb, poly1305Begin, poly1305Finish, poly1305Offer, poly1305Tag } from './poly1305';

export const CHACHA20_POLY1305_KEY_BYTES: i32 = 32;

/** Packets whose heads are made together. */
const GROUP: i32 = 16;
const HEAD_BYTES: i32 = 256;

@lazy
const HEADS: usize = memory.data(4096, 16);
/** The four blocks of one packet, and those of two short ones. */
@lazy
const LANES: usize = memory.data(64, 16);
@lazy
const SHARED_LANES: usize = memory.data(64, 16);
@lazy
const ZERO: usize = memory.data(256, 16);
/** The last keystream of a packet. */
@lazy
const REST: usize = memory.data(256, 16);
@lazy
const POLY: usize = memory.data(96, 16);
/** All that the tag of a short packet is over: aad, ciphertext, lengths. */
const SHORT: i32 = 192;
@lazy
const TEXT: usize = memory.data(224, 16);
/** A last block with its padding, the lengths, or a tag. */
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

@inline
function isShort(job: usize): bool {
  return load<i32>(job, JOB_LENGTH) <= SHORT && load<i32>(job, JOB_AAD_LENGTH) <= 16;
}

/** Up to 16 bytes at `data`, padded with zeros, to `to`; returns what follows. */
@inline
function appendBlock(to: usize, data: usize, length: i32): usize {
  if (length == 0) return to;
  if (length == 16) v128.store(to, v128.load(data));
  else padBlock(to, data, length);
  return to + 16;
}

/** The tag over the ciphertext of a short packet. */
function shortTag(job: usize, head: usize): v128 {
  const aadLength = load<i32>(job, JOB_AAD_LENGTH);
  const length = load<i32>(job, JOB_LENGTH);
  let data: usize = load<u32>(job, JOB_DATA);
  let at = appendBlock(TEXT, load<u32>(job, JOB_AAD), aadLength);
  const whole = data + (length & ~15);
  for (; data < whole; data += 16) {
    v128.store(at, v128.load(data));
    at += 16;
  }
  at = appendBlock(at, data, length & 15);
  store<u64>(at, aadLength, 0);
  store<u64>(at, length, 8);
  return poly1305Tag(head, TEXT, <i32>(at + 16 - TEXT) >> 4);
}

/** Each packet is encrypted while the one before it is authenticated. */
export function chacha20Poly1305Seal(key: usize, jobs: usize, count: i32): void {
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    makeHeads(key, jobs, here);
    let begun = false;
    for (let i = 0; i < here; i++) {
      const head = HEADS + HEAD_BYTES * i;
      cipher(key, jobs, head);
      if (begun) sealTag(jobs - JOB_BYTES);
      begun = !isShort(jobs);
      if (begun) beginTag(jobs, head);
      else v128.store(load<u32>(jobs, JOB_TAG), shortTag(jobs, head));
      jobs += JOB_BYTES;
    }
    if (begun) sealTag(jobs - JOB_BYTES);
    wipeKeys(here);
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
    if (!isShort(jobs)) beginTag(jobs, HEADS);
    verifyTag(jobs, HEADS);
    for (let i = 0; i < here; i++) {
      const next = jobs + JOB_BYTES;
      const head = HEADS + HEAD_BYTES * i;
      const more = i + 1 < here;
      if (more && !isShort(next)) beginTag(next, head + HEAD_BYTES);
      if (load<u32>(jobs, JOB_OK)) cipher(key, jobs, head);
      if (more) verifyTag(next, head + HEAD_BYTES);
      jobs = next;
    }
    wipeKeys(here);
  }
}

function verifyTag(job: usize, head: usize): void {
  if (isShort(job)) v128.store(LAST, shortTag(job, head));
  else finishTag(job);
  store<u32>(job, equalTags(LAST, load<u32>(job, JOB_TAG)), JOB_OK);
}

/** One-time keys of a group: whoever has one can forge a packet with that nonce. */
function wipeKeys(count: i32): void {
  const zero = i64x2.splat(0);
  const end = HEADS + HEAD_BYTES * count;
  for (let head = HEADS; head < end; head += HEAD_BYTES) {
    v128.store(head, zero, 0);
    v128.store(head, zero, 16);
  }
  for (let i: usize = 0; i < 96; i += 16) v128.store(POLY + i, zero);
}

/** Forgets the last group's keystream. */
export function chacha20Poly1305Forget(): void {
  memory.fill(HEADS, 0, GROUP * HEAD_BYTES);
  memory.fill(REST, 0, 256);
}
