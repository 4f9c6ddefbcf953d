// From chosen transforms to the algorithms that do them. What cannot be done here was never offered, so it throws.
import { ENCRS, type Encr } from './encr.ts';
import { INTEGS, type Integ } from './integ.ts';
import { KEY_EXCHANGES, type KeyExchange } from './ke.ts';
import { PRFS, type Prf } from './prf.ts';
import { formatTransforms } from './proposal.ts';
import { keyLengthOf, type Transform, TransformType } from './transform.ts';

/** The algorithms of an IKE SA. */
export interface IkeSuite {
  /** "aes256gcm16-prfsha256-ecp256". */
  readonly name: string;
  readonly encr: Encr;
  /** undefined with an AEAD. */
  readonly integ: Integ | undefined;
  readonly prf: Prf;
  readonly ke: KeyExchange;
}

/** The algorithms of a CHILD SA. */
export interface EspSuite {
  /** "aes256gcm16-esn". */
  readonly name: string;
  readonly cipher: 'aes-gcm-16' | 'chacha20-poly1305';
  readonly keyBytes: number;
  readonly saltBytes: number;
  readonly esn: boolean;
  /** Perfect forward secrecy, in CREATE_CHILD_SA only. */
  readonly ke: KeyExchange | undefined;
}

const one = (transforms: readonly Transform[], type: number): Transform | undefined =>
  transforms.find((transform) => transform.type === type);

/** The key exchange with that number, where we have it. */
export const keyExchangeOf = (id: number): KeyExchange | undefined => KEY_EXCHANGES.find((ke) => ke.id === id);

const missing = (transforms: readonly Transform[]): never => {
  throw new TypeError(`no implementation of ${formatTransforms(transforms)}`);
};

/** `transforms`: one of each type, as `choose` or `checkAnswer` gave them. */
export function ikeSuite(transforms: readonly Transform[]): IkeSuite {
  const encrTransform = one(transforms, TransformType.ENCR) ?? missing(transforms);
  const encr = ENCRS.find((of) => of.id === encrTransform.id && of.keyLength === keyLengthOf(encrTransform));
  const prf = PRFS.find((of) => of.id === one(transforms, TransformType.PRF)?.id);
  const integ = INTEGS.find((of) => of.id === one(transforms, TransformType.INTEG)?.id);
  const ke = keyExchangeOf(one(transforms, TransformType.KE)?.id ?? 0);
  if (!encr || !prf || !ke || encr.aead === (integ !== undefined)) return missing(transforms);
  return { name: formatTransforms(transforms), encr, integ, prf, ke };
}

export function espSuite(transforms: readonly Transform[]): EspSuite {
  const encr = one(transforms, TransformType.ENCR) ?? missing(transforms);
  const keId = one(transforms, TransformType.KE)?.id ?? 0;
  const ke = keyExchangeOf(keId);
  const cipher = encr.id === 20 ? 'aes-gcm-16' : encr.id === 28 ? 'chacha20-poly1305' : missing(transforms);
  if (keId !== 0 && !ke) return missing(transforms);
  return {
    name: formatTransforms(transforms),
    cipher,
    keyBytes: (keyLengthOf(encr) ?? 256) / 8,
    saltBytes: 4,
    esn: one(transforms, TransformType.ESN)?.id === 1,
    ke,
  };
}
