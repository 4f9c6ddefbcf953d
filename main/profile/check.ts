// What the sections of a profile mean together: conflicts that no section shows by itself, and warnings.

import { defaultProposals, weaknesses } from '../crypto/policy.ts';
import { DEFAULT_ESP_PROPOSALS, parseProposal } from '../crypto/proposal.ts';
import { espSuite } from '../crypto/suite.ts';
import { TransformType } from '../crypto/transform.ts';
import { CIPHER_OVERHEAD, type CipherOverhead, computeMtu, overheadOf } from '../mtu/mtu.ts';
import { parseAddress, parsePrefix, sameAddress } from '../wire/address.ts';
import { type Told, tell } from '../words/told.ts';
import { checkAuthentication } from './authentication-check.ts';
import { prefixContains } from './contains.ts';
import { DEFAULTS, defaultEncapsulation, defaultFamilies } from './defaults.ts';
import type { ProfileProblem } from './problem.ts';
import type { SectionName, ValidSections } from './schema.ts';

export interface Findings {
  readonly problems: readonly ProfileProblem[];
  readonly warnings: readonly Told[];
}

interface Checking {
  readonly sections: ValidSections;
  /** Whether the file has this section at all, right or wrong. */
  readonly has: (section: SectionName) => boolean;
  readonly problem: (
    pointer: string,
    message: string,
    code?: ProfileProblem['code'],
    meant?: Partial<ProfileProblem>,
  ) => void;
  readonly warn: (warning: Told) => void;
  readonly stored: boolean;
}

/** Looks only at sections that are right by themselves, so every finding is one of its own. `stored`: see ParseOptions. */
export function checkTogether(
  sections: ValidSections,
  has: (section: SectionName) => boolean,
  stored = false,
): Findings {
  const problems: ProfileProblem[] = [];
  const warnings: Told[] = [];
  const checking: Checking = {
    sections,
    has,
    problem: (pointer, message, code = 'conflict', meant = {}) => problems.push({ code, pointer, message, ...meant }),
    warn: (warning) => warnings.push(warning),
    stored,
  };
  checkShape(checking);
  checkAuthentication(checking);
  checkGre(checking);
  checkSelectors(checking);
  checkRoutes(checking);
  checkMtu(checking);
  checkProposals(checking);
  return { problems, warnings };
}

function checkShape({ sections, has, problem, warn }: Checking): void {
  const { tunnel } = sections;
  if (!tunnel) return;
  const { shape } = tunnel;
  if (shape === 'esp-tunnel') {
    if (has('gre')) problem('/gre', 'does not belong to the shape "esp-tunnel", which has no GRE.');
  } else if (!has('gre')) {
    problem('/gre', `is missing: the shape "${shape}" needs it.`, 'missing', {
      example: '{ "address": ["10.88.0.2/24"] }',
    });
  }
  if (shape !== 'gre-plain') {
    if (!has('authentication')) problem('/authentication', 'is missing.', 'missing');
    return;
  }
  warn(tell('profile.plain'));
  const unused = [
    ...(has('authentication') ? ['/authentication'] : []),
    ...(has('proposals') ? ['/proposals'] : []),
    ...(sections.gateway?.identity ? ['/gateway/identity'] : []),
  ];
  for (const place of unused) warn(tell('profile.noEffectPlain', { place }));
  for (const key of ['requestAddresses', 'remoteSelectors'] as const)
    if (tunnel[key]?.length)
      problem(`/tunnel/${key}`, 'is negotiated by IKE, which the shape "gre-plain" does not have.');
  if (tunnel.encapsulation === 'udp')
    problem('/tunnel/encapsulation', 'is "udp", but the shape "gre-plain" has no ESP to put into UDP.');
}

