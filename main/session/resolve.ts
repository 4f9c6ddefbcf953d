// The gateway's addresses. While a lost connection is made anew, name servers may be out of reach (they may even lie
// behind the tunnel that is down), so the addresses known from before serve then.
import type { Profile } from '../profile/profile.ts';
import { type Address, parseAddress } from '../wire/address.ts';
import type { SessionDeps } from './deps.ts';
import { reasonText, SessionError, sessionFailure } from './failure.ts';
import type { GreNumbers } from './gre-sequence.ts';
import type { Redirection } from './redirection.ts';
import type { TicketHolder } from './ticket-holder.ts';
import { within } from './undo.ts';

/** Milliseconds that a name server has where older addresses are at hand. */
const IMPATIENCE = 3_000;

/** What one connection leaves for the next. */
export interface GatewayMemory {
  /** What the name resolved to last, those that worked first. */
  addresses: readonly Address[];
  /** GRE sequence numbers, where the profile wants them. */
  readonly greNumbers: GreNumbers | null;
  readonly redirection: Redirection;
  readonly tickets: TicketHolder;
}

export async function gatewayAddresses(
  profile: Profile,
  deps: SessionDeps,
  memory: GatewayMemory,
): Promise<readonly Address[]> {
  const { host } = profile.gateway;
  const literal = parseAddress(host);
  if (literal) return [literal];
  const known = memory.addresses;
  let cause: string;
  try {
    const lookup = deps.resolveHost(host);
    const outcome =
      known.length > 0
        ? await within(deps.clock, IMPATIENCE, lookup)
        : ({ kind: 'done', value: await lookup } as const);
    if (outcome.kind === 'done' && outcome.value.length > 0) {
      memory.addresses = outcome.value;
      return outcome.value;
    }
    cause = outcome.kind === 'late' ? `no answer within ${IMPATIENCE / 1000} s` : 'the name has no address';
  } catch (error) {
    cause = lookupCause(error);
  }
  if (known.length > 0) {
    deps.log({
      level: 'info',
      area: 'session',
      text: `${host} does not resolve now (${cause}): using its last known addresses`,
    });
    return known;
  }
  throw new SessionError(hostNotFound(host, cause));
}

/** The C library's names for what went wrong (getaddrinfo(3)) mean nothing to most people. */
const LOOKUP_ERRORS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name servers know no such name',
  EAI_AGAIN: 'no name server answers',
};

function lookupCause(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return LOOKUP_ERRORS[code] ?? reasonText(error);
}

export function hostNotFound(host: string, cause: string) {
  return sessionFailure(
    'session/host-not-found',
    `The gateway's name ${host} could not be resolved: ${cause}.`,
    'Check that this computer is online and that gateway.host in the profile is spelt correctly.',
    { data: { host } },
  );
}
