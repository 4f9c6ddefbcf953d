// Nonce payload (RFC 7296 §3.9): 16 to 256 bytes.
//
// +---------------------------------------------------------------+
// ~                            Nonce Data                         ~
// +---------------------------------------------------------------+
import { map, refuse, rest, struct, tagged } from '../../wire/field.ts';

const data = map(
  rest,
  (bytes) => (bytes.length >= 16 && bytes.length <= 256 ? bytes : refuse('16 to 256 bytes of nonce', 'length')),
  (bytes) => {
    if (bytes.length < 16 || bytes.length > 256) throw new RangeError('a nonce has 16 to 256 bytes');
    return bytes;
  },
);

export const nonce = tagged('nonce', struct('NONCE payload', { data }));
