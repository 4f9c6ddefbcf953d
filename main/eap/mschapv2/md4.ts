// MD4 (RFC 1320). Broken as a hash; it is here because MSCHAPv2 keeps passwords as MD4 of their UTF-16 (RFC 2759 §8.3), and
// OpenSSL 3, BoringSSL and @noble/hashes do not have it. No branch or address in it depends on the data.

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

interface Round {
  readonly mix: (x: number, y: number, z: number) => number;
  readonly constant: number;
  /** Which word of the block each step takes. */
  readonly order: readonly number[];
  readonly rotations: readonly [number, number, number, number];
}

/** RFC 1320 §3.4. */
const ROUNDS: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    constant: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    rotations: [3, 7, 11, 19],
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    constant: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    rotations: [3, 5, 9, 13],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    constant: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    rotations: [3, 9, 11, 15],
  },
];

export function md4(message: Uint8Array): Uint8Array {
  // Padding: a one bit, zeros, the length in bits as 64 bits, low byte first (§3.1, §3.2).
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, message.length * 8, true);
  view.setUint32(padded.length - 4, Math.floor(message.length / 2 ** 29), true);

  let state: readonly [number, number, number, number] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d] = state;
    for (const { mix, constant, order, rotations } of ROUNDS)
      order.forEach((word, step) => {
        const sum = (a + mix(b, c, d) + view.getUint32(block + 4 * word, true) + constant) | 0;
        [a, b, c, d] = [d, rotate(sum, rotations[step % 4]!), b, c];
      });
    state = [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0];
  }
  // Passwords go through here.
  padded.fill(0);

  const digest = new Uint8Array(16);
  state.forEach((word, i) => {
    new DataView(digest.buffer).setInt32(4 * i, word, true);
  });
  return digest;
}
