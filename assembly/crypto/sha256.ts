// SHA-256's compression function (FIPS 180-4 §6.2.2) for four messages at once, one in each 32-bit lane of every register.
// Or for one that comes alone. Which block of which message goes into which lane, and padding, is the caller's (hmac.ts). Constant time.

/** The state's eight words of a lane, 16 bytes apart; every lane together. */
export const SHA256_STATE_BYTES: i32 = 128;
export const SHA256_LANES: i32 = 4;

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2). */
@lazy
const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
], 16);

/** The message schedule: word t of every lane at 16·t. */
@lazy
const SCHEDULE: usize = memory.data(1024, 16);

@inline
function rotate(x: v128, n: i32): v128 {
  return v128.or(i32x4.shr_u(x, n), i32x4.shl(x, 32 - n));
}

@inline
function bigSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 2), rotate(x, 13)), rotate(x, 22));
}

@inline
function bigSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 6), rotate(x, 11)), rotate(x, 25));
}

@inline
function smallSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 7), rotate(x, 18)), i32x4.shr_u(x, 3));
}

@inline
function smallSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 17), rotate(x, 19)), i32x4.shr_u(x, 10));
}

/** Ch(x, y, z) (§4.1.2): y where x has a bit, z where it has none. */
@inline
function choose(x: v128, y: v128, z: v128): v128 {
  return v128.bitselect(y, z, x);
}

/** Maj(x, y, z): where x and y differ, z decides. */
@inline
function majority(x: v128, y: v128, z: v128): v128 {
  return v128.bitselect(z, y, v128.xor(x, y));
}

@inline
function word(w: usize, k: usize): v128 {
  return i32x4.add(v128.load(w), v128.load32_splat(k));
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

/** H(0) (§5.3.3) in every lane. */
export function sha256Begin(state: usize): void {
  v128.store(state, i32x4.splat(0x6a09e667), 0);
  v128.store(state, i32x4.splat(0xbb67ae85), 16);
  v128.store(state, i32x4.splat(0x3c6ef372), 32);
  v128.store(state, i32x4.splat(0xa54ff53a), 48);
  v128.store(state, i32x4.splat(0x510e527f), 64);
  v128.store(state, i32x4.splat(0x9b05688c), 80);
  v128.store(state, i32x4.splat(0x1f83d9ab), 96);
  v128.store(state, i32x4.splat(0x5be0cd19), 112);
}

/** Absorbs 64 bytes at `block0` into lane 0, and so on. */
export function sha256Compress(state: usize, block0: usize, block1: usize, block2: usize, block3: usize): void {
  loadWords(SCHEDULE, block0, block1, block2, block3);
  for (let t = 16; t < 64; t++) {
    const w = SCHEDULE + 16 * t;
    const near = i32x4.add(smallSigma1(v128.load(w - 32)), v128.load(w - 112));
    const far = i32x4.add(smallSigma0(v128.load(w - 240)), v128.load(w - 256));
    v128.store(w, i32x4.add(near, far));
  }
  let a = v128.load(state, 0);
  let b = v128.load(state, 16);
  let c = v128.load(state, 32);
  let d = v128.load(state, 48);
  let e = v128.load(state, 64);
  let f = v128.load(state, 80);
  let g = v128.load(state, 96);
  let h = v128.load(state, 112);
  let k = K;
  for (let w = SCHEDULE; w < SCHEDULE + 1024; w += 128) {
    h = i32x4.add(i32x4.add(h, word(w, k)), i32x4.add(bigSigma1(e), choose(e, f, g)));
    d = i32x4.add(d, h);
    h = i32x4.add(h, i32x4.add(bigSigma0(a), majority(a, b, c)));
    g = i32x4.add(i32x4.add(g, word(w + 16, k + 4)), i32x4.add(bigSigma1(d), choose(d, e, f)));
    c = i32x4.add(c, g);
    g = i32x4.add(g, i32x4.add(bigSigma0(h), majority(h, a, b)));
    f = i32x4.add(i32x4.add(f, word(w + 32, k + 8)), i32x4.add(bigSigma1(c), choose(c, d, e)));
    b = i32x4.add(b, f);
    f = i32x4.add(f, i32x4.add(bigSigma0(g), majority(g, h, a)));
    e = i32x4.add(i32x4.add(e, word(w + 48, k + 12)), i32x4.add(bigSigma1(b), choose(b, c, d)));
    a = i32x4.add(a, e);
    e = i32x4.add(e, i32x4.add(bigSigma0(f), majority(f, g, h)));
    d = i32x4.add(i32x4.add(d, word(w + 64, k + 16)), i32x4.add(bigSigma1(a), choose(a, b, c)));
    h = i32x4.add(h, d);
    d = i32x4.add(d, i32x4.add(bigSigma0(e), majority(e, f, g)));
    c = i32x4.add(i32x4.add(c, word(w + 80, k + 20)), i32x4.add(bigSigma1(h), choose(h, a, b)));
    g = i32x4.add(g, c);
    c = i32x4.add(c, i32x4.add(bigSigma0(d), majority(d, e, f)));
    b = i32x4.add(i32x4.add(b, word(w + 96, k + 24)), i32x4.add(bigSigma1(g), choose(g, h, a)));
    f = i32x4.add(f, b);
    b = i32x4.add(b, i32x4.add(bigSigma0(c), majority(c, d, e)));
    a = i32x4.add(i32x4.add(a, word(w + 112, k + 28)), i32x4.add(bigSigma1(f), choose(f, g, h)));
    e = i32x4.add(e, a);
    a = i32x4.add(a, i32x4.add(bigSigma0(b), majority(b, c, d)));
    k += 32;
  }
  v128.store(state, i32x4.add(v128.load(state, 0), a), 0);
  v128.store(state, i32x4.add(v128.load(state, 16), b), 16);
  v128.store(state, i32x4.add(v128.load(state, 32), c), 32);
  v128.store(state, i32x4.add(v128.load(state, 48), d), 48);
  v128.store(state, i32x4.add(v128.load(state, 64), e), 64);
  v128.store(state, i32x4.add(v128.load(state, 80), f), 80);
  v128.store(state, i32x4.add(v128.load(state, 96), g), 96);
  v128.store(state, i32x4.add(v128.load(state, 112), h), 112);
}

// The same for one message, in ordinary registers: where three lanes would wait, a third of the time.

@inline
function word1(w: usize, k: usize): u32 {
  return load<u32>(w) + load<u32>(k);
}

@inline
function sum0(x: u32): u32 {
  return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22);
}

