// The Montgomery curves (RFC 8031): X25519 by node:crypto, X448 by @noble/curves, since BoringSSL has none.
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { x448 } from '@noble/curves/ed448.js';
import { hex, KeError, type KeyExchange, pairwise, secretOf } from './ke-method.ts';

/** DER in front of a raw X25519 key: PKCS #8 and SubjectPublicKeyInfo with the OID 1.3.101.110 (RFC 8410). */
const X25519_PKCS8 = hex('302e020100300506032b656e04220420');
const X25519_SPKI = hex('302a300506032b656e032100');

const x25519Public = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([X25519_SPKI, raw]), format: 'der', type: 'spki' });

/** Group 31 (RFC 8031 §2). */
export const X25519: KeyExchange = pairwise(31, 'X25519', 32, (random) => {
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

/** Group 32 (RFC 8031 §2). */
export const X448: KeyExchange = pairwise(32, 'X448', 56, (random) => {
  const key = Uint8Array.from(random(56));
  return {
    data: Uint8Array.from(x448.getPublicKey(key)),
    agree(peer) {
      // RFC 8031 §2.2: as for X25519; @noble/curves throws for it.
      try {
        const secret = Uint8Array.from(x448.getSharedSecret(key, peer));
        return secret.every((byte) => byte === 0) ? new KeError('zero', 'X448') : secret;
      } catch {
        return new KeError('zero', 'X448');
      }
    },
    wipe: () => void key.fill(0),
  };
});
