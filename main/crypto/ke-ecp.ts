// The random ECP groups (RFC 5903): 19, 20 and 21.
import { createECDH } from 'node:crypto';
import { hex, KeError, type KeyExchange, pairwise, secretOf } from './ke-method.ts';
import type { RandomBytes } from './random.ts';

/** Draws until `accept` takes it; a source that never does is broken. `mask`: bits of the first byte that a value can have. */
function draw(random: RandomBytes, length: number, mask: number, accept: (bytes: Uint8Array) => boolean): Uint8Array {
  for (let i = 0; i < 128; i++) {
    const bytes = Uint8Array.from(random(length));
    bytes[0] = bytes[0]! & mask;
    if (accept(bytes)) return bytes;
  }
  throw new Error('the random source gives no usable private value');
}

/** RFC 5903: public values are x | y (§7), the shared secret is x alone (§9). */
function ecp(id: number, name: string, curve: string, bytes: number, order: Uint8Array): KeyExchange {
  const inRange = (key: Uint8Array): boolean => key.some((byte) => byte !== 0) && Buffer.compare(key, order) < 0;
  // 521 bits are one bit of the first byte: without this, one draw in 128 would do.
  const mask = order[0] === 1 ? 1 : 0xff;
  return pairwise(id, name, 2 * bytes, (random) => {
    const ecdh = createECDH(curve);
    const key = draw(random, bytes, mask, inRange);
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
const P521_ORDER = hex(`
  01FF FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFA
  51868783 BF2F966B 7FCC0148 F709A5D0 3BB5C9B8 899C47AE BB6FB71E 91386409`);

export const ECP_256 = ecp(19, 'ECP-256', 'prime256v1', 32, P256_ORDER);
export const ECP_384 = ecp(20, 'ECP-384', 'secp384r1', 48, P384_ORDER);
export const ECP_521 = ecp(21, 'ECP-521', 'secp521r1', 66, P521_ORDER);
