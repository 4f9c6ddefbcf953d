// What PEAP version 0 says inside (MS-PEAP §2.2; draft-kamath-pppext-peapv0-00 §1.1, §3): EAP packets without their first four
// bytes, save those of the type "extensions", which are whole and carry TLVs.
//
// +-+-+---------------------------+-------------------------------+
// |M|R|         TLV Type          |            Length             |
// +-+-+---------------------------+-------------------------------+
// |   Value …
import { isWireError, type WireError } from '../../wire/error.ts';
import { bytes, decode, encode, type Field, list, map, rest, sized, struct, u8, u16 } from '../../wire/field.ts';
import { decodeEap, EAP_TYPE, type EapExchangePacket, encodeEap } from '../packet.ts';

export const TLV = { result: 3, nak: 4, cryptobinding: 12 } as const;
export const RESULT = { success: 1, failure: 2 } as const;

export interface Tlv {
  readonly type: number;
  /** Who does not know it must refuse. */
  readonly mandatory: boolean;
  readonly value: Uint8Array;
}

const tlv: Field<Tlv> = map(
  struct('PEAP TLV', { type: u16, value: sized(u16, 0, rest) }),
  ({ type, value }) => ({ type: type & 0x3fff, mandatory: (type & 0x8000) !== 0, value }),
  ({ type, mandatory, value }) => ({ type: type | (mandatory ? 0x8000 : 0), value }),
);
const tlvs = list(tlv);

export const encodeTlvs = (values: readonly Tlv[]): Uint8Array => encode(tlvs, values);
export const decodeTlvs = (data: Uint8Array): readonly Tlv[] | WireError => decode(tlvs, data, 'PEAP TLVs');
export const resultTlv = (status: number): Tlv => ({
  type: TLV.result,
  mandatory: true,
  value: Uint8Array.of(0, status),
});

/** MS-PEAP §2.2.8.1.1: 56 bytes. */
export interface Cryptobinding {
  readonly version: number;
  readonly receivedVersion: number;
  readonly subtype: 'request' | 'response';
  readonly nonce: Uint8Array;
  readonly mac: Uint8Array;
}

const binding = struct('PEAP cryptobinding', {
  reserved: u8,
  version: u8,
  receivedVersion: u8,
  subtype: u8,
  nonce: bytes(32),
  mac: bytes(20),
});

export const bindingTlv = ({ version, receivedVersion, subtype, nonce, mac }: Cryptobinding): Tlv => ({
  type: TLV.cryptobinding,
  mandatory: false,
  value: encode(binding, {
    reserved: 0,
    version,
    receivedVersion,
    subtype: subtype === 'request' ? 0 : 1,
    nonce,
    mac,
  }),
});

export function decodeBinding(value: Uint8Array): Cryptobinding | WireError {
  const decoded = decode(binding, value, 'PEAP cryptobinding');
  if (isWireError(decoded)) return decoded;
  const { version, receivedVersion, subtype, nonce, mac } = decoded;
  return { version, receivedVersion, subtype: subtype === 0 ? 'request' : 'response', nonce, mac };
}

/** An EAP packet inside, whole again; `around`: code and identifier of the packet that carried it. */
export function unpack(
  inside: Uint8Array,
  around: Pick<EapExchangePacket, 'kind' | 'identifier'>,
): { readonly packet: Uint8Array; readonly whole: boolean } {
  const length = inside.length >= 4 ? inside[2]! * 256 + inside[3]! : -1;
  // Type "extensions", and what some servers send whole: the first identity request, Success, Failure.
  if (length === inside.length && !isWireError(decodeEap(inside))) return { packet: inside, whole: true };
  const packet = encodeEap({ ...around, type: inside[0] ?? 0, data: inside.subarray(1) });
  return { packet, whole: false };
}

/** What goes inside in place of an EAP packet. */
export function pack(packet: Uint8Array): Uint8Array {
  return packet[4] === EAP_TYPE.extensions ? packet : packet.slice(4);
}
