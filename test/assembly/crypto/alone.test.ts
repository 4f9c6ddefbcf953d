// Packets that come alone, or nearly: AES-GCM takes other ways for them (aes-lone.ts, ghash-strides.ts), without the accelerator,
// which would take the long ones; and so does ChaCha20-Poly1305 for short ones (chacha20-rows.ts).
import { createCipheriv } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { NEVER } from '../../../main/core/accelerator.ts';
import { aesGcmSeal, ghash } from '../../reference/aes-gcm.ts';
import { chacha20Block, chacha20Poly1305Seal } from '../../reference/chacha20-poly1305.ts';
import { aeadModule, CIPHERS, type Packet, SCRATCH } from './module.ts';
import { randomness } from './randomness.ts';

const core = aeadModule();
beforeAll(() => core.exports.configureAccelerator(NEVER));

/** Faster to compare than arrays. */
const text = (...parts: Uint8Array[]) => Buffer.concat(parts).toString('hex');

describe.each(CIPHERS)('$name alone', ({ name, id, keyLength }) => {
  const random = randomness(`alone ${name}`);
  const oracle = name === 'chacha20-poly1305' ? chacha20Poly1305Seal : aesGcmSeal;
  const key = random.bytes(keyLength);
  const packet = (length: number, aadLength = 8): Packet => ({
    data: random.bytes(length),
    aad: random.bytes(aadLength),
    nonce: random.bytes(12),
  });
  const node = ({ data, aad, nonce }: Packet) => {
    const cipher = createCipheriv(name as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
    cipher.setAAD(aad, { plaintextLength: data.length });
    return text(cipher.update(data), cipher.final(), cipher.getAuthTag());
  };
  const both = (packets: readonly Packet[], what: string) => {
    const sealed = core.seal(packets);
    expect(
      sealed.map(({ data, tag }) => text(data, tag)),
      what,
    ).toEqual(packets.map(node));
    const opened = core.open(packets.map((plain, i) => ({ ...plain, ...sealed[i]! })));
    expect(
      opened.map(({ ok, data }) => [ok, text(data)]),
      what,
    ).toEqual(packets.map(({ data }) => [1, text(data)]));
  };

  it('agrees with OpenSSL at every length up to where its groups end, and beyond', () => {
    core.install(id, key);
    for (let length = 0; length <= 1560; length++) both([packet(length, [8, 12, 16, 0, 17][length % 5])], `${length}`);
  });

  it('agrees with the slow oracle where groups of eight blocks and rows of sixteen end', () => {
    core.install(id, key);
    for (const length of [
      0, 1, 95, 96, 97, 111, 112, 113, 127, 128, 129, 208, 209, 224, 225, 239, 240, 241, 480, 496, 1519, 1520,
    ]) {
      const plain = packet(length, length % 17);
      const [sealed] = core.seal([plain]);
      expect(text(sealed!.data, sealed!.tag), `${length}`).toBe(text(oracle(key, plain.nonce, plain.aad, plain.data)));
    }
  });

  it('agrees with OpenSSL in batches of 1 to 17 packets, of one length and of many', () => {
    core.install(id, key);
    for (let count = 1; count <= 17; count++) {
      for (const length of [64, 200, 511, 512, 600, 1400, 1520, 1521]) {
        both(
          Array.from({ length: count }, () => packet(length)),
          `${count} of ${length}`,
        );
        const mixed = Array.from({ length: count }, (_, i) => packet(i % 2 ? random.below(1600) : length));
        both(mixed, `${count}, mixed with ${length}`);
      }
    }
  });

  it.each([33, 77, 300, 1400])(
    'refuses a packet of %i bytes with any bit flipped, and leaves it as it came',
    (length) => {
      core.install(id, key);
      const plain = packet(length);
      const [sealed] = core.seal([plain]);
      const good = { ...plain, data: sealed!.data, tag: sealed!.tag };
      for (const part of ['data', 'aad', 'nonce', 'tag'] as const) {
        // Every bit of a short packet, a prime's multiples of a long one.
        for (let bit = 0; bit < 8 * good[part].length; bit += length > 100 ? 13 : 1) {
          const changed = good[part].slice();
          changed[bit >> 3]! ^= 1 << (bit & 7);
          const damaged = { ...good, [part]: changed };
          const [result] = core.open([damaged]);
          expect([result!.ok, text(result!.data)], `${part}, bit ${bit}`).toEqual([0, text(damaged.data)]);
        }
      }
      expect(core.open([good])[0]!.ok).toBe(1);
    },
  );

  // ChaCha20-Poly1305 wipes at once: see below.
  (name === 'chacha20-poly1305' ? () => {} : it)('leaves no keystream in scratch memory when the key is wiped', () => {
    core.install(id, key);
    // Zeros sealed are keystream; in scratch memory it lies row by row (aes.ts).
    const { data } = core.seal([{ ...packet(0), data: new Uint8Array(600) }])[0]!;
    const rows = (block: Uint8Array) => Buffer.from(block.map((_, i) => block[4 * (i & 3) + (i >> 2)]!));
    const memory = Buffer.from(core.bytes.buffer);
    const left = () => [0, 16, 256, 496].map((at) => memory.indexOf(rows(data.slice(at, at + 16))) !== -1);
    expect(left()).toEqual([true, true, true, true]);
    core.forget();
    expect(left()).toEqual([false, false, false, false]);
  });
});

it.each(CIPHERS.filter(({ name }) => name !== 'chacha20-poly1305'))(
  'no byte of scratch memory depends on a key of $name that was wiped',
  ({ id, keyLength }) => {
    // The same packets under two keys, in two instances: alone by both ways of GHASH, and in groups.
    const left = [1, 2].map((n) => {
      const own = aeadModule();
      own.exports.configureAccelerator(NEVER);
      const random = randomness('wiped');
      own.install(id, randomness(`wiped, key ${n}`).bytes(keyLength));
      for (const [count, length] of [
        [1, 77],
        [1, 1391],
        [3, 100],
        [16, 700],
        [17, 1601],
      ] as const) {
        const packets = Array.from({ length: count }, () => ({
          data: random.bytes(length),
          aad: random.bytes(8),
          nonce: random.bytes(12),
        }));
        const sealed = own.seal(packets);
        expect(own.open(packets.map((plain, i) => ({ ...plain, ...sealed[i]! }))).every(({ ok }) => ok)).toBe(true);
      }
      own.forget();
      return Buffer.from(own.bytes.slice(0x40000, 0x100000));
    });
    expect(left[0]!.compare(left[1]!)).toBe(0);
  },
);

it('a short packet alone leaves neither its one-time key nor keystream behind, with ChaCha20-Poly1305', () => {
  const random = randomness('alone, left');
  const [key, nonce] = [random.bytes(32), random.bytes(12)];
  core.install(CIPHERS.find(({ name }) => name === 'chacha20-poly1305')!.id, key);
  // Zeros sealed are keystream.
  const [sealed] = core.seal([{ data: new Uint8Array(100), aad: random.bytes(8), nonce }]);
  const first = Buffer.from(chacha20Block(key, nonce, 1));
  expect(text(sealed!.data.subarray(0, 64))).toBe(text(first));
  const memory = Buffer.from(core.bytes.buffer);
  const packet = memory.indexOf(sealed!.data);
  memory.fill(0, packet, packet + 100);
  const oneTime = Buffer.from(chacha20Block(key, nonce, 0));
  // The ciphertext itself is copied in scratch memory and may stay; behind it, the keystream would go on.
  const second = Buffer.from(chacha20Block(key, nonce, 2));
  for (const secret of [oneTime.subarray(0, 4), oneTime.subarray(16, 32), second.subarray(36, 52)])
    expect(memory.indexOf(secret, 0x40000)).toBe(-1);
});

describe('GHASH in strides', () => {
  const hash = (h: Uint8Array, aad: Uint8Array, data: Uint8Array) => {
    let at = SCRATCH;
    core.bytes.fill(0x5a, SCRATCH, SCRATCH + 0x10000);
    const [H, A, T, out] = [h, aad, data, new Uint8Array(16)].map((part) => {
      const start = at;
      core.bytes.set(part, start);
      at += part.length + 16;
      return start;
    });
    const done = core.exports.ghashStrided(H!, A!, aad.length, T!, data.length, out!);
    return done ? core.bytes.slice(out!, out! + 16) : undefined;
  };

  it('agrees with SP 800-38D at every length that it takes', () => {
    const random = randomness('strides');
    let taken = 0;
    for (let length = 200; length <= 820; length++) {
      const [h, aad, data] = [random.bytes(16), random.bytes(length % 17), random.bytes(length)];
      const own = hash(h, aad, data);
      if (own === undefined) continue;
      taken++;
      expect(text(own), `length ${length}`).toBe(text(ghash(h, aad, data)));
    }
    expect(taken).toBeGreaterThan(580);
  });

  it('multiplies every single bit of H by every single bit of a block', () => {
    for (let bit = 0; bit < 128; bit++) {
      const h = new Uint8Array(16);
      h[bit >> 3] = 0x80 >> (bit & 7);
      const data = new Uint8Array(16 * 50);
      for (let i = 0; i < 50; i++) data[16 * i + (((bit + 7 * i) >> 3) & 15)] = 0x80 >> ((bit + 7 * i) & 7);
      const none = new Uint8Array(0);
      expect(text(hash(h, none, data)!), `bit ${bit}`).toBe(text(ghash(h, none, data)));
    }
  });

  it.each([0x00, 0xff])('keeps its arithmetic with H and text all 0x%i', (value) => {
    const data = new Uint8Array(999).fill(0xff);
    const h = new Uint8Array(16).fill(value);
    expect(hash(h, data.subarray(0, 9), data)).toEqual(ghash(h, data.subarray(0, 9), data));
  });

  it('leaves short texts, and long additional data, to the other way', () => {
    const h = new Uint8Array(16).fill(3);
    expect(hash(h, new Uint8Array(8), new Uint8Array(224))).toBeUndefined();
    const [data, text] = [new Uint8Array(8), new Uint8Array(225)];
    expect(hash(h, data, text)).toEqual(ghash(h, data, text));
    expect(hash(h, new Uint8Array(17), new Uint8Array(1400))).toBeUndefined();
  });
});
