// The CHILD SA that IKE_AUTH makes, the responder's side: address lease, mode, proposal, narrowing (RFC 7296 §2.9, §2.19, §2.23.1,
// §3.15.4). The messages are drawn in child.ts.
import { algorithmsNamed, algorithmsOf, compareAlgorithms } from '../../crypto/algorithms.ts';
import { choose } from '../../crypto/proposal.ts';
import { espSuite } from '../../crypto/suite.ts';
import type { Selector } from '../../wire/selector.ts';
import type { ChildSa } from '../child-sa.ts';
import { type AddressLease, configurationReply, requestedFamilies, requestsDomains } from '../configuration.ts';
import type { Identity } from '../identity.ts';
import { EVERYTHING, hostSelector } from '../narrow.ts';
import { notifyOf } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf, payloadsOf } from '../payload/payload.ts';
import type { ResponderConfig } from '../responder-config.ts';
import type { IkeSa } from '../sa.ts';
import { childSa, childSpi, childSpiBytes } from './child.ts';
import { modeFor, modeRefused, narrowed, selectorsRefused } from './child-policy.ts';

export type ChildAnswer =
  | {
      readonly kind: 'made';
      readonly payloads: readonly Payload[];
      readonly child: ChildSa;
      readonly lease: AddressLease | undefined;
    }
  /** Answered with an error notify; the IKE SA lives on without a child (RFC 7296 §1.2). */
  | { readonly kind: 'refused'; readonly payloads: readonly Payload[]; readonly why: string };

export function answerChild(
  request: readonly Payload[],
  context: {
    readonly sa: IkeSa;
    readonly config: ResponderConfig;
    readonly peer: Identity;
    /** SPI on packets that we shall receive. */
    readonly spiIn: number;
  },
): ChildAnswer {
  const { sa, config, peer, spiIn } = context;
  const offered = payloadOf(request, 'sa');
  const tsi = payloadOf(request, 'tsi');
  const tsr = payloadOf(request, 'tsr');
  if (!offered || !tsi || !tsr) return refused(NotifyType.INVALID_SYNTAX, 'SA, TSi or TSr is missing');

  const mode = modeFor(request, config.modes);
  if (!mode) return refused(NotifyType.NO_PROPOSAL_CHOSEN, modeRefused(request));

  const { unencrypted } = config;
  const choice = choose(offered.proposals, config.childProposals, 'esp', { withoutKe: true, unencrypted });
  if (!choice)
    return refused(
      NotifyType.NO_PROPOSAL_CHOSEN,
      `none of its ESP proposals is acceptable\n${compareAlgorithms(
        algorithmsOf(offered.proposals.map(({ transforms }) => transforms)),
        algorithmsNamed(config.childProposals, 'esp'),
      )}`,
    );
  if (choice.proposal.spi.length !== 4 || childSpi(choice.proposal.spi) === 0)
    return refused(NotifyType.NO_PROPOSAL_CHOSEN, 'its ESP SPI is not 4 bytes other than zero');

  const cp = payloadsOf(request, 'cp').find((payload) => payload.type === 'request');
  const families = cp ? requestedFamilies(cp) : [];
  if (families.length === 0 && config.remote === 'lease' && mode === 'tunnel')
    return refused(NotifyType.FAILED_CP_REQUIRED, 'it asks for no address, and only leased ones are allowed');
  const lease = families.length > 0 ? config.lease(peer, families) : undefined;
  if (families.length > 0 && !lease)
    return refused(NotifyType.INTERNAL_ADDRESS_FAILURE, 'there is no address to lease');
  const giveBack = (answer: ChildAnswer): ChildAnswer => {
    if (lease) config.release?.(peer, lease);
    return answer;
  };

  const policy = { local: config.local, remote: remotePolicy(sa, config, lease) };
  const selectors = narrowed(mode, tsi.selectors, tsr.selectors, sa, policy);
  if (selectors.local.length === 0 || selectors.remote.length === 0)
    return giveBack(refused(NotifyType.TS_UNACCEPTABLE, selectorsRefused(tsi.selectors, tsr.selectors)));
  const objection = config.refuses?.({ mode, ...selectors });
  if (objection !== undefined) return giveBack(refused(NotifyType.TS_UNACCEPTABLE, objection));

  const suite = espSuite(choice.proposal.transforms);
  return {
    kind: 'made',
    lease,
    child: childSa({ sa, mode, suite, unencrypted, spiIn, spiOut: childSpi(choice.proposal.spi), ...selectors }),
    payloads: [
      ...(lease ? [configurationReply(cp && requestsDomains(cp) ? lease : { ...lease, domains: [] })] : []),
      ...(mode === 'transport' ? [notifyOf(NotifyType.USE_TRANSPORT_MODE)] : []),
      notifyOf(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED),
      { kind: 'sa', proposals: [{ ...choice.proposal, spi: childSpiBytes(spiIn) }] },
      { kind: 'tsi', selectors: selectors.remote },
      { kind: 'tsr', selectors: selectors.local },
    ],
  };
}

/** The widest selectors on the peer's side. */
export function remotePolicy(sa: IkeSa, config: ResponderConfig, lease: AddressLease | undefined): readonly Selector[] {
  if (config.remote === 'any') return EVERYTHING;
  if (config.remote !== 'lease') return config.remote;
  return lease ? lease.addresses.map(({ address }) => hostSelector(address)) : [hostSelector(sa.remote.address)];
}

function refused(type: number, why: string): ChildAnswer {
  return { kind: 'refused', payloads: [notifyOf(type)], why };
}
