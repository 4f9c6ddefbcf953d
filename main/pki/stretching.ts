// What opening a file with a passphrase costs. The file itself says how often its passphrase is hashed, and whoever made it may have
// said two thousand million; node:crypto opens a key in one synchronous call, which would hold up the whole engine. So the
// counts are read first, and all of a file together must stay within a budget.
import type { BaseBlock } from 'asn1js';
import { PkiError } from './error.ts';
import { lib } from './libraries.ts';

/** Hashes for one file: a second or two. Today's advice is 600,000 for a key; what openssl, Windows and Java write is far less. */
export const MOST_STRETCHING = 2_000_000;

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';

export const children = (block: BaseBlock | undefined): readonly BaseBlock[] =>
  block instanceof lib.ber.Sequence ? block.valueBlock.value : [];

export const oidOf = (block: BaseBlock | undefined): string =>
  block instanceof lib.ber.ObjectIdentifier ? block.valueBlock.toString() : '';

/** Of one file. */
export class StretchingBudget {
  #left = MOST_STRETCHING;

  /** False where it does not suffice: then the work must not be done. */
  spend(hashes: number): boolean {
    // Also where it is no number.
    if (!(hashes <= this.#left)) return false;
    this.#left -= hashes;
    return true;
  }
}

export const tooMuchStretching = (what: string): PkiError =>
  new PkiError({
    code: 'unsupported',
    what,
    detail:
      `its passphrase is to be hashed more than ${MOST_STRETCHING.toLocaleString('en')} times, which would hold up everything ` +
      'else; export it again with a lower iteration count',
  });

/**
 * What an AlgorithmIdentifier of encryption by passphrase costs, in hashes: PBES2 with PBKDF2 (RFC 8018 §A.2) or scrypt (RFC 7914
 * §7), and the old ones of PKCS#5 and PKCS#12, which all have salt and iterations. Infinity where no count can be read.
 */
export function stretchingOf(algorithm: BaseBlock | undefined): number {
  const [scheme, parameters] = children(algorithm);
  if (oidOf(scheme) !== PBES2) return numberOf(children(parameters)[1]);
  const [kdf, values] = children(children(parameters)[0]);
  const [, second, third, fourth] = children(values);
  switch (oidOf(kdf)) {
    case PBKDF2:
      return numberOf(second);
    case SCRYPT:
      // A step of scrypt mixes r blocks of 128 bytes twice: about as long as r hashes take.
      return numberOf(second) * numberOf(third) * numberOf(fourth);
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** Why an EncryptedPrivateKeyInfo (RFC 5958 §3) must not be opened; undefined: it may, and the budget has paid for it. */
export function keyStretchingProblem(what: string, der: Uint8Array, budget: StretchingBudget): PkiError | undefined {
  const algorithm = children(lib.ber.fromBER(Uint8Array.from(der)).result)[0];
  const cost = stretchingOf(algorithm);
  if (budget.spend(cost)) return undefined;
  if (Number.isFinite(cost)) return tooMuchStretching(what);
  return new PkiError({
    code: 'unsupported',
    what,
    detail: `it is encrypted or made in a way that is not known here (${oidOf(children(algorithm)[0])})`,
  });
}

function numberOf(block: BaseBlock | undefined): number {
  if (!(block instanceof lib.ber.Integer)) return Number.POSITIVE_INFINITY;
  const { valueDec, isHexOnly } = block.valueBlock;
  // More than four bytes.
  if (isHexOnly) return Number.MAX_SAFE_INTEGER;
  return valueDec > 0 ? valueDec : Number.POSITIVE_INFINITY;
}
