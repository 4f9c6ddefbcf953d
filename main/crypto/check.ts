// A feature test of the platform's cryptography, at start-up: node:crypto may be OpenSSL, OpenSSL in FIPS mode or BoringSSL,
// and what is missing should be said before a connection fails for it. Each algorithm does a short known or self-made
// answer; all of it takes a few milliseconds.
import { ENCRS } from './encr.ts';
import { INTEGS } from './integ.ts';
import { isKeError } from './ke.ts';
import { ECP_256, ECP_384, ECP_521 } from './ke-ecp.ts';
import { MODP_2048 } from './ke-modp.ts';
import { X25519 } from './ke-montgomery.ts';
import { PRF_HMAC_SHA2_256, PRFS } from './prf.ts';
import type { RandomBytes } from './random.ts';

/** The platform cannot do what the engine needs. */
export class CryptoUnavailable extends Error {
  override readonly name = 'CryptoUnavailable';
  /** Names of the algorithms that fail. */
  readonly missing: readonly string[];
  readonly remedy = 'run the engine under the Node.js runtime that Culvert ships, or an official build from nodejs.org';

  constructor(missing: readonly string[]) {
    super(`this Node.js (${process.version}, OpenSSL ${process.versions.openssl}) cannot do ${missing.join(', ')}`);
    this.missing = missing;
  }
}

/** RFC 4231 §4.3, HMAC-SHA-256: a library that answers, but wrongly, is worse than none. */
const JEFE = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';

/**
 * The key exchanges that depend on the platform. Not the larger MODP groups: they work as MODP-2048 does, and a library that does not
 * know them would test their primes for seconds.
 */
const PLATFORM_KEY_EXCHANGES = [ECP_256, X25519, ECP_384, ECP_521, MODP_2048];

/** Names of the algorithms that do not work here; normally none. */
export function missingCrypto(random: RandomBytes): readonly string[] {
  const data = new Uint8Array(32).fill(0x55);
  const checks: (readonly [name: string, works: () => boolean])[] = [
    [
      'HMAC-SHA-256 (a wrong answer)',
      () =>
        Buffer.from(PRF_HMAC_SHA2_256.compute(ascii('Jefe'), ascii('what do ya want for nothing?'))).toString('hex') ===
        JEFE,
    ],
    ...PRFS.map((prf) => [prf.name, () => prf.compute(data, data).length === prf.outputBytes] as const),
    ...INTEGS.map(
      (integ) =>
        [
          integ.name,
          () => {
            const key = data.subarray(0, 0);
            return integ.verify(key, integ.sign(key, data), data);
          },
        ] as const,
    ),
    ...ENCRS.map(
      (encr) =>
        [
          encr.name,
          () => {
            const key = new Uint8Array(encr.keyBytes);
            const iv = new Uint8Array(encr.ivBytes);
            const sealed = encr.seal(key, iv, data, data);
            return Buffer.compare(encr.open(key, iv, sealed, data) ?? key, data) === 0;
          },
        ] as const,
    ),
    ...PLATFORM_KEY_EXCHANGES.map(
      (ke) =>
        [
          ke.name,
          () => {
            const initiator = ke.initiate(random);
            const response = ke.respond(initiator.data, random);
            if (isKeError(response)) return false;
            const secret = initiator.finish(response.data);
            return !isKeError(secret) && Buffer.compare(secret, response.secret) === 0;
          },
        ] as const,
    ),
  ];
  return checks.filter(([, works]) => !succeeds(works)).map(([name]) => name);
}

/** Throws CryptoUnavailable where anything that we propose would fail. */
export function checkCrypto(random: RandomBytes): void {
  const missing = missingCrypto(random);
  if (missing.length > 0) throw new CryptoUnavailable(missing);
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function succeeds(works: () => boolean): boolean {
  try {
    return works();
  } catch {
    return false;
  }
}
