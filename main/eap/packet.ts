// EAP packets (RFC 3748 §4).
//
// +---------------+---------------+-------------------------------+
// |     Code      |  Identifier   |            Length             |
// +---------------+---------------+-------------------------------+
// |     Type      |  Type-Data …                 (Request, Response)
// +---------------+------------------------------------------------

import type { WireError } from '../wire/error.ts';
import { encode, type Field, map, type Refusal, refuse, rest, sized, struct, u8, u16 } from '../wire/field.ts';
import { Reader } from '../wire/reader.ts';

export type EapPacket =
  | {
      readonly kind: 'request' | 'response';
      readonly identifier: number;
      readonly type: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'success' | 'failure'; readonly identifier: number };

export type EapExchangePacket = Extract<EapPacket, { readonly kind: 'request' | 'response' }>;

const KINDS = ['request', 'response', 'success', 'failure'] as const;

const header = struct('EAP packet', { code: u8, identifier: u8, body: sized(u16, 4, rest) });

const packet: Field<EapPacket> = map(
  header,
  ({ code, identifier, body }): EapPacket | Refusal => {
    const kind = KINDS[code - 1];
    if (!kind) return refuse(`a code from 1 to 4, got ${code}`);
    const type = body[0];
    if (kind === 'success' || kind === 'failure')
      return type === undefined ? { kind, identifier } : refuse('nothing behind the header', 'length');
    return type === undefined
      ? refuse('a Type behind the header', 'length')
      : { kind, identifier, type, data: body.subarray(1) };
  },
  (value) => ({
    code: KINDS.indexOf(value.kind) + 1,
    identifier: value.identifier,
    body: 'type' in value ? Uint8Array.of(value.type, ...value.data) : new Uint8Array(0),
  }),
);

export const encodeEap = (value: EapPacket): Uint8Array => encode(packet, value);

/** What lies behind Length is padding and ignored (RFC 3748 §4.1). The data is a view of `bytes`. */
export const decodeEap = (bytes: Uint8Array): EapPacket | WireError => packet.decode(new Reader(bytes, 'EAP packet'));

/** Type codes (IANA "EAP Method Types"). */
export const EAP_TYPE = {
  identity: 1,
  notification: 2,
  nak: 3,
  md5: 4,
  otp: 5,
  gtc: 6,
  tls: 13,
  ttls: 21,
  peap: 25,
  mschapv2: 26,
  /** MS-PEAP's "EAP Extensions" method, which carries its TLVs. */
  extensions: 33,
  expanded: 254,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  4: 'EAP-MD5',
  5: 'EAP-OTP',
  6: 'EAP-GTC',
  13: 'EAP-TLS',
  17: 'EAP-LEAP',
  18: 'EAP-SIM',
  21: 'EAP-TTLS',
  23: 'EAP-AKA',
  25: 'PEAP',
  26: 'EAP-MSCHAPv2',
  29: 'EAP type 29 (an early MSCHAPv2)',
  43: 'EAP-FAST',
  46: 'EAP-PAX',
  47: 'EAP-PSK',
  50: "EAP-AKA'",
  52: 'EAP-pwd',
  55: 'TEAP',
  254: 'a vendor’s own method',
};

/** "EAP-TLS", "EAP type 99". */
export const eapTypeName = (type: number): string => NAMES[type] ?? `EAP type ${type}`;
