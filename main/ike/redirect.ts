// Being sent to another gateway (RFC 5685): the data of REDIRECT and REDIRECTED_FROM, and the guard against loops.
//
// +---------------+---------------+-------------------------------+
// | GW Ident Type |  GW Ident Len |                               |
// +---------------+---------------+  New Responder GW Identity    ~
// +---------------------------------------------------------------+
// ~          Nonce Data (in the answer to IKE_SA_INIT only)       ~
// +---------------------------------------------------------------+
//
// Where the client goes changes, whom it believes does not (§3): the new gateway proves the identity that the profile demands.
import type { Address } from '../wire/address.ts';
import { isWireError, type WireError } from '../wire/error.ts';
import { bytes, decode, dependent, derived, encode, type Field, map, refuse, rest, struct, u8 } from '../wire/field.ts';
import { notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Payload } from './payload/payload.ts';
import type { Instant } from './timing.ts';

/** How a gateway is called: an address, or a name to be looked up. */
export type GatewayName =
  | { readonly kind: 'address'; readonly address: Address }
  | { readonly kind: 'name'; readonly name: string };

export interface Redirect {
  readonly to: GatewayName;
  /** Ni of the IKE_SA_INIT that is answered; empty elsewhere. */
  readonly nonce: Uint8Array;
}

const IPV4 = 1;
const IPV6 = 2;
const FQDN = 3;
/** Letters, digits, hyphens and dots (RFC 1123 §2.1): the name goes to a resolver, and into messages. */
const HOST_NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?$/i;

const wire = struct('REDIRECT', {
  type: u8,
  length: derived(u8, (whole: { identity: Uint8Array }) => whole.identity.length),
  identity: dependent((number) => bytes(number('length'))),
  nonce: rest,
});

const redirect: Field<Redirect> = map(
  wire,
  ({ type, identity, nonce }) => {
    switch (type) {
      case IPV4:
      case IPV6:
        return identity.length === (type === IPV4 ? 4 : 16)
          ? { to: { kind: 'address', address: identity }, nonce }
          : refuse('an address of its family', 'length');
      case FQDN: {
        const name = Buffer.from(identity).toString('latin1');
        return name.length <= 253 && HOST_NAME.test(name)
          ? { to: { kind: 'name', name: name.toLowerCase() }, nonce }
          : refuse('a host name');
      }
      default:
        return refuse(`a gateway identity of type 1 to 3, got ${type}`);
    }
  },
  ({ to, nonce }) =>
    to.kind === 'name'
      ? { type: FQDN, identity: new TextEncoder().encode(to.name), nonce }
      : { type: to.address.length === 4 ? IPV4 : IPV6, identity: to.address, nonce },
);

/** The data of a REDIRECT or REDIRECTED_FROM notify. */
export const decodeRedirect = (data: Uint8Array): Redirect | WireError =>
  decode(redirect, Uint8Array.from(data), 'REDIRECT');

/** `nonce`: Ni, in the answer to IKE_SA_INIT only (§9.2). */
export const redirectNotify = (to: GatewayName, nonce: Uint8Array = new Uint8Array(0)): Payload =>
  notifyOf(NotifyType.REDIRECT, encode(redirect, { to, nonce }));

/** Who has sent us, and that we could be sent on (§9.3). */
export const redirectedFrom = (gateway: Address): Payload =>
  notifyOf(
    NotifyType.REDIRECTED_FROM,
    encode(redirect, { to: { kind: 'address', address: gateway }, nonce: new Uint8Array(0) }),
  );

/** What the initiator says in IKE_SA_INIT: that it takes redirects, and who has sent it (§3). */
export function redirectAnnouncements(config: {
  readonly takesRedirects?: boolean | undefined;
  readonly redirectedFrom?: Address | undefined;
}): readonly Payload[] {
  if (!config.takesRedirects) return [];
  const supported = notifyOf(NotifyType.REDIRECT_SUPPORTED, new Uint8Array(0));
  return config.redirectedFrom ? [supported, redirectedFrom(config.redirectedFrom)] : [supported];
}

/** The REDIRECT in a protected message; undefined where there is none that can be read. */
export function redirectIn(payloads: readonly Payload[]): GatewayName | undefined {
  for (const payload of payloads) {
    if (payload.kind !== 'notify' || payload.type !== NotifyType.REDIRECT) continue;
    const read = decodeRedirect(payload.data);
    if (!isWireError(read)) return read.to;
  }
  return undefined;
}

/** RFC 5685 §7: so many redirects within so long, no more. */
const MAX_REDIRECTS = 5;
const REDIRECT_LOOP_DETECT_PERIOD = 300_000;

/** Remembers the redirects that a connection has followed; it outlives the IKE SAs between which it was sent about. */
export class RedirectGuard {
  #followed: readonly Instant[] = [];

  /** May another one be followed? If so, it counts. */
  follow(now: Instant): boolean {
    const recent = this.#followed.filter((at) => now - at < REDIRECT_LOOP_DETECT_PERIOD);
    this.#followed = recent;
    if (recent.length >= MAX_REDIRECTS) return false;
    this.#followed = [...recent, now];
    return true;
  }
}
