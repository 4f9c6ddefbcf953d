// The algorithms of proposals by their kind, for people who have to find out why two ends do not agree.
import { wordOf } from './keyword.ts';
import { type Protocol, parseProposal } from './proposal.ts';
import { isAdditional, type Transform, TransformType } from './transform.ts';

export const ALGORITHM_KINDS = [
  'encryption',
  'integrity',
  'prf',
  'key-exchange',
  'additional-key-exchange',
  'sequence-numbers',
] as const;
export type AlgorithmKind = (typeof ALGORITHM_KINDS)[number];

/** Words of the same kind, parted by spaces, the preferred first. A kind that is not named is not known, or not there. */
export type Algorithms = Readonly<Partial<Record<AlgorithmKind, string>>>;

function kindOf({ type }: Transform): AlgorithmKind | undefined {
  if (isAdditional(type)) return 'additional-key-exchange';
  switch (type) {
    case TransformType.ENCR:
      return 'encryption';
    case TransformType.PRF:
      return 'prf';
    case TransformType.INTEG:
      return 'integrity';
    case TransformType.KE:
      return 'key-exchange';
    case TransformType.ESN:
      return 'sequence-numbers';
    default:
      return undefined;
  }
}

/** What any of the proposals names. */
export function algorithmsOf(proposals: readonly (readonly Transform[])[]): Algorithms {
  const words = new Map<AlgorithmKind, Set<string>>();
  for (const of of proposals.flat()) {
    const kind = kindOf(of);
    if (!kind) continue;
    const known = words.get(kind) ?? new Set();
    words.set(kind, known.add(wordOf(of)));
  }
  return Object.fromEntries(
    ALGORITHM_KINDS.flatMap((kind) => {
      const found = words.get(kind);
      return found ? [[kind, [...found].join(' ')]] : [];
    }),
  );
}

/** The same, of proposals as people write them. Throws ProposalError. */
export const algorithmsNamed = (texts: readonly string[], protocol: Protocol): Algorithms =>
  algorithmsOf(texts.map((text) => parseProposal(text, protocol, { unencrypted: protocol === 'esp' })));

/** Both ends in full, a line for each kind: for the log of a responder, which knows both. */
export function compareAlgorithms(offered: Algorithms, accepted: Algorithms): string {
  const lines = ALGORITHM_KINDS.filter((kind) => offered[kind] ?? accepted[kind]).map(
    (kind) => `${kind}: it offers ${offered[kind] ?? 'none'}; we accept ${accepted[kind] ?? 'none'}`,
  );
  return lines.join('\n');
}
