import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { describe, expect, it } from 'vitest';
import { aesGcmSeal } from '../../reference/aes-gcm.ts';
import { chacha20Block, chacha20Poly1305Seal } from '../../reference/chacha20-poly1305.ts';
import { aeadModule, CIPHERS, type CipherName, type Packet } from './module.ts';
import { randomness } from './randomness.ts';

interface Vector {
  section?: string;
  case?: number;
  key: string;
  nonce: string;
  aad: string;
  plaintext: string;
  ciphertext: string;
  tag: string;
}
const vectors = (name: string) =>
  (JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')) as { aead: Vector[] }).aead;
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));

const core = aeadModule();
const oracle = (name: CipherName) => (name === 'chacha20-poly1305' ? chacha20Poly1305Seal : aesGcmSeal);

/** ciphertext ‖ tag, from OpenSSL. */
function nodeSeal(name: CipherName, key: Uint8Array, { nonce, aad, data }: Packet): Uint8Array {
  const options = { authTagLength: 16 };
  const cipher =
    name === 'chacha20-poly1305'
      ? createCipheriv(name, key, nonce, options)
      : createCipheriv(name, key, nonce, options);
  cipher.setAAD(aad, { plaintextLength: data.length });
  return new Uint8Array(Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]));
}

function nobleSeal(name: CipherName, key: Uint8Array, { nonce, aad, data }: Packet): Uint8Array {
  return (name === 'chacha20-poly1305' ? chacha20poly1305 : gcm)(key, nonce, aad).encrypt(data);
}

const joined = (result: { data: Uint8Array; tag: Uint8Array }) =>
  new Uint8Array(Buffer.concat([result.data, result.tag]));