function checkGre({ sections, problem, warn }: Checking): void {
  const { tunnel, gre } = sections;
  if (!gre) return;
  if (gre.sequence) warn(tell('profile.greSequence', { place: '/gre/sequence' }));
  if (!tunnel || tunnel.shape === 'esp-tunnel') return;
  const { shape } = tunnel;
  if (shape !== 'gre-tunnel')
    for (const key of ['local', 'remote'] as const)
      if (gre[key])
        problem(
          `/gre/${key}`,
          `belongs to the shape "gre-tunnel" only: in "${shape}" the outer addresses are those of GRE.`,
        );
  if (!gre.address?.length) {
    const asks = (tunnel.requestAddresses ?? defaultFamilies(sections)).length > 0;
    if (!asks)
      problem(
        '/gre/address',
        'is missing: the tunnel would have no address, since none is requested from the gateway (tunnel.requestAddresses).',
        'missing',
        { example: '["10.88.0.2/24"]' },
      );
  }
  if (gre.local && gre.remote && parseAddress(gre.local)?.length !== parseAddress(gre.remote)?.length)
    problem('/gre/local', 'and /gre/remote are of different families, IPv4 and IPv6: GRE goes from one to the other.');
  if (gre.local && gre.local === gre.remote) problem('/gre/local', 'is the same as /gre/remote.');
}

function checkSelectors({ sections, problem, warn }: Checking): void {
  const { tunnel, gre } = sections;
  if (!tunnel) return;
  if (tunnel.anyProtocol && (tunnel.shape === 'esp-tunnel' || tunnel.shape === 'gre-plain'))
    warn(tell('profile.noEffectShape', { place: '/tunnel/anyProtocol', shape: tunnel.shape }));
  if (tunnel.mobike && (tunnel.shape === 'gre-transport' || tunnel.shape === 'gre-plain'))
    warn(tell('profile.mobikeShape', { place: '/tunnel/mobike', shape: tunnel.shape }));
  const requested = tunnel.requestAddresses ?? [];
  if (requested.length === 2 && requested[0] === requested[1])
    problem('/tunnel/requestAddresses', `names the family ${requested[0]} twice.`, 'invalid');
  const remote = gre?.remote ? parsePrefix(gre.remote) : undefined;
  if (tunnel.shape !== 'gre-tunnel' || !tunnel.remoteSelectors || !remote) return;
  const covers = tunnel.remoteSelectors.some((text) => prefixContains(parsePrefix(text), remote));
  if (!covers)
    problem('/tunnel/remoteSelectors', `does not cover ${gre?.remote} (gre.remote): GRE could not be sent there.`);
}

function checkRoutes({ sections, has, problem, warn }: Checking): void {
  const { routes, tunnel } = sections;
  const include = routes?.include ?? [];
  const exclude = routes?.exclude ?? [];
  const parsed = include.map(parsePrefix);
  for (const [list, texts] of [
    ['include', include],
    ['exclude', exclude],
  ] as const)
    for (const [i, prefix] of texts.entries())
      if (texts.indexOf(prefix) < i) warn(tell('profile.repeats', { place: `/routes/${list}/${i}`, prefix }));
  for (const [i, text] of exclude.entries()) {
    const prefix = parsePrefix(text);
    if (!prefix) continue;
    const same = parsed.findIndex((other) => other?.bits === prefix.bits && sameAddress(other.address, prefix.address));
    if (same >= 0)
      problem(`/routes/exclude/${i}`, `is ${text}, which /routes/include/${same} sends through the tunnel.`);
    else if (parsed.some((other) => prefixContains(prefix, other)))
      warn(tell('profile.excludeContains', { place: `/routes/exclude/${i}`, prefix: text }));
    else if (!routes?.fromGateway && !parsed.some((other) => prefixContains(other, prefix)))
      warn(tell('profile.excludeNoEffect', { place: `/routes/exclude/${i}`, prefix: text }));
  }
  if (tunnel?.shape === 'esp-tunnel' && include.length === 0 && !routes?.fromGateway && (routes || !has('routes')))
    warn(tell('profile.nothingRouted'));
}

