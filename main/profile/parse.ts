// A profile file's text → the checked Profile with every default filled in, or every mistake at once.
import type { z } from 'zod';
import { defaultProposals } from '../crypto/policy.ts';
import { type Address, type Prefix, parseAddress, parsePrefix } from '../wire/address.ts';
import { domainOf } from '../wire/domain.ts';
import type { Told } from '../words/told.ts';
import { buildAuthentication, buildGatewayAuthentication, type Materials, readMaterials } from './authentication.ts';
import { checkTogether } from './check.ts';
import { DEFAULTS, defaultEncapsulation, defaultFamilies } from './defaults.ts';
import { fieldAt, keysAt, pointersNamed } from './fields.ts';
import { parseJson } from './json.ts';
import { effectiveFile } from './policy.ts';
import { type ProfileError, type ProfileProblem, pointerOf, problemsError } from './problem.ts';
import type { Profile } from './profile.ts';
import { FILE, FORMAT, type ProfileFile, SECTIONS, type SectionName, type ValidSections } from './schema.ts';
import type { ReadSecretFile } from './secret.ts';
import { nearest } from './suggest.ts';

export interface ParsedProfile {
  readonly profile: Profile;
  /** What is allowed, but perhaps not meant. */
  readonly warnings: readonly Told[];
  /** The file as it is stored: the same keys, secrets, certificates and keys inline. Contains the secrets. */
  readonly text: string;
}

export interface ParseOptions {
  /** How to read the file that a secret names; undefined: such profiles are refused. */
  readonly readSecretFile?: ReadSecretFile;
  /**
   * It is one of ours, imported by this version or an older one: what has become an error of imports since is used with a warning, for
   * whoever has the profile often cannot repair it.
   */
  readonly stored?: boolean;
}

/** More than any profile needs. */
const MOST_CHARACTERS = 256 * 1024;

/** Throws ProfileError with every problem that the file has. */
export function parseProfile(text: string, options: ParseOptions = {}): ParsedProfile {
  const { raw, repeated } = parseObject(text);
  checkVersion(raw);
  const parsed = FILE.safeParse(raw);
  const problems: ProfileProblem[] = repeated.map((pointer) => ({
    code: 'invalid',
    pointer,
    message: 'stands twice; only one can count.',
  }));
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => problemsOf(issue, raw)));

  const materials = readMaterials(raw, options.readSecretFile);
  problems.push(...materials.problems.map(withField));

  const together = checkTogether(validSections(raw), (section) => Object.hasOwn(raw, section), options.stored);
  problems.push(...together.problems.map(withField));
  if (problems.length > 0 || !parsed.success) throw problemsError(firstOfEach(problems));

  const effective = effectiveFile(parsed.data);
  if (parsed.data.overrides) {
    const { routes, mtu } = effective.file;
    const chosen = checkTogether(
      { ...validSections(raw), routes, mtu },
      (section) => Object.hasOwn(raw, section),
      options.stored,
    );
    // What the profile itself says was found right above: what is wrong now is the person's choice.
    if (chosen.problems.length > 0)
      throw problemsError(chosen.problems.map((problem) => ({ ...problem, pointer: `/overrides${problem.pointer}` })));
  }

  const own = build(parsed.data, materials);
  const { routes, mtu } = build(effective.file, materials);
  return {
    profile: { ...own, routes, mtu, policy: { ...effective.policy, own: { routes: own.routes, mtu: own.mtu } } },
    warnings: [...together.warnings, ...materials.warnings],
    // Keys and their order stay as the administrator wrote them; only the form of secrets changes.
    text: `${JSON.stringify(materials.stored, null, 2)}\n`,
  };
}

/** One mistake may break several rules; the first says enough. */
function firstOfEach(problems: readonly ProfileProblem[]): readonly ProfileProblem[] {
  return problems.filter(({ pointer }, i) => problems.findIndex((other) => other.pointer === pointer) === i);
}

function parseObject(text: string): { readonly raw: Record<string, unknown>; readonly repeated: readonly string[] } {
  const syntax = (message: string): ProfileError => problemsError([{ code: 'syntax', pointer: '', message }]);
  if (text.length > MOST_CHARACTERS)
    throw syntax(`is longer than ${MOST_CHARACTERS} characters: this is not a profile.`);
  // Editors on Windows put a byte order mark in front.
  const json = parseJson(text.replace(/^\uFEFF/, ''));
  if ('message' in json) throw syntax(`is not JSON: line ${json.line}, column ${json.column}: ${json.message}.`);
  const { value, repeated } = json;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw syntax('is JSON, but not an object, which begins with "{".');
  return { raw: value as Record<string, unknown>, repeated };
}

/** A file of another version is not judged by the rules of this one. */
function checkVersion(raw: Record<string, unknown>): void {
  const version = raw.culvert;
  if (typeof version === 'number' && Number.isInteger(version) && version > FORMAT)
    throw problemsError([
      {
        code: 'version',
        pointer: '/culvert',
        message: `is ${version}: this profile is for a newer version of Culvert, which reads format ${FORMAT}.`,
      },
    ]);
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function withField(problem: ProfileProblem): ProfileProblem {
  const field = fieldAt(problem.pointer);
  return field ? { expected: field.expected, example: field.example, ...problem } : problem;
}

/** A value as it is shown back; long ones are cut, and what may be a secret is not shown. */
function shown(value: unknown, pointer: string): string {
  if (/^(\/gateway)?\/authentication/.test(pointer)) return 'what stands here';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function problemsOf(issue: z.core.$ZodIssue, raw: Record<string, unknown>): ProfileProblem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key));
  const pointer = pointerOf(issue.path);
  const value = valueAt(raw, issue.path);
  if (value === undefined) return [withField({ code: 'missing', pointer, message: 'is missing.' })];
  const message =
    issue.code === 'custom'
      ? `${shown(value, pointer)} ${issue.message}`
      : `${shown(value, pointer)} does not belong here.`;
  return [withField({ code: 'invalid', pointer, message })];
}

