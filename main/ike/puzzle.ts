// Puzzles of a gateway under attack (RFC 8019): find four keys so that prf(key, S) ends in so many zero bits. S is the cookie in
// IKE_SA_INIT (§7.1.3), Nr | SPIr in IKE_AUTH (§7.2.3).
//
// PUZZLE notify (§8.1):
// +-------------------------------+---------------+
// |              PRF              |  Difficulty   |
// +-------------------------------+---------------+
import { PRFS, type Prf } from '../crypto/prf.ts';
import type { WireError } from '../wire/error.ts';
import { decode, encode, struct, u8, u16 } from '../wire/field.ts';
import { NotifyType } from './notify.ts';
import type { Payload } from './payload/payload.ts';

export interface PuzzleTerms {
  /** Transform id of the PRF (type 2). */
  readonly prf: number;
  /** Zero bits at the end of each result; 0: as many as we like to find. */
  readonly difficulty: number;
}

/** A puzzle to be solved. */
export interface Puzzle extends PuzzleTerms {
  readonly S: Uint8Array;
}

const terms = struct('PUZZLE', { prf: u16, difficulty: u8 });

export const decodePuzzle = (data: Uint8Array): PuzzleTerms | WireError => decode(terms, data, 'PUZZLE');

export const puzzleNotify = (puzzle: PuzzleTerms): Payload => ({
  kind: 'notify',
  protocol: 0,
  type: NotifyType.PUZZLE,
  spi: new Uint8Array(0),
  data: encode(terms, { prf: puzzle.prf, difficulty: puzzle.difficulty }),
});

/**
 * Harder puzzles are not tried (§9): 2^20 tries for each of four keys take about ten seconds of one core, what RFC 8019 §9 thinks
 * right takes one.
 */
export const MOST_DIFFICULTY = 20;
/** What we find where the gateway leaves it to us (§7.1.1.1): some tens of milliseconds of work. */
const DIFFICULTY_OF_OUR_OWN = 14;

const KEYS = 4;
const KEY_BYTES = 4;

const prfOf = (id: number): Prf | undefined => PRFS.find((prf) => prf.id === id);

/** Is it one that we try: with a PRF that we have, and not too hard? */
export const isWorthwhile = ({ prf, difficulty }: PuzzleTerms): boolean =>
  prfOf(prf) !== undefined && difficulty <= MOST_DIFFICULTY;

/** Zero bits at the end. */
export function trailingZeroBits(bytes: Uint8Array): number {
  let zeros = 0;
  for (let i = bytes.length - 1; i >= 0; i--) {
    const byte = bytes[i]!;
    if (byte !== 0) return zeros + (31 - Math.clz32(byte & -byte));
    zeros += 8;
  }
  return zeros;
}

/** Looks for the four keys, some tries at a time, so that whoever calls can do other things in between. */
export class PuzzleSolver {
  readonly #prf: Prf;
  readonly #S: Uint8Array;
  readonly #difficulty: number;
  readonly #solution = new Uint8Array(KEYS * KEY_BYTES);
  readonly #key = new Uint8Array(KEY_BYTES);
  #found = 0;
  #next = 0;

  /** Throws a RangeError for a puzzle that is not worthwhile. */
  constructor(puzzle: Puzzle) {
    const prf = prfOf(puzzle.prf);
    if (!prf || !isWorthwhile(puzzle)) throw new RangeError('this puzzle is not to be tried');
    this.#prf = prf;
    this.#S = puzzle.S;
    this.#difficulty = puzzle.difficulty || DIFFICULTY_OF_OUR_OWN;
  }

  /** The four keys one behind the other, or undefined: call again. Throws where all keys of four bytes have been tried. */
  step(tries: number): Uint8Array | undefined {
    const view = new DataView(this.#key.buffer);
    for (let i = 0; i < tries; i++) {
      if (this.#next > 0xffff_ffff) throw new RangeError('no key of four bytes solves this puzzle');
      view.setUint32(0, this.#next++);
      if (trailingZeroBits(this.#prf.compute(this.#key, this.#S)) < this.#difficulty) continue;
      this.#solution.set(this.#key, this.#found * KEY_BYTES);
      if (++this.#found === KEYS) return this.#solution;
    }
    return undefined;
  }
}

/** The zero bits that a solution proves: of the four results the fewest (§7.1.4); undefined: it is none. */
export function solvedBits(puzzle: Puzzle, solution: Uint8Array): number | undefined {
  const prf = prfOf(puzzle.prf);
  if (!prf || solution.length === 0 || solution.length % KEYS !== 0) return undefined;
  const size = solution.length / KEYS;
  // §8.2: from one byte to the preferred key length.
  if (size > prf.keyBytes) return undefined;
  const keys = Array.from({ length: KEYS }, (_, i) => solution.subarray(i * size, (i + 1) * size));
  // §7.1.3: four different keys. HMAC pads short keys with zeros, so of one size different means different.
  if (new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size !== KEYS) return undefined;
  return Math.min(...keys.map((key) => trailingZeroBits(prf.compute(key, puzzle.S))));
}