/** Thousands of packets compare faster as text than as arrays. */
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe.each(CIPHERS)('$name', ({ name, id, keyLength }) => {
  const random = randomness(name);
  const packet = (length: number, aadLength = 8): Packet => ({
    data: random.bytes(length),
    aad: random.bytes(aadLength),
    nonce: random.bytes(12),
  });

  const published = vectors(name === 'chacha20-poly1305' ? name : 'aes-gcm').filter(
    (vector) => vector.key.length === 2 * keyLength,
  );
  it.each(published)('published: $section$case', (vector) => {
    const { key, nonce, aad, plaintext, ciphertext, tag } = vector;
    core.install(id, hex(key));
    const [sealed] = core.seal([{ data: hex(plaintext), aad: hex(aad), nonce: hex(nonce) }]);
    expect(Buffer.from(sealed!.data).toString('hex')).toBe(ciphertext);
    expect(Buffer.from(sealed!.tag).toString('hex')).toBe(tag);
    expect(oracle(name)(hex(key), hex(nonce), hex(aad), hex(plaintext))).toEqual(hex(ciphertext + tag));
    const [opened] = core.open([{ data: hex(ciphertext), aad: hex(aad), nonce: hex(nonce), tag: hex(tag) }]);
    expect(opened).toEqual({ ok: 1, data: hex(plaintext), tag: hex(tag) });
  });

  it('seals and opens by itself what an accelerator declined, then and later', () => {
    const key = random.bytes(keyLength);
    const plain = Array.from({ length: 70 }, (_, i) => packet((i * 37) % 1500));
    core.install(id, key);
    core.disappoint();
    for (const attempt of ['declined', 'later']) {
      const sealed = core.seal(plain);
      sealed.forEach((result, i) => {
        expect(text(joined(result)), `${attempt}, packet ${i}`).toBe(text(nodeSeal(name, key, plain[i]!)));
      });
      if (attempt === 'declined') core.disappoint();
      const opened = core.open(plain.map((p, i) => ({ ...p, ...sealed[i]! })));
      opened.forEach((result, i) => {
        expect([result.ok, text(result.data)], `${attempt}, packet ${i}`).toEqual([1, text(plain[i]!.data)]);
      });
    }
    core.restore();
  });

  it('leaves nothing of what it made in place of an accelerator when the key is wiped', () => {
    // 3, 8 and 9 blocks with J0; AES is done eight at a time, and what lies behind them is encrypted as well.
    for (const length of [17, 112, 128]) {
      core.install(id, random.bytes(keyLength));
      core.disappoint();
      core.seal([packet(length)]);
      const region = core.exports.acceleratorRegion();
      const left = core.bytes.subarray(region, region + 16 * 64);
      if (name.startsWith('aes')) expect(left.some((byte) => byte !== 0)).toBe(true);
      core.forget();
      expect(
        left.findIndex((byte) => byte !== 0),
        `length ${length}`,
      ).toBe(-1);
    }
    core.restore();
  });

  it('agrees with OpenSSL and noble at every length from 0 to 300, and large ones, one by one', () => {
    for (const length of [...Array(301).keys(), 1400, 1500, 4048, 4064, 4065, 4096, 8192, 65535]) {
      const key = random.bytes(keyLength);
      const plain = packet(length, [8, 12, 0, 1, 16, 33][length % 6]);
      core.install(id, key);
      const [sealed] = core.seal([plain]);
      const expected = nodeSeal(name, key, plain);
      expect(joined(sealed!), `length ${length}`).toEqual(expected);
      if (length % 7 === 0) expect(nobleSeal(name, key, plain)).toEqual(expected);
      const [opened] = core.open([{ ...plain, ...sealed! }]);
      expect(opened!.ok, `length ${length}`).toBe(1);
      expect(opened!.data).toEqual(plain.data);
    }
  });

  it('agrees with the slow oracle', () => {
    for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300, 576]) {
      const key = random.bytes(keyLength);
      const plain = packet(length, length % 21);
      core.install(id, key);
      const expected = oracle(name)(key, plain.nonce, plain.aad, plain.data);
      expect(joined(core.seal([plain])[0]!), `length ${length}`).toEqual(expected);
    }
  });

  it('seals and opens batches of 0 to 65 packets of mixed lengths as it does single ones', () => {
    const key = random.bytes(keyLength);
    core.install(id, key);
    for (let count = 0; count <= 65; count++) {
      const longest = [64, 200, 1500, 300][count % 4]!;
      const same = count % 3 === 0;
      const packets = Array.from({ length: count }, () =>
        packet(same ? longest : random.below(longest), 8 + 4 * (count & 1)),
      );
      const sealed = core.seal(packets);
      const expected = packets.map((plain) => text(nodeSeal(name, key, plain)));
      expect(
        sealed.map((result) => text(joined(result))),
        `${count} packets`,
      ).toEqual(expected);

      // Every third packet is damaged, in a batch with good ones.
      const arriving = packets.map((plain, i) => {
        const { data, tag } = sealed[i]!;
        if (i % 3 === 2) tag[i % 16]! ^= 1 << (i % 8);
        return { ...plain, data, tag };
      });
      const opened = core.open(arriving);
      opened.forEach((result, i) => {
        const good = i % 3 !== 2;
        expect(result.ok, `packet ${i} of ${count}`).toBe(good ? 1 : 0);
        const data = good ? packets[i]!.data : arriving[i]!.data;
        expect(text(result.data), `packet ${i} of ${count}`).toBe(text(data));
      });
    }
  });

  it('takes batches far larger than its inner ones, long and empty packets mixed', () => {
    const key = random.bytes(keyLength);
    core.install(id, key);
    const packets = Array.from({ length: 300 }, (_, i) => packet(i % 50 === 7 ? 9000 : [0, 1, 40, 576, 1400][i % 5]!));
    const sealed = core.seal(packets);
    packets.forEach((plain, i) => {
      expect(text(joined(sealed[i]!)), `packet ${i}`).toBe(text(nodeSeal(name, key, plain)));
    });
    const opened = core.open(packets.map((plain, i) => ({ ...plain, ...sealed[i]! })));
    expect(opened.map((result) => result.ok)).toEqual(packets.map(() => 1));
    expect(opened.map((result) => text(result.data))).toEqual(packets.map((plain) => text(plain.data)));
  });

  it('refuses every single flipped bit and leaves the data as it arrived', () => {
    core.install(id, random.bytes(keyLength));
    const plain = packet(77);
    const [sealed] = core.seal([plain]);
    const good = { ...plain, data: sealed!.data, tag: sealed!.tag };
    for (const part of ['data', 'aad', 'nonce', 'tag'] as const) {
      const damaged: Packet[] = [];
      for (let bit = 0; bit < 8 * good[part].length; bit++) {
        const changed = good[part].slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        damaged.push({ ...good, [part]: changed });
      }
      core.open(damaged).forEach((result, bit) => {
        expect(result.ok, `${part} bit ${bit}`).toBe(0);
        expect(result.data, `${part} bit ${bit}`).toEqual(damaged[bit]!.data);
      });
    }
    expect(core.open([good])[0]).toMatchObject({ ok: 1, data: plain.data });
  });

  it('refuses data or aad that are a byte shorter or longer', () => {
    core.install(id, random.bytes(keyLength));
    const plain = packet(48);
    const [sealed] = core.seal([plain]);
    const good = { ...plain, data: sealed!.data, tag: sealed!.tag };
    const others = [
      { ...good, data: good.data.subarray(0, 47) },
      { ...good, data: Uint8Array.of(...good.data, 0) },
      { ...good, aad: good.aad.subarray(0, 7) },
      { ...good, aad: Uint8Array.of(...good.aad, 0) },
      { ...good, data: Uint8Array.of(...good.data, ...new Uint8Array(16)) },
    ];
    expect(core.open(others).map((result) => result.ok)).toEqual([0, 0, 0, 0, 0]);
    expect(core.open([good])[0]!.ok).toBe(1);
  });

  it('forgets the key when wiped', () => {
    core.install(id, random.bytes(keyLength));
    expect(core.context().some((byte) => byte !== 0)).toBe(true);
    core.wipe();
    expect(core.context().every((byte) => byte === 0)).toBe(true);
  });

  it('leaves no key in its scratch memory after an installation and a wipe', () => {
    const key = random.bytes(keyLength);
    core.install(id, key);
    core.wipe();
    const memory = Buffer.from(core.bytes.buffer);
    for (let at = 0; at < keyLength; at += 8) expect(memory.indexOf(key.subarray(at, at + 8))).toBe(-1);
  });
});