function unknownKey(path: readonly PropertyKey[], key: string): ProfileProblem {
  const parent = pointerOf(path);
  const here = nearest(key, keysAt(parent));
  // A right key in the wrong place is as common as a mistyped one.
  const suggestion = here === undefined ? pointersNamed(key)[0] : pointerOf([...path, here]);
  return {
    code: 'unknown-key',
    pointer: pointerOf([...path, key]),
    message: 'is not a key of a profile.',
    ...(suggestion === undefined ? { expected: `one of ${keysAt(parent).join(', ')}` } : { suggestion }),
  };
}

function validSections(raw: Record<string, unknown>): ValidSections {
  const valid: Partial<Record<SectionName, unknown>> = {};
  for (const name of Object.keys(SECTIONS) as SectionName[]) {
    const result = Object.hasOwn(raw, name) ? SECTIONS[name].safeParse(raw[name]) : undefined;
    if (result?.success) valid[name] = result.data;
  }
  return valid as ValidSections;
}

/** The checks have passed: these cannot be undefined. */
function address(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed) throw new RangeError(`${text} passed the checks, but is not an address`);
  return parsed;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new RangeError(`${text} passed the checks, but is not a network`);
  return parsed;
}

function build(file: ProfileFile, materials: Materials): Profile {
  const { gateway, tunnel, gre, routes, dns, mtu, proposals, timing } = file;
  const plain = tunnel.shape === 'gre-plain';
  return {
    name: file.name,
    gateway: {
      host: gateway.host,
      port: gateway.port ?? DEFAULTS.port,
      nattPort: gateway.nattPort ?? DEFAULTS.nattPort,
      tcp: gateway.tcp ?? 'fallback',
      tcpPort: gateway.tcpPort ?? DEFAULTS.tcpPort,
      identity: gateway.identity ?? null,
      ...(gateway.authentication && {
        authentication: buildGatewayAuthentication(gateway.authentication, materials),
      }),
    },
    authentication: buildAuthentication(file.authentication, materials),
    tunnel: {
      shape: tunnel.shape,
      encapsulation: tunnel.encapsulation ?? defaultEncapsulation(tunnel.shape),
      requestAddresses: tunnel.requestAddresses ?? defaultFamilies(file),
      replayWindow: tunnel.replayWindow ?? DEFAULTS.replayWindow,
      interfaceName: tunnel.interfaceName ?? DEFAULTS.interfaceName,
      remoteSelectors: tunnel.remoteSelectors?.map(prefix) ?? null,
      anyProtocol: tunnel.anyProtocol ?? false,
      mobike: tunnel.mobike ?? true,
      childless: tunnel.childless ?? false,
      direct: tunnel.direct?.map(prefix) ?? [],
    },
    gre: gre
      ? {
          address: gre.address?.map(prefix) ?? [],
          local: gre.local ? address(gre.local) : null,
          remote: gre.remote ? address(gre.remote) : null,
          key: gre.key ?? null,
          checksum: gre.checksum ?? false,
          sequence: gre.sequence ?? false,
        }
      : null,
    routes: {
      include: routes?.include?.map(prefix) ?? [],
      exclude: routes?.exclude?.map(prefix) ?? [],
      allowLan: routes?.allowLan ?? true,
      fromGateway: routes?.fromGateway ?? false,
    },
    dns: {
      use: dns?.use ?? true,
      servers: dns?.servers?.map(address) ?? null,
      domains: dns?.domains?.flatMap((text) => domainOf(text) ?? []) ?? null,
    },
    mtu: {
      value: mtu?.value ?? null,
      path: mtu?.path ?? DEFAULTS.path,
      mss: mtu?.mss ?? null,
      copyDscp: mtu?.copyDscp ?? false,
      outerDf: mtu?.outerDf ?? 'set',
    },
    proposals: {
      ike: plain ? [] : (proposals?.ike ?? defaultProposals('ike', proposals?.policy ?? 'default')),
      esp: plain ? [] : (proposals?.esp ?? defaultProposals('esp', proposals?.policy ?? 'default')),
    },
    timing: {
      livenessSeconds: timing?.livenessSeconds ?? DEFAULTS.livenessSeconds,
      keepaliveSeconds: timing?.keepaliveSeconds ?? DEFAULTS.keepaliveSeconds,
      connectSeconds: timing?.connectSeconds ?? DEFAULTS.connectSeconds,
      rekeySeconds: timing?.rekeySeconds ?? DEFAULTS.rekeySeconds,
      ikeRekeySeconds: timing?.ikeRekeySeconds ?? DEFAULTS.ikeRekeySeconds,
      reauthSeconds: timing?.reauthSeconds ?? DEFAULTS.reauthSeconds,
      rekeyBytes: timing?.rekeyBytes ?? null,
      rekeyPackets: timing?.rekeyPackets ?? null,
    },
  };
}
