// AES (FIPS 197), forward direction only, bitsliced: eight blocks at once, no table and no branch that depends on a secret.
//
// Bitslicing. Eight blocks of sixteen bytes become eight v128 "planes": plane i holds bit i of every byte of every block.
//
//                 byte 0            byte 1                    byte 15
//   plane i   │ b7 b6 … b1 b0 │ b7 b6 … b1 b0 │   …   │ b7 b6 … b1 b0 │
//                            └ bit i of byte 0 of block 0
//                         └ bit i of byte 0 of block 1, and so on to block 7
//
// so that SubBytes is a circuit of AND and XOR over whole planes, and a permutation of the state's bytes is one swizzle
// per plane.
//
// Rows. Within a plane the state lies row by row, byte p = 4·row + column, where FIPS 197 §3.4 counts column by column.
// A row is a 32-bit lane, so that moving rows (MixColumns) is one instruction without a mask; ShiftRows is one swizzle by a
// constant. This came out faster in V8 than fixslicing, which saves ShiftRows but needs masks for every row move.
//
//   lane 0   │ s00 s01 s02 s03 │   s(row)(column); blocks are brought into this order, and out of it, by a swizzle of their
//   lane 1   │ s10 s11 s12 s13 │   own
//   lane 2   │ s20 s21 s22 s23 │
//   lane 3   │ s30 s31 s32 s33 │
//
// The 0x63 of the S-box's affine part is folded into the round keys: MixColumns maps the column (c, c, c, c) to itself.

/** Round keys, eight planes each: 15 for AES-256. */
const ROUND_KEY_BYTES: i32 = 128;
/** Offset of the number of rounds (u32), after the room for 15 round keys. */
const ROUNDS: i32 = 1920;
/** Offset of what the accelerator knows this key by (u32), or 0: see aes-stream.ts. */
const HANDLE: i32 = 1924;
/** Bytes of an expanded key. */
export const AES_KEY_BYTES: i32 = 1936;

