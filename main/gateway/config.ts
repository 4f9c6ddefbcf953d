// The gateway's configuration: a JSON file, checked against one schema, and the form that the rest of the gateway reads
// (bytes for addresses and secrets, defaults filled in). docs/demo.md explains each key.
import { z } from 'zod';
import { defaultProposals, demandPolicy, POLICIES, type PolicyName } from '../crypto/policy.ts';
import { ProposalError, type Protocol } from '../crypto/proposal.ts';
import { type Identity, parseIdentity } from '../ike/identity.ts';
import { type Address, type Prefix, parseAddress, parsePrefix, prefixRange } from '../wire/address.ts';
import { domainOf } from '../wire/domain.ts';
import { authenticationSchema, type GatewayAuthenticationConfig } from './authentication.ts';

const SHAPES = ['gre-tunnel', 'gre-transport', 'esp-tunnel'] as const;
export type GatewayShape = (typeof SHAPES)[number];

export interface GatewayUser {
  readonly identity: Identity;
  readonly secret: Uint8Array;
  /** What this user may use as addresses inside GRE, besides the leased one; null: not said. */
  readonly inner: readonly Prefix[] | null;
}

export interface GatewayConfig {
  readonly identity: Identity;
  readonly users: readonly GatewayUser[];
  /** undefined: pre-shared keys both ways. */
  readonly authentication?: GatewayAuthenticationConfig | undefined;
  readonly listen: {
    readonly address: Address;
    readonly port: number;
    readonly nattPort: number;
    /** For IKE and ESP in TCP (RFC 9329); null: UDP only. */
    readonly tcpPort: number | null;
  };
  /** `udp`: always UDP-encapsulated, no raw socket. `auto`: raw ESP unless there is a NAT. */
  readonly encapsulation: 'udp' | 'auto';
  readonly shapes: readonly GatewayShape[];
  readonly pool: { readonly ipv4: Prefix | null; readonly ipv6: Prefix | null };
  readonly dns: readonly Address[];
  /** Domains that these servers alone know (RFC 8598). */
  readonly domains: readonly string[];
  readonly subnets: readonly Prefix[];
  readonly gre: {
    /** The GRE delivery header's address at our end, inside ESP tunnel mode; null: the address we listen on. */
    readonly endpoint: Address | null;
    /** Our addresses on the GRE link. */
    readonly address: readonly Prefix[];
    readonly key: number | null;
    readonly checksum: boolean;
    readonly sequence: boolean;
  };
  readonly proposals: { readonly ike: readonly string[]; readonly esp: readonly string[] };
  readonly tun: { readonly name: string; readonly mtu: number | null; readonly offloads: boolean };
  /** Path MTU towards clients, in bytes. */
  readonly path: number;
  readonly copyDscp: boolean;
  /** DF of the outer IPv4 header (RFC 4301 §8.1). */
  readonly outerDf: 'set' | 'clear' | 'copy';
  readonly replayWindow: number;
  readonly threads: 'workers' | 'single';
  /** TCP port of the page on every inner address of ours; null: no page. */
  readonly pagePort: number | null;
  /** Half-open IKE SAs from which on a cookie is asked for (RFC 7296 §2.6). */
  readonly cookieThreshold: number;
  readonly livenessSeconds: number;
  /** A CHILD SA, and the IKE SA, is rekeyed after so long, a little earlier at random; 0: never because of time (RFC 7296 §2.8). */
  readonly rekeySeconds: number;
  readonly ikeRekeySeconds: number;
  /** Seconds that a ticket for resumption is good for (RFC 5723); 0: none are given. */
  readonly ticketSeconds: number;
  /** Secrets for crash tokens, the newest first (RFC 6290 §5.1): the same after a restart. Empty: no tokens. */
  readonly crashSecrets: readonly Uint8Array[];
}

/** What is wrong with a configuration, in words: where (a JSON pointer) and what. */
export interface ConfigProblem {
  readonly pointer: string;
  readonly message: string;
}

