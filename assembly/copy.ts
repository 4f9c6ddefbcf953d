// Copies packets from IN to OUT. An inner packet is short, so the call into the engine's memmove would cost more than the
// copying; never a byte beyond the end, so neighbours may be packed tightly.

/** Copies `n` bytes between places that do not overlap. */
export function copy(target: usize, source: usize, n: usize): void {
  if (n >= 16) {
    const last = n - 16;
    let i: usize = 0;
    for (; i + 48 <= last; i += 64) {
      const a = v128.load(source + i);
      const b = v128.load(source + i, 16);
      const c = v128.load(source + i, 32);
      const d = v128.load(source + i, 48);
      v128.store(target + i, a);
      v128.store(target + i, b, 16);
      v128.store(target + i, c, 32);
      v128.store(target + i, d, 48);
    }
    for (; i < last; i += 16) v128.store(target + i, v128.load(source + i));
    v128.store(target + last, v128.load(source + last));
    return;
  }
  if (n & 8) {
    store<u64>(target, load<u64>(source));
    target += 8;
    source += 8;
  }
  if (n & 4) {
    store<u32>(target, load<u32>(source));
    target += 4;
    source += 4;
  }
  if (n & 2) {
    store<u16>(target, load<u16>(source));
    target += 2;
    source += 2;
  }
  if (n & 1) store<u8>(target, load<u8>(source));
}
