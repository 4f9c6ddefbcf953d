// AES backwards (FIPS 197 §5.3), for CBC: eight blocks at once, in the planes and the row order of aes.ts, and with its key.
// Constant time.
//
// The S-box is an inversion I in GF(2^8) and then an affine map: S(x) = A(I(x)) + 0x63. I is its own inverse, so with
// B = A^-1 the inverse S-box is made of the forward circuit:
//
//   InvS(y)  =  I(B(y + 0x63))  =  B(A(I(B(y + 0x63))))
//
// A + 0x63 lies in every round key but the first already (aes.ts), and InvMixColumns maps the column (c, c, c, c) to
// itself: y + 0x63 costs nothing. InvMixColumns is MixColumns after one step of its own,
//
//   (0e 0b 0d 09)  =  (02 03 01 01) · (05 00 04 00):   a  becomes  a + 4·(a + the row across)
import { aesRoundCount, aesToBlocks, aesToPlanes } from './aes';

const PLANES_BYTES: i32 = 128;

/** InvShiftRows (§5.3.1): row r, column c comes from column c - r. */
@inline
function shiftRowsBack(a: v128): v128 {
  return i8x16.swizzle(a, i8x16(0, 1, 2, 3, 7, 4, 5, 6, 10, 11, 8, 9, 13, 14, 15, 12));
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

/** Decrypts `groups` times eight blocks in place. */
export function aesDecrypt8(aes: usize, blocks: usize, groups: i32): void {
  const rounds = aesRoundCount(aes);
  const end = blocks + PLANES_BYTES * groups;
  const lastKey = aes + PLANES_BYTES * rounds;
  for (let group = blocks; group < end; group += PLANES_BYTES) {
    aesToPlanes(group);
    for (let i = 0; i < PLANES_BYTES; i += 16) {
      v128.store(group + i, v128.xor(v128.load(group + i), v128.load(lastKey + i)));
    }
  }
  for (let round = rounds - 1; round >= 0; round--) {
    const key = aes + PLANES_BYTES * round;
    for (let state = blocks; state < end; state += PLANES_BYTES) {
      const p0 = shiftRowsBack(v128.load(state, 0));
      const p1 = shiftRowsBack(v128.load(state, 16));
      const p2 = shiftRowsBack(v128.load(state, 32));
      const p3 = shiftRowsBack(v128.load(state, 48));
      const p4 = shiftRowsBack(v128.load(state, 64));
      const p5 = shiftRowsBack(v128.load(state, 80));
      const p6 = shiftRowsBack(v128.load(state, 96));
      const p7 = shiftRowsBack(v128.load(state, 112));
      // B.
      const q0 = v128.xor(v128.xor(p2, p5), p7);
      const q1 = v128.xor(v128.xor(p3, p6), p0);
      const q2 = v128.xor(v128.xor(p4, p7), p1);
      const q3 = v128.xor(v128.xor(p5, p0), p2);
      const q4 = v128.xor(v128.xor(p6, p1), p3);
      const q5 = v128.xor(v128.xor(p7, p2), p4);
      const q6 = v128.xor(v128.xor(p0, p3), p5);
      const q7 = v128.xor(v128.xor(p1, p4), p6);

      // A(I(x)): the circuit of aes.ts, with its names.
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

      // B again, and AddRoundKey.
      const k0 = v128.xor(v128.xor(v128.xor(s5, s2), s0), v128.load(key, 0));
      const k1 = v128.xor(v128.xor(v128.xor(s4, s1), s7), v128.load(key, 16));
      const k2 = v128.xor(v128.xor(v128.xor(s3, s0), s6), v128.load(key, 32));
      const k3 = v128.xor(v128.xor(v128.xor(s2, s7), s5), v128.load(key, 48));
      const k4 = v128.xor(v128.xor(v128.xor(s1, s6), s4), v128.load(key, 64));
      const k5 = v128.xor(v128.xor(v128.xor(s0, s5), s3), v128.load(key, 80));
      const k6 = v128.xor(v128.xor(v128.xor(s7, s4), s2), v128.load(key, 96));
      const k7 = v128.xor(v128.xor(v128.xor(s6, s3), s1), v128.load(key, 112));
      if (round == 0) {
        v128.store(state, k0, 0);
        v128.store(state, k1, 16);
        v128.store(state, k2, 32);
        v128.store(state, k3, 48);
        v128.store(state, k4, 64);
        v128.store(state, k5, 80);
        v128.store(state, k6, 96);
        v128.store(state, k7, 112);
        continue;
      }

      // InvMixColumns: first a = k + 4·(k + the row across),
      const d0 = v128.xor(k0, rowAcross(k0));
      const d1 = v128.xor(k1, rowAcross(k1));
      const d2 = v128.xor(k2, rowAcross(k2));
      const d3 = v128.xor(k3, rowAcross(k3));
      const d4 = v128.xor(k4, rowAcross(k4));
      const d5 = v128.xor(k5, rowAcross(k5));
      const d6 = v128.xor(k6, rowAcross(k6));
      const d7 = v128.xor(k7, rowAcross(k7));
      const a0 = v128.xor(k0, d6);
      const a1 = v128.xor(k1, v128.xor(d6, d7));
      const a2 = v128.xor(k2, v128.xor(d0, d7));
      const a3 = v128.xor(k3, v128.xor(d1, d6));
      const a4 = v128.xor(k4, v128.xor(v128.xor(d2, d6), d7));
      const a5 = v128.xor(k5, v128.xor(d3, d7));
      const a6 = v128.xor(k6, d4);
      const a7 = v128.xor(k7, d5);
      // then MixColumns, as in aes.ts: x·(a + b) + b + (c + d).
      const b0 = nextRow(a0);
      const b1 = nextRow(a1);
      const b2 = nextRow(a2);
      const b3 = nextRow(a3);
      const b4 = nextRow(a4);
      const b5 = nextRow(a5);
      const b6 = nextRow(a6);
      const b7 = nextRow(a7);
      const e0 = v128.xor(a0, b0);
      const e1 = v128.xor(a1, b1);
      const e2 = v128.xor(a2, b2);
      const e3 = v128.xor(a3, b3);
      const e4 = v128.xor(a4, b4);
      const e5 = v128.xor(a5, b5);
      const e6 = v128.xor(a6, b6);
      const e7 = v128.xor(a7, b7);
      v128.store(state, v128.xor(v128.xor(b0, rowAcross(e0)), e7), 0);
      v128.store(state, v128.xor(v128.xor(b1, rowAcross(e1)), v128.xor(e0, e7)), 16);
      v128.store(state, v128.xor(v128.xor(b2, rowAcross(e2)), e1), 32);
      v128.store(state, v128.xor(v128.xor(b3, rowAcross(e3)), v128.xor(e2, e7)), 48);
      v128.store(state, v128.xor(v128.xor(b4, rowAcross(e4)), v128.xor(e3, e7)), 64);
      v128.store(state, v128.xor(v128.xor(b5, rowAcross(e5)), e4), 80);
      v128.store(state, v128.xor(v128.xor(b6, rowAcross(e6)), e5), 96);
      v128.store(state, v128.xor(v128.xor(b7, rowAcross(e7)), e6), 112);
    }
  }
  for (let group = blocks; group < end; group += PLANES_BYTES) aesToBlocks(group);
}
