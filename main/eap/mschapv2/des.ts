// DES (FIPS 46-3) with a key of seven bytes, as RFC 2759 §8.6 uses it. DES is broken (56 bits of key) and is here for
// MSCHAPv2 alone, which many gateways still ask for; OpenSSL 3 and BoringSSL do not offer it. Written for reading, bit by
// bit after the standard's tables; three blocks are all that a conversation needs. Bits are numbered from 1, leftmost first.

// biome-ignore format: the standard's tables, line by line
const INITIAL_PERMUTATION = [
  58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4,
  62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
  57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3,
  61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];
// biome-ignore format: the standard's tables, line by line
const EXPANSION = [
  32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17,
  16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
];
// biome-ignore format: the standard's tables, line by line
const PERMUTATION = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
  2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];
/** Permuted choice 1, of 64 bits of which every eighth is parity. */
// biome-ignore format: the standard's tables, line by line
const CHOICE_1 = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
// biome-ignore format: the standard's tables, line by line
const CHOICE_2 = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
  41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const ROTATIONS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/** S1 to S8, the four rows of each one after another; a hexadecimal digit is an entry. */
const S = [
  'e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d',
  'f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9',
  'a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c',
  '7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e',
  '2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453',
  'c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d',
  '4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c',
  'd2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b',
];

const pick = (bits: readonly number[], table: readonly number[]): number[] => table.map((number) => bits[number - 1]!);
const xor = (a: readonly number[], b: readonly number[]): number[] => a.map((bit, i) => bit ^ b[i]!);
const rotate = (half: readonly number[], by: number): number[] => [...half.slice(by), ...half.slice(0, by)];

const bitsOf = (bytes: Uint8Array): number[] =>
  [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
const bytesOf = (bits: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: bits.length / 8 }, (_, i) => numberOf(bits.slice(8 * i, 8 * i + 8)));
const numberOf = (bits: readonly number[]): number => bits.reduce((number, bit) => number * 2 + bit, 0);

/** Sixteen keys of 48 bits. */
function schedule(key: Uint8Array): number[][] {
  // A parity bit behind every seven bits; the standard ignores its value.
  const withParity = bitsOf(key).flatMap((bit, i) => (i % 7 === 6 ? [bit, 0] : [bit]));
  const chosen = pick(withParity, CHOICE_1);
  let left = chosen.slice(0, 28);
  let right = chosen.slice(28);
  return ROTATIONS.map((by) => {
    left = rotate(left, by);
    right = rotate(right, by);
    return pick([...left, ...right], CHOICE_2);
  });
}

function round(right: readonly number[], key: readonly number[]): number[] {
  const mixed = xor(pick(right, EXPANSION), key);
  const substituted = S.flatMap((box, i) => {
    const six = mixed.slice(6 * i, 6 * i + 6);
    const row = six[0]! * 2 + six[5]!;
    const entry = Number.parseInt(box[16 * row + numberOf(six.slice(1, 5))]!, 16);
    return [entry >> 3, (entry >> 2) & 1, (entry >> 1) & 1, entry & 1];
  });
  return pick(substituted, PERMUTATION);
}

/** Encrypts 8 bytes with 7 bytes of key (RFC 2759 §8.6, DesEncrypt). */
export function desEncrypt(clear: Uint8Array, key: Uint8Array): Uint8Array {
  if (clear.length !== 8 || key.length !== 7) throw new RangeError('DES takes 8 bytes and a key of 7');
  const permuted = pick(bitsOf(clear), INITIAL_PERMUTATION);
  let left = permuted.slice(0, 32);
  let right = permuted.slice(32);
  for (const roundKey of schedule(key)) [left, right] = [right, xor(left, round(right, roundKey))];
  const last = [...right, ...left];
  // The final permutation is the inverse of the initial one.
  const output = new Array<number>(64).fill(0);
  INITIAL_PERMUTATION.forEach((from, to) => {
    output[from - 1] = last[to]!;
  });
  return bytesOf(output);
}
