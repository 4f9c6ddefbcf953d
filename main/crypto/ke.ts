// Key-exchange methods (transform type 4). A method is two-sided so that a KEM, whose responder answers to what the
// initiator sent, fits the same interface as Diffie-Hellman (RFC 9370 §2.2.3).
//
// Private values are drawn from the injected RandomBytes. Every public value from the peer is checked first
// (RFC 6989 §2), and a method never gives a secret for one that fails.
import type { RandomBytes } from './random.ts';

/**
 * Why a peer's key-exchange data is refused:
 * - `length`  not the length that the method prescribes
 * - `range`   a MODP value outside 2 … p-2 (RFC 6989 §2.1)
 * - `point`   not a point of the curve (RFC 6989 §2.3)
 * - `zero`    the shared X25519 value is all zero (RFC 8031 §2.2)
 */
export class KeError {
  readonly reason: 'length' | 'range' | 'point' | 'zero';
  readonly method: string;

  constructor(reason: KeError['reason'], method: string) {
    this.reason = reason;
    this.method = method;
  }

  toString(): string {
    return `${this.method}: the peer's public value is refused (${this.reason})`;
  }
}

export const isKeError = (value: unknown): value is KeError => value instanceof KeError;

/** What the initiator keeps until the responder's KE payload arrives. */
export interface KeInitiator {
  /** Key Exchange Data of our KE payload. */
  readonly data: Uint8Array;
  /** The shared secret (g^ir, or SK(n) of RFC 9370), which the caller wipes. May be called again with another answer. */
  finish(peer: Uint8Array): Uint8Array | KeError;
  /** Forgets the private value as far as the platform lets us; finish throws afterwards. */
  wipe(): void;
}

export interface KeResponse {
  readonly data: Uint8Array;
  readonly secret: Uint8Array;
}

export interface KeyExchange {
  /** Transform id, type 4: the number in the KE payload. */
  readonly id: number;
  /** "ECP-256". */
  readonly name: string;
  /** Bytes of Key Exchange Data that the initiator and the responder send. */
  readonly initiatorBytes: number;
  readonly responderBytes: number;
  initiate(random: RandomBytes): KeInitiator;
  respond(peer: Uint8Array, random: RandomBytes): KeResponse | KeError;
}
