// AES-CBC (NIST SP 800-38A §6.2) and AES-CTR with ESP's counter blocks (RFC 3686 §4), block by block. Slow; oracles for tests.
import { aesDecrypt, aesEncrypt } from './aes.ts';

const add = (a: Uint8Array, b: Uint8Array) => a.map((byte, i) => byte ^ b[i]!);

/** C_j = CIPH_K(P_j + C_j-1), C_0 = IV. */
export function aesCbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(plaintext.length);
  let before = iv;
  for (let at = 0; at < plaintext.length; at += 16) {
    before = aesEncrypt(key, add(plaintext.subarray(at, at + 16), before));
    out.set(before, at);
  }
  return out;
}

/** P_j = CIPH^-1_K(C_j) + C_j-1. */
export function aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const out = new Uint8Array(ciphertext.length);
  for (let at = 0; at < ciphertext.length; at += 16) {
    const before = at === 0 ? iv : ciphertext.subarray(at - 16, at);
    out.set(add(aesDecrypt(key, ciphertext.subarray(at, at + 16)), before), at);
  }
  return out;
}

/** Keystream of the counter blocks nonce ‖ IV ‖ 1, 2, 3, … */
export function aesCtr(key: Uint8Array, nonce: Uint8Array, iv: Uint8Array, text: Uint8Array): Uint8Array {
  const out = text.slice();
  for (let at = 0; at < text.length; at += 16) {
    const block = Uint8Array.of(...nonce, ...iv, 0, 0, 0, 0);
    new DataView(block.buffer).setUint32(12, 1 + at / 16);
    const mask = aesEncrypt(key, block);
    for (let i = at; i < Math.min(at + 16, text.length); i++) out[i]! ^= mask[i - at]!;
  }
  return out;
}
