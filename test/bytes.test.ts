// The comparison that test/bytes.ts brings into every test.
import { expect, it } from 'vitest';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

it('tells byte arrays apart by content and length, at any depth', () => {
  expect(bytes(1, 2, 3)).toEqual(bytes(1, 2, 3));
  expect({ list: [bytes(1), bytes()] }).toEqual({ list: [bytes(1), bytes()] });
  expect({ list: [bytes(1), bytes()] }).toStrictEqual({ list: [bytes(1), bytes()] });
  expect(bytes(1, 2, 3)).not.toEqual(bytes(1, 2, 4));
  expect(bytes(1, 2, 3)).not.toEqual(bytes(1, 2));
  expect(bytes()).not.toEqual(bytes(0));
  expect({ list: [bytes(1)] }).not.toEqual({ list: [bytes(2)] });
});

it('compares views by what they show', () => {
  expect(bytes(9, 1, 2, 9).subarray(1, 3)).toEqual(bytes(1, 2));
  expect(bytes(9, 1, 2, 9).subarray(1, 3)).not.toEqual(bytes(9, 1));
});

it('leaves everything else as it was', () => {
  expect([1, 2]).not.toEqual(bytes(1, 2));
  expect(bytes(1, 2)).not.toEqual([1, 2]);
  expect(Uint16Array.of(1, 2)).toEqual(Uint16Array.of(1, 2));
  expect(Uint16Array.of(1, 2)).not.toEqual(Uint16Array.of(1, 3));
  expect({ bytes: bytes(1), more: 1 }).not.toEqual({ bytes: bytes(1), more: 2 });
});
