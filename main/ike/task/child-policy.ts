// What a responder agrees to when a CHILD SA is made, by whichever exchange: its mode, and its traffic selectors (RFC 7296 §1.3.1, §2.9,
// §2.23.1).
import type { Selector } from '../../wire/selector.ts';
import type { ChildMode } from '../child-sa.ts';
import { isSingleAddress, narrow, substituteAddress } from '../narrow.ts';
import { says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import type { Payload } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import { formatSelectors } from './child.ts';

/** What the answer may agree to. */
export interface ChildPolicy {
  readonly proposals: readonly string[];
  readonly unencrypted: boolean | undefined;
  readonly modes: readonly ChildMode[];
  readonly pfs: 'required' | 'preferred' | undefined;
  /** The widest selectors: of a CHILD SA that is replaced, its own. */
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[];
  /** See ResponderConfig. */
  readonly refuses?: Refuses | undefined;
}

/** Why a CHILD SA with what selectors have been narrowed to is none all the same; undefined: it is one. */
export type Refuses = (child: {
  readonly mode: ChildMode;
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[];
}) => string | undefined;

const wantsTransport = (request: readonly Payload[]): boolean => says(request, NotifyType.USE_TRANSPORT_MODE);

/** RFC 7296 §1.3.1: who does not do transport mode answers without the notify, and the SA is in tunnel mode. undefined: neither. */
export function modeFor(request: readonly Payload[], allowed: readonly ChildMode[]): ChildMode | undefined {
  if (wantsTransport(request) && allowed.includes('transport')) return 'transport';
  return allowed.includes('tunnel') ? 'tunnel' : undefined;
}

export const modeRefused = (request: readonly Payload[]): string =>
  `${wantsTransport(request) ? 'transport' : 'tunnel'} mode is not allowed`;

/** Empty: nothing of it is allowed. */
export function narrowed(
  mode: ChildMode,
  tsi: readonly Selector[],
  tsr: readonly Selector[],
  sa: IkeSa,
  policy: Pick<ChildPolicy, 'local' | 'remote'>,
): { readonly local: readonly Selector[]; readonly remote: readonly Selector[] } {
  let [remote, local] = [tsi, tsr];
  if (mode === 'transport') {
    if (!isSingleAddress(tsi) || !isSingleAddress(tsr)) return { local: [], remote: [] };
    // RFC 7296 §2.23.1: what the initiator calls itself behind its NAT means nothing here.
    if (sa.nat.remote) remote = substituteAddress(tsi, sa.remote.address);
    if (sa.nat.local) local = substituteAddress(tsr, sa.local.address);
  }
  return { local: narrow(local, policy.local), remote: narrow(remote, policy.remote) };
}

export const selectorsRefused = (tsi: readonly Selector[], tsr: readonly Selector[]): string =>
  `its traffic selectors ${formatSelectors(tsi)} === ${formatSelectors(tsr)} are not allowed`;
