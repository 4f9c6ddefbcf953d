// Time as an IKE SA knows it: handed in with every event, never asked for, so that a run can be repeated in a test.
import type { RandomBytes } from '../crypto/random.ts';

/** Milliseconds on a monotonic clock. */
export type Instant = number;

export interface RetransmissionPolicy {
  /** First time-out in milliseconds, multiplied by `factor` each time, at most `most`; given up after `tries` sendings. */
  readonly first: number;
  readonly factor: number;
  readonly most: number;
  readonly tries: number;
}

/** When SAs are replaced (RFC 7296 §2.8). Milliseconds; 0: never because of time. */
export interface LifetimePolicy {
  readonly child: number;
  readonly ike: number;
  /** Until the IKE SA is to be authenticated anew: effect `reauthenticate` (RFC 7296 §2.8.3). */
  readonly reauth: number;
  /**
   * Each time is drawn anew, shorter by up to this share, so that both ends rarely begin at once (RFC 7296 §2.8.1). An SA that
   * could not be replaced is given up this share after its time, or a tenth, or a minute, whichever is the longest.
   */
  readonly jitter: number;
}

/** A time of the policy, drawn shorter by up to its jitter; null where there is none. */
export function drawn(time: number, lifetime: LifetimePolicy, random: RandomBytes): number | null {
  if (time <= 0) return null;
  const bytes = random(4);
  const share = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
  return time * (1 - lifetime.jitter * share);
}

/** Milliseconds behind the time to rekey that an SA is used at most: a tenth as in strongSwan (over_time), and never so few that trying again is in vain. */
export function limitOf(time: number, lifetime: LifetimePolicy): number | null {
  return time > 0 ? time + Math.max(time * Math.max(lifetime.jitter, 0.1), 60_000) : null;
}
