// Sixteen nibbles looked up at once in a table of one register: the only way a secret ever indexes anything here.

/**
 * table[index] in every byte, for indices 0 … 15; 0 for 128 … 255 (aes-serial.ts). Built with relaxed SIMD this is one instruction,
 * since no one asks what 16 … 127 would give, which is each processor's own; without it V8 spends another to make those zero.
 */
@inline
export function lookup(table: v128, index: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(table, index) : i8x16.swizzle(table, index);
}
