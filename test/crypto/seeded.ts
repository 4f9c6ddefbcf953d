import type { RandomBytes } from '../../main/crypto/random.ts';

/** Repeatable bytes (xorshift32): for tests only. */
export function seeded(seed: number): RandomBytes {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state & 0xff;
  };
  return (length) => Uint8Array.from({ length }, next);
}

/** Hands out the given pieces, in order, each asked for at its own length. */
export function scripted(...pieces: readonly Uint8Array[]): RandomBytes {
  const left = [...pieces];
  return (length) => {
    const piece = left.shift();
    if (piece?.length !== length) throw new Error(`asked for ${length} bytes, the script has ${piece?.length}`);
    return piece;
  };
}
