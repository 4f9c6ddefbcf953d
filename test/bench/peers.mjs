// What Culvert's AEADs are compared with, packet by packet as each library offers it, the garbage that this makes included.
// Every peer's first result is compared with OpenSSL's before any figure is believed.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { ChaCha20Poly1305, newInstance } from '@chainsafe/as-chacha20poly1305';
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import libsodium from 'libsodium-wrappers';

await libsodium.ready;
/** Native code, prebuilt for most platforms: left out where it does not load. */
const sodium = await import('sodium-native').then(
  (module) => module.default,
  () => undefined,
);

const AAD_BYTES = 8;

/** `count` packets of `size` bytes, sealed by OpenSSL. */
export function makePackets(cipher, key, size, count) {
  const keyObject = createSecretKey(key);
  return Array.from({ length: count }, () => {
    const [plaintext, aad, nonce] = [randomBytes(size), randomBytes(AAD_BYTES), randomBytes(12)];
    const sealing = createCipheriv(cipher, keyObject, nonce, { authTagLength: 16 });
    sealing.setAAD(aad, { plaintextLength: size });
    const ciphertext = Buffer.concat([sealing.update(plaintext), sealing.final()]);
    const tag = sealing.getAuthTag();
    return { plaintext, aad, nonce, ciphertext, tag, sealed: Buffer.concat([ciphertext, tag]) };
  });
}

/** node:crypto with a KeyObject: a raw key costs more on later versions. */
function node(cipher, key) {
  const keyObject = createSecretKey(key);
  return {
    seal({ plaintext, aad, nonce }) {
      const sealing = createCipheriv(cipher, keyObject, nonce, { authTagLength: 16 });
      sealing.setAAD(aad, { plaintextLength: plaintext.length });
      const ciphertext = sealing.update(plaintext);
      sealing.final();
      return [ciphertext, sealing.getAuthTag()];
    },
    open({ ciphertext, aad, nonce, tag }) {
      const opening = createDecipheriv(cipher, keyObject, nonce, { authTagLength: 16 });
      opening.setAAD(aad, { plaintextLength: ciphertext.length });
      opening.setAuthTag(tag);
      const plaintext = opening.update(ciphertext);
      opening.final();
      return plaintext;
    },
  };
}

function noble(cipher, key) {
  const aead = cipher === 'chacha20-poly1305' ? chacha20poly1305 : gcm;
  return {
    seal: ({ plaintext, aad, nonce }) => [aead(key, nonce, aad).encrypt(plaintext)],
    open: ({ sealed, aad, nonce }) => aead(key, nonce, aad).decrypt(sealed),
  };
}

function chainsafe(key) {
  const aead = new ChaCha20Poly1305(newInstance());
  return {
    seal: ({ plaintext, aad, nonce }) => [aead.seal(key, nonce, plaintext, aad)],
    open: ({ sealed, aad, nonce }) => aead.open(key, nonce, sealed, aad),
  };
}

function libsodiumWrappers(key) {
  return {
    seal({ plaintext, aad, nonce }) {
      const { ciphertext, mac } = libsodium.crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        plaintext,
        aad,
        null,
        nonce,
        key,
      );
      return [ciphertext, mac];
    },
    open: ({ ciphertext, aad, nonce, tag }) =>
      libsodium.crypto_aead_chacha20poly1305_ietf_decrypt_detached(null, ciphertext, tag, aad, nonce, key),
  };
}

/** Into buffers that are used again: its best case. */
function sodiumNative(key, size) {
  const [ciphertext, mac, plaintext] = [Buffer.alloc(size), Buffer.alloc(16), Buffer.alloc(size)];
  return {
    seal({ plaintext, aad, nonce }) {
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt_detached(ciphertext, mac, plaintext, aad, null, nonce, key);
      return [ciphertext, mac];
    },
    open({ ciphertext, aad, nonce, tag }) {
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt_detached(plaintext, null, ciphertext, tag, aad, nonce, key);
      return plaintext;
    },
  };
}

/** [name, { seal, open } of all packets] for every peer that has this cipher. */
export function peers(cipher, key, packets) {
  const chacha = cipher === 'chacha20-poly1305';
  const all = [
    ['node', node(cipher, key)],
    ['noble', noble(cipher, key)],
    ...(chacha ? [['chainsafe', chainsafe(key)]] : []),
    ...(chacha ? [['libsodium', libsodiumWrappers(key)]] : []),
    ...(chacha && sodium ? [['sodium-native', sodiumNative(key, packets[0].plaintext.length)]] : []),
  ];
  return all.map(([name, { seal, open }]) => {
    const [first] = packets;
    if (Buffer.compare(Buffer.concat(seal(first)), first.sealed) !== 0)
      throw new Error(`${name} seals differently from OpenSSL`);
    if (Buffer.compare(open(first), first.plaintext) !== 0) throw new Error(`${name} opens differently from OpenSSL`);
    return [
      name,
      {
        seal() {
          for (const packet of packets) seal(packet);
        },
        open() {
          for (const packet of packets) open(packet);
        },
      },
    ];
  });
}
