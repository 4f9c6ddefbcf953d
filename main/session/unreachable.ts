// Saying why a gateway did not answer, as well as can be known from here: what was tried, how far it got, and what the
// network itself reported meanwhile.
import type { IkeStep } from '../ike/peer.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, formatAddress } from '../wire/address.ts';
import { type Failure, sessionFailure } from './failure.ts';

/** Error names of the network that explain a silence; the newest of each is kept. */
export type NetworkComplaints = ReadonlySet<string>;

const MEANING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the gateway answered that nothing listens on that port (ICMP port unreachable)',
  ENETUNREACH: 'this computer has no route to the gateway',
  EHOSTUNREACH: 'a router says that the gateway cannot be reached',
  EACCES: 'a local or remote firewall forbids the packets',
  EPERM: 'the local firewall forbids the packets',
  TCP: 'IKE over TCP (RFC 9329) did not get through either',
};

/** `seconds`: how long an answer was waited for. */
export function noAnswer(
  profile: Profile,
  tried: readonly Address[],
  furthest: IkeStep | null,
  complaints: NetworkComplaints,
  seconds: number,
): Failure {
  const { host, port, nattPort } = profile.gateway;
  const addresses = tried.map(formatAddress).join(', ');
  const named = addresses === host || addresses === '' ? host : `${host} (${addresses})`;
  const network = [...complaints].map((name) => MEANING[name] ?? `the network reported ${name}`);
  const heard = network.length > 0 ? ` Meanwhile: ${network.join('; ')}.` : '';
  const data = { host, addresses, port, nattPort, complaints: [...complaints].join(' ') };
  const again = furthest === 'auth';
  const message = again
    ? `The gateway ${named} answered at first (UDP port ${port}), but not the authentication that followed (UDP port ${nattPort}).${heard}`
    : `No answer from the gateway ${named} on UDP ports ${port} and ${nattPort} within ${seconds} s.${heard}`;
  const remedy = again
    ? `A firewall or router on the way probably blocks UDP ${nattPort} or drops fragments: try another network, or ask its administrator to allow UDP ${port} and ${nattPort}. The gateway may also be silent because it does not know this identity: check authentication.identity in the profile.`
    : `Check the address in the profile and that this computer is online; a firewall on the way may block UDP ${port} and ${nattPort} (try another network), or the gateway is down.`;
  // "ike/no-response" is the code that IKE itself gives when it runs out of retransmissions: one cause, one code.
  const failure = sessionFailure('session/timed-out', message, remedy, { data });
  return { ...failure, error: { ...failure.error, code: 'ike/no-response' } };
}
