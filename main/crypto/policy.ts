// Which algorithms may be named where. What is weak (RFC 8221, RFC 8247) is in no default, and refused wherever nobody has asked for it:
// a profile or a gateway's configuration does with the policy "legacy". docs/algorithms.md has the whole table.
//
// What cannot be had at all: 3DES (Sweet32, RFC 8247 §2.1; a gateway that has nothing else has no ESP for us either), DES, MD5,
// MODP-768 and groups 22 to 24 (RFC 8247 §2.4).

import { type Told, tell } from '../words/told.ts';
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
function weaknessOf({ type, id }: Transform): WeaknessCode | undefined {
  if ((type === INTEG || type === PRF) && id === 2) return 'weakness.sha1';
  if (isKeyExchange(type) && id === 2) return 'weakness.modp1024';
  return isKeyExchange(type) && id === 5 ? 'weakness.modp1536' : undefined;
}

type WeaknessCode = 'weakness.sha1' | 'weakness.modp1024' | 'weakness.modp1536';

/** What is weak in a valid proposal; each once. Throws ProposalError. */
export function weaknesses(text: string, protocol: Protocol): readonly Told[] {
  const found = new Set(parseProposal(text, protocol).map(weaknessOf));
  return [...found].flatMap((code) => (code === undefined ? [] : tell(code)));
}

/** Throws ProposalError where a proposal is not valid, or the policy does not allow what it names, and says how to ask for it. */
export function demandPolicy(text: string, protocol: Protocol, policy: PolicyName): void {
  const [weakness] = policy === 'legacy' ? [] : weaknesses(text, protocol);
  if (weakness === undefined) return;
  throw new ProposalError(
    text,
    // A sentence that goes on in ours.
    `it allows ${weakness.text.replace(/\.$/, '')}`,
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
}): readonly Told[] {
  const protocols = ['ike', 'esp'] as const;
  return protocols.flatMap((protocol) => {
    const proposal = agreed[protocol];
    if (proposal === undefined) return [];
    const chosen = { protocol: protocol.toUpperCase(), proposal };
    try {
      return weaknesses(proposal, protocol).map((weakness) => tell('tunnel.weak', { ...chosen, weakness }));
    } catch (error) {
      if (!(error instanceof ProposalError)) throw error;
      return [tell('tunnel.weakUnknown', chosen)];
    }
  });
}
