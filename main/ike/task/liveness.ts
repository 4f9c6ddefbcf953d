// A liveness check (RFC 7296 §2.4): an empty INFORMATIONAL request, which any living peer answers.
//
//   HDR, SK {}  -->
//               <--  HDR, SK {}
import type { Request } from '../exchange.ts';
import { Exchange } from '../message.ts';
import type { Payload } from '../payload/payload.ts';

export class LivenessTask implements Request {
  readonly kind = 'liveness';
  readonly name = 'liveness check';
  readonly exchange = Exchange.INFORMATIONAL;

  build(): readonly Payload[] {
    return [];
  }
}
