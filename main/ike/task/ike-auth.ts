// One request of IKE_AUTH: what the conversation (auth/initiator.ts) wants sent.
import type { Request } from '../exchange.ts';
import { Exchange } from '../message.ts';
import type { Payload } from '../payload/payload.ts';

export class IkeAuthTask implements Request {
  readonly kind = 'ike-auth';
  readonly name = 'IKE_AUTH';
  readonly exchange = Exchange.IKE_AUTH;
  readonly #payloads: readonly Payload[];

  constructor(payloads: readonly Payload[]) {
    this.#payloads = payloads;
  }

  build(): readonly Payload[] {
    return this.#payloads;
  }
}
