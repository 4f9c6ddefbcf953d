// A key store in a PKCS#11 token. The token does the arithmetic of the private key; hashes for ECDSA are made here, because few
// tokens make them. A token locks itself after a few wrong PINs: one that it has refused is not sent to it again.
import { createHash, createHmac, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { algorithmOf, type SignatureScheme } from '../crypto/signature.ts';
import type { Attribute, Mechanism, Pkcs11Module, Pkcs11Session } from '../native/pkcs11.ts';
import { onlyBlock } from './blocks.ts';
import { isPkiError, PkiError } from './error.ts';
import type { KeyName, KeyStore, StoredKey } from './key-store.ts';
import { lib } from './libraries.ts';

export interface Pkcs11StoreConfig {
  readonly module: Pkcs11Module;
  /** The token's label; undefined: the only one there is. */
  readonly token?: string | undefined;
}

/** A person may have to touch the token. What takes longer is given up, here: nothing can end a call into the token's library. */
const PATIENCE_MS = 60_000;

// pkcs11t.h.
const CKA = { class: 0, label: 3, value: 0x11, id: 0x102, modulus: 0x120, publicExponent: 0x122, ecPoint: 0x181 };
const CKO = { certificate: 1, publicKey: 2, privateKey: 3 };
const RSA_PKCS = { sha1: 0x06, sha256: 0x40, sha384: 0x41, sha512: 0x42 };
/** Mechanism, CKM_ of the hash, CKG_ of MGF1 with it, and the salt's length. */
const RSA_PSS = {
  sha256: [0x43, 0x250, 2, 32],
  sha384: [0x44, 0x260, 3, 48],
  sha512: [0x45, 0x270, 4, 64],
} as const;
const ECDSA = 0x1041;
const EDDSA = 0x1057;

export function pkcs11Store({ module, token }: Pkcs11StoreConfig): KeyStore {
  const name = token === undefined ? 'PKCS#11' : `PKCS#11 token "${token}"`;
  const failed = (detail: string) => new PkiError({ code: 'key-store', store: name, detail });
  /** The hashes of PINs, each with its token's label, that were refused. */
  const refused = new Set<string>();
  const secret = randomBytes(32);
  const hashed = (label: string, pin: string) =>
    createHmac('sha256', secret)
      .update(`${Buffer.byteLength(label)} ${label}${pin}`)
      .digest('base64');

  const login = async (session: Pkcs11Session, label: string, pin: string): Promise<PkiError | undefined> => {
    const hash = hashed(label, pin);
    if (refused.has(hash))
      return failed(
        'the PIN is wrong: the token has refused it before, and it is not sent again, because a token locks itself after a few wrong ' +
          'ones (if the PIN of the token was changed to it since, restart the service)',
      );
    try {
      await session.login(pin);
      return undefined;
    } catch (error) {
      if (isWrongPin(error)) refused.add(hash);
      throw error;
    }
  };

  const open = async (wanted: KeyName, pin: string | undefined): Promise<StoredKey | PkiError> => {
    let session: Pkcs11Session | undefined;
    try {
      const tokens = (await module.tokens()).filter(({ label }) => token === undefined || label === token);
      const [only] = tokens;
      if (!only || tokens.length > 1)
        return failed(only ? 'there are several tokens, and none is named' : 'there is no such token');
      session = await module.openSession(only.slot);
      const problem = pin === undefined ? undefined : await login(session, only.label, pin);
      const stored = problem ?? (await find(session, wanted)) ?? failed('it has no such key');
      if (isPkiError(stored)) session.close();
      return stored;
    } catch (error) {
      session?.close();
      return failed(error instanceof Error ? error.message : 'it gave no reason');
    }
  };

  /** One after the other: two profiles with the same wrong PIN must not both send it. */
  let last: Promise<unknown> = Promise.resolve();
  return {
    name,
    open(wanted, pin) {
      const opening = last.then(() => open(wanted, pin));
      last = opening;
      return inTime(opening, (late) => {
        if (!isPkiError(late)) late.close();
      }).catch((error: unknown) => failed(error instanceof Error ? error.message : 'it gave no reason'));
    },
  };
}

/** CKR_PIN_INCORRECT; main/native is not loaded here. */
const isWrongPin = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 0xa0;

/** Rejects when the token has not answered in time; `late` is handed what came after that. */
function inTime<T>(work: Promise<T>, late: (result: T) => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      reject(new Error(`the token did not answer within ${PATIENCE_MS / 1000} seconds`));
    }, PATIENCE_MS);
    timer.unref();
    work.then(
      (result) => {
        clearTimeout(timer);
        if (over) late(result);
        else resolve(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

const attribute = (type: number, value: number | Uint8Array): Attribute => ({
  type,
  value: typeof value === 'number' ? new Uint8Array(new BigUint64Array([BigInt(value)]).buffer) : value,
});

async function find(session: Pkcs11Session, wanted: KeyName): Promise<StoredKey | undefined> {
  const by =
    'label' in wanted
      ? attribute(CKA.label, new TextEncoder().encode(wanted.label))
      : attribute(CKA.id, Uint8Array.from(Buffer.from(wanted.id, 'hex')));
  const [key] = await session.find([attribute(CKA.class, CKO.privateKey), by]);
  if (key === undefined) return undefined;
  // What belongs together has the same CKA_ID (§4.7); not every token tells it.
  const id = await session.attribute(key, CKA.id);
  const same = id && id.length > 0 ? attribute(CKA.id, id) : by;
  const certificates: Uint8Array[] = [];
  for (const handle of await session.find([attribute(CKA.class, CKO.certificate)])) {
    const der = await session.attribute(handle, CKA.value);
    if (der && der.length > 0) certificates.push(der);
  }
  const [publicHandle] = await session.find([attribute(CKA.class, CKO.publicKey), same]);
  return {
    publicKey: publicHandle === undefined ? undefined : await publicKey(session, publicHandle),
    certificates,
    sign: async (scheme, octets) => {
      const { mechanism, data } = request(scheme, octets);
      const signature = await inTime(session.sign(mechanism, key, data));
      // Tokens give r | s; method 14 wants DER.
      return mechanism.type === ECDSA && scheme.method === 'digital-signature' ? ecdsaDer(signature) : signature;
    },
    close: () => session.close(),
  };
}

function request(
  scheme: SignatureScheme,
  octets: Uint8Array,
): { readonly mechanism: Mechanism; readonly data: Uint8Array } {
  const algorithm = algorithmOf(scheme);
  switch (algorithm.key) {
    case 'ed25519':
      return { mechanism: { type: EDDSA }, data: octets };
    case 'ecdsa':
      return { mechanism: { type: ECDSA }, data: Uint8Array.from(createHash(algorithm.hash).update(octets).digest()) };
    case 'rsa-pkcs1':
      return { mechanism: { type: RSA_PKCS[algorithm.hash] }, data: octets };
    case 'rsa-pss': {
      if (algorithm.hash === 'sha1') throw new RangeError('no scheme of AUTH is RSASSA-PSS with SHA-1');
      const [type, hash, mgf, salt] = RSA_PSS[algorithm.hash];
      const parameter = new Uint8Array(new BigUint64Array([BigInt(hash), BigInt(mgf), BigInt(salt)]).buffer);
      return { mechanism: { type, parameter }, data: octets };
    }
  }
}

/** ECDSA-Sig-Value ::= SEQUENCE of r and s. */
function ecdsaDer(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2;
  const number = (bytes: Uint8Array) => lib.ber.Integer.fromBigInt(BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
  const value = [number(signature.subarray(0, half)), number(signature.subarray(half))];
  return new Uint8Array(new lib.ber.Sequence({ value }).toBER());
}

const CURVES: Readonly<Record<number, string>> = { 64: 'P-256', 96: 'P-384', 132: 'P-521' };

/** Undefined where it cannot be told from the attributes: then the certificates of the file decide, ours first. */
async function publicKey(session: Pkcs11Session, handle: bigint): Promise<KeyObject | undefined> {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  try {
    const n = await session.attribute(handle, CKA.modulus);
    const e = await session.attribute(handle, CKA.publicExponent);
    if (n && e) return createPublicKey({ key: { kty: 'RSA', n: base64(n), e: base64(e) }, format: 'jwk' });
    // CKA_EC_POINT: an OCTET STRING of the point, uncompressed (04 x y), or of an Edwards key.
    const point = onlyBlock((await session.attribute(handle, CKA.ecPoint)) ?? new Uint8Array())?.content;
    if (point?.length === 32)
      return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64(point) }, format: 'jwk' });
    const crv = point && CURVES[point.length - 1];
    if (!point || !crv || point[0] !== 4) return undefined;
    const half = 1 + (point.length - 1) / 2;
    const [x, y] = [base64(point.subarray(1, half)), base64(point.subarray(half))];
    return createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
