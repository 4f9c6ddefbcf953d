// Where an IKE SA goes on once IKE_SA_INIT, or IKE_SESSION_RESUME, has shown which NATs there are.

import type { Endpoint } from '../../wire/address.ts';
import type { Encapsulation } from '../../wire/encapsulation.ts';
import type { InitiatorConfig } from '../initiator-config.ts';
import type { NatSituation } from '../nat.ts';
import type { Transport } from '../transport.ts';

export interface Place {
  readonly encapsulation: Encapsulation;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly transport: Transport;
}

export function placeOf(
  config: InitiatorConfig,
  { nat, traversal }: { readonly nat: NatSituation; readonly traversal: boolean },
): Place {
  const { local, localNatt, remote, remoteNattPort, encapsulation, mobike } = config;
  // RFC 9329 §6.5: a NAT changes nothing about the encapsulation.
  if (encapsulation === 'tcp') return { encapsulation, local, remote, transport: 'tcp' };
  const natt = {
    local: localNatt,
    remote: { address: remote.address, port: remoteNattPort },
    transport: 'natt',
  } as const;
  // RFC 7296 §2.23: with a NAT, everything from here on goes over UDP 4500.
  if (encapsulation === 'udp' || nat.local || nat.remote) return { encapsulation: 'udp', ...natt };
  // RFC 4555 §3.3: IKE does so without one, too, so that no port changes once there is one.
  if (mobike && traversal) return { encapsulation: 'raw', ...natt };
  return { encapsulation: 'raw', local, remote, transport: 'ike' };
}