/** Columns become rows: a block in the standard's order into ours, and back. */
@inline
export function aesRowOrder(block: v128): v128 {
  return i8x16.swizzle(block, i8x16(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}

/** ShiftRows (§5.1.2): row r, column c comes from column c + r. */
@inline
function shiftRows(a: v128): v128 {
  return i8x16.swizzle(a, i8x16(0, 1, 2, 3, 5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14));
}

/** Every row gets the next one; the one after that. */
@inline
function nextRow(a: v128): v128 {
  return v128.shuffle<u32>(a, a, 1, 2, 3, 0);
}

@inline
function rowAcross(a: v128): v128 {
  return v128.shuffle<u32>(a, a, 2, 3, 0, 1);
}

/** The key schedule's words (60 for AES-256), wiped after use. */
const SCHEDULE_BYTES: i32 = 256;
@lazy
const SCHEDULE: usize = memory.data(SCHEDULE_BYTES, 16);

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197 §4.2.1), sixteen bytes at once. */
@inline
function xtime(a: v128): v128 {
  return v128.xor(i8x16.shl(a, 1), v128.and(i8x16.shr_s(a, 7), i8x16.splat(0x1b)));
}

/** Multiplication in GF(2^8) (FIPS 197 §4.2), sixteen bytes at once. */
function multiply(a: v128, b: v128): v128 {
  let sum = i64x2.splat(0);
  for (let i = 0; i < 8; i++) {
    sum = v128.xor(sum, v128.and(a, i8x16.shr_s(i8x16.shl(b, 7 - i), 7)));
    a = xtime(a);
  }
  return sum;
}

@inline
function rotateBytes(a: v128, bits: i32): v128 {
  return v128.or(i8x16.shl(a, bits), i8x16.shr_u(a, 8 - bits));
}

/** SubBytes from its definition (FIPS 197 §5.1.1): x^-1 = x^254, then the affine map. For the key schedule only. */
function subBytes(a: v128): v128 {
  let power = a; // a^(2^k - 1)
  for (let i = 0; i < 6; i++) power = multiply(multiply(power, power), a);
  power = multiply(power, power);
  let sum = v128.xor(power, i8x16.splat(0x63));
  for (let i = 1; i <= 4; i++) sum = v128.xor(sum, rotateBytes(power, i));
  return sum;
}

/** Exchanges blocks (in row order) and planes, in place: `state` holds 8 × 16 bytes. Its own inverse. */
export function aesTranspose(state: usize): void {
  let a = v128.load(state, 0);
  let b = v128.load(state, 16);
  let c = v128.load(state, 32);
  let d = v128.load(state, 48);
  let e = v128.load(state, 64);
  let f = v128.load(state, 80);
  let g = v128.load(state, 96);
  let h = v128.load(state, 112);
  let t: v128;

  const every1 = i8x16.splat(0x55);
  t = v128.and(v128.xor(i64x2.shr_u(a, 1), b), every1);
  a = v128.xor(a, i64x2.shl(t, 1));
  b = v128.xor(b, t);
  t = v128.and(v128.xor(i64x2.shr_u(c, 1), d), every1);
  c = v128.xor(c, i64x2.shl(t, 1));
  d = v128.xor(d, t);
  t = v128.and(v128.xor(i64x2.shr_u(e, 1), f), every1);
  e = v128.xor(e, i64x2.shl(t, 1));
  f = v128.xor(f, t);
  t = v128.and(v128.xor(i64x2.shr_u(g, 1), h), every1);
  g = v128.xor(g, i64x2.shl(t, 1));
  h = v128.xor(h, t);

  const every2 = i8x16.splat(0x33);
  t = v128.and(v128.xor(i64x2.shr_u(a, 2), c), every2);
  a = v128.xor(a, i64x2.shl(t, 2));
  c = v128.xor(c, t);
  t = v128.and(v128.xor(i64x2.shr_u(b, 2), d), every2);
  b = v128.xor(b, i64x2.shl(t, 2));
  d = v128.xor(d, t);
  t = v128.and(v128.xor(i64x2.shr_u(e, 2), g), every2);
  e = v128.xor(e, i64x2.shl(t, 2));
  g = v128.xor(g, t);
  t = v128.and(v128.xor(i64x2.shr_u(f, 2), h), every2);
  f = v128.xor(f, i64x2.shl(t, 2));
  h = v128.xor(h, t);

  const every4 = i8x16.splat(0x0f);
  t = v128.and(v128.xor(i64x2.shr_u(a, 4), e), every4);
  a = v128.xor(a, i64x2.shl(t, 4));
  e = v128.xor(e, t);
  t = v128.and(v128.xor(i64x2.shr_u(b, 4), f), every4);
  b = v128.xor(b, i64x2.shl(t, 4));
  f = v128.xor(f, t);
  t = v128.and(v128.xor(i64x2.shr_u(c, 4), g), every4);
  c = v128.xor(c, i64x2.shl(t, 4));
  g = v128.xor(g, t);
  t = v128.and(v128.xor(i64x2.shr_u(d, 4), h), every4);
  d = v128.xor(d, i64x2.shl(t, 4));
  h = v128.xor(h, t);

  v128.store(state, a, 0);
  v128.store(state, b, 16);
  v128.store(state, c, 32);
  v128.store(state, d, 48);
  v128.store(state, e, 64);
  v128.store(state, f, 80);
  v128.store(state, g, 96);
  v128.store(state, h, 112);
}

/** KeyExpansion (FIPS 197 §5.2), then every round key into its plane form. `keyLength` 16, 24 or 32. */
export function aesInstall(aes: usize, key: usize, keyLength: i32): void {
  const nk = keyLength >>> 2;
  const rounds = nk + 6;
  const words = 4 * (rounds + 1);
  store<u32>(aes, rounds, ROUNDS);
  store<u32>(aes, 0, HANDLE);

  memory.copy(SCHEDULE, key, keyLength);
  let rcon: u32 = 1;
  for (let i = nk; i < words; i++) {
    let word = load<u32>(SCHEDULE + 4 * (i - 1));
    const position = i % nk;
    if (position == 0) {
      // RotWord of bytes in memory order is a right rotation of the little-endian word.
      word = i32x4.extract_lane(subBytes(i32x4.splat(rotr<u32>(word, 8))), 0) ^ rcon;
      rcon = (rcon << 1) ^ ((rcon >>> 7) * 0x11b);
    } else if (nk > 6 && position == 4) {
      word = i32x4.extract_lane(subBytes(i32x4.splat(word)), 0);
    }
    store<u32>(SCHEDULE + 4 * i, word ^ load<u32>(SCHEDULE + 4 * (i - nk)));
  }

  for (let round = 0; round <= rounds; round++) {
    const plain = aesRowOrder(v128.load(SCHEDULE + 16 * round));
    // With the S-box's constant of this round.
    const roundKey = round == 0 ? plain : v128.xor(plain, i8x16.splat(0x63));
    const planes = aes + ROUND_KEY_BYTES * round;
    for (let block = 0; block < 8; block++) v128.store(planes + 16 * block, roundKey);
    aesTranspose(planes);
  }
  memory.fill(SCHEDULE, 0, SCHEDULE_BYTES);
}

/**
 * Rounds `first` to `last` (counted from 1) of `groups` groups of eight blocks, in planes, in place. Before round 1 the
 * caller adds round key 0, which is what lies first in an expanded key (aesWhiten).
 *
 * Each round goes over all groups before the next begins: a round is one long chain of instructions that wait for each
 * other, and a processor fills the waiting with the next group's, if they are near enough.
 */
export function aesRounds(aes: usize, states: usize, groups: i32, first: i32, last: i32): void {
  const final: i32 = load<u32>(aes, ROUNDS);
  const end = states + ROUND_KEY_BYTES * groups;
  for (let round = first; round <= last; round++) {
    const key = aes + ROUND_KEY_BYTES * round;
    for (let state = states; state < end; state += ROUND_KEY_BYTES) {
      const q0 = v128.load(state, 0);
      const q1 = v128.load(state, 16);
      const q2 = v128.load(state, 32);
      const q3 = v128.load(state, 48);
      const q4 = v128.load(state, 64);
      const q5 = v128.load(state, 80);
      const q6 = v128.load(state, 96);
      const q7 = v128.load(state, 112);

      // SubBytes without its constant: the circuit of Boyar and Peralta ("A depth-16 circuit for the AES S-box", 2011),
      // with their names; x0 to x7 are q7 to q0, and s0 is the most significant bit.
      const y14 = v128.xor(q4, q2);
      const y13 = v128.xor(q7, q1);
      const y9 = v128.xor(q7, q4);
      const y8 = v128.xor(q7, q2);
      const t0 = v128.xor(q6, q5);
      const y1 = v128.xor(t0, q0);
      const y4 = v128.xor(y1, q4);
      const y12 = v128.xor(y13, y14);
      const y2 = v128.xor(y1, q7);
      const y5 = v128.xor(y1, q1);
      const y3 = v128.xor(y5, y8);
      const t1 = v128.xor(q3, y12);
      const y15 = v128.xor(t1, q2);
      const y20 = v128.xor(t1, q6);
      const y6 = v128.xor(y15, q0);
      const y10 = v128.xor(y15, t0);
      const y11 = v128.xor(y20, y9);
      const y7 = v128.xor(q0, y11);
      const y17 = v128.xor(y10, y11);
      const y19 = v128.xor(y10, y8);
      const y16 = v128.xor(t0, y11);
      const y21 = v128.xor(y13, y16);
      const y18 = v128.xor(q7, y16);

      const t2 = v128.and(y12, y15);
      const t3 = v128.and(y3, y6);
      const t4 = v128.xor(t3, t2);
      const t5 = v128.and(y4, q0);
      const t6 = v128.xor(t5, t2);
      const t7 = v128.and(y13, y16);
      const t8 = v128.and(y5, y1);
      const t9 = v128.xor(t8, t7);
      const t10 = v128.and(y2, y7);
      const t11 = v128.xor(t10, t7);
      const t12 = v128.and(y9, y11);
      const t13 = v128.and(y14, y17);
      const t14 = v128.xor(t13, t12);
      const t15 = v128.and(y8, y10);
      const t16 = v128.xor(t15, t12);
      const t17 = v128.xor(t4, t14);
      const t18 = v128.xor(t6, t16);
      const t19 = v128.xor(t9, t14);
      const t20 = v128.xor(t11, t16);
      const t21 = v128.xor(t17, y20);
      const t22 = v128.xor(t18, y19);
      const t23 = v128.xor(t19, y21);
      const t24 = v128.xor(t20, y18);

      const t25 = v128.xor(t21, t22);
      const t26 = v128.and(t21, t23);
      const t27 = v128.xor(t24, t26);
      const t28 = v128.and(t25, t27);
      const t29 = v128.xor(t28, t22);
      const t30 = v128.xor(t23, t24);
      const t31 = v128.xor(t22, t26);
      const t32 = v128.and(t31, t30);
      const t33 = v128.xor(t32, t24);
      const t34 = v128.xor(t23, t33);
      const t35 = v128.xor(t27, t33);
      const t36 = v128.and(t24, t35);
      const t37 = v128.xor(t36, t34);
      const t38 = v128.xor(t27, t36);
      const t39 = v128.and(t29, t38);
      const t40 = v128.xor(t25, t39);

      const t41 = v128.xor(t40, t37);
      const t42 = v128.xor(t29, t33);
      const t43 = v128.xor(t29, t40);
      const t44 = v128.xor(t33, t37);
      const t45 = v128.xor(t42, t41);
      const z0 = v128.and(t44, y15);
      const z1 = v128.and(t37, y6);
      const z2 = v128.and(t33, q0);
      const z3 = v128.and(t43, y16);
      const z4 = v128.and(t40, y1);
      const z5 = v128.and(t29, y7);
      const z6 = v128.and(t42, y11);
      const z7 = v128.and(t45, y17);
      const z8 = v128.and(t41, y10);
      const z9 = v128.and(t44, y12);
      const z10 = v128.and(t37, y3);
      const z11 = v128.and(t33, y4);
      const z12 = v128.and(t43, y13);
      const z13 = v128.and(t40, y5);
      const z14 = v128.and(t29, y2);
      const z15 = v128.and(t42, y9);
      const z16 = v128.and(t45, y14);
      const z17 = v128.and(t41, y8);

      const t46 = v128.xor(z15, z16);
      const t47 = v128.xor(z10, z11);
      const t48 = v128.xor(z5, z13);
      const t49 = v128.xor(z9, z10);
      const t50 = v128.xor(z2, z12);
      const t51 = v128.xor(z2, z5);
      const t52 = v128.xor(z7, z8);
      const t53 = v128.xor(z0, z3);
      const t54 = v128.xor(z6, z7);
      const t55 = v128.xor(z16, z17);
      const t56 = v128.xor(z12, t48);
      const t57 = v128.xor(t50, t53);
      const t58 = v128.xor(z4, t46);
      const t59 = v128.xor(z3, t54);
      const t60 = v128.xor(t46, t57);
      const t61 = v128.xor(z14, t57);
      const t62 = v128.xor(t52, t58);
      const t63 = v128.xor(t49, t58);
      const t64 = v128.xor(z4, t59);
      const t65 = v128.xor(t61, t62);
      const t66 = v128.xor(z1, t63);
      const s0 = v128.xor(t59, t63);
      const s6 = v128.xor(t56, t62);
      const s7 = v128.xor(t48, t60);
      const t67 = v128.xor(t64, t65);
      const s3 = v128.xor(t53, t66);
      const s4 = v128.xor(t51, t66);
      const s5 = v128.xor(t47, t65);
      const s1 = v128.xor(t64, s3);
      const s2 = v128.xor(t55, t67);

      const a0 = shiftRows(s7);
      const a1 = shiftRows(s6);
      const a2 = shiftRows(s5);
      const a3 = shiftRows(s4);
      const a4 = shiftRows(s3);
      const a5 = shiftRows(s2);
      const a6 = shiftRows(s1);
      const a7 = shiftRows(s0);
      if (round == final) {
        v128.store(state, v128.xor(a0, v128.load(key, 0)), 0);
        v128.store(state, v128.xor(a1, v128.load(key, 16)), 16);
        v128.store(state, v128.xor(a2, v128.load(key, 32)), 32);
        v128.store(state, v128.xor(a3, v128.load(key, 48)), 48);
        v128.store(state, v128.xor(a4, v128.load(key, 64)), 64);
        v128.store(state, v128.xor(a5, v128.load(key, 80)), 80);
        v128.store(state, v128.xor(a6, v128.load(key, 96)), 96);
        v128.store(state, v128.xor(a7, v128.load(key, 112)), 112);
        continue;
      }

      // MixColumns (FIPS 197 §5.1.3) with the rows a, b, c, d from here down: 2a + 3b + c + d = x·(a + b) + b + (c + d).
      const b0 = nextRow(a0);
      const b1 = nextRow(a1);
      const b2 = nextRow(a2);
      const b3 = nextRow(a3);
      const b4 = nextRow(a4);
      const b5 = nextRow(a5);
      const b6 = nextRow(a6);
      const b7 = nextRow(a7);
      const d0 = v128.xor(a0, b0);
      const d1 = v128.xor(a1, b1);
      const d2 = v128.xor(a2, b2);
      const d3 = v128.xor(a3, b3);
      const d4 = v128.xor(a4, b4);
      const d5 = v128.xor(a5, b5);
      const d6 = v128.xor(a6, b6);
      const d7 = v128.xor(a7, b7);
      v128.store(state, v128.xor(v128.xor(v128.xor(b0, v128.load(key, 0)), rowAcross(d0)), d7), 0);
      v128.store(state, v128.xor(v128.xor(v128.xor(b1, v128.load(key, 16)), rowAcross(d1)), v128.xor(d0, d7)), 16);
      v128.store(state, v128.xor(v128.xor(v128.xor(b2, v128.load(key, 32)), rowAcross(d2)), d1), 32);
      v128.store(state, v128.xor(v128.xor(v128.xor(b3, v128.load(key, 48)), rowAcross(d3)), v128.xor(d2, d7)), 48);
      v128.store(state, v128.xor(v128.xor(v128.xor(b4, v128.load(key, 64)), rowAcross(d4)), v128.xor(d3, d7)), 64);
      v128.store(state, v128.xor(v128.xor(v128.xor(b5, v128.load(key, 80)), rowAcross(d5)), d4), 80);
      v128.store(state, v128.xor(v128.xor(v128.xor(b6, v128.load(key, 96)), rowAcross(d6)), d5), 96);
      v128.store(state, v128.xor(v128.xor(v128.xor(b7, v128.load(key, 112)), rowAcross(d7)), d6), 112);
    }
  }
}

/** Adds round key 0 to a group in planes. */
export function aesWhiten(aes: usize, state: usize): void {
  for (let i = 0; i < ROUND_KEY_BYTES; i += 16) {
    v128.store(state + i, v128.xor(v128.load(state + i), v128.load(aes + i)));
  }
}

export function aesRoundCount(aes: usize): i32 {
  return load<u32>(aes, ROUNDS);
}

/** The round key of `round` in the standard's order; with the S-box's 0x63, from round 1 on. */
export function aesRoundKey(aes: usize, round: i32): v128 {
  let sum = i64x2.splat(0);
  let bit = i8x16.splat(1);
  for (let plane = aes + ROUND_KEY_BYTES * round, end = plane + ROUND_KEY_BYTES; plane < end; plane += 16) {
    sum = v128.xor(sum, v128.and(v128.load(plane), bit));
    bit = i8x16.add(bit, bit);
  }
  return aesRowOrder(sum);
}

@inline
export function aesHandle(aes: usize): u32 {
  return load<u32>(aes, HANDLE);
}

export function aesSetHandle(aes: usize, handle: u32): void {
  store<u32>(aes, handle, HANDLE);
}

/** Eight blocks into planes, in place. */
export function aesToPlanes(blocks: usize): void {
  for (let i = 0; i < 128; i += 16) v128.store(blocks + i, aesRowOrder(v128.load(blocks + i)));
  aesTranspose(blocks);
}

/** Planes into eight blocks, in place. */
export function aesToBlocks(planes: usize): void {
  aesTranspose(planes);
  for (let i = 0; i < 128; i += 16) v128.store(planes + i, aesRowOrder(v128.load(planes + i)));
}

/** Encrypts `groups` times eight blocks in place. */
export function aesEncrypt8(aes: usize, blocks: usize, groups: i32): void {
  const end = blocks + ROUND_KEY_BYTES * groups;
  for (let group = blocks; group < end; group += ROUND_KEY_BYTES) {
    aesToPlanes(group);
    aesWhiten(aes, group);
  }
  aesRounds(aes, blocks, groups, 1, load<u32>(aes, ROUNDS));
  for (let group = blocks; group < end; group += ROUND_KEY_BYTES) aesToBlocks(group);
}
