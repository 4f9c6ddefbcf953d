// When the peer last gave a sign of life and when to ask it for one (RFC 7296 §2.4), and when to give one to the NAT between us (RFC 3948 §4).
import type { Instant } from './timing.ts';

/** INVALID_IKE_SPI is not authenticated: it may trigger a liveness check so often (RFC 7296 §2.21.4). */
const HINT_INTERVAL = 10_000;

export class SignsOfLife {
  /** 0: the peer is never asked. */
  readonly #livenessInterval: number;
  /** 0: nothing is sent. */
  #keepaliveInterval: number;
  #lastInbound: Instant;
  #nextKeepalive: Instant | null = null;
  #lastHint = Number.NEGATIVE_INFINITY;

  constructor(livenessInterval: number, keepaliveInterval: number, now: Instant) {
    this.#livenessInterval = livenessInterval;
    this.#keepaliveInterval = 0;
    this.#lastInbound = now;
    this.keepalives(keepaliveInterval, now);
  }

  heard(at: Instant) {
    this.#lastInbound = Math.max(this.#lastInbound, at);
  }

  /** When to ask for a sign of life; null: never. */
  get livenessAt(): Instant | null {
    return this.#livenessInterval > 0 ? this.#lastInbound + this.#livenessInterval : null;
  }

  /** When to send a NAT keepalive; null: never. */
  get keepaliveAt(): Instant | null {
    return this.#nextKeepalive;
  }

  /** The NAT is another one, or gone. */
  keepalives(interval: number, now: Instant) {
    if (interval === this.#keepaliveInterval) return;
    this.#keepaliveInterval = interval;
    this.#nextKeepalive = interval > 0 ? now + interval : null;
  }

  /** Whether one has to leave now; the next follows an interval later. */
  takeKeepalive(now: Instant): boolean {
    if (this.#nextKeepalive === null || now < this.#nextKeepalive) return false;
    this.#nextKeepalive = now + this.#keepaliveInterval;
    return true;
  }

  /** Whether an unauthenticated hint that the peer has lost us is worth a question. */
  takeHint(now: Instant): boolean {
    if (now - this.#lastHint < HINT_INTERVAL) return false;
    this.#lastHint = now;
    return true;
  }
}
