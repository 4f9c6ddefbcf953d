// How both ends prove who they are, in the checked form of a profile, and how it comes out of the file. Certificates, keys and secrets are
// bytes; files that the profile names are read when it is imported, and stored inline.
import type { Told } from '../words/told.ts';
import type {
  AuthenticationFile,
  EAP_INNER,
  EAP_METHODS,
  EapFile,
  GatewayAuthenticationFile,
  METHODS,
  RoundFile,
} from './authentication-schema.ts';
import { type ProfileProblem, pointerOf } from './problem.ts';
import { type ReadSecretFile, readMaterial, readSecret } from './secret.ts';

/** Our certificate and its key. Either `pkcs12`, or `certificate` with `key` or `storedKey`. */
export interface ProfileCertificate {
  /** Ours and intermediates, PEM or DER; null: in the PKCS#12 file, or in the store. */
  readonly certificate: Uint8Array | null;
  readonly key: Uint8Array | null;
  readonly pkcs12: Uint8Array | null;
  readonly passphrase: string | null;
  /** A key that never leaves its store. */
  readonly storedKey: {
    readonly store: string;
    readonly name: { readonly label: string } | { readonly id: string };
  } | null;
  readonly rsaPadding: 'pss' | 'pkcs1';
}

export interface ProfileEap {
  readonly methods: readonly (typeof EAP_METHODS)[number][];
  /** null: the identity as it is written. */
  readonly username: string | null;
  /** null: the person is asked. */
  readonly password: string | null;
  readonly anonymousIdentity: string | null;
  /** null: what the methods do by themselves. */
  readonly inner: readonly (typeof EAP_INNER)[number][] | null;
  readonly gtc: 'password' | 'code';
  /** PEM; null: the authorities that this program brings. */
  readonly authorities: readonly Uint8Array[] | null;
  /** null: the gateway's name. */
  readonly serverNames: readonly string[] | null;
  readonly certificate: ProfileCertificate | null;
  readonly gatewayByEap: boolean;
}

/** One proof of who we are. */
export interface ProfileRound {
  readonly method: (typeof METHODS)[number];
  /** "alice@example.com" (RFC 822), "host.example.com" (FQDN), an address, "CN=…", or "key-id:…"; null: see docs/profile.md. */
  readonly identity: string | null;
  /** Empty unless the method is `psk`. */
  readonly secret: Uint8Array;
  readonly certificate?: ProfileCertificate | undefined;
  readonly eap?: ProfileEap | undefined;
}

export interface ProfileAuthentication extends ProfileRound {
  readonly ppk?: { readonly id: string; readonly secret: Uint8Array; readonly required: boolean } | undefined;
  readonly second?: ProfileRound | undefined;
}

export type GatewayAuthentication =
  | { readonly method: 'psk'; readonly secret: Uint8Array }
  | {
      readonly method: 'certificate';
      /** Certificates of authorities, or the gateway's own, PEM or DER; null: the authorities that this program brings. */
      readonly authorities: readonly Uint8Array[] | null;
      readonly revocation: 'off' | 'soft' | 'strict';
      readonly crls: readonly Uint8Array[];
      /** Take SHA-1 and short RSA keys. */
      readonly legacy: boolean;
    };

/** Where a file has secrets, certificates and keys: the pointer's path, and whether it is a secret of bytes or other material. */
interface Slot {
  readonly path: readonly (string | number)[];
  readonly kind: 'secret' | 'material';
}

const ROUND_SLOTS = ['certificate', 'key', 'pkcs12'] as const;

