// Proposals as people write them ("aes256gcm16-prfsha256-ecp256", strongSwan's notation) and as they are on the wire
// (RFC 7296 §3.3); how a responder chooses one, and how an initiator checks the answer (§2.7, §3.3.6).
import { transformOf, WORDS, wordOf } from './keyword.ts';
import {
  isAdditional,
  isKeyExchange,
  type Proposal,
  ProtocolId,
  sameTransform,
  type Transform,
  TransformType,
  transform,
} from './transform.ts';

const { ENCR, PRF, INTEG, KE, ESN } = TransformType;

export type Protocol = 'ike' | 'esp';

const AEADS = 'aes256gcm16-aes128gcm16-chacha20poly1305';
const OTHERS = 'aes256-aes128-sha256-sha384-sha512';
const GROUPS = 'ecp256-x25519-ecp384-modp2048';

/**
 * AEADs first; group 19 before 31, since some middleboxes drop numbers above 21. The first is a hybrid (RFC 9370): who does not know
 * additional key exchanges skips it (RFC 7296 §3.3.6).
 */
export const DEFAULT_IKE_PROPOSALS: readonly string[] = [
  `${AEADS}-prfsha256-prfsha384-prfsha512-${GROUPS}-ke1_mlkem768`,
  `${AEADS}-prfsha256-prfsha384-prfsha512-${GROUPS}`,
  `${OTHERS}-${GROUPS}`,
];
/** With perfect forward secrecy when a CHILD SA is replaced; without it for gateways that have none. */
export const DEFAULT_ESP_PROPOSALS: readonly string[] = [
  `${AEADS}-${GROUPS}-esn-noesn`,
  `${OTHERS}-${GROUPS}-esn-noesn`,
  `${AEADS}-esn-noesn`,
  `${OTHERS}-esn-noesn`,
];

/** A proposal that cannot be used: the word at fault and what to write instead. */
export class ProposalError extends Error {
  override readonly name = 'ProposalError';
  readonly text: string;
  readonly remedy: string;

  constructor(text: string, problem: string, remedy: string) {
    super(`proposal "${text}": ${problem}`);
    this.text = text;
    this.remedy = remedy;
  }
}

/** AES-GCM-16, ChaCha20-Poly1305 and NULL with AES-GMAC. */
const isAead = (encr: Transform): boolean => encr.id === 20 || encr.id === 28 || encr.id === 21;

/** NULL and NULL with AES-GMAC. */
const encryptsNothing = (encr: Transform): boolean => encr.id === 11 || encr.id === 21;

const AES_CTR = 13;
const SHA1 = 2;

const ofType = (transforms: readonly Transform[], type: number): Transform[] =>
  transforms.filter((transform) => transform.type === type);

/** The PRF with the hash of an integrity algorithm: AUTH_HMAC_SHA2_256_128 (12) → PRF_HMAC_SHA2_256 (5); SHA-1 is 2 in both. */
const prfLike = (integ: Transform): Transform => transform(PRF, integ.id === SHA1 ? SHA1 : integ.id - 7);

/**
 * "aes256-sha256-modp2048" → transforms, in order of type. Several words of one kind are alternatives in order of
 * preference. As in strongSwan a missing PRF follows the integrity algorithm, an AEAD drops the integrity algorithm, and
 * ESP without a word about sequence numbers has 32-bit ones. What encrypts nothing is refused unless `unencrypted` says that
 * a test wants it. Throws ProposalError.
 */
