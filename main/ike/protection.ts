// The keys of an IKE SA (RFC 7296 §2.14), and what protects its messages in one direction.
import type { Encr } from '../crypto/encr.ts';
import type { Integ } from '../crypto/integ.ts';
import type { RandomBytes } from '../crypto/random.ts';

/** Seven secrets: SK_d for child keys, SK_a* integrity (empty with an AEAD), SK_e* encryption, SK_p* authentication. */
export interface IkeKeys {
  readonly SK_d: Uint8Array;
  readonly SK_ai: Uint8Array;
  readonly SK_ar: Uint8Array;
  /** For an AEAD the key, then the salt (RFC 5282 §7.1). */
  readonly SK_ei: Uint8Array;
  readonly SK_er: Uint8Array;
  readonly SK_pi: Uint8Array;
  readonly SK_pr: Uint8Array;
}

/**
 * The algorithms and keys of one direction. One object lives as long as its keys do: it also counts the IVs of an AEAD,
 * which must never repeat under a key (RFC 5282 §3.1), so keys are never wrapped twice for sealing.
 */
export class Protection {
  readonly encr: Encr;
  readonly integ: Integ | undefined;
  readonly SK_e: Uint8Array;
  readonly SK_a: Uint8Array;
  #sealed = 0n;
  #wiped = false;

  constructor(encr: Encr, integ: Integ | undefined, SK_e: Uint8Array, SK_a: Uint8Array) {
    if (SK_e.length !== encr.keyBytes) throw new RangeError(`SK_e of ${encr.name} has ${encr.keyBytes} bytes`);
    if (encr.aead === (integ !== undefined))
      throw new RangeError('an integrity algorithm goes with a cipher that is no AEAD');
    if (SK_a.length !== (integ?.keyBytes ?? 0)) throw new RangeError('SK_a has the length of its algorithm');
    this.encr = encr;
    this.integ = integ;
    this.SK_e = SK_e;
    this.SK_a = SK_a;
  }

  /** Bytes of the integrity checksum at the end of the message. */
  get icvBytes(): number {
    return this.integ?.icvBytes ?? this.encr.icvBytes;
  }

  /** The next IV: a counter for an AEAD; for CBC unpredictable (RFC 7296 §3.14), from `random`. */
  nextIv(random: RandomBytes): Uint8Array {
    if (!this.encr.aead) return random(this.encr.ivBytes);
    const iv = new Uint8Array(this.encr.ivBytes);
    new DataView(iv.buffer).setBigUint64(0, this.#sealed++);
    return iv;
  }

  /** The keys are gone: zeros would still encrypt, and anybody could read it. */
  get isWiped(): boolean {
    return this.#wiped;
  }

  /** Overwrites the keys. */
  wipe(): void {
    this.#wiped = true;
    this.SK_e.fill(0);
    this.SK_a.fill(0);
  }
}
