// Poly1305 over the texts of a batch of AEAD jobs, one after the other (RFC 8439 §2.8):
//
//   aad ‖ pad16 ‖ ciphertext ‖ pad16 ‖ length of aad, 64 bits ‖ length of ciphertext, 64 bits
//
// This goes on beside ChaCha20's rounds (chacha20.ts), which absorb what a text has in whole blocks and ask for more here
// (advanceTexts), or by itself (finishTexts). What may be absorbed ends at a limit: a job, and some bytes of its ciphertext.
//
// A short text is copied into one piece first: so it is absorbed in pairs of blocks from its beginning to its end, none of which takes
// longer than the round of ChaCha20 beside it.
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

/** The longest ciphertext that is copied, and room for it with aad and lengths. */
const SHORT: i32 = 128;
@lazy
const PIECE: usize = memory.data(160, 16);

/** The job whose text is next or under way, its one-time key, and what becomes of tags. */
let job: usize = 0;
let key: usize = 0;
let verifying: bool = false;
/** Whether its text is under way, in one piece, and how many blocks of its ciphertext were offered. */
let begun: bool = false;
let inPiece: bool = false;
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

/**
 * The next step: begins a text, offers more of it, or, where less than two blocks are left of what was offered, finishes it. false:
 * nothing of two blocks or more for now.
 */
export function advanceTexts(): bool {
  if (!begun) {
    if (job >= limit && (job > limit || limitBytes < 32)) return false;
    begin();
    return true;
  }
  const complete = job < limit;
  if (!inPiece) offer(complete);
  if (poly1305Left() >= 2) return true;
  if (!complete) return false;
  finish();
  return true;
}

/** Offers the whole blocks of ciphertext that have become ready. */
@inline
function offer(complete: bool): void {
  const ready = (complete ? load<i32>(job, JOB_LENGTH) : limitBytes) >> 4;
  poly1305OfferMore(ready - offered);
  offered = ready;
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
  let aadLength = load<i32>(job, JOB_AAD_LENGTH);
  const length = load<i32>(job, JOB_LENGTH);
  poly1305Begin(key);
  begun = true;
  inPiece = job < limit && length <= SHORT && aadLength <= 16;
  if (inPiece) {
    poly1305Offer(PIECE, joinPieces(aad, aadLength, length));
    return;
  }
  for (; aadLength >= 16; aadLength -= 16) {
    poly1305Block(aad);
    aad += 16;
  }
  if (aadLength > 0) {
    padBlock(LAST, aad, aadLength);
    poly1305Block(LAST);
  }
  poly1305Offer(load<u32>(job, JOB_DATA), 0);
  offered = 0;
  offer(job < limit);
}

/** The whole text into PIECE; returns its blocks. */
@inline
function joinPieces(aad: usize, aadLength: i32, length: i32): i32 {
  let at = PIECE;
  if (aadLength == 16) {
    v128.store(at, v128.load(aad));
    at += 16;
  } else if (aadLength > 0) {
    padBlock(at, aad, aadLength);
    at += 16;
  }
  let data: usize = load<u32>(job, JOB_DATA);
  let left = length;
  for (; left >= 16; left -= 16) {
    v128.store(at, v128.load(data));
    at += 16;
    data += 16;
  }
  if (left > 0) {
    padBlock(at, data, left);
    at += 16;
  }
  store<u64>(at, aadLength, 0);
  store<u64>(at, length, 8);
  return (<i32>(at - PIECE) >> 4) + 1;
}

function finish(): void {
  poly1305AbsorbLast();
  if (!inPiece) {
    const length = load<i32>(job, JOB_LENGTH);
    if (length & 15) {
      padBlock(LAST, load<u32>(job, JOB_DATA) + (length & ~15), length & 15);
      poly1305Block(LAST);
    }
    store<u64>(LAST, load<i32>(job, JOB_AAD_LENGTH), 0);
    store<u64>(LAST, length, 8);
    poly1305Block(LAST);
  }
  const tag: usize = load<u32>(job, JOB_TAG);
  if (verifying) {
    v128.store(LAST, poly1305Finish());
    store<u32>(job, equalTags(LAST, tag), JOB_OK);
  } else v128.store(tag, poly1305Finish());
  poly1305Offer(0, 0);
  job += JOB_BYTES;
  key += KEY_BYTES;
  begun = false;
}
