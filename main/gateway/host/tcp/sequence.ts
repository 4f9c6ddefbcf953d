// Arithmetic of TCP sequence numbers, modulo 2^32 (RFC 9293 §3.4).

/** `a` moved on by `n`. */
export function advance(a: number, n: number): number {
  return (a + n) >>> 0;
}

/** How far `a` is ahead of `b`: negative where it is behind. Meaningful below 2^31. */
export function ahead(a: number, b: number): number {
  return (a - b) | 0;
}
