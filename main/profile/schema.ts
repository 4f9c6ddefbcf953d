// The profile file: its keys and their types (zod). Strict: a key that is not here is a mistake. What the parts mean
// together is check.ts; what they are for people is fields.ts; the checked form is profile.ts.
import { z } from 'zod';
import { POLICIES } from '../crypto/policy.ts';
import { AUTHENTICATION, GATEWAY_AUTHENTICATION } from './authentication-schema.ts';
import {
  type Wrong,
  wrongDomain,
  wrongHost,
  wrongHostAddress,
  wrongIdentity,
  wrongInterfaceAddress,
  wrongInterfaceName,
  wrongName,
  wrongNetwork,
  wrongPointer,
  wrongProposal,
} from './values.ts';

/** The version of the file format that this code reads. */
export const FORMAT = 1;

/** Entries of one route list; the packet core holds 64 selectors a tunnel. */
const MOST_PREFIXES = 60;

const text = (wrong: (value: string) => Wrong) =>
  z.string().superRefine((value, context) => {
    const message = wrong(value);
    if (message) context.addIssue({ code: 'custom', message });
  });
const whole = (least: number, most: number) => z.int().min(least).max(most);
/** Thirty days at most: what lives longer might as well live for ever. */
const lifetime = z.number().min(5).max(2_592_000).or(z.literal(0));
const seconds = (most: number) => z.number().min(1).max(most).or(z.literal(0));
const networks = z.array(text(wrongNetwork)).max(MOST_PREFIXES);
const proposals = (protocol: 'ike' | 'esp') =>
  z
    .array(text((value) => wrongProposal(value, protocol)))
    .min(1)
    .max(16);

export const SHAPES = ['gre-tunnel', 'gre-transport', 'esp-tunnel', 'gre-plain'] as const;

export const SECTIONS = {
  gateway: z.strictObject({
    host: text(wrongHost),
    port: whole(1, 65535).optional(),
    nattPort: whole(1, 65535).optional(),
    tcp: z.enum(['fallback', 'only', 'off']).optional(),
    tcpPort: whole(1, 65535).optional(),
    identity: text(wrongIdentity).nullish(),
    authentication: GATEWAY_AUTHENTICATION.optional(),
  }),
  authentication: AUTHENTICATION,
  tunnel: z.strictObject({
    shape: z.enum(SHAPES),
    encapsulation: z.enum(['udp', 'auto']).optional(),
    requestAddresses: z
      .array(z.union([z.literal(4), z.literal(6)]))
      .max(2)
      .optional(),
    replayWindow: whole(64, 4096).multipleOf(64).optional(),
    interfaceName: text(wrongInterfaceName).optional(),
    remoteSelectors: networks.min(1).nullish(),
    anyProtocol: z.boolean().optional(),
    mobike: z.boolean().optional(),
    childless: z.boolean().optional(),
    direct: networks.max(7).optional(),
  }),
  gre: z.strictObject({
    address: z.array(text(wrongInterfaceAddress)).max(8).optional(),
    local: text(wrongHostAddress).nullish(),
    remote: text(wrongHostAddress).nullish(),
    key: whole(0, 4294967295).nullish(),
    checksum: z.boolean().optional(),
    sequence: z.boolean().optional(),
  }),
  routes: z.strictObject({
    include: networks.optional(),
    exclude: networks.optional(),
    allowLan: z.boolean().optional(),
    fromGateway: z.boolean().optional(),
  }),
  dns: z.strictObject({
    use: z.boolean().optional(),
    servers: z.array(text(wrongHostAddress)).min(1).max(8).nullish(),
    domains: z.array(text(wrongDomain)).min(1).max(64).nullish(),
  }),
  mtu: z.strictObject({
    value: whole(576, 8192).nullish(),
    path: whole(576, 8192).optional(),
    mss: z.union([z.literal(0), whole(216, 8152)]).nullish(),
    copyDscp: z.boolean().optional(),
    outerDf: z.enum(['set', 'clear', 'copy']).optional(),
  }),
  proposals: z.strictObject({
    policy: z.enum(POLICIES).optional(),
    ike: proposals('ike').optional(),
    esp: proposals('esp').optional(),
  }),
  timing: z.strictObject({
    livenessSeconds: seconds(3600).optional(),
    keepaliveSeconds: seconds(300).optional(),
    connectSeconds: z.number().min(1).max(600).optional(),
    rekeySeconds: lifetime.optional(),
    ikeRekeySeconds: lifetime.optional(),
    reauthSeconds: lifetime.optional(),
    rekeyBytes: whole(65_536, Number.MAX_SAFE_INTEGER).nullish(),
    rekeyPackets: whole(100, Number.MAX_SAFE_INTEGER).nullish(),
  }),
} as const;

/** What a person chose over the profile's own words; see policy.ts. */
const OVERRIDES = z.strictObject({
  routes: SECTIONS.routes.extend({ mode: z.enum(['full', 'split']).optional() }).optional(),
  mtu: z.strictObject({ value: whole(576, 8192).nullish(), path: whole(576, 8192).optional() }).optional(),
});

export const FILE = z.strictObject({
  culvert: z.literal(FORMAT),
  name: text(wrongName),
  gateway: SECTIONS.gateway,
  authentication: SECTIONS.authentication.optional(),
  tunnel: SECTIONS.tunnel,
  gre: SECTIONS.gre.optional(),
  routes: SECTIONS.routes.optional(),
  dns: SECTIONS.dns.optional(),
  mtu: SECTIONS.mtu.optional(),
  proposals: SECTIONS.proposals.optional(),
  timing: SECTIONS.timing.optional(),
  locked: z.array(text(wrongPointer)).max(64).optional(),
  lockedBy: z.string().min(1).max(200).optional(),
  overrides: OVERRIDES.optional(),
});

export type ProfileFile = z.infer<typeof FILE>;
export type SectionName = keyof typeof SECTIONS;
/** The sections of a file that are right by themselves; the others are undefined. */
export type ValidSections = { readonly [K in SectionName]?: z.infer<(typeof SECTIONS)[K]> | undefined };