function slotsIn(raw: unknown): readonly Slot[] {
  const slots: Slot[] = [];
  const material = (...path: (string | number)[]) => slots.push({ path, kind: 'material' });
  const list = (...path: string[]) => {
    const value = at(raw, path);
    if (Array.isArray(value)) for (const i of value.keys()) material(...path, i);
  };
  for (const round of [['authentication'], ['authentication', 'second']]) {
    const method = at(raw, [...round, 'method']);
    // Without a method, the one that was there first is meant.
    const isPsk = method === 'psk' || (method === undefined && isObject(at(raw, round)));
    if (isPsk || at(raw, [...round, 'secret']) !== undefined)
      slots.push({ path: [...round, 'secret'], kind: 'secret' });
    for (const key of ROUND_SLOTS) {
      if (at(raw, [...round, key]) !== undefined) material(...round, key);
      if (at(raw, [...round, 'eap', key]) !== undefined) material(...round, 'eap', key);
    }
    list(...round, 'eap', 'authorities');
  }
  if (isObject(at(raw, ['authentication', 'ppk'])))
    slots.push({ path: ['authentication', 'ppk', 'secret'], kind: 'secret' });
  const gateway = ['gateway', 'authentication'];
  if (at(raw, [...gateway, 'method']) === 'psk' || at(raw, [...gateway, 'secret']) !== undefined)
    slots.push({ path: [...gateway, 'secret'], kind: 'secret' });
  list(...gateway, 'authorities');
  list(...gateway, 'crls');
  return slots;
}

/** What has been read out of all slots. */
export interface Materials {
  readonly problems: readonly ProfileProblem[];
  readonly warnings: readonly Told[];
  /** By JSON pointer. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
  /** The file's value with everything inline. */
  readonly stored: Record<string, unknown>;
}

