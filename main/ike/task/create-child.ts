// A CHILD SA of ours by CREATE_CHILD_SA: one more, or one that replaces another (RFC 7296 §1.3.1, §1.3.3, §2.8, §2.9.2).
//
//   HDR, SK {[N(REKEY_SA)], [N(USE_TRANSPORT_MODE)], SA, Ni, [KEi], TSi, TSr}  -->
//                             <--  HDR, SK {[N(USE_TRANSPORT_MODE)], SA, Nr, [KEr], TSi, TSr}
//                                  and with additional key exchanges what follow-up.ts draws
//                             <--  HDR, SK {N(INVALID_KE_PAYLOAD)}       once more with the group that it names
//                             <--  HDR, SK {N(TEMPORARY_FAILURE | CHILD_SA_NOT_FOUND | NO_ADDITIONAL_SAS | …)}

import type { RandomBytes } from '../../crypto/random.ts';
import { ProtocolId } from '../../crypto/transform.ts';
import type { Address } from '../../wire/address.ts';
import type { ChildRequest, ChildSa } from '../child-sa.ts';
import { IkeError } from '../error.ts';
import type { Request } from '../exchange.ts';
import { Exchange, type Message } from '../message.ts';
import { errorNotifyIn } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import { type AgreedChild, ChildOffer, childSa, childSpiBytes } from './child.ts';
import { FollowUps, linkOf } from './follow-up.ts';
import { asksForAnother, firstGroup, groupWanted, KeyExchangeOffer, lowerNonce, NONCE_BYTES } from './key-exchange.ts';

export interface CreateChildTerms {
  readonly sa: IkeSa;
  /** What is asked for; its selectors are final. */
  readonly request: ChildRequest;
  /** The SPI that we receive with on the CHILD SA to be replaced. */
  readonly rekeys: number | undefined;
  readonly spiIn: number;
  /** The group that the peer has asked for (INVALID_KE_PAYLOAD); undefined: the one that the IKE SA uses, where it is offered. */
  readonly group?: number | undefined;
  readonly localAddress: Address;
}

export type CreateChildOutcome =
  /** `least`: the lower nonce of the exchange. */
  | { readonly kind: 'made'; readonly child: ChildSa; readonly least: Uint8Array }
  /** IKE_FOLLOWUP_KE is due (RFC 9370 §2.2.4); `least` is known already. */
  | { readonly kind: 'more'; readonly least: Uint8Array }
  /** Begin again with this group. */
  | { readonly kind: 'again'; readonly group: number }
  | { readonly kind: 'refused'; readonly type: number; readonly error: IkeError }
  /** The peer has made it, but we cannot use what it made: to be deleted there. */
  | { readonly kind: 'unusable'; readonly error: IkeError };

export class CreateChildTask implements Request {
  readonly kind = 'create-child';
  readonly name: string;
  readonly exchange = Exchange.CREATE_CHILD_SA;
  readonly terms: CreateChildTerms;
  readonly Ni: Uint8Array;
  readonly #offer: ChildOffer;
  readonly #ke: KeyExchangeOffer;
  readonly #random: RandomBytes;
  /** Agreed on, with additional key exchanges still to come. */
  #begun: Begun | undefined;

  /** Throws a ProposalError where a proposal cannot be parsed. */
  constructor(terms: CreateChildTerms, random: RandomBytes) {
    const { request, spiIn, localAddress } = terms;
    this.terms = terms;
    this.#random = random;
    this.name = terms.rekeys === undefined ? 'creation of a CHILD SA' : 'rekeying of a CHILD SA';
    this.Ni = random(NONCE_BYTES);
    this.#offer = new ChildOffer({ request, requestAddresses: [], localAddress, spiIn, exchange: 'CREATE_CHILD_SA' });
    this.#ke = new KeyExchangeOffer(firstGroup(this.#offer.groups, terms.group ?? terms.sa.suite.ke.id), random);
  }

