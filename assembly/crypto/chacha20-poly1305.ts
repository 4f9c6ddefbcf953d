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
import { chacha20Blocks4, chacha20Lane, chacha20Lanes } from './chacha20';
import { equalTags } from './constant-time';
import { poly1305Begin, poly1305Blocks, poly1305Finish } from './poly1305';

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
      chacha20Blocks4(key, LANES, ZERO, head);
    } else if (waiting < 0) {
      chacha20Lane(SHARED_LANES, 0, nonce, 0);
      chacha20Lane(SHARED_LANES, 1, nonce, 1);
      waiting = i;
    } else {
      chacha20Lane(SHARED_LANES, 2, nonce, 0);
      chacha20Lane(SHARED_LANES, 3, nonce, 1);
      chacha20Blocks4(key, SHARED_LANES, ZERO, HEADS + HEAD_BYTES * waiting);
      memory.copy(head, HEADS + HEAD_BYTES * waiting + 128, 128);
      waiting = -1;
    }
  }
  if (waiting >= 0) chacha20Blocks4(key, SHARED_LANES, ZERO, HEADS + HEAD_BYTES * waiting);
}

function add(data: usize, mask: usize, length: i32): void {
  for (; length >= 16; length -= 16) {
    v128.store(data, v128.xor(v128.load(data), v128.load(mask)));
    data += 16;
    mask += 16;
  }
  for (; length > 0; length--) {
    store<u8>(data, load<u8>(data) ^ load<u8>(mask));
    data++;
    mask++;
  }
}

/** The keystream from block 1 on, over the data (§2.4). */
function cipher(key: usize, job: usize, head: usize): void {
  const nonce = load<u32>(job, JOB_NONCE);
  let data: usize = load<u32>(job, JOB_DATA);
  let length = load<i32>(job, JOB_LENGTH);
  add(data, head + 64, min(length, 192));
  data += 192;
  length -= 192;
  let counter: u32 = 4;
  for (; length >= 256; length -= 256) {
    chacha20Lanes(LANES, nonce, counter);
    chacha20Blocks4(key, LANES, data, data);
    data += 256;
    counter += 4;
  }
  if (length > 0) {
    chacha20Lanes(LANES, nonce, counter);
    chacha20Blocks4(key, LANES, ZERO, REST);
    add(data, REST, length);
  }
}

/** Data ‖ pad16 (§2.8). */
function update(data: usize, length: i32): void {
  poly1305Blocks(POLY, data, length >> 4);
  const rest = length & 15;
  if (rest > 0) {
    v128.store(LAST, i64x2.splat(0));
    memory.copy(LAST, data + (length - rest), rest);
    poly1305Blocks(POLY, LAST, 1);
  }
}

/** The tag over aad ‖ pad16 ‖ ciphertext ‖ pad16 ‖ lengths, under the one-time key of block 0 (§2.6), into LAST. */
function computeTag(job: usize, head: usize): void {
  const length = load<i32>(job, JOB_LENGTH);
  const aadLength = load<i32>(job, JOB_AAD_LENGTH);
  poly1305Begin(POLY, head);
  update(load<u32>(job, JOB_AAD), aadLength);
  update(load<u32>(job, JOB_DATA), length);
  store<u64>(LAST, aadLength, 0);
  store<u64>(LAST, length, 8);
  poly1305Blocks(POLY, LAST, 1);
  v128.store(LAST, poly1305Finish(POLY));
}

export function chacha20Poly1305Seal(key: usize, jobs: usize, count: i32): void {
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    makeHeads(key, jobs, here);
    for (let i = 0; i < here; i++) {
      const head = HEADS + HEAD_BYTES * i;
      cipher(key, jobs, head);
      computeTag(jobs, head);
      v128.store(load<u32>(jobs, JOB_TAG), v128.load(LAST));
      jobs += JOB_BYTES;
    }
  }
}

export function chacha20Poly1305Open(key: usize, jobs: usize, count: i32): void {
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    makeHeads(key, jobs, here);
    for (let i = 0; i < here; i++) {
      const head = HEADS + HEAD_BYTES * i;
      computeTag(jobs, head);
      const ok = equalTags(LAST, load<u32>(jobs, JOB_TAG));
      store<u32>(jobs, ok, JOB_OK);
      if (ok) cipher(key, jobs, head);
      jobs += JOB_BYTES;
    }
  }
}
