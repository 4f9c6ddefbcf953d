// Where the gateway has sent us (RFC 5685), for as long as the session lasts: connections that are made anew begin there. The gateways
// of the profile stay the ones to fall back to, and whoever answers has to prove what the profile demands.
import { type GatewayName, RedirectGuard } from '../ike/redirect.ts';
import { type Address, formatAddress } from '../wire/address.ts';
import type { SessionDeps } from './deps.ts';
import { type Failure, reasonText, sessionFailure } from './failure.ts';

export interface Redirection {
  /** May this one be followed? Then it is where we go from now on. */
  follow(to: GatewayName, from: Address): boolean;
  /** Addresses of the gateway that we were sent to; none: we were not, or its name has none. */
  addresses(): Promise<readonly Address[]>;
  /** Who has sent us to this address. */
  sentBy(address: Address): Address | undefined;
  /** It does not answer, or sends us round in circles. */
  forget(): void;
}

export const gatewayText = (name: GatewayName): string =>
  name.kind === 'name' ? name.name : formatAddress(name.address);

export function createRedirection(deps: SessionDeps): Redirection {
  const guard = new RedirectGuard();
  let now: { readonly to: GatewayName; readonly from: Address } | null = null;
  let known: readonly Address[] = [];
  return {
    follow(to, from) {
      if (!guard.follow(deps.clock.now())) return false;
      now = { to, from };
      known = to.kind === 'address' ? [to.address] : [];
      return true;
    },
    async addresses() {
      if (now?.to.kind !== 'name') return known;
      const { name } = now.to;
      try {
        known = await deps.resolveHost(name);
      } catch (error) {
        const text = `${name}, where the gateway sends us, does not resolve: ${reasonText(error)}`;
        deps.log({ level: 'warn', area: 'session', text });
      }
      return known;
    },
    sentBy: (address) => (known.some((one) => formatAddress(one) === formatAddress(address)) ? now?.from : undefined),
    forget() {
      now = null;
      known = [];
    },
  };
}

export const redirected = (to: GatewayName): Failure => ({
  ...sessionFailure(
    'session/redirected',
    `The gateway sends us to another one: ${gatewayText(to)}.`,
    'Nothing has to be done: the connection is made with that gateway. If it never is, tell the administrator.',
  ),
  redirect: to,
});
