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
import {
  AES_COUNTER_KEY_BYTES,
  aesCounterApply,
  aesCounterBegin,
  aesCounterFlush,
  aesCounterInstall,
  aesCounterNonce,
  aesCounterSubkey,
} from './aes-counter';
import { equalTags } from './constant-time';
import { GHASH_KEY_BYTES, ghashInstall, ghashText } from './ghash';

const GHASH_KEY: usize = AES_COUNTER_KEY_BYTES;
/** Bytes of an installed key. */
export const AES_GCM_KEY_BYTES: i32 = AES_COUNTER_KEY_BYTES + GHASH_KEY_BYTES;

/** Packets that share one run of AES for their J0. */
const GROUP: i32 = 8;

/** CIPH_K(J0) of a group's packets. */
// @ts-ignore: decorator
@lazy
const MASKS: usize = memory.data(128, 16);
/** A hash, then a tag. */
// @ts-ignore: decorator
@lazy
const TAG: usize = memory.data(16, 16);

export function aesGcmInstall(gcm: usize, key: usize, keyLength: i32): void {
  aesCounterInstall(gcm, key, keyLength);
  // H = CIPH_K(0^128), §7.1 step 1.
  aesCounterSubkey(gcm, TAG);
  ghashInstall(gcm + GHASH_KEY, TAG);
  v128.store(TAG, i64x2.splat(0));
}

/** Into TAG: T = GHASH_H(aad, ciphertext) + CIPH_K(J0), §7.1 steps 5 and 6. */
function computeTag(gcm: usize, job: usize, place: i32): void {
  const aad = load<u32>(job, JOB_AAD);
  const data = load<u32>(job, JOB_DATA);
  ghashText(gcm + GHASH_KEY, aad, load<i32>(job, JOB_AAD_LENGTH), data, load<i32>(job, JOB_LENGTH), TAG);
  v128.store(TAG, v128.xor(v128.load(TAG), v128.load(MASKS + 16 * place)));
}

function begin(gcm: usize, jobs: usize, count: i32): void {
  for (let i = 0; i < count; i++) aesCounterNonce(i, load<u32>(jobs + JOB_BYTES * i, JOB_NONCE));
  aesCounterBegin(gcm, MASKS);
}

// @ts-ignore: decorator
@inline
function apply(gcm: usize, job: usize, place: i32): void {
  aesCounterApply(gcm, place, load<u32>(job, JOB_NONCE), load<u32>(job, JOB_DATA), load<i32>(job, JOB_LENGTH));
}

/** §7.1: GCTR over the plaintext, then the tag over the ciphertext. */
export function aesGcmSeal(gcm: usize, jobs: usize, count: i32): void {
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    begin(gcm, jobs, here);
    for (let i = 0; i < here; i++) apply(gcm, jobs + JOB_BYTES * i, i);
    aesCounterFlush(gcm);
    for (let i = 0; i < here; i++) {
      computeTag(gcm, jobs, i);
      v128.store(load<u32>(jobs, JOB_TAG), v128.load(TAG));
      jobs += JOB_BYTES;
    }
  }
}

/** §7.2: the tag over the ciphertext, and only where it is right the plaintext. */
export function aesGcmOpen(gcm: usize, jobs: usize, count: i32): void {
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    begin(gcm, jobs, here);
    for (let i = 0; i < here; i++) {
      computeTag(gcm, jobs, i);
      const ok = equalTags(TAG, load<u32>(jobs, JOB_TAG));
      store<u32>(jobs, ok, JOB_OK);
      if (ok) apply(gcm, jobs, i);
      jobs += JOB_BYTES;
    }
    aesCounterFlush(gcm);
  }
}
