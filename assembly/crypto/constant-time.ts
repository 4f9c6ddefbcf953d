// Comparison of tags whose time says nothing about where they differ.

/** 1 where the 16 bytes at `a` and at `b` agree, else 0. */
export function equalTags(a: usize, b: usize): u32 {
  return v128.any_true(v128.xor(v128.load(a), v128.load(b))) ? 0 : 1;
}

/** The same for `n` bytes, a multiple of 4. */
export function equalIcvs(a: usize, b: usize, n: i32): u32 {
  let difference: u32 = 0;
  for (let i = 0; i < n; i += 4) difference |= load<u32>(a + i) ^ load<u32>(b + i);
  return difference ? 0 : 1;
}
