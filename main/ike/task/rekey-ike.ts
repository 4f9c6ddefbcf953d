// Rekeying the IKE SA, both sides (RFC 7296 §1.3.2, §2.18). Whoever sends the request is the original initiator of the new SA.
//
//   HDR, SK {SA (new SPIi), Ni, KEi}  -->
//                             <--  HDR, SK {SA (new SPIr), Nr, KEr}
//                                  and with additional key exchanges what follow-up.ts draws
//                             <--  HDR, SK {N(INVALID_KE_PAYLOAD)}       once more with the group that it names
//                             <--  HDR, SK {N(TEMPORARY_FAILURE | NO_PROPOSAL_CHOSEN | NO_ADDITIONAL_SAS)}
import { checkAnswer, choose, offer } from '../../crypto/proposal.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { type IkeSuite, ikeSuite } from '../../crypto/suite.ts';
import { type Proposal, TransformType } from '../../crypto/transform.ts';
import { IkeError } from '../error.ts';
import type { Request } from '../exchange.ts';
import { spiBytes } from '../keymat.ts';
import { Exchange, type Message } from '../message.ts';
import { errorNotifyIn, notifyOf } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { errorOfNotify } from '../notify-error.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import { IkeSa } from '../sa.ts';
import { FollowUps, linkOf, PendingFollowUps } from './follow-up.ts';
import {
  answerKeyExchange,
  asksForAnother,
  firstGroup,
  groupWanted,
  KeyExchangeOffer,
  lowerNonce,
  NONCE_BYTES,
} from './key-exchange.ts';

export type RekeyIkeOutcome =
  /** `least`: the lower nonce of the exchange. */
  | { readonly kind: 'made'; readonly sa: IkeSa; readonly least: Uint8Array }
  /** IKE_FOLLOWUP_KE is due (RFC 9370 §2.2.4); `least` is known already. */
  | { readonly kind: 'more'; readonly least: Uint8Array }
  | { readonly kind: 'again'; readonly group: number }
  | { readonly kind: 'refused'; readonly type: number; readonly error: IkeError };

export class RekeyIkeTask implements Request {
  readonly kind = 'rekey-ike';
  readonly name = 'rekeying of the IKE SA';
  readonly exchange = Exchange.CREATE_CHILD_SA;
  readonly Ni: Uint8Array;
  readonly #sa: IkeSa;
  readonly #random: RandomBytes;
  readonly #SPIi: bigint;
  readonly #proposals: readonly string[];
  readonly #asked: number | undefined;
  readonly #offered: readonly Proposal[];
  readonly #groups: readonly number[];
  readonly #ke: KeyExchangeOffer;
  /** Agreed on, with additional key exchanges still to come. */
  #begun: Begun | undefined;

