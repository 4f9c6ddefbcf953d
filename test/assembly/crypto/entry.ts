// AssemblyScript, not TypeScript: read by asc only. The AEADs and their primitives alone, for tests and the benchmark;
// test/assembly/crypto/module.ts compiles it. The wrappers keep the primitives' own shapes (contexts, limbs, planes)
// out of the tests.
import { AEAD_CONTEXT_BYTES } from '../../../assembly/crypto/aead';
import { AES_KEY_BYTES, aesEncrypt8, aesInstall } from '../../../assembly/crypto/aes';
import { chacha20Blocks, chacha20Lane, chacha20Lanes } from '../../../assembly/crypto/chacha20';
import { GHASH_KEY_BYTES, ghashInstall, ghashText } from '../../../assembly/crypto/ghash';
import {
  GHASH_STRIDES_KEY_BYTES,
  ghashStrides,
  ghashStridesInstall,
  ghashStridesWorth,
} from '../../../assembly/crypto/ghash-strides';
import { poly1305Absorb, poly1305Begin, poly1305Finish, poly1305Offer } from '../../../assembly/crypto/poly1305';

export { aeadInstall, aeadOpen, aeadSeal, aeadWipe } from '../../../assembly/crypto/aead';
export { acceleratorRegion, acceleratorTrial, configureAccelerator } from '../../../assembly/crypto/aes-stream';
export { transformAccelerate, transformWipe } from '../../../assembly/crypto/transform';

const AES: usize = memory.data(AES_KEY_BYTES, 16);
const STRIDES: usize = memory.data(GHASH_STRIDES_KEY_BYTES, 16);
const GHASH: usize = memory.data(GHASH_KEY_BYTES, 16);
const SCRATCH: usize = memory.data(512, 16);

export function contextBytes(): i32 {
  return AEAD_CONTEXT_BYTES;
}

/** Eight blocks, in place. */
export function aes(key: usize, keyLength: i32, blocks: usize): void {
  aesInstall(AES, key, keyLength);
  aesEncrypt8(AES, blocks, 1);
}

/** GHASH of aad, data and lengths into the 16 bytes at `out`. */
export function ghash(h: usize, aad: usize, aadLength: i32, data: usize, length: i32, out: usize): void {
  ghashInstall(GHASH, h);
  ghashText(GHASH, aad, aadLength, data, length, out);
}

/** The same in sixteen strides; false: the text is not one for that. */
export function ghashStrided(h: usize, aad: usize, aadLength: i32, data: usize, length: i32, out: usize): bool {
  if (!ghashStridesWorth(aadLength, length)) return false;
  ghashInstall(GHASH, h);
  ghashStridesInstall(STRIDES, h);
  ghashStrides(STRIDES, GHASH, aad, aadLength, data, length, out);
  return true;
}

/** 512 bytes of keystream of one nonce into `out`; or, with all lanes given one by one, 256. */
export function chacha20(key: usize, nonce: usize, counter: u32, eight: bool, out: usize): void {
  poly1305Offer(0, 0);
  if (eight) chacha20Lanes(nonce, counter);
  else for (let i = 0; i < 4; i++) chacha20Lane(i, nonce, counter + i);
  memory.fill(out, 0, eight ? 512 : 256);
  chacha20Blocks(key, eight, out, out);
}

/** Poly1305 of whole blocks into the 16 bytes at `out`, by its state in memory. */
export function poly1305(key: usize, data: usize, blocks: i32, out: usize): void {
  poly1305Begin(key);
  poly1305Offer(data, blocks);
  poly1305Absorb();
  v128.store(out, poly1305Finish());
}

/** The same beside ChaCha20's rounds: `blocks` is at most 40, and even. */
export function poly1305Beside(key: usize, data: usize, blocks: i32, out: usize): void {
  poly1305Begin(key);
  poly1305Offer(data, blocks);
  chacha20Lanes(key, 0);
  chacha20Blocks(key, true, SCRATCH, SCRATCH);
  v128.store(out, poly1305Finish());
}
