// Whether networks together are everything: 0.0.0.0/1 and 128.0.0.0/1, the customary way to go around a default route, are as much of
// it as 0.0.0.0/0 is.
import { prefixContains } from '../esp/selectors.ts';
import type { Prefix } from '../wire/address.ts';
import { everything, familyOf } from './request.ts';

/** Do `prefixes` together contain every address of the family? */
export function coversFamily(prefixes: readonly Prefix[], family: 4 | 6): boolean {
  return covers(
    prefixes.filter((prefix) => familyOf(prefix.address) === family),
    everything(family),
  );
}

export const coversAnyFamily = (prefixes: readonly Prefix[]): boolean =>
  coversFamily(prefixes, 4) || coversFamily(prefixes, 6);

/** Each step looks only at what lies inside its half, and ends where nothing does. */
function covers(prefixes: readonly Prefix[], whole: Prefix): boolean {
  if (prefixes.some((prefix) => prefixContains(prefix, whole))) return true;
  const inside = prefixes.filter((prefix) => prefixContains(whole, prefix));
  // A half needs one network at least.
  if (inside.length < 2) return false;
  return halves(whole).every((half) => covers(inside, half));
}

function halves({ address, bits }: Prefix): readonly [Prefix, Prefix] {
  const upper = Uint8Array.from(address);
  upper[bits >> 3] = upper[bits >> 3]! | (0x80 >> (bits & 7));
  return [
    { address, bits: bits + 1 },
    { address: upper, bits: bits + 1 },
  ];
}
