// How often the TCP connection to the gateway breaks under a tunnel (RFC 9329 §6.1: who opened it opens it again): what breaks
// after it has held is opened again at once. What breaks soon is waited for, longer each time, so that neither end is kept busy with
// connections alone; and where several in a row bring nothing at all, the gateway has forgotten us and the tunnel is lost.
import type { Instant } from '../ike/timing.ts';
import type { Clock } from './clock.ts';

/** Milliseconds after which a connection has held. */
export const HELD = 30_000;
export const FIRST_PAUSE = 500;
export const LONGEST_PAUSE = 16_000;
/** So many connections, one after another, that bring no packet. */
export const MOST_IN_VAIN = 3;

export interface StreamBreaks {
  /** There is a connection. */
  opened(): void;
  /** An IKE message came through it; ESP packets tell by themselves. */
  heard(): void;
  /** It broke. How many milliseconds to wait before another is opened; null: opening more of them is in vain. */
  broke(): number | null;
}

/** `lastInbound`: when an authenticated packet arrived last. */
export function createStreamBreaks(clock: Pick<Clock, 'now'>, lastInbound: () => Instant): StreamBreaks {
  let since = clock.now();
  // The first one has brought the tunnel up.
  let brought = true;
  let inVain = 0;
  let short = 0;
  return {
    opened() {
      since = clock.now();
      brought = false;
    },
    heard() {
      brought = true;
    },
    broke() {
      inVain = brought || lastInbound() > since ? 0 : inVain + 1;
      if (inVain >= MOST_IN_VAIN) return null;
      if (clock.now() - since >= HELD) short = 0;
      const pause = short === 0 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (short - 1));
      short++;
      return pause;
    },
  };
}
