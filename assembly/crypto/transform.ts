// What protects an SA's packets, behind one door: a cipher with an integrity algorithm, or an AEAD. A key context that the
// caller places in linear memory, and batches of jobs (JOB_* in layout.ts) that are sealed or opened in place under it.
// Constant time; nothing is allocated.
//
//                      IV   ICV   multiple   RFC
//   AES-GCM            8    16    4          4106 §3, §4, §6
//   ChaCha20-Poly1305  8    16    4          7634 §2
//   AES-CBC            16   HMAC  16         3602 §2.4, §3
//   AES-CTR            8    HMAC  4          3686 §3, §4
//   NULL               0    HMAC  4          2410 §2; tests only
//   NULL with GMAC     8    16    4          4543 §3; tests only
//
// "Multiple": what is encrypted, trailer included, is a multiple of it (RFC 4303 §2.4). HMAC: 12 bytes with SHA-1 (RFC 2404),
// 16, 24 or 32 with SHA-2 (RFC 4868 §2.3).
//
// Sealing encrypts, then computes the ICV over the ciphertext; opening verifies first, and decrypts only what is genuine
// (RFC 4303 §3.3.2.1, §3.4.4.1).
import {
  CIPHER_AES_CBC,
  CIPHER_AES_CTR,
  CIPHER_AES_GCM,
  CIPHER_CHACHA20_POLY1305,
  CIPHER_NULL,
  CIPHER_NULL_AES_GMAC,
  JOB_BYTES,
  JOB_OK,
  JOB_TAG,
} from '../layout';
import { AEAD_CONTEXT_BYTES, aeadInstall, aeadOpen, aeadSeal } from './aead';
import { aesSetHandle } from './aes';
import { aesCbcDecrypt, aesCbcEncrypt, aesCbcInstall } from './aes-cbc';
import { aesCtrApply, aesCtrInstall, AES_CTR_KEY_BYTES } from './aes-ctr';
import { aesGcmForget } from './aes-gcm';
import { aesGmacInstall, aesGmacTags } from './aes-gmac';
import { aesStreamForget } from './aes-stream';
import { chacha20Poly1305Forget } from './chacha20-poly1305';
import { equalIcvs } from './constant-time';
import { HMAC_MOST_ICV, hmacIcvBytes, hmacInstall, hmacTags } from './hmac';

/** Bytes that a key context needs; its address is a multiple of 16. AES-GCM's is the largest. */
export const TRANSFORM_CONTEXT_BYTES: i32 = AEAD_CONTEXT_BYTES;

// The cipher's number comes first, as in aead.ts.
const KEY: usize = 16;
const HMAC: usize = KEY + AES_CTR_KEY_BYTES;

const ESP_HEADER: u32 = 8;

/** The ICVs of a batch's part. */
const GROUP: i32 = 64;
@lazy
const TAGS: usize = memory.data(2048, 16);

@inline
function isAead(cipher: i32): bool {
  return cipher == CIPHER_AES_GCM || cipher == CIPHER_CHACHA20_POLY1305;
}

/** Bytes of IV that a packet carries. */
export function transformIvBytes(cipher: i32): u32 {
  if (cipher == CIPHER_AES_CBC) return 16;
  return cipher == CIPHER_NULL ? 0 : 8;
}

/** Bytes of ICV. */
export function transformIcvBytes(ctx: usize): u32 {
  const cipher = load<i32>(ctx);
  return isAead(cipher) || cipher == CIPHER_NULL_AES_GMAC ? 16 : hmacIcvBytes(ctx + HMAC);
}

/** Payload, padding and trailer together are a multiple of this. */
export function transformAlignment(cipher: i32): u32 {
  return cipher == CIPHER_AES_CBC ? 16 : 4;
}

