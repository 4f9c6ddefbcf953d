// Where an IKE SA goes on once IKE_SA_INIT, or IKE_SESSION_RESUME, has shown which NATs there are.

import type { Endpoint } from '../../wire/address.ts';
import type { Encapsulation } from '../../wire/encapsulation.ts';
import type { NatSituation } from '../nat.ts';
import type { InitiatorConfig, Transport } from '../types.ts';

export interface Place {
  readonly encapsulation: Encapsulation;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly transport: Transport;
}

export function placeOf(config: InitiatorConfig, nat: NatSituation): Place {
  const { local, localNatt, remote, remoteNattPort, encapsulation } = config;
  // RFC 9329 §6.5: a NAT changes nothing about the encapsulation.
  if (encapsulation === 'tcp') return { encapsulation, local, remote, transport: 'tcp' };
  if (encapsulation === 'auto' && !nat.local && !nat.remote)
    return { encapsulation: 'raw', local, remote, transport: 'ike' };
  // RFC 7296 §2.23: with a NAT, everything from here on goes over UDP 4500.
  return {
    encapsulation: 'udp',
    local: localNatt,
    remote: { address: remote.address, port: remoteNattPort },
    transport: 'natt',
  };
}
