// Keys of the IKE SA (RFC 7296 §2.14) and of its CHILD SAs (§2.17). Both ends derive the same string and cut it in the same
// order; which half is "ours" depends on who began.
import { type Prf, prfPlus } from '../crypto/prf.ts';
import type { IkeKeys } from './protection.ts';

export interface KeyLengths {
  /** Bytes of SK_a*: 0 with an AEAD. */
  readonly integ: number;
  /** Bytes of SK_e*, salt included. */
  readonly encr: number;
}

/** What a rekeyed IKE SA takes from the one before (RFC 7296 §2.18): its PRF and SK_d; and SK(1) … SK(n) of RFC 9370 §2.2.4. */
export interface RekeyedFrom {
  readonly prf: Prf;
  readonly SK_d: Uint8Array;
  readonly additional: readonly Uint8Array[];
}

/** Whoever holds the keys wipes them with `wipeIkeKeys`. `sharedSecret` is g^ir, of the group's full length (RFC 7296 §2.14). It is not wiped here. */
export function deriveIkeKeys(
  prf: Prf,
  lengths: KeyLengths,
  from: {
    readonly sharedSecret: Uint8Array;
    readonly Ni: Uint8Array;
    readonly Nr: Uint8Array;
    readonly SPIi: bigint;
    readonly SPIr: bigint;
    /** Set where the SA comes out of rekeying another. */
    readonly rekeyed?: RekeyedFrom | undefined;
  },
): IkeKeys {
  const { sharedSecret, Ni, Nr, SPIi, SPIr, rekeyed } = from;
  // SKEYSEED = prf(Ni | Nr, g^ir); an HMAC takes a key of any length whole (RFC 7296 §2.14). Rekeyed, with the old SA's PRF:
  // prf(SK_d (old), g^ir | Ni | Nr | SK(1) | … | SK(n)) (RFC 7296 §2.18, RFC 9370 §2.2.4).
  const SKEYSEED = rekeyed
    ? computeAndWipe(rekeyed.prf, rekeyed.SK_d, concat(sharedSecret, Ni, Nr, ...rekeyed.additional))
    : prf.compute(concat(Ni, Nr), sharedSecret);
  const total = 3 * prf.keyBytes + 2 * lengths.integ + 2 * lengths.encr;
  const string = prfPlus(prf, SKEYSEED, concat(Ni, Nr, spiBytes(SPIi), spiBytes(SPIr)), total);
  SKEYSEED.fill(0);
  const take = cutter(string);
  const keys: IkeKeys = {
    SK_d: take(prf.keyBytes),
    SK_ai: take(lengths.integ),
    SK_ar: take(lengths.integ),
    SK_ei: take(lengths.encr),
    SK_er: take(lengths.encr),
    SK_pi: take(prf.keyBytes),
    SK_pr: take(prf.keyBytes),
  };
  string.fill(0);
  return keys;
}

export function wipeIkeKeys(keys: IkeKeys): void {
  for (const key of [keys.SK_d, keys.SK_ai, keys.SK_ar, keys.SK_ei, keys.SK_er, keys.SK_pi, keys.SK_pr]) key.fill(0);
}

/** Keys of an ESP SA in both directions: encryption key, salt (RFC 4106 §8.1, RFC 7634 §2, RFC 3686 §5.1), integrity key. */
export interface ChildKeys {
  /** Of packets from the initiator of the exchange to the responder. */
  readonly initiatorKey: Uint8Array;
  readonly initiatorSalt: Uint8Array;
  /** Empty with an AEAD. */
  readonly initiatorIntegrityKey: Uint8Array;
  readonly responderKey: Uint8Array;
  readonly responderSalt: Uint8Array;
  readonly responderIntegrityKey: Uint8Array;
}

/**
 * KEYMAT = prf+(SK_d, Ni | Nr), with key exchanges of its own prf+(SK_d, g^ir | Ni | Nr | SK(1) | … | SK(n)), where `secrets` are
 * g^ir and the others, not wiped here (RFC 7296 §2.17, RFC 9370 §2.2.4); the initiator's direction is taken first, and in each direction the encryption key before the
 * integrity key (RFC 7296 §2.17).
 */
export function deriveChildKeys(
  prf: Prf,
  SK_d: Uint8Array,
  nonces: { readonly Ni: Uint8Array; readonly Nr: Uint8Array; readonly secrets?: readonly Uint8Array[] | undefined },
  lengths: { readonly key: number; readonly salt: number; readonly integrity?: number },
): ChildKeys {
  const integrity = lengths.integrity ?? 0;
  const total = 2 * (lengths.key + lengths.salt + integrity);
  const [first = new Uint8Array(0), ...additional] = nonces.secrets ?? [];
  const seed = concat(first, nonces.Ni, nonces.Nr, ...additional);
  const KEYMAT = prfPlus(prf, SK_d, seed, total);
  seed.fill(0);
  const take = cutter(KEYMAT);
  const keys: ChildKeys = {
    initiatorKey: take(lengths.key),
    initiatorSalt: take(lengths.salt),
    initiatorIntegrityKey: take(integrity),
    responderKey: take(lengths.key),
    responderSalt: take(lengths.salt),
    responderIntegrityKey: take(integrity),
  };
  KEYMAT.fill(0);
  return keys;
}

function computeAndWipe(prf: Prf, key: Uint8Array, data: Uint8Array): Uint8Array {
  const value = prf.compute(key, data);
  data.fill(0);
  return value;
}

/** Copies consecutive pieces out of a string. */
function cutter(string: Uint8Array): (length: number) => Uint8Array {
  let at = 0;
  return (length) => {
    at += length;
    return string.slice(at - length, at);
  };
}

/** An IKE SPI as it is in the header: 8 bytes, network order. */
export function spiBytes(spi: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, spi);
  return bytes;
}

export function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
