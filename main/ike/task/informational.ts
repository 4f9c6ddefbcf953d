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
//   HDR, SK {N(AUTH_LIFETIME)}  -->                    RFC 4478 §3: authenticate again within that time
//                             <--  HDR, SK {}
import { ProtocolId } from '../../crypto/transform.ts';
import { authLifetimeIn } from '../auth/lifetime.ts';
import type { IkeError } from '../error.ts';
import type { Message } from '../message.ts';
import { isErrorNotify, NotifyType, notifyName } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { payloadsOf } from '../payload/payload.ts';
import { notifiesOf } from '../rules.ts';

export interface InformationalOutcome {
  /** It deletes the IKE SA. */
  readonly deletesIke: boolean;
  /** ESP SPIs that the peer has received with. */
  readonly deletes: readonly number[];
  /** It ends the IKE SA with an error. */
  readonly fatal: IkeError | undefined;
  /** Milliseconds (RFC 4478). */
  readonly authLifetime: number | undefined;
  /** For the log. */
  readonly remarks: readonly string[];
}

export function processInformational(request: Message): InformationalOutcome {
  const deletes = payloadsOf(request.payloads, 'delete');
  const notifies = notifiesOf(request);
  const errors = notifies.filter((n) => isErrorNotify(n.type));
  const fatal = errors.find((n) => isFatal(n.type));
  return {
    deletesIke: deletes.some((payload) => payload.protocol === ProtocolId.IKE),
    deletes: deletes.filter((d) => d.protocol === ProtocolId.ESP).flatMap((d) => d.spis),
    fatal: fatal && errorOfNotify(fatal.type, { exchange: 'INFORMATIONAL' }),
    authLifetime: authLifetimeIn(notifies),
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
