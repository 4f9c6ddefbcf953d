// Puzzle Solution payload (RFC 8019 §8.2): four keys of one size, one behind the other. ../puzzle.ts finds and checks them.
//
// +---------------------------------------------------------------+
// ~                     Puzzle Solution Data                      ~
// +---------------------------------------------------------------+
import { map, refuse, rest, struct, tagged } from '../../wire/field.ts';

const data = map(
  rest,
  (bytes) => (bytes.length > 0 && bytes.length % 4 === 0 ? bytes : refuse('four keys of one size', 'length')),
  (bytes) => {
    if (bytes.length === 0 || bytes.length % 4 !== 0)
      throw new RangeError('a puzzle is solved by four keys of one size');
    return bytes;
  },
);

export const puzzle = tagged('puzzle', struct('PS payload', { data }));
