// A traffic selector (RFC 7296 §3.13.1): which packets an SA may carry, on one side of it.
import type { Address } from './address.ts';
import { formatAddress, type Prefix, prefixRange, sameAddress } from './address.ts';

export interface Selector {
  /** IP protocol number; 0 means any. */
  readonly protocol: number;
  /** Ports, host order, both inclusive; 0-65535 means any. OPAQUE is 65535-0 (RFC 7296 §3.13.1). */
  readonly startPort: number;
  readonly endPort: number;
  /** First and last address, both inclusive, of one family. */
  readonly start: Address;
  readonly end: Address;
}

/** Every port of `protocol` (0: any) in `prefix`. */
export function selectorOf(prefix: Prefix, protocol = 0): Selector {
  return { protocol, startPort: 0, endPort: 65535, ...prefixRange(prefix) };
}

/** "10.0.0.0-10.0.0.255[47]", for people and logs. */
export function formatSelector(selector: Selector): string {
  const range = sameAddress(selector.start, selector.end)
    ? formatAddress(selector.start)
    : `${formatAddress(selector.start)}-${formatAddress(selector.end)}`;
  const any = selector.startPort === 0 && selector.endPort === 65535;
  if (selector.protocol === 0 && any) return range;
  return any
    ? `${range}[${selector.protocol}]`
    : `${range}[${selector.protocol}/${selector.startPort}-${selector.endPort}]`;
}
