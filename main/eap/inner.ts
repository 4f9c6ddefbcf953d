// The conversation that goes through a tunnel: a profile's `inner` list as EAP methods, in order.
import type { EapInnerName, EapMethodName } from './types.ts';

const EAP_INSIDE: Readonly<Record<EapInnerName, EapMethodName | undefined>> = {
  pap: undefined,
  mschapv2: undefined,
  'eap-mschapv2': 'mschapv2',
  'eap-gtc': 'gtc',
  'eap-otp': 'otp',
  'eap-md5': 'md5',
  'eap-tls': 'tls',
};

/** Where a profile says nothing. A server that wants another says so. */
export const DEFAULT_INNER: readonly EapInnerName[] = ['eap-mschapv2', 'eap-gtc'];

/** Those of the list that are EAP; TTLS's own attributes are none. */
export const eapInside = (inner: readonly EapInnerName[]): readonly EapMethodName[] =>
  inner.flatMap((name) => EAP_INSIDE[name] ?? []);
