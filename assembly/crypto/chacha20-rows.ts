// ChaCha20 (RFC 8439 §2.3), three blocks of one nonce in a row, for a packet that comes alone: its Poly1305 key and 128 bytes. Row by
// row, the four words of a row in a register, and the twelve rows of three blocks never leave their registers: with so few
// blocks it is the waiting of instructions for one another that counts, and memory would add to it (chacha20.ts goes there, with
// eight blocks to fill the waiting).
//
//   a   constants         column round: the same lane of a, b, c and d
//   b   key               diagonal round: b moved by one lane, c by two, d by three
//   c   key
//   d   counter ‖ nonce
import { CHACHA20_ROTATED, rotate, rotate8, rotate16 } from './chacha20';

/** Bytes that chacha20Rows makes. */
export const CHACHA20_ROWS_BYTES: i32 = 192;

/** Every lane gets the next one, the one after that, the one before. */
@inline
function next(a: v128): v128 {
  return v128.shuffle<u32>(a, a, 1, 2, 3, 0);
}

@inline
function across(a: v128): v128 {
  return v128.shuffle<u32>(a, a, 2, 3, 0, 1);
}

@inline
function before(a: v128): v128 {
  return v128.shuffle<u32>(a, a, 3, 0, 1, 2);
}

/** The keystream of blocks 0, 1 and 2, 192 bytes at `to`. */
export function chacha20Rows(key: usize, nonce: usize, to: usize): void {
  const by16 = v128.load(CHACHA20_ROTATED, 0);
  const by8 = v128.load(CHACHA20_ROTATED, 16);
  const a = i32x4(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
  const b = v128.load(key, 0);
  const c = v128.load(key, 16);
  const d = i32x4(0, load<i32>(nonce, 0), load<i32>(nonce, 4), load<i32>(nonce, 8));
  let a0 = a;
  let b0 = b;
  let c0 = c;
  let d0 = d;
  let a1 = a;
  let b1 = b;
  let c1 = c;
  let d1 = i32x4.add(d, i32x4(1, 0, 0, 0));
  let a2 = a;
  let b2 = b;
  let c2 = c;
  let d2 = i32x4.add(d, i32x4(2, 0, 0, 0));
  for (let i = 0; i < 10; i++) {
    a0 = i32x4.add(a0, b0);
    a1 = i32x4.add(a1, b1);
    a2 = i32x4.add(a2, b2);
    d0 = rotate16(v128.xor(d0, a0), by16);
    d1 = rotate16(v128.xor(d1, a1), by16);
    d2 = rotate16(v128.xor(d2, a2), by16);
    c0 = i32x4.add(c0, d0);
    c1 = i32x4.add(c1, d1);
    c2 = i32x4.add(c2, d2);
    b0 = rotate(v128.xor(b0, c0), 12);
    b1 = rotate(v128.xor(b1, c1), 12);
    b2 = rotate(v128.xor(b2, c2), 12);
    a0 = i32x4.add(a0, b0);
    a1 = i32x4.add(a1, b1);
    a2 = i32x4.add(a2, b2);
    d0 = rotate8(v128.xor(d0, a0), by8);
    d1 = rotate8(v128.xor(d1, a1), by8);
    d2 = rotate8(v128.xor(d2, a2), by8);
    c0 = i32x4.add(c0, d0);
    c1 = i32x4.add(c1, d1);
    c2 = i32x4.add(c2, d2);
    b0 = rotate(v128.xor(b0, c0), 7);
    b1 = rotate(v128.xor(b1, c1), 7);
    b2 = rotate(v128.xor(b2, c2), 7);
    b0 = next(b0);
    c0 = across(c0);
    d0 = before(d0);
    b1 = next(b1);
    c1 = across(c1);
    d1 = before(d1);
    b2 = next(b2);
    c2 = across(c2);
    d2 = before(d2);
    a0 = i32x4.add(a0, b0);
    a1 = i32x4.add(a1, b1);
    a2 = i32x4.add(a2, b2);
    d0 = rotate16(v128.xor(d0, a0), by16);
    d1 = rotate16(v128.xor(d1, a1), by16);
    d2 = rotate16(v128.xor(d2, a2), by16);
    c0 = i32x4.add(c0, d0);
    c1 = i32x4.add(c1, d1);
    c2 = i32x4.add(c2, d2);
    b0 = rotate(v128.xor(b0, c0), 12);
    b1 = rotate(v128.xor(b1, c1), 12);
    b2 = rotate(v128.xor(b2, c2), 12);
    a0 = i32x4.add(a0, b0);
    a1 = i32x4.add(a1, b1);
    a2 = i32x4.add(a2, b2);
    d0 = rotate8(v128.xor(d0, a0), by8);
    d1 = rotate8(v128.xor(d1, a1), by8);
    d2 = rotate8(v128.xor(d2, a2), by8);
    c0 = i32x4.add(c0, d0);
    c1 = i32x4.add(c1, d1);
    c2 = i32x4.add(c2, d2);
    b0 = rotate(v128.xor(b0, c0), 7);
    b1 = rotate(v128.xor(b1, c1), 7);
    b2 = rotate(v128.xor(b2, c2), 7);
    b0 = before(b0);
    c0 = across(c0);
    d0 = next(d0);
    b1 = before(b1);
    c1 = across(c1);
    d1 = next(d1);
    b2 = before(b2);
    c2 = across(c2);
    d2 = next(d2);
  }
  v128.store(to, i32x4.add(a0, a), 0);
  v128.store(to, i32x4.add(b0, b), 16);
  v128.store(to, i32x4.add(c0, c), 32);
  v128.store(to, i32x4.add(d0, d), 48);
  v128.store(to, i32x4.add(a1, a), 64);
  v128.store(to, i32x4.add(b1, b), 80);
  v128.store(to, i32x4.add(c1, c), 96);
  v128.store(to, i32x4.add(d1, i32x4.add(d, i32x4(1, 0, 0, 0))), 112);
  v128.store(to, i32x4.add(a2, a), 128);
  v128.store(to, i32x4.add(b2, b), 144);
  v128.store(to, i32x4.add(c2, c), 160);
  v128.store(to, i32x4.add(d2, i32x4.add(d, i32x4(2, 0, 0, 0))), 176);
}
