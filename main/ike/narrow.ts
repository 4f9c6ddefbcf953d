// Traffic selector arithmetic (RFC 7296 §2.9): intersection, narrowing by the responder, and of an answer by the initiator. Addresses are ranges here, so every function works for any range, not only prefixes.
import type { Address } from '../wire/address.ts';
import { type Selector, selectorOf } from '../wire/selector.ts';

function compare(a: Address, b: Address): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Ports that are not known, as in a fragment (RFC 7296 §3.13.1: start 65535, end 0). */
const isOpaque = (s: Selector): boolean => s.startPort === 65535 && s.endPort === 0;
const isAnyPort = (s: Selector): boolean => s.startPort === 0 && s.endPort === 65535;

function commonPorts(a: Selector, b: Selector): { startPort: number; endPort: number } | undefined {
  // "ANY" includes OPAQUE, OPAQUE meets nothing but itself and "ANY" (RFC 7296 §3.13.1).
  if (isOpaque(a) || isOpaque(b))
    return (isOpaque(a) || isAnyPort(a)) && (isOpaque(b) || isAnyPort(b))
      ? { startPort: 65535, endPort: 0 }
      : undefined;
  const startPort = Math.max(a.startPort, b.startPort);
  const endPort = Math.min(a.endPort, b.endPort);
  return startPort <= endPort ? { startPort, endPort } : undefined;
}

/** The packets that both selectors match; undefined: none. */
export function intersect(a: Selector, b: Selector): Selector | undefined {
  if (a.start.length !== b.start.length) return undefined;
  if (a.protocol !== 0 && b.protocol !== 0 && a.protocol !== b.protocol) return undefined;
  const ports = commonPorts(a, b);
  if (!ports) return undefined;
  const start = compare(a.start, b.start) >= 0 ? a.start : b.start;
  const end = compare(a.end, b.end) <= 0 ? a.end : b.end;
  if (compare(start, end) > 0) return undefined;
  return { protocol: a.protocol === 0 ? b.protocol : a.protocol, ...ports, start, end };
}

/** Does every packet that `inner` matches match `outer` too? */
export function isWithin(inner: Selector, outer: Selector): boolean {
  if (inner.start.length !== outer.start.length) return false;
  if (outer.protocol !== 0 && inner.protocol !== outer.protocol) return false;
  if (compare(inner.start, outer.start) < 0 || compare(inner.end, outer.end) > 0) return false;
  if (isAnyPort(outer)) return true;
  if (isOpaque(inner) || isOpaque(outer)) return isOpaque(inner) && isOpaque(outer);
  return inner.startPort >= outer.startPort && inner.endPort <= outer.endPort;
}

/** What the offer and the policy have in common, in the order of the offer, without selectors that another one covers. */
export function narrow(offer: readonly Selector[], policy: readonly Selector[]): Selector[] {
  const common: Selector[] = [];
  for (const offered of offer)
    for (const allowed of policy) {
      const both = intersect(offered, allowed);
      if (both && !common.some((known) => isWithin(both, known))) common.push(both);
    }
  // An earlier, narrower one (the triggering packet of RFC 7296 §2.9) may be covered by a later one.
  return common.filter((one, i) => !common.some((other, j) => i < j && isWithin(one, other)));
}

/** Is every selector one address, the same in all of them (RFC 7296 §2.23.1)? */
export function isSingleAddress(selectors: readonly Selector[]): boolean {
  const first = selectors[0];
  return (
    first !== undefined &&
    selectors.every(
      (s) =>
        s.start.length === first.start.length && compare(s.start, s.end) === 0 && compare(s.start, first.start) === 0,
    )
  );
}

/** The selectors with their addresses replaced by one address (RFC 7296 §2.23.1); protocol and ports stay. */
export function substituteAddress(selectors: readonly Selector[], address: Address): Selector[] {
  return selectors.map((s) => ({ ...s, start: address, end: address }));
}

/** A host selector for one address. */
export function hostSelector(address: Address): Selector {
  return selectorOf({ address, bits: address.length * 8 });
}

/** Everything, both families. */
export const EVERYTHING: readonly Selector[] = [
  selectorOf({ address: new Uint8Array(4), bits: 0 }),
  selectorOf({ address: new Uint8Array(16), bits: 0 }),
];
