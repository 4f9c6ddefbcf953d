// A key-exchange method (transform type 4, and with RFC 9370 the types 6 to 12). It is two-sided, so that a KEM, whose responder
// answers to what the initiator sent, fits the same interface as Diffie-Hellman (RFC 9370 §2.2.3).
//
// Private values are drawn from the injected RandomBytes. Every public value from the peer is checked first
// (RFC 6989 §2, FIPS 203 §7.2), and a method never gives a secret for one that fails.
import type { RandomBytes } from './random.ts';

/**
 * Why a peer's key-exchange data is refused:
 * - `length`  not the length that the method prescribes
 * - `range`   a MODP value outside 2 … p-2 (RFC 6989 §2.1)
 * - `point`   not a point of the curve (RFC 6989 §2.3)
 * - `zero`    the shared X25519 or X448 value is all zero (RFC 8031 §2.2)
 * - `modulus` an ML-KEM encapsulation key with a coefficient of q or more (FIPS 203 §7.2)
 */
export class KeError {
  readonly reason: 'length' | 'range' | 'point' | 'zero' | 'modulus';
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
  /** Transform id of types 4 and 6 to 12: the number in the KE payload. */
  readonly id: number;
  /** "ECP-256". */
  readonly name: string;
  /** Bytes of Key Exchange Data that the initiator and the responder send. */
  readonly initiatorBytes: number;
  readonly responderBytes: number;
  initiate(random: RandomBytes): KeInitiator;
  respond(peer: Uint8Array, random: RandomBytes): KeResponse | KeError;
}

/** A key pair of a method in which both sides do the same (Diffie-Hellman). */
export interface Pair {
  readonly data: Uint8Array;
  agree(peer: Uint8Array): Uint8Array | KeError;
  /** Overwrites the private value where it is ours to overwrite. */
  wipe?(): void;
}

/** Diffie-Hellman: both sides send `bytes` bytes. */
export function pairwise(
  id: number,
  name: string,
  bytes: number,
  generate: (random: RandomBytes) => Pair,
): KeyExchange {
  const agree = (pair: Pair, peer: Uint8Array): Uint8Array | KeError =>
    peer.length === bytes ? pair.agree(peer) : new KeError('length', name);
  return {
    id,
    name,
    initiatorBytes: bytes,
    responderBytes: bytes,
    initiate(random) {
      let pair: Pair | undefined = generate(random);
      return {
        data: pair.data,
        finish(peer) {
          if (!pair) throw new Error(`${name}: the private value is gone`);
          return agree(pair, peer);
        },
        wipe() {
          pair?.wipe?.();
          pair = undefined;
        },
      };
    },
    respond(peer, random) {
      // Before anything is computed: a wrong length costs nothing.
      if (peer.length !== bytes) return new KeError('length', name);
      const pair = generate(random);
      const secret = agree(pair, peer);
      pair.wipe?.();
      return isKeError(secret) ? secret : { data: pair.data, secret };
    },
  };
}

/** Constants as the standards print them. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** Big-endian, with zeros in front up to `length` bytes (RFC 7296 §2.14: g^ir keeps its leading zeros). */
export function padded(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(bytes, length - bytes.length);
  return whole;
}

/** A secret at its full length; the memory that it came in is wiped. */
export function secretOf(bytes: Uint8Array, length: number): Uint8Array {
  const secret = padded(bytes, length);
  bytes.fill(0);
  return secret;
}
