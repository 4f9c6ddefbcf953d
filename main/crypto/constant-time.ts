// Comparison of secrets and tags in time that depends on their lengths alone.
import { timingSafeEqual } from 'node:crypto';

export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
