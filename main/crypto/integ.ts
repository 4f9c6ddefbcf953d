// Integrity algorithms of the IKE SA where the cipher is not an AEAD: truncated HMAC-SHA2 (RFC 4868 §2.6), and HMAC-SHA1-96
// (RFC 2404) for old gateways, offered only where a profile names it. ESP's are in the WebAssembly core.
import { createHmac } from 'node:crypto';
import { equalConstantTime } from './constant-time.ts';

export interface Integ {
  /** Transform id, type 3. */
  readonly id: number;
  /** "AUTH_HMAC_SHA2_256_128". */
  readonly name: string;
  /** Bytes of SK_ai and SK_ar. */
  readonly keyBytes: number;
  readonly icvBytes: number;
  /** The integrity check value over the data, the pieces taken as if concatenated. */
  sign(key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array;
  /** Compares in constant time. */
  verify(key: Uint8Array, icv: Uint8Array, ...data: readonly Uint8Array[]): boolean;
}

/** Transform id 0: no integrity algorithm. */
export const INTEG_NONE = 0;

function hmac(id: number, name: string, hash: string, keyBytes: number, icvBytes: number): Integ {
  const sign = (key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array => {
    const mac = createHmac(hash, key);
    for (const piece of data) mac.update(piece);
    return Uint8Array.from(mac.digest().subarray(0, icvBytes));
  };
  return {
    id,
    name,
    keyBytes,
    icvBytes,
    sign,
    verify: (key, icv, ...data) => equalConstantTime(icv, sign(key, ...data)),
  };
}

const sha2 = (id: number, bits: 256 | 384 | 512): Integ =>
  hmac(id, `AUTH_HMAC_SHA2_${bits}_${bits / 2}`, `sha${bits}`, bits / 8, bits / 16);

export const AUTH_HMAC_SHA2_256_128 = sha2(12, 256);
export const AUTH_HMAC_SHA2_384_192 = sha2(13, 384);
export const AUTH_HMAC_SHA2_512_256 = sha2(14, 512);
export const AUTH_HMAC_SHA1_96 = hmac(2, 'AUTH_HMAC_SHA1_96', 'sha1', 20, 12);

export const INTEGS: readonly Integ[] = [
  AUTH_HMAC_SHA2_256_128,
  AUTH_HMAC_SHA2_384_192,
  AUTH_HMAC_SHA2_512_256,
  AUTH_HMAC_SHA1_96,
];
