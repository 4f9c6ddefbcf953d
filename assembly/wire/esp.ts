// Where the fields of an ESP packet lie (RFC 4303 §2). Lengths of IV and ICV, and the alignment, are the SA's.
//
//   |               Security Parameters Index (SPI)                 |
//   |                       Sequence Number                         |
//   |            Initialization Vector (0, 8 or 16)                 |
//   |                  Payload Data (variable)                      |
//   |               |     Padding (0-255 bytes: 1, 2, 3, ...)       |
//   |                               |  Pad Length   | Next Header   |
//   |              Integrity Check Value (12 to 32)                 |
export const ESP_SPI: usize = 0;
export const ESP_SEQUENCE: usize = 4;
/** The IV begins here, and then the payload. */
export const ESP_HEADER: u32 = 8;
export const ESP_TRAILER: u32 = 2;
/** The shortest packet of any SA: no IV, 4 bytes of ciphertext, an ICV of 12. */
export const ESP_SHORTEST: u32 = 24;

/** Bytes of ciphertext that `n` payload bytes become, without the ICV: a multiple of `alignment`, a power of two. */
@inline
export function espCiphertext(n: u32, alignment: u32): u32 {
  return (n + ESP_TRAILER + alignment - 1) & ~(alignment - 1);
}

/** Writes padding, pad length and next header behind `n` payload bytes at p, `ciphertext` bytes in all. */
export function writeTrailer(p: usize, n: u32, ciphertext: u32, next: u32): void {
  const pad = ciphertext - n - ESP_TRAILER;
  let at = p + n;
  for (let i: u32 = 1; i <= pad; i++, at++) store<u8>(at, <u8>i);
  store<u8>(at, <u8>pad);
  store<u8>(at, <u8>next, 1);
}

/** Length of the payload in the `n` decrypted bytes at p, or -1 where the padding is not 1, 2, 3, … (RFC 4303 §2.4). */
export function readTrailer(p: usize, n: u32): i32 {
  const pad: u32 = load<u8>(p + n - 2);
  if (pad + ESP_TRAILER > n) return -1;
  const length = n - ESP_TRAILER - pad;
  for (let i: u32 = 1; i <= pad; i++) if (load<u8>(p + length + i - 1) != <u8>i) return -1;
  return length;
}
