// What a CRL or an OCSP answer says of one certificate.
import type { WallTime } from './error.ts';

export type Status =
  /** Good until the next answer is due. */
  | { readonly kind: 'good'; readonly until: WallTime }
  | { readonly kind: 'revoked'; readonly at: WallTime; readonly reason: string }
  /** It says nothing that counts; why, for people. */
  | { readonly kind: 'unknown'; readonly why: string };

/** RFC 5280 §5.3.1. */
const REASONS = [
  'no reason given',
  'key compromise',
  'compromise of the authority',
  'affiliation changed',
  'superseded',
  'cessation of operation',
  'on hold',
  'revoked',
  'removed from CRL',
  'privilege withdrawn',
  'compromise of the attribute authority',
] as const;

export function revocationReason(code: number | undefined): string {
  return REASONS[code ?? 0] ?? `reason ${code}`;
}

/** Clocks of servers run ahead of ours a little. */
export const CLOCK_TOLERANCE = 5 * 60_000;