  build(): readonly Payload[] {
    const { rekeys } = this.terms;
    const none = new Uint8Array(0);
    return [
      ...(rekeys === undefined
        ? []
        : [
            {
              kind: 'notify' as const,
              protocol: ProtocolId.ESP,
              type: NotifyType.REKEY_SA,
              spi: childSpiBytes(rekeys),
              data: none,
            },
          ]),
      ...this.#offer.build(),
      { kind: 'nonce', data: this.Ni },
      ...this.#ke.build(),
    ];
  }

  /** The response has been opened with the SA's keys and obeys the rules. */
  process({ payloads }: Message): CreateChildOutcome {
    const { sa } = this.terms;
    const group = groupWanted(payloads);
    if (asksForAnother(group, { tried: this.#ke.group, asked: this.terms.group, offered: this.#offer.groups }))
      return { kind: 'again', group };
    const agreed = this.#offer.agree(payloads, sa);
    const refusal = errorNotifyIn(payloads);
    if (agreed instanceof IkeError)
      return refusal ? { kind: 'refused', type: refusal.type, error: agreed } : { kind: 'unusable', error: agreed };
    const Nr = payloadOf(payloads, 'nonce')?.data;
    const secrets = Nr ? this.#ke.finish(agreed.child.suite.ke?.id, payloads) : 'it has no nonce';
    if (!Nr || typeof secrets === 'string') return { kind: 'unusable', error: unusable(String(secrets)) };
    const { additional } = agreed.child.suite;
    const least = lowerNonce(this.Ni, Nr);
    if (additional.length === 0) return this.#finish({ agreed: agreed.child, Nr, secrets, least });
    const link = linkOf(payloads);
    if (!link) return { kind: 'unusable', error: unusable('ADDITIONAL_KEY_EXCHANGE is missing') };
    const followUps = new FollowUps(additional, link, this.#random);
    this.#begun = { agreed: agreed.child, Nr, secrets, least, followUps };
    return { kind: 'more', least };
  }

  buildFollowUp(): readonly Payload[] {
    if (!this.#begun) throw new Error('nothing is begun');
    return this.#begun.followUps.build();
  }

  /** The response to IKE_FOLLOWUP_KE. */
  followUp({ payloads }: Message): CreateChildOutcome {
    const begun = this.#begun;
    if (!begun) throw new Error('nothing is begun');
    const refusal = errorNotifyIn(payloads);
    if (refusal)
      return {
        kind: 'refused',
        type: refusal.type,
        error: errorOfNotify(refusal.type, { exchange: 'IKE_FOLLOWUP_KE' }),
      };
    const accepted = begun.followUps.accept(payloads);
    if (accepted === 'more') return { kind: 'more', least: begun.least };
    if (accepted !== 'done') return { kind: 'unusable', error: unusable(accepted.wrong) };
    return this.#finish({ ...begun, secrets: [...begun.secrets, ...begun.followUps.exchanges.secrets] });
  }

  #finish({ agreed, Nr, secrets, least }: Omit<Begun, 'followUps'>): CreateChildOutcome {
    const { sa } = this.terms;
    const child = childSa({ sa, ...agreed, keying: { initiated: true, Ni: this.Ni, Nr, secrets } });
    for (const secret of secrets) secret.fill(0);
    return { kind: 'made', child, least };
  }

  wipe(): void {
    this.#ke.wipe();
    for (const secret of this.#begun?.secrets ?? []) secret.fill(0);
    this.#begun?.followUps.exchanges.wipe();
  }
}

interface Begun {
  readonly agreed: AgreedChild;
  readonly Nr: Uint8Array;
  /** g^ir, then the others; ours to wipe. */
  readonly secrets: readonly Uint8Array[];
  readonly least: Uint8Array;
  readonly followUps: FollowUps;
}

function unusable(text: string): IkeError {
  return new IkeError({
    code: 'protocol',
    message: `the gateway's answer to CREATE_CHILD_SA cannot be used: ${text}`,
    remedy: 'this is a fault of either program: save the log and report it',
    exchange: 'CREATE_CHILD_SA',
  });
}
