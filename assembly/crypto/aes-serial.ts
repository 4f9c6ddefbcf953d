// AES (FIPS 197), forward direction, one block at a time, for chains: in CBC no block can begin before the one in front of it is
// done, and eight places of aes.ts would wait for one. By vector permutation (Hamburg, "Accelerating AES with Vector Permute
// Instructions", CHES 2009): a byte is an element of GF(16)² in a basis of its own, and every step a lookup of sixteen nibbles in
// a table of one register (lookup.ts). Constant time: no address and no branch depends on a secret.
//
// The inverse of i·x + k in that field, with a constant a, takes lookups of 1/n and a/n only, where 1/0 is infinity, written 0x80,
// which a lookup turns into 0:
//
//   j = i + k      iak = 1/i + a/k      io = 1/iak + j
//                  jak = 1/j + a/k      jo = 1/jak + i
//
// What follows the inverse is linear in io and jo: the S-box in this basis, twice that for MixColumns, and at the end the S-box
// in the standard's. The S-box's 0x63 lies in the round keys, as in aes.ts. Blocks are in the standard's order (§3.4).
import { aesRoundCount, aesRoundKey } from './aes';
import { lookup } from './lookup';

/** Bytes of an expanded key: sixteen for each round and one more, and the number of rounds. */
export const AES_SERIAL_KEY_BYTES: i32 = 16 * 15 + 16;
const ROUNDS: usize = 240;

/** Tables, 16 bytes each: u for io, t for jo. */
const IPT_LOW: usize = 0; // into the basis, from a byte's low and high nibble
const IPT_HIGH: usize = 16;
const INV: usize = 32;
const INV_A: usize = 48;
const SB1_U: usize = 64; // S-box
const SB1_T: usize = 80;
const SB2_U: usize = 96; // twice that
const SB2_T: usize = 112;
const SBO_U: usize = 128; // S-box, out of the basis
const SBO_T: usize = 144;
/** ShiftRows (§5.1.2); after it the next row, and the one before; the next row alone. */
const SHIFT: usize = 160;
const SHIFT_NEXT: usize = 176;
const SHIFT_BEFORE: usize = 192;
const NEXT: usize = 208;
@lazy
const TABLES: usize = memory.data<u64>([
  0xc2b2e8985a2a7000, 0xcabae09052227808, 0x4c01307d317c4d00, 0xcd80b1fcb0fdcc81,
  0x0e05060f0d080180, 0x040703090a0b0c02, 0x01040a060f0b0780, 0x030d0e0c02050809,
  0xb19be18fcb503e00, 0xa5df7a6e142af544, 0x3618d415fae22300, 0x3bf7ccc10d2ed9ef,
  0xe27a93c60b712400, 0x5eb7e955bc982fcd, 0x69eb88400ae12900, 0xc2a163c8ab82234a,
  0xd0d26d176fbdc700, 0x15aabf7ac502a878, 0xcfe474a55fbb6a00, 0x8e1e90d1412b35fa,
  0x030e09040f0a0500, 0x0b06010c07020d08, 0x04030e09000f0a05, 0x0c0b06010807020d,
  0x0e0904030a05000f, 0x06010c0b020d0807, 0x0407060500030201, 0x0c0f0e0d080b0a09,
], 16);

/** Into the basis. */
@inline
function input(block: v128): v128 {
  const nibble = i8x16.splat(15);
  const low = lookup(v128.load(TABLES, IPT_LOW), v128.and(block, nibble));
  return v128.xor(low, lookup(v128.load(TABLES, IPT_HIGH), v128.and(i16x8.shr_u(block, 4), nibble)));
}

/** Prepares a key that aesInstall expanded at `aes`. */
export function aesSerialInstall(serial: usize, aes: usize): void {
  const rounds = aesRoundCount(aes);
  store<u32>(serial, rounds, ROUNDS);
  for (let round = 0; round < rounds; round++) v128.store(serial + 16 * round, input(aesRoundKey(aes, round)));
  v128.store(serial + 16 * rounds, aesRoundKey(aes, rounds));
}

/**
 * CBC (SP 800-38A §6.2) over the whole blocks from `at` to `end`, in place; at `before` lies the ciphertext in front of them.
 */
export function aesSerialChain(serial: usize, before: usize, at: usize, end: usize): void {
  let block = v128.load(before);
  const last = serial + 16 * load<u32>(serial, ROUNDS);
  const nibble = i8x16.splat(15);
  const inv = v128.load(TABLES, INV);
  const invA = v128.load(TABLES, INV_A);
  for (; at < end; at += 16) {
    let x = v128.xor(input(v128.xor(block, v128.load(at))), v128.load(serial));
    for (let key = serial + 16; ; key += 16) {
      const k = v128.and(x, nibble);
      const i = v128.and(i16x8.shr_u(x, 4), nibble);
      const j = v128.xor(i, k);
      const ak = lookup(invA, k);
      const iak = v128.xor(lookup(inv, i), ak);
      const jak = v128.xor(lookup(inv, j), ak);
      const io = v128.xor(lookup(inv, iak), j);
      const jo = v128.xor(lookup(inv, jak), i);
      if (key == last) {
        const s = v128.xor(lookup(v128.load(TABLES, SBO_U), io), lookup(v128.load(TABLES, SBO_T), jo));
        block = v128.xor(i8x16.swizzle(s, v128.load(TABLES, SHIFT)), v128.load(key));
        break;
      }
      // MixColumns (§5.1.3) with the rows a, b, c, d from here down: 2a + 3b + c + d = (2a + b) + d + (2b + c).
      const s = v128.xor(lookup(v128.load(TABLES, SB1_U), io), lookup(v128.load(TABLES, SB1_T), jo));
      const twice = v128.xor(lookup(v128.load(TABLES, SB2_U), io), lookup(v128.load(TABLES, SB2_T), jo));
      const ab = v128.xor(lookup(twice, v128.load(TABLES, SHIFT)), lookup(s, v128.load(TABLES, SHIFT_NEXT)));
      const d = v128.xor(lookup(s, v128.load(TABLES, SHIFT_BEFORE)), v128.load(key));
      x = v128.xor(v128.xor(ab, d), lookup(ab, v128.load(TABLES, NEXT)));
    }
    v128.store(at, block);
  }
}
