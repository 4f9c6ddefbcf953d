// Identification payloads, IDi and IDr (RFC 7296 §3.5).
//
// +---------------+-----------------------------------------------+
// |   ID Type     |                 RESERVED                      |
// +---------------+-----------------------------------------------+
// ~                   Identification Data                         ~
// +---------------------------------------------------------------+
//
// AUTH is computed over this body (RestOfInitIDPayload, §2.15): `identityBytes` gives it for our own identity; a peer's
// is taken as received, since its RESERVED bytes, although ignored, are part of what was signed.
import { isWireError } from '../../wire/error.ts';
import { encode, type Field, map, refuse, reserved, rest, struct, u8 } from '../../wire/field.ts';
import type { Identity } from '../identity.ts';

const TYPES = { ipv4: 1, fqdn: 2, rfc822: 3, ipv6: 5, 'der-dn': 9, 'der-gn': 10, 'key-id': 11 } as const;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function text(data: Uint8Array): string | undefined {
  try {
    return utf8.decode(data);
  } catch {
    return undefined;
  }
}

export const identity: Field<Identity> = map(
  struct('ID payload', { type: u8, reserved: reserved(3), data: rest }),
  ({ type, data }) => {
    switch (type) {
      case TYPES.ipv4:
        return data.length === 4 ? { type: 'ipv4', address: data } : refuse('an IPv4 address of 4 bytes', 'length');
      case TYPES.ipv6:
        return data.length === 16 ? { type: 'ipv6', address: data } : refuse('an IPv6 address of 16 bytes', 'length');
      case TYPES.fqdn:
      case TYPES.rfc822: {
        const name = text(data);
        if (name === undefined) return refuse('a name in UTF-8');
        return { type: type === TYPES.fqdn ? 'fqdn' : 'rfc822', text: name };
      }
      case TYPES['der-dn']:
        return { type: 'der-dn', bytes: data };
      case TYPES['der-gn']:
        return { type: 'der-gn', bytes: data };
      case TYPES['key-id']:
        return { type: 'key-id', bytes: data };
      default:
        return refuse(`a known ID type, got ${type}`);
    }
  },
  (value) => ({ type: TYPES[value.type], data: dataOf(value) }),
);

function dataOf(value: Identity): Uint8Array {
  switch (value.type) {
    case 'ipv4':
    case 'ipv6':
      return value.address;
    case 'fqdn':
    case 'rfc822':
      return new TextEncoder().encode(value.text);
    case 'der-dn':
    case 'der-gn':
    case 'key-id':
      return value.bytes;
  }
}

interface IdPayload<K extends 'idi' | 'idr'> {
  readonly kind: K;
  readonly identity: Identity;
  /** The body as received, for AUTH; absent in payloads that we build, and not looked at by encode. */
  readonly raw?: Uint8Array;
}

const id = <K extends 'idi' | 'idr'>(kind: K): Field<IdPayload<K>> => ({
  length: (payload) => identity.length(payload.identity),
  encode: (payload, writer) => identity.encode(payload.identity, writer),
  decode(reader) {
    const raw = reader.view();
    const value = identity.decode(reader);
    return isWireError(value) ? value : { kind, identity: value, raw };
  },
});

export const idi = id('idi');
export const idr = id('idr');

/** The body of an ID payload: what AUTH covers (RFC 7296 §2.15). */
export const identityBytes = (value: Identity): Uint8Array => encode(identity, value);
