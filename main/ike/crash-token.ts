// Quick crash detection (RFC 6290): a gateway hands out, within an IKE SA, a token that only it can make again from the SA's SPIs and
// a secret that survives its restarts. When it meets a message of an SA that it does not know any more, it shows the token in the
// clear: whoever holds the same token knows at once that the SA is gone, where INVALID_IKE_SPI alone is a hint that anyone can forge.
//
//   IKE_AUTH     HDR, SK {…}            <--  HDR, SK {IDr, AUTH, N(QUICK_CRASH_DETECTION, token), …}
//   later        HDR(unknown), SK {…}   -->
//                                       <--  HDR, N(INVALID_IKE_SPI), N(QUICK_CRASH_DETECTION, token)+
//
// Gateways make tokens, clients take them: a client that has crashed comes back by itself, with INITIAL_CONTACT (§8.1).
import { createHash, timingSafeEqual } from 'node:crypto';
import { ProtocolId } from '../crypto/transform.ts';
import { spiBytes } from './keymat.ts';
import { notifiesIn } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Payload } from './payload/payload.ts';

/** §5: at least, at most. */
const LEAST_TOKEN = 16;
const MOST_TOKEN = 128;
/** Generations of the maker's secret; a taker looks at so many tokens in one message (§4.5, §5.1). */
const MOST_TOKENS = 4;

/** SHA-256(QCD_SECRET | SPI-I | SPI-R) (§5.1). */
export function crashToken(secret: Uint8Array, SPIi: bigint, SPIr: bigint): Uint8Array {
  const hash = createHash('sha256').update(secret).update(spiBytes(SPIi)).update(spiBytes(SPIr));
  return Uint8Array.from(hash.digest());
}

export const crashTokenNotify = (token: Uint8Array): Payload => ({
  kind: 'notify',
  protocol: ProtocolId.IKE,
  type: NotifyType.QUICK_CRASH_DETECTION,
  spi: new Uint8Array(0),
  data: token,
});

/** For an SA that we do not know: one token for each generation of our secret, the newest first. */
export const crashTokenNotifies = (secrets: readonly Uint8Array[], SPIi: bigint, SPIr: bigint): readonly Payload[] =>
  secrets.slice(0, MOST_TOKENS).map((secret) => crashTokenNotify(crashToken(secret, SPIi, SPIr)));

/** The tokens in a message, protected or not. */
export const crashTokensIn = (payloads: readonly Payload[]): readonly Uint8Array[] =>
  notifiesIn(payloads, NotifyType.QUICK_CRASH_DETECTION)
    .map((n) => n.data)
    .filter(({ length }) => length >= LEAST_TOKEN && length <= MOST_TOKEN)
    .slice(0, MOST_TOKENS);

/** The tokens that a peer has given us for one IKE SA, the last few (§5). */
export class CrashTokens {
  #held: readonly Uint8Array[] = [];

  /** From a protected message. */
  take(payloads: readonly Payload[]): void {
    for (const token of crashTokensIn(payloads))
      this.#held = [...this.#held, Uint8Array.from(token)].slice(-MOST_TOKENS);
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Does one of the tokens shown prove that the peer has lost the SA? */
  match(shown: readonly Uint8Array[]): boolean {
    let proven = false;
    for (const held of this.#held)
      for (const token of shown) if (held.length === token.length && timingSafeEqual(held, token)) proven = true;
    return proven;
  }
}
