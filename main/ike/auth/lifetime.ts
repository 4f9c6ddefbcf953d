// AUTH_LIFETIME (RFC 4478 §3): how long an authentication is good for. The notification data are seconds, four octets.

import { notifiedIn } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import type { Payload } from '../payload/payload.ts';
import { notifyWith } from './announced.ts';

export function authLifetime(seconds: number): Payload {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, seconds);
  return notifyWith(NotifyType.AUTH_LIFETIME, data);
}

/** Milliseconds within which the peer wants us to authenticate anew; 0: at once; undefined: it does not say. */
export function authLifetimeIn(payloads: readonly Payload[]): number | undefined {
  const data = notifiedIn(payloads, NotifyType.AUTH_LIFETIME);
  return data?.length === 4 ? new DataView(data.buffer, data.byteOffset).getUint32(0) * 1000 : undefined;
}
