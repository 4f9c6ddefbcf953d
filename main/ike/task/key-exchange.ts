// The key exchange inside CREATE_CHILD_SA (RFC 7296 §1.3, §2.17, §2.18), both sides of it: KEi in the group that we guess, KEr, and
// the answer INVALID_KE_PAYLOAD that names another group.
import { isKeError, type KeInitiator } from '../../crypto/ke.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { keyExchangeOf } from '../../crypto/suite.ts';
import { notifiedIn, notifyOf } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';

/** Our half, until the response comes. Without a group there is no key exchange. */
export class KeyExchangeOffer {
  readonly group: number | undefined;
  readonly #ke: KeInitiator | undefined;

  constructor(group: number | undefined, random: RandomBytes) {
    this.group = group;
    if (group === undefined) return;
    const method = keyExchangeOf(group);
    if (!method) throw new RangeError(`key-exchange method ${group} is not implemented`);
    this.#ke = method.initiate(random);
  }

  build(): readonly Payload[] {
    return this.#ke && this.group !== undefined ? [{ kind: 'ke', method: this.group, data: this.#ke.data }] : [];
  }

  /** The shared secret, none where `chosen`, the group of the proposal that was accepted, is undefined; or what is wrong. */
  finish(chosen: number | undefined, payloads: readonly Payload[]): readonly Uint8Array[] | string {
    if (chosen === undefined) return [];
    const ke = payloadOf(payloads, 'ke');
    if (!this.#ke || chosen !== this.group || ke?.method !== chosen)
      return `it chose key-exchange group ${chosen}, our KE payload was of group ${this.group ?? 'none'}`;
    const secret = this.#ke.finish(ke.data);
    return isKeError(secret) ? secret.toString() : [secret];
  }

  wipe(): void {
    this.#ke?.wipe();
  }
}

/** The group that INVALID_KE_PAYLOAD asks for, where the response is one (RFC 7296 §1.3). */
export function groupWanted(payloads: readonly Payload[]): number | undefined {
  const data = notifiedIn(payloads, NotifyType.INVALID_KE_PAYLOAD);
  return data?.length === 2 ? data[0]! * 256 + data[1]! : undefined;
}

/**
 * Is it worth beginning again with the group that the peer wants? Once: a peer that does not take the group that it has asked for itself
 * would keep us at it for ever.
 */
export function asksForAnother(
  group: number | undefined,
  ours: {
    readonly tried: number | undefined;
    /** The group that the peer asked for before. */
    readonly asked: number | undefined;
    readonly offered: readonly number[];
  },
): group is number {
  return group !== undefined && ours.asked === undefined && group !== ours.tried && ours.offered.includes(group);
}

export type KeyExchangeAnswer =
  | { readonly kind: 'agreed'; readonly payloads: readonly Payload[]; readonly secrets: readonly Uint8Array[] }
  | { readonly kind: 'refused'; readonly payloads: readonly Payload[]; readonly why: string };

/** The responder's half, in the group that it has chosen; undefined: none. */
export function answerKeyExchange(
  chosen: number | undefined,
  request: readonly Payload[],
  random: RandomBytes,
): KeyExchangeAnswer {
  if (chosen === undefined) return { kind: 'agreed', payloads: [], secrets: [] };
  const ke = payloadOf(request, 'ke');
  if (ke?.method !== chosen)
    return refusedKe(
      NotifyType.INVALID_KE_PAYLOAD,
      Uint8Array.of(chosen >>> 8, chosen & 0xff),
      `its KE payload is of group ${ke?.method ?? 'none'}, ${chosen} was chosen`,
    );
  const method = keyExchangeOf(chosen);
  if (!method) throw new RangeError(`key-exchange method ${chosen} is not implemented`);
  const agreed = method.respond(ke.data, random);
  if (isKeError(agreed)) return refusedKe(NotifyType.INVALID_SYNTAX, new Uint8Array(0), agreed.toString());
  return {
    kind: 'agreed',
    payloads: [{ kind: 'ke', method: chosen, data: agreed.data }],
    secrets: [agreed.secret],
  };
}

function refusedKe(type: number, data: Uint8Array, why: string): KeyExchangeAnswer {
  return {
    kind: 'refused',
    payloads: [notifyOf(type, data)],
    why,
  };
}

/** The group to begin with: `likely`, which the peer is known to accept, where it is offered. */
export function firstGroup(groups: readonly number[], likely: number | undefined): number | undefined {
  return groups.find((group) => group === likely) ?? groups[0];
}

/** Octet by octet; at equal octets the shorter is lower (RFC 7296 §2.8.1). Negative: `a` is lower. */
export function compareNonces(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

export const lowerNonce = (a: Uint8Array, b: Uint8Array): Uint8Array => (compareNonces(a, b) <= 0 ? a : b);

export const NONCE_BYTES = 32;
