// RC2 in CBC (RFC 2268), decryption only: old PKCS#12 files hide their certificates, which are public, behind RC2 with 40 bits, and
// OpenSSL 3 leaves it out. Nothing is ever encrypted with it here, and no key is protected by it.

// biome-ignore format: a table
const PITABLE = Uint8Array.from(Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
  'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
  '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
  '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
  '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
  'c5f3db47e5a59c770aa62068fe7fc1ad', 'hex'));

/** RFC 2268 §2: 64 words of 16 bits from the key, of which `effectiveBits` bits count. */
function expand(key: Uint8Array, effectiveBits: number): Uint16Array {
  const bytes = new Uint8Array(128);
  bytes.set(key);
  for (let i = key.length; i < 128; i++) bytes[i] = PITABLE[(bytes[i - 1]! + bytes[i - key.length]!) & 255]!;
  const effective = (effectiveBits + 7) >> 3;
  bytes[128 - effective] = PITABLE[bytes[128 - effective]! & (255 >> (8 * effective - effectiveBits))]!;
  for (let i = 127 - effective; i >= 0; i--) bytes[i] = PITABLE[bytes[i + 1]! ^ bytes[i + effective]!]!;
  return Uint16Array.from({ length: 64 }, (_, i) => bytes[2 * i]! | (bytes[2 * i + 1]! << 8));
}

const ROTATIONS = [1, 2, 3, 5] as const;

/** RFC 2268 §4, one block of four little-endian words in place. */
function decryptBlock(words: Uint16Array, k: Uint16Array): void {
  let j = 63;
  const mix = () => {
    for (let i = 3; i >= 0; i--) {
      const s = ROTATIONS[i]!;
      const rotated = (words[i]! >>> s) | (words[i]! << (16 - s));
      const [a, b, c] = [words[(i + 3) & 3]!, words[(i + 2) & 3]!, words[(i + 1) & 3]!];
      words[i] = rotated - k[j--]! - (a & b) - (~a & c);
    }
  };
  const mash = () => {
    for (let i = 3; i >= 0; i--) words[i] = words[i]! - k[words[(i + 3) & 3]! & 63]!;
  };
  for (const rounds of [5, 6, 5]) {
    for (let round = 0; round < rounds; round++) mix();
    if (j > 0) mash();
  }
}

/** Without removing the padding. `data` has a whole number of blocks of 8 bytes, else undefined. */
export function rc2CbcDecrypt(
  key: Uint8Array,
  effectiveBits: number,
  iv: Uint8Array,
  data: Uint8Array,
): Uint8Array | undefined {
  if (data.length % 8 !== 0 || iv.length !== 8) return undefined;
  const k = expand(key, effectiveBits);
  const plain = new Uint8Array(data.length);
  for (let offset = 0; offset < data.length; offset += 8) {
    const words = Uint16Array.from({ length: 4 }, (_, i) => data[offset + 2 * i]! | (data[offset + 2 * i + 1]! << 8));
    decryptBlock(words, k);
    for (let i = 0; i < 8; i++) {
      const before = offset === 0 ? iv[i]! : data[offset - 8 + i]!;
      plain[offset + i] = ((words[i >> 1]! >>> (8 * (i & 1))) & 255) ^ before;
    }
  }
  k.fill(0);
  return plain;
}
