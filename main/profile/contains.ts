// Whether one network lies inside another.
import { type Prefix, prefixRange, sameAddress } from '../wire/address.ts';

/** Every address of `inner` is in `outer`; false where either is undefined or the families differ. */
export function prefixContains(outer: Prefix | undefined, inner: Prefix | undefined): boolean {
  if (!outer || !inner || outer.address.length !== inner.address.length || outer.bits > inner.bits) return false;
  const start = prefixRange({ address: inner.address, bits: outer.bits }).start;
  return sameAddress(start, prefixRange(outer).start);
}
