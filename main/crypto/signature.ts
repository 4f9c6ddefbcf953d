// Signatures of IKEv2's AUTH payload: name ⇄ authentication method (RFC 7296 §3.8, RFC 4754) ⇄ AlgorithmIdentifier of method 14
// (RFC 7427 §3, RFC 8420) ⇄ node:crypto. AlgorithmIdentifiers are compared with published constants; nothing here reads ASN.1.
//
// Two signatures of the same ECDSA key differ on the wire: methods 9 to 11 carry r | s of fixed length (RFC 4754 §7), method 14
// the DER ECDSA-Sig-Value as certificates do (RFC 7427 §3).
import { constants, type KeyObject, sign as nodeSign, verify as nodeVerify } from 'node:crypto';
import { WireError } from '../wire/error.ts';

/** "RSA with PKCS #1 v1.5 and SHA-1" is method 1 (RFC 7296 §3.8); the ecdsa-p* are methods 9 to 11 (RFC 4754), the others method 14. */
export type SignatureScheme =
  | { readonly method: 'rsa-sha1' }
  | { readonly method: 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' }
  /** RFC 7427: any hash with the key of the certificate; Ed25519 has the hash `identity` (RFC 8420). */
  | {
      readonly method: 'digital-signature';
      readonly key: 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa';
      readonly hash: 'sha256' | 'sha384' | 'sha512';
    }
  | { readonly method: 'digital-signature'; readonly key: 'ed25519'; readonly hash: 'identity' };

/** How bytes are signed, as AlgorithmIdentifiers in certificates, CRLs, OCSP answers and method 14 name it. */
export type SignatureAlgorithm =
  | {
      readonly key: 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa';
      readonly hash: 'sha1' | 'sha256' | 'sha384' | 'sha512';
    }
  | { readonly key: 'ed25519'; readonly hash: 'identity' };

export type SignatureHash = SignatureAlgorithm['hash'];

/** IKEv2 Hash Algorithms, the numbers in SIGNATURE_HASH_ALGORITHMS (RFC 7427 §7, RFC 8420 §4). */
export const SIGNATURE_HASH = { sha1: 1, sha256: 2, sha384: 3, sha512: 4, identity: 5 } as const;

/** What we tell peers that we verify (RFC 7427 §4); never SHA-1 (RFC 8247 §3.2). */
export const SIGNATURE_HASHES_OFFERED: readonly number[] = [
  SIGNATURE_HASH.sha256,
  SIGNATURE_HASH.sha384,
  SIGNATURE_HASH.sha512,
  SIGNATURE_HASH.identity,
];

/** IKEv2 Authentication Methods that are signatures (RFC 7296 §3.8, RFC 4754 §7, RFC 7427 §3). */
export const AUTH_METHOD = {
  'rsa-sha1': 1,
  'ecdsa-p256': 9,
  'ecdsa-p384': 10,
  'ecdsa-p521': 11,
  'digital-signature': 14,
} as const satisfies Record<SignatureScheme['method'], number>;

const STRONG_HASHES = ['sha256', 'sha384', 'sha512'] as const;

/** Methods 9 to 11: the curve as node:crypto calls it, the hash, and the bytes of r | s (RFC 4754 §7). */
const CLASSIC_ECDSA = {
  'ecdsa-p256': { curve: 'prime256v1', hash: 'sha256', bytes: 64 },
  'ecdsa-p384': { curve: 'secp384r1', hash: 'sha384', bytes: 96 },
  'ecdsa-p521': { curve: 'secp521r1', hash: 'sha512', bytes: 132 },
} as const;

/** Of RSASSA-PSS in AlgorithmIdentifiers: as long as the hash. */
const saltBytes = (hash: 'sha1' | 'sha256' | 'sha384' | 'sha512'): number =>
  ({ sha1: 20, sha256: 32, sha384: 48, sha512: 64 })[hash];

/** DER AlgorithmIdentifiers (RFC 7427 Appendix A, RFC 8420 Appendix A.1). The first of an algorithm is what we send. */
const ALGORITHM_IDENTIFIERS: readonly { readonly algorithm: SignatureAlgorithm; readonly der: string }[] = [
  // RSA PKCS #1 v1.5 (A.1) with the NULL that it must have, and without, as careless peers send it.
  ...(
    [
      ['sha1', '05'],
      ['sha256', '0b'],
      ['sha384', '0c'],
      ['sha512', '0d'],
    ] as const
  ).flatMap(([hash, last]) => [
    { algorithm: { key: 'rsa-pkcs1', hash } as const, der: `300d06092a864886f70d0101${last}0500` },
    { algorithm: { key: 'rsa-pkcs1', hash } as const, der: `300b06092a864886f70d0101${last}` },
  ]),
  // ECDSA (A.3): without parameters, and with a NULL that should not be there.
  { algorithm: { key: 'ecdsa', hash: 'sha1' }, der: '300906072a8648ce3d0401' },
  { algorithm: { key: 'ecdsa', hash: 'sha1' }, der: '300b06072a8648ce3d04010500' },
  ...(
    [
      ['sha256', '02'],
      ['sha384', '03'],
      ['sha512', '04'],
    ] as const
  ).flatMap(([hash, last]) => [
    { algorithm: { key: 'ecdsa', hash } as const, der: `300a06082a8648ce3d0403${last}` },
    { algorithm: { key: 'ecdsa', hash } as const, der: `300c06082a8648ce3d0403${last}0500` },
  ]),
  // RSASSA-PSS (A.4.3): MGF1 with the same hash and a salt of the hash's length. The published form spells out trailerField,
  // which DER leaves out as the default, and so do strongSwan, OpenSSL and Libreswan; the last compares bytes and refuses the
  // published form, so ours goes without. The NULL of the hashes is optional (RFC 4055 §2.1).
  ...(
    [
      ['sha256', '01', '20'],
      ['sha384', '02', '30'],
      ['sha512', '03', '40'],
    ] as const
  ).flatMap(([hash, h, salt]) => {
    const oid = `06096086480165030402${h}`;
    const mgf1 = '06092a864886f70d010108';
    const pss = '06092a864886f70d01010a';
    const withNull = `a00f300d${oid}0500a11c301a${mgf1}300d${oid}0500a2030201${salt}`;
    const withoutNull = `a00d300b${oid}a11a3018${mgf1}300b${oid}a2030201${salt}`;
    const trailer = 'a303020101';
    const algorithm = { key: 'rsa-pss', hash } as const;
    return [
      { algorithm, der: `3041${pss}3034${withNull}` },
      { algorithm, der: `3046${pss}3039${withNull}${trailer}` },
      { algorithm, der: `3042${pss}3035${withoutNull}${trailer}` },
      { algorithm, der: `303d${pss}3030${withoutNull}` },
    ];
  }),
  // RSASSA-PSS whose empty (A.4.1) or spelled-out (A.4.2) parameters mean SHA-1.
  { algorithm: { key: 'rsa-pss', hash: 'sha1' }, der: '300d06092a864886f70d01010a3000' },
  {
    algorithm: { key: 'rsa-pss', hash: 'sha1' },
    der: '303e06092a864886f70d01010a3031a00b300906052b0e03021a0500a118301606092a864886f70d010108300906052b0e03021a0500a203020114a303020101',
  },
  { algorithm: { key: 'ed25519', hash: 'identity' }, der: '300506032b6570' },
];

const BY_DER = new Map(ALGORITHM_IDENTIFIERS.map(({ der, algorithm }) => [der, algorithm]));

/** What a DER AlgorithmIdentifier names; undefined where it is none that we know. */
export function signatureAlgorithm(der: Uint8Array): SignatureAlgorithm | undefined {
  return BY_DER.get(Buffer.from(der).toString('hex'));
}

/** The DER AlgorithmIdentifier that we send. */
export function algorithmIdentifier(algorithm: SignatureAlgorithm): Uint8Array {
  const row = ALGORITHM_IDENTIFIERS.find(
    (candidate) => candidate.algorithm.key === algorithm.key && candidate.algorithm.hash === algorithm.hash,
  );
  return Uint8Array.from(Buffer.from(row!.der, 'hex'));
}

/** "rsa-sha1", "ecdsa-p256", "rsa-pss-sha256", "ed25519": what logs and profiles call it. */
export function schemeName(scheme: SignatureScheme): string {
  if (scheme.method !== 'digital-signature') return scheme.method;
  return scheme.key === 'ed25519' ? 'ed25519' : `${scheme.key}-${scheme.hash}`;
}

/** Every scheme, strongest custom first within a kind of key; `schemeName` of each is unique. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  { method: 'digital-signature', key: 'ed25519', hash: 'identity' },
  ...(['ecdsa', 'rsa-pss', 'rsa-pkcs1'] as const).flatMap((key) =>
    STRONG_HASHES.map((hash) => ({ method: 'digital-signature', key, hash }) as const),
  ),
  { method: 'ecdsa-p256' },
  { method: 'ecdsa-p384' },
  { method: 'ecdsa-p521' },
  { method: 'rsa-sha1' },
];

export function parseScheme(name: string): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => schemeName(scheme) === name);
}

/** What the AUTH payload says: its method, and the data behind its RESERVED field (RFC 7296 §3.8). */
export interface AuthenticationData {
  readonly method: number;
  readonly data: Uint8Array;
}

/** In method 14 the AlgorithmIdentifier stands before the signature, with its length in one byte (RFC 7427 §3). */
export function encodeAuthentication(scheme: SignatureScheme, signature: Uint8Array): AuthenticationData {
  const method = AUTH_METHOD[scheme.method];
  if (scheme.method !== 'digital-signature') return { method, data: signature };
  const identifier = algorithmIdentifier(scheme);
  const data = new Uint8Array(1 + identifier.length + signature.length);
  data[0] = identifier.length;
  data.set(identifier, 1);
  data.set(signature, 1 + identifier.length);
  return { method, data };
}

/**
 * The scheme and the signature of an AUTH payload; the signature is a view. Undefined for a method that is no signature
 * (shared keys and null authentication). An algorithm that is unknown or that we never take (SHA-1 by method 14, RFC 8247 §3.2)
 * is a WireError of code `value`.
 */
export function decodeAuthentication(
  method: number,
  data: Uint8Array,
): { readonly scheme: SignatureScheme; readonly signature: Uint8Array } | WireError | undefined {
  const classic = SIGNATURE_SCHEMES.find(
    (scheme) => scheme.method !== 'digital-signature' && AUTH_METHOD[scheme.method] === method,
  );
  if (classic) return { scheme: classic, signature: data };
  if (method !== AUTH_METHOD['digital-signature']) return undefined;
  const length = data[0];
  if (length === undefined || 1 + length > data.length)
    return new WireError(
      'truncated',
      'digital signature',
      0,
      'a length byte and an AlgorithmIdentifier of that length',
    );
  const algorithm = signatureAlgorithm(data.subarray(1, 1 + length));
  if (!algorithm)
    return new WireError('value', 'digital signature', 1, 'RSA, RSASSA-PSS or ECDSA with SHA-2, or Ed25519');
  const scheme = schemeOf(algorithm);
  if (!scheme) return new WireError('value', 'digital signature', 1, 'a hash stronger than SHA-1');
  return { scheme, signature: data.subarray(1 + length) };
}

function schemeOf(algorithm: SignatureAlgorithm): SignatureScheme | undefined {
  if (algorithm.key === 'ed25519') return { method: 'digital-signature', ...algorithm };
  const { key, hash } = algorithm;
  return hash === 'sha1' ? undefined : { method: 'digital-signature', key, hash };
}

/** The algorithm behind a scheme. */
export function algorithmOf(scheme: SignatureScheme): SignatureAlgorithm {
  switch (scheme.method) {
    case 'rsa-sha1':
      return { key: 'rsa-pkcs1', hash: 'sha1' };
    case 'ecdsa-p256':
    case 'ecdsa-p384':
    case 'ecdsa-p521':
      return { key: 'ecdsa', hash: CLASSIC_ECDSA[scheme.method].hash };
    case 'digital-signature':
      return scheme.key === 'ed25519' ? { key: scheme.key, hash: scheme.hash } : { key: scheme.key, hash: scheme.hash };
  }
}

/** Can a key (public or private) make or check signatures of this scheme? */
export function keyFits(key: KeyObject, scheme: SignatureScheme): boolean {
  if (!keyFitsAlgorithm(key, algorithmOf(scheme))) return false;
  return !isClassicEcdsa(scheme) || key.asymmetricKeyDetails?.namedCurve === CLASSIC_ECDSA[scheme.method].curve;
}

function keyFitsAlgorithm(key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  switch (algorithm.key) {
    case 'rsa-pkcs1':
      return key.asymmetricKeyType === 'rsa';
    case 'rsa-pss': {
      // A key of id-RSASSA-PSS may be bound to one hash and a least salt (RFC 4055 §3.1).
      const { hashAlgorithm, mgf1HashAlgorithm, saltLength } = key.asymmetricKeyDetails ?? {};
      const bound = key.asymmetricKeyType === 'rsa-pss' && hashAlgorithm !== undefined;
      const fits = hashAlgorithm === algorithm.hash && mgf1HashAlgorithm === algorithm.hash;
      if (bound && !(fits && (saltLength ?? 0) <= saltBytes(algorithm.hash))) return false;
      return key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss';
    }
    case 'ecdsa':
      return key.asymmetricKeyType === 'ec';
    case 'ed25519':
      return key.asymmetricKeyType === 'ed25519';
  }
}

type ClassicEcdsa = Extract<SignatureScheme, { readonly method: keyof typeof CLASSIC_ECDSA }>;
const isClassicEcdsa = (scheme: SignatureScheme): scheme is ClassicEcdsa => Object.hasOwn(CLASSIC_ECDSA, scheme.method);

/** The signature as it goes into the AUTH payload. Throws a RangeError where the key does not fit, which `keyFits` tells before. */
export function signOctets(privateKey: KeyObject, scheme: SignatureScheme, octets: Uint8Array): Uint8Array {
  if (!keyFits(privateKey, scheme))
    throw new RangeError(`a key of type ${privateKey.asymmetricKeyType} cannot sign with ${schemeName(scheme)}`);
  const { hash, options } = nodeParameters(algorithmOf(scheme), isClassicEcdsa(scheme));
  return Uint8Array.from(nodeSign(hash, octets, { key: privateKey, ...options }));
}

/** Whether the signature is the key's over the octets. False, too, for a key that does not fit and for bytes of any other shape. */
export function verifyOctets(
  publicKey: KeyObject,
  scheme: SignatureScheme,
  octets: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!keyFits(publicKey, scheme)) return false;
  const classic = isClassicEcdsa(scheme);
  if (classic && signature.length !== CLASSIC_ECDSA[scheme.method].bytes) return false;
  return verifyWith(publicKey, algorithmOf(scheme), octets, signature, classic);
}

