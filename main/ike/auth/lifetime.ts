// AUTH_LIFETIME (RFC 4478 §3): how long an authentication is good for. The notification data are seconds, four octets.
import { NotifyType } from '../notify.ts';
import { type Payload, payloadsOf } from '../payload/payload.ts';
import { notifyWith } from './announced.ts';

export function authLifetime(seconds: number): Payload {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, seconds);
  return notifyWith(NotifyType.AUTH_LIFETIME, data);
}

/**
 * Milliseconds within which the peer wants us to authenticate anew, for what it says in IKE_AUTH; undefined: it does not say, or says
 * nonsense, such as that what has just been done is to be done at once.
 */
export function authLifetimeIn(payloads: readonly Payload[]): number | undefined {
  const data = payloadsOf(payloads, 'notify').find((n) => n.type === NotifyType.AUTH_LIFETIME)?.data;
  if (data?.length !== 4) return undefined;
  return new DataView(data.buffer, data.byteOffset).getUint32(0) * 1000 || undefined;
}
