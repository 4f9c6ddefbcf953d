// Why a connection could not be made or was lost, in the form that crosses to people, and whether trying again can help.
import { EapError, type EapReason } from '../eap/error.ts';
import { IkeError, type IkeErrorCode } from '../ike/error.ts';
import type { GatewayName } from '../ike/redirect.ts';
import type { ContractError } from '../ipc/contract.ts';
import { NetError, type NetErrorCode } from '../net/error.ts';

/** Codes of this layer; others are "ike/…" and "net/…" (ike/error.ts, net/error.ts). */
export type SessionCode =
  | 'session/host-not-found'
  | 'session/timed-out'
  | 'session/moved'
  | 'session/gateway-did-not-wait'
  | 'session/no-tunnel-address'
  | 'session/delivery-address'
  | 'session/selectors-too-narrow'
  | 'session/carries-gre-only'
  | 'session/too-many-selectors'
  | 'session/deleted-by-gateway'
  | 'session/redirected'
  | 'session/closed'
  | 'session/stream-closed'
  | 'session/worker-died'
  | 'session/key-used-up'
  | 'session/data-plane'
  | 'session/path-too-small'
  | 'session/internal';

export interface Failure {
  readonly error: ContractError;
  /** The same attempt would fail again: somebody has to change something first. Ends a tunnel only before it was ever up. */
  readonly permanent: boolean;
  /** The gateway sends us to another one (RFC 5685). */
  readonly redirect?: GatewayName | undefined;
}

/** A failure on its way up through asynchronous set-up code. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.error.message);
    this.failure = failure;
  }
}

export function sessionFailure(
  code: SessionCode,
  message: string,
  remedy: string,
  options: { readonly permanent?: boolean; readonly data?: ContractError['data'] } = {},
): Failure {
  const { permanent = false, data } = options;
  return { error: { code, message, remedy, ...(data ? { data } : {}) }, permanent };
}

const PERMANENT_IKE: Readonly<Record<IkeErrorCode, boolean>> = {
  'no-response': false,
  protocol: false,
  'no-ike-proposal': true,
  'no-child-proposal': true,
  'refused-by-peer': true,
  'peer-not-authentic': true,
  'peer-identity-mismatch': true,
  'authentication-mismatch': true,
  eap: true,
  'traffic-selectors': true,
  // A pool that is empty now may have an address later.
  'no-address': false,
  'mode-refused': true,
  'peer-error': false,
  'data-plane': false,
  configuration: true,
};

const PERMANENT_NET: Readonly<Record<NetErrorCode, boolean>> = {
  'no-permission': true,
  'no-tun-device': true,
  'name-taken': true,
  'address-in-use': false,
  unreachable: false,
  'command-failed': false,
  'command-missing': true,
  unsupported: true,
  'system-call': false,
};

/** Asking a gateway again with what it has refused locks accounts. */
const PERMANENT_EAP: Readonly<Record<EapReason, boolean>> = {
  'credentials-refused': true,
  'code-refused': true,
  'password-expired': true,
  'account-restricted': true,
  refused: true,
  'no-common-method': true,
  'server-not-authentic': true,
  'server-certificate': true,
  'client-certificate': true,
  tls: true,
  'gateway-unproven': true,
  protocol: false,
  'prompt-cancelled': true,
  'prompt-timed-out': true,
  'prompt-withdrawn': false,
  'nobody-to-ask': true,
  configuration: true,
};

/** Anything that was thrown or reported, as a failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SessionError) return error.failure;
  if (error instanceof EapError) {
    const data = error.offered.length > 0 ? { offered: error.offered.join(', ') } : undefined;
    return {
      error: { code: `eap/${error.reason}`, message: error.message, remedy: error.remedy, ...(data ? { data } : {}) },
      permanent: PERMANENT_EAP[error.reason],
    };
  }
  if (error instanceof IkeError) {
    const data = {
      ...(error.exchange ? { exchange: error.exchange } : {}),
      ...(error.notify ? { notify: error.notify.name, notifyType: error.notify.type } : {}),
      // "offered.encryption", "accepted.key-exchange", …: ipc/error.ts puts them side by side.
      ...prefixed('offered', error.disagreement?.offered),
      ...prefixed('accepted', error.disagreement?.accepted),
    };
    return {
      error: { code: `ike/${error.code}`, message: error.message, remedy: error.remedy, data },
      permanent: PERMANENT_IKE[error.code],
    };
  }
  if (error instanceof NetError) {
    const data = { operation: error.operation, ...(error.errno ? { errno: error.errno } : {}) };
    return {
      error: { code: `net/${error.code}`, message: error.message, remedy: error.remedy, data },
      permanent: PERMANENT_NET[error.code],
    };
  }
  return sessionFailure(
    'session/internal',
    `Something in Culvert itself went wrong: ${reasonText(error)}`,
    'Try again. If it happens again, report it with the output of `culvert logs`.',
  );
}

const prefixed = (side: string, of: object | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(of ?? {}).map(([kind, words]) => [`${side}.${kind}`, String(words)]));

/** The message of whatever was thrown. */
export function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
