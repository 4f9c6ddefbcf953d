// MODP groups: RFC 3526 §3 to §5 (14, 15, 16), and for the legacy policy 5 (RFC 3526 §2) and 2 (RFC 7296 Appendix B.2). All primes are
// safe, all come out of pi by one formula, and all generators are 2.
//
// node:crypto computes with an explicit prime; the named groups are not everywhere (BoringSSL). Making the object checks the
// prime, which takes tens of milliseconds where the library does not know it: it is done when a group is first used.
import { createDiffieHellman } from 'node:crypto';
import { hex, KeError, type KeyExchange, padded, pairwise, secretOf } from './ke-method.ts';

/** [2^3966 pi], the longest that is needed: the digits that stand in the prime of RFC 3526 §5, less its 240904. */
const PI = BigInt(
  `0x${`
    C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD EF9519B3 CD3A431B
    302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED EE386BFB 5A899FA5
    AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F 83655D23 DCA3AD96
    1C62F356 208552BB 9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B E39E772C 180E8603
    9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510 15728E5A 8AAAC42D
    AD33170D 04507A33 A85521AB DF1CBA64 ECFB8504 58DBEF0A 8AEA7157 5D060C7D B3970F85 A6E1E4C7 ABF5AE8C DB0933D7
    1E8C94E0 4A25619D CEE3D226 1AD2EE6B F12FFA06 D98A0864 D8760273 3EC86A64 521F2B18 177B200C BBE11757 7A615D6C
    770988C0 BAD946E2 08E24FA0 74E5AB31 43DB5BFC E0FD108E 4B82D120 A9210801 1A723C12 A787E6D7 88719A10 BDBA5B26
    99C32718 6AF4E23C 1A946834 B6150BDA 2583E9CA 2AD44CE8 DBBBC2DB 04DE8EF9 2E8EFC14 1FBECAA6 287C5947 4E6BC05D
    99B2964F A090C3A2 233BA186 515BE7ED 1F612970 CEE2D7AF B81BDD76 2170481C D0069127 D5B05AA9 93B4EA98 8D8FDDC1
    86FFB7DC 90A6C08F 4DF435C9 34028492`.replaceAll(/\s/g, '')}`,
);
const PI_BITS = 3966n;

/** 2^n - 2^(n-64) - 1 + 2^64 * { [2^(n-130) pi] + c }: each of the primes is this, with the least c that makes it a safe one. */
function prime(bits: number, c: bigint): Uint8Array {
  const n = BigInt(bits);
  const pi = PI >> (PI_BITS - (n - 130n));
  const p = (1n << n) - (1n << (n - 64n)) - 1n + (1n << 64n) * (pi + c);
  return hex(p.toString(16));
}

function modp(id: number, name: string, prime: Uint8Array, privateBytes: number): KeyExchange {
  const p = BigInt(`0x${Buffer.from(prime).toString('hex')}`);
  return pairwise(id, name, prime.length, (random) => {
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

// Private values have twice the higher estimate of the group's strength (RFC 3526 §8), rounded up to bytes.
export const MODP_2048 = modp(14, 'MODP-2048', prime(2048, 124476n), 40);
export const MODP_3072 = modp(15, 'MODP-3072', prime(3072, 1690314n), 53);
export const MODP_4096 = modp(16, 'MODP-4096', prime(4096, 240904n), 60);
/** Too short by today's measure (RFC 8247 §2.4); offered only where the legacy policy is asked for. */
export const MODP_1536 = modp(5, 'MODP-1536', prime(1536, 741804n), 30);
export const MODP_1024 = modp(2, 'MODP-1024', prime(1024, 129093n), 24);
