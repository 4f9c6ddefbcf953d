// A profile file's text → the checked Profile with every default filled in, or every mistake at once.
import type { z } from 'zod';
import { DEFAULT_ESP_PROPOSALS, DEFAULT_IKE_PROPOSALS } from '../crypto/proposal.ts';
import { type Address, type Prefix, parseAddress, parsePrefix } from '../wire/address.ts';
import { checkTogether } from './check.ts';
import { fieldAt, keysAt, pointersNamed } from './fields.ts';
import { type ProfileProblem, pointerOf, problemsError } from './problem.ts';
import type { Profile } from './profile.ts';
import { FILE, FORMAT, type ProfileFile, SECTIONS, type SectionName, type ValidSections } from './schema.ts';
import { type ReadSecretFile, readSecret, SECRET_PATH } from './secret.ts';
import { nearest } from './suggest.ts';

export interface ParsedProfile {
  readonly profile: Profile;
  /** What is allowed, but perhaps not meant. */
  readonly warnings: readonly string[];
  /** The file as it is stored: the same keys, the secret inline. Contains the secret. */
  readonly text: string;
}

export interface ParseOptions {
  /** How to read the file that a secret names; undefined: such profiles are refused. */
  readonly readSecretFile?: ReadSecretFile;
}

/** More than any profile needs. */
const MOST_CHARACTERS = 256 * 1024;

const DEFAULTS = {
  port: 500,
  nattPort: 4500,
  replayWindow: 1024,
  interfaceName: 'culvert%d',
  path: 1500,
  livenessSeconds: 30,
  // RFC 3948 §4.
  keepaliveSeconds: 20,
  connectSeconds: 30,
} as const;

/** Throws ProfileError with every problem that the file has. */
export function parseProfile(text: string, options: ParseOptions = {}): ParsedProfile {
  const raw = parseObject(text);
  checkVersion(raw);
  const parsed = FILE.safeParse(raw);
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, raw));

  const authentication = valueAt(raw, ['authentication']);
  const secret =
    typeof authentication === 'object' && authentication !== null && !Array.isArray(authentication)
      ? readSecret(valueAt(raw, SECRET_PATH), options.readSecretFile)
      : undefined;
  if (Array.isArray(secret)) problems.push(...secret.map(withField));

  const together = checkTogether(validSections(raw), (section) => Object.hasOwn(raw, section));
  problems.push(...together.problems.map(withField));
  if (problems.length > 0 || !parsed.success) throw problemsError(problems);

  const bytes = secret && 'bytes' in secret ? secret.bytes : new Uint8Array(0);
  const secretWarnings = secret && 'bytes' in secret ? secret.warnings : [];
  return {
    profile: build(parsed.data, bytes),
    warnings: [...together.warnings, ...secretWarnings],
    text: storedText(raw, secret && 'bytes' in secret ? bytes : undefined),
  };
}

function parseObject(text: string): Record<string, unknown> {
  const syntax = (message: string): never => {
    throw problemsError([
      {
        code: 'syntax',
        pointer: '',
        message,
        expected: 'a JSON object',
        example: '{ "culvert": 1, "name": "office", … }',
      },
    ]);
  };
  if (text.length > MOST_CHARACTERS) syntax(`is longer than ${MOST_CHARACTERS} characters.`);
  const clean = text.replace(/^\uFEFF/, '');
  let raw: unknown;
  try {
    raw = JSON.parse(clean);
  } catch (error) {
    // The engine's message quotes the text, and with it perhaps the secret: only the place is told.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    syntax(`is not JSON${position === undefined ? '' : ` (${lineAndColumn(clean, Number(position))})`}.`);
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return syntax('is JSON, but not an object.');
  return raw as Record<string, unknown>;
}

function lineAndColumn(text: string, position: number): string {
  const lines = text.slice(0, position).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
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

/** A value as it is shown back; long ones are cut. */
function shown(value: unknown): string {
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
    issue.code === 'custom' ? `${shown(value)} ${issue.message}` : `${shown(value)} does not belong here.`;
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

function build(file: ProfileFile, secret: Uint8Array): Profile {
  const { gateway, tunnel, gre, routes, mtu, proposals, timing } = file;
  const plain = tunnel.shape === 'gre-plain';
  return {
    name: file.name,
    gateway: {
      host: gateway.host,
      port: gateway.port ?? DEFAULTS.port,
      nattPort: gateway.nattPort ?? DEFAULTS.nattPort,
      identity: gateway.identity ?? null,
    },
    authentication: { method: 'psk', identity: file.authentication?.identity ?? null, secret },
    tunnel: {
      shape: tunnel.shape,
      encapsulation: tunnel.encapsulation ?? defaultEncapsulation(tunnel.shape),
      requestAddresses: tunnel.requestAddresses ?? defaultFamilies(file),
      replayWindow: tunnel.replayWindow ?? DEFAULTS.replayWindow,
      interfaceName: tunnel.interfaceName ?? DEFAULTS.interfaceName,
      remoteSelectors: tunnel.remoteSelectors?.map(prefix) ?? null,
      anyProtocol: tunnel.anyProtocol ?? false,
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
    mtu: {
      value: mtu?.value ?? null,
      path: mtu?.path ?? DEFAULTS.path,
      mss: mtu?.mss ?? null,
      copyDscp: mtu?.copyDscp ?? false,
    },
    proposals: {
      ike: plain ? [] : (proposals?.ike ?? DEFAULT_IKE_PROPOSALS),
      esp: plain ? [] : (proposals?.esp ?? DEFAULT_ESP_PROPOSALS),
    },
    timing: {
      livenessSeconds: timing?.livenessSeconds ?? DEFAULTS.livenessSeconds,
      keepaliveSeconds: timing?.keepaliveSeconds ?? DEFAULTS.keepaliveSeconds,
      connectSeconds: timing?.connectSeconds ?? DEFAULTS.connectSeconds,
    },
  };
}

/**
 * Tunnel mode in UDP crosses firewalls that know no protocol 50, which is what remote workers sit behind; gateways of the
 * site-to-site kind with transport mode often do not expect UDP without a NAT.
 */
function defaultEncapsulation(shape: Profile['tunnel']['shape']): 'udp' | 'auto' {
  return shape === 'gre-tunnel' || shape === 'esp-tunnel' ? 'udp' : 'auto';
}

/** Families of the virtual addresses to ask for: what GRE's delivery header or the routes need. */
function defaultFamilies(file: ProfileFile): readonly (4 | 6)[] {
  switch (file.tunnel.shape) {
    case 'gre-transport':
    case 'gre-plain':
      return [];
    case 'gre-tunnel':
      if (file.gre?.local) return [];
      return [(file.gre?.remote ?? file.gateway.host).includes(':') ? 6 : 4];
    case 'esp-tunnel': {
      const routes = file.routes?.include ?? [];
      const six = routes.some((text) => text.includes(':'));
      const four = routes.length === 0 || routes.some((text) => !text.includes(':'));
      return [...(four ? [4 as const] : []), ...(six ? [6 as const] : [])];
    }
  }
}

/** Keys and their order stay as the administrator wrote them; only the secret's form changes. */
function storedText(raw: Record<string, unknown>, secret: Uint8Array | undefined): string {
  if (!secret) return `${JSON.stringify(raw, null, 2)}\n`;
  const authentication = {
    ...(raw.authentication as object),
    secret: { base64: Buffer.from(secret).toString('base64') },
  };
  return `${JSON.stringify({ ...raw, authentication }, null, 2)}\n`;
}
