// A CHILD SA of ours by CREATE_CHILD_SA: one more, or one that replaces another (RFC 7296 §1.3.1, §1.3.3, §2.8, §2.9.2).
//
//   HDR, SK {[N(REKEY_SA)], [N(USE_TRANSPORT_MODE)], SA, Ni, [KEi], TSi, TSr}  -->
//                             <--  HDR, SK {[N(USE_TRANSPORT_MODE)], SA, Nr, [KEr], TSi, TSr}
//                             <--  HDR, SK {N(INVALID_KE_PAYLOAD)}       once more with the group that it names
//                             <--  HDR, SK {N(TEMPORARY_FAILURE | CHILD_SA_NOT_FOUND | NO_ADDITIONAL_SAS | …)}
import { ProtocolId } from '../../crypto/transform.ts';
import type { Address } from '../../wire/address.ts';
import { IkeError } from '../error.ts';
import type { Request } from '../exchange.ts';
import { Exchange, type Message } from '../message.ts';
import { isErrorNotify, NotifyType } from '../notify.ts';
import { type Payload, payloadOf, payloadsOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import type { ChildRequest, ChildSa, RandomBytes } from '../types.ts';
import { ChildOffer, childSa, childSpiBytes } from './child.ts';
import { firstGroup, groupWanted, KeyExchangeOffer, lowerNonce, NONCE_BYTES } from './key-exchange.ts';

export interface CreateChildTerms {
  readonly sa: IkeSa;
  /** What is asked for; its selectors are final. */
  readonly request: ChildRequest;
  /** The SPI that we receive with on the CHILD SA to be replaced. */
  readonly rekeys: number | undefined;
  readonly spiIn: number;
  /** The group to begin with; undefined: the one that the IKE SA uses, where it is offered. */
  readonly group?: number | undefined;
  readonly localAddress: Address;
}

export type CreateChildOutcome =
  /** `least`: the lower nonce of the exchange. */
  | { readonly kind: 'made'; readonly child: ChildSa; readonly least: Uint8Array }
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

  /** Throws a ProposalError where a proposal cannot be parsed. */
  constructor(terms: CreateChildTerms, random: RandomBytes) {
    const { request, spiIn, localAddress } = terms;
    this.terms = terms;
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
    if (group !== undefined && group !== this.#ke.group && this.#offer.groups.includes(group))
      return { kind: 'again', group };
    const agreed = this.#offer.agree(payloads, sa);
    const refusal = payloadsOf(payloads, 'notify').find((n) => isErrorNotify(n.type));
    if (agreed instanceof IkeError)
      return refusal ? { kind: 'refused', type: refusal.type, error: agreed } : { kind: 'unusable', error: agreed };
    const Nr = payloadOf(payloads, 'nonce')?.data;
    const secrets = Nr ? this.#ke.finish(agreed.child.suite.ke?.id, payloads) : 'it has no nonce';
    if (!Nr || typeof secrets === 'string') return { kind: 'unusable', error: unusable(String(secrets)) };
    const { Ni } = this;
    const child = childSa({ sa, ...agreed.child, keying: { initiated: true, Ni, Nr, secrets } });
    for (const secret of secrets) secret.fill(0);
    return { kind: 'made', child, least: lowerNonce(Ni, Nr) };
  }

  wipe(): void {
    this.#ke.wipe();
  }
}

function unusable(text: string): IkeError {
  return new IkeError({
    code: 'protocol',
    message: `the gateway's answer to CREATE_CHILD_SA cannot be used: ${text}`,
    remedy: 'this is a fault of either program: save the log and report it',
    exchange: 'CREATE_CHILD_SA',
  });
}