export function readMaterials(raw: Record<string, unknown>, readFile: ReadSecretFile | undefined): Materials {
  const problems: ProfileProblem[] = [];
  const warnings: Told[] = [];
  const bytes = new Map<string, Uint8Array>();
  const stored = structuredClone(raw);
  for (const { path, kind } of slotsIn(raw)) {
    const pointer = pointerOf(path);
    const read =
      kind === 'secret' ? readSecret(at(raw, path), readFile, pointer) : readMaterial(at(raw, path), readFile, pointer);
    if (!('bytes' in read)) {
      problems.push(...read);
      continue;
    }
    warnings.push(...read.warnings);
    bytes.set(pointer, Uint8Array.from(read.bytes));
    put(stored, path, kind === 'secret' ? { base64: base64(read.bytes) } : inline(read.bytes));
  }
  return { problems, warnings, bytes, stored };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** PEM stays text, which people can read. */
function inline(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('latin1');
  return /^[\t\n\r -~]*$/.test(text) && text.includes('-----BEGIN ') ? text : { base64: base64(bytes) };
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function at(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function put(target: Record<string, unknown>, path: readonly (string | number)[], value: unknown): void {
  const parent = at(target, path.slice(0, -1));
  const key = path.at(-1);
  if (typeof parent === 'object' && parent !== null && key !== undefined)
    (parent as Record<PropertyKey, unknown>)[key] = value;
}

export function buildAuthentication(file: AuthenticationFile | undefined, { bytes }: Materials): ProfileAuthentication {
  // Only plain GRE has none.
  if (!file) return { method: 'psk', identity: null, secret: new Uint8Array(0) };
  const { ppk, second } = file;
  return {
    ...buildRound(file, '/authentication', bytes),
    ...(ppk && {
      ppk: { id: ppk.id, secret: taken(bytes, '/authentication/ppk/secret'), required: ppk.required ?? true },
    }),
    ...(second && { second: buildRound(second, '/authentication/second', bytes) }),
  };
}

type Bytes = Materials['bytes'];
const taken = (bytes: Bytes, pointer: string): Uint8Array => bytes.get(pointer) ?? new Uint8Array(0);

function buildRound(file: RoundFile, pointer: string, bytes: Bytes): ProfileRound {
  const { method, identity = null, eap } = file;
  return {
    method,
    identity,
    secret: method === 'psk' ? taken(bytes, `${pointer}/secret`) : new Uint8Array(0),
    ...(method === 'certificate' && { certificate: buildCertificate(file, pointer, bytes) }),
    ...(method === 'eap' && eap && { eap: buildEap(eap, `${pointer}/eap`, bytes) }),
  };
}

function buildCertificate(file: Partial<RoundFile>, pointer: string, bytes: Bytes): ProfileCertificate {
  const { passphrase, storedKey, rsaPadding } = file;
  return {
    certificate: bytes.get(`${pointer}/certificate`) ?? null,
    key: bytes.get(`${pointer}/key`) ?? null,
    pkcs12: bytes.get(`${pointer}/pkcs12`) ?? null,
    passphrase: passphrase ?? null,
    storedKey: storedKey
      ? {
          store: storedKey.store,
          name: storedKey.id === undefined ? { label: storedKey.label ?? '' } : { id: storedKey.id },
        }
      : null,
    rsaPadding: rsaPadding ?? 'pss',
  };
}

function buildEap(file: EapFile, pointer: string, bytes: Bytes): ProfileEap {
  const own = ROUND_SLOTS.some((key) => bytes.has(`${pointer}/${key}`));
  return {
    methods: file.methods,
    username: file.username ?? null,
    password: file.password ?? null,
    anonymousIdentity: file.anonymousIdentity ?? null,
    inner: file.inner ?? null,
    gtc: file.gtc ?? 'password',
    authorities: listed(file.authorities, `${pointer}/authorities`, bytes),
    serverNames: file.serverNames ?? null,
    certificate: own ? buildCertificate({ passphrase: file.passphrase }, pointer, bytes) : null,
    gatewayByEap: file.gatewayByEap ?? false,
  };
}

export function buildGatewayAuthentication(
  file: GatewayAuthenticationFile | undefined,
  { bytes }: Materials,
): GatewayAuthentication | undefined {
  if (!file) return undefined;
  const pointer = '/gateway/authentication';
  if (file.method === 'psk') return { method: 'psk', secret: taken(bytes, `${pointer}/secret`) };
  return {
    method: 'certificate',
    authorities: listed(file.authorities, `${pointer}/authorities`, bytes),
    revocation: file.revocation ?? 'soft',
    crls: listed(file.crls, `${pointer}/crls`, bytes) ?? [],
    legacy: file.legacy ?? false,
  };
}

function listed(
  list: readonly unknown[] | null | undefined,
  pointer: string,
  bytes: Bytes,
): readonly Uint8Array[] | null {
  return list ? list.map((_, i) => taken(bytes, `${pointer}/${i}`)) : null;
}

/** Whether it wants a key out of a store of this computer, such as a token. */
export function usesKeyStore({ authentication }: { readonly authentication: ProfileAuthentication }): boolean {
  const { certificate, second } = authentication;
  return Boolean(certificate?.storedKey ?? second?.certificate?.storedKey);
}

/** Everything in a profile that no log may show: keys, passwords, passphrases. */
export function secretsOf(profile: {
  readonly authentication: ProfileAuthentication;
  readonly gateway: { readonly authentication?: GatewayAuthentication | undefined };
}): readonly Uint8Array[] {
  const { authentication, gateway } = profile;
  const text = (value: string | null | undefined) => (value ? [new TextEncoder().encode(value)] : []);
  const ofCertificate = (own: ProfileCertificate | null | undefined) =>
    own ? [...(own.key ? [own.key] : []), ...(own.pkcs12 ? [own.pkcs12] : []), ...text(own.passphrase)] : [];
  const ofRound = (round: ProfileRound | undefined) =>
    round
      ? [
          round.secret,
          ...ofCertificate(round.certificate),
          ...ofCertificate(round.eap?.certificate),
          ...text(round.eap?.password),
        ]
      : [];
  return [
    ...ofRound(authentication),
    ...ofRound(authentication.second),
    ...(authentication.ppk ? [authentication.ppk.secret] : []),
    ...(gateway.authentication?.method === 'psk' ? [gateway.authentication.secret] : []),
  ].filter((secret) => secret.length > 0);
}
