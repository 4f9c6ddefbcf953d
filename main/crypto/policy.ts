// Which algorithms may be named where. What is weak (RFC 8221, RFC 8247) is in no default, and refused wherever nobody has asked for it:
// a profile or a gateway's configuration does with the policy "legacy". docs/algorithms.md has the whole table.
//
// What cannot be had at all: 3DES (Sweet32, RFC 8247 §2.1; a gateway that has nothing else has no ESP for us either), DES, MD5,
// MODP-768 and groups 22 to 24 (RFC 8247 §2.4).
import {
  DEFAULT_ESP_PROPOSALS,
  DEFAULT_IKE_PROPOSALS,
  ProposalError,
  type Protocol,
  parseProposal,
} from './proposal.ts';
import { isKeyExchange, type Transform, TransformType } from './transform.ts';

export const POLICIES = ['default', 'legacy'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** Behind the usual ones: an old gateway that can do better is never talked down. */
const LEGACY = {
  ike: ['aes256-aes128-sha256-sha1-modp2048-modp1536-modp1024'],
  esp: ['aes256-aes128-sha256-sha1-modp2048-modp1536-modp1024-noesn', 'aes256-aes128-sha256-sha1-noesn'],
} as const;

/** What is offered where nobody names proposals. */
export function defaultProposals(protocol: Protocol, policy: PolicyName): readonly string[] {
  const usual = protocol === 'ike' ? DEFAULT_IKE_PROPOSALS : DEFAULT_ESP_PROPOSALS;
  return policy === 'legacy' ? [...usual, ...LEGACY[protocol]] : usual;
}

const { INTEG, PRF } = TransformType;

/** What is weak about a transform, and what to ask for instead. */
function weaknessOf({ type, id }: Transform): string | undefined {
  if ((type === INTEG || type === PRF) && id === 2)
    return 'SHA-1, which is kept for old gateways only: ask for sha256 on the gateway';
  if (isKeyExchange(type) && id === 2)
    return 'MODP-1024 (group 2), which an agency can break and perhaps others: ask for ecp256 or modp2048 (group 14) on the gateway';
  if (isKeyExchange(type) && id === 5)
    return "MODP-1536 (group 5), which is too short by today's measure: ask for ecp256 or modp2048 (group 14) on the gateway";
  return undefined;
}

/** What is weak in a valid proposal, in words for people; each once. Throws ProposalError. */
export function weaknesses(text: string, protocol: Protocol): readonly string[] {
  const found = parseProposal(text, protocol).map(weaknessOf);
  return [...new Set(found.filter((weakness) => weakness !== undefined))];
}

/** Throws ProposalError where a proposal is not valid, or the policy does not allow what it names, and says how to ask for it. */
export function demandPolicy(text: string, protocol: Protocol, policy: PolicyName): void {
  const [weakness] = policy === 'legacy' ? [] : weaknesses(text, protocol);
  if (weakness === undefined) return;
  throw new ProposalError(
    text,
    `it allows ${weakness}`,
    'if the gateway cannot be changed, set "policy" to "legacy" beside it: it is then used, with a warning',
  );
}

/**
 * What is weak in what was agreed on, for the log and the person connected. `ike` or `esp` is undefined where there is none. Never throws:
 * what was agreed on is in use, whether or not a profile could ask for it in these words.
 */
export function weaknessWarnings(agreed: {
  readonly ike?: string | undefined;
  readonly esp?: string | undefined;
}): readonly string[] {
  const protocols = ['ike', 'esp'] as const;
  return protocols.flatMap((protocol) => {
    const text = agreed[protocol];
    if (text === undefined) return [];
    try {
      return weaknesses(text, protocol).map(
        (weakness) => `Weak: the gateway chose ${protocol.toUpperCase()} ${text}. It uses ${weakness}.`,
      );
    } catch (error) {
      if (!(error instanceof ProposalError)) throw error;
      return [`Whether ${protocol.toUpperCase()} ${text}, which the gateway chose, is weak is not known.`];
    }
  });
}