export function parseProposal(
  text: string,
  protocol: Protocol,
  { unencrypted = false }: Pick<Purpose, 'unencrypted'> = {},
): readonly Transform[] {
  const fail = (problem: string, remedy: string): never => {
    throw new ProposalError(text, problem, remedy);
  };
  const transforms: Transform[] = [];
  for (const word of text.trim().toLowerCase().split('-')) {
    const found = transformOf(word) ?? fail(`"${word}" is not known`, suggest(word));
    if (!transforms.some((other) => sameTransform(other, found))) transforms.push(found);
  }

  const encr = ofType(transforms, ENCR);
  const integ = ofType(transforms, INTEG);
  const prf = ofType(transforms, PRF);
  const ke = ofType(transforms, KE);
  const esn = ofType(transforms, ESN);
  const additional = transforms.filter((of) => isAdditional(of.type)).sort((a, b) => a.type - b.type);
  if (encr.length === 0) fail('it names no encryption', 'put one in front, for example aes256gcm16');
  const naked = encr.find(encryptsNothing);
  if (naked && (!unencrypted || protocol === 'ike'))
    fail(`"${wordOf(naked)}" encrypts nothing`, 'use aes256gcm16, or aes256-sha256 with an old gateway');
  const aead = encr.every(isAead);
  // RFC 7296 §3.3: combined-mode ciphers and others cannot share a proposal.
  if (!aead && encr.some(isAead))
    fail(
      `it mixes ${wordOf(encr.find((of) => !isAead(of))!)} with ciphers that bring their own integrity`,
      'write two proposals, one with each kind',
    );
  if (!aead && integ.length === 0)
    fail(`${wordOf(encr[0]!)} needs an integrity algorithm`, 'add one, for example sha256');

  if (additional.length > 0 && ke.every((of) => of.id === 0))
    fail(
      `"${wordOf(additional[0]!)}" comes on top of a key exchange, and it names none`,
      'add one, for example ecp256',
    );

  switch (protocol) {
    case 'ike': {
      if (esn.length > 0) fail('"esn" and "noesn" belong to ESP proposals', 'leave them out');
      if (encr.some((of) => of.id === AES_CTR)) fail('AES-CTR is for ESP only', 'use aes256 or aes256gcm16');
      if (ke.length === 0) fail('it names no key exchange', 'add one, for example ecp256');
      if (ke.some((of) => of.id === 0)) fail('an IKE SA needs a key exchange', 'leave out "none"');
      const prfs = prf.length > 0 ? prf : integ.map(prfLike);
      if (prfs.length === 0) fail('it names no PRF', 'add one, for example prfsha256');
      return [...encr, ...prfs, ...(aead ? [] : integ), ...ke, ...additional];
    }
    case 'esp':
      if (prf.length > 0) fail('ESP has no PRF', `leave out "${wordOf(prf[0]!)}"`);
      return [...encr, ...(aead ? [] : integ), ...ke, ...(esn.length > 0 ? esn : [transform(ESN, 0)]), ...additional];
  }
}

/** Transforms → "aes256gcm16-prfsha256-ecp256"; leaves out what parseProposal adds of itself. */
export function formatTransforms(transforms: readonly Transform[]): string {
  const encr = ofType(transforms, ENCR);
  const integ = ofType(transforms, INTEG).filter((of) => of.id !== 0);
  const prf = ofType(transforms, PRF);
  const ke = chosenOnly(ofType(transforms, KE));
  const esn = ofType(transforms, ESN);
  const implied = sameList(prf, integ.map(prfLike));
  const plain = sameList(esn, [transform(ESN, 0)]);
  const others = [...new Set(transforms.map((of) => of.type).filter((type) => type > ESN))]
    .sort((a, b) => a - b)
    .flatMap((type) => chosenOnly(ofType(transforms, type)));
  return [...encr, ...integ, ...(implied ? [] : prf), ...ke, ...(plain ? [] : esn), ...others].map(wordOf).join('-');
}

/** NONE that nothing stands beside is no key exchange; beside others it says that they may be left out. */
const chosenOnly = (of: readonly Transform[]): readonly Transform[] => (of.every(({ id }) => id === 0) ? [] : of);

const sameList = (a: readonly Transform[], b: readonly Transform[]): boolean =>
  a.length === b.length && a.every((x, i) => sameTransform(x, b[i]!));

