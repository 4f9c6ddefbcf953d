// Deleting an IKE SA, and with it its CHILD SAs (RFC 7296 §1.4.1).
//
//   HDR, SK {D(IKE)}  -->
//                     <--  HDR, SK {}

import { ProtocolId } from '../../crypto/transform.ts';
import type { Request } from '../exchange.ts';
import { Exchange } from '../message.ts';
import type { Payload } from '../payload/payload.ts';

export class DeleteIkeTask implements Request {
  readonly kind = 'delete-ike';
  readonly name = 'delete';
  readonly exchange = Exchange.INFORMATIONAL;

  build(): readonly Payload[] {
    return [{ kind: 'delete', protocol: ProtocolId.IKE, spis: [] }];
  }
}
