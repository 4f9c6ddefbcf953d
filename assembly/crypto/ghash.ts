// GHASH (NIST SP 800-38D §6.4): a polynomial in H over GF(2^128), whose bits GCM numbers from the left.

/** Bytes of an installed hash key. */
export const GHASH_KEY_BYTES: i32 = 16;

export function ghashInstall(ghash: usize, h: usize): void {
  v128.store(ghash, v128.load(h));
}

/** y = y · H (SP 800-38D §6.3), bit by bit with masks. */
function multiplyByH(ghash: usize, y: usize): void {
  let vHigh = bswap<u64>(load<u64>(ghash, 0));
  let vLow = bswap<u64>(load<u64>(ghash, 8));
  let zHigh: u64 = 0;
  let zLow: u64 = 0;
  for (let half: usize = 0; half < 16; half += 8) {
    let bits = bswap<u64>(load<u64>(y + half));
    for (let i = 0; i < 64; i++) {
      const mask: u64 = 0 - (bits >> 63);
      bits <<= 1;
      zHigh ^= vHigh & mask;
      zLow ^= vLow & mask;
      const carry: u64 = 0 - (vLow & 1);
      vLow = (vLow >> 1) | (vHigh << 63);
      vHigh = (vHigh >> 1) ^ (carry & 0xe100000000000000);
    }
  }
  store<u64>(y, bswap<u64>(zHigh), 0);
  store<u64>(y, bswap<u64>(zLow), 8);
}

/** y = GHASH continued over `length` bytes, the last block padded with zeros. */
export function ghashUpdate(ghash: usize, y: usize, data: usize, length: i32): void {
  while (length >= 16) {
    v128.store(y, v128.xor(v128.load(y), v128.load(data)));
    multiplyByH(ghash, y);
    data += 16;
    length -= 16;
  }
  if (length > 0) {
    for (let i: usize = 0; i < <usize>length; i++) store<u8>(y + i, load<u8>(y + i) ^ load<u8>(data + i));
    multiplyByH(ghash, y);
  }
}

/** The last block: both lengths, in bits, as 64-bit big-endian numbers. */
export function ghashLengths(ghash: usize, y: usize, aadLength: i32, length: i32): void {
  store<u64>(y, load<u64>(y, 0) ^ bswap<u64>((<u64>aadLength) << 3), 0);
  store<u64>(y, load<u64>(y, 8) ^ bswap<u64>((<u64>length) << 3), 8);
  multiplyByH(ghash, y);
}