  /** `group`: the one that the peer has asked for (INVALID_KE_PAYLOAD); undefined: the one that the SA uses, where it is offered. */
  constructor(
    terms: {
      readonly sa: IkeSa;
      readonly proposals: readonly string[];
      readonly SPIi: bigint;
      readonly group?: number | undefined;
    },
    random: RandomBytes,
  ) {
    const { sa, proposals, SPIi, group } = terms;
    this.#sa = sa;
    this.#random = random;
    this.#SPIi = SPIi;
    this.#proposals = proposals;
    this.#asked = group;
    this.Ni = random(NONCE_BYTES);
    // A gateway that has chosen none before may be one that does not bear them (fallback.ts).
    const withoutAdditional = sa.suite.additional.length === 0;
    this.#offered = offer(proposals, 'ike', spiBytes(SPIi), { withoutAdditional });
    this.#groups = this.#offered.flatMap(({ transforms }) =>
      transforms.filter((of) => of.type === TransformType.KE).map((of) => of.id),
    );
    this.#ke = new KeyExchangeOffer(firstGroup(this.#groups, group ?? sa.suite.ke.id), random);
  }

  build(): readonly Payload[] {
    return [{ kind: 'sa', proposals: this.#offered }, { kind: 'nonce', data: this.Ni }, ...this.#ke.build()];
  }

  /** The response has been opened with the SA's keys and obeys the rules. */
  process({ payloads }: Message): RekeyIkeOutcome {
    const group = groupWanted(payloads);
    if (asksForAnother(group, { tried: this.#ke.group, asked: this.#asked, offered: this.#groups }))
      return { kind: 'again', group };
    const refusal = errorNotifyIn(payloads);
    if (refusal) {
      const context = { exchange: 'CREATE_CHILD_SA', protocol: 'ike' as const, proposals: this.#proposals };
      return { kind: 'refused', type: refusal.type, error: errorOfNotify(refusal.type, context) };
    }
    const answer = payloadOf(payloads, 'sa');
    const Nr = payloadOf(payloads, 'nonce')?.data;
    if (!answer || !Nr) return mangled('SA or Nonce is missing');
    const chosen = checkAnswer(answer.proposals, this.#offered);
    if (typeof chosen === 'string') return mangled(chosen);
    const SPIr = ikeSpi(chosen.spi);
    if (!SPIr) return mangled('its SPI is not 8 bytes other than zero');
    const suite = ikeSuite(chosen.transforms);
    const secrets = this.#ke.finish(suite.ke.id, payloads);
    if (typeof secrets === 'string') return mangled(secrets);
    const least = lowerNonce(this.Ni, Nr);
    if (suite.additional.length === 0) return this.#finish({ SPIr, suite, Nr, secrets, least });
    const link = linkOf(payloads);
    if (!link) return mangled('ADDITIONAL_KEY_EXCHANGE is missing');
    const followUps = new FollowUps(suite.additional, link, this.#random);
    this.#begun = { SPIr, suite, Nr, secrets, least, followUps };
    return { kind: 'more', least };
  }

  buildFollowUp(): readonly Payload[] {
    if (!this.#begun) throw new Error('nothing is begun');
    return this.#begun.followUps.build();
  }

  /** The response to IKE_FOLLOWUP_KE. */
  followUp({ payloads }: Message): RekeyIkeOutcome {
    const begun = this.#begun;
    if (!begun) throw new Error('nothing is begun');
    const refusal = errorNotifyIn(payloads);
    if (refusal) {
      const error = errorOfNotify(refusal.type, { exchange: 'IKE_FOLLOWUP_KE' });
      return { kind: 'refused', type: refusal.type, error };
    }
    const accepted = begun.followUps.accept(payloads);
    if (accepted === 'more') return { kind: 'more', least: begun.least };
    if (accepted !== 'done') return mangled(accepted.wrong);
    return this.#finish({ ...begun, secrets: [...begun.secrets, ...begun.followUps.exchanges.secrets] });
  }

  #finish({ SPIr, suite, Nr, secrets, least }: Omit<Begun, 'followUps'>): RekeyIkeOutcome {
    const { Ni } = this;
    const sa = successor(this.#sa, { role: 'initiator', SPIi: this.#SPIi, SPIr, suite, Ni, Nr, secrets }, this.#random);
    return { kind: 'made', sa, least };
  }

  wipe(): void {
    this.#ke.wipe();
    for (const secret of this.#begun?.secrets ?? []) secret.fill(0);
    this.#begun?.followUps.exchanges.wipe();
  }
}

interface Begun {
  readonly SPIr: bigint;
  readonly suite: IkeSuite;
  readonly Nr: Uint8Array;
  /** g^ir, then the others; ours to wipe. */
  readonly secrets: readonly Uint8Array[];
  readonly least: Uint8Array;
  readonly followUps: FollowUps;
}

export type RekeyIkeAnswer =
  | { readonly kind: 'made'; readonly payloads: readonly Payload[]; readonly sa: IkeSa; readonly least: Uint8Array }
  | { readonly kind: 'begun'; readonly payloads: readonly Payload[]; readonly pending: PendingFollowUps<IkeSa> }
  | { readonly kind: 'refused'; readonly payloads: readonly Payload[]; readonly why: string };

/** The peer rekeys the IKE SA. `SPIr`: fresh. */
export function answerRekeyIke(
  request: readonly Payload[],
  context: {
    readonly sa: IkeSa;
    readonly proposals: readonly string[];
    readonly SPIr: bigint;
    readonly random: RandomBytes;
  },
): RekeyIkeAnswer {
  const { sa, proposals, SPIr, random } = context;
  const offered = payloadOf(request, 'sa');
  const Ni = payloadOf(request, 'nonce')?.data;
  const guessed = payloadOf(request, 'ke')?.method;
  const no = (type: number, why: string): RekeyIkeAnswer => ({ kind: 'refused', payloads: [notifyOf(type)], why });
  if (!offered || !Ni) return no(NotifyType.INVALID_SYNTAX, 'SA or Nonce is missing');
  const withSpi = offered.proposals.filter((proposal) => ikeSpi(proposal.spi));
  // The group that the peer has guessed saves a round where it will do.
  const choice = choose(onlyGroup(withSpi, guessed), proposals, 'ike') ?? choose(withSpi, proposals, 'ike');
  const SPIi = choice && ikeSpi(choice.proposal.spi);
  if (!choice || !SPIi) return no(NotifyType.NO_PROPOSAL_CHOSEN, 'none of its IKE proposals is acceptable');
  const suite = ikeSuite(choice.proposal.transforms);
  const agreed = answerKeyExchange(suite.ke.id, request, random);
  if (agreed.kind === 'refused') return agreed;
  const Nr = random(NONCE_BYTES);
  const make = (additional: readonly Uint8Array[]): IkeSa => {
    const secrets = [...agreed.secrets, ...additional];
    return successor(sa, { role: 'responder', SPIi, SPIr, suite, Ni, Nr, secrets }, random);
  };
  const least = lowerNonce(Ni, Nr);
  const payloads: readonly Payload[] = [
    { kind: 'sa', proposals: [{ ...choice.proposal, spi: spiBytes(SPIr) }] },
    { kind: 'nonce', data: Nr },
    ...agreed.payloads,
  ];
  if (suite.additional.length === 0) return { kind: 'made', sa: make([]), least, payloads };
  const pending = new PendingFollowUps(suite.additional, least, random, make);
  return { kind: 'begun', payloads: [...payloads, pending.link], pending };
}

/** The proposals with no key exchange but this one. */
export function onlyGroup(proposals: readonly Proposal[], group: number | undefined): readonly Proposal[] {
  return proposals.map((proposal) => ({
    ...proposal,
    transforms: proposal.transforms.filter((of) => of.type !== TransformType.KE || of.id === group),
  }));
}

/** The new SA is where the old one is; only what it was negotiated for is its own. Wipes the secrets. */
function successor(
  old: IkeSa,
  terms: {
    readonly role: 'initiator' | 'responder';
    readonly SPIi: bigint;
    readonly SPIr: bigint;
    readonly suite: IkeSuite;
    readonly Ni: Uint8Array;
    readonly Nr: Uint8Array;
    readonly secrets: readonly Uint8Array[];
  },
  random: RandomBytes,
): IkeSa {
  const [sharedSecret, ...additional] = terms.secrets;
  if (!sharedSecret) throw new Error('an IKE SA is never rekeyed without a key exchange');
  const { nat, traversal, encapsulation, local, remote, transport, fragmentation } = old;
  const none = new Uint8Array(0);
  const sa = new IkeSa(
    {
      ...terms,
      sharedSecret,
      rekeyed: { prf: old.suite.prf, SK_d: old.keys.SK_d, additional },
      realMessage1: none,
      realMessage2: none,
      nat,
      traversal,
      encapsulation,
      local,
      remote,
      transport,
      fragmentation,
    },
    random,
  );
  for (const secret of additional) secret.fill(0);
  sa.movesTold = old.movesTold;
  return sa;
}

/** 8 bytes, network order, not zero; otherwise undefined. */
function ikeSpi(bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== 8) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) || undefined;
}

function mangled(what: string): RekeyIkeOutcome {
  return {
    kind: 'refused',
    type: NotifyType.INVALID_SYNTAX,
    error: new IkeError({
      code: 'protocol',
      message: `the peer's answer to the rekeying of the IKE SA cannot be used: ${what}`,
      remedy: 'this is a fault of either program: save the log and report it',
      exchange: 'CREATE_CHILD_SA',
    }),
  };
}
