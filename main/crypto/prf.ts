// Pseudo-random functions of the IKE SA (RFC 7296 §2.13): HMAC with SHA-2 (RFC 4868), and with SHA-1 (RFC 2104) for old
// gateways, offered only where a profile names it.
import { createHmac } from 'node:crypto';

export interface Prf {
  /** Transform id, type 2. */
  readonly id: number;
  /** "PRF_HMAC_SHA2_256". */
  readonly name: string;
  /** Preferred key length in bytes: the length of SK_d, SK_pi and SK_pr (RFC 7296 §2.13, §2.14). */
  readonly keyBytes: number;
  readonly outputBytes: number;
  /** prf(key, data), the pieces of data taken as if concatenated. */
  compute(key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array;
}

const hmac = (id: number, name: string, hash: string, bytes: number): Prf => ({
  id,
  name,
  keyBytes: bytes,
  outputBytes: bytes,
  compute(key, ...data) {
    const mac = createHmac(hash, key);
    for (const piece of data) mac.update(piece);
    // The same memory, not a copy: callers wipe what they get.
    const digest = mac.digest();
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.length);
  },
});

export const PRF_HMAC_SHA2_256 = hmac(5, 'PRF_HMAC_SHA2_256', 'sha256', 32);
export const PRF_HMAC_SHA2_384 = hmac(6, 'PRF_HMAC_SHA2_384', 'sha384', 48);
export const PRF_HMAC_SHA2_512 = hmac(7, 'PRF_HMAC_SHA2_512', 'sha512', 64);
export const PRF_HMAC_SHA1 = hmac(2, 'PRF_HMAC_SHA1', 'sha1', 20);

export const PRFS: readonly Prf[] = [PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512, PRF_HMAC_SHA1];

/** prf+ (RFC 7296 §2.13): `length` bytes of T1 | T2 | …, Tn = prf(K, Tn-1 | S | n). Throws beyond 255 rounds. */
export function prfPlus(prf: Prf, key: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const rounds = Math.ceil(length / prf.outputBytes);
  if (rounds > 255) throw new RangeError(`prf+ gives at most ${255 * prf.outputBytes} bytes, ${length} were asked for`);
  const output = new Uint8Array(length);
  let T: Uint8Array = new Uint8Array(0);
  for (let n = 1; n <= rounds; n++) {
    const next = prf.compute(key, T, seed, Uint8Array.of(n));
    T.fill(0);
    T = next;
    const at = (n - 1) * prf.outputBytes;
    output.set(T.subarray(0, Math.min(T.length, length - at)), at);
  }
  T.fill(0);
  return output;
}
