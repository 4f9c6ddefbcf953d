// Notify payloads of a message (RFC 7296 §3.10): the usual ones made, and those of a type found. Errors about one CHILD SA have its
// SPI in them and are made where they are sent.
import { isErrorNotify } from './notify.ts';
import { type Payload, type PayloadOf, payloadsOf } from './payload/payload.ts';

/** About the IKE SA or about nothing in particular: no protocol, no SPI. */
export function notifyOf(type: number, data: Uint8Array = new Uint8Array(0)): Payload {
  return { kind: 'notify', protocol: 0, type, spi: new Uint8Array(0), data };
}

export const notifiesIn = (payloads: readonly Payload[], type: number): readonly PayloadOf<'notify'>[] =>
  payloadsOf(payloads, 'notify').filter((one) => one.type === type);

/** Data of the first notify of that type. */
export const notifiedIn = (payloads: readonly Payload[], type: number): Uint8Array | undefined =>
  payloadsOf(payloads, 'notify').find((one) => one.type === type)?.data;

export const says = (payloads: readonly Payload[], type: number): boolean =>
  payloadsOf(payloads, 'notify').some((one) => one.type === type);

/** The error that a response is; undefined: it is none. */
export const errorNotifyIn = (payloads: readonly Payload[]): PayloadOf<'notify'> | undefined =>
  payloadsOf(payloads, 'notify').find((one) => isErrorNotify(one.type));
