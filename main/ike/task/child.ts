// A CHILD SA, made by IKE_AUTH or CREATE_CHILD_SA: the initiator's offer and its check of the answer (RFC 7296 §1.2, §2.9, §2.17, §2.23.1, §3.15).
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   … [CP(CFG_REQUEST)], [N(USE_TRANSPORT_MODE)], N(ESP_TFC_PADDING_NOT_SUPPORTED), SAi2, TSi, TSr  -->
//                 <--  … [CP(CFG_REPLY)], [N(USE_TRANSPORT_MODE)], SAr2, TSi, TSr
//                 <--  … N(NO_PROPOSAL_CHOSEN | TS_UNACCEPTABLE | INTERNAL_ADDRESS_FAILURE | FAILED_CP_REQUIRED | …)
import { checkAnswer, offer } from '../../crypto/proposal.ts';
import { type EspSuite, espSuite } from '../../crypto/suite.ts';
import { type Proposal, TransformType } from '../../crypto/transform.ts';
import type { Address } from '../../wire/address.ts';
import { formatSelector, type Selector } from '../../wire/selector.ts';
import type { ChildMode, ChildRequest, ChildSa } from '../child-sa.ts';
import { type Configuration, configurationRequest, NO_CONFIGURATION, readConfiguration } from '../configuration.ts';
import { IkeError, type IkeErrorCode } from '../error.ts';
import { deriveChildKeys } from '../keymat.ts';
import { hostSelector, isSingleAddress, narrow, substituteAddress } from '../narrow.ts';
import { errorNotifyIn, notifyOf, says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { type Payload, payloadOf, payloadsOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';

export interface ChildOfferConfig {
  readonly request: ChildRequest;
  readonly requestAddresses: readonly (4 | 6)[];
  /** Our own address, for dynamic selectors in transport mode. */
  readonly localAddress: Address;
  /** SPI on packets that we shall receive. */
  readonly spiIn: number;
  /** Undefined: IKE_AUTH, which has no key exchange of its own for the CHILD SA (RFC 7296 §1.2). */
  readonly exchange?: 'CREATE_CHILD_SA' | undefined;
}

/** What both ends have agreed on, short of the keys. */
export interface AgreedChild {
  readonly mode: ChildMode;
  readonly suite: EspSuite;
  readonly unencrypted: boolean | undefined;
  readonly spiIn: number;
  readonly spiOut: number;
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[];
}

export class ChildOffer {
  readonly spiIn: number;
  readonly #config: ChildOfferConfig;
  readonly #offered: readonly Proposal[];
  readonly #local: readonly Selector[];

  /** Throws a ProposalError where a proposal cannot be parsed. */
  constructor(config: ChildOfferConfig) {
    const { request, localAddress, spiIn } = config;
    this.spiIn = spiIn;
    this.#config = config;
    const { unencrypted } = request;
    const proposals = offer(request.proposals, 'esp', childSpiBytes(spiIn), {
      withoutKe: !config.exchange,
      unencrypted,
    });
    this.#offered = config.exchange && request.pfs !== 'required' ? alsoWithoutKe(proposals) : proposals;
    // Transport mode carries the packets of the hosts themselves (RFC 7296 §2.23.1).
    const ownAddress = request.localIsDynamic && request.mode === 'transport';
    this.#local = ownAddress ? withoutRepeats(substituteAddress(request.local, localAddress)) : request.local;
  }

  /** Key-exchange groups that are offered, in order. */
  get groups(): readonly number[] {
    const groups = this.#offered.flatMap((proposal) =>
      proposal.transforms.filter((of) => of.type === TransformType.KE),
    );
    return [...new Set(groups.map((of) => of.id))].filter((id) => id !== 0);
  }

  build(): readonly Payload[] {
    const { request, requestAddresses } = this.#config;
    const cp = configurationRequest(requestAddresses);
    return [
      ...(cp ? [cp] : []),
      ...(request.mode === 'transport' ? [notifyOf(NotifyType.USE_TRANSPORT_MODE)] : []),
      notifyOf(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED),
      { kind: 'sa', proposals: this.#offered },
      { kind: 'tsi', selectors: this.#local },
      { kind: 'tsr', selectors: request.remote },
    ];
  }

  /** Checks the answer of IKE_AUTH; the keys in the CHILD SA belong to whoever takes it. */
  accept(
    payloads: readonly Payload[],
    sa: IkeSa,
  ): { readonly child: ChildSa; readonly configuration: Configuration } | IkeError {
    const agreed = this.agree(payloads, sa);
    if (agreed instanceof IkeError) return agreed;
    const { configuration } = agreed;
    return { child: childSa({ sa, ...agreed.child }), configuration };
  }

  /** Checks the answer; keys can be made of what it returns. */
  agree(
    payloads: readonly Payload[],
    sa: IkeSa,
  ): { readonly child: AgreedChild; readonly configuration: Configuration } | IkeError {
    const { request, requestAddresses } = this.#config;
    const failure = (code: IkeErrorCode, message: string, remedy: string): IkeError =>
      failureIn(this.#exchange, code, message, remedy);
    const refusal = errorNotifyIn(payloads);
    if (refusal)
      return errorOfNotify(refusal.type, {
        exchange: this.#exchange,
        proposals: request.proposals,
        selectors: this.#selectorText(),
      });

    const reply = payloadsOf(payloads, 'cp').find((cp) => cp.type === 'reply');
    const configuration = reply ? readConfiguration(reply) : NO_CONFIGURATION;
    if (requestAddresses.length > 0 && configuration.addresses.length === 0)
      return failure(
        'no-address',
        'the gateway assigned no virtual address although we asked for one',
        'ask the administrator for an address pool for remote users, or do not request an address in the profile',
      );

    const answer = payloadOf(payloads, 'sa');
    const tsi = payloadOf(payloads, 'tsi');
    const tsr = payloadOf(payloads, 'tsr');
    if (!answer || !tsi || !tsr)
      return failure('protocol', 'the gateway authenticated itself but answered nothing about the tunnel', REPORT);

    const mode: ChildMode = says(payloads, NotifyType.USE_TRANSPORT_MODE) ? 'transport' : 'tunnel';
    if (mode !== request.mode)
      return mode === 'tunnel'
        ? failure(
            'mode-refused',
            'the gateway does not do ESP transport mode for this tunnel',
            "choose the shape 'gre-tunnel' in the profile, or ask the administrator to enable transport mode",
          )
        : failure('protocol', 'the gateway chose transport mode, which we did not ask for', REPORT);

    const chosen = checkAnswer(answer.proposals, this.#offered);
    if (typeof chosen === 'string')
      return failure('protocol', `the gateway's choice of ESP algorithms cannot be used: ${chosen}`, REPORT);
    if (chosen.spi.length !== 4 || childSpi(chosen.spi) === 0)
      return failure('protocol', "the gateway's ESP SPI is not 4 bytes other than zero", REPORT);

    const selectors = this.#selectors(mode, tsi.selectors, tsr.selectors, sa, configuration);
    if (selectors instanceof IkeError) return selectors;
    const child = {
      mode,
      suite: espSuite(chosen.transforms),
      unencrypted: request.unencrypted,
      spiIn: this.spiIn,
      spiOut: childSpi(chosen.spi),
      ...selectors,
    };
    return { child, configuration };
  }

  get #exchange(): string {
    return this.#config.exchange ?? 'IKE_AUTH';
  }

  #selectors(
    mode: ChildMode,
    tsi: readonly Selector[],
    tsr: readonly Selector[],
    sa: IkeSa,
    configuration: Configuration,
  ): { readonly local: readonly Selector[]; readonly remote: readonly Selector[] } | IkeError {
    const { request } = this.#config;
    const failure = (code: IkeErrorCode, message: string, remedy: string): IkeError =>
      failureIn(this.#exchange, code, message, remedy);
    let [local, remote] = [tsi, tsr];
    if (mode === 'transport') {
      if (!isSingleAddress(tsi) || !isSingleAddress(tsr))
        return failure('traffic-selectors', 'the gateway answered transport mode with more than one address', REPORT);
      // RFC 7296 §2.23.1: the answer names the addresses that the gateway sees; ours are the ones before the NATs. Done before
      // anything else looks at them.
      if (sa.nat.local) local = substituteAddress(tsi, sa.local.address);
      if (sa.nat.remote) remote = substituteAddress(tsr, sa.remote.address);
    }
    // RFC 7296 §2.9: the answer is a subset of the offer. Some answer wider (Libreswan any protocol beside an address that it
    // assigned, others a whole network): the part that we asked for is what we use, and nothing beyond it.
    const said = `${formatSelectors(local)} === ${formatSelectors(remote)}`;
    [local, remote] = [narrow(local, this.#local), narrow(remote, request.remote)];
    if (local.length === 0 || remote.length === 0)
      return failure(
        'traffic-selectors',
        `the gateway answered with traffic selectors that we did not offer: ${said}, offered ${this.#selectorText()}`,
        "compare the tunnel's shape and addresses in the profile with what the gateway is set up for",
      );
    if (!request.localIsDynamic || configuration.addresses.length === 0) return { local, remote };
    const assigned = narrow(
      local,
      configuration.addresses.map(({ address }) => hostSelector(address)),
    );
    if (assigned.length === 0)
      return failure(
        'traffic-selectors',
        `the gateway's traffic selectors ${formatSelectors(local)} do not contain the address that it assigned to us`,
        'the gateway is set up inconsistently: tell its administrator',
      );
    return { local: assigned, remote };
  }

  #selectorText(): string {
    return `${formatSelectors(this.#local)} === ${formatSelectors(this.#config.request.remote)}`;
  }
}

/** Like the proposals given, and behind them the same without a key exchange, for peers that do none (RFC 7296 §1.3). */
function alsoWithoutKe(proposals: readonly Proposal[]): readonly Proposal[] {
  const isKe = ({ type }: { readonly type: number }): boolean =>
    type === TransformType.KE || (type >= TransformType.ADDKE1 && type <= TransformType.ADDKE7);
  if (proposals.some((proposal) => !proposal.transforms.some(isKe))) return proposals;
  const without = proposals
    .filter((proposal) => proposal.transforms.some(isKe))
    .map((proposal) => ({ ...proposal, transforms: proposal.transforms.filter((of) => !isKe(of)) }));
  return [...proposals, ...without].map((proposal, i) => ({ ...proposal, number: i + 1 }));
}

/** The CREATE_CHILD_SA exchange that a CHILD SA's keys come from (RFC 7296 §2.17). */
export interface ChildKeying {
  /** We sent the request. */
  readonly initiated: boolean;
  readonly Ni: Uint8Array;
  readonly Nr: Uint8Array;
  /** g^ir and the secrets of additional key exchanges, none without any; the caller wipes them. */
  readonly secrets: readonly Uint8Array[];
}

/** What both ends put together once they agree. Without `keying` it is the CHILD SA of IKE_AUTH. */
export function childSa(
  terms: AgreedChild & { readonly sa: IkeSa; readonly keying?: ChildKeying | undefined },
): ChildSa {
  const { sa, suite, keying } = terms;
  const lengths = { key: suite.keyBytes, salt: suite.saltBytes, integrity: suite.integrityKeyBytes };
  const keys = deriveChildKeys(sa.suite.prf, sa.keys.SK_d, keying ?? { Ni: sa.Ni, Nr: sa.Nr }, lengths);
  const ours = keying ? keying.initiated : sa.role === 'initiator';
  return {
    spiIn: terms.spiIn,
    spiOut: terms.spiOut,
    mode: terms.mode,
    cipher: suite.cipher,
    proposal: suite.name,
    keyIn: ours ? keys.responderKey : keys.initiatorKey,
    saltIn: ours ? keys.responderSalt : keys.initiatorSalt,
    keyOut: ours ? keys.initiatorKey : keys.responderKey,
    saltOut: ours ? keys.initiatorSalt : keys.responderSalt,
    ...(suite.integrity && {
      integrity: suite.integrity,
      integrityKeyIn: ours ? keys.responderIntegrityKey : keys.initiatorIntegrityKey,
      integrityKeyOut: ours ? keys.initiatorIntegrityKey : keys.responderIntegrityKey,
    }),
    ...(terms.unencrypted && { unencrypted: true }),
    esn: suite.esn,
    local: terms.local,
    remote: terms.remote,
    encapsulation: sa.encapsulation,
    peer: sa.remote,
  };
}

/** The keys of a CHILD SA that nobody takes. */
export function wipeChild(child: ChildSa): void {
  const { keyIn, saltIn, integrityKeyIn, keyOut, saltOut, integrityKeyOut } = child;
  for (const secret of [keyIn, saltIn, integrityKeyIn, keyOut, saltOut, integrityKeyOut]) secret?.fill(0);
}

/** An ESP SPI: 4 bytes, network order ⇄ number. */
export function childSpiBytes(spi: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, spi);
  return bytes;
}

export function childSpi(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

export const formatSelectors = (selectors: readonly Selector[]): string => selectors.map(formatSelector).join(', ');

/** Substitution can make selectors of several ranges the same one. */
const withoutRepeats = (selectors: readonly Selector[]): Selector[] => narrow(selectors, selectors);

const REPORT = 'this is a fault of either program: save the log and report it';

function failureIn(exchange: string, code: IkeErrorCode, message: string, remedy: string): IkeError {
  return new IkeError({ code, message, remedy, exchange });
}
