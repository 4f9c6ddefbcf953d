// Stores whose private keys never leave them: smart cards and tokens by PKCS#11, the stores of operating systems. They sign; what
// they are given is the octets, or their hash where a token cannot hash. Here are the interface, what makes a SigningKey of it, and a
// store in software, which is the reference for others and for tests.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { algorithmOf, type SignatureScheme, signOctets, verifyOctets } from '../crypto/signature.ts';
import { type Certificate, keyName } from './certificate.ts';
import { PkiError } from './error.ts';
import { fitProblem, type SigningKey } from './key.ts';

/** By label (CKA_LABEL, a friendly name) or identifier (CKA_ID, hexadecimal). */
export type KeyName = { readonly label: string } | { readonly id: string };

export interface StoredKey {
  /** SubjectPublicKeyInfo of the key; a token that does not tell it leaves it out, and the certificate must be in the store. */
  readonly publicKey: KeyObject | undefined;
  /** DER, those of the store that may belong to the key, its own first where the store knows it. */
  readonly certificates: readonly Uint8Array[];
  /**
   * The signature as the AUTH payload carries it (r | s for methods 9 to 11, else DER for ECDSA). Rejects with an Error whose
   * message a person can read: token removed, PIN locked, mechanism not there.
   */
  sign(scheme: SignatureScheme, octets: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

export interface KeyStore {
  /** "SoftHSM slot 0", for messages. */
  readonly name: string;
  /** `pin` unlocks the store; undefined: it wants none, or asks for it by itself. */
  open(key: KeyName, pin?: string): Promise<StoredKey | PkiError>;
}

/** Ties a stored key to its certificate. What a store signs is verified before it goes out: a token may sign with the wrong key. */
export function storedKey(
  store: KeyStore,
  stored: StoredKey,
  certificates: readonly Certificate[],
): SigningKey | PkiError {
  const { publicKey } = stored;
  const own = publicKey ? certificates.find((certificate) => certificate.publicKey.equals(publicKey)) : certificates[0];
  if (!own) {
    stored.close();
    const [first] = certificates;
    return first
      ? new PkiError({ code: 'key-mismatch', subject: first.subject.text })
      : new PkiError({ code: 'key-store', store: store.name, detail: 'it has the key, but no certificate' });
  }
  const failed = (detail: string) => new PkiError({ code: 'key-store', store: store.name, detail });
  return {
    certificate: own,
    chain: [own, ...certificates.filter((certificate) => certificate !== own)].map(({ der }) => der),
    publicKey: own.publicKey,
    sign: async (scheme, octets) => {
      const problem = fitProblem(own, scheme);
      if (problem) return problem;
      try {
        const signature = await stored.sign(scheme, octets);
        return verifyOctets(own.publicKey, scheme, octets, signature)
          ? signature
          : failed(
              `its signature is not one of the certificate's key (${keyName(own.publicKey)}, ${algorithmOf(scheme).hash})`,
            );
      } catch (error) {
        return failed(error instanceof Error ? error.message : 'it gave no reason');
      }
    },
    close: () => stored.close(),
  };
}

/** Private keys by label in this process, which only sign. */
export function softwareStore(
  keys: ReadonlyMap<string, { readonly key: KeyObject; readonly certificates: readonly Uint8Array[] }>,
): KeyStore {
  const name = 'in software';
  return {
    name,
    open: async (wanted) => {
      const entry = 'label' in wanted ? keys.get(wanted.label) : undefined;
      if (!entry) return new PkiError({ code: 'key-store', store: name, detail: 'it has no such key' });
      let open = true;
      return {
        publicKey: createPublicKey(entry.key),
        certificates: entry.certificates,
        sign: async (scheme, octets) => {
          if (!open) throw new Error('it was closed');
          return signOctets(entry.key, scheme, octets);
        },
        close: () => {
          open = false;
        },
      };
    },
  };
}
