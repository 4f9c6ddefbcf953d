// Byte arrays are compared as bytes. Element by element, as vitest does it, a packet of 1,400 takes milliseconds; that was a third of the
// time of the packet core's tests. What differs is shown as always.
import { expect } from 'vitest';

expect.addEqualityTesters([
  (a: unknown, b: unknown) =>
    isBytes(a) && isBytes(b) && Object.getPrototypeOf(a) === Object.getPrototypeOf(b)
      ? Buffer.compare(a, b) === 0
      : undefined,
]);

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
