// How long one key may be used. Past a hard limit the data plane refuses to go on; before it the SA has to be replaced.
//
// Sequence numbers: an SA must not send more than 2^32 - 1 packets without, or 2^64 - 1 with, extended sequence numbers
// (RFC 4303 §3.3.3). The core stops there by itself; the packet limits below only say so earlier where the cipher asks.
// Bytes: the more blocks one key has encrypted, the easier the AEAD is told from a random function. The bounds are those
// of TLS 1.3 (RFC 8446 §5.5): for AES-GCM 2^24.5 full records of 2^14 bytes keep the advantage under 2^-57; for
// ChaCha20-Poly1305 the sequence number runs out first. AES-CBC and AES-CTR have AES's blocks as well, and the same bound:
// 2^34.5 blocks of 16 bytes collide with a probability under 2^-59.
//
// The soft limits, where the SA is to be replaced, lie so far before the hard ones that a slow exchange, repeated until it is
// given up, has the time: 36 GiB take half a minute at 10 Gbit/s. They are drawn anew for each SA, so that both ends seldom
// begin to replace it at once (RFC 7296 §2.8.1).
import type { ChildSa } from '../ike/child-sa.ts';

/** Packets and bytes of one SA in one direction; Infinity for none. */
export interface Lifetime {
  readonly hardPackets: number;
  readonly hardBytes: number;
  readonly softPackets: number;
  readonly softBytes: number;
}

/** What the administrator wants replaced earlier; Infinity, or undefined: nothing. */
export interface Wish {
  readonly packets?: number | undefined;
  readonly bytes?: number | undefined;
}

/** Share of a hard limit at which an SA is replaced at the latest; and the share of any limit by which that may be earlier. */
const SOFT = 0.9;
const JITTER = 0.1;

/** 2^24.5 · 2^14 bytes, rounded down to a whole GiB: 362 GiB. */
const AES_BYTES = 362 * 2 ** 30;

/** Uniform in [0, 1). */
export function chanceOf(random: (length: number) => Uint8Array): number {
  const [a = 0, b = 0] = random(2);
  return (a * 256 + b) / 65_536;
}

/** `chance` in [0, 1): how much earlier than necessary. */
export function lifetimeOf(child: Pick<ChildSa, 'cipher' | 'esn'>, wish: Wish = {}, chance = 0): Lifetime {
  const { hardPackets, hardBytes } = hardLimits(child);
  const share = 1 - JITTER * chance;
  const soft = (hard: number, wanted = Number.POSITIVE_INFINITY) => Math.ceil(Math.min(hard * SOFT, wanted) * share);
  return {
    hardPackets,
    hardBytes,
    softPackets: soft(hardPackets, wish.packets),
    softBytes: soft(hardBytes, wish.bytes),
  };
}

function hardLimits(child: Pick<ChildSa, 'cipher' | 'esn'>): Pick<Lifetime, 'hardPackets' | 'hardBytes'> {
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
