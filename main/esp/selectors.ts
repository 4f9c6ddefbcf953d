// Questions about traffic selectors (RFC 7296 §2.9): what a CHILD SA may carry, asked on the control plane only. The core
// asks them of every packet with code of its own.
import type { Address, Prefix } from '../wire/address.ts';
import { prefixRange } from '../wire/address.ts';
import type { Selector } from '../wire/selector.ts';

/** Network order: negative where `a` is before `b`. Both of one family. */
export function compareAddresses(a: Address, b: Address): number {
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether `selector` carries every port of `protocol` (0: of every protocol) for the whole range. */
function carries(selector: Selector, start: Address, end: Address, protocol: number): boolean {
  return (
    selector.start.length === start.length &&
    (selector.protocol === 0 || selector.protocol === protocol) &&
    selector.startPort === 0 &&
    selector.endPort === 65535 &&
    compareAddresses(selector.start, start) <= 0 &&
    compareAddresses(selector.end, end) >= 0
  );
}

/** Whether one of the selectors carries `protocol` (0: every protocol) for this address. */
export function coversAddress(selectors: readonly Selector[], address: Address, protocol: number): boolean {
  return selectors.some((selector) => carries(selector, address, address, protocol));
}

/** Whether one of the selectors carries every protocol for the whole prefix. */
export function coversPrefix(selectors: readonly Selector[], prefix: Prefix): boolean {
  const { start, end } = prefixRange(prefix);
  return selectors.some((selector) => carries(selector, start, end, 0));
}

/** Whether every address of `inner` is in `outer`. */
export function prefixContains(outer: Prefix, inner: Prefix): boolean {
  if (outer.address.length !== inner.address.length || outer.bits > inner.bits) return false;
  const { start, end } = prefixRange(outer);
  return compareAddresses(start, inner.address) <= 0 && compareAddresses(inner.address, end) <= 0;
}
