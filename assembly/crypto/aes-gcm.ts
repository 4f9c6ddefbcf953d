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
  aesCounterForget,
  aesCounterInstall,
  aesCounterNonce,
  aesCounterSubkey,
} from './aes-counter';
import { AES_LONE_MOST, aesLoneApply, aesLoneForget, aesLoneMake } from './aes-lone';
import { aesStreamAt, aesStreamMake } from './aes-stream';
import { addMask } from './block';
import { equalTags } from './constant-time';
import { GHASH_KEY_BYTES, ghashForget, ghashInstall, ghashText } from './ghash';
import { GHASH_LANES_KEY_BYTES, ghashLanes, ghashLanesForget, ghashLanesInstall, ghashLanesWorth } from './ghash-lanes';
import {
  GHASH_STRIDES_KEY_BYTES,
  ghashStrides,
  ghashStridesForget,
  ghashStridesInstall,
  ghashStridesWorth,
} from './ghash-strides';

const GHASH_KEY: usize = AES_COUNTER_KEY_BYTES;
const GHASH_LANES_KEY: usize = GHASH_KEY + GHASH_KEY_BYTES;
const GHASH_STRIDES_KEY: usize = GHASH_LANES_KEY + GHASH_LANES_KEY_BYTES;
/** Bytes of an installed key. */
export const AES_GCM_KEY_BYTES: i32 =
  AES_COUNTER_KEY_BYTES + GHASH_KEY_BYTES + GHASH_LANES_KEY_BYTES + GHASH_STRIDES_KEY_BYTES;

/** Packets that are hashed together. Eight of them share one run of AES for their J0. */
const GROUP: i32 = 16;

/** CIPH_K(J0) of a group's packets; the hashes of their texts, then their tags. */
@lazy
const MASKS: usize = memory.data(256, 16);
@lazy
const TAGS: usize = memory.data(256, 16);

export function aesGcmInstall(gcm: usize, key: usize, keyLength: i32): void {
  aesCounterInstall(gcm, key, keyLength);
  // H = CIPH_K(0^128), §7.1 step 1.
  aesCounterSubkey(gcm, TAGS);
  ghashInstall(gcm + GHASH_KEY, TAGS);
  ghashLanesInstall(gcm + GHASH_LANES_KEY, TAGS);
  ghashStridesInstall(gcm + GHASH_STRIDES_KEY, TAGS);
  v128.store(TAGS, i64x2.splat(0));
}

/** CIPH_K(J0) of the group into MASKS; aesCounterApply needs what this leaves behind. */
function begin(gcm: usize, jobs: usize, count: i32): void {
  for (let i = 0; i < count; i++) aesCounterNonce(i, load<u32>(jobs + JOB_BYTES * i, JOB_NONCE));
  aesCounterBegin(gcm, MASKS, count);
}

/** GHASH_H(aad, ciphertext) of one job. */
function hash(gcm: usize, job: usize, out: usize): void {
  const aad = load<u32>(job, JOB_AAD);
  const aadLength = load<i32>(job, JOB_AAD_LENGTH);
  const data = load<u32>(job, JOB_DATA);
  const length = load<i32>(job, JOB_LENGTH);
  const ghash = gcm + GHASH_KEY;
  if (ghashStridesWorth(aadLength, length)) {
    ghashStrides(gcm + GHASH_STRIDES_KEY, ghash, aad, aadLength, data, length, out);
  } else ghashText(ghash, aad, aadLength, data, length, out);
}

/** Into TAGS: T = GHASH_H(aad, ciphertext) + CIPH_K(J0), §7.1 steps 5 and 6. */
function computeTags(gcm: usize, jobs: usize, count: i32): void {
  if (ghashLanesWorth(jobs, count)) ghashLanes(gcm + GHASH_LANES_KEY, jobs, count, TAGS);
  else {
    for (let i = 0; i < count; i++) hash(gcm, jobs + JOB_BYTES * i, TAGS + 16 * i);
  }
  for (let i = 0; i < 16 * count; i += 16) {
    v128.store(TAGS + i, v128.xor(v128.load(TAGS + i), v128.load(MASKS + i)));
  }
}

@inline
function apply(gcm: usize, job: usize, place: i32): void {
  aesCounterApply(gcm, place, load<u32>(job, JOB_NONCE), load<u32>(job, JOB_DATA), load<i32>(job, JOB_LENGTH));
}

/** §7.1: GCTR over the plaintext, then the tag over the ciphertext. */
export function aesGcmSeal(gcm: usize, jobs: usize, count: i32): void {
  while (count > 0) {
    const streamed = aesStreamMake(gcm, jobs, count);
    if (streamed > 0) {
      sealStreamed(gcm, jobs, streamed);
      jobs += JOB_BYTES * streamed;
      count -= streamed;
      continue;
    }
    if (isLone(jobs, count)) {
      sealLone(gcm, jobs);
      jobs += JOB_BYTES;
      count--;
      continue;
    }
    const here = min(count, GROUP);
    begin(gcm, jobs, here);
    for (let i = 0; i < here; i++) apply(gcm, jobs + JOB_BYTES * i, i);
    aesCounterFlush(gcm);
    computeTags(gcm, jobs, here);
    writeTags(jobs, here);
    jobs += JOB_BYTES * here;
    count -= here;
  }
}

