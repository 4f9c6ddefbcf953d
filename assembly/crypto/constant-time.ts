// Comparison of tags whose time says nothing about where they differ.

/** 1 where the 16 bytes at `a` and at `b` agree, else 0. */
export function equalTags(a: usize, b: usize): u32 {
  return v128.any_true(v128.xor(v128.load(a), v128.load(b))) ? 0 : 1;
}
