// Stateless cookies of the responder (RFC 7296 §2.6): proof that the initiator receives at the address it claims, before
// any memory or Diffie-Hellman is spent on it.
//
//   Cookie = <version of secret, 1 byte> | HMAC-SHA-256(secret, Ni | IPi | port | SPIi)
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '../crypto/random.ts';
import type { Endpoint } from '../wire/address.ts';
import { spiBytes } from './keymat.ts';
import type { Instant } from './timing.ts';

/** Life of a secret; a cookie is good for at least this long and at most twice as long. */
const ROTATE_MS = 60_000;

interface Secret {
  readonly version: number;
  readonly key: Uint8Array;
  readonly since: Instant;
}

export class CookieJar {
  readonly #random: RandomBytes;
  #current: Secret | undefined;
  #previous: Secret | undefined;

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** The cookie that this initiator has to return. */
  bake(Ni: Uint8Array, SPIi: bigint, from: Endpoint, now: Instant): Uint8Array {
    return cookieOf(this.#rotated(now), Ni, SPIi, from);
  }

  /** Is it one of ours, made for this initiator, and fresh? */
  accepts(cookie: Uint8Array, Ni: Uint8Array, SPIi: bigint, from: Endpoint, now: Instant): boolean {
    const current = this.#rotated(now);
    for (const secret of [current, this.#previous]) {
      if (!secret || secret.version !== cookie[0]) continue;
      const expected = cookieOf(secret, Ni, SPIi, from);
      if (expected.length === cookie.length && timingSafeEqual(expected, cookie)) return true;
    }
    return false;
  }

  #rotated(now: Instant): Secret {
    const current = this.#current;
    if (current && now - current.since < ROTATE_MS) return current;
    // The old secret stays for one more period, unless it has not been used for so long that its cookies are stale.
    this.#previous = current && now - current.since < 2 * ROTATE_MS ? current : undefined;
    this.#current = { version: ((current?.version ?? 0) + 1) & 0xff, key: this.#random(32), since: now };
    return this.#current;
  }
}

function cookieOf(secret: Secret, Ni: Uint8Array, SPIi: bigint, from: Endpoint): Uint8Array {
  const port = Uint8Array.of(from.port >>> 8, from.port & 0xff);
  const mac = createHmac('sha256', secret.key)
    .update(Ni)
    .update(from.address)
    .update(port)
    .update(spiBytes(SPIi))
    .digest();
  return Uint8Array.of(secret.version, ...mac);
}
