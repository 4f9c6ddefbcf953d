// IKE_SA_INIT, the initiator's side (RFC 7296 §1.2, §2.6, §2.23).
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   HDR(A,0), SAi1, KEi, Ni,
//     N(NAT_DETECTION_*)           -->
//                                  <--  HDR(A,0), N(COOKIE)
//   HDR(A,0), N(COOKIE), SAi1, … -->
//                                  <--  HDR(A,0), N(INVALID_KE_PAYLOAD)
//   HDR(A,0), N(COOKIE), SAi1, KEi', Ni, …
//                                  -->
//                                  <--  HDR(A,B), SAr1, KEr, Nr, N(NAT_DETECTION_*), [CERTREQ]
//
// SPIi and Ni stay the same through the retries, so that a cookie stays good (§2.6.1). Nothing here is authenticated: whatever is
// wrong with an answer is reported, not acted upon (§2.21.1).
import { algorithmsOf } from '../../crypto/algorithms.ts';
import { isKeError, type KeInitiator } from '../../crypto/ke.ts';
import { asksForMore, checkAnswer, offer } from '../../crypto/proposal.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { type IkeSuite, ikeSuite, keyExchangeOf } from '../../crypto/suite.ts';
import { type Proposal, type Transform, TransformType, transform } from '../../crypto/transform.ts';
import type { Endpoint } from '../../wire/address.ts';
import { sameBytes } from '../../wire/bytes.ts';
import { isWireError } from '../../wire/error.ts';
import { type Announced, announcedIn } from '../auth/announced.ts';
import { type Disagreement, IkeError } from '../error.ts';
import type { Request } from '../exchange.ts';
import { concat, spiBytes } from '../keymat.ts';
import { Exchange, type Message } from '../message.ts';
import { type NatSituation, NO_NAT, natDetection, natIn } from '../nat.ts';
import { notifiedIn, notifyOf, says } from '../notifies.ts';
import { isErrorNotify, NotifyType } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { type Payload, payloadOf, payloadsOf } from '../payload/payload.ts';
import { decodePuzzle, isWorthwhile, type Puzzle } from '../puzzle.ts';
import { decodeRedirect, type GatewayName } from '../redirect.ts';

const NONCE_BYTES = 32;
/** An attacker who forges cookies makes us send twice for each (RFC 7296 §2.6): so many are taken in one attempt. */
const MOST_COOKIES = 4;

export interface IkeInitConfig {
  readonly SPIi: bigint;
  readonly proposals: readonly string[];
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Hash a false source, so that both ends believe in a NAT and encapsulate. */
  readonly feignNat: boolean;
  /** Offer no additional key exchanges (RFC 9370): the gateway does not seem to bear them. */
  readonly withoutAdditional: boolean;
  /** Offer IKE fragmentation (RFC 7383 §2.3), with these sizes; empty: do not. */
  readonly fragmentSizes: readonly number[];
  /** We have said that we can be sent to another gateway (RFC 5685). */
  readonly takesRedirects: boolean;
  /** What else to say: signature hashes, a PPK, that we take redirects. */
  readonly announcements: readonly Payload[];
}

export type IkeInitOutcome =
  /** Build and send again: the answer asked for a cookie or another group. */
  | { readonly kind: 'again'; readonly why: string }
  /** Solve the puzzle, tell `solved`, then build and send again (RFC 8019 §7.1.2). */
  | { readonly kind: 'puzzle'; readonly puzzle: Puzzle }
  /** There is no SA here: the gateway sends us to another one (RFC 5685 §3). */
  | { readonly kind: 'redirected'; readonly to: GatewayName }
  /** An answer to a request before the last, doubled or late: what it asks for is done already. */
  | { readonly kind: 'stale'; readonly why: string }
  /** Not acceptable, but not authenticated either: remember it and wait for a better answer. */
  | { readonly kind: 'refused'; readonly error: IkeError }
  | {
      readonly kind: 'agreed';
      readonly SPIr: bigint;
      readonly suite: IkeSuite;
      readonly Nr: Uint8Array;
      /** To be wiped by whoever takes it. */
      readonly sharedSecret: Uint8Array;
      readonly nat: NatSituation;
      /** The gateway does NAT traversal. */
      readonly traversal: boolean;
      /** The gateway takes messages in fragments, and we offered it (RFC 7383 §2.3): of these sizes. */
      readonly fragmentation: readonly number[] | undefined;
      readonly announced: Announced;
      /** To be solved before the first request of IKE_AUTH, and shown in it (RFC 8019 §7.2). */
      readonly puzzle: Puzzle | undefined;
    };

export class IkeInitTask implements Request {
  readonly name = 'IKE_SA_INIT';
  readonly exchange = Exchange.IKE_SA_INIT;
  readonly Ni: Uint8Array;
  readonly #config: IkeInitConfig;
  readonly #random: RandomBytes;
  readonly #offered: readonly Proposal[];
  /** Groups that we offer, in order. */
  readonly #groups: readonly number[];
  /** Groups whose KE payload has been sent. */
  readonly #tried = new Set<number>();
  #group: number;
  #ke: KeInitiator;
  #cookie: Uint8Array | undefined;
  #cookies = 0;
  /** Of the puzzle that came with the cookie. */
  #solution: Uint8Array | undefined;
  /** The request has been sent with this KE payload and another cookie, or none. */
  #changedCookie = false;

