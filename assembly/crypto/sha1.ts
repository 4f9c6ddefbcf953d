// SHA-1's compression function (FIPS 180-4 §6.1.2) for four messages at once, one in each 32-bit lane of every register. For
// HMAC-SHA1-96 (RFC 2404) only, whose safety does not rest on collision resistance (RFC 8221 §6). Which block of which
// message goes into which lane, and padding, is the caller's (hmac.ts). Constant time.

/** The message schedule: word t of every lane at 16·t. */
@lazy
const SCHEDULE: usize = memory.data(1280, 16);

@inline
function rotate(x: v128, n: i32): v128 {
  return v128.or(i32x4.shl(x, n), i32x4.shr_u(x, 32 - n));
}

/** Ch, Parity and Maj (§4.1.1). */
@inline
function choose(x: v128, y: v128, z: v128): v128 {
  return v128.bitselect(y, z, x);
}

@inline
function parity(x: v128, y: v128, z: v128): v128 {
  return v128.xor(x, v128.xor(y, z));
}

@inline
function majority(x: v128, y: v128, z: v128): v128 {
  return v128.bitselect(z, y, v128.xor(x, y));
}

@inline
function bigEndian(words: v128): v128 {
  return i8x16.swizzle(words, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

/** Sixteen big-endian words of each of the four blocks into the schedule, a block in each lane. */
@inline
function loadWords(to: usize, block0: usize, block1: usize, block2: usize, block3: usize): void {
  for (let i = 0; i < 64; i += 16) {
    const a = bigEndian(v128.load(block0 + i));
    const b = bigEndian(v128.load(block1 + i));
    const c = bigEndian(v128.load(block2 + i));
    const d = bigEndian(v128.load(block3 + i));
    const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
    const ab2 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    const cd2 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2), 0);
    v128.store(to, v128.shuffle<u64>(ab, cd, 1, 3), 16);
    v128.store(to, v128.shuffle<u64>(ab2, cd2, 0, 2), 32);
    v128.store(to, v128.shuffle<u64>(ab2, cd2, 1, 3), 48);
    to += 64;
  }
}

/** H(0) (§5.3.1) in every lane. */
export function sha1Begin(state: usize): void {
  v128.store(state, i32x4.splat(0x67452301), 0);
  v128.store(state, i32x4.splat(0xefcdab89), 16);
  v128.store(state, i32x4.splat(0x98badcfe), 32);
  v128.store(state, i32x4.splat(0x10325476), 48);
  v128.store(state, i32x4.splat(0xc3d2e1f0), 64);
}

/** Absorbs 64 bytes at `block0` into lane 0, and so on. */
export function sha1Compress(state: usize, block0: usize, block1: usize, block2: usize, block3: usize): void {
  loadWords(SCHEDULE, block0, block1, block2, block3);
  for (let t = 16; t < 80; t++) {
    const w = SCHEDULE + 16 * t;
    const sum = v128.xor(v128.xor(v128.load(w - 48), v128.load(w - 128)), v128.xor(v128.load(w - 224), v128.load(w - 256)));
    v128.store(w, rotate(sum, 1));
  }
  let a = v128.load(state, 0);
  let b = v128.load(state, 16);
  let c = v128.load(state, 32);
  let d = v128.load(state, 48);
  let e = v128.load(state, 64);
  let w = SCHEDULE;
  let k: v128;
  k = i32x4.splat(0x5a827999);
  for (; w < SCHEDULE + 320; w += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(rotate(a, 5), choose(b, c, d)), i32x4.add(e, k)), v128.load(w, 0));
    b = rotate(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(rotate(e, 5), choose(a, b, c)), i32x4.add(d, k)), v128.load(w, 16));
    a = rotate(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(rotate(d, 5), choose(e, a, b)), i32x4.add(c, k)), v128.load(w, 32));
    e = rotate(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(rotate(c, 5), choose(d, e, a)), i32x4.add(b, k)), v128.load(w, 48));
    d = rotate(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(rotate(b, 5), choose(c, d, e)), i32x4.add(a, k)), v128.load(w, 64));
    c = rotate(c, 30);
  }
  k = i32x4.splat(0x6ed9eba1);
  for (; w < SCHEDULE + 640; w += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(rotate(a, 5), parity(b, c, d)), i32x4.add(e, k)), v128.load(w, 0));
    b = rotate(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(rotate(e, 5), parity(a, b, c)), i32x4.add(d, k)), v128.load(w, 16));
    a = rotate(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(rotate(d, 5), parity(e, a, b)), i32x4.add(c, k)), v128.load(w, 32));
    e = rotate(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(rotate(c, 5), parity(d, e, a)), i32x4.add(b, k)), v128.load(w, 48));
    d = rotate(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(rotate(b, 5), parity(c, d, e)), i32x4.add(a, k)), v128.load(w, 64));
    c = rotate(c, 30);
  }
  k = i32x4.splat(0x8f1bbcdc);
  for (; w < SCHEDULE + 960; w += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(rotate(a, 5), majority(b, c, d)), i32x4.add(e, k)), v128.load(w, 0));
    b = rotate(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(rotate(e, 5), majority(a, b, c)), i32x4.add(d, k)), v128.load(w, 16));
    a = rotate(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(rotate(d, 5), majority(e, a, b)), i32x4.add(c, k)), v128.load(w, 32));
    e = rotate(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(rotate(c, 5), majority(d, e, a)), i32x4.add(b, k)), v128.load(w, 48));
    d = rotate(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(rotate(b, 5), majority(c, d, e)), i32x4.add(a, k)), v128.load(w, 64));
    c = rotate(c, 30);
  }
  k = i32x4.splat(0xca62c1d6);
  for (; w < SCHEDULE + 1280; w += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(rotate(a, 5), parity(b, c, d)), i32x4.add(e, k)), v128.load(w, 0));
    b = rotate(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(rotate(e, 5), parity(a, b, c)), i32x4.add(d, k)), v128.load(w, 16));
    a = rotate(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(rotate(d, 5), parity(e, a, b)), i32x4.add(c, k)), v128.load(w, 32));
    e = rotate(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(rotate(c, 5), parity(d, e, a)), i32x4.add(b, k)), v128.load(w, 48));
    d = rotate(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(rotate(b, 5), parity(c, d, e)), i32x4.add(a, k)), v128.load(w, 64));
    c = rotate(c, 30);
  }
  v128.store(state, i32x4.add(v128.load(state, 0), a), 0);
  v128.store(state, i32x4.add(v128.load(state, 16), b), 16);
  v128.store(state, i32x4.add(v128.load(state, 32), c), 32);
  v128.store(state, i32x4.add(v128.load(state, 48), d), 48);
  v128.store(state, i32x4.add(v128.load(state, 64), e), 64);
}

/** Forgets the last blocks. */
export function sha1Wipe(): void {
  memory.fill(SCHEDULE, 0, 1280);
}
