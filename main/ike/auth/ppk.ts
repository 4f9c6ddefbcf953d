// Post-quantum pre-shared keys (RFC 8784): mixed into SK_d, SK_pi and SK_pr of the first IKE SA, and into nothing later.
//
//   SK_d = prf+ (PPK, SK_d')    SK_pi = prf+ (PPK, SK_pi')    SK_pr = prf+ (PPK, SK_pr')
import { type Prf, prfPlus } from '../../crypto/prf.ts';
import type { IkeKeys } from '../protection.ts';

export type MixedKeys = Pick<IkeKeys, 'SK_d' | 'SK_pi' | 'SK_pr'>;

/** New arrays; whoever takes them wipes them (`wipeMixed`). */
export function mixPpk(prf: Prf, ppk: Uint8Array, keys: MixedKeys): MixedKeys {
  const mix = (key: Uint8Array): Uint8Array => prfPlus(prf, ppk, key, key.length);
  return { SK_d: mix(keys.SK_d), SK_pi: mix(keys.SK_pi), SK_pr: mix(keys.SK_pr) };
}

/** From now on the SA has these keys: copied in place, so that everybody who holds the SA's keys has them. */
export function adoptMixed(keys: IkeKeys, mixed: MixedKeys): void {
  keys.SK_d.set(mixed.SK_d);
  keys.SK_pi.set(mixed.SK_pi);
  keys.SK_pr.set(mixed.SK_pr);
}

export function wipeMixed(mixed: MixedKeys): void {
  for (const key of [mixed.SK_d, mixed.SK_pi, mixed.SK_pr]) key.fill(0);
}

/** Type octets of PPK_ID (RFC 8784 §5.1). */
const PPK_ID_FIXED = 2;

/** PPK_ID of a fixed key with this name. */
export const fixedPpkId = (name: string): Uint8Array => Uint8Array.of(PPK_ID_FIXED, ...new TextEncoder().encode(name));
