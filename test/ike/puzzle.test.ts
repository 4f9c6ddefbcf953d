import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { PRF_HMAC_SHA2_256, PRFS } from '../../main/crypto/prf.ts';
import {
  decodePuzzle,
  isWorthwhile,
  MOST_DIFFICULTY,
  PuzzleSolver,
  puzzleNotify,
  solvedBits,
  trailingZeroBits,
} from '../../main/ike/puzzle.ts';
import { isWireError } from '../../main/wire/error.ts';
import { hex, toHex } from '../crypto/hex.ts';

// The cookie of RFC 8019 §4.4. The keys printed there do not give the results printed there, neither by our HMAC nor by Python's,
// read as bytes or as text, the cookie as data or as key; so its results are taken to test the counting, and the PRF is tested by
// its own vectors (test/crypto/prf.test.ts).
const S = hex('739ae7492d8a810cf5e8dc0f9626c9dda773c5a3');
const SHA256 = PRF_HMAC_SHA2_256.id;

test.each([
  ['e4f957b859d7fb1343b7b94a816c0000', 18],
  ['0d4233d6278c96e3369227a075800000', 23],
  ['952a35d39d5ba06709da43af40700000', 20],
  ['5a0452b21571e401a3d00803679c0000', 18],
])('RFC 8019 §4.4, table 1: …%s ends in %d zero bits', (end, bits) => {
  expect(trailingZeroBits(hex(end))).toBe(bits);
});

test('of four results the one with the fewest zero bits counts (§7.1.4)', () => {
  const keys = Array.from({ length: 4000 }, (_, i) => Uint8Array.of(i >> 8, i & 255));
  const bitsOf = (key: Uint8Array) => trailingZeroBits(createHmac('sha256', key).update(S).digest());
  const good = keys.filter((key) => bitsOf(key) >= 6).slice(0, 4);
  const fewest = Math.min(...good.map(bitsOf));
  expect(solvedBits({ prf: SHA256, difficulty: 6, S }, Uint8Array.from(good.flatMap((key) => [...key])))).toBe(fewest);
  const bad = keys.find((key) => bitsOf(key) === 1)!;
  const spoilt = [...good.slice(1), bad];
  expect(solvedBits({ prf: SHA256, difficulty: 6, S }, Uint8Array.from(spoilt.flatMap((key) => [...key])))).toBe(1);
});

test('a solution is four different keys of one size, none longer than the PRF likes', () => {
  const puzzle = { prf: SHA256, difficulty: 8, S };
  expect(solvedBits(puzzle, hex('061840 061840 0c8a2a 0d94c8'))).toBeUndefined();
  expect(solvedBits(puzzle, hex('061840 073324 0c8a2a'))).toBeUndefined();
  expect(solvedBits(puzzle, new Uint8Array(0))).toBeUndefined();
  expect(
    solvedBits(
      puzzle,
      Uint8Array.from({ length: 4 * 33 }, (_, i) => i),
    ),
  ).toBeUndefined();
  expect(
    solvedBits(
      puzzle,
      Uint8Array.from({ length: 4 * 32 }, (_, i) => i),
    ),
  ).toBeTypeOf('number');
  expect(solvedBits({ ...puzzle, prf: 4711 }, hex('061840 073324 0c8a2a 0d94c8'))).toBeUndefined();
});

test.each(PRFS)('$name: what the solver finds, some tries at a time, is a solution', ({ id }) => {
  for (const difficulty of [1, 6, 9]) {
    const puzzle = { prf: id, difficulty, S: hex('00112233445566778899') };
    const solver = new PuzzleSolver(puzzle);
    let solution: Uint8Array | undefined;
    let steps = 0;
    while (!solution) {
      solution = solver.step(50);
      if (++steps > 10_000) throw new Error('never solved');
    }
    expect(solvedBits(puzzle, solution)).toBeGreaterThanOrEqual(difficulty);
  }
});

test('where the gateway asks for no certain difficulty, some is found all the same', () => {
  const puzzle = { prf: SHA256, difficulty: 0, S };
  const solver = new PuzzleSolver(puzzle);
  let solution: Uint8Array | undefined;
  while (!solution) solution = solver.step(10_000);
  expect(solvedBits(puzzle, solution)).toBeGreaterThanOrEqual(14);
});

test('a puzzle too hard, or with a PRF that we do not have, is not tried', () => {
  expect(isWorthwhile({ prf: SHA256, difficulty: MOST_DIFFICULTY })).toBe(true);
  expect(isWorthwhile({ prf: SHA256, difficulty: MOST_DIFFICULTY + 1 })).toBe(false);
  expect(isWorthwhile({ prf: 1, difficulty: 8 })).toBe(false);
  expect(() => new PuzzleSolver({ prf: SHA256, difficulty: 64, S })).toThrow(RangeError);
});

test('zero bits are counted from the end', () => {
  expect(trailingZeroBits(hex('ff'))).toBe(0);
  expect(trailingZeroBits(hex('8000'))).toBe(15);
  expect(trailingZeroBits(hex('000180'))).toBe(7);
  expect(trailingZeroBits(hex('0000'))).toBe(16);
});

test('the notify (§8.1): PRF and difficulty, three bytes', () => {
  const payload = puzzleNotify({ prf: 5, difficulty: 18 });
  if (payload.kind !== 'notify') throw new Error('no notify');
  expect([payload.type, payload.protocol, toHex(payload.data)]).toEqual([16434, 0, '000512']);
  expect(decodePuzzle(hex('000512'))).toEqual({ prf: 5, difficulty: 18 });
  for (const bad of ['', '00', '0005', '00051200']) expect(isWireError(decodePuzzle(hex(bad)))).toBe(true);
});
