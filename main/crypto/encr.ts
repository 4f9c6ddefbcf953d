// Encryption algorithms of the IKE SA: AES-GCM and ChaCha20-Poly1305 as AEADs (RFC 5282, RFC 7634 §3), and AES-CBC
// (RFC 3602), whose integrity comes from integ.ts. ESP's are in the WebAssembly core.
//
// ChaCha20-Poly1305 comes from @noble/ciphers, since a node:crypto on BoringSSL has no such cipher.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';

export interface Encr {
  /** Transform id, type 1. */
  readonly id: number;
  /** "AES-256-GCM-16". */
  readonly name: string;
  /** Key length in bits where the transform has the attribute. */
  readonly keyLength: number | undefined;
  /** Bytes of SK_ei and SK_er: the key, then for an AEAD the salt (RFC 5282 §7.1). */
  readonly keyBytes: number;
  readonly ivBytes: number;
  /** The plaintext given to `seal` must be a multiple of this. */
  readonly blockBytes: number;
  /** Bytes of the tag that `seal` appends; 0 where an Integ makes the tag. */
  readonly icvBytes: number;
  readonly aead: boolean;
  /** Ciphertext and tag, in new memory. `aad` is not used by a cipher that is no AEAD. */
  seal(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
  /** Plaintext in new memory; undefined where the tag does not verify or the length is impossible. */
  open(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined;
}

const SALT_BYTES = 4;
const ICV_BYTES = 16;

/** Nonce = salt | IV (RFC 5282 §4). */
function nonceOf(key: Uint8Array, iv: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12);
  nonce.set(key.subarray(key.length - SALT_BYTES));
  nonce.set(iv, SALT_BYTES);
  return nonce;
}

const demand = (of: Encr, key: Uint8Array, iv: Uint8Array): void => {
  if (key.length !== of.keyBytes) throw new RangeError(`${of.name} needs ${of.keyBytes} bytes of key and salt`);
  if (iv.length !== of.ivBytes) throw new RangeError(`${of.name} needs an IV of ${of.ivBytes} bytes`);
};

const aesGcm = (bits: 128 | 192 | 256): Encr => ({
  id: 20,
  name: `AES-${bits}-GCM-16`,
  keyLength: bits,
  keyBytes: bits / 8 + SALT_BYTES,
  ivBytes: 8,
  blockBytes: 1,
  icvBytes: ICV_BYTES,
  aead: true,
  seal(key, iv, plaintext, aad) {
    demand(this, key, iv);
    const cipher = createCipheriv(`aes-${bits}-gcm`, key.subarray(0, bits / 8), nonceOf(key, iv), {
      authTagLength: ICV_BYTES,
    });
    cipher.setAAD(aad);
    const sealed = new Uint8Array(plaintext.length + ICV_BYTES);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  },
  open(key, iv, sealed, aad) {
    demand(this, key, iv);
    if (sealed.length < ICV_BYTES) return undefined;
    const decipher = createDecipheriv(`aes-${bits}-gcm`, key.subarray(0, bits / 8), nonceOf(key, iv), {
      authTagLength: ICV_BYTES,
    });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(sealed.length - ICV_BYTES));
    const plaintext = decipher.update(sealed.subarray(0, sealed.length - ICV_BYTES));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      return undefined;
    }
    return Uint8Array.from(plaintext);
  },
});

const chaCha20Poly1305: Encr = {
  id: 28,
  name: 'CHACHA20-POLY1305',
  keyLength: undefined,
  keyBytes: 32 + SALT_BYTES,
  ivBytes: 8,
  blockBytes: 1,
  icvBytes: ICV_BYTES,
  aead: true,
  seal(key, iv, plaintext, aad) {
    demand(this, key, iv);
    return chacha20poly1305(key.subarray(0, 32), nonceOf(key, iv), aad).encrypt(plaintext);
  },
  open(key, iv, sealed, aad) {
    demand(this, key, iv);
    if (sealed.length < ICV_BYTES) return undefined;
    try {
      return chacha20poly1305(key.subarray(0, 32), nonceOf(key, iv), aad).decrypt(sealed);
    } catch {
      return undefined;
    }
  },
};

const aesCbc = (bits: 128 | 192 | 256): Encr => ({
  id: 12,
  name: `AES-${bits}-CBC`,
  keyLength: bits,
  keyBytes: bits / 8,
  ivBytes: 16,
  blockBytes: 16,
  icvBytes: 0,
  aead: false,
  seal(key, iv, plaintext) {
    demand(this, key, iv);
    if (plaintext.length % 16) throw new RangeError(`${plaintext.length} bytes are not whole blocks of AES-CBC`);
    const cipher = createCipheriv(`aes-${bits}-cbc`, key, iv).setAutoPadding(false);
    return Uint8Array.from(cipher.update(plaintext));
  },
  open(key, iv, sealed) {
    demand(this, key, iv);
    if (sealed.length === 0 || sealed.length % 16) return undefined;
    const decipher = createDecipheriv(`aes-${bits}-cbc`, key, iv).setAutoPadding(false);
    return Uint8Array.from(decipher.update(sealed));
  },
});

export const AES_GCM_16_128 = aesGcm(128);
export const AES_GCM_16_192 = aesGcm(192);
export const AES_GCM_16_256 = aesGcm(256);
export const CHACHA20_POLY1305 = chaCha20Poly1305;
export const AES_CBC_128 = aesCbc(128);
export const AES_CBC_192 = aesCbc(192);
export const AES_CBC_256 = aesCbc(256);

export const ENCRS: readonly Encr[] = [
  AES_GCM_16_256,
  AES_GCM_16_192,
  AES_GCM_16_128,
  CHACHA20_POLY1305,
  AES_CBC_256,
  AES_CBC_192,
  AES_CBC_128,
];
