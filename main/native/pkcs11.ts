// Tokens by PKCS#11 (Cryptoki 2.40): smart cards, HSMs and their likenesses in software, through the shared library of their vendor.
// Finds objects, reads attributes and signs; a private key never comes out. A token may be slow, wait for a person to touch it, or hang
// for good, so every call but loading and closing runs on koffi's threads, one at a time: a hanging token holds one of them. 64-bit Linux and macOS, where CK_ULONG has 8 bytes and structures are not packed (they are on Windows).
import koffi from 'koffi';

export class Pkcs11Error extends Error {
  override readonly name = 'Pkcs11Error';
  /** CK_RV. */
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call}: ${RETURN_VALUES[code] ?? `error 0x${code.toString(16)}`}`);
    this.code = code;
  }
}

/** What people can do something about (PKCS#11 base specification §4.3, pkcs11t.h). */
const RETURN_VALUES: Readonly<Record<number, string>> = {
  5: 'the token failed',
  48: 'the token failed (CKR_DEVICE_ERROR)',
  50: 'the token was removed',
  112: 'the token does not know this way of signing',
  104: 'the key may not sign',
  160: 'the PIN is wrong',
  162: 'the PIN has a wrong length',
  163: 'the PIN has expired',
  164: 'the PIN is locked',
  224: 'there is no token',
  225: 'the token is not one that this library knows',
  257: 'nobody is logged in',
};

export interface Attribute {
  /** CKA_… */
  readonly type: number;
  readonly value: Uint8Array;
}

export interface Mechanism {
  /** CKM_… */
  readonly type: number;
  readonly parameter?: Uint8Array | undefined;
}

/** CKR_PIN_INCORRECT: the token counts these, and locks itself after a few. */
export const PIN_INCORRECT = 0xa0;

/** Every method rejects with a Pkcs11Error. None has a limit of time. */
export interface Pkcs11Session {
  login(pin: string): Promise<void>;
  /** Handles of the objects that have all these attributes; at most 64. */
  find(attributes: readonly Attribute[]): Promise<readonly bigint[]>;
  /** Undefined where the object has no such attribute or does not tell it. */
  attribute(object: bigint, type: number): Promise<Uint8Array | undefined>;
  sign(mechanism: Mechanism, key: bigint, data: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

export interface Pkcs11Module {
  /** Slots with a token in them. */
  tokens(): Promise<readonly { readonly slot: bigint; readonly label: string }[]>;
  openSession(slot: bigint): Promise<Pkcs11Session>;
  close(): void;
}

const ALREADY_INITIALIZED = 0x191;
const ALREADY_LOGGED_IN = 0x100;
const SERIAL_SESSION = 4n;
const USER = 1n;
const UNAVAILABLE = 0xffff_ffff_ffff_ffffn;
const MOST_OBJECTS = 64;
/** RSA with 16,384 bits. */
const MOST_SIGNATURE = 2048;

/** An unsigned integer as CK_ULONG, in the byte order of the machine (all that Node.js runs on are little-endian). */
export const ulong = (value: number | bigint): Uint8Array => new Uint8Array(new BigUint64Array([BigInt(value)]).buffer);

/** `path` comes from the machine's administrator, never from a profile: the library runs in this process. Throws where it cannot be loaded. */
export function loadPkcs11(path: string): Pkcs11Module {
  if (process.platform === 'win32' || !['x64', 'arm64'].includes(process.arch))
    throw new Error(`PKCS#11 is bound for 64-bit Linux and macOS only, not ${process.platform} on ${process.arch}`);
  const library = koffi.load(path);
  const bind = (name: string, ...parameters: string[]) => library.func(name, 'ulong', parameters);
  const functions = {
    C_Initialize: bind('C_Initialize', 'void *'),
    C_Finalize: bind('C_Finalize', 'void *'),
    C_GetSlotList: bind('C_GetSlotList', 'uint8', 'void *', 'void *'),
    C_GetTokenInfo: bind('C_GetTokenInfo', 'ulong', 'void *'),
    C_OpenSession: bind('C_OpenSession', 'ulong', 'ulong', 'void *', 'void *', 'void *'),
    C_CloseSession: bind('C_CloseSession', 'ulong'),
    C_Login: bind('C_Login', 'ulong', 'ulong', 'void *', 'ulong'),
    C_FindObjectsInit: bind('C_FindObjectsInit', 'ulong', 'void *', 'ulong'),
    C_FindObjects: bind('C_FindObjects', 'ulong', 'void *', 'ulong', 'void *'),
    C_FindObjectsFinal: bind('C_FindObjectsFinal', 'ulong'),
    C_GetAttributeValue: bind('C_GetAttributeValue', 'ulong', 'ulong', 'void *', 'ulong'),
    C_SignInit: bind('C_SignInit', 'ulong', 'void *', 'ulong'),
    C_Sign: bind('C_Sign', 'ulong', 'void *', 'ulong', 'void *', 'void *'),
  };
  type Name = keyof typeof functions;
  const returned = (name: Name, ...values: unknown[]): number => Number(functions[name](...values));
  /** One operation at a time, also because a session can do no more (§5.2). */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
  /** What the values point to stays in memory until the call has returned: they are referred to from here. */
  const returns = (name: Name, ...values: unknown[]): Promise<number> =>
    new Promise((resolve, reject) => {
      functions[name].async(...values, (error: unknown, result: unknown) => {
        values.length = 0;
        if (error) reject(error);
        else resolve(Number(result));
      });
    });
  const call = async (name: Name, ...values: unknown[]): Promise<void> => {
    const code = await returns(name, ...values);
    if (code !== 0) throw new Pkcs11Error(name, code);
  };

  // CK_C_INITIALIZE_ARGS: four functions for locking (none), flags CKF_OS_LOCKING_OK because signing runs on another thread, reserved.
  const initialize = new BigUint64Array(6);
  initialize[4] = 2n;
  const initialized = returned('C_Initialize', initialize);
  if (initialized !== 0 && initialized !== ALREADY_INITIALIZED) throw new Pkcs11Error('C_Initialize', initialized);

  const session = async (slot: bigint): Promise<Pkcs11Session> => {
    const handleOut = new BigUint64Array(1);
    await call('C_OpenSession', slot, SERIAL_SESSION, null, null, handleOut);
    const handle = handleOut[0]!;
    let open = true;

    const sign = async (mechanism: Mechanism, key: bigint, data: Uint8Array): Promise<Uint8Array> => {
      if (!open) throw new Error('the session with the token was closed');
      const { structure, keep } = structureOf([mechanism.type, mechanism.parameter]);
      await call('C_SignInit', handle, structure, key);
      keep.length = 0;
      const signature = new Uint8Array(MOST_SIGNATURE);
      const length = new BigUint64Array([BigInt(MOST_SIGNATURE)]);
      await call('C_Sign', handle, data, data.length, signature, length);
      return signature.slice(0, Number(length[0]));
    };

    const login = async (pin: string): Promise<void> => {
      const bytes = Buffer.from(pin, 'utf8');
      try {
        const code = await returns('C_Login', handle, USER, bytes, bytes.length);
        if (code !== 0 && code !== ALREADY_LOGGED_IN) throw new Pkcs11Error('C_Login', code);
      } finally {
        bytes.fill(0);
      }
    };

    const find = async (attributes: readonly Attribute[]): Promise<readonly bigint[]> => {
      const { structure, keep } = structureOf(...attributes.map(({ type, value }) => [type, value] as const));
      await call('C_FindObjectsInit', handle, structure, attributes.length);
      keep.length = 0;
      const found = new BigUint64Array(MOST_OBJECTS);
      const count = new BigUint64Array(1);
      try {
        await call('C_FindObjects', handle, found, MOST_OBJECTS, count);
      } finally {
        await call('C_FindObjectsFinal', handle);
      }
      return Array.from(found.subarray(0, Number(count[0])));
    };

    const attribute = async (object: bigint, type: number): Promise<Uint8Array | undefined> => {
      // Asked with a null pointer first, a token tells the length (§5.7 C_GetAttributeValue).
      const sizing = new BigUint64Array([BigInt(type), 0n, 0n]);
      if ((await returns('C_GetAttributeValue', handle, object, sizing, 1)) !== 0) return undefined;
      const length = sizing[2]!;
      if (length === UNAVAILABLE || length > 65_536n) return undefined;
      const value = new Uint8Array(new ArrayBuffer(Number(length)));
      const { structure, keep } = structureOf([type, value]);
      const code = await returns('C_GetAttributeValue', handle, object, structure, 1);
      keep.length = 0;
      return code === 0 ? value : undefined;
    };

    return {
      login: (pin) => inTurn(() => login(pin)),
      find: (attributes) => inTurn(() => find(attributes)),
      attribute: (object, type) => inTurn(() => attribute(object, type)),
      sign: (mechanism, key, data) => inTurn(() => sign(mechanism, key, data)),
      close() {
        if (!open) return;
        open = false;
        // Not under a signature that is being made. A token that was pulled out has closed it already.
        void inTurn(() => returns('C_CloseSession', handle)).catch(() => {});
      },
    };
  };

  const tokens: Pkcs11Module['tokens'] = async () => {
    const slots = new BigUint64Array(32);
    const count = new BigUint64Array([32n]);
    await call('C_GetSlotList', 1, slots, count);
    const found: { readonly slot: bigint; readonly label: string }[] = [];
    for (const slot of slots.subarray(0, Number(count[0]))) {
      // CK_TOKEN_INFO begins with the label: 32 bytes of UTF-8, padded with blanks.
      const info = new Uint8Array(256);
      if ((await returns('C_GetTokenInfo', slot, info)) === 0)
        found.push({ slot, label: Buffer.from(info.subarray(0, 32)).toString('utf8').trimEnd() });
    }
    return found;
  };

  return {
    tokens: () => inTurn(tokens),
    openSession: (slot) => inTurn(() => session(slot)),
    close: () => void returned('C_Finalize', null),
  };
}

/**
 * CK_ATTRIBUTE and CK_MECHANISM alike: type, pointer, length, 24 bytes each. The pointers are into `keep`, which has to live until the
 * call has returned; the bytes of arrays made over an ArrayBuffer never move.
 */
function structureOf(...items: readonly (readonly [type: number, value: Uint8Array | undefined])[]) {
  const structure = new BigUint64Array(3 * items.length);
  const keep: Uint8Array[] = [];
  for (const [i, [type, value]] of items.entries()) {
    structure[3 * i] = BigInt(type);
    if (!value) continue;
    // Its own memory already where the caller wants the value filled.
    const own = value.byteOffset === 0 && value.byteLength === value.buffer.byteLength ? value : Uint8Array.from(value);
    keep.push(own);
    if (own.length > 0) structure[3 * i + 1] = BigInt(koffi.address(own.buffer));
    structure[3 * i + 2] = BigInt(own.length);
  }
  return { structure, keep };
}
