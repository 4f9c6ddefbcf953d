// Why EAP did not authenticate, for the person in front of it: a closed union of reasons. To IKE it is one IkeError of code
// 'eap'; who knows EAP looks at `reason`. No secret, and nothing of the peer's that was not made harmless, is in a message.
import { IkeError } from '../ike/error.ts';

export type EapReason =
  /** The gateway refused the user name or password. */
  | 'credentials-refused'
  /** The gateway refused the one-time code, or the user name. */
  | 'code-refused'
  | 'password-expired'
  /** Account disabled, outside its hours, or without permission to dial in (RFC 2759 §6: E=646, 647, 649). */
  | 'account-restricted'
  /** The gateway ended EAP without saying why. */
  | 'refused'
  /** It offers only methods that the profile does not allow; `offered` names them. */
  | 'no-common-method'
  /** It does not know the password itself (its MSCHAPv2 answer is wrong), or hides that it does. */
  | 'server-not-authentic'
  /** The TLS server's certificate does not lead to the authority that the profile trusts, or has another name. */
  | 'server-certificate'
  | 'client-certificate'
  /** TLS inside EAP failed otherwise. */
  | 'tls'
  /** A secret would have gone to a gateway that has not proved who it is. */
  | 'gateway-unproven'
  | 'protocol'
  /** The person closed the question, did not answer in time, or there is nobody to ask. */
  | 'prompt-cancelled'
  | 'prompt-timed-out'
  /** What asked is gone, before anybody answered. */
  | 'prompt-withdrawn'
  | 'nobody-to-ask'
  | 'configuration';

export interface EapErrorData {
  readonly reason: EapReason;
  readonly message: string;
  /** Likely cause and what to do. */
  readonly remedy: string;
  /** 'no-common-method': what the gateway asked for, by name ("EAP-SIM", "EAP type 99"). */
  readonly offered?: readonly string[];
}

export class EapError extends IkeError {
  readonly reason: EapReason;
  readonly offered: readonly string[];

  constructor(data: EapErrorData) {
    super({ code: 'eap', message: data.message, remedy: data.remedy, exchange: 'IKE_AUTH' });
    this.reason = data.reason;
    this.offered = data.offered ?? [];
  }
}

/** The gateway's half of the conversation breaks the protocol. */
export function eapProtocol(text: string): EapError {
  return new EapError({
    reason: 'protocol',
    message: `the gateway's EAP makes no sense: ${text}`,
    remedy: 'this is a fault of either program: save the log and report it',
  });
}

export function refusedCredentials(what: 'password' | 'code'): EapError {
  return new EapError({
    reason: what === 'password' ? 'credentials-refused' : 'code-refused',
    message:
      what === 'password'
        ? 'the gateway refused the user name or password'
        : 'the gateway refused the user name or one-time code',
    remedy:
      what === 'password'
        ? 'check the user name and type the password again; after several failures the account may be locked, then ask the administrator'
        : 'wait for a new code and try again; check that the clock of the device that shows the code is right',
  });
}

export function cancelledPrompt(what: 'password' | 'code'): EapError {
  return new EapError({
    reason: 'prompt-cancelled',
    message: `the question for the ${what === 'password' ? 'password' : 'one-time code'} was cancelled`,
    remedy: 'connect again, and answer it',
  });
}

/** Nobody has said no: the connection that asked has ended. */
export function withdrawnPrompt(what: 'password' | 'code'): EapError {
  return new EapError({
    reason: 'prompt-withdrawn',
    message: `the connection that asked for the ${what === 'password' ? 'password' : 'one-time code'} has ended`,
    remedy: 'nothing has to be done: the next one asks anew',
  });
}
