// An INFORMATIONAL request of ours that says or asks something by notifies (RFC 7296 §1.4): a redirect (RFC 5685 §5), a request for a
// ticket (RFC 5723 §4.1).
//
//   HDR, SK {N(REDIRECT)}        -->
//                                <--  HDR, SK {}
//   HDR, SK {N(TICKET_REQUEST)}  -->
//                                <--  HDR, SK {N(TICKET_LT_OPAQUE)}
import type { Request } from '../exchange.ts';
import { Exchange } from '../message.ts';
import type { Payload } from '../payload/payload.ts';

export class InformTask implements Request {
  readonly kind = 'inform';
  readonly name: string;
  readonly exchange = Exchange.INFORMATIONAL;
  readonly #payloads: readonly Payload[];

  /** `name`: for the log. */
  constructor(name: string, payloads: readonly Payload[]) {
    this.name = name;
    this.#payloads = payloads;
  }

  build(): readonly Payload[] {
    return this.#payloads;
  }
}
