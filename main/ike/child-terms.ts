// What is asked for, and allowed, when CHILD SAs are made and replaced: out of the configuration, and out of the one that is replaced.

import type { RandomBytes } from '../crypto/random.ts';
import type { ChildRequest } from './child-sa.ts';
import type { Child } from './child-set.ts';
import { IkeError } from './error.ts';
import { narrow } from './narrow.ts';
import type { Outbox } from './outbox.ts';
import type { IkeSa } from './sa.ts';
import type { ChildPolicy } from './task/child-policy.ts';
import type { Instant, LifetimePolicy } from './timing.ts';

export interface ChildTerms {
  readonly lifetime: LifetimePolicy | undefined;
  /** CHILD SAs that we ask for besides the one of IKE_AUTH, and that one. Selectors are final. */
  readonly requests: readonly ChildRequest[];
  /** Make a CHILD SA anew that the peer has deleted. */
  readonly remake: boolean;
  /** What the peer may ask for unasked; undefined: only what `requests` has. */
  readonly accepts: ChildPolicy | undefined;
  /** Lines at most that the peer may open. */
  readonly most: number;
}

export interface ChildHost {
  readonly outbox: Outbox;
  readonly random: RandomBytes;
  /** The IKE SA that requests go out on now. */
  readonly sa: IkeSa;
  /** A CHILD SA cannot be had or kept, and with it the connection. */
  failed(error: IkeError, now: Instant): void;
  /** The peer does not replace what has to be replaced: only a new connection helps. */
  refusesRekeying(now: Instant): void;
}

/** The same again, neither narrower nor wider (RFC 7296 §2.9.2). `accepts`: what a responder's configuration has. */
export function rekeyRequest(
  { line, mode, local, remote, unencrypted, proposal }: Child,
  accepts: ChildPolicy | undefined,
): ChildRequest {
  const { request } = line;
  return {
    name: line.name,
    mode,
    proposals: request?.proposals ?? accepts?.proposals ?? [proposal],
    unencrypted,
    local,
    remote,
    localIsDynamic: false,
    pfs: request ? request.pfs : accepts?.pfs,
  };
}

/** What the peer may replace it with. */
export function policyFor(
  { line, mode, local, remote, unencrypted, proposal }: Child,
  accepts: ChildPolicy | undefined,
): ChildPolicy {
  return {
    proposals: line.request?.proposals ?? accepts?.proposals ?? [proposal],
    unencrypted,
    modes: [mode],
    pfs: line.request ? line.request.pfs : accepts?.pfs,
    local,
    remote,
  };
}

/** A request whose dynamic local selector has been replaced by what the configuration payload has brought (RFC 7296 §3.15). */
export function settled(request: ChildRequest, assigned: ChildRequest['local']): ChildRequest {
  if (!request.localIsDynamic || assigned.length === 0) return request;
  return { ...request, local: narrow(request.local, assigned), localIsDynamic: false };
}

export function expired(): IkeError {
  return new IkeError({
    code: 'peer-error',
    message: "the tunnel's keys have come to the end of their life and could not be replaced",
    remedy: 'connect again; if it happens each time, ask the administrator why the gateway refuses rekeying',
  });
}

export function notInstalled(error: string): IkeError {
  return new IkeError({
    code: 'data-plane',
    message: `the tunnel was agreed on but could not be installed: ${error}`,
    remedy: 'connect again; if it happens again, save the log and report it',
  });
}
