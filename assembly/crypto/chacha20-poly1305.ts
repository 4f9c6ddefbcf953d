// AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8) as ESP uses it (RFC 7634): 12-byte nonces, whole batches under one key.
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
import { chacha20Blocks4 } from './chacha20';
import { equalTags } from './constant-time';
import { POLY1305_BYTES, poly1305Begin, poly1305Blocks, poly1305Finish } from './poly1305';

export const CHACHA20_POLY1305_KEY_BYTES: i32 = 32;

/** Four blocks of keystream. */
// @ts-ignore: decorator
@lazy
const KEYSTREAM: usize = memory.data(256, 16);
// @ts-ignore: decorator
@lazy
const POLY: usize = memory.data(POLY1305_BYTES, 16);
/** A last block with its padding. */
// @ts-ignore: decorator
@lazy
const LAST: usize = memory.data(16, 16);

export function chacha20Poly1305Install(ctx: usize, key: usize): void {
  memory.copy(ctx, key, CHACHA20_POLY1305_KEY_BYTES);
}

/** The keystream from block 1 on, over the data (RFC 8439 §2.4). */
function cipher(key: usize, nonce: usize, data: usize, length: i32): void {
  for (let counter: u32 = 1; length > 0; counter += 4) {
    chacha20Blocks4(key, nonce, counter, KEYSTREAM);
    const here = min(length, 256);
    let i: usize = 0;
    for (; i + 16 <= <usize>here; i += 16) v128.store(data + i, v128.xor(v128.load(data + i), v128.load(KEYSTREAM + i)));
    for (; i < <usize>here; i++) store<u8>(data + i, load<u8>(data + i) ^ load<u8>(KEYSTREAM + i));
    data += here;
    length -= here;
  }
}

/** Data ‖ pad16 (RFC 8439 §2.8). */
function update(data: usize, length: i32): void {
  poly1305Blocks(POLY, data, length >> 4);
  const rest = length & 15;
  if (rest > 0) {
    v128.store(LAST, i64x2.splat(0));
    memory.copy(LAST, data + (length - rest), rest);
    poly1305Blocks(POLY, LAST, 1);
  }
}

/** The tag over aad ‖ pad16 ‖ ciphertext ‖ pad16 ‖ lengths, under the one-time key of block 0 (RFC 8439 §2.6). */
function computeTag(key: usize, job: usize): v128 {
  const length = load<i32>(job, JOB_LENGTH);
  const aadLength = load<i32>(job, JOB_AAD_LENGTH);
  chacha20Blocks4(key, load<u32>(job, JOB_NONCE), 0, KEYSTREAM);
  poly1305Begin(POLY, KEYSTREAM);
  update(load<u32>(job, JOB_AAD), aadLength);
  update(load<u32>(job, JOB_DATA), length);
  store<u64>(LAST, aadLength, 0);
  store<u64>(LAST, length, 8);
  poly1305Blocks(POLY, LAST, 1);
  return poly1305Finish(POLY);
}

export function chacha20Poly1305Seal(key: usize, jobs: usize, count: i32): void {
  for (let end = jobs + JOB_BYTES * count; jobs < end; jobs += JOB_BYTES) {
    cipher(key, load<u32>(jobs, JOB_NONCE), load<u32>(jobs, JOB_DATA), load<i32>(jobs, JOB_LENGTH));
    v128.store(load<u32>(jobs, JOB_TAG), computeTag(key, jobs));
  }
}

export function chacha20Poly1305Open(key: usize, jobs: usize, count: i32): void {
  for (let end = jobs + JOB_BYTES * count; jobs < end; jobs += JOB_BYTES) {
    v128.store(LAST, computeTag(key, jobs));
    const ok = equalTags(LAST, load<u32>(jobs, JOB_TAG));
    store<u32>(jobs, ok, JOB_OK);
    if (ok) cipher(key, load<u32>(jobs, JOB_NONCE), load<u32>(jobs, JOB_DATA), load<i32>(jobs, JOB_LENGTH));
  }
}