  /** Throws a ProposalError where a proposal cannot be parsed. */
  constructor(config: IkeInitConfig, random: RandomBytes) {
    this.#config = config;
    this.#random = random;
    this.Ni = random(NONCE_BYTES);
    const { withoutAdditional } = config;
    this.#offered = offer(config.proposals, 'ike', new Uint8Array(0), { withoutAdditional });
    this.#groups = this.#offered.flatMap((proposal) =>
      proposal.transforms.filter((transform) => transform.type === TransformType.KE).map((transform) => transform.id),
    );
    const first = this.#groups[0];
    if (first === undefined) throw new RangeError('an IKE proposal needs a key-exchange group');
    this.#group = first;
    this.#ke = this.#initiate(first);
  }

  build(): readonly Payload[] {
    const { SPIi, local, remote, feignNat, fragmentSizes, announcements } = this.#config;
    return [
      // RFC 7296 §2.6: the cookie is the first payload, everything else stays as it was.
      ...(this.#cookie ? [notifyOf(NotifyType.COOKIE, this.#cookie)] : []),
      ...(this.#solution ? [{ kind: 'puzzle' as const, data: this.#solution }] : []),
      { kind: 'sa', proposals: this.#offered },
      { kind: 'ke', method: this.#group, data: this.#ke.data },
      { kind: 'nonce', data: this.Ni },
      ...natDetection({ SPIi, SPIr: 0n }, local, remote, feignNat),
      ...(fragmentSizes.length > 0 ? [notifyOf(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)] : []),
      // RFC 9242 §3.1, where we have a use for it.
      ...(this.#asksForMore ? [notifyOf(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED)] : []),
      ...announcements,
    ];
  }

  /** Additional key exchanges are offered, and proposals without them: a gateway that bears only those gets another attempt. */
  get canDoWithout(): boolean {
    const { proposals } = this.#config;
    return this.#asksForMore && offer(proposals, 'ike', new Uint8Array(0), { withoutAdditional: true }).length > 0;
  }

  get #asksForMore(): boolean {
    return asksForMore(this.#offered);
  }

  process(response: Message, from: Endpoint): IkeInitOutcome {
    const { payloads } = response;
    if (payloadOf(payloads, 'sa')) return this.#agree(response, from);
    const notifies = payloadsOf(payloads, 'notify');
    const cookie = notifies.find((n) => n.type === NotifyType.COOKIE);
    const puzzle = notifies.find((n) => n.type === NotifyType.PUZZLE);
    if (cookie) return this.#takeCookie(cookie.data, puzzle?.data);
    // RFC 8019 §7.1.2: a puzzle without a cookie says nothing.
    if (puzzle) return { kind: 'stale', why: 'a puzzle without a cookie' };
    const redirect = notifies.find((n) => n.type === NotifyType.REDIRECT);
    if (redirect) return this.#redirected(redirect.data);
    const invalidKe = notifies.find((n) => n.type === NotifyType.INVALID_KE_PAYLOAD);
    if (invalidKe) return this.#changeGroup(invalidKe.data);
    const error = notifies.find((n) => isErrorNotify(n.type));
    return error ? this.#refused(error.type) : mangled('it has neither a proposal nor an error');
  }

  /**
   * Nothing in an answer tells whether it answers the request with the last cookie or the one before; AUTH covers the request
   * (RFC 7296 §2.15), so a late answer to the wrong one ends in AUTHENTICATION_FAILED.
   */
  get isAmbiguous(): boolean {
    return this.#changedCookie;
  }

  wipe(): void {
    this.#ke.wipe();
  }

  #initiate(group: number): KeInitiator {
    const method = keyExchangeOf(group);
    if (!method) throw new RangeError(`key-exchange method ${group} is not implemented`);
    this.#tried.add(group);
    return method.initiate(this.#random);
  }

  /** The four keys that solve the puzzle of the last outcome. */
  solved(solution: Uint8Array): void {
    this.#solution = solution;
  }

  #redirected(data: Uint8Array): IkeInitOutcome {
    const redirect = decodeRedirect(data);
    if (isWireError(redirect)) return { kind: 'stale', why: redirect.toString() };
    // RFC 5685 §3: who has not seen our request cannot have sent this.
    if (!sameBytes(redirect.nonce, this.Ni)) return { kind: 'stale', why: 'a redirect without our nonce' };
    if (!this.#config.takesRedirects) return { kind: 'stale', why: 'a redirect that we did not say we take' };
    return { kind: 'redirected', to: redirect.to };
  }

  #takeCookie(cookie: Uint8Array, puzzle: Uint8Array | undefined): IkeInitOutcome {
    // RFC 7296 §2.6: 1 to 64 octets.
    if (cookie.length < 1 || cookie.length > 64) return mangled('its cookie does not have 1 to 64 bytes');
    if (this.#cookie && sameBytes(cookie, this.#cookie))
      return { kind: 'stale', why: 'the cookie is on its way already' };
    if (++this.#cookies > MOST_COOKIES) return mangled(`it asks for a cookie again and again`);
    this.#cookie = cookie;
    this.#changedCookie = true;
    this.#solution = undefined;
    const terms = puzzle && decodePuzzle(puzzle);
    // RFC 8019 §7.1.2: one that we do not try is ignored; the cookie alone may do.
    if (terms && !isWireError(terms) && isWorthwhile(terms)) return { kind: 'puzzle', puzzle: { ...terms, S: cookie } };
    return { kind: 'again', why: 'the gateway asks for a cookie' };
  }

  #changeGroup(data: Uint8Array): IkeInitOutcome {
    if (data.length !== 2) return mangled('INVALID_KE_PAYLOAD does not name a group');
    const group = data[0]! * 256 + data[1]!;
    if (group === this.#group) return { kind: 'stale', why: `a KE payload of group ${group} is on its way already` };
    // Only what we offered, or an attacker could talk us down (RFC 7296 §1.2); each group once, or it could make us spin.
    if (!this.#groups.includes(group) || this.#tried.has(group))
      return this.#refused(NotifyType.INVALID_KE_PAYLOAD, [[transform(TransformType.KE, group)]]);
    this.#ke.wipe();
    this.#ke = this.#initiate(group);
    this.#group = group;
    this.#changedCookie = false;
    return { kind: 'again', why: `the gateway wants key-exchange group ${group}` };
  }

  #agree(response: Message, from: Endpoint): IkeInitOutcome {
    const { payloads, header } = response;
    const sa = payloadOf(payloads, 'sa');
    const ke = payloadOf(payloads, 'ke');
    const nonce = payloadOf(payloads, 'nonce');
    if (!sa || !ke || !nonce) return mangled('SA, KE or Nonce is missing');
    if (header.SPIr === 0n) return mangled("the responder's SPI is zero");
    const chosen = checkAnswer(sa.proposals, this.#offered);
    if (typeof chosen === 'string') return mangled(chosen, this.#disagreement(sa.proposals));
    const suite = ikeSuite(chosen.transforms);
    if (suite.additional.length > 0 && !says(payloads, NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED))
      return mangled('it chose additional key exchanges, and does not say that it can do them (RFC 9242)');
    if (suite.ke.id !== this.#group || ke.method !== this.#group)
      return mangled(`it chose ${suite.ke.name} where our KE payload was of another group`);
    const sharedSecret = this.#ke.finish(ke.data);
    if (isKeError(sharedSecret)) return mangled(sharedSecret.toString());
    const nat = natIn(response, from, this.#config.local);
    const { fragmentSizes } = this.#config;
    const fragmented = fragmentSizes.length > 0 && says(payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED);
    return {
      kind: 'agreed',
      SPIr: header.SPIr,
      suite,
      Nr: nonce.data,
      sharedSecret,
      nat: nat ?? NO_NAT,
      traversal: nat !== undefined,
      fragmentation: fragmented ? fragmentSizes : undefined,
      announced: announcedIn(payloads),
      puzzle: authPuzzle(payloads, nonce.data, header.SPIr),
    };
  }

  /** `accepted`: what the gateway said that it would take. */
  #refused(type: number, accepted?: readonly (readonly Transform[])[]): IkeInitOutcome {
    const { proposals } = this.#config;
    const told = accepted && algorithmsOf(accepted);
    return { kind: 'refused', error: errorOfNotify(type, { exchange: 'IKE_SA_INIT', proposals, accepted: told }) };
  }

  #disagreement(answer: readonly Proposal[]): Disagreement {
    const of = (proposals: readonly Proposal[]) => algorithmsOf(proposals.map(({ transforms }) => transforms));
    return { offered: of(this.#offered), accepted: of(answer) };
  }
}

/** RFC 8019 §7.2.3: in IKE_AUTH, S = Nr | SPIr. One without a difficulty is none (§7.2.1.1). */
function authPuzzle(payloads: readonly Payload[], Nr: Uint8Array, SPIr: bigint): Puzzle | undefined {
  const data = notifiedIn(payloads, NotifyType.PUZZLE);
  const terms = data && decodePuzzle(data);
  if (!terms || isWireError(terms) || terms.difficulty === 0 || !isWorthwhile(terms)) return undefined;
  return { ...terms, S: concat(Nr, spiBytes(SPIr)) };
}

function mangled(what: string, disagreement?: Disagreement): IkeInitOutcome {
  return {
    kind: 'refused',
    error: new IkeError({
      disagreement,
      code: 'protocol',
      message: `the gateway's answer to IKE_SA_INIT cannot be used: ${what}`,
      remedy: 'if it happens every time, save the log and report it; if not, someone may be forging answers',
      exchange: 'IKE_SA_INIT',
    }),
  };
}
