// Seeded randomness: the same seed gives the same run, byte for byte.
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../main/crypto/random.ts';

/** SHA-256 in counter mode. */
export function seededBytes(seed: string): RandomBytes {
  let counter = 0;
  return (length) => {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 32)
      out.set(
        createHash('sha256')
          .update(`${seed}/${counter++}`)
          .digest()
          .subarray(0, length - at),
        at,
      );
    return out;
  };
}

/** Numbers from 0 (inclusive) to 1 (exclusive): mulberry32. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
