// An INFORMATIONAL request of the peer (RFC 7296 §1.4): deletes, notifies, or nothing at all, which asks for a sign of life.
//
//   HDR, SK {}                -->
//                             <--  HDR, SK {}
//   HDR, SK {D(ESP: spi…)}    -->                      the sender's inbound SPIs
//                             <--  HDR, SK {D(ESP: the paired SPIs)}
//   HDR, SK {D(IKE)}          -->
//                             <--  HDR, SK {}
//   HDR, SK {N(error)}        -->                      §2.21.2: the SA is gone
//                             <--  HDR, SK {}
import { ProtocolId } from '../../crypto/transform.ts';
import type { IkeError } from '../error.ts';
import type { Message } from '../message.ts';
import { isErrorNotify, NotifyType, notifyName } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { type Payload, payloadsOf } from '../payload/payload.ts';
import { notifiesOf } from '../rules.ts';

/** A CHILD SA without its keys, which only the data plane has. */
export interface ChildPair {
  readonly spiIn: number;
  readonly spiOut: number;
}

export interface InformationalOutcome {
  readonly response: readonly Payload[];
  /** CHILD SAs that the peer has deleted. */
  readonly deleted: readonly ChildPair[];
  /** What becomes of the IKE SA. */
  readonly ike: 'stays' | 'deleted' | IkeError;
  /** For the log. */
  readonly remarks: readonly string[];
}

export function processInformational(request: Message, children: readonly ChildPair[]): InformationalOutcome {
  const deletes = payloadsOf(request.payloads, 'delete');
  if (deletes.some((payload) => payload.protocol === ProtocolId.IKE))
    return { response: [], deleted: [], ike: 'deleted', remarks: [] };

  const named = new Set(deletes.filter((d) => d.protocol === ProtocolId.ESP).flatMap((d) => d.spis));
  const deleted = children.filter((child) => named.has(child.spiOut));
  const errors = notifiesOf(request).filter((n) => isErrorNotify(n.type));
  const fatal = errors.find((n) => isFatal(n.type));
  return {
    // RFC 7296 §1.4.1: the other halves of the pairs, in the response; no payload where there is none of them.
    response:
      deleted.length > 0
        ? [{ kind: 'delete', protocol: ProtocolId.ESP, spis: deleted.map((child) => child.spiIn) }]
        : [],
    deleted,
    ike: fatal ? errorOfNotify(fatal.type, { exchange: 'INFORMATIONAL' }) : 'stays',
    remarks: errors.map((n) => `the peer reports ${notifyName(n.type)}`),
  };
}

/** RFC 7296 §2.21.2: these end the IKE SA without a Delete payload. */
function isFatal(type: number): boolean {
  return (
    type === NotifyType.AUTHENTICATION_FAILED ||
    type === NotifyType.INVALID_SYNTAX ||
    type === NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD
  );
}
