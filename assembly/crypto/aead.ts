// The AEADs of ESP behind one door: a key context that the caller places in linear memory, and batches of jobs (JOB_* in
// layout.ts) that are sealed or opened in place under it. Constant time; nothing is allocated.
import { CIPHER_AES_GCM } from '../layout';
import { AES_GCM_KEY_BYTES, aesGcmInstall, aesGcmOpen, aesGcmSeal } from './aes-gcm';
import { chacha20Poly1305Install, chacha20Poly1305Open, chacha20Poly1305Seal } from './chacha20-poly1305';

/** Bytes that a key context needs; its address is a multiple of 16. The larger of the two ciphers', and 16 for its kind. */
export const AEAD_CONTEXT_BYTES: i32 = 16 + AES_GCM_KEY_BYTES;
const KEY: usize = 16;

/** Expands a key: 16, 24 or 32 bytes for CIPHER_AES_GCM, 32 for CIPHER_CHACHA20_POLY1305. The caller checked both. */
export function aeadInstall(ctx: usize, cipher: i32, key: usize, keyLength: i32): void {
  store<u32>(ctx, cipher);
  if (cipher == CIPHER_AES_GCM) aesGcmInstall(ctx + KEY, key, keyLength);
  else chacha20Poly1305Install(ctx + KEY, key);
}

/** Forgets the key: the whole context becomes zero. */
export function aeadWipe(ctx: usize): void {
  memory.fill(ctx, 0, AEAD_CONTEXT_BYTES);
}

/** Encrypts `count` jobs in place and writes their tags. */
export function aeadSeal(ctx: usize, jobs: usize, count: i32): void {
  if (load<u32>(ctx) == CIPHER_AES_GCM) aesGcmSeal(ctx + KEY, jobs, count);
  else chacha20Poly1305Seal(ctx + KEY, jobs, count);
}

/** Verifies `count` jobs: JOB_OK becomes 1 and the data is decrypted in place, or JOB_OK becomes 0 and nothing is touched. */
export function aeadOpen(ctx: usize, jobs: usize, count: i32): void {
  if (load<u32>(ctx) == CIPHER_AES_GCM) aesGcmOpen(ctx + KEY, jobs, count);
  else chacha20Poly1305Open(ctx + KEY, jobs, count);
}
