// AES-GCM straight from NIST SP 800-38D, with GHASH over BigInt. Slow; an oracle for tests.
import { aesEncrypt } from './aes.ts';

const toBigInt = (bytes: Uint8Array) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const toBytes = (value: bigint) =>
  Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * (15 - i))) & 0xffn));

/** X · Y (§6.3, Algorithm 1); the leftmost bit is the coefficient of x^0. */
function multiply(x: bigint, y: bigint): bigint {
  const R = 0xe1n << 120n;
  let z = 0n;
  let v = y;
  for (let i = 127n; i >= 0n; i--) {
    if ((x >> i) & 1n) z ^= v;
    v = v & 1n ? (v >> 1n) ^ R : v >> 1n;
  }
  return z;
}

/** GHASH_H (§6.4) of aad and ciphertext, each padded with zeros, and their lengths in bits. */
export function ghash(h: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  let y = 0n;
  const absorb = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += 16) {
      const block = new Uint8Array(16);
      block.set(bytes.subarray(at, at + 16));
      y = multiply(y ^ toBigInt(block), toBigInt(h));
    }
  };
  absorb(aad);
  absorb(ciphertext);
  absorb(toBytes((BigInt(8 * aad.length) << 64n) | BigInt(8 * ciphertext.length)));
  return toBytes(y);
}

/** Authenticated encryption (§7.1) with a 96-bit IV and a 128-bit tag: ciphertext ‖ tag. */
export function aesGcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const keystream = (counter: number) => {
    const block = new Uint8Array(16);
    block.set(nonce);
    new DataView(block.buffer).setUint32(12, counter);
    return aesEncrypt(key, block);
  };
  const sealed = new Uint8Array(plaintext.length + 16);
  for (let at = 0; at < plaintext.length; at += 16) {
    const mask = keystream(2 + at / 16);
    for (let i = at; i < Math.min(at + 16, plaintext.length); i++) sealed[i] = plaintext[i]! ^ mask[i - at]!;
  }
  const hash = ghash(aesEncrypt(key, new Uint8Array(16)), aad, sealed.subarray(0, plaintext.length));
  sealed.set(
    keystream(1).map((byte, i) => byte ^ hash[i]!),
    plaintext.length,
  );
  return sealed;
}
