// AssemblyScript, not TypeScript: read by asc only. ESP's transforms with separate integrity and their primitives alone, for
// tests; test/assembly/crypto/transform-module.ts compiles it.
import { AES_CBC_KEY_BYTES, aesCbcDecrypt, aesCbcEncrypt, aesCbcInstall } from '../../../assembly/crypto/aes-cbc';
import { AES_CTR_KEY_BYTES, aesCtrApply, aesCtrInstall } from '../../../assembly/crypto/aes-ctr';
import { AES_GMAC_KEY_BYTES, aesGmacInstall, aesGmacTags } from '../../../assembly/crypto/aes-gmac';
import { aesDecrypt8 } from '../../../assembly/crypto/aes-inverse';
import { HMAC_KEY_BYTES, hmacInstall, hmacTags } from '../../../assembly/crypto/hmac';

export { equalIcvs } from '../../../assembly/crypto/constant-time';

const CBC: usize = memory.data(AES_CBC_KEY_BYTES, 16);
const CTR: usize = memory.data(AES_CTR_KEY_BYTES, 16);
const GMAC: usize = memory.data(AES_GMAC_KEY_BYTES, 16);
const HMAC: usize = memory.data(HMAC_KEY_BYTES, 16);

/** Groups of eight blocks, backwards, in place. */
export function decryptBlocks(key: usize, keyLength: i32, blocks: usize, groups: i32): void {
  aesCbcInstall(CBC, key, keyLength);
  aesDecrypt8(CBC, blocks, groups);
}

export function cbcInstall(key: usize, keyLength: i32): void {
  aesCbcInstall(CBC, key, keyLength);
}

export function cbcEncrypt(jobs: usize, count: i32): void {
  aesCbcEncrypt(CBC, jobs, count);
}

export function cbcDecrypt(jobs: usize, count: i32): void {
  aesCbcDecrypt(CBC, jobs, count);
}

export function ctrInstall(key: usize, keyLength: i32): void {
  aesCtrInstall(CTR, key, keyLength);
}

export function ctrApply(jobs: usize, count: i32, verified: bool): void {
  aesCtrApply(CTR, jobs, count, verified);
}

export function gmac(key: usize, keyLength: i32, jobs: usize, count: i32, out: usize): void {
  aesGmacInstall(GMAC, key, keyLength);
  aesGmacTags(GMAC, jobs, count, out, 32);
}

export function macInstall(integrity: u32, key: usize, keyLength: i32): void {
  hmacInstall(HMAC, integrity, key, keyLength);
}

export function macTags(jobs: usize, count: i32, head: i32, out: usize): void {
  hmacTags(HMAC, jobs, count, head, out);
}