function writeTags(jobs: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    v128.store(load<u32>(jobs, JOB_TAG), v128.load(TAGS + 16 * i));
    jobs += JOB_BYTES;
  }
}

/** §7.2: the tag over the ciphertext, and only where it is right the plaintext. */
export function aesGcmOpen(gcm: usize, jobs: usize, count: i32): void {
  while (count > 0) {
    const streamed = aesStreamMake(gcm, jobs, count);
    if (streamed > 0) {
      openStreamed(gcm, jobs, streamed);
      jobs += JOB_BYTES * streamed;
      count -= streamed;
      continue;
    }
    if (isLone(jobs, count)) {
      openLone(gcm, jobs);
      jobs += JOB_BYTES;
      count--;
      continue;
    }
    const here = min(count, GROUP);
    begin(gcm, jobs, here);
    computeTags(gcm, jobs, here);
    for (let i = 0; i < here; i++) {
      const job = jobs + JOB_BYTES * i;
      if (verify(job, i)) apply(gcm, job, i);
    }
    aesCounterFlush(gcm);
    jobs += JOB_BYTES * here;
    count -= here;
  }
}

// Both again for a packet with hardly any beside it (aes-lone.ts).

/** Up to so many packets that are not short are better done one by one: shared, J0s and ends would save less than they cost. */
const FEW: i32 = 3;
const NOT_SHORT: i32 = 512;

@inline
function isLone(job: usize, count: i32): bool {
  const length = load<i32>(job, JOB_LENGTH);
  return length <= AES_LONE_MOST && (count == 1 || (count <= FEW && length >= NOT_SHORT));
}

function sealLone(gcm: usize, job: usize): void {
  const length = load<i32>(job, JOB_LENGTH);
  const mask = aesLoneMake(gcm, load<u32>(job, JOB_NONCE), length);
  aesLoneApply(load<u32>(job, JOB_DATA), length);
  hash(gcm, job, TAGS);
  v128.store(load<u32>(job, JOB_TAG), v128.xor(v128.load(TAGS), mask));
}

function openLone(gcm: usize, job: usize): void {
  const length = load<i32>(job, JOB_LENGTH);
  const mask = aesLoneMake(gcm, load<u32>(job, JOB_NONCE), length);
  hash(gcm, job, TAGS);
  v128.store(TAGS, v128.xor(v128.load(TAGS), mask));
  if (verify(job, 0)) aesLoneApply(load<u32>(job, JOB_DATA), length);
}

/** Notes in the job whether tag `i` is its own. */
@inline
function verify(job: usize, i: i32): u32 {
  const ok = equalTags(TAGS + 16 * i, load<u32>(job, JOB_TAG));
  store<u32>(job, ok, JOB_OK);
  return ok;
}

// Both again, with the keystream of all jobs, J0's block first, where aesStreamMake left it.

function sealStreamed(gcm: usize, jobs: usize, count: i32): void {
  for (let first = 0; first < count; first += GROUP) {
    const here = min(count - first, GROUP);
    for (let i = 0; i < here; i++) applyStream(jobs + JOB_BYTES * i, first + i);
    streamedTags(gcm, jobs, first, here);
    writeTags(jobs, here);
    jobs += JOB_BYTES * GROUP;
  }
}

function openStreamed(gcm: usize, jobs: usize, count: i32): void {
  for (let first = 0; first < count; first += GROUP) {
    const here = min(count - first, GROUP);
    streamedTags(gcm, jobs, first, here);
    for (let i = 0; i < here; i++) {
      const job = jobs + JOB_BYTES * i;
      if (verify(job, i)) applyStream(job, first + i);
    }
    jobs += JOB_BYTES * GROUP;
  }
}

function streamedTags(gcm: usize, jobs: usize, first: i32, count: i32): void {
  for (let i = 0; i < count; i++) v128.store(MASKS + 16 * i, v128.load(aesStreamAt(first + i)));
  computeTags(gcm, jobs, count);
}

@inline
function applyStream(job: usize, i: i32): void {
  addMask(load<u32>(job, JOB_DATA), aesStreamAt(i) + 16, load<i32>(job, JOB_LENGTH));
}

/** Forgets what the last batch left: keystream, and sums of products with H beside what was multiplied. */
export function aesGcmForget(): void {
  memory.fill(MASKS, 0, 256);
  memory.fill(TAGS, 0, 256);
  aesCounterForget();
  aesLoneForget();
  ghashForget();
  ghashLanesForget();
  ghashStridesForget();
}