/** Expands the keys. Their lengths fit, and `integrity` is INTEGRITY_NONE exactly where the cipher brings its own: checked. */
export function transformInstall(
  ctx: usize,
  cipher: i32,
  key: usize,
  keyLength: i32,
  integrity: u32,
  integrityKey: usize,
  integrityKeyLength: i32,
): void {
  if (isAead(cipher)) {
    aeadInstall(ctx, cipher, key, keyLength);
    return;
  }
  store<u32>(ctx, cipher);
  if (cipher == CIPHER_AES_CBC) aesCbcInstall(ctx + KEY, key, keyLength);
  else if (cipher == CIPHER_AES_CTR) aesCtrInstall(ctx + KEY, key, keyLength);
  if (cipher == CIPHER_NULL_AES_GMAC) aesGmacInstall(ctx + KEY, key, keyLength);
  else hmacInstall(ctx + HMAC, integrity, integrityKey, integrityKeyLength);
}

/** Lets the accelerator (aes-stream.ts) that knows this key as `handle` make its keystream, where the cipher counts. */
export function transformAccelerate(ctx: usize, handle: u32): void {
  const cipher = load<i32>(ctx);
  if (cipher == CIPHER_AES_GCM || cipher == CIPHER_AES_CTR) aesSetHandle(ctx + KEY, handle);
}

/** Forgets the keys: the whole context becomes zero, and so does what the last batches left in scratch memory. */
export function transformWipe(ctx: usize): void {
  memory.fill(ctx, 0, TRANSFORM_CONTEXT_BYTES);
  aesStreamForget();
  aesGcmForget();
  chacha20Poly1305Forget();
}

/** ICVs of at most GROUP jobs, into TAGS. */
function computeTags(ctx: usize, cipher: i32, jobs: usize, count: i32): void {
  if (cipher == CIPHER_NULL_AES_GMAC) aesGmacTags(ctx + KEY, jobs, count, TAGS, HMAC_MOST_ICV);
  else hmacTags(ctx + HMAC, jobs, count, ESP_HEADER + transformIvBytes(cipher), TAGS);
}

/**
 * Encrypts `count` jobs in place and writes their ICVs. The IV stands in front of the data; for AES-CBC what stands there
 * is a nonce, of which the IV is made (aes-cbc.ts).
 */
export function transformSeal(ctx: usize, jobs: usize, count: i32): void {
  const cipher = load<i32>(ctx);
  if (isAead(cipher)) {
    aeadSeal(ctx, jobs, count);
    return;
  }
  if (cipher == CIPHER_AES_CBC) aesCbcEncrypt(ctx + KEY, jobs, count);
  else if (cipher == CIPHER_AES_CTR) aesCtrApply(ctx + KEY, jobs, count, false);
  const icv: i32 = transformIcvBytes(ctx);
  for (; count > 0; count -= GROUP) {
    const here = min(count, GROUP);
    computeTags(ctx, cipher, jobs, here);
    for (let i = 0; i < here; i++) {
      const tag = TAGS + HMAC_MOST_ICV * i;
      const to: usize = load<u32>(jobs, JOB_TAG);
      // Not a byte more: the next packet begins behind it.
      for (let at = 0; at < icv; at += 4) store<u32>(to + at, load<u32>(tag + at));
      jobs += JOB_BYTES;
    }
  }
}

/** Verifies `count` jobs: JOB_OK becomes 1 and the data is decrypted in place, or JOB_OK becomes 0 and nothing is touched. */
export function transformOpen(ctx: usize, jobs: usize, count: i32): void {
  const cipher = load<i32>(ctx);
  if (isAead(cipher)) {
    aeadOpen(ctx, jobs, count);
    return;
  }
  const icv = transformIcvBytes(ctx);
  for (let first = 0; first < count; first += GROUP) {
    const here = min(count - first, GROUP);
    const group = jobs + JOB_BYTES * first;
    computeTags(ctx, cipher, group, here);
    for (let i = 0; i < here; i++) {
      const job = group + JOB_BYTES * i;
      store<u32>(job, equalIcvs(TAGS + HMAC_MOST_ICV * i, load<u32>(job, JOB_TAG), icv), JOB_OK);
    }
  }
  if (cipher == CIPHER_AES_CBC) aesCbcDecrypt(ctx + KEY, jobs, count);
  else if (cipher == CIPHER_AES_CTR) aesCtrApply(ctx + KEY, jobs, count, true);
}
