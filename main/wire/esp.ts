// ESP (RFC 4303 §2) as it can be seen without keys. Sealing and opening is the WebAssembly core's.
//
// +---------------------------------------------------------------+
// |               Security Parameters Index (SPI)                 |
// +---------------------------------------------------------------+
// |                      Sequence Number                          |
// +---------------------------------------------------------------+
// ~            IV, ciphertext, integrity check value              ~
// +---------------------------------------------------------------+
import type { WireError } from './error.ts';
import { decode, encode, map, refuse, rest, struct, type TypeOf, u32 } from './field.ts';

/** 0 is for local use and never on the wire (RFC 4303 §2.1). */
const spi = map(
  u32,
  (value) => (value === 0 ? refuse('an SPI other than 0') : value),
  (value) => value,
);

/** `sequence`: the low 32 bits, also with extended sequence numbers. `body`: what is encrypted, IV and ICV included. */
const esp = struct('ESP header', { spi, sequence: u32, body: rest });

export type Esp = TypeOf<typeof esp>;

export const decodeEsp = (input: Uint8Array): Esp | WireError => decode(esp, input);
export const encodeEsp = (packet: Esp): Uint8Array => encode(esp, packet);
