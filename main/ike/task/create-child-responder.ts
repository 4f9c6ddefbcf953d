// A CREATE_CHILD_SA of the peer's for a CHILD SA: one more, or one that replaces another (RFC 7296 §1.3.1, §1.3.3, §2.9, §2.9.2). The
// messages are drawn in create-child.ts. Which CHILD SA is meant, and whether now is the time, child-answers.ts has decided.

import { wordOf } from '../../crypto/keyword.ts';
import { choose } from '../../crypto/proposal.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { espSuite } from '../../crypto/suite.ts';
import { type Proposal, ProtocolId, TransformType, transform } from '../../crypto/transform.ts';
import type { ChildSa } from '../child-sa.ts';
import { notifiesIn, notifyOf } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import type { IkeSa } from '../sa.ts';
import { childSa, childSpi, childSpiBytes } from './child.ts';
import { type ChildPolicy, modeFor, modeRefused, narrowed, selectorsRefused } from './child-policy.ts';
import { PendingFollowUps } from './follow-up.ts';
import { answerKeyExchange, lowerNonce, NONCE_BYTES } from './key-exchange.ts';
import { onlyGroup } from './rekey-ike.ts';

export type CreateChildAnswer =
  /** `least`: the lower nonce of the exchange. */
  | {
      readonly kind: 'made';
      readonly payloads: readonly Payload[];
      readonly child: ChildSa;
      readonly least: Uint8Array;
    }
  | { readonly kind: 'begun'; readonly payloads: readonly Payload[]; readonly pending: PendingFollowUps<ChildSa> }
  | { readonly kind: 'refused'; readonly payloads: readonly Payload[]; readonly why: string };

/** The SPI in REKEY_SA: the one that the sender receives with (RFC 7296 §1.3.3); undefined: it wants one more CHILD SA. */
export function rekeyedSpi(request: readonly Payload[]): number | 'mangled' | undefined {
  const rekey = notifiesIn(request, NotifyType.REKEY_SA)[0];
  if (!rekey) return undefined;
  return rekey.protocol === ProtocolId.ESP && rekey.spi.length === 4 ? childSpi(rekey.spi) : 'mangled';
}

/** RFC 7296 §2.25: the notify repeats the SPI that it is about. */
export function childNotFound(spi: number): Payload {
  const type = NotifyType.CHILD_SA_NOT_FOUND;
  return { kind: 'notify', protocol: ProtocolId.ESP, spi: childSpiBytes(spi), type, data: new Uint8Array(0) };
}

export function answerCreateChild(
  request: readonly Payload[],
  context: {
    readonly sa: IkeSa;
    readonly policy: ChildPolicy;
    readonly spiIn: number;
    readonly random: RandomBytes;
  },
): CreateChildAnswer {
  const { sa, policy, spiIn, random } = context;
  const offered = payloadOf(request, 'sa');
  const tsi = payloadOf(request, 'tsi');
  const tsr = payloadOf(request, 'tsr');
  const Ni = payloadOf(request, 'nonce')?.data;
  if (!offered || !tsi || !tsr || !Ni) return refused(NotifyType.INVALID_SYNTAX, 'SA, Nonce, TSi or TSr is missing');

  const mode = modeFor(request, policy.modes);
  if (!mode) return refused(NotifyType.NO_PROPOSAL_CHOSEN, modeRefused(request));

  const proposal = chooseEsp(offered.proposals, policy, sa, payloadOf(request, 'ke')?.method);
  if (!proposal) return refused(NotifyType.NO_PROPOSAL_CHOSEN, 'none of its ESP proposals is acceptable');
  if (proposal.spi.length !== 4 || childSpi(proposal.spi) === 0)
    return refused(NotifyType.NO_PROPOSAL_CHOSEN, 'its ESP SPI is not 4 bytes other than zero');

  const selectors = narrowed(mode, tsi.selectors, tsr.selectors, sa, policy);
  if (selectors.local.length === 0 || selectors.remote.length === 0)
    return refused(NotifyType.TS_UNACCEPTABLE, selectorsRefused(tsi.selectors, tsr.selectors));
  const objection = policy.refuses?.({ mode, ...selectors });
  if (objection !== undefined) return refused(NotifyType.TS_UNACCEPTABLE, objection);

  const suite = espSuite(proposal.transforms);
  const agreed = answerKeyExchange(suite.ke?.id, request, random);
  if (agreed.kind === 'refused') return agreed;
  const Nr = random(NONCE_BYTES);
  const make = (additional: readonly Uint8Array[]): ChildSa => {
    const secrets = [...agreed.secrets, ...additional];
    const child = childSa({
      sa,
      mode,
      suite,
      unencrypted: policy.unencrypted,
      spiIn,
      spiOut: childSpi(proposal.spi),
      ...selectors,
      keying: { initiated: false, Ni, Nr, secrets },
    });
    for (const secret of secrets) secret.fill(0);
    return child;
  };
  const least = lowerNonce(Ni, Nr);
  const payloads: readonly Payload[] = [
    ...(mode === 'transport' ? [notifyOf(NotifyType.USE_TRANSPORT_MODE)] : []),
    notifyOf(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED),
    { kind: 'sa', proposals: [{ ...proposal, spi: childSpiBytes(spiIn) }] },
    { kind: 'nonce', data: Nr },
    ...agreed.payloads,
    { kind: 'tsi', selectors: selectors.remote },
    { kind: 'tsr', selectors: selectors.local },
  ];
  if (suite.additional.length === 0) return { kind: 'made', child: make([]), least, payloads };
  const pending = new PendingFollowUps(suite.additional, least, random, make);
  return { kind: 'begun', payloads: [...payloads, pending.link], pending };
}

/**
 * With a key exchange if both ends name one; the group that the peer has guessed saves a round. Where only the peer names one, it
 * gets it: any group that the IKE SA would take is stronger than none. Where only we do, the policy decides.
 */
function chooseEsp(
  offered: readonly Proposal[],
  policy: ChildPolicy,
  sa: IkeSa,
  guessed: number | undefined,
): Proposal | undefined {
  const { proposals, unencrypted, pfs } = policy;
  const withKe = (candidates: readonly Proposal[], ours: readonly string[]): Proposal | undefined =>
    choose(candidates, ours, 'esp', { unencrypted })?.proposal;
  const ike = wordOf(transform(TransformType.KE, sa.suite.ke.id));
  const also = proposals.map((text) => `${text}-${ike}`);
  const named =
    withKe(onlyGroup(offered, guessed), proposals) ??
    withKe(offered, proposals) ??
    withKe(onlyGroup(offered, guessed), also) ??
    withKe(offered, also);
  if (named) return named;
  if (pfs === 'required') return undefined;
  const optional = offered.filter(({ transforms }) => {
    const groups = transforms.filter((of) => of.type === TransformType.KE);
    return groups.length === 0 || groups.some((of) => of.id === 0);
  });
  return choose(optional, proposals, 'esp', { withoutKe: true, unencrypted })?.proposal;
}

function refused(type: number, why: string): CreateChildAnswer {
  return { kind: 'refused', payloads: [notifyOf(type)], why };
}
