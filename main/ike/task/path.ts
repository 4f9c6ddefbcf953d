// An INFORMATIONAL request about the path (RFC 4555): tries it, moves the SAs to it, or proves that the peer is where it says it is.
//
//   HDR, SK {N(NAT_DETECTION_*), [N(COOKIE2)]}                        -->   §3.8, §3.10: a sign of life that tells of NATs
//                                            <--  HDR, SK {N(NAT_DETECTION_*), [N(COOKIE2)]}
//   HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_*), N(COOKIE2)}  -->   §3.5, by the initiator of the connection only
//                                            <--  HDR, SK {N(NAT_DETECTION_*), N(COOKIE2)}
//   HDR, SK {N(COOKIE2)}                     <--                            §3.7: return routability
//                                            -->  HDR, SK {N(COOKIE2)}
import { timingSafeEqual } from 'node:crypto';
import { type Address, type Endpoint, sameAddress } from '../../wire/address.ts';
import type { Request } from '../exchange.ts';
import { concat } from '../keymat.ts';
import { Exchange, type Message } from '../message.ts';
import { natDetection } from '../nat.ts';
import { notifiesIn, notifyOf } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import type { Payload, PayloadOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';

/** RFC 4555 §4.2.5: 8 to 64. */
export const COOKIE2_BYTES = 16;
const SHORTEST_COOKIE2 = 8;
const LONGEST_COOKIE2 = 64;
/** Addresses of the peer that are kept. */
const MOST_ADDRESSES = 16;

export type PathPurpose = 'update' | 'probe' | 'liveness' | 'routability';

const NAMES: { readonly [K in PathPurpose]: string } = {
  update: 'moving to another address',
  probe: 'trying a path',
  liveness: 'liveness check',
  routability: 'asking whether the peer is where it moved',
};

export interface PathTerms {
  readonly purpose: PathPurpose;
  readonly sa: IkeSa;
  /** The number of the move that it belongs to. */
  readonly move: number;
  /** Say that we are behind a NAT though we need not be, so that the peer encapsulates. */
  readonly feignNat: boolean;
  /** Eight bytes or more that the peer cannot know; undefined: none are sent. */
  readonly cookie: Uint8Array | undefined;
}

export class PathTask implements Request {
  readonly kind = 'path';
  readonly name: string;
  readonly exchange = Exchange.INFORMATIONAL;
  readonly purpose: PathPurpose;
  readonly move: number;
  /** Where it goes first. */
  readonly to: Endpoint;
  readonly #terms: PathTerms;

  constructor(terms: PathTerms) {
    this.#terms = terms;
    this.purpose = terms.purpose;
    this.move = terms.move;
    this.name = NAMES[terms.purpose];
    this.to = terms.sa.remote;
  }

  build(): readonly Payload[] {
    const { purpose, sa, feignNat, cookie } = this.#terms;
    return [
      ...(purpose === 'update' ? [notifyOf(NotifyType.UPDATE_SA_ADDRESSES)] : []),
      ...(sa.traversal && purpose !== 'routability' ? natDetection(sa, sa.local, sa.remote, feignNat) : []),
      // §3.9: without NAT traversal no NAT may have touched what changes addresses.
      ...(!sa.traversal && purpose === 'update' ? [noNatsAllowed(sa.local, sa.remote)] : []),
      ...(cookie ? [notifyOf(NotifyType.COOKIE2, cookie)] : []),
    ];
  }

  /** §3.7: the answer has our COOKIE2, as it was. True, too, where we sent none. */
  isProvenBy(response: Message): boolean {
    const { cookie } = this.#terms;
    if (!cookie) return true;
    const shown = cookiesIn(response.payloads);
    return (
      shown.length > 0 && shown.every(({ data }) => data.length === cookie.length && timingSafeEqual(data, cookie))
    );
  }
}

/** How the peer sees us (§3.8): the hash of it, as text. */
export function mappingIn({ payloads }: Message): string | undefined {
  const [first] = notifiesIn(payloads, NotifyType.NAT_DETECTION_DESTINATION_IP);
  return first && Buffer.from(first.data).toString('hex');
}

/** COOKIE2 of a request is copied as it is (§3.7); what is no COOKIE2 is not. */
export function cookiesIn(payloads: readonly Payload[]): readonly PayloadOf<'notify'>[] {
  return notifiesIn(payloads, NotifyType.COOKIE2).filter(
    ({ data }) => data.length >= SHORTEST_COOKIE2 && data.length <= LONGEST_COOKIE2,
  );
}

/** The peer's further addresses, all of them (§3.6); undefined: the message says nothing about them. */
export function additionalAddresses(payloads: readonly Payload[]): readonly Address[] | undefined {
  const of = (type: number, length: number) =>
    notifiesIn(payloads, type).flatMap(({ data }) => (data.length === length ? [Uint8Array.from(data)] : []));
  const found = [...of(NotifyType.ADDITIONAL_IP4_ADDRESS, 4), ...of(NotifyType.ADDITIONAL_IP6_ADDRESS, 16)];
  if (found.length > 0) return found.slice(0, MOST_ADDRESSES);
  return notifiesIn(payloads, NotifyType.NO_ADDITIONAL_ADDRESSES).length > 0 ? [] : undefined;
}

export const additionalAddressNotify = (address: Address): Payload =>
  notifyOf(
    address.length === 4 ? NotifyType.ADDITIONAL_IP4_ADDRESS : NotifyType.ADDITIONAL_IP6_ADDRESS,
    Uint8Array.from(address),
  );

/** §4.2.6: source address, destination address, source port, destination port. */
export function noNatsAllowed(source: Endpoint, destination: Endpoint): Payload {
  const ports = new Uint8Array(4);
  new DataView(ports.buffer).setUint16(0, source.port);
  new DataView(ports.buffer).setUint16(2, destination.port);
  return notifyOf(NotifyType.NO_NATS_ALLOWED, concat(source.address, destination.address, ports));
}

/** §3.9: it has NO_NATS_ALLOWED, and did not come from where that says, or not to there. */
export function hasForbiddenNat(payloads: readonly Payload[], from: Endpoint, local: Endpoint): boolean {
  const expected = noNatsAllowed(from, local);
  return notifiesIn(payloads, NotifyType.NO_NATS_ALLOWED).some(
    ({ data }) => expected.kind === 'notify' && !sameAddress(data, expected.data),
  );
}

export const mobikeSupported = (): Payload => notifyOf(NotifyType.MOBIKE_SUPPORTED);