describe('what ChaCha20-Poly1305 leaves in memory', () => {
  const random = randomness('chacha20-poly1305, left');
  const key = random.bytes(32);
  const nonce = random.bytes(12);
  // A packet alone makes its key and blocks 1 to 7 first, then 8 to 15, then 16 to 22.
  const plain: Packet = { data: new Uint8Array(1400), aad: random.bytes(8), nonce };
  const block = (counter: number) => Buffer.from(chacha20Block(key, nonce, counter));

  /** Word `i` of the state of blocks 16 to 19 before the key and the counter were added: that and the keystream give the key. */
  function stateRow(i: number): Buffer {
    const added = [...Buffer.from('expand 32-byte k'), ...key];
    const row = Buffer.alloc(16);
    for (let lane = 0; lane < 4; lane++)
      row.writeUInt32LE(
        (block(16 + lane).readUInt32LE(4 * i) - Buffer.from(added).readUInt32LE(4 * i)) >>> 0,
        4 * lane,
      );
    return row;
  }

  it('is wiped: one-time keys at once, keystream and state with the SA', () => {
    const oneTime = [block(0).subarray(0, 16), block(0).subarray(16, 32)];
    const keystream = [7, 16, 20].map((counter) => block(counter).subarray(0, 16));
    const later: Buffer[] = [...keystream, ...[0, 4, 11].map(stateRow)];
    core.install(CIPHERS.find(({ name }) => name === 'chacha20-poly1305')!.id, key);
    const [sealed] = core.seal([plain]);
    // Zeros were sealed, so the packet itself is keystream: look everywhere else.
    expect(text(sealed!.data.subarray(0, 64))).toBe(text(block(1)));
    const memory = Buffer.from(core.bytes.buffer);
    const packet = memory.indexOf(sealed!.data);
    memory.fill(0, packet, packet + 1400);
    // r stands in limbs while it is used.
    for (const secret of oneTime) expect(memory.indexOf(secret.subarray(0, 4), 0x40000), 'one-time key').toBe(-1);
    for (const secret of later) expect(memory.indexOf(secret), 'before').not.toBe(-1);
    core.forget();
    for (const secret of later) expect(memory.indexOf(secret), 'after').toBe(-1);
  });
});
