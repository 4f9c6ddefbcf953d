// What AUTH covers of the IKE_INTERMEDIATE exchanges (RFC 9242 §3.3.2). sealed.ts makes the octets of each message.
//
//   IntAuth = IntAuth_iN | IntAuth_rN | IKE_AUTH_MID
//   IntAuth_[i/r]n = prf(SK_p[i/r]n, IntAuth_[i/r](n-1) | the message)
import type { Prf } from '../crypto/prf.ts';
import { concat } from './keymat.ts';
import type { IkeKeys } from './protection.ts';

export class IntAuth {
  readonly #prf: Prf;
  #initiator: Uint8Array = new Uint8Array(0);
  #responder: Uint8Array = new Uint8Array(0);

  constructor(prf: Prf) {
    this.#prf = prf;
  }

  /** One exchange. `keys`: those before it, which its messages are protected with. */
  add(
    keys: Pick<IkeKeys, 'SK_pi' | 'SK_pr'>,
    exchange: { readonly request: Uint8Array; readonly response: Uint8Array },
  ): void {
    this.#initiator = this.#prf.compute(keys.SK_pi, this.#initiator, exchange.request);
    this.#responder = this.#prf.compute(keys.SK_pr, this.#responder, exchange.response);
  }

  /** IntAuth, for the first IKE_AUTH with this message ID. */
  octets(messageId: number): Uint8Array {
    const mid = new Uint8Array(4);
    new DataView(mid.buffer).setUint32(0, messageId);
    return concat(this.#initiator, this.#responder, mid);
  }
}
