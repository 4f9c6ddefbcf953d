// AES-GCM (NIST SP 800-38D) as ESP uses it (RFC 4106): 12-byte nonces, 16-byte tags, whole batches under one key.
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
import { AES_KEY_BYTES, aesEncrypt8, aesInstall } from './aes';
import { equalTags } from './constant-time';
import { GHASH_KEY_BYTES, ghashInstall, ghashText } from './ghash';

const GHASH_KEY: usize = AES_KEY_BYTES;
export const AES_GCM_KEY_BYTES: i32 = AES_KEY_BYTES + GHASH_KEY_BYTES;

/** Eight blocks of keystream. */
// @ts-ignore: decorator
@lazy
const KEYSTREAM: usize = memory.data(128, 16);
/** The running hash, then the tag. */
// @ts-ignore: decorator
@lazy
const TAG: usize = memory.data(16, 16);

export function aesGcmInstall(gcm: usize, key: usize, keyLength: i32): void {
  aesInstall(gcm, key, keyLength);
  // H = CIPH_K(0^128), SP 800-38D §7.1 step 1.
  memory.fill(KEYSTREAM, 0, 128);
  aesEncrypt8(gcm, KEYSTREAM);
  ghashInstall(gcm + GHASH_KEY, KEYSTREAM);
  memory.fill(KEYSTREAM, 0, 128);
}

/** Counter blocks nonce ‖ counter … counter + 7, encrypted (SP 800-38D §6.5 with 96-bit IVs). */
function keystream(gcm: usize, nonce: usize, counter: u32): void {
  for (let i: usize = 0; i < 8; i++) {
    const block = KEYSTREAM + 16 * i;
    store<u64>(block, load<u64>(nonce, 0), 0);
    store<u32>(block, load<u32>(nonce, 8), 8);
    store<u32>(block, bswap<u32>(counter + <u32>i), 12);
  }
  aesEncrypt8(gcm, KEYSTREAM);
}

/** GCTR from counter 2: turns plaintext into ciphertext and back. */
function cipher(gcm: usize, nonce: usize, data: usize, length: i32): void {
  for (let counter: u32 = 2; length > 0; counter += 8) {
    keystream(gcm, nonce, counter);
    const here = min(length, 128);
    let i: usize = 0;
    for (; i + 16 <= <usize>here; i += 16) v128.store(data + i, v128.xor(v128.load(data + i), v128.load(KEYSTREAM + i)));
    for (; i < <usize>here; i++) store<u8>(data + i, load<u8>(data + i) ^ load<u8>(KEYSTREAM + i));
    data += here;
    length -= here;
  }
}

/** TAG = GHASH(aad, ciphertext) + CIPH_K(J0), SP 800-38D §7.1 steps 5 and 6. */
function computeTag(gcm: usize, job: usize): void {
  const length = load<i32>(job, JOB_LENGTH);
  const aadLength = load<i32>(job, JOB_AAD_LENGTH);
  ghashText(gcm + GHASH_KEY, load<u32>(job, JOB_AAD), aadLength, load<u32>(job, JOB_DATA), length, TAG);
  keystream(gcm, load<u32>(job, JOB_NONCE), 1);
  v128.store(TAG, v128.xor(v128.load(TAG), v128.load(KEYSTREAM)));
}

export function aesGcmSeal(gcm: usize, jobs: usize, count: i32): void {
  for (let end = jobs + JOB_BYTES * count; jobs < end; jobs += JOB_BYTES) {
    cipher(gcm, load<u32>(jobs, JOB_NONCE), load<u32>(jobs, JOB_DATA), load<i32>(jobs, JOB_LENGTH));
    computeTag(gcm, jobs);
    v128.store(load<u32>(jobs, JOB_TAG), v128.load(TAG));
  }
}

export function aesGcmOpen(gcm: usize, jobs: usize, count: i32): void {
  for (let end = jobs + JOB_BYTES * count; jobs < end; jobs += JOB_BYTES) {
    computeTag(gcm, jobs);
    const ok = equalTags(TAG, load<u32>(jobs, JOB_TAG));
    store<u32>(jobs, ok, JOB_OK);
    if (ok) cipher(gcm, load<u32>(jobs, JOB_NONCE), load<u32>(jobs, JOB_DATA), load<i32>(jobs, JOB_LENGTH));
  }
}
