// Hands out the core's own part of linear memory (HEAP in layout.ts), once, while the instance starts: what asc's static
// data leaves free, from __heap_base up. Nothing is ever given back; there is no allocator on the packet path.
// Linear memory is new, and so all zeros, for each instance: writing zeros would only make all of it resident.
import { HEAP_END } from './layout';

let next: usize = 0;

/** `bytes` zeroed bytes at a multiple of `alignment` (a power of two). Traps where HEAP is too small: a build error. */
export function carve(bytes: usize, alignment: usize = 16): usize {
  if (next == 0) next = __heap_base;
  const at = (next + alignment - 1) & ~(alignment - 1);
  next = at + bytes;
  if (next > <usize>HEAP_END) unreachable();
  return at;
}
