// ChaCha20, Poly1305 and their AEAD straight from RFC 8439, Poly1305 over BigInt. Slow; an oracle for tests.

const rotate = (word: number, bits: number) => ((word << bits) | (word >>> (32 - bits))) >>> 0;

/** The block function (§2.3): 64 bytes of keystream. */
export function chacha20Block(key: Uint8Array, nonce: Uint8Array, counter: number): Uint8Array {
  const view = new DataView(Uint8Array.of(...key, ...nonce).buffer);
  const word = (i: number) => view.getUint32(4 * i, true);
  const initial = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
  for (let i = 0; i < 8; i++) initial.push(word(i));
  initial.push(counter, word(8), word(9), word(10));

  const x = Uint32Array.from(initial);
  const step = (a: number, b: number, d: number, bits: number) => {
    x[a]! += x[b]!;
    x[d] = rotate(x[d]! ^ x[a]!, bits);
  };
  const quarterRound = (a: number, b: number, c: number, d: number) => {
    step(a, b, d, 16);
    step(c, d, b, 12);
    step(a, b, d, 8);
    step(c, d, b, 7);
  };
  for (let i = 0; i < 10; i++) {
    for (let column = 0; column < 4; column++) quarterRound(column, column + 4, column + 8, column + 12);
    for (let k = 0; k < 4; k++) quarterRound(k, 4 + ((k + 1) & 3), 8 + ((k + 2) & 3), 12 + ((k + 3) & 3));
  }
  const out = new DataView(new ArrayBuffer(64));
  x.forEach((value, i) => {
    out.setUint32(4 * i, (value + initial[i]!) >>> 0, true);
  });
  return new Uint8Array(out.buffer);
}

/** Encryption (§2.4), `counter` being the first block's. */
export function chacha20(key: Uint8Array, nonce: Uint8Array, counter: number, text: Uint8Array): Uint8Array {
  const out = text.slice();
  for (let at = 0; at < text.length; at += 64) {
    const mask = chacha20Block(key, nonce, counter + at / 64);
    for (let i = at; i < Math.min(at + 64, text.length); i++) out[i]! ^= mask[i - at]!;
  }
  return out;
}

const littleEndian = (bytes: Uint8Array) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** The one-time authenticator (§2.5): `key` is r ‖ s. */
export function poly1305(key: Uint8Array, text: Uint8Array): Uint8Array {
  const p = (1n << 130n) - 5n;
  const r = littleEndian(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let accumulator = 0n;
  for (let at = 0; at < text.length; at += 16) {
    const block = text.subarray(at, at + 16);
    accumulator = ((accumulator + littleEndian(block) + (1n << BigInt(8 * block.length))) * r) % p;
  }
  const tag = accumulator + littleEndian(key.subarray(16, 32));
  return Uint8Array.from({ length: 16 }, (_, i) => Number((tag >> BigInt(8 * i)) & 0xffn));
}

/** AEAD_CHACHA20_POLY1305 (§2.8): ciphertext ‖ tag. */
export function chacha20Poly1305Seal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const ciphertext = chacha20(key, nonce, 1, plaintext);
  const padding = (bytes: Uint8Array) => new Uint8Array((16 - (bytes.length % 16)) % 16);
  const lengths = new DataView(new ArrayBuffer(16));
  lengths.setBigUint64(0, BigInt(aad.length), true);
  lengths.setBigUint64(8, BigInt(ciphertext.length), true);
  const text = Buffer.concat([aad, padding(aad), ciphertext, padding(ciphertext), new Uint8Array(lengths.buffer)]);
  const tag = poly1305(chacha20Block(key, nonce, 0).subarray(0, 32), text);
  return Uint8Array.of(...ciphertext, ...tag);
}
