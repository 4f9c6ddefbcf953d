// How long the gateway takes to answer, from the IKE messages that go back and forth anyway: the time from a request to its
// response. A liveness check (RFC 7296 §2.4) is the shortest such exchange and can be asked for at any time; it needs no
// target behind the gateway, and nothing inside the tunnel to answer it. A request that was sent more than once is not
// counted: nobody knows which sending the response answers (Karn's rule).
import type { Instant } from '../ike/timing.ts';

const FLAGS = 19;
const FLAG_RESPONSE = 0x20;
const HEADER_BYTES = 28;

export interface RoundTrip {
  readonly milliseconds: number;
  /** When the answer came. */
  readonly at: Instant;
}

export interface RoundTripMeter {
  sent(message: Uint8Array, now: Instant): void;
  received(message: Uint8Array, now: Instant): void;
  /** The newest; null: none yet. */
  readonly newest: RoundTrip | null;
}

/** SPIi and message ID: one request of ours at a time has them (the window is 1, RFC 7296 §2.3). */
const nameOf = (message: Uint8Array): string => {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  return `${view.getBigUint64(0)}.${view.getUint32(20)}`;
};

export function createRoundTripMeter(): RoundTripMeter {
  let waiting: { readonly name: string; readonly at: Instant; again: boolean } | null = null;
  let newest: RoundTrip | null = null;
  const isResponse = (message: Uint8Array): boolean => ((message[FLAGS] ?? 0) & FLAG_RESPONSE) !== 0;
  return {
    sent(message, now) {
      if (message.length < HEADER_BYTES || isResponse(message)) return;
      const name = nameOf(message);
      if (waiting?.name === name) waiting.again = true;
      else waiting = { name, at: now, again: false };
    },
    received(message, now) {
      if (!waiting || message.length < HEADER_BYTES || !isResponse(message) || nameOf(message) !== waiting.name) return;
      if (!waiting.again) newest = { milliseconds: now - waiting.at, at: now };
      waiting = null;
    },
    get newest() {
      return newest;
    },
  };
}
