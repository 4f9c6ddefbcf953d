// Blocks of 16 bytes at the ragged ends of a text. Lengths are public; memory.copy and memory.fill are calls out of
// WebAssembly, which cost more than all of this.

/** The first `length` (0 … 15) bytes at `data`, padded with zeros, into the 16 bytes at `to`. */
export function padBlock(to: usize, data: usize, length: i32): void {
  v128.store(to, i64x2.splat(0));
  if (length & 8) {
    store<u64>(to, load<u64>(data));
    to += 8;
    data += 8;
  }
  if (length & 4) {
    store<u32>(to, load<u32>(data));
    to += 4;
    data += 4;
  }
  if (length & 2) {
    store<u16>(to, load<u16>(data));
    to += 2;
    data += 2;
  }
  if (length & 1) store<u8>(to, load<u8>(data));
}

/** data += mask (XOR), `length` bytes of any number. */
export function addMask(data: usize, mask: usize, length: i32): void {
  for (; length >= 64; length -= 64) {
    v128.store(data, v128.xor(v128.load(data), v128.load(mask)), 0);
    v128.store(data, v128.xor(v128.load(data, 16), v128.load(mask, 16)), 16);
    v128.store(data, v128.xor(v128.load(data, 32), v128.load(mask, 32)), 32);
    v128.store(data, v128.xor(v128.load(data, 48), v128.load(mask, 48)), 48);
    data += 64;
    mask += 64;
  }
  for (; length >= 16; length -= 16) {
    v128.store(data, v128.xor(v128.load(data), v128.load(mask)));
    data += 16;
    mask += 16;
  }
  if (length & 8) {
    store<u64>(data, load<u64>(data) ^ load<u64>(mask));
    data += 8;
    mask += 8;
  }
  if (length & 4) {
    store<u32>(data, load<u32>(data) ^ load<u32>(mask));
    data += 4;
    mask += 4;
  }
  if (length & 2) {
    store<u16>(data, load<u16>(data) ^ load<u16>(mask));
    data += 2;
    mask += 2;
  }
  if (length & 1) store<u8>(data, load<u8>(data) ^ load<u8>(mask));
}
