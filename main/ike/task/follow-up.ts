// IKE_FOLLOWUP_KE: the additional key exchanges of what CREATE_CHILD_SA has begun, one each (RFC 9370 §2.2.4). ADDITIONAL_KEY_EXCHANGE carries
// the responder's link from one to the next; what is begun is made when the last is answered.
//
//   HDR, SK {SA, Ni, KEi, …}            -->
//                                       <--  HDR, SK {SA, Nr, KEr, …, N(ADDITIONAL_KEY_EXCHANGE)(link1)}
//   HDR, SK {KEi(1), N(ADDITIONAL_KEY_EXCHANGE)(link1)}  -->
//                                       <--  HDR, SK {KEr(1), N(ADDITIONAL_KEY_EXCHANGE)(link2)}
//   HDR, SK {KEi(2), N(ADDITIONAL_KEY_EXCHANGE)(link2)}  -->
//                                       <--  HDR, SK {KEr(2)}
//                                       <--  HDR, SK {N(STATE_NOT_FOUND)}     the responder has given it up
import { equalConstantTime } from '../../crypto/constant-time.ts';
import type { KeyExchange } from '../../crypto/ke.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { AdditionalKeyExchanges } from '../additional-ke.ts';
import type { Request } from '../exchange.ts';
import { Exchange } from '../message.ts';
import { notifiedIn } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import type { CreateChildTask } from './create-child.ts';
import type { RekeyIkeTask } from './rekey-ike.ts';

export const linkOf = (payloads: readonly Payload[]): Uint8Array | undefined =>
  notifiedIn(payloads, NotifyType.ADDITIONAL_KEY_EXCHANGE);

const linkNotify = (data: Uint8Array): Payload => ({
  kind: 'notify',
  protocol: 0,
  type: NotifyType.ADDITIONAL_KEY_EXCHANGE,
  spi: new Uint8Array(0),
  data,
});

/** Our half of the series. */
export class FollowUps {
  readonly exchanges: AdditionalKeyExchanges;
  #link: Uint8Array;

  constructor(methods: readonly KeyExchange[], link: Uint8Array, random: RandomBytes) {
    this.exchanges = new AdditionalKeyExchanges(methods, random);
    this.#link = link;
  }

  build(): readonly Payload[] {
    return [this.exchanges.offer(), linkNotify(this.#link)];
  }

  /** `more`: the next one is due. Otherwise what is wrong with the response. */
  accept(payloads: readonly Payload[]): 'more' | 'done' | { readonly wrong: string } {
    const accepted = this.exchanges.accept(payloadOf(payloads, 'ke'));
    if (typeof accepted === 'string') return { wrong: accepted };
    if (!this.exchanges.next) return 'done';
    const link = linkOf(payloads);
    if (!link) return { wrong: 'ADDITIONAL_KEY_EXCHANGE is missing' };
    this.#link = link;
    return 'more';
  }
}

/** The next request of the series that `of` has begun. */
export class FollowUpTask implements Request {
  readonly kind = 'follow-up';
  readonly exchange = Exchange.IKE_FOLLOWUP_KE;
  readonly name: string;
  readonly of: CreateChildTask | RekeyIkeTask;

  constructor(of: CreateChildTask | RekeyIkeTask) {
    this.of = of;
    this.name = `${of.name} (IKE_FOLLOWUP_KE)`;
  }

  build(): readonly Payload[] {
    return this.of.buildFollowUp();
  }

  wipe() {
    this.of.wipe();
  }
}

const LINK_BYTES = 8;

export type FollowUpAnswer<T> =
  | { readonly kind: 'more'; readonly payloads: readonly Payload[] }
  | { readonly kind: 'made'; readonly payloads: readonly Payload[]; readonly made: T }
  | { readonly kind: 'refused'; readonly why: string };

/** The responder's half: what waits for the peer's next IKE_FOLLOWUP_KE. */
export class PendingFollowUps<T> {
  readonly least: Uint8Array;
  readonly #exchanges: AdditionalKeyExchanges;
  readonly #random: RandomBytes;
  readonly #finish: (secrets: readonly Uint8Array[]) => T;
  #link: Uint8Array;

  /** `finish` gets SK(1) … SK(n), which are wiped behind it; `least`: the lower nonce of CREATE_CHILD_SA. */
  constructor(
    methods: readonly KeyExchange[],
    least: Uint8Array,
    random: RandomBytes,
    finish: (secrets: readonly Uint8Array[]) => T,
  ) {
    this.least = least;
    this.#exchanges = new AdditionalKeyExchanges(methods, random);
    this.#random = random;
    this.#finish = finish;
    this.#link = random(LINK_BYTES);
  }

  /** For the answer to CREATE_CHILD_SA. */
  get link(): Payload {
    return linkNotify(this.#link);
  }

  matches(request: readonly Payload[]): boolean {
    const link = linkOf(request);
    return link !== undefined && equalConstantTime(link, this.#link);
  }

  answer(request: readonly Payload[]): FollowUpAnswer<T> {
    const answered = this.#exchanges.respond(payloadOf(request, 'ke'));
    if (typeof answered === 'string') return { kind: 'refused', why: answered };
    if (this.#exchanges.next) {
      this.#link = this.#random(LINK_BYTES);
      return { kind: 'more', payloads: [answered.payload, this.link] };
    }
    const made = this.#finish(this.#exchanges.secrets);
    this.wipe();
    return { kind: 'made', payloads: [answered.payload], made };
  }

  wipe(): void {
    this.#exchanges.wipe();
  }
}
