// A CREATE_CHILD_SA request of the peer (RFC 7296 §1.3). We make one CHILD SA, in IKE_AUTH, and rekey nothing yet: the refusal is
// the one that §1.3 and §4 provide for such an end.
//
//   HDR, SK {[N(REKEY_SA)], SA, Ni, [KEi], [TSi, TSr]}  -->
//                             <--  HDR, SK {N(NO_ADDITIONAL_SAS)}
//                             <--  HDR, SK {N(CHILD_SA_NOT_FOUND)}    §2.25: REKEY_SA names an SA that does not exist
import { ProtocolId } from '../../crypto/transform.ts';
import type { Message } from '../message.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadsOf } from '../payload/payload.ts';
import { childSpi, statusNotify } from './child.ts';
import type { ChildPair } from './informational.ts';

export function refuseCreateChild(request: Message, children: readonly ChildPair[]): readonly Payload[] {
  const rekey = payloadsOf(request.payloads, 'notify').find((n) => n.type === NotifyType.REKEY_SA);
  // The SPI in REKEY_SA is the one that the sender receives with (RFC 7296 §1.3.3).
  const unknown =
    rekey?.protocol === ProtocolId.ESP &&
    rekey.spi.length === 4 &&
    !children.some((child) => child.spiOut === childSpi(rekey.spi));
  if (!unknown) return [statusNotify(NotifyType.NO_ADDITIONAL_SAS)];
  const { protocol, spi } = rekey;
  return [{ kind: 'notify', protocol, spi, type: NotifyType.CHILD_SA_NOT_FOUND, data: new Uint8Array(0) }];
}
