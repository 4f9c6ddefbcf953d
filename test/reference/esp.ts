// The transforms of ESP one packet at a time, with node:crypto and @noble/ciphers, written from the RFCs and not from assembly/:
// what stands between sequence number and the packet's end.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { EspCipher, EspIntegrity } from '../../main/core/api.ts';
import { concat } from './ip.ts';

export interface OracleSa {
  readonly spi: number;
  readonly cipher: EspCipher;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly integrity?: EspIntegrity | undefined;
  readonly integrityKey?: Uint8Array | undefined;
  readonly esn: boolean;
}

export function be32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function be64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

const HMACS: Readonly<Record<EspIntegrity, readonly [hash: string, icv: number]>> = {
  'hmac-sha1-96': ['sha1', 12],
  'hmac-sha2-256-128': ['sha256', 16],
  'hmac-sha2-384-192': ['sha384', 24],
  'hmac-sha2-512-256': ['sha512', 32],
};

/** What is encrypted is padded to a multiple of this: RFC 3602 §2.4; RFC 4303 §2.4. */
export const padTo = (sa: Pick<OracleSa, 'cipher'>): number => (sa.cipher === 'aes-cbc' ? 16 : 4);

export const ivLength = (sa: Pick<OracleSa, 'cipher'>): number =>
  sa.cipher === 'aes-cbc' ? 16 : sa.cipher === 'null' ? 0 : 8;

export const icvLength = (sa: Pick<OracleSa, 'integrity'>): number =>
  sa.integrity === undefined ? 16 : HMACS[sa.integrity][1];

/** RFC 4106 §5, RFC 7634 §2.1, RFC 4543 §3.3: SPI ‖ sequence number, all 64 bits of it with ESN. */
function additional(sa: OracleSa, sequence: bigint): Uint8Array {
  return concat(be32(sa.spi), sa.esn ? be64(sequence) : be32(Number(sequence & 0xffffffffn)));
}

const gcmName = (key: Uint8Array) =>
  key.length === 16 ? 'aes-128-gcm' : key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm';

export function aeadSeal(
  sa: Pick<OracleSa, 'cipher' | 'key'>,
  nonce: Uint8Array,
  aad: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  if (sa.cipher === 'chacha20-poly1305') return chacha20poly1305(sa.key, nonce, aad).encrypt(plain);
  const cipher = createCipheriv(gcmName(sa.key), sa.key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad);
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

function aeadOpen(sa: OracleSa, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  try {
    if (sa.cipher === 'chacha20-poly1305') return chacha20poly1305(sa.key, nonce, aad).decrypt(sealed);
    const cipher = createDecipheriv(gcmName(sa.key), sa.key, nonce, { authTagLength: 16 });
    cipher.setAAD(aad);
    cipher.setAuthTag(sealed.subarray(sealed.length - 16));
    return concat(cipher.update(sealed.subarray(0, sealed.length - 16)), cipher.final());
  } catch {
    return undefined;
  }
}

/** ICV over ESP header, IV and ciphertext, and the upper half of the sequence number with ESN (RFC 4303 §3.3.2.1). */
function mac(sa: OracleSa, sequence: bigint, ivAndText: Uint8Array): Uint8Array {
  const [hash, bytes] = HMACS[sa.integrity ?? 'hmac-sha1-96'];
  const hmac = createHmac(hash, sa.integrityKey ?? new Uint8Array(0));
  hmac.update(be32(sa.spi)).update(be32(Number(sequence & 0xffffffffn)));
  hmac.update(ivAndText);
  if (sa.esn) hmac.update(be32(Number(sequence >> 32n)));
  return Uint8Array.from(hmac.digest().subarray(0, bytes));
}

/** RFC 3686 §4: nonce ‖ IV ‖ 1. */
function ctr(sa: OracleSa, iv: Uint8Array, text: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${sa.key.length * 8}-ctr`, sa.key, concat(sa.salt, iv, be32(1)));
  return Uint8Array.from(cipher.update(text));
}

/** NIST SP 800-38A App. C: an IV that nobody can foresee is an encrypted nonce. Ours: the sequence number, in 128 bits. */
export function cbcIv(sa: Pick<OracleSa, 'key'>, sequence: bigint): Uint8Array {
  const cipher = createCipheriv(`aes-${sa.key.length * 8}-ecb`, sa.key, null).setAutoPadding(false);
  return Uint8Array.from(cipher.update(concat(new Uint8Array(8), be64(sequence))));
}

/** IV ‖ ciphertext ‖ ICV. `counter` is the IV of ciphers that need no more than one that does not repeat. */
export function sealTransform(sa: OracleSa, sequence: bigint, counter: bigint, plain: Uint8Array): Uint8Array {
  const iv = be64(counter);
  const withIcv = (ivAndText: Uint8Array) => concat(ivAndText, mac(sa, sequence, ivAndText));
  switch (sa.cipher) {
    case 'aes-gcm-16':
    case 'chacha20-poly1305':
      return concat(iv, aeadSeal(sa, concat(sa.salt, iv), additional(sa, sequence), plain));
    case 'aes-cbc': {
      const own = cbcIv(sa, counter);
      const cipher = createCipheriv(`aes-${sa.key.length * 8}-cbc`, sa.key, own).setAutoPadding(false);
      return withIcv(concat(own, cipher.update(plain)));
    }
    case 'aes-ctr':
      return withIcv(concat(iv, ctr(sa, iv, plain)));
    case 'null':
      return withIcv(plain);
    case 'null-aes-gmac': {
      // RFC 4543 §3.3: nothing is plaintext, everything is additional data.
      const aad = concat(additional(sa, sequence), iv, plain);
      return concat(iv, plain, aeadSeal(sa, concat(sa.salt, iv), aad, new Uint8Array(0)));
    }
  }
}

/** Reverse of sealTransform: what was encrypted, or undefined where the ICV does not verify. */
export function openTransform(sa: OracleSa, sequence: bigint, sealed: Uint8Array): Uint8Array | undefined {
  const iv = sealed.subarray(0, ivLength(sa));
  const icv = sealed.subarray(sealed.length - icvLength(sa));
  const ivAndText = sealed.subarray(0, sealed.length - icv.length);
  const text = ivAndText.subarray(iv.length);
  const genuine = () => Buffer.compare(mac(sa, sequence, ivAndText), icv) === 0;
  switch (sa.cipher) {
    case 'aes-gcm-16':
    case 'chacha20-poly1305':
      return aeadOpen(sa, concat(sa.salt, iv), additional(sa, sequence), sealed.subarray(iv.length));
    case 'aes-cbc': {
      if (!genuine()) return undefined;
      const cipher = createDecipheriv(`aes-${sa.key.length * 8}-cbc`, sa.key, iv).setAutoPadding(false);
      return Uint8Array.from(cipher.update(text));
    }
    case 'aes-ctr':
      return genuine() ? ctr(sa, iv, text) : undefined;
    case 'null':
      return genuine() ? text : undefined;
    case 'null-aes-gmac': {
      const aad = concat(additional(sa, sequence), ivAndText);
      return aeadOpen(sa, concat(sa.salt, iv), aad, icv) ? text : undefined;
    }
  }
}
