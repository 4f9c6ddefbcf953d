// Fresh SPIs of ours: IKE SAs (RFC 7296 §3.1) and CHILD SAs (RFC 4303 §2.1).
import type { RandomBytes } from '../crypto/random.ts';

/** An IKE SPI: 8 random bytes, not zero (RFC 7296 §3.1). */
export function randomSpi(random: RandomBytes): bigint {
  for (;;) {
    const bytes = random(8);
    const spi = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
    if (spi !== 0n) return spi;
  }
}

/** An ESP SPI: 4 random bytes; 0 to 255 are reserved (RFC 4303 §2.1). */
export function randomChildSpi(random: RandomBytes): number {
  for (;;) {
    const bytes = random(4);
    const spi = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (spi > 255) return spi;
  }
}
