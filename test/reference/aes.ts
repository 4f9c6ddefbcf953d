// AES straight from FIPS 197: slow, readable, without tables. An oracle for tests, never for secrets.

/** Multiplication in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (§4.2). */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let i = 0; i < 8; i++) {
    if ((b >> i) & 1) product ^= a << i;
  }
  for (let i = 14; i >= 8; i--) {
    if ((product >> i) & 1) product ^= 0x11b << (i - 8);
  }
  return product;
}

/** SubBytes of one byte (§5.1.1): the inverse (0 for 0), then the affine map. */
function subByte(byte: number): number {
  let inverse = 0;
  for (let candidate = 1; candidate < 256; candidate++) {
    if (multiply(byte, candidate) === 1) inverse = candidate;
  }
  let result = 0;
  for (let i = 0; i < 8; i++) {
    const bit = (k: number) => (inverse >> (k % 8)) & 1;
    result |= (bit(i) ^ bit(i + 4) ^ bit(i + 5) ^ bit(i + 6) ^ bit(i + 7) ^ ((0x63 >> i) & 1)) << i;
  }
  return result;
}
const remembered = Array.from({ length: 256 }, (_, byte) => subByte(byte));
const sub = (byte: number) => remembered[byte]!;

/** KeyExpansion (§5.2): 4-byte words. */
function expand(key: Uint8Array): number[][] {
  const nk = key.length / 4;
  const words: number[][] = [];
  for (let i = 0; i < nk; i++) words.push([...key.subarray(4 * i, 4 * i + 4)]);
  let rcon = 1;
  for (let i = nk; i < 4 * (nk + 7); i++) {
    let word = [...words[i - 1]!];
    if (i % nk === 0) {
      word = [...word.slice(1), word[0]!].map(sub);
      word[0]! ^= rcon;
      rcon = multiply(rcon, 2);
    } else if (nk > 6 && i % nk === 4) word = word.map(sub);
    words.push(word.map((byte, k) => byte ^ words[i - nk]![k]!));
  }
  return words;
}

/** Cipher (§5.1) of one block; the state's byte (row, column) is byte 4·column + row. */
export function aesEncrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  const words = expand(key);
  const rounds = key.length / 4 + 6;
  const addRoundKey = (state: number[], round: number) =>
    state.map((byte, i) => byte ^ words[4 * round + (i >> 2)]![i & 3]!);
  const shiftRows = (state: number[]) => state.map((_, i) => state[(i + 4 * (i & 3)) % 16]!);
  const mixColumns = (state: number[]) =>
    state.map((_, i) => {
      const row = (k: number) => state[(i & 12) + ((i + k) & 3)]!;
      return multiply(row(0), 2) ^ multiply(row(1), 3) ^ row(2) ^ row(3);
    });

  let state = addRoundKey([...block], 0);
  for (let round = 1; round < rounds; round++) state = addRoundKey(mixColumns(shiftRows(state.map(sub))), round);
  return Uint8Array.from(addRoundKey(shiftRows(state.map(sub)), rounds));
}

/** InvCipher (§5.3) of one block, step by step backwards. */
export function aesDecrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  const words = expand(key);
  const rounds = key.length / 4 + 6;
  const addRoundKey = (state: number[], round: number) =>
    state.map((byte, i) => byte ^ words[4 * round + (i >> 2)]![i & 3]!);
  const invShiftRows = (state: number[]) => state.map((_, i) => state[(i + 16 - 4 * (i & 3)) % 16]!);
  const invSub = (byte: number) => remembered.indexOf(byte);
  const invMixColumns = (state: number[]) =>
    state.map((_, i) => {
      const row = (k: number) => state[(i & 12) + ((i + k) & 3)]!;
      return multiply(row(0), 14) ^ multiply(row(1), 11) ^ multiply(row(2), 13) ^ multiply(row(3), 9);
    });
  let state = addRoundKey([...block], rounds);
  for (let round = rounds - 1; round > 0; round--)
    state = invMixColumns(addRoundKey(invShiftRows(state).map(invSub), round));
  return Uint8Array.from(addRoundKey(invShiftRows(state).map(invSub), 0));
}
