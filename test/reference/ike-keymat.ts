// Slow oracle for the keys of IKEv2: HMAC built by hand from a hash (RFC 2104), prf+ as RFC 7296 §2.13 draws it, all of it in
// hexadecimal strings. Shares no code with main/.
import { createHash } from 'node:crypto';

const BLOCK = { sha256: 64, sha384: 128, sha512: 128 } as const;
export type Hash = keyof typeof BLOCK;

const hash = (name: Hash, hex: string): string => createHash(name).update(Buffer.from(hex, 'hex')).digest('hex');

/** HMAC(K, m) = H((K' xor opad) | H((K' xor ipad) | m)). */
export function hmac(name: Hash, key: string, message: string): string {
  const short = key.length / 2 > BLOCK[name] ? hash(name, key) : key;
  const padded = Buffer.from(short.padEnd(BLOCK[name] * 2, '0'), 'hex');
  const xor = (pad: number): string => Buffer.from(padded.map((byte) => byte ^ pad)).toString('hex');
  return hash(name, xor(0x5c) + hash(name, xor(0x36) + message));
}

/** prf+ (K,S) = T1 | T2 | T3 | …, T1 = prf (K, S | 0x01), T2 = prf (K, T1 | S | 0x02), … */
export function prfPlus(name: Hash, key: string, seed: string, bytes: number): string {
  let T = '';
  let all = '';
  for (let n = 1; all.length < bytes * 2; n++) {
    T = hmac(name, key, T + seed + n.toString(16).padStart(2, '0'));
    all += T;
  }
  return all.slice(0, bytes * 2);
}

/** SKEYSEED and {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} (RFC 7296 §2.14). */
export function ikeKeys(
  name: Hash,
  lengths: { readonly prf: number; readonly integ: number; readonly encr: number },
  from: Readonly<Record<'sharedSecret' | 'Ni' | 'Nr' | 'SPIi' | 'SPIr', string>>,
): Record<string, string> {
  const SKEYSEED = hmac(name, from.Ni + from.Nr, from.sharedSecret);
  const order = [
    ['SK_d', lengths.prf],
    ['SK_ai', lengths.integ],
    ['SK_ar', lengths.integ],
    ['SK_ei', lengths.encr],
    ['SK_er', lengths.encr],
    ['SK_pi', lengths.prf],
    ['SK_pr', lengths.prf],
  ] as const;
  const total = order.reduce((sum, [, length]) => sum + length, 0);
  let string = prfPlus(name, SKEYSEED, from.Ni + from.Nr + from.SPIi + from.SPIr, total);
  const keys: Record<string, string> = {};
  for (const [key, length] of order) {
    keys[key] = string.slice(0, length * 2);
    string = string.slice(length * 2);
  }
  return keys;
}
