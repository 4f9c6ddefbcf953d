// Failures that no notify tells of (those are notify-error.ts): silence, nonsense, and our own misconfiguration.
import { ProposalError } from '../crypto/proposal.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import { IkeError } from './error.ts';
import { type ExchangeType, exchangeName } from './message.ts';
import type { Role } from './sa.ts';

const REPORT = 'this is a fault of either program: save the log and report it';

/** `role`: ours. */
export function noResponse(request: string, remote: Endpoint, role: Role): IkeError {
  return new IkeError({
    code: 'no-response',
    message: `the ${role === 'initiator' ? 'gateway' : 'client'} ${formatEndpoint(remote)} does not answer (${request})`,
    remedy:
      role === 'responder'
        ? 'it may have gone offline or lost its address: it will connect again by itself'
        : 'check that this machine is online, that the address of the gateway is right, and that no firewall blocks UDP ports 500 and 4500',
    exchange: request,
  });
}

/** An authentic message that breaks the rules. */
export function nonsense(text: string, exchange: ExchangeType): IkeError {
  return new IkeError({
    code: 'protocol',
    message: `the peer sent an authentic message that makes no sense: ${text}`,
    remedy: REPORT,
    exchange: exchangeName(exchange),
  });
}

export const malformedAuth = (text: string): IkeError => malformedAnswer('IKE_AUTH', text);

/** Who has the keys answered nonsense before it was authenticated. */
export function malformedAnswer(exchange: string, text: string): IkeError {
  return new IkeError({
    code: 'protocol',
    message: `the gateway's answer to ${exchange} makes no sense: ${text}`,
    remedy: REPORT,
    exchange,
  });
}

/** It has proved that it lost the IKE SA (RFC 6290). */
export function crashed(peer: Endpoint): IkeError {
  return new IkeError({
    code: 'no-response',
    message: `${formatEndpoint(peer)} was restarted and does not know this connection any more`,
    remedy: 'nothing, unless it happens often: connecting again is enough',
  });
}

/** The IKE SA was to be rekeyed, and could not be. */
export function ikeExpired(): IkeError {
  return new IkeError({
    code: 'peer-error',
    message: 'the keys of the connection have come to the end of their life and could not be replaced',
    remedy: 'connect again; if it happens each time, ask the administrator why the gateway refuses rekeying',
  });
}

/** What `make` returns; a ProposalError becomes an IkeError. */
export function configured<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ProposalError)) throw error;
    throw new IkeError({ code: 'configuration', message: error.message, remedy: error.remedy });
  }
}