export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ pointer, message }) => `  ${pointer || '/'}: ${message}`);
    super(`The gateway's configuration is not usable:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

const address = z.string().transform((text, context): Address => {
  const parsed = parseAddress(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: `"${text}" is not an IPv4 or IPv6 address` });
  return z.NEVER;
});
const prefix = z.string().transform((text, context): Prefix => {
  const parsed = parsePrefix(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: `"${text}" is not an address with a prefix length, like 10.99.0.0/24` });
  return z.NEVER;
});
const poolPrefix = (family: 4 | 6, most: number) =>
  prefix.refine(
    ({ address, bits }) => address.length === (family === 4 ? 4 : 16) && bits <= most,
    `expected an IPv${family} prefix of at most ${most} bits, with room for clients`,
  );
const identity = z.string().min(1, 'an identity is needed').transform(parseIdentity);
/** What is wrong with a proposal, if anything. */
function wrongProposal(text: string, protocol: Protocol, policy: PolicyName): string | undefined {
  try {
    demandPolicy(text, protocol, policy);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProposalError)) throw error;
    return `${error.message}; ${error.remedy}`;
  }
}
const port = z.int().min(0).max(65_535);

const user = z
  .strictObject({
    identity,
    /** The pre-shared key: text, or hexadecimal after 0x. */
    secret: z.string().min(1, 'a secret is needed'),
    inner: z.array(prefix).min(1).optional(),
  })
  .transform(({ identity, secret, inner }): GatewayUser => {
    const hexadecimal = /^0x((?:[0-9a-f]{2})+)$/i.exec(secret)?.[1];
    return { identity, secret: Buffer.from(hexadecimal ?? secret, hexadecimal ? 'hex' : 'utf8'), inner: inner ?? null };
  });

const lifetime = z.number().min(5).max(2_592_000).or(z.literal(0));

const schema = z.strictObject({
  identity,
  users: z.array(user).min(1, 'at least one user is needed'),
  authentication: authenticationSchema.optional(),
  listen: z.strictObject({
    address,
    port: port.default(500),
    nattPort: port.default(4500),
    tcpPort: port.nullable().default(null),
  }),
  encapsulation: z.enum(['udp', 'auto']).default('auto'),
  shapes: z.array(z.enum(SHAPES)).min(1).default(['gre-tunnel', 'gre-transport']),
  pool: z.strictObject({ ipv4: poolPrefix(4, 30).optional(), ipv6: poolPrefix(6, 126).optional() }).default({}),
  dns: z.array(address).default([]),
  domains: z.array(z.string().refine((text) => domainOf(text) !== undefined, 'is not a domain name')).default([]),
  subnets: z.array(prefix).default([]),
  gre: z
    .strictObject({
      endpoint: address.optional(),
      address: z.array(prefix).default([]),
      key: z.int().min(0).max(0xffff_ffff).nullable().default(null),
      checksum: z.boolean().default(false),
      sequence: z.boolean().default(false),
    })
    .prefault({}),
  proposals: z
    .strictObject({
      /** "legacy": what is weak may be named, and is taken behind the rest where nothing is named (crypto/policy.ts). */
      policy: z.enum(POLICIES).default('default'),
      ike: z.array(z.string()).min(1).optional(),
      esp: z.array(z.string()).min(1).optional(),
    })
    .prefault({})
    .superRefine(({ policy, ...lists }, context) => {
      for (const protocol of ['ike', 'esp'] as const)
        for (const [i, text] of (lists[protocol] ?? []).entries()) {
          const message = wrongProposal(text, protocol, policy);
          if (message) context.addIssue({ code: 'custom', message, path: [protocol, i] });
        }
    })
    .transform(({ policy, ike, esp }) => ({
      ike: ike ?? defaultProposals('ike', policy),
      esp: esp ?? defaultProposals('esp', policy),
    })),
  tun: z
    .strictObject({
      name: z.string().min(1).max(15).default('culvertgw%d'),
      mtu: z.int().min(576).max(65_535).nullable().default(null),
      offloads: z.boolean().default(true),
    })
    .prefault({}),
  path: z.int().min(576).max(65_535).default(1500),
  copyDscp: z.boolean().default(false),
  outerDf: z.enum(['set', 'clear', 'copy']).default('set'),
  replayWindow: z.int().min(64).max(4096).multipleOf(64).default(1024),
  threads: z.enum(['workers', 'single']).default('workers'),
  pagePort: port.min(1).nullable().default(80),
  cookieThreshold: z.int().min(0).default(32),
  livenessSeconds: z.number().min(0).max(86_400).default(30),
  rekeySeconds: lifetime.default(3600),
  ikeRekeySeconds: lifetime.default(14_400),
  ticketSeconds: z.int().min(0).max(86_400).default(0),
  crashSecrets: z
    .array(
      z
        .string()
        .regex(/^([0-9a-f]{2}){32,64}$/i, 'expected 32 to 64 bytes in hexadecimal')
        .transform((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
    )
    .max(4)
    .default([]),
});

/** What a file may say; `parseGatewayConfig` fills in the rest. */
export type GatewayConfigInput = z.input<typeof schema>;

/** Throws GatewayConfigError with everything that is wrong, not only the first. */
export function parseGatewayConfig(input: unknown): GatewayConfig {
  const result = schema.safeParse(input);
  if (!result.success) {
    throw new GatewayConfigError(
      result.error.issues.flatMap((issue) => {
        const pointer = issue.path.map((step) => `/${String(step)}`).join('');
        if (issue.code !== 'unrecognized_keys') return [{ pointer, message: issue.message }];
        return issue.keys.map((key) => ({ pointer: `${pointer}/${key}`, message: 'there is no such key' }));
      }),
    );
  }
  const { gre, pool, ...rest } = result.data;
  const config: GatewayConfig = {
    ...rest,
    gre: { ...gre, endpoint: gre.endpoint ?? null },
    pool: { ipv4: pool.ipv4 ?? null, ipv6: pool.ipv6 ?? null },
  };
  const problems = contradictions(config);
  if (problems.length > 0) throw new GatewayConfigError(problems);
  return config;
}

/** What each key allows but all together do not. */
function contradictions(config: GatewayConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (config.listen.address.every((byte) => byte === 0))
    problems.push({
      pointer: '/listen/address',
      message: 'give the very address that clients connect to: it is also what GRE in transport mode ends at',
    });
  problems.push(...wrongAuthentication(config.authentication));
  const usesGre = config.shapes.some((shape) => shape !== 'esp-tunnel');
  if (usesGre && config.gre.address.length === 0)
    problems.push({
      pointer: '/gre/address',
      message: 'the GRE shapes need our address on the GRE link, like 10.88.0.1/24',
    });
  if (config.shapes.includes('esp-tunnel') && !config.pool.ipv4 && !config.pool.ipv6)
    problems.push({ pointer: '/pool', message: 'esp-tunnel needs a pool of virtual addresses' });
  for (const [i, a] of config.users.entries())
    for (const [j, b] of config.users.entries())
      if (j < i && a.inner?.some((one) => b.inner?.some((other) => overlap(one, other))))
        problems.push({
          pointer: `/users/${i}/inner`,
          message: `overlaps with /users/${j}/inner: packets to it would have two ways`,
        });
  return problems;
}

function wrongAuthentication(authentication: GatewayAuthenticationConfig | undefined): ConfigProblem[] {
  if (!authentication) return [];
  const { rounds, certificate, key, authorities, eap } = authentication;
  const wants = (kind: 'certificate' | 'eap'): boolean => rounds.flat().includes(kind);
  const problems: ConfigProblem[] = [];
  const problem = (name: string, message: string) => problems.push({ pointer: `/authentication/${name}`, message });
  if ((certificate === undefined) !== (key === undefined)) problem('key', 'certificate and key belong together');
  if (wants('certificate') && authorities.length === 0) problem('authorities', 'certificates of clients need them');
  if (wants('eap') && !eap) problem('eap', 'the rounds name EAP, which is not set up here');
  if (rounds[0]?.includes('eap') && eap && !eap.only && !certificate)
    problem(
      'certificate',
      'the gateway proves itself to clients with EAP by a certificate; without one, only EAP alone (eap.only) will do',
    );
  const overTls = eap?.methods.some((method) => method === 'tls' || method === 'ttls' || method === 'peap');
  if (overTls && !certificate) problem('certificate', 'EAP methods over TLS need it');
  return problems;
}

function overlap(a: Prefix, b: Prefix): boolean {
  const [one, other] = [prefixRange(a), prefixRange(b)];
  return (
    a.address.length === b.address.length &&
    Buffer.compare(one.start, other.end) <= 0 &&
    Buffer.compare(other.start, one.end) <= 0
  );
}
