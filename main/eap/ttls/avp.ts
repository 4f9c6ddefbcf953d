// Attribute-value pairs inside EAP-TTLS (RFC 5281 §10): Diameter's format, padded to four bytes.
//
// +---------------------------------------------------------------+
// |                           AVP Code                            |
// +-+-+-----------+-----------------------------------------------+
// |V|M|  reserved |   AVP Length (header included, padding not)   |
// +-+-+-----------+-----------------------------------------------+
// |                   Vendor-ID (where V is set)                  |
// +---------------------------------------------------------------+
// ~   Data …
import { isWireError, type WireError } from '../../wire/error.ts';
import {
  absent,
  bytes,
  decode,
  dependent,
  encode,
  type Field,
  list,
  map,
  struct,
  u8,
  u24,
  u32,
} from '../../wire/field.ts';
import type { Reader } from '../../wire/reader.ts';

export interface Avp {
  readonly code: number;
  /** 0: IETF's, that is RADIUS's numbers. */
  readonly vendor: number;
  /** Who does not know it must refuse (RFC 5281 §10.1). */
  readonly mandatory: boolean;
  readonly data: Uint8Array;
}

const VENDOR = 0x80;
const MANDATORY = 0x40;
const headerBytes = (flags: number): number => ((flags & VENDOR) !== 0 ? 12 : 8);
const padding = (length: number): number => (4 - (length % 4)) % 4;

/** Padding that senders may leave out behind the last one. */
const pad = (length: number): Field<undefined> => ({
  length: () => padding(length),
  encode: (_value, writer) => writer.zeros(padding(length)),
  decode(reader) {
    const skipped = reader.take(Math.min(padding(length), reader.remaining));
    return isWireError(skipped) ? skipped : undefined;
  },
});

const raw = struct('AVP', {
  code: u32,
  flags: u8,
  length: u24,
  vendor: dependent((number): Field<number | undefined> => ((number('flags') & VENDOR) !== 0 ? u32 : absent)),
  data: dependent((number): Field<Uint8Array> => {
    const size = number('length') - headerBytes(number('flags'));
    return size >= 0 ? bytes(size) : tooShort;
  }),
  pad: dependent((number) => pad(number('length'))),
});

const tooShort: Field<Uint8Array> = {
  length: () => 0,
  encode: () => {},
  decode: (reader: Reader) => reader.fail('length', 'an AVP length that covers its header'),
};

const avp: Field<Avp> = map(
  raw,
  ({ code, flags, vendor, data }) => ({ code, vendor: vendor ?? 0, mandatory: (flags & MANDATORY) !== 0, data }),
  ({ code, vendor, mandatory, data }) => {
    const flags = (vendor === 0 ? 0 : VENDOR) | (mandatory ? MANDATORY : 0);
    return {
      code,
      flags,
      length: headerBytes(flags) + data.length,
      vendor: vendor === 0 ? undefined : vendor,
      data,
      pad: undefined,
    };
  },
);

const avps = list(avp);

export const encodeAvps = (values: readonly Avp[]): Uint8Array => encode(avps, values);
export const decodeAvps = (input: Uint8Array): readonly Avp[] | WireError => decode(avps, input, 'AVPs');

/** RADIUS's and Microsoft's (vendor 311) numbers. */
export const AVP = {
  userName: { code: 1, vendor: 0 },
  userPassword: { code: 2, vendor: 0 },
  replyMessage: { code: 18, vendor: 0 },
  eapMessage: { code: 79, vendor: 0 },
  msChapError: { code: 2, vendor: 311 },
  msChapChallenge: { code: 11, vendor: 311 },
  msChap2Response: { code: 25, vendor: 311 },
  msChap2Success: { code: 26, vendor: 311 },
} as const;

export const avpOf = (name: keyof typeof AVP, data: Uint8Array): Avp => ({ ...AVP[name], mandatory: true, data });
export const isAvp = (value: Avp, name: keyof typeof AVP): boolean =>
  value.code === AVP[name].code && value.vendor === AVP[name].vendor;
