// From chosen transforms to the algorithms that do them. What cannot be done here was never offered, so it throws.
import { ENCRS, type Encr } from './encr.ts';
import { INTEG_NONE, INTEGS, type Integ } from './integ.ts';
import { type KeyExchange, keyExchangeOf } from './ke.ts';
import { PRFS, type Prf } from './prf.ts';
import { formatTransforms } from './proposal.ts';
import { isAdditional, keyLengthOf, type Transform, TransformType } from './transform.ts';

/** The algorithms of an IKE SA. */
export interface IkeSuite {
  /** "aes256gcm16-prfsha256-ecp256". */
  readonly name: string;
  readonly encr: Encr;
  /** undefined with an AEAD. */
  readonly integ: Integ | undefined;
  readonly prf: Prf;
  readonly ke: KeyExchange;
  /** Additional key exchanges in the order in which they take place, those chosen as NONE left out (RFC 9370 §2.2.2). */
  readonly additional: readonly KeyExchange[];
}

/** As the packet core calls them (main/core/api.ts, which this part of the house does not know). */
export type EspCipher = 'aes-gcm-16' | 'chacha20-poly1305' | 'aes-cbc' | 'aes-ctr' | 'null' | 'null-aes-gmac';
export type EspIntegrity = 'hmac-sha1-96' | 'hmac-sha2-256-128' | 'hmac-sha2-384-192' | 'hmac-sha2-512-256';

/** The algorithms of a CHILD SA. */
export interface EspSuite {
  /** "aes256gcm16-esn". */
  readonly name: string;
  readonly cipher: EspCipher;
  readonly keyBytes: number;
  /** Behind the key in the keying material: RFC 4106 §8.1, RFC 7634 §2, RFC 3686 §5.1, RFC 4543 §5.4. */
  readonly saltBytes: number;
  /** undefined where the cipher brings its own. */
  readonly integrity: EspIntegrity | undefined;
  readonly integrityKeyBytes: number;
  readonly esn: boolean;
  /** Perfect forward secrecy, in CREATE_CHILD_SA only. */
  readonly ke: KeyExchange | undefined;
  /** Additional key exchanges in their order, in CREATE_CHILD_SA and IKE_FOLLOWUP_KE only. */
  readonly additional: readonly KeyExchange[];
}

export { keyExchangeOf } from './ke.ts';

const one = (transforms: readonly Transform[], type: number): Transform | undefined =>
  transforms.find((transform) => transform.type === type);

const missing = (transforms: readonly Transform[]): never => {
  throw new TypeError(`no implementation of ${formatTransforms(transforms)}`);
};

/** ADDKE1 … ADDKE7, in the order of their types. */
const additionalOf = (transforms: readonly Transform[]): readonly KeyExchange[] =>
  transforms
    .filter(({ type, id }) => isAdditional(type) && id !== 0)
    .sort((a, b) => a.type - b.type)
    .map(({ id }) => keyExchangeOf(id) ?? missing(transforms));

/** `transforms`: one of each type, as `choose` or `checkAnswer` gave them. */
export function ikeSuite(transforms: readonly Transform[]): IkeSuite {
  const encrTransform = one(transforms, TransformType.ENCR) ?? missing(transforms);
  const encr = ENCRS.find((of) => of.id === encrTransform.id && of.keyLength === keyLengthOf(encrTransform));
  const prf = PRFS.find((of) => of.id === one(transforms, TransformType.PRF)?.id);
  const integ = INTEGS.find((of) => of.id === one(transforms, TransformType.INTEG)?.id);
  const ke = keyExchangeOf(one(transforms, TransformType.KE)?.id ?? 0);
  if (!encr || !prf || !ke || encr.aead === (integ !== undefined)) return missing(transforms);
  return { name: formatTransforms(transforms), encr, integ, prf, ke, additional: additionalOf(transforms) };
}

/** ESP's ciphers by transform id (type 1): key bits where the transform has no attribute, salt bytes. */
const ESP_CIPHERS: Readonly<
  Record<number, readonly [cipher: EspCipher, keyBits: number, salt: number, aead: boolean]>
> = {
  11: ['null', 0, 0, false],
  12: ['aes-cbc', 256, 0, false],
  13: ['aes-ctr', 256, 4, false],
  20: ['aes-gcm-16', 256, 4, true],
  21: ['null-aes-gmac', 256, 4, true],
  28: ['chacha20-poly1305', 256, 4, true],
};

/** ESP's integrity algorithms by transform id (type 3), and bytes of key: as many as the hash has (RFC 4868 §2.1.1). */
const ESP_INTEGRITIES: Readonly<Record<number, readonly [integrity: EspIntegrity, keyBytes: number]>> = {
  2: ['hmac-sha1-96', 20],
  12: ['hmac-sha2-256-128', 32],
  13: ['hmac-sha2-384-192', 48],
  14: ['hmac-sha2-512-256', 64],
};

export function espSuite(transforms: readonly Transform[]): EspSuite {
  const encr = one(transforms, TransformType.ENCR) ?? missing(transforms);
  const keId = one(transforms, TransformType.KE)?.id ?? 0;
  const ke = keyExchangeOf(keId);
  const [cipher, keyBits, saltBytes, aead] = ESP_CIPHERS[encr.id] ?? missing(transforms);
  const integ = one(transforms, TransformType.INTEG)?.id ?? INTEG_NONE;
  const [integrity, integrityKeyBytes] = ESP_INTEGRITIES[integ] ?? [undefined, 0];
  if ((keId !== 0 && !ke) || aead !== (integ === INTEG_NONE) || (!aead && !integrity)) return missing(transforms);
  return {
    name: formatTransforms(transforms),
    cipher,
    keyBytes: (keyLengthOf(encr) ?? keyBits) / 8,
    saltBytes,
    integrity,
    integrityKeyBytes,
    esn: one(transforms, TransformType.ESN)?.id === 1,
    ke,
    additional: additionalOf(transforms),
  };
}
