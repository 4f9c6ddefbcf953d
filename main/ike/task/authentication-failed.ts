// The initiator's last word to a responder whose AUTH does not verify (RFC 7296 §2.21.2). Nobody waits for the answer.
//
//   HDR, SK {N(AUTHENTICATION_FAILED)}  -->
import type { Request } from '../exchange.ts';
import { Exchange } from '../message.ts';
import { notifyOf } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import type { Payload } from '../payload/payload.ts';

export class AuthenticationFailedTask implements Request {
  readonly kind = 'authentication-failed';
  readonly name = 'AUTHENTICATION_FAILED';
  readonly exchange = Exchange.INFORMATIONAL;

  build(): readonly Payload[] {
    return [notifyOf(NotifyType.AUTHENTICATION_FAILED)];
  }
}
