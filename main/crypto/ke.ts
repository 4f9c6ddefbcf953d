// Key-exchange methods (transform type 4). A method is two-sided so that a KEM, whose responder answers to what the
// initiator sent, fits the same interface as Diffie-Hellman (RFC 9370 §2.2.3).
//
// Private values are drawn from the injected RandomBytes. Every public value from the peer is checked first
// (RFC 6989 §2), and a method never gives a secret for one that fails.
import {
  createDiffieHellman,
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';
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

/** A key pair of a method in which both sides do the same (Diffie-Hellman). */
interface Pair {
  readonly data: Uint8Array;
  agree(peer: Uint8Array): Uint8Array | KeError;
}

function method(id: number, name: string, bytes: number, generate: (random: RandomBytes) => Pair): KeyExchange {
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
          pair = undefined;
        },
      };
    },
    respond(peer, random) {
      const pair = generate(random);
      const secret = agree(pair, peer);
      return isKeError(secret) ? secret : { data: pair.data, secret };
    },
  };
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** Big-endian, with zeros in front up to `length` bytes (RFC 7296 §2.14: g^ir keeps its leading zeros). */
function padded(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(bytes, length - bytes.length);
  return whole;
}

/** A secret at its full length; the memory that it came in is wiped. */
function secretOf(bytes: Uint8Array, length: number): Uint8Array {
  const secret = padded(bytes, length);
  bytes.fill(0);
  return secret;
}

/** RFC 3526 §3. The generator is 2. */
const MODP_2048_PRIME = hex(`
  FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
  EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
  EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F
  83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B
  E39E772C 180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510
  15728E5A 8AACAA68 FFFFFFFF FFFFFFFF`);

function modp(id: number, name: string, prime: Uint8Array, privateBytes: number): KeyExchange {
  const p = BigInt(`0x${Buffer.from(prime).toString('hex')}`);
  return method(id, name, prime.length, (random) => {
    const x = Uint8Array.from(random(privateBytes));
    x[0] = x[0]! | 0x80; // never 0 or 1, and always of full length
    const dh = createDiffieHellman(prime, 2);
    dh.setPrivateKey(x);
    x.fill(0);
    return {
      data: padded(dh.generateKeys(), prime.length),
      agree(peer) {
        // RFC 6989 §2.1: 1 < r < p - 1; the prime is safe, so nothing more is to be checked.
        const r = BigInt(`0x${Buffer.from(peer).toString('hex')}`);
        if (r <= 1n || r >= p - 1n) return new KeError('range', name);
        return secretOf(dh.computeSecret(peer), prime.length);
      },
    };
  });
}

/** Draws until `accept` takes it; a source that never does is broken. */
function draw(random: RandomBytes, length: number, accept: (bytes: Uint8Array) => boolean): Uint8Array {
  for (let i = 0; i < 128; i++) {
    const bytes = random(length);
    if (accept(bytes)) return bytes;
  }
  throw new Error('the random source gives no usable private value');
}

/** RFC 5903: public values are x | y (§7), the shared secret is x alone (§9). */
function ecp(id: number, name: string, curve: string, bytes: number, order: Uint8Array): KeyExchange {
  const inRange = (key: Uint8Array): boolean => key.some((byte) => byte !== 0) && Buffer.compare(key, order) < 0;
  return method(id, name, 2 * bytes, (random) => {
    const ecdh = createECDH(curve);
    const key = Uint8Array.from(draw(random, bytes, inRange));
    ecdh.setPrivateKey(key);
    key.fill(0);
    return {
      data: Uint8Array.from(ecdh.getPublicKey().subarray(1)),
      agree(peer) {
        // RFC 6989 §2.3: coordinates below p, and on the curve. node:crypto checks both and throws; the cofactor is 1.
        try {
          return secretOf(ecdh.computeSecret(Buffer.concat([UNCOMPRESSED, peer])), bytes);
        } catch {
          return new KeError('point', name);
        }
      },
    };
  });
}

const UNCOMPRESSED = Uint8Array.of(4);

const P256_ORDER = hex('FFFFFFFF 00000000 FFFFFFFF FFFFFFFF BCE6FAAD A7179E84 F3B9CAC2 FC632551');
const P384_ORDER = hex(`
  FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF C7634D81 F4372DDF 581A0DB2 48B0A77A ECEC196A CCC52973`);

/** DER in front of a raw X25519 key: PKCS #8 and SubjectPublicKeyInfo with the OID 1.3.101.110 (RFC 8410). */
const X25519_PKCS8 = hex('302e020100300506032b656e04220420');
const X25519_SPKI = hex('302a300506032b656e032100');

const x25519Public = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([X25519_SPKI, raw]), format: 'der', type: 'spki' });

/** RFC 8031 §2. */
const x25519 = (): KeyExchange =>
  method(31, 'X25519', 32, (random) => {
    const der = Buffer.concat([X25519_PKCS8, random(32)]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    der.fill(0);
    return {
      data: Uint8Array.from(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)),
      agree(peer) {
        // RFC 8031 §2.2 and RFC 7748 §6.1: a point of small order gives all zeros. OpenSSL throws, others may not.
        try {
          const secret = secretOf(diffieHellman({ privateKey, publicKey: x25519Public(peer) }), 32);
          return secret.every((byte) => byte === 0) ? new KeError('zero', 'X25519') : secret;
        } catch {
          return new KeError('zero', 'X25519');
        }
      },
    };
  });

/** Private values of 320 bits: twice the higher estimate of the group's strength (RFC 3526 §8). */
export const MODP_2048 = modp(14, 'MODP-2048', MODP_2048_PRIME, 40);
export const ECP_256 = ecp(19, 'ECP-256', 'prime256v1', 32, P256_ORDER);
export const ECP_384 = ecp(20, 'ECP-384', 'secp384r1', 48, P384_ORDER);
export const X25519 = x25519();

export const KEY_EXCHANGES: readonly KeyExchange[] = [ECP_256, X25519, ECP_384, MODP_2048];