/** What is weak is used only where the profile asks for it (crypto/policy.ts), and never without a word. */
function checkProposals({ sections, problem, warn, stored }: Checking): void {
  const legacy = sections.proposals?.policy === 'legacy';
  for (const protocol of ['ike', 'esp'] as const) {
    const named = sections.proposals?.[protocol];
    for (const [i, proposal] of (named ?? []).entries())
      for (const weakness of weaknesses(proposal, protocol)) {
        const place = `/proposals/${protocol}/${i}`;
        if (legacy) warn(tell('profile.weak', { place, proposal, weakness }));
        // Taken with a warning once. Nothing is put in its place: the policy "legacy" would also weaken what is not named.
        else if (stored) warn(tell('profile.stillWeak', { place, proposal, weakness }));
        else
          problem(
            place,
            `allows ${weakness.text} If the gateway cannot be changed, set /proposals/policy to "legacy".`,
          );
      }
    if (named || !legacy) continue;
    const allowed = defaultProposals(protocol, 'legacy').flatMap((text) => weaknesses(text, protocol));
    for (const weakness of new Map(allowed.map((one) => [one.code, one])).values())
      warn(tell('profile.legacy', { protocol: protocol.toUpperCase(), weakness }));
  }
}

/** What each choice out of these ESP proposals would add to a packet. */
function overheads(texts: readonly string[]): readonly CipherOverhead[] {
  return texts.flatMap((text) => {
    const transforms = parseProposal(text, 'esp');
    const ofType = (type: number) => transforms.filter((of) => of.type === type);
    const integ = ofType(TransformType.INTEG);
    return ofType(TransformType.ENCR).flatMap((encr) =>
      (integ.length > 0 ? integ.map((of) => [encr, of]) : [[encr]]).map((chosen) => overheadOf(espSuite(chosen))),
    );
  });
}

/** What the first choice out of these ESP proposals adds to a packet. */
export function firstOverhead(texts: readonly string[]): CipherOverhead {
  return overheads(texts)[0] ?? CIPHER_OVERHEAD['aes-gcm-16'];
}

function checkMtu({ sections, problem, warn }: Checking): void {
  const { mtu, tunnel, gre } = sections;
  if (!mtu || !tunnel) return;
  const path = mtu.path ?? DEFAULTS.path;
  const value = mtu.value ?? null;
  if (value !== null && value >= path) {
    problem(
      '/mtu/value',
      `is ${value}, but packets of ${path} bytes (mtu.path) must have room for the headers around it.`,
    );
    return;
  }
  if (tunnel.shape !== 'esp-tunnel' && !gre) return;
  const { shape } = tunnel;
  // The most that any gateway leaves room for: IPv4, the leanest cipher, and UDP only where the profile insists on it.
  const best = overheads(sections.proposals?.esp ?? DEFAULT_ESP_PROPOSALS)
    .map((cipher) =>
      computeMtu({
        path,
        outerFamily: 4,
        encapsulation: (tunnel.encapsulation ?? defaultEncapsulation(shape)) === 'udp' ? 'udp' : 'raw',
        cipher,
        shape,
        gre:
          shape === 'esp-tunnel'
            ? null
            : { key: gre?.key ?? null, checksum: gre?.checksum ?? false, sequence: gre?.sequence ?? false },
        deliveryFamily: shape === 'gre-tunnel' ? 4 : null,
      }),
    )
    .reduce((a, b) => (b.mtu > a.mtu ? b : a));
  const inside = value ?? best.mtu;
  if (value !== null && value > best.mtu)
    warn(tell('profile.mtuTooLarge', { place: '/mtu/value', value, most: best.mtu }));
  // RFC 8200 §5.
  if (inside < 1280) warn(tell('profile.noIpv6', { mtu: inside }));
  if (mtu.mss && mtu.mss > inside - 40)
    warn(tell('profile.mssTooLarge', { place: '/mtu/mss', mss: mtu.mss, most: inside - 40, mtu: inside }));
}
