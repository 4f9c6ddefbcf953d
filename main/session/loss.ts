// The ways in which a link ends against our will, in a person's words.
import { errorWords } from '../words/told.ts';
import { type Failure, SessionError, sessionFailure } from './failure.ts';

export function deletedByGateway(what: 'the IKE SA' | 'the CHILD SA'): Failure {
  return sessionFailure(
    'session/deleted-by-gateway',
    `The gateway ended the connection (it deleted ${what}).`,
    "It may be restarting, its administrator may have ended the session, or a session limit was reached. Culvert connects again by itself; if the gateway keeps ending it, ask the gateway's administrator.",
    { data: { deleted: what } },
  );
}

/** Without MOBIKE (RFC 4555), or in transport mode, an SA lives and dies with its addresses. */
export function movedAway(address: string): Failure {
  return sessionFailure(
    'session/moved',
    `This computer has another address towards the gateway (${address}).`,
    'Culvert connects again from there at once; nothing needs to be done.',
    { data: { address } },
  );
}

export function workerDied(worker: string, message: string): Failure {
  return sessionFailure(
    'session/worker-died',
    `The part of Culvert that moves packets (${worker}) stopped: ${message}.`,
    'Culvert connects again with new keys. If it happens again, report it with the output of `culvert logs`.',
    { data: { worker } },
  );
}

export function keyUsedUp(): Failure {
  return sessionFailure(
    'session/key-used-up',
    'The encryption key has carried as much as is safe and was not replaced in time.',
    'Culvert connects again with a new key; nothing needs to be done.',
  );
}

export function connectionBroke(reason: string): Failure {
  return sessionFailure(
    'session/stream-closed',
    `The TCP connection to the gateway ended before the tunnel was up (${reason}).`,
    'The gateway, or something in front of it, takes TCP connections on this port but does not speak IKE in them: check gateway.tcpPort in the profile, or set gateway.tcp to "off".',
  );
}

export function connectionKeepsBreaking(reason: string): Failure {
  return sessionFailure(
    'session/stream-closed',
    `The TCP connection to the gateway broke, and those made after it broke as well before anything came through them (${reason}).`,
    "The gateway may have restarted and forgotten this tunnel, or something in front of it ends the connections. Culvert connects again by itself; if that goes on, ask the gateway's administrator.",
  );
}

export function closedHere(): Failure {
  const { message, remedy } = errorWords('session/closed');
  return sessionFailure('session/closed', message, remedy);
}

export function setUpTimedOut(step: string, seconds: number): Failure {
  return sessionFailure(
    'session/timed-out',
    `Connecting took longer than ${seconds} s and was given up at the step "${step}".`,
    'The operating system was slow to answer: try again. If it happens again, look at `culvert logs`.',
    { data: { step } },
  );
}

/** Stops set-up code whose link is being closed; never shown to people. */
export class LinkClosed extends SessionError {
  constructor() {
    super(closedHere());
  }
}
