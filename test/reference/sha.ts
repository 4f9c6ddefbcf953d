// SHA-1 and SHA-2 straight from FIPS 180-4, words as BigInt, constants computed from their definition; HMAC from RFC 2104. Slow;
// oracles for tests.

export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

interface Shape {
  /** Bits of a word. */
  readonly w: bigint;
  readonly block: number;
  readonly digest: number;
}
const SHAPES: Readonly<Record<HashName, Shape>> = {
  sha1: { w: 32n, block: 64, digest: 20 },
  sha256: { w: 32n, block: 64, digest: 32 },
  sha384: { w: 64n, block: 128, digest: 48 },
  sha512: { w: 64n, block: 128, digest: 64 },
};

const PRIMES: bigint[] = [];
for (let n = 2n; PRIMES.length < 80; n++) if (PRIMES.every((prime) => n % prime !== 0n)) PRIMES.push(n);

/** The first `bits` bits of the fractional part of the `degree`-th root of n. */
function rootFraction(n: bigint, degree: bigint, bits: bigint): bigint {
  const wanted = n << (degree * bits);
  let low = 0n;
  let high = 1n << (bits + 10n);
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (middle ** degree <= wanted) low = middle;
    else high = middle - 1n;
  }
  return BigInt.asUintN(Number(bits), low);
}

/** §5.1: 1, zeros, and the length in bits; then words. */
function words(message: Uint8Array, { w, block }: Shape): bigint[][] {
  const lengthBytes = block / 8;
  const zeros = (((block - lengthBytes - 1 - message.length) % block) + block) % block;
  const bits = (message.length * 8).toString(16).padStart(lengthBytes * 2, '0');
  const hex = `${Buffer.from(message).toString('hex')}80${'00'.repeat(zeros)}${bits}`;
  const digits = Number(w) / 4;
  const all = Array.from({ length: hex.length / digits }, (_, i) =>
    BigInt(`0x${hex.slice(i * digits, (i + 1) * digits)}`),
  );
  return Array.from({ length: all.length / 16 }, (_, i) => all.slice(16 * i, 16 * i + 16));
}

const ch = (x: bigint, y: bigint, z: bigint) => (x & y) ^ (~x & z);
const maj = (x: bigint, y: bigint, z: bigint) => (x & y) ^ (x & z) ^ (y & z);

/** §6.1.2. */
function sha1Block(H: bigint[], W: bigint[]): bigint[] {
  const u32 = (x: bigint) => BigInt.asUintN(32, x);
  const rotl = (x: bigint, n: bigint) => u32((x << n) | (x >> (32n - n)));
  const schedule = [...W];
  for (let t = 16; t < 80; t++)
    schedule.push(rotl(schedule[t - 3]! ^ schedule[t - 8]! ^ schedule[t - 14]! ^ schedule[t - 16]!, 1n));
  let [a, b, c, d, e] = H as [bigint, bigint, bigint, bigint, bigint];
  schedule.forEach((word, t) => {
    const phase = Math.floor(t / 20);
    const f = [ch, (x: bigint, y: bigint, z: bigint) => x ^ y ^ z, maj, (x: bigint, y: bigint, z: bigint) => x ^ y ^ z][
      phase
    ]!;
    const k = [0x5a827999n, 0x6ed9eba1n, 0x8f1bbcdcn, 0xca62c1d6n][phase]!;
    const T = u32(rotl(a, 5n) + u32(f(b, c, d)) + e + k + word);
    [a, b, c, d, e] = [T, a, rotl(b, 30n), c, d];
  });
  return [a, b, c, d, e].map((value, i) => u32(value + H[i]!));
}

/** §6.2.2, §6.4.2: the same but for the width of a word, the number of rounds and the amounts of the rotations (§4.1). */
function sha2Block(H: bigint[], W: bigint[], w: bigint): bigint[] {
  const uw = (x: bigint) => BigInt.asUintN(Number(w), x);
  const rotr = (x: bigint, n: bigint) => uw((x >> n) | (x << (w - n)));
  const long = w === 64n;
  const [A, B, C, D] = (
    long
      ? [
          [28n, 34n, 39n],
          [14n, 18n, 41n],
          [1n, 8n, 7n],
          [19n, 61n, 6n],
        ]
      : [
          [2n, 13n, 22n],
          [6n, 11n, 25n],
          [7n, 18n, 3n],
          [17n, 19n, 10n],
        ]
  ) as [bigint[], bigint[], bigint[], bigint[]];
  const Sigma = (x: bigint, n: bigint[]) => rotr(x, n[0]!) ^ rotr(x, n[1]!) ^ rotr(x, n[2]!);
  const sigma = (x: bigint, n: bigint[]) => rotr(x, n[0]!) ^ rotr(x, n[1]!) ^ (x >> n[2]!);
  const rounds = long ? 80 : 64;
  const schedule = [...W];
  for (let t = 16; t < rounds; t++)
    schedule.push(uw(sigma(schedule[t - 2]!, D) + schedule[t - 7]! + sigma(schedule[t - 15]!, C) + schedule[t - 16]!));
  let [a, b, c, d, e, f, g, h] = H as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  schedule.forEach((word, t) => {
    const T1 = h + Sigma(e, B) + uw(ch(e, f, g)) + K[long ? 1 : 0]![t]! + word;
    const T2 = Sigma(a, A) + maj(a, b, c);
    [a, b, c, d, e, f, g, h] = [uw(T1 + T2), a, b, c, uw(d + T1), e, f, g];
  });
  return [a, b, c, d, e, f, g, h].map((value, i) => uw(value + H[i]!));
}

/** §4.2.2, §4.2.3. */
const K = [32n, 64n].map((bits) => PRIMES.map((prime) => rootFraction(prime, 3n, bits)));

/** §5.3. SHA-384 begins with the ninth to sixteenth primes. */
function initial(name: HashName): bigint[] {
  if (name === 'sha1') return [0x67452301n, 0xefcdab89n, 0x98badcfen, 0x10325476n, 0xc3d2e1f0n];
  const primes = name === 'sha384' ? PRIMES.slice(8, 16) : PRIMES.slice(0, 8);
  return primes.map((prime) => rootFraction(prime, 2n, SHAPES[name].w));
}

export function sha(name: HashName, message: Uint8Array): Uint8Array {
  const shape = SHAPES[name];
  let H = initial(name);
  for (const W of words(message, shape)) H = name === 'sha1' ? sha1Block(H, W) : sha2Block(H, W, shape.w);
  const hex = H.map((value) => value.toString(16).padStart(Number(shape.w) / 4, '0')).join('');
  return Uint8Array.from(Buffer.from(hex, 'hex').subarray(0, shape.digest));
}

/** H(K + opad ‖ H(K + ipad ‖ text)) (RFC 2104 §2). */
export function hmac(name: HashName, key: Uint8Array, text: Uint8Array): Uint8Array {
  const padded = new Uint8Array(SHAPES[name].block);
  padded.set(key.length > padded.length ? sha(name, key) : key);
  const inner = sha(name, Uint8Array.of(...padded.map((byte) => byte ^ 0x36), ...text));
  return sha(name, Uint8Array.of(...padded.map((byte) => byte ^ 0x5c), ...inner));
}