/** The same for what certificates, CRLs and OCSP answers carry: ECDSA signatures are DER. */
export function verifySigned(
  publicKey: KeyObject,
  algorithm: SignatureAlgorithm,
  octets: Uint8Array,
  signature: Uint8Array,
): boolean {
  return keyFitsAlgorithm(publicKey, algorithm) && verifyWith(publicKey, algorithm, octets, signature, false);
}

function verifyWith(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  octets: Uint8Array,
  signature: Uint8Array,
  fixedLength: boolean,
): boolean {
  const { hash, options } = nodeParameters(algorithm, fixedLength);
  try {
    return nodeVerify(hash, octets, { key, ...options }, signature);
  } catch {
    // OpenSSL and BoringSSL throw for some malformed signatures, and for RSA-PSS keys whose own parameters forbid the hash.
    return false;
  }
}

function nodeParameters(algorithm: SignatureAlgorithm, fixedLength: boolean) {
  switch (algorithm.key) {
    case 'ed25519':
      return { hash: null, options: {} };
    case 'ecdsa':
      return { hash: algorithm.hash, options: { dsaEncoding: fixedLength ? 'ieee-p1363' : 'der' } as const };
    case 'rsa-pkcs1':
      return { hash: algorithm.hash, options: { padding: constants.RSA_PKCS1_PADDING } };
    case 'rsa-pss': {
      const saltLength = saltBytes(algorithm.hash);
      return { hash: algorithm.hash, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } };
    }
  }
}

