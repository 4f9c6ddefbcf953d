// Transforms: what a proposal is made of (RFC 7296 §3.3.2), as numbers of the IANA registry "Internet Key Exchange
// Version 2 (IKEv2) Parameters". Which numbers we implement is the business of prf, encr, integ, ke and proposal.
import { sameBytes } from '../wire/bytes.ts';

export const TransformType = {
  ENCR: 1,
  PRF: 2,
  INTEG: 3,
  /** Key exchange method (called D-H group before RFC 9370). */
  KE: 4,
  ESN: 5,
  /** Additional key exchanges 1 to 7 are 6 to 12 (RFC 9370 §2.2.2). */
  ADDKE1: 6,
  ADDKE7: 12,
} as const;

/** An additional key exchange: types 6 to 12, whose numbers are those of type 4 (RFC 9370 §2.2.2). */
export const isAdditional = (type: number): boolean => type >= TransformType.ADDKE1 && type <= TransformType.ADDKE7;

/** Any key exchange: type 4 or an additional one. */
export const isKeyExchange = (type: number): boolean => type === TransformType.KE || isAdditional(type);

/** A transform attribute (RFC 7296 §3.3.5): a 16-bit value (AF = 1) or bytes (AF = 0). */
export interface Attribute {
  /** 15 bits. */
  readonly type: number;
  readonly value: number | Uint8Array;
}

/** Key length in bits: the only attribute that RFC 7296 defines. */
export const ATTRIBUTE_KEY_LENGTH = 14;

export interface Transform {
  readonly type: number;
  readonly id: number;
  readonly attributes: readonly Attribute[];
}

/** A transform, with its key length in bits where the algorithm has a choice of lengths. */
export function transform(type: number, id: number, keyLength?: number): Transform {
  const attributes = keyLength === undefined ? [] : [{ type: ATTRIBUTE_KEY_LENGTH, value: keyLength }];
  return { type, id, attributes };
}

/** Key length in bits, or undefined where the transform has none. */
export function keyLengthOf(of: Transform): number | undefined {
  const value = of.attributes.find((attribute) => attribute.type === ATTRIBUTE_KEY_LENGTH)?.value;
  return typeof value === 'number' ? value : undefined;
}

/** Same type, number and attributes, in any order of attributes (RFC 7296 §3.3.6). */
export function sameTransform(a: Transform, b: Transform): boolean {
  return (
    a.type === b.type &&
    a.id === b.id &&
    a.attributes.length === b.attributes.length &&
    a.attributes.every((x) => b.attributes.some((y) => x.type === y.type && sameValue(x.value, y.value)))
  );
}

function sameValue(a: number | Uint8Array, b: number | Uint8Array): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return sameBytes(a, b);
}

/** Security protocol identifiers (RFC 7296 §3.3.1). */
export const ProtocolId = { NONE: 0, IKE: 1, AH: 2, ESP: 3 } as const;

/** A proposal as it is on the wire (RFC 7296 §3.3.1). */
export interface Proposal {
  /** 1 for the first, one more for each that follows; an answer repeats the number that it accepts. */
  readonly number: number;
  readonly protocol: number;
  /** Empty in IKE_SA_INIT; 8 bytes when an IKE SA is rekeyed; 4 bytes for ESP. */
  readonly spi: Uint8Array;
  readonly transforms: readonly Transform[];
}
