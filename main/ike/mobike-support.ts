// What is said of MOBIKE in IKE_AUTH (RFC 4555 §3.2, §3.4, §3.9): beside the SA payload, by whoever takes part.
//
//   HDR, SK {IDi, …, SAi2, …, N(MOBIKE_SUPPORTED)}  -->
//                                                   <--  HDR, SK {IDr, …, SAr2, …, N(MOBIKE_SUPPORTED), [N(ADDITIONAL_*_ADDRESS)+]}

import type { InitiatorConfig } from './initiator-config.ts';
import type { MobikeTerms } from './mobike.ts';
import { says } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Payload } from './payload/payload.ts';
import type { ResponderMobike } from './responder-config.ts';
import type { IkeSa } from './sa.ts';
import { additionalAddresses, additionalAddressNotify, mobikeSupported, noNatsAllowed } from './task/path.ts';

/** Ours. We have one address, the one that we send from, so there are none to add; RFC 9329 §6: a TCP connection moves by itself. */
export function mobikeAnnouncements({ mobike }: Pick<InitiatorConfig, 'mobike'>, sa: IkeSa): readonly Payload[] {
  if (!mobike || sa.transport === 'tcp') return [];
  return sa.traversal ? [mobikeSupported()] : [mobikeSupported(), noNatsAllowed(sa.local, sa.remote)];
}

/** The responder's, to who supports it. */
export const mobikeAgreement = ({ additionalAddresses = [] }: ResponderMobike): readonly Payload[] => [
  mobikeSupported(),
  ...additionalAddresses.map(additionalAddressNotify),
];

/** What the peer says of itself; undefined: it does not take part. */
export function mobikeIn(payloads: readonly Payload[], sa: IkeSa): Pick<MobikeTerms, 'peerAddresses'> | undefined {
  if (sa.transport === 'tcp' || !says(payloads, NotifyType.MOBIKE_SUPPORTED)) return undefined;
  return { peerAddresses: additionalAddresses(payloads) ?? [] };
}
