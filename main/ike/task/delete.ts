// Deleting (RFC 7296 §1.4.1): an IKE SA and with it its CHILD SAs, or single CHILD SAs by the SPIs that we receive with.
//
//   HDR, SK {D(IKE)}          -->
//                             <--  HDR, SK {}
//   HDR, SK {D(ESP: spi…)}    -->
//                             <--  HDR, SK {D(ESP: the paired SPIs)}    or {} where both ends delete at once

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

export class DeleteChildTask implements Request {
  readonly kind = 'delete-child';
  readonly name = 'delete of a CHILD SA';
  readonly exchange = Exchange.INFORMATIONAL;
  /** The SPIs that we receive with. */
  readonly spis: readonly number[];

  constructor(spis: readonly number[]) {
    this.spis = spis;
  }

  build(): readonly Payload[] {
    return [{ kind: 'delete', protocol: ProtocolId.ESP, spis: this.spis }];
  }
}