@inline
function sum1(x: u32): u32 {
  return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25);
}

@inline
function sigma0(x: u32): u32 {
  return rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3);
}

@inline
function sigma1(x: u32): u32 {
  return rotr<u32>(x, 17) ^ rotr<u32>(x, 19) ^ (x >> 10);
}

@inline
function choose1(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

@inline
function majority1(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}

/** Absorbs 64 bytes at `block` into lane 0 alone; the other lanes stay. */
export function sha256CompressOne(state: usize, block: usize): void {
  for (let i = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, bswap<u32>(load<u32>(block + i)));
  for (let w = SCHEDULE + 64; w < SCHEDULE + 256; w += 4) {
    store<u32>(w, sigma1(load<u32>(w - 8)) + load<u32>(w - 28) + sigma0(load<u32>(w - 60)) + load<u32>(w - 64));
  }
  let a = load<u32>(state, 0);
  let b = load<u32>(state, 16);
  let c = load<u32>(state, 32);
  let d = load<u32>(state, 48);
  let e = load<u32>(state, 64);
  let f = load<u32>(state, 80);
  let g = load<u32>(state, 96);
  let h = load<u32>(state, 112);
  let k = K;
  for (let w = SCHEDULE; w < SCHEDULE + 256; w += 32) {
    h += word1(w, k) + sum1(e) + choose1(e, f, g);
    d += h;
    h += sum0(a) + majority1(a, b, c);
    g += word1(w + 4, k + 4) + sum1(d) + choose1(d, e, f);
    c += g;
    g += sum0(h) + majority1(h, a, b);
    f += word1(w + 8, k + 8) + sum1(c) + choose1(c, d, e);
    b += f;
    f += sum0(g) + majority1(g, h, a);
    e += word1(w + 12, k + 12) + sum1(b) + choose1(b, c, d);
    a += e;
    e += sum0(f) + majority1(f, g, h);
    d += word1(w + 16, k + 16) + sum1(a) + choose1(a, b, c);
    h += d;
    d += sum0(e) + majority1(e, f, g);
    c += word1(w + 20, k + 20) + sum1(h) + choose1(h, a, b);
    g += c;
    c += sum0(d) + majority1(d, e, f);
    b += word1(w + 24, k + 24) + sum1(g) + choose1(g, h, a);
    f += b;
    b += sum0(c) + majority1(c, d, e);
    a += word1(w + 28, k + 28) + sum1(f) + choose1(f, g, h);
    e += a;
    a += sum0(b) + majority1(b, c, d);
    k += 32;
  }
  store<u32>(state, load<u32>(state, 0) + a, 0);
  store<u32>(state, load<u32>(state, 16) + b, 16);
  store<u32>(state, load<u32>(state, 32) + c, 32);
  store<u32>(state, load<u32>(state, 48) + d, 48);
  store<u32>(state, load<u32>(state, 64) + e, 64);
  store<u32>(state, load<u32>(state, 80) + f, 80);
  store<u32>(state, load<u32>(state, 96) + g, 96);
  store<u32>(state, load<u32>(state, 112) + h, 112);
}

/** Forgets the last blocks. */
export function sha256Wipe(): void {
  memory.fill(SCHEDULE, 0, 1024);
}
