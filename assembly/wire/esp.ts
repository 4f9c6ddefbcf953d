// Where the fields of an ESP packet with a combined-mode cipher lie (RFC 4303 §2, RFC 4106 §3, RFC 7634 §2).
//
//   |               Security Parameters Index (SPI)                 |
//   |                       Sequence Number                         |
//   |                  Initialization Vector (8)                    |
//   |                  Payload Data (variable)                      |
//   |               |     Padding (0-255 bytes: 1, 2, 3, ...)       |
//   |                               |  Pad Length   | Next Header   |
//   |                 Integrity Check Value (16)                    |
export const ESP_SPI: usize = 0;
export const ESP_SEQUENCE: usize = 4;
export const ESP_IV: usize = 8;
export const ESP_PAYLOAD: u32 = 16;
export const ESP_TRAILER: u32 = 2;
export const ESP_ICV: u32 = 16;
/** Payload, padding and trailer together are a multiple of this (RFC 4303 §2.4). */
export const ESP_ALIGNMENT: u32 = 4;
export const ESP_SHORTEST: u32 = ESP_PAYLOAD + ESP_ALIGNMENT + ESP_ICV;

/** Bytes of ciphertext that `n` payload bytes become, without the ICV. */
// @ts-ignore: decorator
@inline
export function espCiphertext(n: u32): u32 {
  return (n + ESP_TRAILER + ESP_ALIGNMENT - 1) & ~(ESP_ALIGNMENT - 1);
}

/** Writes padding, pad length and next header behind `n` payload bytes at p. */
export function writeTrailer(p: usize, n: u32, next: u32): void {
  const pad = espCiphertext(n) - n - ESP_TRAILER;
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