export interface SchemePolicy {
  /** Sign with SHA-1 where the peer can nothing else (RSA without RFC 7427). Part of the policy for legacy gateways. */
  readonly sha1: boolean;
  /** RSASSA-PSS is what RFC 8247 §3.2 asks for; gateways that know method 14 but not PSS need `pkcs1`. */
  readonly rsaPadding: 'pss' | 'pkcs1';
}

export const DEFAULT_SCHEME_POLICY: SchemePolicy = { sha1: false, rsaPadding: 'pss' };

/**
 * The scheme to sign with: the key (its public half will do), the hashes of the peer's SIGNATURE_HASH_ALGORITHMS (undefined: it
 * sent none, so that it does not know method 14, RFC 7427 §4), our policy. Undefined where nothing fits all three.
 */
export function chooseScheme(
  key: KeyObject,
  peerHashes: readonly number[] | undefined,
  policy: SchemePolicy = DEFAULT_SCHEME_POLICY,
): SignatureScheme | undefined {
  return schemesToTry(key, policy).find((scheme) => {
    if (!keyFits(key, scheme)) return false;
    if (scheme.method !== 'digital-signature') return true;
    return peerHashes?.includes(SIGNATURE_HASH[scheme.hash]) ?? false;
  });
}

function schemesToTry(key: KeyObject, policy: SchemePolicy): readonly SignatureScheme[] {
  const digital = (kind: 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa', first: (typeof STRONG_HASHES)[number] = 'sha256') =>
    [first, ...STRONG_HASHES.filter((hash) => hash !== first)].map(
      (hash) => ({ method: 'digital-signature', key: kind, hash }) as const,
    );
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return [{ method: 'digital-signature', key: 'ed25519', hash: 'identity' }];
    case 'ec': {
      // A hash as strong as the curve (RFC 7427 §5), then what else the peer knows, then the classic method of the curve.
      const classic = (['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521'] as const).find(
        (method) => CLASSIC_ECDSA[method].curve === key.asymmetricKeyDetails?.namedCurve,
      );
      return classic ? [...digital('ecdsa', CLASSIC_ECDSA[classic].hash), { method: classic }] : digital('ecdsa');
    }
    default:
      return [
        ...digital(policy.rsaPadding === 'pss' || key.asymmetricKeyType === 'rsa-pss' ? 'rsa-pss' : 'rsa-pkcs1'),
        ...(policy.sha1 ? [{ method: 'rsa-sha1' } as const] : []),
      ];
  }
}
