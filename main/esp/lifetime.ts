// How long one key may be used. Past a hard limit the data plane refuses to go on; before it the SA has to be replaced.
//
// Sequence numbers: an SA must not send more than 2^32 - 1 packets without, or 2^64 - 1 with, extended sequence numbers
// (RFC 4303 §3.3.3). The core stops there by itself; the packet limits below only say so earlier where the cipher asks.
// Bytes: the more blocks one key has encrypted, the easier the AEAD is told from a random function. The bounds are those
// of TLS 1.3 (RFC 8446 §5.5): for AES-GCM 2^24.5 full records of 2^14 bytes keep the advantage under 2^-57; for
// ChaCha20-Poly1305 the sequence number runs out first. AES-CBC and AES-CTR have AES's blocks as well, and the same bound:
// 2^34.5 blocks of 16 bytes collide with a probability under 2^-59.
import type { ChildSa } from '../ike/types.ts';

export interface Lifetime {
  /** Packets and bytes of one SA in one direction; Infinity for none. */
  readonly hardPackets: number;
  readonly hardBytes: number;
}

/** 2^24.5 · 2^14 bytes, rounded down to a whole GiB: 362 GiB. */
const AES_BYTES = 362 * 2 ** 30;

export function lifetimeOf(child: Pick<ChildSa, 'cipher' | 'esn'>): Lifetime {
  const hardPackets = child.esn ? Number.POSITIVE_INFINITY : 2 ** 32 - 1;
  switch (child.cipher) {
    case 'aes-gcm-16':
    case 'aes-cbc':
    case 'aes-ctr':
    case 'null-aes-gmac':
      return { hardPackets, hardBytes: AES_BYTES };
    case 'null':
    case 'chacha20-poly1305':
      return { hardPackets, hardBytes: Number.POSITIVE_INFINITY };
  }
}
