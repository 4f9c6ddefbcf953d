// Poly1305 over the texts of a batch of AEAD jobs, one after the other (RFC 8439 §2.8):
//
//   aad ‖ pad16 ‖ ciphertext ‖ pad16 ‖ length of aad, 64 bits ‖ length of ciphertext, 64 bits
//
// This goes on beside ChaCha20's rounds (chacha20.ts), which absorb what a text has in whole blocks and ask for more here
// (advanceTexts), or by itself (finishTexts). What may be absorbed ends at a limit: a job, and some bytes of its ciphertext.
import { JOB_AAD, JOB_AAD_LENGTH, JOB_BYTES, JOB_DATA, JOB_LENGTH, JOB_OK, JOB_TAG } from '../layout';
import { padBlock } from './block';
import { equalTags } from './constant-time';
import {
  poly1305Absorb,
  poly1305AbsorbLast,
  poly1305Begin,
  poly1305Block,
  poly1305Finish,
  poly1305Left,
  poly1305Offer,
  poly1305OfferMore,
} from './poly1305';

/** A block with its padding, the lengths, or a tag. */
@lazy
const LAST: usize = memory.data(16, 16);
const KEY_BYTES: usize = 32;

/** The job whose text is next or under way, its one-time key, and what becomes of tags. */
let job: usize = 0;
let key: usize = 0;
let verifying: bool = false;
/** Whether its text is under way, and how many blocks of its ciphertext were offered. */
let begun: bool = false;
let offered: i32 = 0;
let limit: usize = 0;
let limitBytes: i32 = 0;

/** From `jobs` on, with the one-time keys at `keys`; tags are written, or with `verify` compared: JOB_OK says what came out. */
export function beginTexts(jobs: usize, keys: usize, verify: bool): void {
  job = jobs;
  key = keys;
  verifying = verify;
  begun = false;
  limitTexts(jobs, 0);
  poly1305Offer(0, 0);
}

/** All texts in front of `before` may be absorbed from now on, and `bytes` bytes of its own ciphertext. */
@inline
export function limitTexts(before: usize, bytes: i32): void {
  limit = before;
  limitBytes = bytes;
}

/** Offers what comes next, beginning and finishing texts on the way. false: nothing of two blocks or more, for now. */
export function advanceTexts(): bool {
  while (begun || job < limit || (job == limit && limitBytes >= 32)) {
    if (!begun) begin();
    const complete = job < limit;
    const ready = (complete ? load<i32>(job, JOB_LENGTH) : limitBytes) >> 4;
    poly1305OfferMore(ready - offered);
    offered = ready;
    if (poly1305Left() >= 2) return true;
    if (!complete) return false;
    finish();
  }
  return false;
}

/** Absorbs all texts up to that of `last`, which lie within the limit. */
export function finishTexts(last: usize): void {
  while (job <= last) {
    advanceTexts();
    poly1305Absorb();
  }
}

function begin(): void {
  let aad: usize = load<u32>(job, JOB_AAD);
  let length = load<i32>(job, JOB_AAD_LENGTH);
  poly1305Begin(key);
  for (; length >= 16; length -= 16) {
    poly1305Block(aad);
    aad += 16;
  }
  if (length > 0) {
    padBlock(LAST, aad, length);
    poly1305Block(LAST);
  }
  poly1305Offer(load<u32>(job, JOB_DATA), 0);
  begun = true;
  offered = 0;
}

function finish(): void {
  const length = load<i32>(job, JOB_LENGTH);
  poly1305AbsorbLast();
  if (length & 15) {
    padBlock(LAST, load<u32>(job, JOB_DATA) + (length & ~15), length & 15);
    poly1305Block(LAST);
  }
  store<u64>(LAST, load<i32>(job, JOB_AAD_LENGTH), 0);
  store<u64>(LAST, length, 8);
  poly1305Block(LAST);
  const tag: usize = load<u32>(job, JOB_TAG);
  if (verifying) {
    v128.store(LAST, poly1305Finish());
    store<u32>(job, equalTags(LAST, tag), JOB_OK);
  } else v128.store(tag, poly1305Finish());
  job += JOB_BYTES;
  key += KEY_BYTES;
  begun = false;
}