/** What to write instead: the known word that is nearest. */
function suggest(word: string): string {
  const [nearest] = WORDS.map((known) => ({ known, distance: editDistance(word, known) })).sort(
    (a, b) => a.distance - b.distance,
  );
  return nearest && nearest.distance <= Math.min(3, word.length / 2)
    ? `did you mean "${nearest.known}"?`
    : `use words out of: ${WORDS.join(', ')}`;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

const protocolId = (protocol: Protocol): number => (protocol === 'ike' ? ProtocolId.IKE : ProtocolId.ESP);

/** Options of a CHILD SA made by IKE_AUTH, which has no key exchange of its own (RFC 7296 §1.2). */
export interface Purpose {
  /** Leave key exchanges out of what is offered or chosen. */
  readonly withoutKe?: boolean;
  /** Leave additional key exchanges out (RFC 9370): where the peer cannot do IKE_INTERMEDIATE. What insists on them is not offered. */
  readonly withoutAdditional?: boolean;
  /** Take ESP that encrypts nothing. For tests: no profile can say so. */
  readonly unencrypted?: boolean | undefined;
}

/** What is left of a proposal for this purpose; undefined where it insists on what may not be. */
function supportedBy(text: string, protocol: Protocol, purpose: Purpose): readonly Transform[] | undefined {
  const all = parseProposal(text, protocol, purpose);
  if (purpose.withoutKe) return all.filter((of) => !isKeyExchange(of.type));
  if (!purpose.withoutAdditional) return all;
  const insists = all.some(({ type }) => isAdditional(type) && !isOptional(all, type));
  return insists ? undefined : all.filter((of) => !isAdditional(of.type));
}

/** A type of key exchange that may be left out: NONE is among its transforms (RFC 7296 §1.3, RFC 9370 §2.2.2). */
const isOptional = (transforms: readonly Transform[], type: number): boolean =>
  isKeyExchange(type) && ofType(transforms, type).some((of) => of.id === 0);

/** The proposals of our SA payload, numbered from 1, each once. Throws ProposalError. */
export function offer(
  texts: readonly string[],
  protocol: Protocol,
  spi: Uint8Array,
  purpose: Purpose = {},
): readonly Proposal[] {
  return texts
    .map((text) => supportedBy(text, protocol, purpose))
    .filter((transforms) => transforms !== undefined)
    .filter((transforms, i, all) => all.findIndex((other) => sameList(transforms, other)) === i)
    .map((transforms, i) => ({ number: i + 1, protocol: protocolId(protocol), spi, transforms }));
}

/** Does any of them ask for additional key exchanges? */
export const asksForMore = (proposals: readonly Proposal[]): boolean =>
  proposals.some((proposal) => proposal.transforms.some((of) => isAdditional(of.type) && of.id !== 0));

export interface Choice {
  /** The answer's proposal: the number chosen, one transform of each type. Its SPI is the peer's; the caller puts ours. */
  readonly proposal: Proposal;
  /** "aes256gcm16-prfsha256-ecp256". */
  readonly name: string;
}

/**
 * The responder's choice out of what the peer offered, or undefined (answer NO_PROPOSAL_CHOSEN). The preferring side's
 * order of proposals, and of the transforms within, decides.
 */
export function choose(
  offered: readonly Proposal[],
  supported: readonly string[],
  protocol: Protocol,
  options: Purpose & { readonly prefer?: 'initiator' | 'responder' } = {},
): Choice | undefined {
  const ours = supported
    .map((text) => supportedBy(text, protocol, options))
    .filter((transforms) => transforms !== undefined);
  const theirs = offered.filter(
    (proposal) =>
      proposal.protocol === protocolId(protocol) && proposal.spi.length === spiLengthFor(protocol, proposal),
  );
  const byInitiator = options.prefer === 'initiator';
  const pairs = byInitiator
    ? theirs.flatMap((proposal) => ours.map((transforms) => ({ proposal, transforms })))
    : ours.flatMap((transforms) => theirs.map((proposal) => ({ proposal, transforms })));
  for (const { proposal, transforms } of pairs) {
    const chosen = match(proposal.transforms, transforms, byInitiator, options);
    if (chosen) return { proposal: { ...proposal, transforms: chosen }, name: formatTransforms(chosen) };
  }
  return undefined;
}

/** 4 bytes for ESP; for the IKE SA none at first and 8 when it is rekeyed (RFC 7296 §3.3.1). */
const spiLengthFor = (protocol: Protocol, proposal: Proposal): number =>
  protocol === 'esp' ? 4 : proposal.spi.length === 8 ? 8 : 0;

/** One transform of each type that is offered, all of which we must support; undefined where there is none. */
function match(
  offered: readonly Transform[],
  supported: readonly Transform[],
  byInitiator: boolean,
  { withoutKe = false }: Purpose,
): readonly Transform[] | undefined {
  const types = new Set(offered.map((of) => of.type));
  // A type that we need and the peer leaves out: it would be guessed at.
  if (supported.some((of) => !types.has(of.type) && !isOptional(supported, of.type))) return undefined;
  const wanted = [...types].filter((type) => !(withoutKe && isKeyExchange(type))).sort((a, b) => a - b);
  const candidates = (type: number): readonly Transform[] => {
    const theirs = ofType(offered, type);
    const ours = ofType(supported, type);
    // NONE makes a type optional (RFC 7296 §3.3.2): the only thing we can take where we have nothing of that type.
    const usable = ours.length > 0 || type === ESN ? ours : [transform(type, 0)];
    const [first, second] = byInitiator ? [theirs, usable] : [usable, theirs];
    return first.filter((of) => second.some((other) => sameTransform(of, other)));
  };
  const others = wanted.filter((type) => !isKeyExchange(type)).map((type) => candidates(type)[0]);
  const exchanges = combine(wanted.filter(isKeyExchange).map(candidates));
  if (!exchanges || others.includes(undefined)) return undefined;
  return [...others.filter((of) => of !== undefined), ...exchanges].sort((a, b) => a.type - b.type);
}

/** One out of each list, the first that can be; no key exchange may be done twice (RFC 9370 §2.2.2). */
function combine(
  [first, ...rest]: readonly (readonly Transform[])[],
  before: readonly Transform[] = [],
): readonly Transform[] | undefined {
  if (!first) return before;
  for (const candidate of first) {
    if (repeats(candidate, before)) continue;
    const chosen = combine(rest, [...before, candidate]);
    if (chosen) return chosen;
  }
  return undefined;
}

/** A key-exchange method that is among the others already. */
const repeats = (of: Transform, others: readonly Transform[]): boolean =>
  isKeyExchange(of.type) && of.id !== 0 && others.some((other) => isKeyExchange(other.type) && other.id === of.id);

/**
 * The responder's answer to what we offered: exactly one proposal, with our number, and exactly one transform out of each
 * type that we offered, the same to the attribute (RFC 7296 §3.3.6). Returns it, or says what is wrong with it.
 */
export function checkAnswer(answer: readonly Proposal[], offered: readonly Proposal[]): Proposal | string {
  const [proposal] = answer;
  if (!proposal || answer.length !== 1) return `the answer has ${answer.length} proposals instead of one`;
  const ours = offered.find((of) => of.number === proposal.number);
  if (!ours) return `the answer accepts proposal ${proposal.number}, which was not offered`;
  if (proposal.protocol !== ours.protocol) return `the answer is for protocol ${proposal.protocol}`;
  if (proposal.spi.length !== ours.spi.length) return `the answer's SPI has ${proposal.spi.length} bytes`;
  for (const [i, chosen] of proposal.transforms.entries()) {
    if (ofType(proposal.transforms, chosen.type).length > 1)
      return `the answer has two transforms of type ${chosen.type}`;
    if (repeats(chosen, proposal.transforms.slice(0, i)))
      return `the answer repeats the key exchange of ${wordOf(chosen)}`;
    // "No integrity algorithm" says nothing new beside an AEAD (RFC 7296 §3.3.2).
    const none = chosen.type === INTEG && chosen.id === 0 && !ours.transforms.some((of) => of.type === INTEG);
    if (!none && !ours.transforms.some((of) => sameTransform(of, chosen)))
      return `the answer has ${wordOf(chosen)}, which was not offered`;
  }
  for (const { type } of ours.transforms) {
    const optional = ofType(ours.transforms, type).some((of) => type !== ESN && of.id === 0);
    if (!optional && ofType(proposal.transforms, type).length === 0)
      return `the answer has no transform of type ${type}`;
  }
  return proposal;
}
