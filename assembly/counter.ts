// The counters at COUNTERS: one u64 for every fate a packet may meet. main/core/counters.ts names them.
import { COUNTERS } from './layout';

@inline
export function add(counter: u32, n: u64): void {
  const at: usize = COUNTERS + (counter << 3);
  store<u64>(at, load<u64>(at) + n);
}

@inline
export function count(counter: u32): void {
  add(counter, 1);
}
