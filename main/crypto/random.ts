// Randomness is handed in, so that a run can be repeated byte for byte in a test.

/** Returns `length` fresh bytes, unpredictable outside tests. */
export type RandomBytes = (length: number) => Uint8Array;
