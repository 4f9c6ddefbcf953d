// Encrypted payload SK (RFC 7296 §3.14) and Encrypted Fragment payload SKF (RFC 7383 §2.5), as far as they can be read
// without keys. message.ts seals and opens them.
//
// +---------------------------------------------------------------+
// |                     Initialization Vector                     |
// +---------------------------------------------------------------+
// ~                    Encrypted IKE Payloads                     ~   then, where the cipher is no AEAD, padding to whole
// +               +-----------------------------------------------+   blocks and the length of that padding; an AEAD's
// |               |             Padding (0-255 octets)            |   plaintext ends with a padding length too
// +---------------+                               +---------------+
// |                                               |  Pad Length   |
// +-----------------------------------------------+---------------+
// ~                    Integrity Checksum Data                    ~
// +---------------------------------------------------------------+
//
// SKF puts this in front:
// +-------------------------------+-------------------------------+
// |        Fragment Number        |        Total Fragments        |
// +-------------------------------+-------------------------------+
import { map, refuse, rest, struct, tagged, u16 } from '../../wire/field.ts';

export const encrypted = tagged('encrypted', struct('SK payload', { body: rest }));

/** Numbers count from 1 (RFC 7383 §2.5). */
export const fragment = tagged(
  'fragment',
  map(
    struct('SKF payload', { number: u16, total: u16, body: rest }),
    (value) =>
      value.number >= 1 && value.number <= value.total
        ? value
        : refuse(`a fragment number from 1 to ${value.total}, got ${value.number}`),
    (value) => value,
  ),
);
