// PEAP's cryptobinding (MS-PEAP §3.1.5.5): proof that tunnel and inner method have the same two ends, and keys from both.
//
//   TempKey   = first 40 bytes of the tunnel key (60 bytes of TLS key material)
//   IPMK | CMK = PRF+(TempKey, "Inner Methods Compound Keys" | ISK, 60)          40 and 20 bytes
//   MAC       = HMAC-SHA1(CMK, the TLV with its MAC zero | EAP type 25)
//   CSK       = PRF+(IPMK, "Session Key Generating Function" | 00, 128)          MSK: its first 64 bytes
import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { EAP_TYPE } from '../packet.ts';
import { bindingTlv, type Cryptobinding, encodeTlvs } from './tlv.ts';

/** T1 | T2 | …, Tn = HMAC-SHA1(key, Tn-1 | seed | n | 00 00). */
function prfPlus(key: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(Math.ceil(length / 20) * 20);
  let before: Uint8Array = new Uint8Array(0);
  for (let n = 1; (n - 1) * 20 < length; n++) {
    before = hmac(sha1, key, concatBytes(before, seed, Uint8Array.of(n, 0, 0)));
    output.set(before, (n - 1) * 20);
  }
  return output.subarray(0, length);
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** 40 and 20 bytes. The caller wipes them. */
export interface CompoundKeys {
  readonly ipmk: Uint8Array;
  readonly cmk: Uint8Array;
}

/** `tunnel`: TLS key material; `isk`: 32 bytes of the inner method, zeros where it makes no key. */
export function compoundKeys(tunnel: Uint8Array, isk: Uint8Array): CompoundKeys {
  const keys = prfPlus(tunnel.subarray(0, 40), concatBytes(ascii('Inner Methods Compound Keys'), isk), 60);
  return { ipmk: keys.subarray(0, 40), cmk: keys.subarray(40) };
}

/** The inner session key: the first 32 bytes of the inner MSK, zeros where the method makes none. The caller wipes it. */
export const innerSessionKey = (msk: Uint8Array | undefined): Uint8Array => msk?.slice(0, 32) ?? new Uint8Array(32);

/** 20 bytes. */
export function compoundMac(cmk: Uint8Array, binding: Omit<Cryptobinding, 'mac'>): Uint8Array {
  const blank = encodeTlvs([bindingTlv({ ...binding, mac: new Uint8Array(20) })]);
  return hmac(sha1, cmk, concatBytes(blank, Uint8Array.of(EAP_TYPE.peap)));
}

/** 64 bytes. The caller wipes them. */
export function boundMsk(ipmk: Uint8Array): Uint8Array {
  const csk = prfPlus(ipmk, concatBytes(ascii('Session Key Generating Function'), Uint8Array.of(0)), 128);
  const msk = csk.slice(0, 64);
  csk.fill(0);
  return msk;
}
