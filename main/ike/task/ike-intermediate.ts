// IKE_INTERMEDIATE, the initiator's side (RFC 9242, RFC 9370 §2.2.2): one for each additional key exchange, in order.
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   HDR, SK {KEi(n)}              -->
//                                  <--  HDR, SK {KEr(n)}
import type { AdditionalKeyExchanges } from '../additional-ke.ts';
import type { Request } from '../exchange.ts';
import { Exchange } from '../message.ts';
import type { Payload } from '../payload/payload.ts';

export class IkeIntermediateTask implements Request {
  readonly kind = 'ike-intermediate';
  readonly exchange = Exchange.IKE_INTERMEDIATE;
  readonly name: string;
  readonly #exchanges: AdditionalKeyExchanges;

  constructor(exchanges: AdditionalKeyExchanges) {
    this.name = `IKE_INTERMEDIATE (${exchanges.next?.name ?? 'nothing'})`;
    this.#exchanges = exchanges;
  }

  /** The same payloads until the answer is accepted. */
  build(): readonly Payload[] {
    return [this.#exchanges.offer()];
  }
}
