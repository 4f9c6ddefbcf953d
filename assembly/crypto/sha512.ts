// The compression function of SHA-512 and SHA-384 (FIPS 180-4 §6.4.2) for two messages at once, one in each 64-bit lane of
// every register. Which block of which message goes into which lane, and padding, is the caller's (hmac.ts). Constant time.

/** The state's eight words of a lane, 16 bytes apart; every lane together. */
export const SHA512_STATE_BYTES: i32 = 128;
export const SHA512_LANES: i32 = 2;

/** The first 64 bits of the fractional parts of the cube roots of the first 80 primes (§4.2.3). */
@lazy
const K: usize = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
  0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
  0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
  0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
  0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
  0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
  0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
  0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
  0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
  0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
  0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
  0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
  0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
  0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
  0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
  0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
  0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
], 16);

/** The message schedule: word t of every lane at 16·t. */
@lazy
const SCHEDULE: usize = memory.data(1280, 16);

@inline
function rotate(x: v128, n: i32): v128 {
  return v128.or(i64x2.shr_u(x, n), i64x2.shl(x, 64 - n));
}

@inline
function bigSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 28), rotate(x, 34)), rotate(x, 39));
}

@inline
function bigSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 14), rotate(x, 18)), rotate(x, 41));
}

@inline
function smallSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 1), rotate(x, 8)), i64x2.shr_u(x, 7));
}

@inline
function smallSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 19), rotate(x, 61)), i64x2.shr_u(x, 6));
}

/** Ch(x, y, z) (§4.1.3): y where x has a bit, z where it has none. */
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
  return i64x2.add(v128.load(w), v128.load64_splat(k));
}

@inline
function bigEndian(words: v128): v128 {
  return i8x16.swizzle(words, i8x16(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
}

/** H(0) of SHA-512 (§5.3.5) in both lanes. */
export function sha512Begin(state: usize): void {
  v128.store(state, i64x2.splat(0x6a09e667f3bcc908), 0);
  v128.store(state, i64x2.splat(0xbb67ae8584caa73b), 16);
  v128.store(state, i64x2.splat(0x3c6ef372fe94f82b), 32);
  v128.store(state, i64x2.splat(0xa54ff53a5f1d36f1), 48);
  v128.store(state, i64x2.splat(0x510e527fade682d1), 64);
  v128.store(state, i64x2.splat(0x9b05688c2b3e6c1f), 80);
  v128.store(state, i64x2.splat(0x1f83d9abfb41bd6b), 96);
  v128.store(state, i64x2.splat(0x5be0cd19137e2179), 112);
}

/** H(0) of SHA-384 (§5.3.4). Everything else is SHA-512's; of the result the first 48 bytes count (§6.5). */
export function sha384Begin(state: usize): void {
  v128.store(state, i64x2.splat(0xcbbb9d5dc1059ed8), 0);
  v128.store(state, i64x2.splat(0x629a292a367cd507), 16);
  v128.store(state, i64x2.splat(0x9159015a3070dd17), 32);
  v128.store(state, i64x2.splat(0x152fecd8f70e5939), 48);
  v128.store(state, i64x2.splat(0x67332667ffc00b31), 64);
  v128.store(state, i64x2.splat(0x8eb44a8768581511), 80);
  v128.store(state, i64x2.splat(0xdb0c2e0d64f98fa7), 96);
  v128.store(state, i64x2.splat(0x47b5481dbefa4fa4), 112);
}

/** Absorbs 128 bytes at `block0` into lane 0, and so on. */
export function sha512Compress(state: usize, block0: usize, block1: usize): void {
  for (let i = 0; i < 128; i += 16) {
    const a = bigEndian(v128.load(block0 + i));
    const b = bigEndian(v128.load(block1 + i));
    v128.store(SCHEDULE + 2 * i, v128.shuffle<u64>(a, b, 0, 2), 0);
    v128.store(SCHEDULE + 2 * i, v128.shuffle<u64>(a, b, 1, 3), 16);
  }
  for (let t = 16; t < 80; t++) {
    const w = SCHEDULE + 16 * t;
    const near = i64x2.add(smallSigma1(v128.load(w - 32)), v128.load(w - 112));
    const far = i64x2.add(smallSigma0(v128.load(w - 240)), v128.load(w - 256));
    v128.store(w, i64x2.add(near, far));
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
  for (let w = SCHEDULE; w < SCHEDULE + 1280; w += 128) {
    h = i64x2.add(i64x2.add(h, word(w, k)), i64x2.add(bigSigma1(e), choose(e, f, g)));
    d = i64x2.add(d, h);
    h = i64x2.add(h, i64x2.add(bigSigma0(a), majority(a, b, c)));
    g = i64x2.add(i64x2.add(g, word(w + 16, k + 8)), i64x2.add(bigSigma1(d), choose(d, e, f)));
    c = i64x2.add(c, g);
    g = i64x2.add(g, i64x2.add(bigSigma0(h), majority(h, a, b)));
    f = i64x2.add(i64x2.add(f, word(w + 32, k + 16)), i64x2.add(bigSigma1(c), choose(c, d, e)));
    b = i64x2.add(b, f);
    f = i64x2.add(f, i64x2.add(bigSigma0(g), majority(g, h, a)));
    e = i64x2.add(i64x2.add(e, word(w + 48, k + 24)), i64x2.add(bigSigma1(b), choose(b, c, d)));
    a = i64x2.add(a, e);
    e = i64x2.add(e, i64x2.add(bigSigma0(f), majority(f, g, h)));
    d = i64x2.add(i64x2.add(d, word(w + 64, k + 32)), i64x2.add(bigSigma1(a), choose(a, b, c)));
    h = i64x2.add(h, d);
    d = i64x2.add(d, i64x2.add(bigSigma0(e), majority(e, f, g)));
    c = i64x2.add(i64x2.add(c, word(w + 80, k + 40)), i64x2.add(bigSigma1(h), choose(h, a, b)));
    g = i64x2.add(g, c);
    c = i64x2.add(c, i64x2.add(bigSigma0(d), majority(d, e, f)));
    b = i64x2.add(i64x2.add(b, word(w + 96, k + 48)), i64x2.add(bigSigma1(g), choose(g, h, a)));
    f = i64x2.add(f, b);
    b = i64x2.add(b, i64x2.add(bigSigma0(c), majority(c, d, e)));
    a = i64x2.add(i64x2.add(a, word(w + 112, k + 56)), i64x2.add(bigSigma1(f), choose(f, g, h)));
    e = i64x2.add(e, a);
    a = i64x2.add(a, i64x2.add(bigSigma0(b), majority(b, c, d)));
    k += 64;
  }
  v128.store(state, i64x2.add(v128.load(state, 0), a), 0);
  v128.store(state, i64x2.add(v128.load(state, 16), b), 16);
  v128.store(state, i64x2.add(v128.load(state, 32), c), 32);
  v128.store(state, i64x2.add(v128.load(state, 48), d), 48);
  v128.store(state, i64x2.add(v128.load(state, 64), e), 64);
  v128.store(state, i64x2.add(v128.load(state, 80), f), 80);
  v128.store(state, i64x2.add(v128.load(state, 96), g), 96);
  v128.store(state, i64x2.add(v128.load(state, 112), h), 112);
}

/** Forgets the last blocks. */
export function sha512Wipe(): void {
  memory.fill(SCHEDULE, 0, 1280);
}
