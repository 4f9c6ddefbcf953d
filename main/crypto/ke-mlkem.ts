// ML-KEM (FIPS 203) as a key-exchange method of IKEv2 (draft-ietf-ipsecme-ikev2-mlkem): the initiator's KE payload is the
// encapsulation key, the responder's is the ciphertext, and the shared secret has 32 bytes.
//
// A ciphertext that was tampered with decapsulates to another secret, never to an error (FIPS 203 §6.3): it shows in the next message's
// integrity check.
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { KeError, type KeyExchange } from './ke-method.ts';

/** d | z (FIPS 203 §7.1) and m (§7.2). */
const SEED_BYTES = 64;
const MESSAGE_BYTES = 32;

function mlkem(id: number, bits: 512 | 768 | 1024, kem: typeof ml_kem768, ek: number, ct: number): KeyExchange {
  const name = `ML-KEM-${bits}`;
  return {
    id,
    name,
    initiatorBytes: ek,
    responderBytes: ct,
    initiate(random) {
      const seed = Uint8Array.from(random(SEED_BYTES));
      const { publicKey, secretKey } = kem.keygen(seed);
      seed.fill(0);
      let wiped = false;
      return {
        data: publicKey,
        finish(peer) {
          if (wiped) throw new Error(`${name}: the private value is gone`);
          // FIPS 203 §7.3: of the checks of input, only this one is of what the peer sent.
          return peer.length === ct ? kem.decapsulate(peer, secretKey) : new KeError('length', name);
        },
        wipe() {
          secretKey.fill(0);
          wiped = true;
        },
      };
    },
    respond(peer, random) {
      if (peer.length !== ek) return new KeError('length', name);
      const m = Uint8Array.from(random(MESSAGE_BYTES));
      try {
        // FIPS 203 §7.2: @noble/post-quantum checks the modulus, and throws.
        const { cipherText, sharedSecret } = kem.encapsulate(peer, m);
        return { data: cipherText, secret: sharedSecret };
      } catch {
        return new KeError('modulus', name);
      } finally {
        m.fill(0);
      }
    },
  };
}

export const ML_KEM_512 = mlkem(35, 512, ml_kem512, 800, 768);
export const ML_KEM_768 = mlkem(36, 768, ml_kem768, 1184, 1088);
export const ML_KEM_1024 = mlkem(37, 1024, ml_kem1024, 1568, 1568);
